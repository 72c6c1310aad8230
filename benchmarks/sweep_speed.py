"""Speed of a sweep beside the same factory as plain Mesa objects in a process pool, on the same cores.

    python -m benchmarks.sweep_speed [POINTS] [JOBS] [MESA_RUNS] [HOURS]

Points x 7 days x 60 s ticks x 100 agents, saturated. Both sides are measured warm: a first sweep (or run) of a worker
compiles and is taken off. The Mesa side (`benchmarks/mesa_factory.py`) runs a sample of the same points. Wall seconds
need an idle machine; CPU seconds are fair on a busy one. A rate is for the whole: laying out, ticks, results, files.
"""

import json
import resource
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from macrohard.results.summary import RESULTS_VERSION
from macrohard.sweeps import Experiment
from macrohard.sweeps.design import Design, lay_out
from macrohard.sweeps.execute import execute

FIXED: dict[str, object] = {
    "run.series_bins": 168,
    "backlog.mode": "saturated",
    "backlog.n_epics": 0,
    "workforce.coding": 40,
    "workforce.testing": 30,
    "workforce.management": 20,
    "workforce.design": 10,
}
FACTORS = {"capability.horizon_min": {"low": 200, "high": 800}, "power.grid_mw": {"low": 0.01, "high": 0.05}}


def design_of(points: int, hours: float) -> Design:
    """So many points; those of a smaller design are the first of a larger one."""
    tree = {
        "name": "speed", "scenario": "laptop", "design": "sobol", "points": points, "replicates": 1,
        "set": FIXED | {"run.horizon_h": hours}, "factors": FACTORS,
    }  # fmt: skip
    return lay_out(Experiment.of(tree), RESULTS_VERSION)


def cpu_s() -> float:
    """CPU seconds of ended children."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def swept(points: int, jobs: int, hours: float, out: Path) -> tuple[float, float]:
    """Wall and CPU seconds of a sweep, its start included."""
    began, used = time.perf_counter(), cpu_s()
    outcome = execute(design_of(points, hours), out, RESULTS_VERSION, jobs=jobs)
    assert outcome.done == points, outcome
    return time.perf_counter() - began, cpu_s() - used


def mesa_run(settings: tuple[str, list[str]]) -> tuple[int, float, float]:
    """Ticks, CPU and wall seconds of one point as Mesa objects, its laying out and its meter's compilation not counted.

    A fresh pool compiles the meter once for each run, for it closes over the run's parameters: that is left out, too.
    """
    from benchmarks.mesa_factory import MesaFactory
    from macrohard.blueprint import draw
    from macrohard.sweeps.design import scenario_of

    plan = draw(scenario_of(*settings))
    factory = MesaFactory(plan)
    for _ in range(60):
        factory.step()
    began, used = time.perf_counter(), time.process_time()
    for _ in range(plan.n_ticks):
        factory.step()
    return plan.n_ticks, time.process_time() - used, time.perf_counter() - began


def start() -> None:
    """Each process of the pool keeps to one thread, as those of a sweep do."""
    from macrohard.sweeps.worker import one_thread

    one_thread()


def mesa(n_runs: int, jobs: int, hours: float) -> dict[str, float]:
    """The same through Mesa objects and a process pool."""
    design = design_of(n_runs, hours)
    tasks = [(design.base, design.settings(run)) for run in design.runs]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=start) as pool:
        told = list(pool.map(mesa_run, tasks))
    n_ticks = sum(ticks for ticks, _, _ in told)
    return {
        "runs": n_runs,
        "cpu_us_per_tick": sum(cpu for _, cpu, _ in told) / n_ticks * 1e6,
        "wall_us_per_tick_and_worker": sum(wall for _, _, wall in told) / n_ticks * 1e6,
    }


def main(points: int = 64, jobs: int = 2, mesa_runs: int = 2, hours: float = 168.0) -> dict[str, Any]:
    """Both sides, and what 1,000 points would take."""
    n_ticks = hours * 60.0
    with tempfile.TemporaryDirectory() as folder:
        start_wall_s, start_cpu_s = swept(32 * jobs, jobs, hours, Path(folder, "start"))
        wall_s, used_s = swept(32 * jobs + points, jobs, hours, Path(folder, "all"))
    each_s = (used_s - start_cpu_s) / points
    told: dict[str, Any] = {
        "points": points,
        "jobs": jobs,
        "hours": hours,
        "ours": {
            "cpu_s_per_run": each_s,
            "wall_s_per_run": (wall_s - start_wall_s) / points,
            "cpu_us_per_tick": each_s / n_ticks * 1e6,
            "start_cpu_s": start_cpu_s - each_s * 32 * jobs,
            "minutes_for_1000_runs_of_7_days_on_2_idle_cores": 1000 * each_s * (168.0 / hours) / 2 / 60,
        },
    }
    if mesa_runs:
        told["mesa"] = mesa(mesa_runs, jobs, hours)
        told["ratio_of_cpu"] = told["mesa"]["cpu_us_per_tick"] / told["ours"]["cpu_us_per_tick"]
        told["ratio_of_wall"] = told["mesa"]["wall_us_per_tick_and_worker"] / jobs / (
            told["ours"]["wall_s_per_run"] / n_ticks * 1e6
        )  # fmt: skip
    return told


if __name__ == "__main__":
    counts = [int(each) for each in sys.argv[1:4]]
    print(json.dumps(main(*counts, *map(float, sys.argv[4:5])), indent=2))
