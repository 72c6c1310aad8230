"""Runs an experiment: what is missing, in batches, on an engine, into a folder; whatever happens, the rest goes on."""

import math
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from macrohard import reproducibility
from macrohard.faults import Fault, ScenarioError
from macrohard.names import nearest
from macrohard.sweeps.design import Design, Run, in_shard
from macrohard.sweeps.pool import Event, Pool
from macrohard.sweeps.queue import Job, Queue
from macrohard.sweeps.stopping import spared, wanted
from macrohard.sweeps.storage import Storage, opened
from macrohard.sweeps.stored import Done, column_of, digest_of, figures_of, kept_columns, table

MAX_BATCH = 32
"""Most runs of one batch: 8 to 64 of 100 agents cost the same a tick, within what a busy machine lets one tell."""

_AGENTS_PER_BATCH, _MIN_BATCH = 8_000, 16
"""Rows of workers that a batch carries, and runs below which there is none. CPU a tick and run, alone and in a batch:
100 agents 97 and 53 us (32 runs), 400 agents 223 and 186 (16 runs), 2,000 agents 462 and 446 (4 runs)."""

FLUSH_S, FLUSH_ROWS = 1.0, 64
"""Finished runs wait at most so long, and at most so many, before they are written."""


class Engine(Protocol):
    """Where jobs run."""

    @property
    def free(self) -> int:
        """Jobs that could be begun now."""

    def begin(self, job: Job) -> None:
        """Begins a job."""

    def events(self, timeout_s: float) -> list[Event]:
        """What happened since."""

    def close(self) -> None:
        """Ends whatever still runs."""


@dataclass(frozen=True)
class Progress:
    """Where a sweep stands."""

    runs: int
    done: int
    failed: int
    eta_s: float | None
    error: str = ""
    """Set when a run has just failed."""


@dataclass(frozen=True)
class Outcome:
    """What came of a sweep."""

    name: str
    points: int
    runs: int
    done: int
    failed: int
    spared: int
    """Not run, and by the stop rule not needed."""
    missing: int
    digest: str
    wall_s: float
    out: Path
    out_of_budget: bool

    def to_dict(self) -> dict[str, Any]:
        """As `sweep run --json` prints it."""
        return {**self.__dict__, "out": str(self.out)}


Told = Callable[[Progress], None]


def execute(
    design: Design,
    out: Path,
    version: str,
    *,
    jobs: int | None = None,
    engine: Engine | None = None,
    shard: tuple[int, int] = (1, 1),
    batch: int | None = None,
    retry_failed: bool = False,
    columns: Iterable[str] = (),
    told: Told = lambda progress: None,
) -> Outcome:
    """Runs what is missing of a design; finished runs of an earlier call are kept and not run again.

    A figure of the experiment, or one of `columns` that will be read, that no run has is a ScenarioError once the first
    runs are kept.
    """
    began = time.monotonic()
    n_workers = (
        jobs or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else jobs or os.cpu_count() or 1
    )
    folder = out if shard == (1, 1) else out / "shards" / f"{shard[0]}-of-{shard[1]}"
    unique = list({run.run_id: run for run in design.runs if in_shard(run, shard)}.values())
    with opened(folder) as storage:
        storage.write_plan(design, version, reproducibility.mode())
        if retry_failed:
            storage.forget_failed()
        own = Pool(n_workers) if engine is None else engine
        try:
            sweep = _Sweep(design, storage, own, unique, batch or batch_of(design), n_workers, told, began, columns)
            out_of_budget = sweep.run()
        finally:
            own.close()
        done = storage.done()
    return outcome_of(design, folder, done, unique, time.monotonic() - began, out_of_budget)


def outcome_of(
    design: Design, out: Path, done: dict[str, Done], runs: Iterable[Run], wall_s: float, out_of_budget: bool = False
) -> Outcome:
    """What came of the runs of a design."""
    unique, rule = {run.run_id: run for run in runs}, design.experiment.stop.confidence
    mine = {run_id: done[run_id] for run_id in unique if run_id in done}
    n_failed = sum(each.status == "failed" for each in mine.values())
    over = spared(unique.values(), rule, figures_of(table(out, [rule.metric]), rule)) if rule is not None else []
    n_spared = sum(run.run_id not in mine for run in over)
    name, n_points, digest = design.experiment.name, len(design.points), digest_of(mine, mine)
    return Outcome(
        name, n_points, len(unique), len(mine) - n_failed, n_failed, n_spared, len(unique) - len(mine) - n_spared,
        digest, wall_s, out, out_of_budget,
    )  # fmt: skip


