"""Runs: results, replicates, interruption and resumption."""

import json
import signal

import jax
import numpy as np
import pytest
from small import small

from macrohard import runs
from macrohard.blueprint import draw
from macrohard.checkpoint import Checkpoint
from macrohard.floor.tick import advance
from macrohard.runs import run


def digest(result: runs.Result) -> str:
    return str(result.summary["run"]["digest"])


def test_the_same_scenario_and_seed_give_the_same_digest():
    """Twice the same; another seed, another result."""
    assert digest(run(small())) == digest(run(small())) != digest(run(small("run.seed=2")))


def test_chunks_do_not_change_the_result(monkeypatch):
    """However a run is cut for progress and checkpoints, the bits are the same."""
    whole = digest(run(small()))
    monkeypatch.setattr(runs, "CHUNK_S", 1e-9)
    assert digest(run(small("run.horizon_h=24"))) == whole


def test_tickets_are_conserved():
    """Created = done + given up + open, in the counters and in the table of tickets alike."""
    result = run(small("quality.bug_delay_h=2", "run.horizon_h=72", "backlog.mode=saturated", "backlog.n_epics=0"))
    work, table = result.summary["work"], result.tickets
    assert work["bug_tickets"] > 20
    assert work["tickets_split"] > 5
    assert work["tickets_created"] == work["tickets_done"] + work["tickets_given_up"] + work["tickets_open"]
    assert work["tickets_created"] == len(table)
    assert work["tickets_done"] == (table["status"] == "done").sum()


def test_input_is_cached_plus_computed():
    """Token counts are whole numbers and add up exactly."""
    tokens = run(small()).summary["tokens"]
    assert tokens["input_tokens"] == tokens["cached_tokens"] + tokens["prefill_tokens"]
    assert float(tokens["decode_tokens"]).is_integer()


def test_roles_add_up_to_the_whole():
    """Tokens exactly, of every kind; GPU-hours but for rounding, those that train left out."""
    summary = run(small("workforce.weight=3", "training.share=0.25")).summary
    tokens, gpu = summary["tokens"], summary["gpu"]
    by_role = tokens["by_role"]
    assert list(by_role) == ["management", "design", "coding", "testing"] == list(gpu["by_role"])
    for kind in ("input_tokens", "cached_tokens", "prefill_tokens", "decode_tokens"):
        assert sum(role[kind] for role in by_role.values()) == tokens[kind] > 0
    rework = sum(role["rework_decode_tokens"] for role in by_role.values())
    assert rework / tokens["decode_tokens"] == pytest.approx(summary["work"]["rework_share"])
    assert by_role["design"]["rework_decode_tokens"] < by_role["coding"]["rework_decode_tokens"]
    serving_h = gpu["gpu_h_busy"] - gpu["gpu_h_training"]
    assert sum(role["gpu_h_busy"] for role in gpu["by_role"].values()) == pytest.approx(serving_h, rel=1e-6)
    assert gpu["gpu_h_training"] > 0


def test_waits_and_work_add_up_to_the_lead_time():
    """From the start of the first work to the close, every tick of a ticket is either waiting or work."""
    table = run(small("quality.bug_delay_h=2")).tickets
    done = table[table["status"] == "done"]
    spent = sum(done[name] for name in table.columns if name.startswith(("wait_h_", "work_h_")))
    lead = done["closed_h"] - done["created_h"]
    assert (spent <= lead + 1e-6).all()
    unblocked = done[done["is_bug"]]
    assert len(unblocked) > 3
    # all but the second halves of split bugs, which are as old as the whole and began later
    assert np.isclose(spent[unblocked.index], lead[unblocked.index], atol=1e-6).mean() > 0.8


def test_energy_balances_over_the_run():
    """Sources + battery + unserved = load, over the run and in the worst tick."""
    power = run(small()).summary["power"]
    assert abs(power["energy_residual_mwh"]) <= 1e-4 * power["load_mwh"]
    assert power["residual_share_worst"] < 1e-4


def test_desk_time_adds_to_one():
    """Idle, unimpeded, lost to shared GPUs and lost to power are all of the desks' time."""
    assert sum(run(small()).summary["desk_time"].values()) == pytest.approx(1.0, abs=1e-5)


def test_without_coders_nothing_gets_done_and_it_is_said():
    """A factory without coders plans and designs, and then waits."""
    result = run(small("workforce.coding=0"))
    assert result.summary["work"]["tickets_done"] == 0
    assert result.summary["cost"]["usd_per_ticket"] is None
    assert result.series["queue_code"].iloc[-1] > 0
    assert result.summary["binding"]["agents"] > 0.5


def test_more_than_one_bug_per_ticket_is_refused():
    """A backlog that can never empty is refused at the door, with the key to change."""
    from macrohard.faults import ScenarioError

    with pytest.raises(ScenarioError, match="quality.defects_per_kloc"):
        run(small("quality.defects_per_kloc=80"))


