"""A building site from a scenario: that of the table where its scenario is there, else one like it, of its own size."""

from macrohard.buildout.site import Site, Supply, resized, site_named
from macrohard.colossus.cluster_builder import rack_of
from macrohard.scenario import Scenario
from macrohard.siting import nameplate, unit_mw

LEAST_SUBSTATION_MW = 75.0
"""From here on the grid needs a substation of its own (a large load in Texas, SB 6: 75 MW); below, a feeder (A)."""


def site_of(scenario: Scenario, like: str | None = None) -> Site:
    """The site of a scenario. like: build it the way this site of the table was; none: its own, or as Colossus 2."""
    if like is None:
        try:
            return site_named(scenario.name)
        except ValueError:
            pass
    plate = nameplate(scenario)
    grid_mw = scenario.power.grid_mw
    sources = [Supply("grid" if grid_mw >= LEAST_SUBSTATION_MW else "feeder", grid_mw)] if grid_mw > 0 else []
    for source in scenario.power.sources:
        if source.kind != "solar":
            mw = unit_mw(source)
            sources.append(Supply("genset" if mw < 10 else "turbine", mw, source.n_units))
    return resized(
        site_named(like or "colossus2"), scenario.name, scenario.run.start, scenario.cluster.n_gpus, plate.it_mw,
        plate.site_mw, int(rack_of(scenario.cluster.gpu).n_gpus), scenario.power.megapack.n_units, tuple(sources),
    )  # fmt: skip
