"""Sweeps: one digest however they are run, nothing lost whatever is killed, and every refusal in words."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pandas as pd
import pytest

import macrohard
from benchmarks.sweep_tiny import TINY, tiny
from macrohard.faults import ScenarioError
from macrohard.results.summary import RESULTS_VERSION as VERSION
from macrohard.runs import run
from macrohard.seeds import replicate_seed
from macrohard.store import StoreError
from macrohard.sweeps import Experiment, of_parameters
from macrohard.sweeps.comparing import compare
from macrohard.sweeps.design import lay_out
from macrohard.sweeps.execute import execute
from macrohard.sweeps.merging import export, merge, replay
from macrohard.sweeps.pool import Here, Pool
from macrohard.sweeps.stopping import half_width
from macrohard.sweeps.storage import opened
from macrohard.sweeps.stored import series_of, table

ROOT = Path(__file__).parents[1]


def swept(design, out, **more):
    return execute(design, out, VERSION, engine=Here(), **more)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The tiny sweep run undisturbed, one run at a time."""
    out = tmp_path_factory.mktemp("whole") / "sweep"
    return swept(tiny(), out, batch=1)


def test_every_way_to_run_gives_one_digest(whole, tmp_path):
    """One by one, in batches of other sizes, in other orders, in shards: the same results, bit for bit."""
    assert (whole.done, whole.failed, whole.runs, whole.points) == (8, 0, 8, 4)
    assert swept(tiny(), tmp_path / "batch", batch=4).digest == whole.digest
    factors = dict(reversed(TINY["factors"].items()))
    assert swept(tiny(factors=factors), tmp_path / "order", batch=3).digest == whole.digest
    for shard in (1, 2, 3):
        swept(tiny(), tmp_path / "shards", batch=4, shard=(shard, 3))
    assert merge(tiny(), tmp_path / "shards", VERSION, "reproducible").digest == whole.digest


def test_a_run_of_a_sweep_is_the_run_alone(whole):
    """A lane of a batch has the digest of `macrohard run` with the same scenario and seed."""
    design, rows = tiny(), table(whole.out)
    for number in (0, 5):
        alone = run(design.scenario(design.runs[number])).summary
        assert rows["digest"][number] == alone["run"]["digest"]
        assert rows["work.tickets_done"][number] == alone["work"]["tickets_done"]


def test_more_points_and_replicates_leave_earlier_runs_alone(whole, tmp_path):
    """Growing an experiment runs only what is new; the old run ids and seeds stay."""
    import shutil

    shutil.copytree(whole.out, tmp_path / "grown")
    more = tiny(replicates=3, factors={"power.grid_mw": [0.005, 0.01, 0.02], "cluster.n_gpus": [8, 16]})
    assert {each.run_id for each in tiny().runs} < {each.run_id for each in more.runs}
    begun = []

    class Counted(Here):
        def begin(self, job):
            begun.extend(job["runs"])
            super().begin(job)

    outcome = execute(more, tmp_path / "grown", VERSION, engine=Counted())
    assert (outcome.done, len(begun)) == (18, 10)


def test_seeds_of_replicates_never_change():
    """Replicate r has the seed of replicate r of `macrohard run --replicates`, today as in any stored sweep."""
    assert [replicate_seed(5, each) for each in range(3)] == [5, 3796490668, 3226123765]
    assert {each.seed for each in tiny().runs if each.replicate == 1} == {replicate_seed(1, 1)}


