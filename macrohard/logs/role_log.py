"""A log of agents' attempts, read and checked: one row per attempt, of whatever role."""

import io
from pathlib import Path

import numpy as np
import pandas as pd

from macrohard.faults import Fault, ScenarioError, printable
from macrohard.logs.request_log import MAX_BYTES

NEEDED = ("role", "minutes", "calls", "input_tokens", "cached_tokens", "output_tokens", "tool_s", "success")
"""minutes: what the ticket would take a human; success: 1 or 0, blank where it is not known."""

STAGES = {
    "coding": "code", "code": "code", "coder": "code", "testing": "test", "test": "test", "tester": "test",
    "design": "design", "designer": "design", "management": "plan", "manager": "plan", "plan": "plan",
    "planning": "plan", "review": "review", "reviewer": "review",
}  # fmt: skip
"""Names of roles, and the stage whose ratios they set."""

MAX_ROWS = 2_000_000
RANGES = {
    "minutes": (1e-3, 1e7), "calls": (1e-9, 1e7), "input_tokens": (0.0, 1e12), "cached_tokens": (0.0, 1e12),
    "output_tokens": (0.0, 1e12), "tool_s": (0.0, 1e9),
}  # fmt: skip


def read(file: str) -> pd.DataFrame:
    """The attempts with a column `stage`; ScenarioError names every row that is wrong.

    Further columns: task (attempts at one ticket share it: without it retries say nothing).
    """
    frame = _table(file)
    missing = [name for name in NEEDED if name not in frame]
    if missing:
        raise _refusal(file, f"lacks {', '.join(missing)}; needed: {', '.join(NEEDED)}", "add the columns")
    if frame.empty:
        raise _refusal(file, "holds no attempt", "give one row per attempt")
    if len(frame) > MAX_ROWS:
        raise _refusal(file, f"holds {len(frame):,} attempts; allowed: at most {MAX_ROWS:,}", "give a part of it")
    rows = pd.DataFrame({"stage": frame["role"].fillna("").str.strip().str.casefold().map(STAGES)})
    rows["task"] = frame["task"].fillna("").astype(str) if "task" in frame else ""
    faults = []
    for name in (*RANGES, "success"):
        rows[name] = pd.to_numeric(frame[name], errors="coerce").astype(float)
    tests = [("role", rows["stage"].notna(), f"one of {', '.join(STAGES)}")]
    tests += [(name, rows[name].between(low, high), f"{low:g} to {high:g}") for name, (low, high) in RANGES.items()]
    tests.append(("success", rows["success"].isin([0, 1]) | frame["success"].fillna("").eq(""), "0, 1 or blank"))
    tests.append(("cached_tokens", ~(rows["cached_tokens"] > rows["input_tokens"]), "at most the row's input_tokens"))
    for name, is_good, allowed in tests:
        for row in np.flatnonzero(~is_good.to_numpy(bool)).tolist():
            value = str(frame[name].iloc[row])
            faults.append(Fault(file, f"row {row + 1}, {name}", value, f"allowed: {allowed}", "mend or drop the row"))
    if faults:
        raise ScenarioError(faults)
    return rows


def _table(file: str) -> pd.DataFrame:
    path = Path(file)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _refusal(file, f"holds more than {MAX_BYTES / 1e6:,.0f} MB", "give a part of it")
        text = path.read_text(encoding="utf-8-sig")
        return pd.read_csv(io.StringIO(text), dtype=str, comment="#", keep_default_na=False, index_col=False)
    except ScenarioError:
        raise
    except (OSError, ValueError, OverflowError) as error:
        reason = (error.strerror if isinstance(error, OSError) else "") or " ".join(str(error).split())
        raise _refusal(file, f"cannot be read as a table ({printable(reason)})", "give a UTF-8 CSV") from None


def _refusal(file: str, what: str, remedy: str) -> ScenarioError:
    return ScenarioError([Fault(file, "log", None, what, remedy, has_value=False)])
