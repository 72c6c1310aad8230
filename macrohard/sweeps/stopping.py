"""Which replicates a point needs: all of them, or as many as make the interval of a figure narrow enough.

Decided from a point's own first replicates alone, so that it does not depend on the order in which runs end.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping

from macrohard.sweeps.design import Run
from macrohard.sweeps.experiment import Confidence


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


def wanted(runs: Iterable[Run], rule: Confidence | None, figures: Mapping[str, float | None]) -> list[Run]:
    """The runs that are needed, as far as can be told; `figures` are those of the finished runs (None: failed)."""
    if rule is None:
        return list(runs)
    points: dict[int, list[Run]] = defaultdict(list)
    for run in runs:
        points[run.point].append(run)
    needed: list[Run] = []
    for replicates in points.values():
        ordered = sorted(replicates, key=lambda run: run.replicate)
        values: list[float] = []
        for number, run in enumerate(ordered):
            if number >= rule.min_replicates and half_width(values) <= rule.half_width:
                break
            needed.append(run)
            if run.run_id not in figures:
                if number + 1 >= rule.min_replicates:
                    break
            elif (value := figures[run.run_id]) is not None:
                values.append(value)
    return needed