def test_killed_workers_lose_nothing(whole, tmp_path):
    """Workers are SIGKILLed at random moments; all runs come back, with the same digest."""
    pool, over = Pool(2), threading.Event()
    killed = []

    def kill():
        dice = random.Random(3)
        while not over.wait(dice.uniform(1.5, 4.0)) and len(killed) < 4:
            if pids := pool.pids():
                killed.append(dice.choice(pids))
                os.kill(killed[-1], signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        outcome = execute(tiny(), tmp_path / "killed", VERSION, engine=pool, jobs=2, batch=2)
    finally:
        over.set()
        thread.join()
    assert killed
    assert (outcome.done, outcome.failed, outcome.digest) == (8, 0, whole.digest)


def test_a_run_that_kills_its_workers_is_recorded_and_the_others_finish(tmp_path):
    """The culprit is found by halving, fails after three deaths alone, and is a row with its error."""
    design = tiny()
    culprit = design.runs[5].run_id

    class Deadly(Here):
        def events(self, timeout_s):
            from macrohard.sweeps.pool import Event

            if self._job is not None and culprit in [each["run_id"] for each in self._job["runs"]]:
                job, self._job = self._job, None
                return [Event(job, died=True)]
            return super().events(timeout_s)

    outcome = execute(design, tmp_path, VERSION, engine=Deadly())
    assert (outcome.done, outcome.failed) == (7, 1)
    told = json.loads((tmp_path / "failed" / f"{culprit}.json").read_text())
    assert "died 3 times" in told["error"]
    again = execute(design, tmp_path, VERSION, engine=Here(), retry_failed=True)
    assert (again.done, again.failed) == (8, 0)


def test_a_killed_parent_goes_on(whole, tmp_path):
    """The command is SIGKILLed at random moments; run again, it ends with the undisturbed digest."""
    experiment = tmp_path / "tiny.toml"
    factors = "\n".join(f'"{key}" = {value}' for key, value in TINY["factors"].items())
    fixed = "\n".join(f'"{key}" = {value}' for key, value in TINY["set"].items())
    experiment.write_text(f'name = "tiny"\nreplicates = 2\n[set]\n{fixed}\n[factors]\n{factors}\n')
    command = [sys.executable, "-m", "macrohard", "sweep", "run", str(experiment), "--out", str(tmp_path / "out"),
               "--jobs", "1", "--json"]  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    for seconds in (3.0, 9.0):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
        time.sleep(seconds)
        process.kill()
        process.wait()
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=200)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["done"], told["failed"], told["digest"]) == (8, 0, whole.digest)
    assert all("eta_s" in json.loads(line) for line in done.stderr.splitlines())


def test_a_lost_or_damaged_index_is_built_anew(whole, tmp_path):
    """The parts are the truth: without the index nothing is run again."""
    import shutil

    folder = shutil.copytree(whole.out, tmp_path / "copy")
    for damage in (lambda path: path.unlink(), lambda path: path.write_bytes(b"no database" * 1000)):
        for beside in folder.glob("index.sqlite-*"):
            beside.unlink()
        damage(folder / "index.sqlite")
        assert swept(tiny(), folder).digest == whole.digest


def test_a_second_parent_is_told_who_holds_the_sweep(tmp_path):
    """Two parents on one sweep: the second gets the name of the first, and a dead one's lock is taken over."""
    (tmp_path / "lock").write_text('{"pid": 1, "host": "gone", "since": "then"}')
    with (
        opened(tmp_path),
        pytest.raises(StoreError, match=f"is being run by process {os.getpid()} on"),
        opened(tmp_path),
    ):
        pass


def test_folders_of_others_are_left_alone(whole, tmp_path):
    """A folder with other files, another sweep or another version is refused."""
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(StoreError, match="thesis"):
        swept(tiny(), tmp_path)
    with pytest.raises(StoreError, match="holds a sweep of name 'tiny'"):
        swept(tiny(name="other"), whole.out)
    with pytest.raises(StoreError, match="version"):
        execute(tiny(), whole.out, "other", engine=Here())


def test_a_scenario_that_cannot_be_laid_out_is_a_failed_row(tmp_path):
    """An LLM that does not fit into its GPUs fails with the reason; the other point is run."""
    factors = {"serving.gpus_per_replica": [1, 8]}
    outcome = swept(tiny(factors=factors, replicates=1, set={**TINY["set"], "serving.llm": "DeepSeek-R1"}), tmp_path)
    assert outcome.failed == 1
    assert outcome.done + outcome.failed == 2
    assert "gpu" in json.loads(next((tmp_path / "failed").glob("*.json")).read_text())["error"].lower()


