"""The machinery of sweeps under runs that cost nothing: designs, growth, budget, faults, kills, tables, exit codes.

The campaigns of `benchmarks/sweep_kills.py` and `benchmarks/sweep_figures.py`, small.
"""

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from benchmarks import sweep_figures, sweep_kills
from benchmarks.sweep_stub import engine
from macrohard.cli import app
from macrohard.faults import ScenarioError
from macrohard.results.summary import RESULTS_VERSION
from macrohard.scenario import Scenario
from macrohard.store import StoreError
from macrohard.sweeps import Experiment
from macrohard.sweeps.design import Design, lay_out, scenario_of, texts
from macrohard.sweeps.execute import execute
from macrohard.sweeps.sensitivity import sampled
from macrohard.sweeps.standing import standing
from macrohard.sweeps.storage import opened
from macrohard.sweeps.stored import table
from macrohard.sweeps.worker import work

RANGES = {"cluster.n_gpus": {"low": 8, "high": 64, "log": True}, "cluster.pue": {"low": 1.1, "high": 1.5}}
LISTS = {"cluster.n_gpus": [8, 16, 32], "cluster.pue": [1.1, 1.2, 1.3]}


def made(version="stub", **tree):
    return lay_out(Experiment.of({"name": "d", "replicates": 2, **tree}), version, environment={})


def stubbed(design, out, **more):
    return execute(design, out, "stub", engine=engine(), **more)


def test_a_grid_crosses_and_zip_pairs():
    """3 x 3 points against 3; the last factor turns fastest."""
    grid = made(factors=LISTS).points
    assert [tuple(point.values()) for point in grid[:4]] == [(8, 1.1), (8, 1.2), (8, 1.3), (16, 1.1)]
    assert len(grid) == 9
    paired = made(design="zip", factors=LISTS).points
    assert [tuple(point.values()) for point in paired] == [(8, 1.1), (16, 1.2), (32, 1.3)]
    with pytest.raises(ScenarioError, match="equal length"):
        made(design="zip", factors=LISTS | {"cluster.pue": [1.1]})


def test_latin_hypercubes_have_one_point_in_each_slice():
    """16 points: each sixteenth of a range holds one."""
    points = made(design="lhs", points=16, factors=RANGES).points
    slices = sorted(int((point["cluster.pue"] - 1.1) / 0.4 * 16) for point in points)
    assert slices == list(range(16))


def test_sobol_points_fill_halves_evenly_and_a_larger_design_begins_with_a_smaller_one():
    """Of 16 points 8 lie in each half of each factor; the first 16 of 64 are those 16."""
    few = made(design="sobol", points=16, factors=RANGES).points
    assert sum(point["cluster.pue"] < 1.3 for point in few) == 8
    assert made(design="sobol", points=64, factors=RANGES).points[:16] == few


@pytest.mark.parametrize("design", ["grid", "zip", "table", "sobol"])
def test_growing_a_design_changes_no_run_that_is_there(design):
    """More points and more replicates: the old run ids and seeds are among the new ones."""
    rows = [{"cluster.n_gpus": n} for n in (8, 16, 32)]
    few, many = {
        "grid": ({"factors": LISTS | {"cluster.pue": [1.1, 1.2]}}, {"factors": LISTS}),
        "zip": ({"factors": {key: values[:2] for key, values in LISTS.items()}}, {"factors": LISTS}),
        "table": ({"table": rows[:2]}, {"table": rows}),
        "sobol": ({"points": 5, "factors": RANGES}, {"points": 9, "factors": RANGES}),
    }[design]
    old, new = made(design=design, **few), made(design=design, replicates=5, **many)
    assert {(run.run_id, run.seed) for run in old.runs} < {(run.run_id, run.seed) for run in new.runs}
    assert len({run.seed for run in new.runs}) == 5  # common random numbers: one seed per replicate


def test_ten_replicates_unless_said():
    """The default of the form."""
    assert Experiment.of({"name": "d", "factors": LISTS}).replicates == 10


BACKLOG = "id,size_min\nA,30\nB,60\n"


