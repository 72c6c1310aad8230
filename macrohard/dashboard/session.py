"""What stands behind one page: a factory at some hour, the scenario it runs, and a run pinned to compare with."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import perf_counter

import pandas as pd

from macrohard import siting
from macrohard.dashboard.dials import DIALS
from macrohard.factory import Factory
from macrohard.faults import ScenarioError
from macrohard.report.facts import Facts
from macrohard.scenario import Scenario

CHUNK_S = 0.2
"""A frame of many ticks is run in chunks of about this length, so that a pause is answered."""


@dataclass(frozen=True, eq=False)
class Run:
    """A run as far as it has come: what the panels draw."""

    facts: Facts
    """Its series, settings and nameplate; no tickets, and no summary beyond that."""
    hours: float
    horizon_h: float
    changes: tuple[str, ...]
    """What was turned on the page, as KEY=VALUE."""

    @property
    def label(self) -> str:
        """What it is called beside another run."""
        return ", ".join([self.facts.name, *(each.rpartition(".")[2] for each in self.changes)])

    def until(self, hours: float) -> "Run":
        """The run as it was at an hour, as it is if it has not come so far."""
        series = self.facts.series
        facts = replace(self.facts, series=series[series["time_h"] <= hours + 1e-9])
        return replace(self, facts=facts, hours=min(hours, self.hours))

    def last(self, column: str) -> float:
        """The value of a column in the last bin, nan where there is none."""
        values = self.facts.column(column)
        return float("nan") if values is None else float(values[-1])


@dataclass(eq=False)
class Session:
    """A factory behind a page. Every change of the scenario opens it anew, so what is shown is one run of one scenario.

    A change that cannot be is refused: its faults stand in `faults`, and the factory stays as it was.
    """

    given: Scenario
    """The scenario before anything was turned."""
    scenario: Scenario = field(init=False)
    factory: Factory = field(init=False)
    faults: tuple[str, ...] = ()
    pinned: Run | None = None
    _nameplate_mw: float = 0.0
    _pace: float = 1.0
    """Ticks that take about CHUNK_S."""

    def __post_init__(self) -> None:
        """Opens the factory of the given scenario. Raises ScenarioError."""
        self._open(self.given)

    def choose(self, what: Scenario | str) -> None:
        """Another scenario, or one by name, as it is given."""
        given = self._try(lambda: what if isinstance(what, Scenario) else Scenario.load(what))
        if given is not None:
            self.given = given

    def turn(self, key: str, text: str) -> None:
        """Sets a key to a text, as `--set KEY=TEXT` would, and opens the factory anew at hour 0."""
        self._try(lambda: self.scenario.override([f"{key}={text}"]))

    def undo(self) -> None:
        """The scenario as it was given, from hour 0."""
        self._try(lambda: self.given)

    def reset(self) -> None:
        """The same scenario from hour 0."""
        self._try(lambda: self.scenario)

    def advance(self, ticks: int, wanted: Callable[[], bool] = lambda: True) -> None:
        """So many ticks, no further than the horizon, and no longer than they are `wanted`."""
        left = min(ticks, self.ticks_left)
        while left > 0 and wanted():
            chunk = max(1, min(left, int(self._pace)))
            began = perf_counter()
            self.factory.run(chunk)
            self.factory.state.tick.block_until_ready()
            took_s = max(perf_counter() - began, 1e-6)
            self._pace = max(1.0, min(chunk * CHUNK_S / took_s, 4.0 * chunk))
            left -= chunk

    @property
    def ticks_left(self) -> int:
        """Ticks before the horizon."""
        return self.factory.plan.n_ticks - int(self.factory.state.tick)

    @property
    def changes(self) -> tuple[str, ...]:
        """What was turned, as KEY=VALUE."""
        now, before = self.scenario, self.given
        turned = [dial for dial in DIALS if dial.value(now) != dial.value(before)]
        return tuple(f"{dial.key}={dial.text(dial.value(now))}" for dial in turned)

    def shown(self) -> Run:
        """The run as it stands."""
        summary = {"scenario": {"name": self.scenario.name}, "power": {"nameplate_site_mw": self._nameplate_mw}}
        facts = Facts(summary, self.factory.series(), pd.DataFrame(), self.scenario.model_dump(mode="json"))
        return Run(facts, self.factory.time_h, self.scenario.run.horizon_h, self.changes)

    def pin(self) -> None:
        """Keeps the curves of the run as it stands, to be drawn beside later ones."""
        self.pinned = self.shown()

    def unpin(self) -> None:
        """Lets the pinned run go."""
        self.pinned = None

    def toml(self) -> str:
        """The scenario as a file: what was given and what was turned, defaults left out."""
        head = [f"# {self.given.name} from the dashboard; turned there: {', '.join(self.changes) or 'nothing'}."]
        head.append("# What is not set here is a default; `macrohard schema` lists every key.")
        return "\n".join(head) + "\n\n" + self.scenario.given_toml()

    def _try(self, make: Callable[[], Scenario]) -> Scenario | None:
        """Opens the factory of a scenario if there can be one, else keeps its faults."""
        try:
            scenario = make()
            self._open(scenario)
        except ScenarioError as error:
            self.faults = tuple(str(error).splitlines())
            return None
        self.faults = ()
        return scenario

    def _open(self, scenario: Scenario) -> None:
        factory, nameplate_mw = Factory(scenario), siting.nameplate(scenario).site_mw
        self.scenario, self.factory, self._nameplate_mw = scenario, factory, nameplate_mw
