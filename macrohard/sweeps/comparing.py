"""Two sweeps, or two points of them, compared run by run: equal seeds met equal luck, so differences are paired."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from macrohard.scenario import Scenario
from macrohard.store import StoreError
from macrohard.sweeps.design import Point, points_of, texts
from macrohard.sweeps.experiment import Experiment
from macrohard.sweeps.stored import manifest, table


@dataclass(frozen=True)
class Difference:
    """A figure of B against A, over pairs of runs of equal seed; the interval is that of the mean difference, 95 %."""

    metric: str
    n: int
    mean_a: float
    mean_b: float
    difference: float
    low: float | None
    high: float | None

    def to_dict(self) -> dict[str, object]:
        """For --json."""
        return asdict(self) | {"in_words": str(self)}

    def __str__(self) -> str:
        """In words."""
        if not self.n:
            return f"{self.metric}: no pair of runs has it"
        change = f"{self.mean_a:,.4g} -> {self.mean_b:,.4g}"
        share = f" ({self.difference / abs(self.mean_a):+.1%})" if self.mean_a else ""
        if self.low is None or self.high is None:
            return f"{self.metric}: {change}{share}; one pair, so no interval"
        span = f"{self.difference:+,.4g}, 95 % interval {self.low:+,.4g} to {self.high:+,.4g}, {self.n} pairs"
        if self.low <= 0.0 <= self.high:
            return f"{self.metric}: no difference can be told: {change}, {span}"
        return f"{self.metric}: B is {'higher' if self.difference > 0 else 'lower'}: {change}{share}, {span}"


def compare(a: str, b: str, metrics: list[str] | None = None) -> list[Difference]:
    """B against A; each is a sweep's folder, or FOLDER#POINT for one point of it."""
    told = manifest(_folder(a)) or {}
    pairs = pairs_of(a, b)
    return [_difference(name, pairs) for name in metrics or list(told["experiment"]["metrics"])]


def pairs_of(a: str, b: str) -> pd.DataFrame:
    """A row per pair of finished runs of equal seed (and of equal factors, of whole sweeps): 'FIGURE a', 'FIGURE b'."""
    left, right = _rows(a), _rows(b)
    told = manifest(_folder(a)) or {}
    keys = ["seed"] if "#" in a or "#" in b else ["seed", *[k for k in told["factors"] if k in right]]
    pairs = left.merge(right, on=keys, suffixes=(" a", " b"))
    for name, rows in ((a, left), (b, right)):
        if not len(rows):
            what = "no such point, or no run of it has finished" if "#" in name else "no run has finished"
            raise StoreError(f"{name}: {what}; see `macrohard sweep status {_folder(name)}`")
    if not len(pairs):
        raise StoreError(f"{a} and {b}: have no runs of equal seed and factors; compare points with FOLDER#POINT")
    return pairs


def told_otherwise(a: str, b: str) -> dict[str, tuple[object, object]]:
    """Keys of the scenario that the two set differently, with both values."""
    left, right = _settings(a), _settings(b)
    both = [key for key in left | right if left.get(key) != right.get(key)]
    return {key: (left.get(key, "left out"), right.get(key, "left out")) for key in both}


def _difference(name: str, pairs: pd.DataFrame) -> Difference:
    if f"{name} a" not in pairs:
        raise StoreError(f"{name}: no such figure; see the columns of runs/part-*.parquet")
    both = pairs[[f"{name} a", f"{name} b"]].dropna()
    gaps = both[f"{name} b"] - both[f"{name} a"]
    n, mean = len(gaps), float(gaps.mean())
    low = high = None
    if n > 1:
        from scipy.stats import t

        half = float(t.ppf(0.975, n - 1)) * float(gaps.std(ddof=1)) / math.sqrt(n)
        low, high = mean - half, mean + half
    return Difference(name, n, float(both[f"{name} a"].mean()), float(both[f"{name} b"].mean()), mean, low, high)


def _settings(name: str) -> dict[str, object]:
    """All of a scenario by dotted key, with the factors of the point if there is one."""
    folder, _, point = name.partition("#")
    told = manifest(Path(folder)) or {}
    factors: Point = {}
    if point:
        factors = list(points_of(Experiment.of(told["experiment"])))[int(point)]
    tree = Scenario.parse(told["scenario"], name, texts(factors)).model_dump(mode="json")
    return {key: value for key, value in _flat(tree).items() if not key.startswith("run.seed")}


def _flat(tree: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in tree.items():
        found |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {prefix + key: value}
    return found


def _folder(name: str) -> Path:
    return Path(name.partition("#")[0])


def _rows(name: str) -> pd.DataFrame:
    rows = table(_folder(name))
    _, hash_, point = name.partition("#")
    if hash_:
        rows = rows[rows["point"] == int(point)] if point.isdecimal() else rows[:0]
    return rows[rows["status"] == "done"].drop_duplicates("run_id").drop(columns=["run_id", "point", "replicate"])
