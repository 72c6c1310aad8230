"""Speed of a sweep: points x 7 days x 60 s ticks x 100 agents. `python benchmarks/sweep_speed.py [POINTS] [JOBS]`.

Prints wall and CPU seconds, compiling included and apart, and what 1,000 points would take on two idle cores.
"""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from macrohard.results.summary import RESULTS_VERSION
from macrohard.sweeps import Experiment
from macrohard.sweeps.design import lay_out
from macrohard.sweeps.execute import execute

POINTS, JOBS = int(sys.argv[1]) if len(sys.argv) > 1 else 64, int(sys.argv[2]) if len(sys.argv) > 2 else 1

EXPERIMENT = {
    "name": "speed",
    "scenario": "laptop",
    "design": "sobol",
    "replicates": 1,
    "set": {
        "run.horizon_h": 168.0,
        "run.series_bins": 168,
        "workforce.coding": 40,
        "workforce.testing": 30,
        "workforce.management": 20,
        "workforce.design": 10,
    },
    "factors": {"capability.horizon_min": {"low": 200, "high": 800}, "power.grid_mw": {"low": 0.01, "high": 0.05}},
}


def cpu_s() -> float:
    """CPU seconds of ended children."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(points: int, out: Path) -> tuple[float, float]:
    """Wall and CPU seconds of a sweep of so many points."""
    began, used = time.perf_counter(), cpu_s()
    execute(lay_out(Experiment.of({**EXPERIMENT, "points": points}), RESULTS_VERSION), out, RESULTS_VERSION, jobs=JOBS)
    return time.perf_counter() - began, cpu_s() - used


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        start_wall_s, start_cpu_s = measure(32 * JOBS, Path(folder, "start"))
        wall_s, used_s = measure(32 * JOBS + POINTS, Path(folder, "all"))
    each_s = (used_s - start_cpu_s) / POINTS
    print(
        json.dumps(
            {
                "points": POINTS,
                "jobs": JOBS,
                "wall_s": wall_s,
                "cpu_s": used_s,
                "cpu_s_per_more_run": each_s,
                "wall_s_per_1000_on_2_idle_cores": 1000 * each_s / 2 + start_cpu_s / JOBS / 2,
            },
            indent=2,
        )
    )
