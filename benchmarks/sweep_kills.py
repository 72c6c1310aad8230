"""What sweeps survive: workers and parents killed at random moments, disks that fail or are full, Ray workers killed.

    python -m benchmarks.sweep_kills workers [KILLS]    real runs in a pool; SIGKILL to a worker at random moments
    python -m benchmarks.sweep_kills parents [KILLS]    the storage with stub runs; SIGKILL to the parent
    python -m benchmarks.sweep_kills faults [CALLS]     ENOSPC and EIO at each of the first CALLS writes, syncs, entries
    python -m benchmarks.sweep_kills disk               a file system of 400 kB that fills up (needs the right to mount)
    python -m benchmarks.sweep_kills ray                two Ray workers on loopback, one killed

Each prints one JSON line: what was done to it, what came back, whether the store is that of an undisturbed sweep.
"""

import errno
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.sweep_stub import design_of, engine, ray_workers, small_parts, sweep
from benchmarks.sweep_tiny import tiny
from macrohard.results.summary import RESULTS_VERSION
from macrohard.store import StoreError
from macrohard.sweeps import Progress
from macrohard.sweeps.execute import execute
from macrohard.sweeps.pool import Here, Pool
from macrohard.sweeps.storage import Storage
from macrohard.sweeps.stored import table


def store_of(folder: Path) -> pd.DataFrame:
    """All that is in a sweep but how long it took."""
    return table(folder).drop(columns="wall_s", errors="ignore")


def workers(folder: Path, n_kills: int = 20) -> dict[str, Any]:
    """Kills the workers of a pool while it works, until so many have died."""
    design, began = tiny(replicates=6), time.monotonic()
    pool, dice, over, killed = Pool(2), random.Random(3), threading.Event(), 0
    whole = execute(design, folder / "whole", RESULTS_VERSION, engine=_Kept(pool), jobs=2, batch=4)
    whole_s = time.monotonic() - began

    def kill() -> None:
        nonlocal killed
        while killed < n_kills and not over.wait(dice.uniform(0.0, whole_s)):
            if pids := pool.pids():
                os.kill(dice.choice(pids), signal.SIGKILL)
                killed += 1

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        rounds, outcome = 0, None
        while outcome is None or killed < n_kills:  # a sweep that ends before the last kill is begun again elsewhere
            rounds += 1
            out = folder / f"killed-{rounds}"
            outcome = execute(design, out, RESULTS_VERSION, engine=_Kept(pool), jobs=2, batch=4)
            assert (outcome.done, outcome.failed, outcome.digest) == (whole.done, 0, whole.digest), outcome
    finally:
        over.set()
        thread.join()
        pool.close()
    return {"kills": killed, "sweeps": rounds, "runs": whole.runs, "all_back_with_the_same_digest": True}


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


def parents(folder: Path, n_kills: int = 50, n_runs: int = 200) -> dict[str, Any]:
    """Kills the parent at random moments of its sweep, as often as asked; the same call goes on and ends it.

    Parents are forked from a server that has imported all there is, so that a kill hits the sweep, not an import.
    """
    context = get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.sweep_stub", "benchmarks.sweep_tiny"])
    dice, killed, rounds, was_done = random.Random(5), 0, 0, 0

    def begun(out: Path) -> tuple[Any, Connection]:
        ours, theirs = context.Pipe()
        process = context.Process(target=sweep, args=(out, n_runs, theirs))
        process.start()
        theirs.close()
        assert ours.recv() == "ready"
        return process, ours

    process, pipe = begun(folder / "whole")
    began, digest = time.monotonic(), pipe.recv()
    whole_s, whole = time.monotonic() - began, store_of(folder / "whole")
    process.join()
    while killed < n_kills:
        rounds += 1
        out, acknowledged = folder / f"killed-{rounds}", set[str]()
        while True:
            process, pipe = begun(out)
            if killed == n_kills or pipe.poll(dice.uniform(0.0, 0.5 * whole_s)):
                break
            process.kill()
            process.join()
            killed += 1
            there = table(out, []) if (out / "plan.parquet").exists() else pd.DataFrame({"run_id": [], "status": []})
            done = set(there.loc[there["status"] == "done", "run_id"])
            assert acknowledged <= done
            acknowledged, was_done = done, was_done + len(done)
        assert pipe.recv() == digest
        process.join()
        pd.testing.assert_frame_equal(store_of(out), whole)
    return {"kills": killed, "runs": n_runs, "sweeps": rounds, "mean_done_when_killed": was_done / killed, "same": True}


def faults(folder: Path, n_calls: int = 25, n_runs: int = 64) -> dict[str, Any]:
    """Fails the n-th write, sync, rename or index entry of a sweep; what was acknowledged is there, the next call ends
    it. One run in eight fails, so that errors are written, too.
    """
    import pandas.core.frame

    design = design_of(n_runs)

    def swept(out: Path, told: Callable[[Progress], None] = lambda at: None) -> str:
        with small_parts():
            return execute(design, out, "stub", engine=engine(failing=0.125), batch=2, told=told).digest

    digest = swept(folder / "whole")
    whole, n_faults = store_of(folder / "whole"), dict.fromkeys(["fsync", "replace", "write_bytes", "to_parquet"], 0)
    places: list[tuple[Any, str, Callable[[int], Exception]]] = [
        (os, "fsync", _refused), (Path, "replace", _refused), (Path, "write_bytes", _refused),
        (pandas.core.frame.DataFrame, "to_parquet", _refused), (Storage, "_note", _refused_by_sqlite),
    ]  # fmt: skip
    for owner, name, error_of in places:
        n_faults[name] = 0
        for at in range(1, n_calls + 1):
            for code in (errno.ENOSPC, errno.EIO):
                out = folder / f"{name}-{code}-{at}"
                told: list[Progress] = []
                mend = _failing(owner, name, at, error_of(code))
                try:
                    swept(out, told.append)
                except StoreError:
                    n_faults[name] += 1
                finally:
                    mend()
                kept = store_of(out)["status"].value_counts() if (out / "plan.parquet").exists() else {}
                for status in ("done", "failed"):
                    assert kept.get(status, 0) >= max((getattr(each, status) for each in told), default=0), out
                assert swept(out) == digest
                pd.testing.assert_frame_equal(store_of(out), whole)
                shutil.rmtree(out)
            if n_faults[name] < 2 * at:
                break  # there is no such call any more
    return {
        "faults": n_faults,
        "of_each_kind": ["ENOSPC", "EIO"],
        "acknowledged_lost": 0,
        "unreadable": 0,
        "same": True,
    }


def _refused(code: int) -> Exception:
    return OSError(code, os.strerror(code))


def _refused_by_sqlite(code: int) -> Exception:
    """What SQLite says of the same."""
    return sqlite3.OperationalError({errno.ENOSPC: "database or disk is full", errno.EIO: "disk I/O error"}[code])


def _failing(owner: Any, name: str, at: int, error: Exception) -> Callable[[], None]:
    """Makes the at-th call of a function fail; what it returns takes that back."""
    whole, n_calls = getattr(owner, name), 0

    def failing(*arguments: Any, **more: Any) -> Any:
        nonlocal n_calls
        n_calls += 1
        if n_calls == at:
            raise error
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

    design = tiny(replicates=6)
    whole = execute(design, folder / "whole", RESULTS_VERSION, engine=Here(), batch=4)
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
        outcome = execute(design, folder / "ray", RESULTS_VERSION, engine=cluster, jobs=2, batch=4)
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
