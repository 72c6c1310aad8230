"""Claims about software: the four roles, and tickets a day and developers at each stage."""

from collections.abc import Mapping

from macrohard.convergence import grained
from macrohard.headlines.headline import INPUT, NOT_SCORED, Headline, claim
from macrohard.headlines.stages import STAGES
from macrohard.results.metrics import Summary
from macrohard.runs import Result, run
from macrohard.scenario import Scenario

N_DRAWS, GRAIN = 16, 0.1
"""Draws of the parameters for the interval of the work done, and simulated agents of each, of a stage's."""
WORK = ("tickets_per_day", "developers_equivalent")
Doubt = Mapping[str, tuple[float, float]]
"""Ends of the 80 % interval over draws of parameters and dice, relative to the undrawn run, by figure of WORK."""


def doubted(scenario: Scenario, n_draws: int = N_DRAWS) -> Doubt:
    """How far parameters and dice move the work done, on a coarse copy of the factory."""
    summary = run(scenario.override(grained(scenario, GRAIN)), uncertain=True, replicates=n_draws).summary
    drawn = summary["replicates"]["metrics"]
    ends = {name: (drawn[f"work.{name}"]["low"], drawn[f"work.{name}"]["high"]) for name in WORK}
    return {name: (low / summary["work"][name], high / summary["work"][name]) for name, (low, high) in ends.items()}


def of_work(ran: Mapping[str, Result], doubt: Doubt) -> list[Headline]:
    """The roles that are automated, and what the factory delivers at each stage with its interval."""
    roles, source = claim("roles")
    busy = {
        role: ran["colossus2-phase1"].series[f"busy_{role}"].mean()
        for role in ("management", "design", "coding", "testing")
    }
    total = sum(busy.values())
    shares = ", ".join(f"{role} {count / total:.0%}" for role, count in busy.items())
    at_work = float(sum(count > 0 for count in busy.values()))
    found = [
        Headline(
            "coding, design, testing and management by agents",
            source,
            roles,
            f"share of agents at work: {shares}",
            at_work,
            "role",
            INPUT,
            "the four roles are written into the factory; that they suffice is not shown by it",
        )
    ]
    for name, size in STAGES.items():
        work = ran[name].summary["work"]
        why = (
            f"a ceiling: the backlog never ends. Held back by {_worst(ran[name].summary)}",
            "the human minutes of those tickets over a developer's day; that METR's lengths hold there is assumed",
        )
        units = (("tickets a day", "ticket a day"), ("developers", "developer"))
        for figure, (what, unit), means in zip(WORK, units, why, strict=True):
            value = float(work[figure])
            low, high = (value * each for each in doubt[figure])
            found.append(
                Headline(
                    f"software by agents alone, {size}: {what}",
                    source,
                    None,
                    f"{value / 1e6:.1f} M {what} ({low / 1e6:.1f}-{high / 1e6:.1f} M)",
                    value,
                    unit,
                    NOT_SCORED,
                    f"{means}. 80 % over parameters and dice, as drawn for phase 1",
                    low,
                    high,
                )
            )
    return found


def _worst(summary: Summary) -> str:
    shares = {name: summary["binding"][name] for name in ("backlog", "agents", "gpus", "power")}
    return max(shares, key=lambda name: float(shares[name]))
