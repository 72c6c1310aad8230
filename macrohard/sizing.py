"""The smallest value of a scenario key that does a job: bisection in which every value meets the same luck."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite, nan, sqrt
from typing import Any

import numpy as np
from scipy.stats import t as student

from macrohard.faults import Fault, ScenarioError
from macrohard.names import nearest
from macrohard.scenario import Scenario
from macrohard.scenario.fields import Path, dotted, field_at, leaves, takes
from macrohard.targets import Target, target
from macrohard.yardsticks import yardstick

CONFIDENCE = 0.95
"""Of the one-sided bound on a mean over seeds."""

STEPS_OF_A_RANGE = 100
"""Keys that take fractions are found to a hundredth of their range unless said otherwise."""


@dataclass(frozen=True)
class Search:
    """What is asked. low, high: ends of the key's range. within: how near is near enough; 1 for whole numbers."""

    key: str
    low: float
    high: float
    is_whole: bool
    within: float
    target: Target
    largest: bool
    confident: bool


@dataclass(frozen=True)
class Point:
    """One value tried. figures: the metric, one per seed. bound: their mean's one-sided 95 % bound, on the bad side."""

    value: float
    figures: tuple[float, ...]
    mean: float
    bound: float
    meets: bool


@dataclass(frozen=True)
class Sizing:
    """What was found. value: None if no value tried does it; points: all tried, by value; each_seed: what a seed is."""

    scenario: str
    search: Search
    seeds: tuple[int, ...]
    each_seed: str
    points: tuple[Point, ...]
    value: float | None
    reached: Point
    """The point of the answer, or, where there is none, the one that came nearest."""
    is_monotone: bool
    remarks: tuple[str, ...] = field(default_factory=tuple)

    def document(self) -> dict[str, Any]:
        """All of it as plain figures."""
        asked = self.search
        return {
            "scenario": self.scenario, "vary": asked.key, "low": asked.low, "high": asked.high, "within": asked.within,
            "until": str(asked.target), "seeks": "largest" if asked.largest else "smallest",
            "judged_on": _judged_on(asked), "seeds": list(self.seeds), "each_seed": self.each_seed, "value": self.value,
            "reached": _plain(self.reached), "is_monotone": self.is_monotone, "remarks": list(self.remarks),
            "points": [_plain(each) for each in self.points],
        }  # fmt: skip


Told = Callable[[Point], None]
"""Told each point as it is tried."""


def size(
    scenario: Scenario,
    vary: str,
    until: str,
    *,
    replicates: int = 4,
    confident: bool = False,
    largest: bool = False,
    within: float | None = None,
    told: Told = lambda point: None,
) -> Sizing:
    """The smallest value of a key in LO..HI for which a figure meets a condition.

    `vary` is KEY=LO:HI, `until` METRIC<=VALUE (or >=, <, >), as on the command line; METRIC is one of the summary or of
    a year of the plant (reliability.lolh_h). Every value meets the same seeds, and is judged on the mean over them;
    confident: on its one-sided 95 % bound. largest: the largest value instead.
    """
    search = asked(scenario, vary, until, confident=confident, largest=largest, within=within)
    if replicates < (2 if confident else 1):
        raise ScenarioError([Fault("", "replicates", replicates, "too few to judge by", "take at least 2")])
    by = yardstick(search.target, with_value(scenario, search, search.low), replicates)

    def tried(value: float) -> Point:
        point = judged(search, value, by.figures(with_value(scenario, search, value)))
        told(point)
        return point

    return found(scenario.name, search, by.seeds, tried, by.each_seed)


def found(
    name: str, search: Search, seeds: Sequence[int], tried: Callable[[float], Point], each_seed: str = "a run"
) -> Sizing:
    """Bisects: `near` is the end that is wished for, `far` the one that should do it; both are always tried."""
    near, far = (search.high, search.low) if search.largest else (search.low, search.high)
    points = {value: tried(value) for value in (near, far)}
    wished, sure = points[near], points[far]
    remarks = []
    answer: float | None
    if wished.meets:
        answer = near
        remarks.append(f"{near:g}, the {_end(search)} end of the range, does it already: the answer may lie beyond")
        if not sure.meets:
            other = "smallest" if search.largest else "largest"
            remarks.append(f"{far:g} does not do it: did you mean the {other} that does?")
    elif not sure.meets:
        answer = None
        middle = _middle(search, near, far)
        if middle not in points:
            points[middle] = tried(middle)
        if points[middle].meets:
            remarks.append(f"neither end does it, but {middle:g} does: search {near:g} to {middle:g}")
    else:
        while abs(far - near) > search.within * (1 + 1e-9):
            middle = _middle(search, near, far)
            points[middle] = tried(middle)
            near, far = (near, middle) if points[middle].meets else (middle, far)
        answer = far
    ordered = tuple(sorted(points.values(), key=lambda each: each.value))
    turns = reversals(ordered)
    remarks += [
        f"not monotone: from {a.value:g} to {b.value:g} the figure goes the other way "
        f"({a.mean:.4g} to {b.mean:.4g}), so values that were not tried may do it too"
        for a, b in turns
    ]
    reached = points[answer] if answer is not None else _nearest(search.target, ordered)
    return Sizing(name, search, tuple(seeds), each_seed, ordered, answer, reached, not turns, tuple(remarks))


