"""One process per folder of results: a lock that names its holder, dies with it, and leaves nothing behind."""

import fcntl
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path

from macrohard.store import StoreError


@contextmanager
def locked(path: Path, folder: Path) -> Iterator[None]:
    """Holds a folder by the lock at a path; StoreError names who holds it. What a dead holder left is taken over."""
    with _held(path, folder) as file:
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "host": platform.node(), "since": _now()}))
        file.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)  # while it is held: whoever opened it meanwhile sees that it is gone


def beside(folder: Path) -> Path:
    """The lock of a folder that may not be there yet: hidden, beside it."""
    return folder.parent / f".{folder.name}.lock"


def _held(path: Path, folder: Path) -> TextIOWrapper:
    """The lock's file, held, and still the one of that name."""
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("a+", encoding="utf-8")
        except OSError as error:
            raise StoreError(f"{folder}: {error.strerror or error}; choose another --out") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(file.fileno()).st_ino == path.stat().st_ino:
                return file
        except BlockingIOError:
            file.close()
            raise StoreError(f"{folder}: is being run by {_holder(path)}; wait, or stop that one") from None
        except FileNotFoundError:
            pass  # the holder has just left, and its lock with it
        except OSError as error:
            raise StoreError(
                f"{folder}: cannot be locked there ({error.strerror or error}); choose another --out"
            ) from error
        file.close()


def _holder(path: Path) -> str:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return f"process {int(told['pid'])} on {told['host']} since {told['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