@pytest.mark.parametrize("where", ["the scenario", "[set]", "[factors]", "[[table]]"])
def test_files_named_in_an_experiment_are_found_from_any_folder(tmp_path, monkeypatch, where):
    """Scenario and backlog lie beside the file that names them; planner and worker may stand anywhere."""
    home, key = tmp_path / "home", '"backlog.file"'
    home.mkdir()
    (home / "tickets.csv").write_text(BACKLOG)
    (home / "ours.toml").write_text('backlog.file = "tickets.csv"\n' if where == "the scenario" else "")
    given = {
        "the scenario": '[factors]\n"cluster.pue" = [1.2]\n',
        "[set]": f'[set]\n{key} = "tickets.csv"\n[factors]\n"cluster.pue" = [1.2]\n',
        "[factors]": f'[factors]\n{key} = ["tickets.csv"]\n',
        "[[table]]": f'design = "table"\n[[table]]\n{key} = "tickets.csv"\n',
    }[where]
    (home / "d.toml").write_text('scenario = "ours.toml"\nreplicates = 1\n' + given)
    monkeypatch.chdir(tmp_path)
    design = lay_out(Experiment.load(Path("home", "d.toml")), "stub", environment={})
    (run,) = design.runs
    monkeypatch.chdir("/")
    scenario = scenario_of(design.base, [*texts(design.points[run.point]), f"run.seed={run.seed}"])
    assert scenario.backlog.file == str(home / "tickets.csv")


def test_a_backlog_given_as_a_setting_lies_where_the_command_is_given(tmp_path, monkeypatch):
    """Its path is absolute from then on."""
    (tmp_path / "tickets.csv").write_text(BACKLOG)
    monkeypatch.chdir(tmp_path)
    assert Scenario.load("laptop", ["backlog.file=tickets.csv"]).backlog.file == str(tmp_path / "tickets.csv")


def test_a_file_that_a_worker_does_not_see_fails_the_run_in_words(tmp_path):
    """Not the worker, three times, as if it had been killed."""
    (tmp_path / "tickets.csv").write_text(BACKLOG)
    design = made(set={"backlog.file": str(tmp_path / "tickets.csv")}, factors={"cluster.pue": [1.2]}, replicates=1)
    (tmp_path / "tickets.csv").unlink()
    run = {"run_id": "a", "settings": [*texts(design.points[0]), "run.seed=1"]}
    (row,) = work({"base": design.base, "runs": [run], "lanes": 1, "series": False})
    assert (row["run_id"], row["status"]) == ("a", "failed") and "no such file" in row["error"]


def test_a_spent_budget_begins_no_more_and_the_same_call_goes_on(tmp_path):
    """With almost no time only what was begun is done; with more all of it is."""
    tree = {"design": "lhs", "points": 40, "factors": RANGES}
    first = stubbed(made(stop={"budget_h": 1e-9}, **tree), tmp_path, batch=2)
    assert first.out_of_budget and first.done < 80
    assert stubbed(made(**tree), tmp_path).done == 80


def test_a_figure_that_no_run_has_is_told_at_the_first_run(tmp_path):
    """Not after hours of runs: exit code 2 and the name that was meant."""
    with pytest.raises(ScenarioError, match="did you mean work.tickets_done"):
        stubbed(made(factors=LISTS, metrics=["work.tickets_don"]), tmp_path / "of the experiment")
    with pytest.raises(ScenarioError, match="did you mean work.tickets_done"):
        stubbed(made(factors=LISTS), tmp_path / "of the caller", columns=["cluster.pue", "digest", "work.tickets_don"])


def test_a_figure_misspelt_later_is_told_and_what_has_run_is_kept(tmp_path):
    """An experiment whose metrics are changed after its runs were done; and the runs of the first refusal stay."""
    wrong = made(factors=LISTS, metrics=["work.tickets_don"])
    with pytest.raises(ScenarioError, match="did you mean work.tickets_done"):
        stubbed(wrong, tmp_path, batch=4)
    assert (table(tmp_path, [])["status"] == "done").sum() >= 4
    assert stubbed(made(factors=LISTS), tmp_path).done == 18
    with pytest.raises(ScenarioError, match="did you mean work.tickets_done"):
        stubbed(wrong, tmp_path)


