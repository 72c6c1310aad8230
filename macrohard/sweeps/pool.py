"""Worker processes under supervision: one that dies is replaced, and its job comes back to be tried again."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import Any

Job = dict[str, Any]


@dataclass(frozen=True)
class Event:
    """What an engine reports: ticks that passed, rows of a finished job, or that its worker died (neither)."""

    job: Job
    ticks: int = 0
    rows: list[dict[str, Any]] | None = None
    died: bool = False


@dataclass
class _Worker:
    process: subprocess.Popen[bytes]
    pipe: Connection
    job: Job | None = None


class Here:
    """This process, one job at a time."""

    def __init__(self) -> None:
        """Idle."""
        self._job: Job | None = None

    @property
    def free(self) -> int:
        """Jobs that could be begun now."""
        return int(self._job is None)

    def begin(self, job: Job) -> None:
        """Takes a job; it is run when events are asked for."""
        self._job = job

    def events(self, timeout_s: float) -> list[Event]:
        """Runs the job."""
        from macrohard.sweeps.worker import work

        job, self._job = self._job, None
        return [] if job is None else [Event(job, rows=work(job))]

    def close(self) -> None:
        """Nothing is left running."""


class Pool:
    """So many processes on this machine, of one thread each, started by exec: no fork, no import of the caller."""

    def __init__(self, jobs: int, command: Sequence[str] = ("-m", "macrohard.sweeps.worker")) -> None:
        """Starts nothing yet; `command` is what Python runs as a worker."""
        self._jobs, self._command = jobs, tuple(command)
        self._workers: list[_Worker] = []

    @property
    def free(self) -> int:
        """Jobs that could be begun now."""
        return self._jobs - sum(worker.job is not None for worker in self._workers)

    def begin(self, job: Job) -> None:
        """Gives a job to an idle worker, starting one if there is none."""
        worker = next((each for each in self._workers if each.job is None), None)
        if worker is None:
            worker = self._start()
        worker.job = job
        try:
            worker.pipe.send_bytes(json.dumps(job).encode())
        except OSError:
            pass  # it has died; `events` will say so

    def events(self, timeout_s: float) -> list[Event]:
        """What happened, waiting at most so long for something to happen."""
        busy = {each.pipe: each for each in self._workers if each.job is not None}
        found = []
        for pipe in wait(list(busy), timeout_s):
            assert isinstance(pipe, Connection)
            worker = busy[pipe]
            assert worker.job is not None
            try:
                told = json.loads(pipe.recv_bytes())
            except (EOFError, OSError):
                found.append(Event(worker.job, died=True))
                self._end(worker)
                continue
            if "rows" in told:
                found.append(Event(worker.job, rows=told["rows"]))
                worker.job = None
            else:
                found.append(Event(worker.job, ticks=int(told["ticks"])))
        return found

    def pids(self) -> list[int]:
        """The processes at work."""
        return [each.process.pid for each in self._workers]

    def close(self) -> None:
        """Ends all workers."""
        for worker in list(self._workers):
            self._end(worker)

    def _start(self) -> _Worker:
        ours, theirs = Pipe()
        folder = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        path = os.pathsep.join(
            dict.fromkeys([folder, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))])
        )
        process = subprocess.Popen(
            [sys.executable, *self._command, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": path},
            start_new_session=True,
        )
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        return worker

    def _end(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.pipe.close()
        worker.process.kill()
        worker.process.wait()
