"""Uncertain runs: draws that obey their table, one compilation, and figures that hang on what they must."""

import json

import jax
import numpy as np
import pandas as pd
import pytest
from small import SMALL, small
from typer.testing import CliRunner

from macrohard import uncertainty
from macrohard.blueprint import draw
from macrohard.cli import app
from macrohard.colossus.tables import rows
from macrohard.floor.tick import advance
from macrohard.runs import run
from macrohard.scenario import Scenario, bundled
from macrohard.work_tables import table


def drawn_of(scenario: Scenario, n: int = 200) -> dict[str, uncertainty.Uncertain]:
    return {each.key: each for each in uncertainty.draws(scenario, n)}


@pytest.mark.parametrize("name", bundled())
def test_every_row_of_the_table_is_a_parameter_of_every_scenario_and_stays_in_range(name):
    scenario = Scenario.load(name, environment={})
    found = drawn_of(scenario, 50)
    assert len(found) == len(rows("uncertainty"))
    settings = []
    for each in found.values():
        assert each.form in ("times", "octaves", "plus", "between") and each.source
        if np.isfinite(each.drawn).all():
            assert (each.drawn >= each.low).all() and (each.drawn <= each.high).all()
            if not each.key.startswith(("serving_fit.", "gpu_power.")):
                settings += [f"{each.key}={value!r}" for value in (each.drawn.min().item(), each.drawn.max().item())]
    scenario.override(settings)  # refused if one were out of the scenario's own range


def test_draws_have_the_spread_that_their_tables_tell():
    """Median and 80 % interval: the value, and value * 2^(+-1.2816 se) for the horizon."""
    found = drawn_of(Scenario.load("laptop", environment={}), 4000)
    capability = table("capability").set_index("model")
    se = float(capability.loc["frontier-2026", "horizon_se_log2"])
    horizon = found["capability.horizon_min"]
    assert np.quantile(np.log2(horizon.drawn / 431), [0.1, 0.5, 0.9]) == pytest.approx(
        np.array([-1.2816, 0, 1.2816]) * se, abs=0.01
    )
    layer = found["serving_fit.layer_s"]
    told = float(table("serving_fit").set_index("parameter").loc["layer_s", "standard_error"])
    assert np.std(np.log(layer.drawn)) == pytest.approx(told, rel=0.02)
    test = found["tokens.ratio.test"]
    assert np.std(np.log(test.drawn)) == pytest.approx(0.03916 / 0.7644, rel=0.02)
    assert found["quality.detection_test"].drawn.mean() == pytest.approx(0.675, abs=0.001)


def test_scenarios_that_are_compared_draw_alike():
    """The stream of a parameter hangs on the seed and its name alone."""
    one, other = (drawn_of(Scenario.load(name, environment={}), 20) for name in ("laptop", "colossus1"))
    same = "quality.detection_test"
    assert (one[same].drawn == other[same].drawn).all()
    ratio = one["tokens.tool_median_s"].drawn / other["tokens.tool_median_s"].drawn
    assert np.ptp(ratio) < 1e-12
    assert (drawn_of(small("run.seed=2"), 20)[same].drawn != one[same].drawn).all()


def test_a_value_set_outside_an_assumed_range_is_held():
    found = drawn_of(small("quality.detection_test=0.99"), 10)["quality.detection_test"]
    assert np.isnan(found.drawn).all()
    assert uncertainty.told([found])["quality.detection_test"]["low"] is None


@pytest.mark.parametrize("settings", [(), ("backlog.mode=saturated", "backlog.n_epics=0")])
def test_draws_share_one_compilation_and_do_not_run_dry(settings):
    """Parameters are data: the compiled forms are those of the plain run and, at most, of one roomier backlog."""
    scenario = small("run.horizon_h=8", "run.warmup_h=2", *settings)
    run(scenario)
    before = advance._cache_size()
    result = run(scenario, replicates=6, uncertain=True)
    assert advance._cache_size() - before <= (1 if settings else 0)
    told = result.summary["replicates"]
    assert "schema_version" not in told["metrics"]
    assert told["n"] == 6 and len(set(told["seeds"])) == 6
    assert told["metrics"]["work.tickets_done"]["high"] > told["metrics"]["work.tickets_done"]["low"]
    if settings:
        plan = uncertainty.roomy(draw(scenario))
        own = uncertainty.laid(plan, uncertainty.draws(scenario, 6), 3, 9)
        state = advance(own.shop, own.params, own.opening(), own.n_ticks)
        assert int(state.epic_cursor) < 0.7 * int(own.params.intake.n_epics)


