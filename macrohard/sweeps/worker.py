"""A worker process, `python -m macrohard.sweeps.worker FD`: takes jobs over a pipe, gives back their figures."""

import json
import os
import signal
import sys
import threading
import time
from multiprocessing.connection import Connection
from typing import Any

from macrohard import reproducibility

_WATCH_S = 0.5


def main() -> None:
    """Serves one parent until it closes the pipe or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent answers Ctrl-C
    parent = os.getppid()
    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()
    one_thread()
    serve(Connection(int(sys.argv[1])))


def serve(pipe: Connection) -> None:
    """Answers every job on the pipe: progress while it runs, then its rows."""
    while True:
        try:
            job = json.loads(pipe.recv_bytes())
        except (EOFError, OSError):
            return
        last = time.monotonic()
        waiting = 0

        def told(ticks: int) -> None:
            nonlocal last, waiting
            waiting += ticks
            if time.monotonic() - last > 0.5:
                pipe.send_bytes(json.dumps({"ticks": waiting}).encode())
                last, waiting = time.monotonic(), 0

        try:
            rows = work(job, told)
        except MemoryError:
            os._exit(137)
        try:
            pipe.send_bytes(json.dumps({"rows": rows}).encode())
        except OSError:
            return


def work(job: dict[str, Any], told: Any = lambda ticks: None) -> list[dict[str, Any]]:
    """The rows of a job: figures and digest of each of its runs, or what went wrong with it."""
    import jax

    from macrohard.faults import ScenarioError
    from macrohard.runs import Result
    from macrohard.sweeps.batch import run_all
    from macrohard.sweeps.design import scenario_of
    from macrohard.sweeps.figures import figures_of

    device = jax.devices()[0].device_kind
    rows, ids, scenarios = [], [], []

    def give(run_id: str, outcome: Result | Exception) -> None:
        rows.append({"run_id": run_id} | figures_of(outcome, device, with_series=job["series"]))

    for each in job["runs"]:
        try:
            scenarios.append(scenario_of(job["base"], each["settings"]))
            ids.append(each["run_id"])
        except ScenarioError as error:  # such as a file that is not there on this machine
            give(each["run_id"], error)
    for place, outcome in run_all(scenarios, told, job["lanes"]):
        give(ids[place], outcome)
    return rows


def one_thread() -> None:
    """Holds XLA to one thread in this process, and lets it compile for batches, before JAX starts."""
    reproducibility.for_batches()
    os.environ["NPROC"] = "1"
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"


def _leave_with(parent: int) -> None:
    """Ends this process when the parent is gone, even in the middle of a batch."""
    while os.getppid() == parent:
        time.sleep(_WATCH_S)
    os._exit(1)


if __name__ == "__main__":
    main()