def test_replay_gives_the_stored_digest(whole):
    """One run, taken by the beginning of its id, is run again alone."""
    assert replay(tiny().runs[3].run_id[:10], whole.out)["equal"]


def test_tables_open_elsewhere(whole, tmp_path):
    """CSV and netCDF hold every run; Parquet parts read as they are."""
    from scipy.io import netcdf_file

    assert export(whole.out, tmp_path / "a.csv", "csv") == 8
    assert len(pd.read_csv(tmp_path / "a.csv")) == 8
    export(whole.out, tmp_path / "a.nc", "netcdf")
    with netcdf_file(tmp_path / "a.nc", mmap=False) as file:
        assert list(file.variables["cluster.n_gpus"][:]) == list(table(whole.out)["cluster.n_gpus"])


def test_points_compare_in_words(whole):
    """Against itself nothing can be told; against another site the load differs, pair by pair."""
    same = compare(f"{whole.out}#0", f"{whole.out}#0", ["power.load_mwh"])[0]
    assert (same.difference, same.n) == (0.0, 2)
    assert "no difference can be told" in str(same)
    assert compare(str(whole.out), str(whole.out))[0].n == 8


def test_a_run_is_paired_once(whole):
    """A point against all four would count each of its runs four times, as if they were independent."""
    with pytest.raises(StoreError, match="several of its runs .* name one point"):
        compare(f"{whole.out}#0", str(whole.out))


def test_replicates_stop_when_the_interval_is_narrow(tmp_path):
    """A wide bound is met by the least number of replicates, a narrow one by none of them."""
    rule = {"metric": "power.load_mwh", "half_width": 0.9, "min_replicates": 2}
    few = swept(tiny(replicates=4, stop={"confidence": rule}, factors={"cluster.n_gpus": [8]}), tmp_path / "wide")
    assert few.done == 2
    rule = {**rule, "half_width": 1e-9}
    all_ = swept(tiny(replicates=4, stop={"confidence": rule}, factors={"cluster.n_gpus": [8]}), tmp_path / "narrow")
    assert all_.done == 4
    assert half_width([1.0]) == float("inf")


def test_mesa_parameters_are_taken():
    """Texts and single values are fixed, lists and ranges are crossed, as mesa.batch_run does."""
    tree = of_parameters({"cluster.n_gpus": range(8, 10), "serving.llm": "gpt-oss-120b"}, "laptop", 3, 60)
    made = Experiment.of(tree)
    assert made.factors == {"cluster.n_gpus": [8, 9]}
    assert made.set == {"serving.llm": "gpt-oss-120b", "run.horizon_h": 1.0}
    assert len(lay_out(made, "1", environment={}).runs) == 6


def test_arguments_of_mesa_are_refused_where_they_would_be_left_aside():
    """An experiment of its own says replicates and horizon itself."""
    with pytest.raises(ScenarioError, match="iterations = 3: is for a dictionary of parameters"):
        macrohard.sweep({"name": "d", "factors": {"cluster.n_gpus": [8]}}, iterations=3)
    with pytest.raises(ScenarioError, match="max_steps = 60"):
        macrohard.sweep(tiny().experiment, max_steps=60)


def test_a_period_is_had_exactly_or_refused():
    """By hand: 1,000 ticks in bins of 60 would need 16.67 to 16.95 of them; a given horizon counts as well."""
    assert of_parameters({"run.horizon_h": 6.0}, data_collection_period=60)["set"]["run.series_bins"] == 6
    assert of_parameters({}, max_steps=1020, data_collection_period=60)["set"]["run.series_bins"] == 17
    with pytest.raises(ScenarioError, match="period = 60: .* bins would have 59; take 59, or max_steps = 1020"):
        of_parameters({}, max_steps=1000, data_collection_period=60)
    with pytest.raises(ScenarioError, match=r"one number of ticks .* run\.horizon_h has several values"):
        of_parameters({"run.horizon_h": [6, 12]}, data_collection_period=60)


