"""What is in the folder of a sweep: its manifest, its plan, and its results as tables. Read while it runs, too."""

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from macrohard.names import meant
from macrohard.scenario import Scenario
from macrohard.scenario.toml_text import value_text
from macrohard.store import StoreError
from macrohard.sweeps.design import Design, Run
from macrohard.sweeps.experiment import Confidence
from macrohard.sweeps.files import as_store_error
from macrohard.sweeps.stopping import spared

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
        what = "delete manifest.json, and the same `sweep run` writes it anew and goes on"
        raise StoreError(f"{folder}: its manifest cannot be read ({error}); {what}") from None
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
    """One row per run: point, replicate, seed, run id, and the values of its factors, whole numbers as such."""
    columns: dict[str, Any] = {
        name: [getattr(run, name) for run in design.runs] for name in ("run_id", "point", "replicate", "seed")
    }
    for factor in design.factors:
        values = [design.points[run.point][factor] for run in design.runs]
        columns[factor] = values if all(type(value) is int for value in values) else column_of(values)
    return pd.DataFrame(columns)


def column_of(values: Iterable[object]) -> list[Any]:
    """Values of a factor as one Parquet type: numbers as numbers, all else as text."""
    values = list(values)
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return [float(str(value)) for value in values]
    return [value if isinstance(value, str) else value_text(value) for value in values]


def table(folder: Path, columns: Iterable[str] | None = None) -> pd.DataFrame:
    """Plan and results of a sweep joined: one row per run of the plan, in order, with `status`.

    That is done, failed, missing or spared: not run, and by the stop rule not needed.
    """
    rule = _rule(manifest(folder) or {})
    with as_store_error(folder):
        plan = pd.read_parquet(folder / "plan.parquet")
        parts = sorted((folder / "runs").glob("part-*.parquet"))
        wanted = None if columns is None else {"run_id", "digest", *columns, *([rule.metric] if rule else [])}
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
    if rule is not None:
        over = {run.run_id for run in spared(_runs(joined), rule, figures_of(joined, rule))}
        joined.loc[joined["run_id"].isin(over) & (joined["status"] == "missing"), "status"] = "spared"
        if columns is not None and rule.metric not in {*columns, *plan}:
            joined = joined.drop(columns=rule.metric, errors="ignore")
    return joined


def figures_of(rows: pd.DataFrame, rule: Confidence) -> dict[str, float | None]:
    """What the stop rule looks at, of the runs that have ended; None of those that failed."""
    ended = rows[rows["status"].isin(["done", "failed"])]
    values = ended[rule.metric] if rule.metric in ended else [math.nan] * len(ended)
    return {
        run_id: float(value) if status == "done" else None
        for run_id, value, status in zip(ended["run_id"], values, ended["status"], strict=True)
    }


def kept_columns(folder: Path) -> set[str]:
    """Names of everything that the parts of a sweep hold, series too."""
    parts = [*(folder / "runs").glob("part-*.parquet"), *(folder / "series").glob("part-*.parquet")]
    return {name for part in parts for name in _names(part)}


def _rule(told: Mapping[str, Any]) -> Confidence | None:
    kept = told["experiment"]["stop"].get("confidence")
    return None if kept is None else Confidence.model_validate(kept)


def _runs(rows: pd.DataFrame) -> list[Run]:
    columns = (rows[name] for name in ("point", "replicate", "seed", "run_id"))
    return [Run(point, replicate, seed, run_id, "") for point, replicate, seed, run_id in zip(*columns, strict=True)]


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
    with _named(part):
        columns = None if wanted is None else [name for name in _names(part) if name in wanted]
        return pd.read_parquet(part, columns=columns)


def _names(part: Path) -> list[str]:
    with _named(part):
        return list(pq.read_schema(part).names)


@contextmanager
def _named(part: Path) -> Iterator[None]:
    """A damaged part as a StoreError that names it."""
    try:
        yield
    except (OSError, ValueError) as error:
        what = "delete it, and the same `sweep run` runs what was in it again"
        raise StoreError(f"{part}: cannot be read ({error}); {what}") from None


def digest_of(done: Mapping[str, Done], run_ids: Iterable[str]) -> str:
    """One hash over the results of these runs, whatever their order."""
    lines = sorted(f"{each} {done[each].digest}" for each in set(run_ids) if each in done and done[each].digest)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
