"""What a size is judged by: a figure for each seed, of a run's summary or of the plant's reliability in a year."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from math import nan

from macrohard.colossus.reliability import Adequacy, Estimate
from macrohard.reliability import reliability
from macrohard.runs import first_tick
from macrohard.scenario import Scenario
from macrohard.seeds import replicate_seed
from macrohard.sweeps.batch import run_all
from macrohard.targets import Target

YEARLY = tuple(each.name for each in fields(Adequacy) if each.type is Estimate)
"""Figures of `macrohard reliability` that every seed has for itself; asked for as reliability.NAME."""
_PREFIX = "reliability."


@dataclass(frozen=True)
class Yardstick:
    """figures: of a scenario, one per seed, the same seeds for every scenario. each_seed: what a seed is, in words."""

    seeds: tuple[int, ...]
    each_seed: str
    figures: Callable[[Scenario], Sequence[float]]


def yardstick(wanted: Target, scenario: Scenario, n_seeds: int) -> Yardstick:
    """The one that has the wanted figure; ScenarioError, before any run, if none has it."""
    is_yearly = wanted.key.startswith(_PREFIX)
    yearly = {"reliability": dict.fromkeys(YEARLY)}
    wanted.figure(yearly if is_yearly else first_tick(scenario).summary | yearly)
    first = scenario.run.seed
    if is_yearly:
        tick_s = scenario.run.tick_s
        told = f"a year of the plant alone as in `macrohard reliability`, in ticks of {tick_s:g} s"
        name = wanted.key.removeprefix(_PREFIX)
        return Yardstick(
            tuple(range(first, first + n_seeds)), told,
            lambda each: getattr(reliability(each, n_seeds=n_seeds, tick_s=tick_s).adequacy, name).each,
        )  # fmt: skip
    seeds = tuple(replicate_seed(first, each) for each in range(n_seeds))
    return Yardstick(seeds, f"a run of {scenario.run.horizon_h:g} h", lambda each: _of_runs(each, wanted, seeds))


def _of_runs(scenario: Scenario, wanted: Target, seeds: Sequence[int]) -> list[float]:
    """The runs share one compiled batch."""
    figures = [nan] * len(seeds)
    for place, outcome in run_all([scenario.override([f"run.seed={seed}"]) for seed in seeds]):
        if isinstance(outcome, Exception):
            raise outcome
        figures[place] = wanted.figure(outcome.summary)
    return figures
