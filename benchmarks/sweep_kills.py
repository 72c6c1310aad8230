"""What sweeps survive: workers and parents killed at random moments, disks that fail or are full, Ray workers killed.

    python -m benchmarks.sweep_kills workers [KILLS]    real runs in a pool; SIGKILL to a worker at random moments
    python -m benchmarks.sweep_kills parents [KILLS]    the storage with stub runs; SIGKILL to the parent
    python -m benchmarks.sweep_kills faults [CALLS]     ENOSPC and EIO at each of the first CALLS writes, syncs, renames
    python -m benchmarks.sweep_kills disk               a file system of 400 kB that fills up (needs the right to mount)
    python -m benchmarks.sweep_kills ray                two Ray workers on loopback, one killed

Each prints one JSON line: what was done to it, what came back, whether the store is that of an undisturbed sweep.
"""

import errno
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.sweep_stub import design_of, engine, ray_workers
from macrohard.store import StoreError
from macrohard.sweeps import Experiment, Progress
from macrohard.sweeps.design import lay_out
from macrohard.sweeps.execute import execute
from macrohard.sweeps.pool import Here, Pool
from macrohard.sweeps.stored import table

REAL = {
    "name": "kills",
    "replicates": 6,
    "set": {
        "run.horizon_h": 6,
        "run.series_bins": 6,
        "workforce.coding": 8,
        "workforce.testing": 6,
        "workforce.management": 4,
        "workforce.design": 2,
    },
    "factors": {"cluster.n_gpus": [8, 16], "power.grid_mw": [0.005, 0.02]},
}


def real() -> Any:
    """24 small runs."""
    return lay_out(Experiment.of(REAL), "1", environment={})


def store_of(folder: Path) -> pd.DataFrame:
    """All that is in a sweep but how long it took."""
    return table(folder).drop(columns="wall_s", errors="ignore")


def workers(folder: Path, n_kills: int = 20) -> dict[str, Any]:
    """Kills the workers of a pool while it works, until so many have died."""
    whole = execute(real(), folder / "whole", "1", engine=Here(), batch=4)
    pool, dice, over, killed = Pool(2), random.Random(3), threading.Event(), 0

    def kill() -> None:
        nonlocal killed
        while killed < n_kills and not over.wait(dice.uniform(0.2, 8.0)):
            if pids := pool.pids():
                os.kill(dice.choice(pids), signal.SIGKILL)
                killed += 1

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        rounds, outcome = 0, None
        while outcome is None or killed < n_kills:  # a sweep that ends before the last kill is begun again elsewhere
            rounds += 1
            outcome = execute(real(), folder / f"killed-{rounds}", "1", engine=_Kept(pool), jobs=2, batch=4)
            assert (outcome.done, outcome.failed, outcome.digest) == (whole.done, 0, whole.digest), outcome
    finally:
        over.set()
        thread.join()
        pool.close()
    return {"kills": killed, "rounds": rounds, "runs": whole.runs, "all_back_with_the_same_digest": True}


