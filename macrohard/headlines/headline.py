"""A claim beside the model's figure for it."""

from dataclasses import asdict, dataclass
from typing import Any

from macrohard.colossus.tables import rows

SCORED, BOUND, FITTED, INPUT, NOT_SCORED = "scored", "lower bound", "fitted", "true by its inputs", "not scored"


@dataclass(frozen=True)
class Headline:
    """One claim. difference: (model - claimed) / claimed; None where there is nothing to compare.

    judged: scored, lower bound, fitted, true by its inputs, or not scored. low, high: interval of the model's figure.
    """

    claim: str
    source: str
    claimed: float | None
    model: str
    modelled: float | None
    unit: str
    judged: str
    explains: str
    low: float | None = None
    high: float | None = None

    @property
    def difference(self) -> float | None:
        """The model's figure over the claimed one, less one."""
        return None if self.claimed is None or self.modelled is None else self.modelled / self.claimed - 1

    def document(self) -> dict[str, Any]:
        """All fields and the difference."""
        return asdict(self) | {"difference": self.difference}


def claim(key: str, nth: int = 0) -> tuple[float, str]:
    """The figure that was claimed, and its source with its standing; the nth where sources disagree."""
    row = [each for each in rows("headlines") if each["key"] == key][nth]
    return float(row["value"]), f"{row['source']} ({row['standing']})"