def asked(
    scenario: Scenario, vary: str, until: str, *, confident: bool = False, largest: bool = False,
    within: float | None = None,
) -> Search:  # fmt: skip
    """What a search of these texts asks; ScenarioError if it cannot be searched."""
    key, _, ends = vary.partition("=")
    key = key.strip()
    path: Path = tuple(int(part) if part.isdecimal() and len(part) < 7 else part for part in key.split("."))
    known = field_at(Scenario, path) if len(path) > 1 and "" not in path else None
    if known is None:
        near = nearest(key, [dotted(each) for each, _ in leaves(Scenario)])
        meant = f"did you mean {near}?" if near else "write it like power.megapack.n_units=0:336"
        raise _refusal("--vary", vary, "allowed: KEY=LO:HI with a numeric key of a scenario", meant)
    if not (takes(known, int) or takes(known, float)) or key == "run.seed":
        raise _refusal("--vary", vary, f"{key} is no quantity", "vary a number, such as power.megapack.n_units")
    is_whole = takes(known, int) and not takes(known, float)
    low, high = _ends(vary, ends, is_whole)
    step = 1.0 if is_whole else (high - low) / STEPS_OF_A_RANGE
    if within is not None:
        if not (isfinite(within) and within > 0):
            raise _refusal("--within", within, "allowed: a number above 0", "leave it out for a hundredth of the range")
        step = max(within, 1.0) if is_whole else within
    test = target(until, "--until")
    if test.test in ("==", "!="):
        raise _refusal("--until", until, "allowed: <=, <, >= or >", "say which side of the value is wanted")
    search = Search(key, low, high, is_whole, step, test, largest, confident)
    for value in (low, high):
        with_value(scenario, search, value)
    return search


def with_value(scenario: Scenario, search: Search, value: float) -> Scenario:
    """The scenario with the key at a value."""
    return scenario.override([f"{search.key}={int(value) if search.is_whole else repr(float(value))}"])


def judged(search: Search, value: float, figures: Sequence[float]) -> Point:
    """A point from the figures of its seeds."""
    array = np.asarray(figures, float)
    mean, n = float(array.mean()), len(array)
    half = float(student.ppf(CONFIDENCE, n - 1)) * float(array.std(ddof=1)) / sqrt(n) if n > 1 else nan
    bound = mean + half if search.target.test in ("<=", "<") else mean - half
    return Point(value, tuple(array.tolist()), mean, bound, search.target.holds(bound if search.confident else mean))


def reversals(points: Sequence[Point]) -> list[tuple[Point, Point]]:
    """Neighbours between which the figure goes against its way from end to end, by more than luck.

    Luck: two standard errors of the difference seed by seed.
    """
    whole_way = points[-1].mean - points[0].mean
    sign = 1.0 if whole_way >= 0 else -1.0
    against = []
    for one, other in zip(points[:-1], points[1:], strict=True):
        steps = sign * (np.asarray(other.figures) - np.asarray(one.figures))
        error = float(steps.std(ddof=1)) / sqrt(len(steps)) if len(steps) > 1 else 0.0
        slack = 2 * error + 1e-6 * max(abs(one.mean), abs(other.mean))
        if float(steps.mean()) < -slack:
            against.append((one, other))
    return against


def _ends(vary: str, text: str, is_whole: bool) -> tuple[float, float]:
    try:
        low, high = (float(part) for part in text.split(":"))
    except ValueError:
        low = high = nan
    if not (isfinite(low) and isfinite(high) and low < high):
        raise _refusal("--vary", vary, "allowed: KEY=LO:HI with LO < HI", "write it like power.megapack.n_units=0:336")
    if is_whole and not (low.is_integer() and high.is_integer()):
        raise _refusal("--vary", vary, "takes whole numbers alone", "give whole ends")
    return low, high


def _middle(search: Search, near: float, far: float) -> float:
    middle = (near + far) / 2
    return float(int(middle)) if search.is_whole else middle


def _nearest(wanted: Target, points: Sequence[Point]) -> Point:
    """The point whose mean comes nearest to the condition."""
    sign = 1.0 if wanted.test in ("<=", "<") else -1.0
    return min(points, key=lambda each: sign * each.mean if isfinite(each.mean) else inf)


def _judged_on(search: Search) -> str:
    return f"one-sided {CONFIDENCE:.0%} bound of the mean" if search.confident else "mean over seeds"


def _end(search: Search) -> str:
    return "upper" if search.largest else "lower"


def _plain(point: Point) -> dict[str, Any]:
    return {"value": point.value, "mean": point.mean, "bound": point.bound, "meets": point.meets,
            "figures": list(point.figures)}  # fmt: skip


def _refusal(option: str, value: object, allowed: str, remedy: str) -> ScenarioError:
    return ScenarioError([Fault("", option, value, allowed, remedy)])