def test_what_the_stop_rule_spares_is_not_called_missing(tmp_path):
    """Four replicates, two are enough: the other two are spared in outcome, table and status."""
    rule = {"metric": "work.tickets_done", "half_width": 10.0, "min_replicates": 2}
    design = made(factors={"cluster.pue": [1.1, 1.2]}, replicates=4, stop={"confidence": rule})
    told = []
    few = stubbed(design, tmp_path, told=told.append)
    assert (few.runs, few.done, few.spared, few.missing) == (8, 4, 4, 0)
    assert list(table(tmp_path, [])["status"]) == ["done", "done", "spared", "spared"] * 2
    assert "work.tickets_done" not in table(tmp_path, ["wall_s"])
    assert standing(tmp_path)["spared"] == 4 and standing(tmp_path)["missing"] == 0
    assert (told[0].runs, told[0].done, told[0].eta_s) == (8, 0, None)  # a total before the first run has ended
    more = lay_out(Experiment.of({**design.experiment.to_dict(), "stop": {}}), "stub", environment={})
    assert stubbed(more, tmp_path).done == 8


def test_shards_have_a_standing_before_they_are_merged_and_a_lacking_one_is_told(tmp_path):
    """Two of three shards have run: what they did is counted once, the rest is missing, and merge says so."""
    file, out = tmp_path / "d.toml", tmp_path / "out"
    file.write_text('name = "d"\nreplicates = 9\n[factors]\n"cluster.pue" = [1.1, 1.2]\n')
    design = lay_out(Experiment.load(file), RESULTS_VERSION)
    done = [execute(design, out, RESULTS_VERSION, engine=engine(), shard=(i, 3)).done for i in (1, 2)]
    told = json.loads(CliRunner().invoke(app, ["sweep", "status", str(out), "--json"]).stdout)
    assert told["shards"] == "1-of-3, 2-of-3"
    assert (told["runs"], told["done"], told["missing"]) == (18, sum(done), 18 - sum(done))
    merged = CliRunner().invoke(app, ["sweep", "merge", str(file), "--out", str(out)])
    assert merged.exit_code == 0 and f"{18 - sum(done)} of 18 runs are missing" in merged.stderr


@pytest.mark.parametrize(
    ("tree", "told"),
    [
        ({"factors": LISTS, "points": 5}, "points = 5: is of lhs and sobol"),
        ({"factors": LISTS, "set": {"run.horizon_h": 2}, "stop": {"horizon_h": 3}}, "stop.horizon_h = 3.0: is run.hor"),
        ({"factors": LISTS, "metrics": ["tickets"]}, "metrics = 'tickets': is no figure"),
        ({"factors": LISTS, "design": "random"}, "allowed: one of grid, zip, lhs, sobol, table"),
        ({"factors": LISTS, "replicates": 0}, "allowed: a whole number from 1 to 100,000"),
        ({"factors": LISTS, "name": "größe"}, "add a name"),
        ({"factors": LISTS | {"cluster.gpu": ["H100", "H10"]}}, "point 1 and 8 more of d: cluster.gpu = 'H10'"),
    ],
)
def test_what_an_experiment_cannot_mean_is_refused_in_words(tree, told):
    """Once for each fault, whatever the number of points; nothing that is asked for is left aside."""
    with pytest.raises(ScenarioError) as refused:
        made(**tree)
    assert told in str(refused.value) and len(refused.value.faults) == 1


def test_an_analysis_refuses_what_it_cannot_use():
    """Points of unequal replicates, and Sobol' points that are not even."""
    rule = {"metric": "work.tickets_done", "half_width": 0.1}
    asked = {"name": "d", "design": "lhs", "points": 4, "factors": RANGES}
    with pytest.raises(ScenarioError, match="spares replicates"):
        sampled(Experiment.of(asked | {"stop": {"confidence": rule}}), "morris", 2)
    with pytest.raises(ScenarioError, match="power of 2 .* take 4"):
        sampled(Experiment.of(asked), "sobol", 3)


def test_a_plan_counts_the_points_that_cannot_be_run(tmp_path):
    """An LLM of 671 billion parameters has no room on one GPU: two of four points, and why; nothing is written."""
    file = tmp_path / "d.toml"
    file.write_text(
        'replicates = 3\n[set]\n"serving.llm" = "DeepSeek-R1"\n'
        '[factors]\n"serving.gpus_per_replica" = [1, 8]\n"cluster.pue" = [1.1, 1.2]\n'
    )
    plan = json.loads(CliRunner().invoke(app, ["sweep", "plan", str(file), "--json"]).stdout)
    assert (plan["points"], plan["impossible"], plan["tried"], plan["runs"]) == (4, 2, 4, 12)
    assert "DeepSeek-R1" in plan["why"] and 0 < plan["compile_s"] < plan["time_s"]
    words = CliRunner().invoke(app, ["sweep", "plan", str(file)]).stdout
    assert "2 points cannot be run" in words and list(tmp_path.iterdir()) == [file]