def test_an_uncertain_run_repeats_and_leaves_the_plain_result_alone():
    scenario = small("run.horizon_h=8", "run.warmup_h=2")
    plain, first, second = (
        run(scenario),
        run(scenario, replicates=3, uncertain=True),
        run(scenario, replicates=3, uncertain=True),
    )
    assert first.summary["replicates"] == second.summary["replicates"]
    assert plain.summary["run"]["digest"] == first.summary["run"]["digest"]


def test_tokens_and_energy_are_conserved_in_every_draw():
    scenario = small("run.horizon_h=8", "run.warmup_h=2")
    plan, drawn = draw(scenario), uncertainty.draws(scenario, 3)
    from macrohard.runs import result_of

    for number in range(3):
        own = uncertainty.laid(plan, drawn, number, 5 + number)
        told = result_of(own, advance(own.shop, own.params, own.opening(), own.n_ticks), 0.0, 0.0).summary
        work, tokens = told["work"], told["tokens"]
        assert work["tickets_created"] == work["tickets_done"] + work["tickets_given_up"] + work["tickets_open"]
        assert tokens["input_tokens"] == tokens["cached_tokens"] + tokens["prefill_tokens"]
        assert abs(told["power"]["energy_residual_mwh"]) < 1e-3 * max(told["power"]["load_mwh"], 1e-6)
        assert all(jax.tree.leaves(jax.tree.map(lambda a, b: a.shape == b.shape, own.params, plan.params)))


def test_what_matters_is_found_and_what_does_not_is_mostly_not():
    """A figure made of one parameter ranks it first at +1; pure noise names about one in twenty."""
    drawn = uncertainty.draws(Scenario.load("laptop", environment={}), 100)
    rng = np.random.default_rng(1)
    lead = next(each for each in drawn if each.key == "capability.horizon_min").drawn
    figures = pd.DataFrame({"cost.usd_per_ticket": np.exp(-lead / 100), "power.load_mean_mw": rng.normal(size=100)})
    found = uncertainty.ranked(drawn, figures)
    best = found["metrics"]["cost.usd_per_ticket"][0]
    assert best["parameter"] == "capability.horizon_min" and best["rank_correlation"] == pytest.approx(-1, abs=1e-6)
    assert len(found["metrics"]["power.load_mean_mw"]) <= 6
    assert uncertainty.ranked(drawn, figures.head(5))["metrics"] == {}


def test_power_hangs_on_the_power_law_and_cost_on_prices():
    """Twenty draws of a small factory: the GPU's level leads its power, the price of a GPU-hour its cost."""
    result = run(small("run.horizon_h=8", "run.warmup_h=2"), replicates=20, uncertain=True)
    ranked = result.summary["replicates"]["matters"]["metrics"]
    assert ranked["power.load_mean_mw"][0]["parameter"] == "gpu_power.base"
    assert "economics.gpu_usd_per_h" in [each["parameter"] for each in ranked["cost.usd_per_ticket"]]


def test_the_command_prints_intervals_and_the_report_has_them(tmp_path):
    settings = [word for each in (*SMALL, "run.horizon_h=8", "run.warmup_h=2") for word in ("--set", each)]
    out = tmp_path / "out"
    result = CliRunner(env={"COLUMNS": "80"}).invoke(
        app, ["run", "laptop", *settings, "--uncertain", "--replicates", "10", "--out", str(out)]
    )
    assert result.exit_code == 0, result.output
    assert "Over 10 draws of parameters and dice" in result.stdout and "hangs on" in result.stdout
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "How well it is known" in page and "gpu_power.base" in page
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert summary["replicates"]["parameters"]["capability.rho"]["low"] < 0.70


def test_seeds_beyond_31_bits_open_a_factory():
    """Replicates spawn seeds of 32 bits."""
    state = draw(small("run.seed=4294967295")).opening()
    assert int(state.tick) == 0
