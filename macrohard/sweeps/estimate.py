"""What a sweep will need, before anything starts; from measured costs of a tick, so right to about a factor of two."""

import os
from dataclasses import asdict, dataclass

from macrohard.scenario.limits import estimate as estimate_of_run
from macrohard.sweeps.design import Design
from macrohard.sweeps.execute import batch_of

_TICK_US, _AGENT_US = 50.0, 0.15
"""Of a tick in a batch, and more per agent: 100 agents 48 us, 2,000 about 350 us (one core, reproducible mode)."""
_START_S, _COMPILE_S, _READ_S = 5.0, 15.0, 0.1
_ROW_KB, _SERIES_KB_PER_BIN = 1.5, 0.15


@dataclass(frozen=True)
class Need:
    """What an experiment needs."""

    name: str
    points: int
    runs: int
    shapes: int
    """Compilations to expect, unless they are cached."""
    jobs: int
    batch: int
    time_s: float
    memory_gb: float
    disk_mb: float

    def to_dict(self) -> dict[str, object]:
        """For --json."""
        return asdict(self)

    def __str__(self) -> str:
        """In words."""
        return (
            f"{self.name}: {self.points:,} points, {self.runs:,} runs, {self.shapes} shapes to compile; on {self.jobs} "
            f"workers about {self.time_s / 60:,.0f} min, {self.memory_gb:,.1f} GB of memory, "
            f"{self.disk_mb:,.0f} MB of disk"
        )


def estimate(design: Design, jobs: int | None = None) -> Need:
    """Points, runs, time, memory and disk of a design."""
    n_jobs = jobs or os.cpu_count() or 1
    unique = {run.run_id: run for run in design.runs}
    by_shape: dict[str, list[str]] = {}
    for run in unique.values():
        by_shape.setdefault(run.shape, []).append(run.run_id)
    batch, cpu_s, memory_gb, disk_kb = batch_of(design), 0.0, 0.0, 0.0
    for run_ids in by_shape.values():
        scenario = design.scenario(unique[run_ids[0]])
        one = estimate_of_run(scenario.run, scenario.workforce, scenario.backlog)
        each_s = one.ticks * (_TICK_US + _AGENT_US * one.agents) * 1e-6 + _READ_S
        cpu_s += len(run_ids) * each_s + _COMPILE_S * min(n_jobs, len(run_ids))
        lanes = min(batch, len(run_ids))
        memory_gb = max(memory_gb, n_jobs * (0.6 + lanes * max(0.0, one.memory_gb - 0.6)))
        series_kb = scenario.run.series_bins * _SERIES_KB_PER_BIN if design.experiment.series else 0.0
        disk_kb += len(run_ids) * (_ROW_KB + series_kb)
    time_s = cpu_s / n_jobs + _START_S
    name, points = design.experiment.name, len(design.points)
    return Need(name, points, len(unique), len(by_shape), n_jobs, batch, time_s, memory_gb, disk_kb / 1000.0)
