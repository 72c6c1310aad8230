"""Runs that cost what they are told to, for campaigns against the machinery of sweeps: queue, pool, storage, lock.

A row of the stub has the columns of a real one and figures that depend on its run id alone. Nothing is simulated.

    python -m benchmarks.sweep_stub FD          a worker of `Pool` (each run takes MACROHARD_STUB_S seconds)
    python -m benchmarks.sweep_stub sweep OUT RUNS    a parent that says "ready", then sweeps in its own process
"""

import hashlib
import json
import os
import random
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

FIGURES = [f"work.figure_{number}" for number in range(120)]
"""As many as a real run has."""


def rows_of(job: dict[str, Any], each_s: float = 0.0) -> list[dict[str, Any]]:
    """Rows as `macrohard.sweeps.worker.work` gives them."""
    rows = []
    for run in job["runs"]:
        time.sleep(each_s)
        dice = random.Random(run["run_id"])
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


def engine() -> Any:
    """An engine in this process."""
    from macrohard.sweeps.pool import Event, Here

    class Stub(Here):
        def events(self, timeout_s: float) -> list[Event]:
            job, self._job = self._job, None
            return [] if job is None else [Event(job, rows=rows_of(job))]

    return Stub()


def sweep(out: Path, n_runs: int) -> str:
    """Sweeps in this process, with many small parts; the digest."""
    from macrohard.sweeps import execute as module

    module.FLUSH_ROWS = 4
    design = design_of(n_runs)
    print("ready", flush=True)
    sys.stdin.readline()
    return module.execute(design, out, "stub", engine=engine(), batch=2).digest


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
    if sys.argv[1] == "sweep":
        print(sweep(Path(sys.argv[2]), int(sys.argv[3])), flush=True)
    else:
        serve(Connection(int(sys.argv[1])), float(os.environ.get("MACROHARD_STUB_S", "0")))
