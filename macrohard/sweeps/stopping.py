"""Which replicates a point needs: all of them, or as many as make the interval of a figure narrow enough.

Decided from a point's own first replicates alone, so that it does not depend on the order in which runs end.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping

from macrohard.sweeps.design import Run
from macrohard.sweeps.experiment import Confidence

Figures = Mapping[str, float | None]
"""Of the runs that have ended, by run id: what the rule looks at, None of those that failed."""


def half_width(values: list[float]) -> float:
    """Half of the 95 % interval of the mean, as a share of the mean; infinite below two values."""
    from scipy.stats import t

    n = len(values)
    if n < 2:
        return math.inf
    mean = sum(values) / n
    spread = math.sqrt(sum((value - mean) ** 2 for value in values) / (n - 1))
    if spread == 0.0:
        return 0.0
    return float(t.ppf(0.975, n - 1)) * spread / math.sqrt(n) / abs(mean) if mean else math.inf


def wanted(runs: Iterable[Run], rule: Confidence | None, figures: Figures) -> list[Run]:
    """The runs that are needed, as far as can be told; `figures` are those of the finished runs (None: failed)."""
    if rule is None:
        return list(runs)
    needed: list[Run] = []
    for replicates in _by_point(runs):
        enough, is_known = _enough(replicates, rule, figures)
        needed += replicates[: enough if is_known else max(enough + 1, rule.min_replicates)]
    return needed


def spared(runs: Iterable[Run], rule: Confidence | None, figures: Figures) -> list[Run]:
    """The runs that the rule does without: of each point all after those that made its interval narrow."""
    if rule is None:
        return []
    over: list[Run] = []
    for replicates in _by_point(runs):
        enough, is_known = _enough(replicates, rule, figures)
        over += replicates[enough:] if is_known else []
    return over


def _by_point(runs: Iterable[Run]) -> list[list[Run]]:
    points: dict[int, list[Run]] = defaultdict(list)
    for run in runs:
        points[run.point].append(run)
    return [sorted(each, key=lambda run: run.replicate) for each in points.values()]


def _enough(replicates: list[Run], rule: Confidence, figures: Figures) -> tuple[int, bool]:
    """How many replicates are enough; or, with False, how many came before the first that has not run."""
    values: list[float] = []
    for number, run in enumerate(replicates):
        if number >= rule.min_replicates and half_width(values) <= rule.half_width:
            return number, True
        if run.run_id not in figures:
            return number, False
        if (value := figures[run.run_id]) is not None:
            values.append(value)
    return len(replicates), True
