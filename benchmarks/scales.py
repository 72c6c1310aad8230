"""One site, more and more simulated agents: the scenario that the benchmarks run, at any number of agents."""

from macrohard.blueprint import Blueprint, draw
from macrohard.scenario import Scenario

SPLIT = {"coding": 0.4, "testing": 0.3, "management": 0.2, "design": 0.1}
"""As in the default scenario."""

REAL_AGENTS = 2e6
"""Of the default scenario, whatever number of them is simulated, so that the site has the same to do at any size."""


def plan_of(n_agents: int, horizon_h: float, *settings: str) -> Blueprint:
    """The default scenario with so many simulated agents; its saturated backlog is sized for the horizon."""
    crew = [f"workforce.{role}={round(n_agents * share)}" for role, share in SPLIT.items()]
    clock = [f"run.horizon_h={horizon_h}", "run.warmup_h=0", "run.memory_limit_gb=1000"]
    return draw(Scenario.load().override([*crew, f"workforce.weight={REAL_AGENTS / n_agents}", *clock, *settings]))