def batch_of(design: Design) -> int:
    """Runs that are worth a batch."""
    if not design.runs:
        return 1
    n_runs = min(MAX_BATCH, _AGENTS_PER_BATCH // max(1, design.scenario(design.runs[0]).n_agents))
    return n_runs if n_runs >= _MIN_BATCH else 1


class _Sweep:
    """One call of `execute`, from the first job to the last row written."""

    def __init__(
        self, design: Design, storage: Storage, engine: Engine, runs: list[Run], batch: int, n_workers: int, told: Told,
        began: float, columns: Iterable[str],
    ) -> None:  # fmt: skip
        self.design, self.storage, self.engine, self.runs, self.told, self.began = (
            design, storage, engine, runs, told, began
        )  # fmt: skip
        self.batch, self.n_workers, self.columns = batch, n_workers, columns
        self.queue = Queue(design)
        self.factors = {key: column_of([point[key] for point in design.points]) for key in design.factors}
        self.by_id = {run.run_id: run for run in runs}
        self.status: dict[str, str] = {}
        self.figures: dict[str, float | None] = {}
        self.held: list[dict[str, Any]] = []
        self.flushed = time.monotonic()
        self.fresh, self.run_s, self.in_work, self.n_spared = 0, 0.0, 0, 0
        self.slots = max(1, engine.free)
        self.is_checked = False

    def run(self) -> bool:
        """Runs until nothing is missing, or until the budget is spent (True)."""
        rule, budget_h = self.design.experiment.stop.confidence, self.design.experiment.stop.budget_h
        self.status = {run_id: each.status for run_id, each in self.storage.done().items() if run_id in self.by_id}
        if rule is not None and self.status:
            self.figures = figures_of(table(self.storage.folder, [rule.metric]), rule)
        if "done" in self.status.values():
            self._refuse_unknown()
        self._tell()
        spent = False
        while True:
            missing = [run for run in wanted(self.runs, rule, self.figures) if run.run_id not in self.status]
            self.n_spared = sum(run.run_id not in self.status for run in spared(self.runs, rule, self.figures))
            if not missing or spent:
                break
            self.queue.put(missing, self.batch, self.n_workers)
            while (self.queue.jobs and not spent) or self.in_work:
                spent = budget_h is not None and time.monotonic() - self.began > budget_h * 3600.0
                while self.queue.jobs and self.engine.free and not spent:
                    self.engine.begin(self.queue.jobs.popleft())
                    self.in_work += 1
                for event in self.engine.events(0.5):
                    self._take(event)
                self._flush()
        self._flush(at_once=True)
        return spent and bool(missing)

    def _take(self, event: Event) -> None:
        if event.died:
            self.in_work -= 1
            for lost in self.queue.died(event.job):
                why = f"its worker died {lost['attempts']} times (killed, or out of memory)"
                self._failed({**lost, "error": why, "kind": "WorkerDied"})
        elif event.rows is not None:
            self.in_work -= 1
            for row in event.rows:
                if row["status"] == "failed":
                    self._failed({**row, "attempts": 1})
                else:
                    self._finished(row)

    def _finished(self, row: dict[str, Any]) -> None:
        run = self.by_id[row["run_id"]]
        rule = self.design.experiment.stop.confidence
        if rule is not None:
            self.figures[run.run_id] = row["figures"].get(rule.metric)
        self.status[run.run_id] = "done"
        self.fresh, self.run_s = self.fresh + 1, self.run_s + row["wall_s"]
        self.held.append(_flat(row, run, self.factors))

    def _refuse_unknown(self) -> None:
        """Figures that no run has are told once a run is kept, not at the last."""
        self.is_checked = True
        known = kept_columns(self.storage.folder) | {"point", "status", *self.factors}
        rule = self.design.experiment.stop.confidence
        asked = [*self.design.experiment.metrics, *([rule.metric] if rule is not None else []), *self.columns]
        faults = []
        for name in dict.fromkeys(asked):
            if name not in known:
                near = nearest(name, known)
                remedy = f"did you mean {near}?" if near else "see the keys of `macrohard run --json`"
                faults.append(Fault(self.design.experiment.name, "metrics", name, "no such figure", remedy))
        if faults:
            raise ScenarioError(faults)

    def _failed(self, row: dict[str, Any]) -> None:
        run = self.by_id[row["run_id"]]
        self.status[run.run_id], self.figures[run.run_id] = "failed", None
        self.storage.fail({**row, "point": self.design.points[run.point], "seed": run.seed})
        self._tell(f"{run.run_id}: {row['error']}")

    def _flush(self, *, at_once: bool = False) -> None:
        now = time.monotonic()
        if self.held and (at_once or len(self.held) >= FLUSH_ROWS or now - self.flushed >= FLUSH_S):
            self.storage.add(self.held)
            self.held, self.flushed = [], now
            self._tell()
            if not self.is_checked:
                self._refuse_unknown()

    def _tell(self, error: str = "") -> None:
        n_failed = sum(each == "failed" for each in self.status.values())
        left = len(self.runs) - len(self.status) - self.n_spared
        eta_s = left * self.run_s / self.fresh / self.slots if self.fresh else None  # without what is yet to compile
        n_safe = len(self.status) - n_failed - len(self.held)  # what still waits to be written is not acknowledged
        self.told(Progress(len(self.runs), n_safe, n_failed, eta_s, error))


def _flat(row: dict[str, Any], run: Run, factors: dict[str, list[Any]]) -> dict[str, Any]:
    """A finished run as a row of Parquet: who it is, the factors, every figure."""
    own = {name: column[run.point] for name, column in factors.items()}
    told = {name: row[name] for name in ("digest", "device", "wall_s", "binding")}
    figures = {name: math.nan if value is None else float(value) for name, value in row["figures"].items()}
    more = {"series": row["series"]} if "series" in row else {}
    return {"run_id": run.run_id, "replicate": run.replicate, "seed": run.seed, **own, **told, **figures, **more}
