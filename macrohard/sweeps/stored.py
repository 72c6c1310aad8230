"""What is in the folder of a sweep: its manifest, its plan, and its results as tables. Read while it runs, too."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from macrohard.names import meant
from macrohard.scenario import Scenario
from macrohard.scenario.toml_text import value_text
from macrohard.store import StoreError
from macrohard.sweeps.design import Design
from macrohard.sweeps.files import as_store_error

KIND = "macrohard sweep"
SCHEMA = 1


@dataclass(frozen=True)
class Done:
    """What the index knows of a run."""

    status: str
    digest: str | None
    error: str | None


def manifest(folder: Path, *, missing_ok: bool = False) -> dict[str, Any] | None:
    """The manifest of a sweep; StoreError (or None) where there is none."""
    try:
        document = json.loads((folder / "manifest.json").read_bytes())
    except FileNotFoundError:
        document = None
    except (OSError, ValueError, RecursionError) as error:
        raise StoreError(f"{folder}: its manifest cannot be read ({error})") from None
    if document is None and missing_ok:
        return None
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise StoreError(f"{folder}: is no folder of a sweep{meant(folder)}")
    if document.get("schema") != SCHEMA:
        raise StoreError(f"{folder}: layout {document.get('schema')!r}, this version reads {SCHEMA}")
    return document


def is_sweep(folder: Path) -> bool:
    """Whether a folder holds a sweep, whole or damaged."""
    return (folder / "plan.parquet").is_file() or (folder / "index.sqlite").is_file()


def plan_table(design: Design) -> pd.DataFrame:
    """One row per run: point, replicate, seed, run id, and the values of its factors."""
    columns: dict[str, Any] = {
        name: [getattr(run, name) for run in design.runs] for name in ("run_id", "point", "replicate", "seed")
    }
    for factor in design.factors:
        values = [design.points[run.point][factor] for run in design.runs]
        columns[factor] = column_of(values)
    return pd.DataFrame(columns)


def column_of(values: Iterable[object]) -> list[Any]:
    """Values of a factor as one Parquet type: numbers as numbers, all else as text."""
    values = list(values)
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return [float(str(value)) for value in values]
    return [value if isinstance(value, str) else value_text(value) for value in values]


def table(folder: Path, columns: Iterable[str] | None = None) -> pd.DataFrame:
    """Plan and results of a sweep joined: one row per run of the plan, in order, with `status`."""
    manifest(folder)
    with as_store_error(folder):
        plan = pd.read_parquet(folder / "plan.parquet")
        parts = sorted((folder / "runs").glob("part-*.parquet"))
        wanted = None if columns is None else {"run_id", "digest", *columns}
        frames = [_part(part, wanted) for part in parts]
        failed = {path.stem for path in (folder / "failed").glob("*.json")}
    found = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame({"run_id": [], "digest": []})
    found = found.drop_duplicates("run_id").drop(columns=[c for c in plan if c != "run_id" and c in found])
    for name in () if columns is None else columns:
        if name not in found and name not in plan:
            found[name] = float("nan")
    joined = plan.merge(found.astype({"run_id": object}), on="run_id", how="left").copy()
    done = joined["digest"].notna()
    status = [
        "done" if ok else "failed" if run in failed else "missing"
        for ok, run in zip(done, joined["run_id"], strict=True)
    ]
    joined.insert(4, "status", status)
    return joined


def series_of(folder: Path, columns: Iterable[str] | None = None) -> pd.DataFrame:
    """The series kept of a sweep's runs with their plan: a row per bin, `Step` the ticks passed at its end.

    StoreError if none was kept.
    """
    told = manifest(folder) or {}
    rows = table(folder, [])
    with as_store_error(folder):
        frames = [pd.read_parquet(part) for part in sorted((folder / "series").glob("part-*.parquet"))]
    if not frames:
        raise StoreError(f"{folder}: kept no series; set series = true")
    found = pd.concat(frames, ignore_index=True).drop_duplicates(["run_id", "time_h"])
    joined = rows.drop(columns="digest").merge(found, on="run_id")
    tick_s = joined.get("run.tick_s", Scenario.parse(told["scenario"], "sweep").run.tick_s)
    joined.insert(3, "Step", (joined["time_h"] * 3600.0 / tick_s).round().astype(int))
    return joined if columns is None else joined[[*rows.columns.drop("digest").insert(3, "Step"), *columns]]


def _part(part: Path, wanted: set[str] | None) -> pd.DataFrame:
    """The columns wanted that a part has, all for None; StoreError if it is damaged."""
    try:
        columns = None if wanted is None else [name for name in pq.read_schema(part).names if name in wanted]
        return pd.read_parquet(part, columns=columns)
    except (OSError, ValueError) as error:
        what = "delete it, and the same `sweep run` runs what was in it again"
        raise StoreError(f"{part}: cannot be read ({error}); {what}") from None


def digest_of(done: Mapping[str, Done], run_ids: Iterable[str]) -> str:
    """One hash over the results of these runs, whatever their order."""
    lines = sorted(f"{each} {done[each].digest}" for each in set(run_ids) if each in done and done[each].digest)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
