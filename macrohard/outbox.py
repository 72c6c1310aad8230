"""Files of results written whole or not at all: temporary file, fsync, rename."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from macrohard.faults import Fault, ScenarioError
from macrohard.store import StoreError


def check_file(file: Path) -> None:
    """ScenarioError if no file can be put there: for the door of a command, before its work is done."""
    above = next(each for each in file.absolute().parents if each.exists())
    if file.is_dir():
        what = "is a folder; allowed: a file"
    elif not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        what = f"cannot be written below {above}"
    else:
        return
    raise ScenarioError([Fault("", str(file), None, what, "choose another path", has_value=False)])


def deliver(folder: str | Path, files: Mapping[str, str | bytes]) -> Path:
    """Puts each text under its name into the folder, making it if need be; StoreError if that cannot be done."""
    place = Path(folder)
    try:
        place.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            _put(place / name, content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise StoreError(f"{place}: {error.strerror or error}; choose another --out") from error
    return place


def _put(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    try:
        with draft.open("xb") as sink:
            sink.write(content)
            sink.flush()
            os.fsync(sink.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
