"""From an experiment to its runs: points, replicates, seeds and run ids."""

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from macrohard.faults import Fault, ScenarioError
from macrohard.scenario import Scenario, toml_text
from macrohard.scenario.settings import Setting
from macrohard.seeds import replicate_seed
from macrohard.store import run_id
from macrohard.sweeps.experiment import Experiment, takes_whole

Point = dict[str, Any]
"""Values of the factors."""

_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Run:
    """One run of an experiment."""

    point: int
    replicate: int
    seed: int
    run_id: str
    shape: str
    """Equal for runs that can be expected to share a compilation."""


@dataclass(frozen=True)
class Design:
    """Everything that an experiment runs."""

    experiment: Experiment
    base: str
    """The scenario as given, with [set] laid over it, as TOML."""
    points: tuple[Point, ...]
    runs: tuple[Run, ...]
    shards: tuple[int, int] = (1, 1)

    @property
    def factors(self) -> tuple[str, ...]:
        """Names of the factors."""
        return tuple(self.points[0]) if self.points else ()

    def settings(self, run: Run) -> list[str]:
        """The KEY=VALUE texts of a run, laid over the base."""
        return [*texts(self.points[run.point]), f"run.seed={run.seed}"]

    def scenario(self, run: Run) -> Scenario:
        """The scenario of a run."""
        return scenario_of(self.base, self.settings(run))


def lay_out(
    experiment: Experiment, version: str, *, environment: Mapping[str, str] | None = None, base: str = ""
) -> Design:
    """The design of an experiment, on the base that was kept of it or else on its scenario as it is now.

    ScenarioError names the faults of all its points.
    """
    base = base or _base(experiment, environment)
    scenario = Scenario.parse(base, experiment.scenario)
    seeds = [replicate_seed(_seed(experiment, scenario), each) for each in range(experiment.replicates)]
    points = tuple(points_of(experiment))
    runs: list[Run] = []
    faults: dict[str, tuple[Fault, list[int]]] = {}
    for number, point in enumerate(points):
        try:
            settled = scenario.override(texts(point))
        except ScenarioError as error:
            for fault in error.faults:
                faults.setdefault(f"{fault.key}={fault.value!r}: {fault.allowed}", (fault, []))[1].append(number)
            if len(faults) > _SHOWN:
                break
            continue
        shape = shape_of(settled)
        for replicate, seed in enumerate(seeds):
            own = settled.override([f"run.seed={seed}"])
            runs.append(Run(number, replicate, seed, run_id(version, own), shape))
    if faults:
        raise ScenarioError(replace(f, place=_place(experiment, numbers)) for f, numbers in faults.values())
    return Design(experiment, base, points, tuple(runs))


def _place(experiment: Experiment, points: list[int]) -> str:
    """Where a fault is: the first of its points, and how many more have it."""
    more = f" and {len(points) - 1:,} more" if len(points) > 1 else ""
    return f"point {points[0]}{more} of {experiment.name}"


def points_of(experiment: Experiment) -> Iterator[Point]:
    """The points in order; those of lhs and sobol are drawn from the experiment's own seed."""
    if experiment.design == "table":
        yield from (dict(row) for row in experiment.table)
    elif experiment.design == "grid":
        for values in itertools.product(*experiment.levels.values()):
            yield dict(zip(experiment.levels, values, strict=True))
    elif experiment.design == "zip":
        for values in zip(*experiment.levels.values(), strict=True):
            yield dict(zip(experiment.levels, values, strict=True))
    else:
        yield from _sampled(experiment)


def scenario_of(base: str, settings: list[str]) -> Scenario:
    """A scenario from the text of a base and KEY=VALUE texts: the same in every process."""
    return Scenario.parse(base, "sweep", settings)


def texts(point: Point) -> list[str]:
    """A point as KEY=VALUE texts."""
    return [f"{key}={_text(value)}" for key, value in point.items()]


def shape_of(scenario: Scenario) -> str:
    """A guess at what the compiler sees: counts of rows, ticks and units. A wrong one costs time, never a result."""
    run, force, work, power = scenario.run, scenario.workforce, scenario.backlog, scenario.power
    seen = (
        run.horizon_h, run.tick_s, run.series_bins,
        force.coding, force.design, force.testing, force.management,
        work.mode, work.n_epics, work.tickets_per_epic, work.arrivals_per_day, work.file,
        len(power.sources), sum(source.n_units for source in power.sources), power.dispatch, len(power.curtailment),
        len(scenario.cluster.build_out), scenario.serving.placement,
        tuple(model.name for model in scenario.serving.models),
    )  # fmt: skip
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:8]


def in_shard(run: Run, shard: tuple[int, int]) -> bool:
    """Whether a run belongs to shard i of n; it never moves when the experiment grows."""
    return int(run.run_id[:8], 16) % shard[1] == shard[0] - 1


def _base(experiment: Experiment, environment: Mapping[str, str] | None) -> str:
    fixed = dict(experiment.set)
    if experiment.stop.horizon_h is not None:
        fixed["run.horizon_h"] = experiment.stop.horizon_h
    first = Scenario.load(experiment.scenario, environment=environment)
    given = first.override([Setting(key, _text(value), "[set]") for key, value in fixed.items()])
    return given.given_toml()


def _seed(experiment: Experiment, scenario: Scenario) -> int:
    return scenario.run.seed if experiment.seed is None else experiment.seed


def _sampled(experiment: Experiment) -> Iterator[Point]:
    from scipy.stats import qmc

    ranges, n = experiment.ranges, int(experiment.points or 0)
    seed = np.random.default_rng(np.random.SeedSequence([experiment.seed or 1, 7]))
    if experiment.design == "lhs":
        shares = qmc.LatinHypercube(len(ranges), rng=seed).random(n)
    else:
        sequence = qmc.Sobol(len(ranges), rng=seed)
        shares = sequence.random_base2(max(0, (n - 1).bit_length()))[:n]
    whole = {key: takes_whole(key) for key in ranges}
    for row in shares:
        yield {
            key: ranged.at(float(share), whole[key]) for (key, ranged), share in zip(ranges.items(), row, strict=True)
        }


def _text(value: object) -> str:
    return toml_text.value_text(value)