def test_replicates_give_intervals():
    """Each number of the summary gets a mean and an 80 % interval over seeds; the first seed is the scenario's own."""
    replicates = run(small("run.horizon_h=12"), replicates=3).summary["replicates"]
    assert replicates["n"] == 3
    assert replicates["seeds"][0] == 1
    assert len(set(replicates["seeds"])) == 3
    done = replicates["metrics"]["work.tickets_done"]
    assert done["low"] <= done["mean"] <= done["high"]


def test_weight_multiplies_counts_and_not_times():
    """A worker who stands for ten makes ten times the tickets at the same speed, given ten times the GPUs."""
    one = run(small("backlog.mode=saturated", "backlog.n_epics=0"))
    ten = run(small("backlog.mode=saturated", "backlog.n_epics=0", "workforce.weight=10", "cluster.n_gpus=80",
                    "power.grid_mw=0.2"))  # fmt: skip
    assert ten.summary["work"]["tickets_done"] == pytest.approx(10 * one.summary["work"]["tickets_done"], rel=0.05)
    assert ten.summary["work"]["lead_time_h_p50"] == pytest.approx(one.summary["work"]["lead_time_h_p50"], rel=0.2)


def test_a_checkpoint_restores_the_very_state(tmp_path, monkeypatch):
    """A killed run goes on from its last checkpoint and ends in the same bits."""
    from macrohard.blueprint import draw
    from macrohard.floor.tick import advance

    monkeypatch.setattr("macrohard.checkpoint.EVERY_S", -1.0)
    plan = draw(small())
    kept = Checkpoint.of(tmp_path / "out", plan.scenario)
    state = advance(plan.shop, plan.params, plan.opening(), 700)
    kept.keep(state)
    again = kept.restored(plan.opening())
    assert int(again.tick) == 700
    whole = kept.path.read_bytes()
    kept.path.write_bytes(b"")
    assert int(kept.restored(plan.opening()).tick) == 0
    kept.path.write_bytes(whole)
    resumed = run(small(), out=tmp_path / "out")
    assert digest(resumed) == digest(run(small()))
    assert not kept.path.exists()


def test_a_checkpoint_of_another_run_is_left_alone(tmp_path, monkeypatch):
    """Another seed is another run."""
    from macrohard.blueprint import draw

    monkeypatch.setattr("macrohard.checkpoint.EVERY_S", -1.0)
    plan = draw(small())
    kept = Checkpoint.of(tmp_path / "out", plan.scenario)
    kept.keep(plan.opening())
    other = draw(small("run.seed=5"))
    assert int(Checkpoint.of(tmp_path / "out", other.scenario).restored(other.opening()).tick) == 0
    kept.path.write_bytes(b"PK garbage")
    assert int(kept.restored(plan.opening()).tick) == 0


def test_ctrl_c_leaves_a_readable_partial_result_and_the_same_command_goes_on(tmp_path):
    """Interrupted in the middle, a run still writes all its files, marked partial; run again, it ends as if whole."""
    out = tmp_path / "out"
    whole = small("run.horizon_h=240")

    def interrupt(share: float) -> None:
        if share > 0.01:
            signal.raise_signal(signal.SIGINT)

    part = run(whole, out=out, progress=interrupt)
    assert part.is_partial
    assert json.loads((out / "summary.json").read_text())["run"]["partial"] is True
    assert (out / "report.html").stat().st_size > 1000
    again = run(whole, out=out)
    assert not again.is_partial
    assert digest(again) == digest(run(whole))


def test_a_kept_run_is_shown_and_its_page_written_anew(tmp_path):
    """`show` and `report` work from the folder alone, again and again; an unknown column is refused by name."""
    from typer.testing import CliRunner

    from macrohard.cli import app

    out = tmp_path / "out"
    run(small("run.horizon_h=6"), out=out)
    for words in (["report", str(out)], ["show", str(out)], ["show", str(out), "--column", "load_mw"]):
        assert CliRunner().invoke(app, words).exit_code == 0
    refused = CliRunner().invoke(app, ["show", str(out), "--column", "lod_mw"])
    assert "did you mean load_mw?" in refused.stderr
    assert refused.exit_code == 2
    assert "lod_mw" in refused.stderr


def test_a_run_is_compiled_once():
    """The opening has the very types that `advance` leaves, so that its second call needs no other program."""
    plan = draw(small())
    before = plan.opening()
    after = jax.eval_shape(lambda state: advance(plan.shop, plan.params, state, 1), before)
    for one, other in zip(jax.tree.leaves(before), jax.tree.leaves(after), strict=True):
        assert (one.shape, one.dtype, one.aval.weak_type) == (other.shape, other.dtype, False)
