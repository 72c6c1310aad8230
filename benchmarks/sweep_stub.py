"""Runs that cost what they are told to, for campaigns against the machinery of sweeps: queue, pool, storage, lock.

A row of the stub has the columns of a real one and figures that depend on its run id alone. Nothing is simulated.

    python -m benchmarks.sweep_stub FD          a worker of `Pool` (each run takes MACROHARD_STUB_S seconds)
"""

import hashlib
import json
import os
import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

FIGURES = [f"work.figure_{number}" for number in range(120)]
"""As many as a real run has."""


def rows_of(job: dict[str, Any], each_s: float = 0.0, failing: float = 0.0) -> list[dict[str, Any]]:
    """Rows as `macrohard.sweeps.worker.work` gives them; a share of the runs fails, always the same ones."""
    rows: list[dict[str, Any]] = []
    for run in job["runs"]:
        time.sleep(each_s)
        dice = random.Random(run["run_id"])
        if dice.random() < failing:
            rows.append({"run_id": run["run_id"], "status": "failed", "error": "on purpose", "kind": "Stub"})
            continue
        rows.append(
            {
                "run_id": run["run_id"],
                "status": "done",
                "digest": hashlib.sha256(run["run_id"].encode()).hexdigest()[:16],
                "device": "stub",
                "wall_s": each_s,
                "figures": {name: dice.random() for name in FIGURES} | {"work.tickets_done": dice.random()},
                "binding": "nothing",
            }
        )
    return rows


def serve(pipe: Connection, each_s: float) -> None:
    """A worker's life."""
    while True:
        try:
            job = json.loads(pipe.recv_bytes())
        except (EOFError, OSError):
            return
        pipe.send_bytes(json.dumps({"rows": rows_of(job, each_s)}).encode())


def design_of(n_runs: int, replicates: int = 1) -> Any:
    """A sweep of so many runs."""
    from macrohard.sweeps import Experiment
    from macrohard.sweeps.design import lay_out

    tree = {
        "name": "stub",
        "design": "lhs",
        "points": n_runs // replicates,
        "replicates": replicates,
        "factors": {"cluster.pue": {"low": 1.1, "high": 1.5}, "power.grid_mw": {"low": 0.01, "high": 0.05}},
    }
    return lay_out(Experiment.of(tree), "stub", environment={})


def engine(failing: float = 0.0) -> Any:
    """An engine in this process, with which a share of the runs fails."""
    from macrohard.sweeps.pool import Event, Here

    class Stub(Here):
        def events(self, timeout_s: float) -> list[Event]:
            job, self._job = self._job, None
            return [] if job is None else [Event(job, rows=rows_of(job, failing=failing))]

    return Stub()


@contextmanager
def small_parts() -> Iterator[None]:
    """While open, sweeps write a part for every few runs, so that there are many moments to be hit at."""
    from macrohard.sweeps import execute

    before, execute.FLUSH_ROWS = execute.FLUSH_ROWS, 4
    try:
        yield
    finally:
        execute.FLUSH_ROWS = before


def sweep(out: Path, n_runs: int, pipe: Connection) -> None:
    """A parent that says "ready", sweeps in its own process with many small parts, and tells the digest."""
    from macrohard.sweeps.execute import execute

    design = design_of(n_runs)
    pipe.send("ready")
    with small_parts():
        pipe.send(execute(design, out, "stub", engine=engine(), batch=2).digest)


def ray_workers() -> list[int]:
    """Processes below this one that run a job on Ray."""
    parent_of, busy = {}, []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, rest = stat.read_text().rpartition(")")[::2]
            parent_of[int(stat.parent.name)] = int(rest.split()[1])
            if "ray::_work" in (stat.parent / "cmdline").read_text():
                busy.append(int(stat.parent.name))
        except (OSError, IndexError):
            continue

    def is_ours(pid: int) -> bool:
        while pid > 1:
            pid = parent_of.get(pid, 0)
            if pid == os.getpid():
                return True
        return False

    return [pid for pid in busy if is_ours(pid)]


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])), float(os.environ.get("MACROHARD_STUB_S", "0")))