class _Kept:
    """A pool that outlives the sweeps it serves."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.begin, self.events = pool.begin, pool.events

    @property
    def free(self) -> int:
        return self._pool.free

    def close(self) -> None:
        """Left open for the next sweep."""


def parents(folder: Path, n_kills: int = 50, n_runs: int = 400) -> dict[str, Any]:
    """Kills the parent at random moments of its sweep, as often as asked; the same command ends it each time."""
    dice, killed, rounds, was_done = random.Random(5), 0, 0, 0
    command = [sys.executable, "-m", "benchmarks.sweep_stub", "sweep"]

    def begun(out: Path) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen([*command, str(out), str(n_runs)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.stdin.write(b"\n")
        process.stdin.flush()
        return process

    began = time.monotonic()
    digest = begun(folder / "whole").communicate()[0].strip()
    whole_s, whole = time.monotonic() - began, store_of(folder / "whole")
    while killed < n_kills:
        rounds += 1
        out = folder / f"killed-{rounds}"
        for _ in range(min(5, n_kills - killed)):
            process = begun(out)
            time.sleep(dice.uniform(0.0, 0.4 * whole_s))
            if process.poll() is None:
                killed += 1
            process.kill()
            process.communicate()
            done = set(store_of(out).query("status == 'done'")["run_id"]) if (out / "plan.parquet").exists() else set()
            was_done += len(done)
        assert begun(out).communicate()[0].strip() == digest
        pd.testing.assert_frame_equal(store_of(out), whole)
    return {"kills": killed, "runs": n_runs, "sweeps": rounds, "runs_found_done_after_kills": was_done, "same": True}


def faults(folder: Path, n_calls: int = 25) -> dict[str, Any]:
    """Fails the n-th write, sync or rename of a sweep; what was acknowledged is there, the next call ends it."""
    import pandas.core.frame

    design = design_of(16)
    digest = execute(design, folder / "whole", "stub", engine=engine(), batch=2).digest
    whole, stopped, unharmed = store_of(folder / "whole"), 0, 0
    places: list[tuple[Any, str]] = [
        (os, "fsync"), (Path, "replace"), (Path, "write_bytes"), (pandas.core.frame.DataFrame, "to_parquet"),
    ]  # fmt: skip
    for owner, name in places:
        for code in (errno.ENOSPC, errno.EIO):
            for at in range(1, n_calls + 1):
                out = folder / f"{name}-{code}-{at}"
                told: list[Progress] = []
                fault = _failing(owner, name, at, code)
                try:
                    execute(design, out, "stub", engine=engine(), batch=2, told=told.append)
                    unharmed += 1
                except StoreError:
                    stopped += 1
                finally:
                    fault()
                n_kept = int((store_of(out)["status"] == "done").sum()) if (out / "plan.parquet").exists() else 0
                assert n_kept >= max((each.done for each in told), default=0), (name, code, at, n_kept)
                assert execute(design, out, "stub", engine=engine(), batch=2).digest == digest
                pd.testing.assert_frame_equal(store_of(out), whole)
    return {"faults": stopped, "calls_beyond_the_last": unharmed, "acknowledged_lost": 0, "unreadable": 0, "same": True}


def _failing(owner: Any, name: str, at: int, code: int) -> Callable[[], None]:
    """Makes the at-th call of a function fail; what it returns takes that back."""
    whole, n_calls = getattr(owner, name), 0

    def failing(*arguments: Any, **more: Any) -> Any:
        nonlocal n_calls
        n_calls += 1
        if n_calls == at:
            raise OSError(code, os.strerror(code))
        return whole(*arguments, **more)

    setattr(owner, name, failing)
    return lambda: setattr(owner, name, whole)


def disk(folder: Path, size_kb: int = 400) -> dict[str, Any]:
    """Sweeps into a small file system until it is full; with more room the same call ends it."""
    design = design_of(600)
    digest = execute(design, folder / "whole", "stub", engine=engine(), batch=2).digest
    place = folder / "small"
    place.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_kb}k", "tmpfs", str(place)], capture_output=True)
    if mount.returncode:
        return {"skipped": mount.stderr.decode().strip()}
    try:
        told: list[Progress] = []
        try:
            execute(design, place / "out", "stub", engine=engine(), batch=2, told=told.append)
            return {"skipped": f"{size_kb} kB were enough"}
        except StoreError as error:
            words = str(error)
        kept = int((table(place / "out")["status"] == "done").sum())
        assert kept >= max((each.done for each in told), default=0)
        subprocess.run(["mount", "-o", "remount,size=1g", str(place)], check=True)
        outcome = execute(design, place / "out", "stub", engine=engine(), batch=2)
        assert (outcome.digest, outcome.done) == (digest, 600)
    finally:
        subprocess.run(["umount", str(place)], check=True)
    return {"size_kb": size_kb, "told": words.rpartition(": ")[2], "kept_when_full": kept, "of": 600, "same": True}


def ray(folder: Path) -> dict[str, Any]:
    """Two Ray workers on loopback, one of them killed while it works."""
    from macrohard.sweeps.ray_engine import RayEngine

    whole = execute(real(), folder / "whole", "1", engine=Here(), batch=4)
    cluster, over, killed = RayEngine(jobs=2), threading.Event(), []

    def kill() -> None:
        while not over.wait(0.2):
            if pids := ray_workers():
                over.wait(1.0)
                os.kill(pids[0], signal.SIGKILL)
                killed.append(pids[0])
                return

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        outcome = execute(real(), folder / "ray", "1", engine=cluster, jobs=2, batch=4)
    finally:
        over.set()
        thread.join()
    assert killed and (outcome.done, outcome.failed, outcome.digest) == (whole.done, 0, whole.digest), outcome
    return {"kills": len(killed), "runs": outcome.done, "all_back_with_the_same_digest": True}


if __name__ == "__main__":
    campaign: Callable[..., dict[str, Any]] = globals()[sys.argv[1]]
    with tempfile.TemporaryDirectory() as place:
        began_s = time.monotonic()
        told_of_it = campaign(Path(place), *map(int, sys.argv[2:]))
        print(json.dumps({"campaign": sys.argv[1], **told_of_it, "wall_s": round(time.monotonic() - began_s, 1)}))
