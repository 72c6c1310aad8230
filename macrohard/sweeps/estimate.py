"""What a sweep will need, before anything starts; from measured costs of a tick, so right to about a factor of two."""

import os
from dataclasses import asdict, dataclass
from typing import NamedTuple

from macrohard.report.quantity import counted
from macrohard.scenario.limits import estimate as estimate_of_run
from macrohard.sweeps.design import Design
from macrohard.sweeps.execute import FLUSH_S, batch_of
from macrohard.sweeps.queue import Queue

_ALONE_US, _ALONE_AGENT_US = 90.0, 0.2
"""Of a tick of a run alone, and more per agent: 100 agents 97 us, 400 agents 223 us, 2,000 agents 462 us of CPU."""

_BATCH_US, _BATCH_AGENT_US = 10.0, 0.45
"""The same of a run in a batch: 100 agents 33 to 53 us, 400 agents 186 us."""

_AROUND_S = 0.06
"""Of a run before its first tick and after its last one."""

_START_S, _COMPILE_S, _LOAD_S = 4.0, 20.0, 4.0
"""Of a worker; of a worker with a shape that is not in the cache of compiled programs; with one that is."""

_WORKER_GB, _PARENT_GB = 1.2, 0.3
"""A worker that has compiled: 1.15 to 1.3 GB, and 1.5 GB with 32 runs of 100 agents and a week."""

_PART_KB, _ROW_KB, _SERIES_KB_PER_BIN = 82.0, 1.3, 0.15

_MOST_TRIED = 2_000
"""Points that are laid out to see whether they can be run: 20 ms each."""


@dataclass(frozen=True)
class Need:
    """What an experiment needs."""

    name: str
    points: int
    impossible: int
    """Points that cannot be laid out, of `tried`: their runs will fail at once."""
    tried: int
    why: str
    """What is wrong with the first of them."""
    runs: int
    shapes: int
    """Compilations to expect."""
    jobs: int
    batch: int
    compile_s: float
    """Of `time_s`, unless the shapes are cached."""
    time_s: float
    memory_gb: float
    disk_mb: float

    def to_dict(self) -> dict[str, object]:
        """For --json."""
        return asdict(self)

    def __str__(self) -> str:
        """In words."""
        together = f"up to {self.batch} in a batch" if self.batch > 1 else "each alone"
        lines = [
            f"{self.name}: {counted(self.points, 'point')}, {counted(self.runs, 'run')}, {together}; on "
            f"{counted(self.jobs, 'worker')} about {_time(self.time_s)}, of which {_time(self.compile_s)} to compile "
            f"{counted(self.shapes, 'shape')} unless cached; "
            f"{self.memory_gb:,.1f} GB of memory, {self.disk_mb:,.1f} MB of disk"
        ]
        if self.impossible:
            of = "" if self.tried == self.points else f" of {self.tried:,} looked at"
            points = counted(self.impossible, "point") + of
            lines.append(f"{points} cannot be run: each of their runs will fail. {self.why}")
        return "\n".join(lines)


def estimate(design: Design, jobs: int | None = None) -> Need:
    """Points, those that cannot be run, runs, time, memory and disk of a design."""
    n_workers = jobs or os.cpu_count() or 1
    unique = {run.run_id: run for run in design.runs}
    queue, batch = Queue(design), batch_of(design)
    queue.put(unique.values(), batch, n_workers)
    run_s = memory_gb = series_kb = 0.0
    for job in queue.jobs:
        first, n_lanes = unique[job["runs"][0]["run_id"]], int(job["lanes"])
        scenario = design.scenario(first)
        one = estimate_of_run(scenario.run, scenario.workforce, scenario.backlog)
        fixed_us, agent_us = (_BATCH_US, _BATCH_AGENT_US) if n_lanes > 1 else (_ALONE_US, _ALONE_AGENT_US)
        run_s += n_lanes * (one.ticks * (fixed_us + agent_us * one.agents) * 1e-6 + _AROUND_S)
        memory_gb = max(memory_gb, n_lanes * max(0.0, one.memory_gb - 0.6))
        series_kb += len(job["runs"]) * scenario.run.series_bins * _SERIES_KB_PER_BIN
    busy = max(1, min(n_workers, len(queue.jobs)))
    looked = _look(design)
    compile_s = -(-looked.shapes // busy) * _COMPILE_S + (looked.shapes - -(-looked.shapes // busy)) * _LOAD_S
    time_s = _START_S + compile_s + run_s / busy
    n_parts = min(len(queue.jobs), time_s / FLUSH_S)
    disk_kb = n_parts * _PART_KB + len(unique) * _ROW_KB + (series_kb if design.experiment.series else 0.0)
    return Need(
        design.experiment.name, len(design.points), looked.impossible, looked.tried, looked.why, len(unique),
        looked.shapes, n_workers, batch, compile_s, time_s, _PARENT_GB + busy * (_WORKER_GB + memory_gb),
        disk_kb / 1000.0,
    )  # fmt: skip


class _Looked(NamedTuple):
    """What laying the points out has shown."""

    tried: int
    impossible: int
    why: str
    shapes: int


def _look(design: Design) -> _Looked:
    """Lays the first run of each point out, as a worker will."""
    from macrohard.sweeps.batch import lane_of, shape_of

    firsts = [run for run in design.runs if run.replicate == 0]
    tried = firsts[:: -(-len(firsts) // _MOST_TRIED) or 1]
    n_impossible, why = 0, ""
    shapes = set()
    for run in tried:
        try:
            shapes.add(shape_of(lane_of(0, design.scenario(run))))
        except Exception as error:  # whatever it is, the run would fail with it
            n_impossible += 1
            why = why or f"Point {run.point}: {error}"
    return _Looked(len(tried), n_impossible, why, len(shapes))


def _time(seconds: float) -> str:
    if seconds < 100.0:
        return f"{seconds:.0f} s"
    return f"{seconds / 60.0:,.0f} min" if seconds < 6000.0 else f"{seconds / 3600.0:,.1f} h"
