"""A sweep of small real runs, for campaigns and tests: 20 agents, six hours, four points of one shape."""

from typing import Any

from macrohard.results.summary import RESULTS_VERSION
from macrohard.sweeps import Experiment
from macrohard.sweeps.design import Design, lay_out

TINY: dict[str, Any] = {
    "name": "tiny",
    "replicates": 2,
    "metrics": ["work.tickets_done", "power.load_mwh"],
    "set": {
        "run.horizon_h": 6,
        "run.series_bins": 6,
        "workforce.coding": 8,
        "workforce.testing": 6,
        "workforce.management": 4,
        "workforce.design": 2,
    },
    "factors": {"cluster.n_gpus": [8, 16], "power.grid_mw": [0.005, 0.02]},
}


def tiny(**more: Any) -> Design:
    """The tiny sweep, with other keys where they are given."""
    return lay_out(Experiment.of({**TINY, **more}), RESULTS_VERSION, environment={})