def test_what_comes_first_is_a_replicate_of_every_point(tmp_path):
    """Replicates come in order, so that an early look sees the whole design."""
    seen = []

    class Seen(type(engine())):
        def begin(self, job):
            seen.extend(run["settings"][-1] for run in job["runs"])
            super().begin(job)

    execute(made(factors=LISTS), tmp_path, "stub", engine=Seen(), batch=4)
    assert sum(a != b for a, b in pairwise(seen)) == 1


def test_shapes_take_turns(tmp_path):
    """Two workers begin with different shapes: each compiles its own and finds the other's in the cache."""
    seen = []

    class Seen(type(engine())):
        def begin(self, job):
            seen.append(job["runs"][0]["settings"][0])
            super().begin(job)

    design = made(factors={"workforce.coding": [8, 16, 24]}, replicates=4)
    execute(design, tmp_path, "stub", engine=Seen(), jobs=2)
    assert sorted(seen[:3]) == sorted(seen[3:]) and len(set(seen[:3])) == 3


def test_parts_open_in_pandas_duckdb_and_polars(tmp_path):
    """As they are, all at once, a factor of words and numbers included; status agrees."""
    duckdb, polars = pytest.importorskip("duckdb"), pytest.importorskip("polars")
    design = made(factors={"cluster.n_gpus": [8, 16], "serving.gpus_per_replica": [1, 8]}, replicates=20)
    stubbed(design, tmp_path, batch=3)
    parts = str(tmp_path / "runs" / "*.parquet")
    assert duckdb.sql(f"select count(*), sum(\"cluster.n_gpus\") from '{parts}'").fetchall() == [(80, 960.0)]
    assert polars.read_parquet(parts)["cluster.n_gpus"].sum() == 960.0
    assert pd.read_parquet(tmp_path / "runs")["cluster.n_gpus"].sum() == 960.0
    assert (table(tmp_path)["status"] == "done").all()


def test_write_faults_lose_no_acknowledged_run(tmp_path):
    """ENOSPC and EIO at the first writes, syncs and renames."""
    told = sweep_kills.faults(tmp_path, 2, 16)
    assert told["faults"] == dict.fromkeys(["fsync", "replace", "write_bytes", "to_parquet", "_note"], 4)
    assert told["same"]


def test_progress_tells_only_of_runs_that_are_safe(tmp_path):
    """A failed run is told at once; finished ones that wait to be written are not counted by then."""
    told = []

    def compared(at):
        told.append(at)
        assert at.done <= (table(tmp_path, [])["status"] == "done").sum()

    design = made(factors=LISTS, replicates=4)
    execute(design, tmp_path, "stub", engine=engine(failing=0.3), batch=2, told=compared)
    assert told[-1].done + told[-1].failed == 36 and told[-1].failed > 5


def test_killed_parents_lose_nothing(tmp_path):
    """The parent is SIGKILLed twice as it writes; the same command ends with the undisturbed store."""
    assert sweep_kills.parents(tmp_path, 2, 60)["same"]


def test_the_parent_does_not_grow_with_the_runs(tmp_path):
    """400 runs with all the columns of real ones."""
    assert sweep_figures.memory(tmp_path, 400)["growth_mb"] < 50


def test_damaged_experiments_are_refused_in_words(tmp_path):
    """Mutated files: a design or a ScenarioError, never another exception."""
    told = sweep_figures.mutations(tmp_path, 150)
    assert 0 < told["taken"] < told["files"]


def test_sobol_indices_of_the_ishigami_function(tmp_path):
    """Within 0.02 of the closed form."""
    pytest.importorskip("SALib")
    assert sweep_figures.ishigami(tmp_path)["worst_error"] < 0.02


