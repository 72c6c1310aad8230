"""What the tick and the weight change: the same scenario at finer and coarser grain, side by side."""

from collections.abc import Callable, Iterator

import pandas as pd

from macrohard.runs import run
from macrohard.scenario import Scenario

TICKS = (0.25, 0.5, 1.0, 2.0)
"""Ticks tried, relative to the scenario's."""

GRAINS = (0.5, 2.0)
"""Simulated agents tried, relative to the scenario's; each then stands for more or fewer real ones."""

FIGURES = {
    "work.tickets_per_day": "tickets a day",
    "work.lead_time_h_p50": "lead time, median h",
    "work.rework_share": "rework share",
    "tokens.tokens_per_ticket": "tokens a ticket",
    "gpu.tok_s_per_stream_mean": "tok/s per stream",
    "power.load_mean_mw": "load, mean MW",
    "power.load_peak_mw": "load, peak MW",
}
"""Figures compared, by their place in the summary."""

ROLES = ("coding", "design", "testing", "management")


def converge(scenario: Scenario, progress: Callable[[float], None] | None = None) -> pd.DataFrame:
    """One row per variant: tick_s, agents, weight, the FIGURES, and each one's difference from the scenario's, %."""
    variants = list(_variants(scenario))
    rows = []
    for number, (name, variant) in enumerate(variants):
        summary = run(variant).summary
        values = {label: summary[key.split(".")[0]][key.split(".")[1]] for key, label in FIGURES.items()}
        grain = {"tick_s": variant.run.tick_s, "agents": variant.n_agents, "weight": variant.workforce.weight}
        rows.append({"variant": name, **grain, **values})
        if progress is not None:
            progress((number + 1) / len(variants))
    table = pd.DataFrame(rows).set_index("variant")
    for label in FIGURES.values():
        found = table[label].to_numpy(float)  # the first row is the scenario as it is
        table[f"{label}, difference %"] = 100.0 * (found / found[0] - 1.0)
    return table


def _variants(scenario: Scenario) -> Iterator[tuple[str, Scenario]]:
    yield "as it is", scenario
    for factor in TICKS:
        tick_s = scenario.run.tick_s * factor
        if factor != 1.0 and 1.0 <= tick_s <= 3600.0:
            yield f"{tick_s:g} s ticks", scenario.override([f"run.tick_s={tick_s}"])
    for factor in GRAINS:
        yield f"{factor:g} x agents", scenario.override(grained(scenario, factor))


def grained(scenario: Scenario, factor: float) -> list[str]:
    """The same real factory from so many times the simulated agents and tickets."""
    force, work = scenario.workforce, scenario.backlog
    counts = {role: max(1, round(getattr(force, role) * factor)) if getattr(force, role) else 0 for role in ROLES}
    return [
        *(f"workforce.{role}={count}" for role, count in counts.items()),
        f"workforce.weight={force.weight / factor}",
        f"backlog.n_epics={round(work.n_epics * factor)}",
        f"backlog.arrivals_per_day={work.arrivals_per_day * factor}",
    ]
