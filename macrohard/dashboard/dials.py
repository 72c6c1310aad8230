"""The keys that a page turns: what each is called and how far its slider goes. Its number field takes any value."""

from dataclasses import dataclass
from operator import attrgetter

from macrohard.scenario import Scenario


@dataclass(frozen=True)
class Dial:
    """A number of the scenario that can be turned."""

    key: str
    label: str
    unit: str = ""
    whole: bool = True

    def value(self, scenario: Scenario) -> float:
        """The value in force."""
        return float(attrgetter(self.key)(scenario))

    def text(self, value: float) -> str:
        """A value as it stands in the number field and in `--set`."""
        return f"{round(value)}" if self.whole else f"{value:.6g}"

    def reach(self, scenario: Scenario) -> tuple[float, float]:
        """Upper end and step of the slider: twice what the scenario has, in two hundred steps or whole ones."""
        top = _round_up(2.0 * self.value(scenario)) or (100.0 if self.whole else 10.0)
        step = top / 200.0
        return top, max(1.0, float(round(step))) if self.whole else step


DIALS = (
    Dial("workforce.coding", "Coding agents"),
    Dial("workforce.testing", "Testing agents"),
    Dial("workforce.design", "Design agents"),
    Dial("workforce.management", "Managers"),
    Dial("cluster.n_gpus", "GPUs"),
    Dial("power.grid_mw", "Grid contract", "MW", whole=False),
    Dial("power.megapack.n_units", "Megapacks"),
)


def _round_up(value: float) -> float:
    """The next of 1, 2, 4, 5, 10, 20 .. times a power of ten."""
    if value <= 0:
        return 0.0
    power = 10.0 ** (len(f"{value:.0f}") - 1) if value >= 1 else 10.0 ** -(len(f"{1 / value:.0f}"))
    return next(step * power for step in (1.0, 2.0, 4.0, 5.0, 10.0, 20.0) if step * power >= value * (1 - 1e-9))
