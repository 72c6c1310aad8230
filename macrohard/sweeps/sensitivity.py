"""Which factors matter: Morris screening and Sobol' indices (SALib, extra `sensitivity`), with their intervals."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from macrohard.faults import Fault, ScenarioError
from macrohard.store import StoreError
from macrohard.sweeps.experiment import Experiment, takes_whole
from macrohard.sweeps.stored import table

Method = Literal["morris", "sobol"]


MEANT: dict[Method, str] = {
    "morris": "mean absolute change over a factor's range (mu*)",
    "sobol": "share of the variance, with all interactions (total index)",
}
"""What `Index.total` is."""


@dataclass(frozen=True)
class Index:
    """How much one factor moves one figure.

    Morris: `total` is mu*, the mean absolute change of the figure over the factor's range, `first` the mean change.
    Sobol': shares of the figure's variance, `first` by the factor alone, `total` with all it interacts in.
    Intervals are 95 %, half widths.
    """

    metric: str
    factor: str
    first: float
    first_half_width: float
    total: float
    total_half_width: float

    def to_dict(self) -> dict[str, Any]:
        """For --json."""
        return asdict(self)


def sampled(experiment: Experiment, method: Method, n: int) -> Experiment:
    """The experiment with the points that the method wants in place of its own; n trajectories or base points."""
    ranges = experiment.ranges
    if len(ranges) < 2 or len(ranges) < len(experiment.factors):
        what = "needs two or more factors, each {low, high}, and design = 'lhs' or 'sobol'"
        raise ScenarioError([Fault(experiment.name, "factors", None, what, "change them", has_value=False)])
    if experiment.stop.confidence is not None:
        what = "spares replicates; an analysis needs as many of each point"
        fault = Fault(experiment.name, "stop.confidence", None, what, "take it out", has_value=False)
        raise ScenarioError([fault])
    if method == "sobol" and n & (n - 1):
        what = "allowed: a power of 2 for sobol, whose points are even only then"
        raise ScenarioError([Fault("", "--n", n, what, f"take {1 << n.bit_length()}")])
    shares = _sample(len(ranges), method, n, experiment.seed or 1)
    whole = {key: takes_whole(key) for key in ranges}
    rows = [
        {key: ranged.at(float(share), whole[key]) for (key, ranged), share in zip(ranges.items(), row, strict=True)}
        for row in shares
    ]
    tree = experiment.to_dict() | {"name": f"{experiment.name}-{method}", "design": "table", "table": rows}
    return Experiment.of({key: value for key, value in tree.items() if key not in ("factors", "points")})


def indices(experiment: Experiment, folder: Path, method: Method, n: int) -> list[Index]:
    """The indices of every figure of the experiment, from a finished sweep of `sampled`; replicates are averaged."""
    rows = table(folder, experiment.metrics)
    if (rows["status"] != "done").any():
        missing = int((rows["status"] != "done").sum())
        raise StoreError(f"{folder}: {missing} runs are failed or missing; indices need them all")
    shares = _sample(len(experiment.ranges), method, n, experiment.seed or 1)
    found = []
    for metric in experiment.metrics:
        figure = rows.groupby("point")[metric].mean().sort_index().to_numpy(float)
        if np.isnan(figure).any():
            raise StoreError(f"{metric}: is missing in some runs; choose figures that every run has")
        found += _analysed(metric, tuple(experiment.ranges), shares, figure, method)
    return found


def sobol_of(shares: "np.ndarray[Any, Any]", figure: "np.ndarray[Any, Any]", names: tuple[str, ...]) -> list[Index]:
    """Sobol' indices of a function sampled at `shares`, for those who have one apart from a sweep."""
    return _analysed("figure", names, shares, figure, "sobol")


def tornado(found: list[Index], metric: str, method: Method, width: int = 40) -> str:
    """The factors of a figure as bars, longest first, with the half width of the interval."""
    mine = sorted((each for each in found if each.metric == metric), key=lambda each: -each.total)
    longest = max((abs(each.total) for each in mine), default=0.0) or 1.0
    wide = max((len(each.factor) for each in mine), default=0)
    lines = [f"{metric}: {MEANT[method]}, 95 % interval"]
    for each in mine:
        bar = "#" * max(0, round(abs(each.total) / longest * width))
        lines.append(f"  {each.factor:{wide}}  {bar:{width}}  {each.total:.4g} +- {each.total_half_width:.2g}")
    return "\n".join(lines)


def _problem(names: tuple[str, ...]) -> dict[str, Any]:
    return {"num_vars": len(names), "names": list(names), "bounds": [[0.0, 1.0]] * len(names)}


def _sample(n_factors: int, method: Method, n: int, seed: int) -> "np.ndarray[Any, Any]":
    """Points in the unit cube, the same each time."""
    problem = _problem(tuple(map(str, range(n_factors))))
    try:
        if method == "morris":
            from SALib.sample.morris import sample as morris_sample

            return np.asarray(morris_sample(problem, n, num_levels=4, seed=seed))
        from SALib.sample.sobol import sample as sobol_sample

        return np.asarray(sobol_sample(problem, n, calc_second_order=False, seed=seed))
    except ImportError:
        raise StoreError("SALib: is not installed; pip install 'macrohard[sensitivity]'") from None


def _analysed(
    metric: str, names: tuple[str, ...], shares: "np.ndarray[Any, Any]", figure: "np.ndarray[Any, Any]", method: Method
) -> list[Index]:
    problem = _problem(names)
    if float(np.ptp(figure)) == 0.0:
        return [Index(metric, name, 0.0, 0.0, 0.0, 0.0) for name in names]
    if method == "morris":
        from SALib.analyze.morris import analyze as analyze_morris

        told = analyze_morris(problem, shares, figure, num_levels=4, seed=1)
        half = np.asarray(told["mu_star_conf"], float)
        columns = [np.asarray(told["mu"], float), half, np.asarray(told["mu_star"], float), half]
    else:
        from SALib.analyze.sobol import analyze as analyze_sobol

        told = analyze_sobol(problem, figure, calc_second_order=False, seed=1)
        columns = [np.asarray(told[name], float) for name in ("S1", "S1_conf", "ST", "ST_conf")]
    return [Index(metric, name, *(float(each[at]) for each in columns)) for at, name in enumerate(names)]
