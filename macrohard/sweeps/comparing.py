"""Two sweeps, points of them or runs, compared run by run: equal seeds met equal luck, so differences are paired."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from macrohard.names import meant
from macrohard.scenario import Scenario
from macrohard.store import StoreError, is_run, read_run
from macrohard.sweeps.design import Point, points_of, texts
from macrohard.sweeps.experiment import Experiment
from macrohard.sweeps.figures import flat
from macrohard.sweeps.stored import manifest, table

FIGURES_OF_RUNS = (
    "work.tickets_per_day", "work.developers_equivalent", "work.lead_time_h_p50", "work.change_failure_rate",
    "tokens.tokens_per_ticket", "gpu.utilization_mean", "gpu.tok_s_per_stream_mean", "power.load_mean_mw",
    "power.load_peak_mw", "power.unserved_mwh", "power.capped_mwh", "cost.usd_per_ticket", "cost.kwh_per_ticket",
    "cost.co2_t",
)  # fmt: skip
"""What two plain runs are compared by if nothing is asked for."""


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
            return f"{self.metric}: {change}{share}"
        span = f"{self.difference:+,.4g}, 95 % interval {self.low:+,.4g} to {self.high:+,.4g}, {self.n} pairs"
        if self.low <= 0.0 <= self.high:
            return f"{self.metric}: no difference can be told: {change}, {span}"
        return f"{self.metric}: B is {'higher' if self.difference > 0 else 'lower'}: {change}{share}, {span}"


def compare(a: str, b: str, metrics: list[str] | None = None) -> list[Difference]:
    """B against A; each is a sweep's folder, FOLDER#POINT for one point of it, or the folder of a run."""
    pairs = pairs_of(a, b)
    return [_difference(name, pairs) for name in metrics or _asked(a) or _asked(b) or FIGURES_OF_RUNS]


def pairs_of(a: str, b: str) -> pd.DataFrame:
    """A row per pair of finished runs of equal seed (and of equal factors, of whole sweeps): 'FIGURE a', 'FIGURE b'."""
    if _version(a) != _version(b):
        what = f"A is of results version {_version(a)}, B of {_version(b)}, between which laws changed"
        raise StoreError(f"{a} and {b}: {what}; run the older one again")
    left, right = _rows(a), _rows(b)
    keys = ["seed"]
    if not any(_is_one_point(each) for each in (a, b)):
        keys += [key for key in (manifest(_folder(a)) or {})["factors"] if key in right]
    pairs = left.merge(right, on=keys, suffixes=(" a", " b"))
    for name, rows in ((a, left), (b, right)):
        if not len(rows):
            what = "no such point, or no run of it has finished" if "#" in name else "no run has finished"
            raise StoreError(f"{name}: {what}; see `macrohard sweep status {_folder(name)}`")
    for name, rows in ((a, left), (b, right)):
        if rows.duplicated(keys).any():
            what = "several of its runs would pair with one of the other's, by factors that only one of the two has"
            raise StoreError(f"{name}: {what}; name one point, '{name}#0'")
    if not len(pairs) and is_run(_folder(a)) and is_run(_folder(b)):
        seeds = f"A has seed {left['seed'].iloc[0]}, B {right['seed'].iloc[0]}"
        raise StoreError(f"{a} and {b}: {seeds}, so luck differs too; run one again with the --seed of the other")
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
        raise StoreError(f"{name}: no such figure in both; see summary.json of a run, the parts of a sweep")
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
    if is_run(_folder(name)):
        tree = read_run(_folder(name)).scenario.model_dump(mode="json")
        return {key: value for key, value in _flat(tree).items() if key not in _NAMES}
    folder, _, point = name.partition("#")
    told = manifest(Path(folder)) or {}
    factors: Point = {}
    if point:
        factors = list(points_of(Experiment.of(told["experiment"])))[int(point)]
    tree = Scenario.parse(told["scenario"], name, texts(factors)).model_dump(mode="json")
    return {key: value for key, value in _flat(tree).items() if key not in _NAMES}


_NAMES = ("run.seed", "run.name", "run.about")
"""What tells runs apart and changes nothing in them (the seed: pairs have the same)."""


def _flat(tree: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in tree.items():
        found |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {prefix + key: value}
    return found


def _is_one_point(name: str) -> bool:
    return "#" in name or is_run(_folder(name))


def _asked(name: str) -> list[str]:
    """The figures that an experiment asks for; none of a run."""
    return [] if is_run(_folder(name)) else list((manifest(_folder(name)) or {})["experiment"]["metrics"])


def _version(name: str) -> str:
    folder = _folder(name)
    told = read_run(folder).manifest if is_run(folder) else manifest(folder, missing_ok=True)
    if told is None:
        raise StoreError(f"{folder}: is no folder of a run or of a sweep{meant(folder)}")
    return str(told["version"])


def _folder(name: str) -> Path:
    return Path(name.partition("#")[0])


def _rows(name: str) -> pd.DataFrame:
    if is_run(_folder(name)):
        kept = read_run(_folder(name))
        if not kept.manifest["complete"]:
            raise StoreError(f"{name}: was stopped before its horizon; the command that ran it goes on")
        return pd.DataFrame([{"seed": kept.scenario.run.seed, **flat(kept.summary)}])
    rows = table(_folder(name))
    _, hash_, point = name.partition("#")
    if hash_:
        rows = rows[rows["point"] == int(point)] if point.isdecimal() else rows[:0]
    return rows[rows["status"] == "done"].drop_duplicates("run_id").drop(columns=["run_id", "point", "replicate"])
