"""What the page of a sweep knows: plan and results in one table, and what can be asked of it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
import pandas as pd

MAX_LEVELS = 12
N_BINS = 8
FULL = 0.8
CAUSES = ("backlog", "agents", "gpus", "power")


class Spread(NamedTuple):
    """Mean of a figure over runs, with the interval that holds 80 % of them (10th to 90th percentile)."""

    mean: float
    low: float
    high: float
    n: int


class Index(Protocol):
    """How much one factor moves one figure, with the half width of its interval."""

    @property
    def metric(self) -> str: ...  # noqa: D102
    @property
    def factor(self) -> str: ...  # noqa: D102
    @property
    def total(self) -> float: ...  # noqa: D102
    @property
    def total_half_width(self) -> float: ...  # noqa: D102


@dataclass(frozen=True)
class Study:
    """A sweep as its page sees it. `runs` has one row per run: point, seed, status, factors, every figure."""

    name: str
    about: str
    scenario: str
    design: str
    factors: tuple[str, ...]
    metrics: tuple[str, ...]
    runs: pd.DataFrame
    maps: Mapping[tuple[str, str, str], pd.DataFrame] = field(default_factory=dict)
    """Mean of a figure over two factors, by (figure, x, y): a column for each level of x, a row for each of y."""
    conditions: tuple[str, ...] = ()
    feasible: Mapping[tuple[str, str], pd.DataFrame] = field(default_factory=dict)
    """Share of the runs that meet all conditions, by (x, y), laid out as the maps."""
    indices: Sequence[Index] = ()
    method: str = ""
    """How the indices were found; empty if there are none."""
    failures: Mapping[str, str] = field(default_factory=dict)
    """Error by run id."""
    assumptions: Sequence[tuple[str, str, str]] = ()
    """Name, value and reason."""
    hours: float = math.nan
    told: Mapping[str, str] = field(default_factory=dict)
    """How to get it again: command, digest, version."""

    @property
    def done(self) -> pd.DataFrame:
        """The rows of the runs that finished."""
        return self.runs[self.runs["status"] == "done"]

    @property
    def n_points(self) -> int:
        """Points of the plan."""
        return int(self.runs["point"].nunique())

    @property
    def replicates(self) -> int:
        """Most runs of one point."""
        return int(self.runs.groupby("point").size().max()) if len(self.runs) else 0

    def at_points(self, metric: str) -> dict[int, Spread]:
        """A figure at every point that has finished runs."""
        groups = self.done.groupby("point")[metric] if metric in self.done else ()
        found = {int(str(point)): spread(values) for point, values in groups}
        return {point: each for point, each in found.items() if each.n}

    def by_level(self, metric: str, factor: str, where: pd.Series | None = None) -> list[tuple[object, Spread]]:
        """A figure at each level of a factor, rising; of all finished runs, or of those `where` is true of."""
        rows = self.done if where is None else self.done[where]
        if metric not in rows or not len(rows):
            return []
        at = at_levels(rows[factor])
        found = [(level, spread(rows.loc[at == level, metric])) for level in sorted(at.dropna().unique())]
        return [(level, each) for level, each in found if each.n]

    def effect(self, metric: str, factor: str) -> tuple[object, float, object, float]:
        """Lowest and highest mean of a figure over the levels of a factor: level and mean of each."""
        found = self.by_level(metric, factor)
        if not found:
            return math.nan, math.nan, math.nan, math.nan
        low, high = min(found, key=lambda each: each[1].mean), max(found, key=lambda each: each[1].mean)
        return low[0], low[1].mean, high[0], high[1].mean

    def drivers(self, metric: str) -> list[str]:
        """The factors, that which moves the figure most first."""
        spans = {factor: (lambda e: e[3] - e[1])(self.effect(metric, factor)) for factor in self.factors}
        return sorted(spans, key=lambda factor: -spans[factor] if math.isfinite(spans[factor]) else 0.0)

    def varies(self, metric: str) -> bool:
        """Whether a figure differs between points by more than rounding."""
        means = [each.mean for each in self.at_points(metric).values()]
        return bool(means) and max(means) - min(means) > 1e-9 * max(1e-9, *map(abs, means))

    def point(self, number: int) -> dict[str, object]:
        """The factors of a point."""
        row = self.runs[self.runs["point"] == number].iloc[0]
        return {factor: row[factor] for factor in self.factors}

    def held_back(self, rows: pd.DataFrame | None = None) -> dict[str, float]:
        """Mean share of the time in which each cause held the work back, largest first."""
        rows = self.done if rows is None else rows
        shares = {cause: float(rows[f"binding.{cause}"].mean()) for cause in CAUSES if f"binding.{cause}" in rows}
        known = {cause: share for cause, share in shares.items() if math.isfinite(share)}
        return dict(sorted(known.items(), key=lambda each: -each[1]))


def spread(values: "pd.Series[float]") -> Spread:
    """Mean and 80 % interval of what is there; n = 0 and nan if nothing is."""
    there = values.to_numpy(dtype=np.float64, na_value=np.nan)
    there = there[np.isfinite(there)]
    if not there.size:
        return Spread(math.nan, math.nan, math.nan, 0)
    low, high = np.quantile(there, (0.1, 0.9)) if there.size > 1 else (there[0], there[0])
    return Spread(float(there.mean()), float(low), float(high), int(there.size))


def is_number(column: pd.Series) -> bool:
    """Whether a factor has numbers for levels."""
    return bool(pd.api.types.is_numeric_dtype(column)) and not pd.api.types.is_bool_dtype(column)


def at_levels(column: pd.Series) -> pd.Series:
    """The level of each row: the value itself, or, of many numbers, the middle of one of eight bins of equal count."""
    if not is_number(column):
        return column.astype(str)
    if column.nunique() <= MAX_LEVELS:
        return column.astype(float)
    bins = pd.qcut(column, N_BINS, duplicates="drop")
    middles = column.groupby(bins, observed=True).mean()
    return bins.map(middles).astype(float)


def is_full(table: pd.DataFrame) -> bool:
    """Whether a table of two factors has two levels of each and most of its cells: drawn points leave many empty."""
    return min(table.shape) > 1 and float(table.notna().to_numpy().mean()) >= FULL
