"""Results on disk: a folder per run, whole or not there at all; nothing in it is ever unpickled."""

import hashlib
import json
import math
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from macrohard.faults import Fault, ScenarioError
from macrohard.names import meant
from macrohard.scenario import Scenario

SCHEMA = 1
"""Version of the folder's layout."""

_KIND = "macrohard run"
_FILES = ("manifest.json", "scenario.toml", "summary.json", "series.parquet", "tickets.parquet", "report.html")


class StoreError(Exception):
    """A folder that cannot take or give results; its text says why and what to do."""


class Result(Protocol):
    """What a run hands over to be kept."""

    @property
    def scenario(self) -> Scenario:
        """What was run."""

    @property
    def summary(self) -> Mapping[str, Any]:
        """Nested figures, as `run --json` prints them."""

    @property
    def series(self) -> pd.DataFrame:
        """One row per kept bin."""

    @property
    def tickets(self) -> pd.DataFrame:
        """One row per simulated ticket."""


@dataclass(frozen=True)
class StoredRun:
    """A run read back."""

    out: Path
    manifest: dict[str, Any]
    scenario: Scenario
    summary: dict[str, Any]
    series: pd.DataFrame
    tickets: pd.DataFrame


def run_id(version: str, scenario: Scenario) -> str:
    """Name of a run: equal for equal version, settled scenario and seed."""
    return hashlib.sha256(f"{version}\n{scenario.sha256}\n{scenario.run.seed}".encode()).hexdigest()[:16]


def to_json(document: Mapping[str, Any] | Sequence[Any]) -> str:
    """The document as strict JSON: nan and inf become null, numpy's numbers plain ones."""
    return json.dumps(_plain(document), indent=2, ensure_ascii=False, allow_nan=False)


def check_out(out: str | Path) -> Path:
    """The folder, if results can be written there without harm to anything that is not ours; else StoreError."""
    folder = Path(out)
    with _as_store_error(folder):
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            raise StoreError(f"{folder}: is there already and is no folder of results; choose another --out")
        if folder.is_dir() and (names := sorted(path.name for path in folder.iterdir())):
            strange = [name for name in names if name not in _FILES]
            if strange or not is_run(folder):
                held = ", ".join((strange or names)[:3])
                raise StoreError(f"{folder}: holds files that are no results of a run ({held}); choose another --out")
        parent = _existing_parent(folder)
        if not os.access(parent, os.W_OK | os.X_OK):
            raise StoreError(f"{folder}: cannot be written below {parent}; choose another --out")
    return folder


def refuse_another(folder: Path, version: str, scenario: Scenario) -> None:
    """ScenarioError if the folder holds another run than the one of this scenario and seed, which would be lost."""
    if not is_run(folder):
        return
    held = read_manifest(folder)
    if held.get("run_id") == run_id(version, scenario):
        return
    what = f"holds another run ({held.get('scenario')}, seed {held.get('seed')}, {held.get('run_id')})"
    raise ScenarioError([Fault("", "--out", str(folder), what, "choose another folder, or replace it with --force")])


def write_run(
    out: str | Path, result: Result, *, version: str, complete: bool = True, report: str | None = None
) -> Path:
    """Writes the folder of a run, in one step: whoever looks sees the old one, the new one or none, never a part.

    An earlier run of ours in that place is replaced; anything else makes a StoreError.
    """
    folder = check_out(out)
    with _as_store_error(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        building = folder.parent / f".{folder.name}.{secrets.token_hex(6)}.new"
        try:
            building.mkdir()
            _put(building / "scenario.toml", result.scenario.to_toml().encode())
            _put(building / "summary.json", to_json(result.summary).encode())
            _put_table(building / "series.parquet", result.series)
            _put_table(building / "tickets.parquet", result.tickets)
            if report is not None:
                _put(building / "report.html", report.encode())
            manifest = {
                "kind": _KIND,
                "schema": SCHEMA,
                "version": version,
                "run_id": run_id(version, result.scenario),
                "scenario": result.scenario.name,
                "scenario_sha256": result.scenario.sha256,
                "seed": result.scenario.run.seed,
                "complete": complete,
                "files": {
                    path.name: _fingerprint(path) for path in sorted(building.iterdir()) if path.name != "report.html"
                },
            }
            _put(building / "manifest.json", to_json(manifest).encode())
            _sync(building)
            _take_place(building, folder)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return folder


def add_report(out: str | Path, report: str) -> Path:
    """Puts report.html into the folder of a run, whole; its path."""
    folder = Path(out)
    with _as_store_error(folder):
        if not is_run(folder):
            raise _no_run(folder)
        temporary = folder.parent / f".{folder.name}.{secrets.token_hex(6)}.report"
        try:
            _put(temporary, report.encode())
            temporary.replace(folder / "report.html")
        finally:
            temporary.unlink(missing_ok=True)
        _sync(folder)
    return folder / "report.html"


def read_run(out: str | Path) -> StoredRun:
    """A run as it was written; StoreError if the folder is none of ours, newer than we are, or damaged."""
    folder = Path(out)
    with _as_store_error(folder):
        if not is_run(folder):
            raise _no_run(folder)
        manifest = read_manifest(folder)
        if manifest.get("schema") != SCHEMA:
            raise StoreError(f"{folder}: layout {manifest.get('schema')!r}, this version reads {SCHEMA}")
        for name, told in manifest.get("files", {}).items():
            if name not in _FILES or _fingerprint(folder / name) != told:
                raise StoreError(f"{folder}: {name} is not as it was written; run it again")
        return StoredRun(
            folder,
            manifest,
            Scenario.parse((folder / "scenario.toml").read_text(encoding="utf-8"), str(folder / "scenario.toml")),
            json.loads((folder / "summary.json").read_bytes()),
            pd.read_parquet(folder / "series.parquet"),
            pd.read_parquet(folder / "tickets.parquet"),
        )


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if hasattr(value, "tolist"):  # numpy and JAX
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def _no_run(folder: Path) -> StoreError:
    told = "is no folder of results; give the folder that `macrohard run` printed"
    return StoreError(f"{folder}: {told}{meant(folder)}")


def is_run(folder: Path) -> bool:
    """Whether a folder holds a run of ours, whole or damaged."""
    return read_manifest(folder).get("kind") == _KIND


def read_manifest(folder: Path) -> dict[str, Any]:
    """What the folder says it holds; nothing if it says nothing that can be read."""
    try:
        manifest = json.loads((folder / "manifest.json").read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError, RecursionError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def _existing_parent(folder: Path) -> Path:
    parent = folder.absolute().parent
    while not parent.exists():
        parent = parent.parent
    return parent


def _put(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _put_table(path: Path, table: pd.DataFrame) -> None:
    table.to_parquet(path, engine="pyarrow", index=False, compression="zstd")
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _fingerprint(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _take_place(building: Path, folder: Path) -> None:
    """Renames the finished folder into place; an earlier one steps aside first and comes back if that fails."""
    aside = folder.parent / f".{folder.name}.{secrets.token_hex(6)}.old"
    had_one = folder.is_dir()
    if had_one:
        folder.rename(aside)
    try:
        building.rename(folder)
    except OSError:
        if had_one:
            aside.rename(folder)
        raise
    try:
        _sync(folder.parent)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def _as_store_error(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise StoreError(f"{folder}: {error}; choose another --out, or mend the folder") from error
