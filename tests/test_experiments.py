"""The bundled experiments: in order, planned, and each run as a user would, cut down to minutes of simulated time."""

from pathlib import Path

import pytest

from macrohard.results.summary import RESULTS_VERSION
from macrohard.scenario import toml_text
from macrohard.sweeps import Experiment
from macrohard.sweeps.design import lay_out
from macrohard.sweeps.estimate import estimate
from macrohard.sweeps.execute import execute
from macrohard.sweeps.pool import Here
from macrohard.sweeps.stored import table

FILES = sorted((Path(__file__).parents[1] / "experiments").glob("*.toml"))
SMALL = {"workforce.coding": 8, "workforce.testing": 6, "workforce.management": 4, "workforce.design": 2}
SHORT = {"run.horizon_h": 0.5, "run.warmup_h": 0.0, "run.series_bins": 6}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_bundled_experiments_are_in_order(file):
    """Each can be laid out, asks a question, and `sweep plan` says what it needs."""
    experiment = Experiment.load(file)
    need = estimate(lay_out(experiment, RESULTS_VERSION, environment={}), jobs=2)
    assert need.runs == need.points * experiment.replicates
    assert 0 < need.time_s < 600
    assert file.read_text().startswith("# ") and "?" in file.read_text().splitlines()[0]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_bundled_experiments_run(file, tmp_path):
    """Half an hour of one point with a few agents: every figure that the experiment asks for is there."""
    tree = toml_text.read(file)
    changed = {key for key in tree.get("factors", {})} | {key for row in tree.get("table", []) for key in row}
    tree["set"] = tree["set"] | SHORT | {key: value for key, value in SMALL.items() if key not in changed}
    tree["factors"] = {key: [SMALL.get(key, values[0])] for key, values in tree.get("factors", {}).items()}
    tree["table"] = [{key: SMALL.get(key, value) for key, value in row.items()} for row in tree.get("table", [])[:1]]
    tree = {key: value for key, value in tree.items() if value or key not in ("factors", "table")}
    chosen = Experiment.of(tree | {"replicates": 1})
    outcome = execute(lay_out(chosen, RESULTS_VERSION, environment={}), tmp_path, RESULTS_VERSION, engine=Here())
    assert (outcome.done, outcome.failed) == (1, 0)
    assert set(chosen.metrics) <= set(table(tmp_path).columns)
    assert table(tmp_path)[list(chosen.metrics)].notna().any(axis=None)
