"""A range from which a factor is drawn."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Range:
    """From low to high, evenly or, with log, evenly in the logarithm."""

    low: Any
    high: Any
    log: Any = False
    strange: tuple[str, ...] = ()
    """Keys that do not belong here."""

    def fault(self) -> str | None:
        """What is wrong with it, in words."""
        if self.strange:
            return f"has no key {self.strange[0]!r}"
        for end in (self.low, self.high):
            if isinstance(end, bool) or not isinstance(end, int | float) or not math.isfinite(end):
                return "needs two finite numbers"
        if not isinstance(self.log, bool):
            return "log is true or false"
        if self.low >= self.high:
            return "low is not below high"
        return "low of a log range is not above 0" if self.log and self.low <= 0 else None

    def at(self, share: float, whole: bool) -> float | int:
        """The value at a share of the way from low to high; whole numbers get equal parts of it."""
        low, high = float(self.low), float(self.high)
        if whole:
            low, high = low - 0.5, high + 0.5
        if self.log:
            low = max(low, 0.5) if whole else low
            value = math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
        else:
            value = low + share * (high - low)
        if whole:
            return int(min(max(round(value), math.ceil(self.low)), math.floor(self.high)))
        return min(max(value, float(self.low)), float(self.high))


def of_table(table: Mapping[str, Any]) -> Range:
    """A range from {low, high, log}; faults are found later."""
    strange = tuple(str(key) for key in table if key not in ("low", "high", "log"))
    return Range(table.get("low"), table.get("high"), table.get("log", False), strange)