def test_exit_codes_of_a_sweep_that_is_done(tmp_path):
    """0 with nothing missing, 3 for a target missed, 4 with a failed run, 5 while another parent holds it."""
    file = tmp_path / "d.toml"
    file.write_text(
        'name = "d"\nreplicates = 2\nmetrics = ["work.tickets_done"]\n[factors]\n"cluster.pue" = [1.1, 1.2]\n'
    )
    design, out = lay_out(Experiment.load(file), RESULTS_VERSION), tmp_path / "out"
    execute(design, out, RESULTS_VERSION, engine=engine())

    def sweep(*arguments):
        return CliRunner().invoke(app, ["sweep", *arguments, "--out", str(out)])

    missed = sweep("run", str(file), "--fail-on", "work.tickets_done>=0")
    assert missed.exit_code == 3 and "holds in 4 of 4 runs" in missed.stderr
    assert sweep("run", str(file), "--fail-on", "work.tickets_done<0").exit_code == 0
    wrong = sweep("run", str(file), "--fail-on", "work.ticket_done<0")
    assert wrong.exit_code == 2 and "did you mean work.tickets_done" in wrong.stderr
    wrong = sweep("run", str(file), "--address", "10.0.0.1:6379")
    assert wrong.exit_code == 2 and "--engine ray" in wrong.stderr
    status = json.loads(sweep("status", str(file), "--json").stdout)
    assert (status["done"], status["failed"], status["missing"]) == (4, 0, 0)
    assert json.loads(CliRunner().invoke(app, ["sweep", "status", str(out), "--json"]).stdout) == status
    with opened(out) as storage:
        held = sweep("run", str(file))
        assert held.exit_code == 5 and f"process {os.getpid()} on" in held.stderr
        storage.fail({"run_id": design.runs[0].run_id, "error": "lost", "attempts": 1})
    assert sweep("run", str(file)).exit_code == 4


def analysed(tmp_path: Path) -> tuple[Path, Path, Design]:
    """An experiment for Morris, the folder of its analysis by stub runs, and the design."""
    file, out = tmp_path / "d.toml", tmp_path / "out"
    ends = "{low = 1.0, high = 2.0}"
    file.write_text(
        'name = "d"\nreplicates = 1\ndesign = "lhs"\npoints = 4\nmetrics = ["work.tickets_done"]\n'
        f'[factors]\n"cluster.pue" = {ends}\n"power.grid_mw" = {ends}\n'
    )
    design = lay_out(sampled(Experiment.load(file), "morris", 2), RESULTS_VERSION)
    execute(design, out, RESULTS_VERSION, engine=engine())
    return file, out, design


def test_the_page_of_an_analysis_names_the_command_that_repeats_it(tmp_path):
    """With method and size; `sweep run` would not repeat it."""
    pytest.importorskip("SALib")
    file, out, _ = analysed(tmp_path)
    ended = CliRunner().invoke(app, ["sensitivity", str(file), "--n", "2", "--out", str(out), "--json"])
    assert ended.exit_code == 0 and {each["factor"] for each in json.loads(ended.stdout)} == {
        "cluster.pue",
        "power.grid_mw",
    }
    assert f"macrohard sensitivity {file} --method morris --n 2 --out {out}" in (out / "report.html").read_text()


def test_an_analysis_with_failed_runs_writes_the_page_of_its_sweep_and_exits_4(tmp_path):
    """Indices need all runs, so there are none; what there is can be looked at."""
    pytest.importorskip("SALib")
    file, out, design = analysed(tmp_path)
    with opened(out) as storage:
        storage.fail({"run_id": design.runs[0].run_id, "error": "lost", "attempts": 1})
    ended = CliRunner().invoke(app, ["sensitivity", str(file), "--n", "2", "--out", str(out), "--json"])
    assert ended.exit_code == 4 and "1 run failed" in ended.stderr
    assert (out / "report.html").exists() and not ended.stdout


