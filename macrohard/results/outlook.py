"""What a scenario will ask of machine and site, before it is run: as figures and in words."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from macrohard.blueprint import draw
from macrohard.colossus.cluster import COMPLETE_H, fleet, swing_reserve_mw, training_it_mw
from macrohard.colossus.reliability import margin_mw
from macrohard.colossus.tables import row_named
from macrohard.scenario import Scenario
from macrohard.scenario.limits import estimate
from macrohard.siting import hours_into, nameplate, rated_mw


@dataclass(frozen=True)
class Outlook:
    """Size of the run, and power the site can draw against power that can be had."""

    scenario: str
    sha256: str
    ticks: int
    agents: int
    weight: float
    ticket_rows: int
    memory_gb: float
    """Estimate."""
    gpu: str
    n_gpus: int
    nameplate_it_mw: float
    site_mw: float
    """At the limit of every GPU, with cooling at 35 C."""
    grid_mw: float
    units_mw: float
    """Ratings of all units at 15 C, solar among them."""
    megapack_mw: float
    swing_reserve_mw: float
    """Of it, kept for the swing of training in step, with every training GPU at work."""
    firm_mw: dict[str, float]
    """Grid and units with a permit throughout, by what has gone wrong: nothing, the largest unit out, 35 C, both."""

    notes: tuple[str, ...] = ()
    """What in it has no part in the run, or leaves it nothing to do."""

    def document(self) -> dict[str, str | int | float | dict[str, float] | tuple[str, ...]]:
        """As plain values by name."""
        return asdict(self)

    def lines(self) -> list[str]:
        """As a few lines for people."""
        stands = f", each for {self.weight:g}" if self.weight != 1 else ""
        supply = self.grid_mw + self.units_mw
        lines = [
            f"{self.ticks:,} ticks, {self.agents:,} agents{stands}, {self.ticket_rows:,} rows of tickets; "
            f"about {self.memory_gb:.1f} GB of memory",
            f"{self.n_gpus:,} {self.gpu}: {_mw(self.nameplate_it_mw)} of IT by nameplate; the site at most "
            f"{_mw(self.site_mw)}, against {_mw(self.grid_mw)} of grid, {_mw(self.units_mw)} of units, "
            f"{_mw(self.megapack_mw)} of Megapacks",
        ]
        if self.units_mw:
            told = ", ".join(f"{_mw(mw)} {case}" for case, mw in self.firm_mw.items() if case != "whole")
            lines.append(
                f"grid and units with a permit throughout, without Megapacks: {_mw(self.firm_mw['whole'])}; {told}"
            )
        if self.swing_reserve_mw and self.megapack_mw:
            lines.append(f"training swings keep {_mw(self.swing_reserve_mw)} of the Megapacks from dispatch")
        if self.swing_reserve_mw > self.megapack_mw:
            lines.append("note: the Megapacks cannot smooth that swing; see `macrohard swings`")
        if supply < self.site_mw:
            lines.append(f"note: grid and units give {_mw(supply)}: with every GPU at its limit some would be capped")
        return lines + [f"note: {each}" for each in self.notes]


def outlook(scenario: Scenario) -> Outlook:
    """Lays the scenario out as a run would; ScenarioError if a run would refuse it."""
    plan, rating, power = draw(scenario), nameplate(scenario), scenario.power
    pack = row_named("batteries", power.megapack.kind, "power.megapack.kind")
    site = plan.params.site
    n_training = fleet(site.cluster, COMPLETE_H).n_training
    lost = {"whole": (0, 15.0), "with one unit out": (1, 15.0), "at 35 C": (0, 35.0), "with both": (1, 35.0)}
    return Outlook(
        scenario=scenario.name,
        sha256=scenario.sha256,
        ticks=plan.n_ticks,
        agents=scenario.n_agents,
        weight=scenario.workforce.weight,
        ticket_rows=plan.capacity,
        memory_gb=estimate(scenario.run, scenario.workforce, scenario.backlog).memory_gb,
        gpu=scenario.cluster.gpu,
        n_gpus=scenario.cluster.n_gpus,
        nameplate_it_mw=rating.it_mw,
        site_mw=rating.site_mw,
        grid_mw=power.grid_mw,
        units_mw=sum(map(rated_mw, power.sources)),
        megapack_mw=power.megapack.n_units * float(pack["power_mw"]),
        swing_reserve_mw=float(swing_reserve_mw(site.cluster, training_it_mw(site.cluster, n_training))),
        firm_mw={
            case: margin_mw(site.plant, 0.0, n_out=n_out, celsius=celsius, until_h=scenario.run.horizon_h)
            for case, (n_out, celsius) in lost.items()
        },
        notes=tuple(_notes(scenario)),
    )


def _notes(scenario: Scenario) -> Iterator[str]:
    """What the dates and numbers leave out of the run."""
    power, steps, horizon_h = scenario.power, scenario.cluster.build_out, scenario.run.horizon_h
    if scenario.n_agents == 0:
        yield "there are no agents: nothing gets done"
    if scenario.cluster.n_gpus == 0:
        yield "there are no GPUs: nothing gets done"
    if steps and hours_into(scenario, steps[0].date) >= horizon_h:
        yield f"the first GPUs come on {steps[0].date}, after the end of the run"
    for source in power.sources:
        name = source.name or source.kind
        if source.permit_until and hours_into(scenario, source.permit_until) < horizon_h:
            gone = hours_into(scenario, source.permit_until) <= 0
            when = "before the run: they do not run at all" if gone else "within the run, and with it their power"
            yield f"the permit of {name} ends on {source.permit_until}, {when}"
        if source.permit_from and hours_into(scenario, source.permit_from) >= horizon_h:
            yield f"the permit of {name} begins on {source.permit_from}, after the end of the run"
    for call in power.curtailment:
        start_h = hours_into(scenario, call.date)
        if start_h >= horizon_h or start_h + call.hours <= 0:
            yield f"the call of {call.date} lies outside the run"
        if call.mw > power.grid_mw:
            yield f"the call of {call.date} is of {_mw(call.mw)}, more than the contract of {_mw(power.grid_mw)}"


def _mw(power_mw: float) -> str:
    if 0 < power_mw < 1:
        return f"{power_mw * 1000:,.{0 if power_mw >= 0.01 else 1}f} kW"
    return f"{power_mw:,.0f} MW" if power_mw == 0 or power_mw >= 100 else f"{power_mw:,.1f} MW"
