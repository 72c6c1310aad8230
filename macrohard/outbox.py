"""Files of results written whole or not at all: temporary file, fsync, rename."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from macrohard.store import StoreError


def deliver(folder: str | Path, files: Mapping[str, str]) -> Path:
    """Puts each text under its name into the folder, making it if need be; StoreError if that cannot be done."""
    place = Path(folder)
    try:
        place.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            _put(place / name, text)
    except OSError as error:
        raise StoreError(f"{place}: {error.strerror or error}; choose another --out") from error
    return place


def _put(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    try:
        with draft.open("x", encoding="utf-8") as sink:
            sink.write(text)
            sink.flush()
            os.fsync(sink.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
