"""Files of a sweep written whole or not at all, and what goes wrong with them in words."""

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from macrohard.store import StoreError


def write_table(path: Path, frame: pd.DataFrame) -> None:
    """A Parquet file that is there whole or not at all."""
    temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}.new"
    try:
        frame.to_parquet(temporary, engine="pyarrow", index=False, compression="zstd")
        _settle(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Any other file of that kind."""
    temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}.new"
    try:
        temporary.write_bytes(content)
        _settle(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _settle(temporary: Path, path: Path) -> None:
    """Makes sure that the bytes are on disk before the name is."""
    for target in (temporary, path.parent):
        handle = os.open(target, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        if target is temporary:
            temporary.replace(path)


@contextmanager
def as_store_error(folder: Path) -> Iterator[None]:
    """What a disk refuses as a StoreError that says what is left."""
    from macrohard.faults import ScenarioError

    try:
        yield
    except ScenarioError:
        raise
    except (OSError, ValueError, sqlite3.Error) as error:
        raise StoreError(f"{folder}: {error}; what was acknowledged is kept, the same command goes on") from error
