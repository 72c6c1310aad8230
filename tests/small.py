"""Small scenarios that many tests run."""

from macrohard.scenario import Scenario

SMALL = (
    "run.horizon_h=24",
    "run.warmup_h=4",
    "workforce.coding=8",
    "workforce.testing=6",
    "workforce.management=4",
    "workforce.design=2",
)


def small(*settings: str, name: str = "laptop") -> Scenario:
    """A bundled scenario cut down to 20 agents and a day."""
    return Scenario.load(name, environment={}).override([*SMALL, *settings])
