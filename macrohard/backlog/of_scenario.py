"""The backlog that a scenario asks for: read from its file, or drawn from its seed."""

from functools import lru_cache
from math import ceil

import numpy as np

from agents.work import KINDS
from macrohard.backlog.drawn import generate
from macrohard.backlog.file import read
from macrohard.backlog.rows import Backlog
from macrohard.faults import Fault, ScenarioError
from macrohard.scenario import Scenario
from macrohard.scenario.sections import Backlog as Work


def backlog_of(scenario: Scenario, wanted: int) -> Backlog:
    """The backlog of a scenario; one that is saturated and does not say how much work has at least `wanted` tickets."""
    work, run = scenario.backlog, scenario.run
    if work.file:
        return _read_backlog(work.file)
    n_epics = work.n_epics
    if work.mode == "saturated":
        n_epics = n_epics or max(1, ceil(wanted / work.tickets_per_epic))
    drawn = _drawn(work, run.seed, run.horizon_h, n_epics)
    if drawn is None:
        remedy = "set backlog.n_epics or backlog.arrivals_per_day, or backlog.mode = saturated"
        nothing = Fault(scenario.name, "backlog.n_epics", 0, "there is no work at all; allowed: some", remedy)
        raise ScenarioError([nothing])
    return drawn


@lru_cache(maxsize=1)  # points of a sweep that share their luck share their backlog, one after the other
def _drawn(work: Work, seed: int, horizon_h: float, n_epics: int) -> Backlog | None:
    """The backlog of a seed; n_epics of them are there at the start. None if there is no work at all."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, 1]))
    arrivals = np.zeros(n_epics)
    if work.mode != "saturated":
        n_more = int(rng.poisson(work.arrivals_per_day * (horizon_h / 24.0)))
        arrivals = np.concatenate([arrivals, np.sort(rng.uniform(0.0, horizon_h, n_more))])
    if not len(arrivals):
        return None
    return generate(
        n_epics=len(arrivals),
        tickets_per_epic=work.tickets_per_epic,
        size_median_min=work.size_median_min,
        size_sd_log=work.size_sd_log,
        arrivals_h=arrivals,
        blocked_share=work.blocked_share,
        blockers_mean=work.blockers_mean,
        kind_shares=[float(getattr(work.kinds, kind)) for kind in KINDS],
        seed=int(rng.integers(2**31)),
    )


def _read_backlog(path: str) -> Backlog:
    """The user's own backlog; each fault of the file is one of the scenario."""
    try:
        return read(path)
    except ValueError as error:
        lines = [line.removeprefix(f"{path}: ") for line in str(error).splitlines()]
        faults = [Fault(path, "backlog.file", None, line, "mend the file", has_value=False) for line in lines]
        raise ScenarioError(faults) from None