def test_what_is_compared_or_taken_out_is_strict_json_and_whole(tmp_path):
    """A figure that no pair has is null; folders on the way to a table are made."""
    stubbed(made(factors=LISTS, metrics=["work.tickets_done"]), tmp_path / "a")
    frame = table(tmp_path / "a")
    for part in (tmp_path / "a" / "runs").glob("part-*.parquet"):
        pd.read_parquet(part).assign(**{"work.tickets_done": float("nan")}).to_parquet(part)
    a = str(tmp_path / "a")
    told = CliRunner().invoke(app, ["compare", a, a, "--json"]).stdout
    (only,) = json.loads(told, parse_constant=pytest.fail)
    assert only["n"] == 0 and only["difference"] is None and "no pair of runs has it" in only["in_words"]
    absent = CliRunner().invoke(app, ["compare", f"{a}#0", f"{a}#99"])
    assert absent.exit_code != 0 and "#99: no such point" in absent.stderr
    assert CliRunner().invoke(app, ["export", a, str(tmp_path / "a.xyz")]).exit_code == 2
    assert CliRunner().invoke(app, ["export", a, str(tmp_path / "a.nc"), "--format", "csv"]).exit_code == 2
    assert CliRunner().invoke(app, ["export", a, str(tmp_path / "a.nc")]).exit_code == 0
    assert (tmp_path / "a.nc").read_bytes().startswith(b"CDF")  # by its ending
    file = tmp_path / "new" / "folder" / "a.csv"
    assert CliRunner().invoke(app, ["export", a, str(file)]).exit_code == 0 and len(pd.read_csv(file)) == len(frame)


@pytest.mark.parametrize("command", ["swings laptop --out", "report nosuch --out", "compare a b --out", "export a"])
def test_a_path_that_cannot_be_written_is_refused_at_the_door(tmp_path, command):
    """Below a file, or a folder itself: exit code 2, before anything else is looked at."""
    (tmp_path / "file").write_text("mine")
    for path, words in ((tmp_path / "file" / "x.html", "cannot be written below"), (tmp_path, "is a folder")):
        ended = CliRunner().invoke(app, [*command.split(), str(path)])
        assert ended.exit_code == 2 and words in ended.stderr and str(path) in ended.stderr


def test_a_damaged_part_is_named_and_its_runs_are_run_again(tmp_path):
    """Reading says which file to delete; without it the same call runs what was in it, and the digest is as before."""
    whole = stubbed(made(factors=LISTS), tmp_path, batch=2)
    part = next((tmp_path / "runs").glob("part-*.parquet"))
    part.write_bytes(part.read_bytes()[:-40])
    with pytest.raises(StoreError, match=f"{part.name}: cannot be read .* delete it"):
        table(tmp_path)
    part.unlink()
    assert (table(tmp_path)["status"] == "missing").any()
    assert stubbed(made(factors=LISTS), tmp_path).digest == whole.digest


def test_a_damaged_manifest_and_a_folder_that_cannot_be_made_say_what_to_do(tmp_path):
    """What is said to be done is done: the manifest is deleted, and the same call goes on beside its page."""
    out = tmp_path / "out"
    stubbed(made(factors=LISTS), out)
    (out / "report.html").write_text("its page")
    (out / "manifest.json").write_text("{")
    with pytest.raises(StoreError, match="delete manifest.json"):
        stubbed(made(factors=LISTS), out)
    (out / "manifest.json").unlink()
    assert stubbed(made(factors=LISTS), out).done == 18
    with pytest.raises(StoreError, match="cannot be made .* choose another --out"):
        stubbed(made(factors=LISTS), out / "report.html")


def test_maps_and_frontiers_print_as_tables(tmp_path):
    """Levels of two factors down and across; JSON with the same."""
    stubbed(made(factors=LISTS, metrics=["work.tickets_done"]), tmp_path)
    both = ["cluster.n_gpus", "cluster.pue"]
    told = json.loads(CliRunner().invoke(app, ["map", str(tmp_path), *both, "--json"]).stdout)["work.tickets_done"]
    assert (told["columns"], told["index"]) == ([8.0, 16.0, 32.0], [1.1, 1.2, 1.3])
    words = CliRunner().invoke(app, ["frontier", str(tmp_path), *both, "--hold", "work.tickets_done<=2"]).stdout
    assert "lowest" in words and "3" in words
    wrong = CliRunner().invoke(app, ["map", str(tmp_path), "cluster.n_gpu", "cluster.pue"])
    assert wrong.exit_code == 2 and "did you mean cluster.n_gpus" in wrong.stderr


def test_a_killed_ray_worker_loses_nothing():
    """Two Ray workers on loopback, one killed while it works: all runs are back, with the digest of one process.

    In a process of its own: Ray reads how it authenticates when it is first imported.
    """
    pytest.importorskip("ray")
    words = [sys.executable, "-m", "benchmarks.sweep_kills", "ray"]
    done = subprocess.run(words, cwd=Path(__file__).parents[1], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["all_back_with_the_same_digest"]