def test_a_sweep_without_series_says_so(whole):
    """And a factor asked for among the figures is a column once."""
    with pytest.raises(StoreError, match="set series = true"):
        series_of(whole.out)
    assert list(table(whole.out, ["cluster.n_gpus"])["cluster.n_gpus"]) == list(table(whole.out)["cluster.n_gpus"])
    assert table(whole.out)["cluster.n_gpus"].dtype == "int64"  # as they were given, not 8.0


def test_a_parent_killed_while_its_first_manifest_was_written_goes_on(tmp_path):
    """What it left is known as a sweep's own; a file of like name is not."""
    with opened(tmp_path):
        pass
    left = tmp_path / ".manifest.json.0a1b2c3d.new"
    left.write_text("{")
    with opened(tmp_path):
        assert not left.exists()
    (tmp_path / "index.html").write_text("mine")
    with pytest.raises(StoreError, match=r"index\.html"), opened(tmp_path):
        pass


def test_a_script_for_mesa_batch_run_carries_over(whole):
    """Its arguments, its rows: one for every 60 ticks of each run; the last agree with the runs of a file."""
    parameters = {key: value for key, value in TINY["set"].items() if key.startswith("workforce.")}
    found = macrohard.sweep(
        parameters | {"cluster.n_gpus": [8, 16], "power.grid_mw": 0.02},
        number_processes=1,
        iterations=2,
        data_collection_period=60,
        max_steps=360,
        display_progress=False,
    )
    assert list(found["Step"]) == [60, 120, 180, 240, 300, 360] * 4
    last, rows = found[found["Step"] == 360], table(whole.out).query("`power.grid_mw` == 0.02")
    assert list(last["seed"]) == list(rows["seed"])
    assert list(last["tickets_done"]) == list(rows["work.tickets_done"])


def test_designs_have_the_points_they_promise():
    """grid crosses, zip pairs, table lists, lhs and sobol draw inside their ranges."""
    ranges = {"cluster.n_gpus": {"low": 8, "high": 64, "log": True}, "cluster.pue": {"low": 1.1, "high": 1.5}}
    assert len(tiny().points) == 4
    assert len(tiny(design="zip").points) == 2
    for design in ("lhs", "sobol"):
        points = tiny(design=design, points=8, factors=ranges).points
        assert len(points) == 8
        assert all(8 <= p["cluster.n_gpus"] <= 64 and isinstance(p["cluster.n_gpus"], int) for p in points)
        assert all(1.1 <= p["cluster.pue"] <= 1.5 for p in points)
    assert tiny(design="table", factors={}, table=[{"cluster.n_gpus": 8}]).points == ({"cluster.n_gpus": 8},)


@pytest.mark.parametrize("name", ["../x", "a/b", "/etc", "..", "", "a" * 200, "a\nb", "a\x00b"])
def test_names_that_lead_elsewhere_are_refused(name):
    """A sweep's name is the name of its folder."""
    with pytest.raises(ScenarioError, match="name"):
        Experiment.of({**TINY, "name": name})


def test_morris_finds_the_factor_that_matters(tmp_path):
    """The grid contract far above the load moves nothing; the GPUs move the load."""
    pytest.importorskip("SALib")
    from macrohard.sweeps.sensitivity import indices, sampled, tornado

    ranges = {"cluster.n_gpus": {"low": 8, "high": 64}, "power.grid_mw": {"low": 5.0, "high": 6.0}}
    asked = Experiment.of({**TINY, "design": "lhs", "points": 4, "replicates": 1, "factors": ranges})
    chosen = sampled(asked, "morris", 2)
    swept(lay_out(chosen, "1", environment={}), tmp_path, batch=4)
    found = {(each.metric, each.factor): each for each in indices(asked, tmp_path, "morris", 2)}
    assert found["power.load_mwh", "cluster.n_gpus"].total > 10 * found["power.load_mwh", "power.grid_mw"].total
    assert "cluster.n_gpus" in tornado(list(found.values()), "power.load_mwh", "morris")
