"""How far off each law is beside how far off it may be: the lines that terminal and page show."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_REASONS = 8
"""Reasons told per law for people; files and JSON hold all of them."""

ERRORS_OF = {
    "serving": "time per output token, or throughput at maximum load",
    "gpu_power": "watts of a GPU; the target is of its power limit",
    "success": "gap between observed and predicted share, over bands of task length",
    "attempt_tokens": "input tokens of a group's median attempt, and of its 90th percentile",
    "role_ratios": "cost and time of a kind of work relative to coding",
}
"""What the errors of a law are errors of."""


@dataclass(frozen=True)
class Band:
    """How far off a law may be (median and 90th percentile; nan: no target), and on which rows."""

    median: float
    p90: float = math.nan
    rows: str = ""


IN_SAMPLE = {
    "serving": Band(0.15, 0.40),
    "gpu_power": Band(0.08),
    "success": Band(0.06),
    "attempt_tokens": Band(0.20, 0.35),
    "serving | aggregated": Band(0.15, 0.40),
    "serving | disaggregated": Band(0.20),
}
"""On the measurements that the laws were fitted on."""

ELSEWHERE = IN_SAMPLE | {"serving": Band(0.22, 0.50), "serving | aggregated": Band(0.22, 0.50)}
"""On other measurements, whose hardware or LLM may be new: the targets for LLMs left out in turn."""


@dataclass(frozen=True)
class Line:
    """One law, or one kind of its rows, beside its targets."""

    name: str
    n: int
    n_predicted: int
    median: float
    p90: float
    bias: float
    band: Band

    @property
    def is_met(self) -> bool | None:
        """Whether every target there is holds; None where there is none, or nothing to hold against it."""
        pairs = ((self.median, self.band.median), (self.p90, self.band.p90))
        told = [error <= target for error, target in pairs if math.isfinite(target) and math.isfinite(error)]
        return all(told) if told else None


def lines(told: Mapping[str, Any]) -> list[Line]:
    """The laws of what `validate` returns, those of serving by kind of row too."""
    bands = IN_SAMPLE if told["points"] == "bundled" else ELSEWHERE
    found = []
    for law, result in told["laws"].items():
        found.append(_line(law, result, bands))
        kinds = result["by"].get("kind", {}) if law == "serving" else {}
        found += [_line(f"{law} | {kind}", errors, bands) for kind, errors in kinds.items() if kind != "unknown"]
    return found


def reasons(told: Mapping[str, Any], law: str, most: int = MAX_REASONS) -> list[str]:
    """Why rows of a law were not predicted, the commonest reasons first."""
    found = sorted(told["unpredicted"].get(law, {}).items(), key=lambda item: -item[1]["n"])
    texts = [f"{why}: {entry['n']:,} ({_rows(entry['rows'], entry['n'])})" for why, entry in found[:most]]
    rest = found[most:]
    if rest:
        texts.append(f"{len(rest)} more reasons: {sum(entry['n'] for _, entry in rest):,} rows")
    return texts


def _rows(rows: list[int], n: int) -> str:
    shown = ", ".join(str(row) for row in rows[:5])
    return f"row{'s' if n > 1 else ''} {shown}{', ...' if n > 5 else ''}"


def _line(name: str, errors: Mapping[str, Any], bands: Mapping[str, Band]) -> Line:
    def figure(key: str) -> float:
        value = errors.get(key)
        return math.nan if value is None else float(value)

    median = "median_abs_error_of_limit" if name == "gpu_power" else "median_abs_error"
    return Line(
        name,
        int(errors["n"]),
        int(errors["n_predicted"]),
        figure(median),
        figure("p90_abs_error"),
        figure("bias"),
        bands.get(name, Band(math.nan)),
    )
