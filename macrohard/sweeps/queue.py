"""What is still to be run, in batches; and what happens to a batch whose worker died."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from macrohard.sweeps.design import Design, Run

Job = dict[str, Any]

MAX_DEATHS = 3
"""A run that was alone in its worker so often when it died is recorded as failed."""


@dataclass
class Queue:
    """Jobs waiting to be begun."""

    design: Design
    jobs: deque[Job] = field(default_factory=deque)

    def put(self, runs: Iterable[Run], batch: int, n_workers: int) -> None:
        """Cuts runs into jobs: runs of equal shape together, at most `batch`, and work for every worker.

        Equal seeds lie together: they share a backlog, which is then laid out once. First replicates come first.
        """
        ordered = sorted(runs, key=lambda run: (run.shape, run.replicate))
        for _, group in groupby(ordered, key=lambda run: run.shape):
            same = list(group)
            size = max(1, min(batch, -(-len(same) // n_workers)))
            size = -(-len(same) // -(-len(same) // size))  # as many jobs, but of equal size
            for first in range(0, len(same), size):
                self.jobs.append(self._job([self._entry(run) for run in same[first : first + size]], size))

    def died(self, job: Job) -> list[dict[str, Any]]:
        """Puts the runs of a dead worker back, last in line; returns those that died alone too often.

        The first death may be an accident: the job is tried again whole. After that it is halved, so that the run
        that kills is found in a few deaths and the others go on.
        """
        job["deaths"] += 1
        runs = job["runs"]
        if len(runs) == 1:
            if job["deaths"] >= MAX_DEATHS:
                return [{**runs[0], "attempts": job["deaths"]}]
            self.jobs.append(job)
        elif job["deaths"] == 1:
            self.jobs.append(job)
        else:
            middle = len(runs) // 2
            for half in (runs[:middle], runs[middle:]):
                self.jobs.append({**self._job(half, len(half)), "deaths": 0 if len(half) == 1 else 1})
        return []

    def _job(self, entries: list[dict[str, Any]], lanes: int) -> Job:
        series = self.design.experiment.series
        return {"base": self.design.base, "runs": entries, "lanes": lanes, "series": series, "deaths": 0}

    def _entry(self, run: Run) -> dict[str, Any]:
        return {"run_id": run.run_id, "settings": self.design.settings(run)}
