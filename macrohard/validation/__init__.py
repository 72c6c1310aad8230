"""The model against published measurements: errors of each law, and why a row could not be predicted."""

import io
import math
from importlib import import_module
from importlib.resources import as_file, files
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from macrohard.faults import printable

__all__ = ["BUNDLED", "LAWS", "load", "measurements", "scores", "told", "validate"]

LAWS = ("attempt_tokens", "success", "role_ratios", "gpu_power", "serving")
"""The laws, each a module here with COLUMNS and score(frame); a file belongs to the first whose columns it has."""

BUNDLED = {
    "serving": "inference_points.csv",
    "gpu_power": "power_points.csv",
    "success": "metr_runs.csv",
    "attempt_tokens": "coding_task_tokens.csv",
    "role_ratios": "agent_role_points.csv",
}
"""The measurements that the laws were fitted on: files of macrohard/data/measured, sources and licences beside them."""

ERRORS = ("n", "n_predicted", "predicted_share", "median_abs_error", "p90_abs_error", "bias")
"""What every law tells, with or without rows that it could predict."""

MAX_ROWS_NAMED = 1000
"""Row numbers given per reason; the count is always whole."""


def validate(points: Path | None = None) -> dict[str, object]:
    """Errors per law: `laws`, and `unpredicted`, the rows by law and reason; plain numbers, ready for JSON.

    Rows count from 1, the first line after the header. ValueError says what is wrong with a file.
    """
    return told(scores(points), points)


def told(scored: dict[str, dict[str, Any]], points: Path | None = None) -> dict[str, object]:
    """What `validate` returns, of what `scores` found; errors that there are none of are None."""
    laws: dict[str, object] = {}
    unpredicted: dict[str, object] = {}
    for law, result in scored.items():
        rows = result["rows"]
        errors = dict.fromkeys(ERRORS) | {key: value for key, value in result.items() if key != "rows"}
        laws[law] = _plain(errors)
        unpredicted[law] = _reasons(rows)
    return {"points": str(points) if points else "bundled", "laws": laws, "unpredicted": unpredicted}


def scores(points: Path | None = None) -> dict[str, dict[str, Any]]:
    """What each law's score returns, `rows` (a DataFrame with measured, predicted and reason) included."""
    if points is not None:
        frame = load(points)
        law = _law_of(frame, points)
        return {law: _module(law).score(frame)}
    return {law: _module(law).score(measurements(law)) for law in BUNDLED}


def measurements(law: str) -> pd.DataFrame:
    """The measurements that a law was fitted on."""
    with as_file(files("macrohard") / "data" / "measured" / BUNDLED[law]) as path:
        return load(path)


def load(path: Path) -> pd.DataFrame:
    """A CSV of measurements; lines before the header that start with # are comments."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
        lines = text.splitlines(keepends=True)
        while lines and lines[0].lstrip().startswith("#"):
            lines.pop(0)
        return pd.read_csv(io.StringIO("".join(lines)), low_memory=False)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: cannot be read as a table: {error}") from None


def _law_of(frame: pd.DataFrame, path: Path) -> str:
    """The law that a table is of, by its columns."""
    lacking: dict[str, list[str]] = {}
    for law in LAWS:
        lacking[law] = [column for column in _module(law).COLUMNS if column not in frame.columns]
        if not lacking[law]:
            return law
    nearest = sorted(lacking, key=lambda law: len(lacking[law]))
    told = "; ".join(f"{law}: {', '.join(lacking[law])}" for law in nearest)
    raise ValueError(f"{path}: its columns fit no kind of measurement; missing are for {told}")


def _module(law: str) -> ModuleType:
    return import_module(f"macrohard.validation.{law}")


def _reasons(rows: pd.DataFrame) -> dict[str, object]:
    """Rows that could not be predicted, by reason."""
    found: dict[str, list[int]] = {}
    for number, reason in enumerate(rows["reason"].fillna("").astype(str).tolist(), start=1):
        if reason:
            found.setdefault(printable(reason), []).append(number)
    return {reason: {"n": len(numbers), "rows": numbers[:MAX_ROWS_NAMED]} for reason, numbers in found.items()}


def _plain(value: object) -> object:
    """Numbers of numpy as those of Python, nan and infinities as None, keys as text."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    return value if value is None else str(value)
