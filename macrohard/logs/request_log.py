"""A recorded log of requests: read from CSV or JSON lines, scaled without losing its rhythm, burstiness measured."""

import gzip
import io
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from macrohard.colossus.requests import Array, Requests
from macrohard.faults import Fault, ScenarioError, shown

BUNDLED = "azure-code-2023"
"""One hour of the Azure code-completion trace of November 2023 (CC BY 4.0, Azure Public Dataset), 8,819 requests."""

MAX_BYTES = 400_000_000
"""Text of a log beyond this is refused."""

MAX_REQUESTS = 3_000_000
"""Requests simulated at most."""

MAX_TOKENS = 1e9
JITTER_S = 1.0
"""Copies of a request are spread this far to either side, so that load grows and the rhythm of seconds stays."""

COLUMNS = {"arrival_s": ("arrivals", "timestamp"), "context_tokens": ("contexttokens",)}
COLUMNS |= {"generated_tokens": ("generatedtokens",), "cached_tokens": ("cachedtokens",)}
"""What a log holds and how its columns may be called (letters and digits alone count); cached_tokens may be missing."""


def read(file: str) -> Requests:
    """The requests of a CSV (also .gz) or JSON-lines file, or of the bundled log; ScenarioError names what is wrong.

    Arrivals count from the first; times of day are read too. Rows need not be in order.
    """
    text = _text(file)
    frame = _json_lines(file, text) if _is_json(file) else _csv(file, text)
    known = {"".join(c for c in str(name).casefold() if c.isalnum()): name for name in frame.columns}
    found = {name: next((known[a] for a in told if a in known), None) for name, told in COLUMNS.items()}
    missing = [name for name, column in found.items() if column is None and name != "cached_tokens"]
    if missing:
        raise _refusal(file, ", ".join(missing), "there is no such column; needed: arrival_s, context_tokens,"
                       " generated_tokens; cached_tokens may join", "rename the columns")  # fmt: skip
    arrival_s = _seconds(frame[found["arrival_s"]])
    context, generated = (_numbers(frame[found[name]]) for name in ("context_tokens", "generated_tokens"))
    cached = _numbers(frame[found["cached_tokens"]]) if found["cached_tokens"] else np.zeros(len(frame))
    _check(file, arrival_s, context, generated, cached)
    order = np.argsort(arrival_s, kind="stable")
    since = arrival_s[order] - arrival_s[order[0]]
    return Requests(since, context[order], generated[order], (context - cached)[order])


def scaled(requests: Requests, factor: float, seed: int) -> Requests:
    """The log with its load multiplied: each request so many times, the copies within a second of it.

    Busy and quiet minutes keep their ratio. Below 1, requests are dropped by the dice.
    """
    if factor == 1.0:
        return requests
    n = len(requests.arrival_s)
    if not 0 < factor * n <= MAX_REQUESTS:
        what = f"makes {factor * n:,.0f} requests; allowed: more than 0, at most {MAX_REQUESTS:,}"
        raise _refusal("", f"--scale {factor:g}", what, "scale less, or a part of the log")
    rng = np.random.default_rng(np.random.SeedSequence([seed, 7]))
    copies = np.floor(factor + rng.random(n)).astype(np.int64)
    rows = np.repeat(np.arange(n), copies)
    if not len(rows):
        raise _refusal("", f"--scale {factor:g}", "leaves no request", "scale less")
    is_copy = np.concatenate([[False], rows[1:] == rows[:-1]])
    arrival_s = requests.arrival_s[rows] + is_copy * rng.uniform(-JITTER_S, JITTER_S, len(rows))
    arrival_s = np.clip(arrival_s, 0.0, requests.arrival_s[-1])
    order = np.argsort(arrival_s, kind="stable")
    rows = rows[order]
    return Requests(
        arrival_s[order], requests.context_tokens[rows], requests.generated_tokens[rows], requests.computed_tokens[rows]
    )


def dispersion(arrival_s: Array, window_s: float) -> float:
    """Index of dispersion of counts: variance over mean of the arrivals per window; 1 for a Poisson stream."""
    n_windows = int(arrival_s[-1] // window_s) if len(arrival_s) else 0
    if n_windows < 2:
        return float("nan")
    inside = arrival_s[arrival_s < n_windows * window_s]
    counts = np.bincount((inside / window_s).astype(np.int64), minlength=n_windows)
    return float(counts.var() / max(counts.mean(), 1e-12))


def _text(file: str) -> str:
    if file == BUNDLED and not Path(file).exists():
        packed = files("macrohard").joinpath("data", "azure_code_trace_sample.csv.gz").read_bytes()
        return gzip.decompress(packed).decode()
    path = Path(file)
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as source:
            content = source.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise _refusal(file, "", f"holds more than {MAX_BYTES / 1e6:,.0f} MB", "give a part of it")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refusal(file, "", f"is not UTF-8 at byte {error.start}", "save it as UTF-8") from None
    except (OSError, EOFError, ValueError) as error:
        if isinstance(error, ScenarioError):
            raise
        reason = (error.strerror if isinstance(error, OSError) else "") or str(error)
        remedy = f"check name and rights; the bundled log is {BUNDLED}"
        raise _refusal(file, "", f"cannot be read ({reason})", remedy) from None


def _is_json(file: str) -> bool:
    return file.removesuffix(".gz").endswith((".jsonl", ".ndjson", ".json"))


def _csv(file: str, text: str) -> pd.DataFrame:
    try:
        return pd.read_csv(io.StringIO(text), dtype=str, comment="#", skip_blank_lines=True, index_col=False)
    except (ValueError, OverflowError) as error:
        raise _refusal(file, "", f"is no table ({' '.join(str(error).split())})", "give a CSV with a header") from None


def _json_lines(file: str, text: str) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            raise _refusal(file, f"line {number}", "is no JSON object", "one object a line: {...}")
        rows.append(row)
    return pd.DataFrame(rows, dtype=object)


def _numbers(column: "pd.Series[Any]") -> Array:
    return pd.to_numeric(column, errors="coerce").to_numpy(float)


def _seconds(column: "pd.Series[Any]") -> Array:
    values = _numbers(column)
    if len(values) and np.isnan(values).all():
        moments = pd.to_datetime(column.astype(str), errors="coerce", utc=True, format="ISO8601")
        return np.where(moments.isna(), np.nan, (moments - moments.min()).dt.total_seconds())
    return values


def _check(file: str, arrival_s: Array, context: Array, generated: Array, cached: Array) -> None:
    if not len(arrival_s):
        raise _refusal(file, "", "holds no request", "give one row per request")
    if len(arrival_s) > MAX_REQUESTS:
        what = f"holds {len(arrival_s):,} requests; allowed: at most {MAX_REQUESTS:,}"
        raise _refusal(file, "", what, "give a part of it")
    faults = []
    tests = (
        ("arrival_s", arrival_s, np.abs(arrival_s) <= 1e12, "a number of seconds, or times of one kind in all rows"),
        ("context_tokens", context, (context >= 0) & (context <= MAX_TOKENS), f"0 to {MAX_TOKENS:g}"),
        ("generated_tokens", generated, (generated >= 0) & (generated <= MAX_TOKENS), f"0 to {MAX_TOKENS:g}"),
        ("cached_tokens", cached, (cached >= 0) & ~(cached > context), "0 to the row's context_tokens"),
    )
    for name, values, is_good, allowed in tests:
        for row in np.flatnonzero(~is_good).tolist():
            value = None if np.isnan(values[row]) else float(values[row])
            text = "no number" if value is None else shown(value)
            faults.append(Fault(file, f"row {row + 1}, {name}", text, f"allowed: {allowed}", "mend or drop the row"))
    if faults:
        raise ScenarioError(faults)


def _refusal(file: str, key: str, what: str, remedy: str) -> ScenarioError:
    return ScenarioError([Fault(file, key or "log", None, what, remedy, has_value=False)])
