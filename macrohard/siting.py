"""From a scenario to its site: serving, cluster and power plant, built from the tables of machines."""

from dataclasses import dataclass
from datetime import date, datetime, time

import jax
import numpy as np

from macrohard.colossus.cluster import Cluster, build_up_mw, nameplate_mw
from macrohard.colossus.cluster_builder import cluster_of
from macrohard.colossus.cooling import site_mw
from macrohard.colossus.device import on_device
from macrohard.colossus.layout import serving_of
from macrohard.colossus.plant_builder import plant_of
from macrohard.colossus.powerplant import Plant
from macrohard.colossus.serving import Serving
from macrohard.colossus.site import Site
from macrohard.colossus.tables import row_named
from macrohard.colossus.units import KW_PER_MW
from macrohard.faults import Fault, ScenarioError
from macrohard.scenario import Scenario
from macrohard.scenario.sections import Source

_HOT_C = 35.0
USD_PER_MUSD = 1e6
MONTHS_PER_YEAR = 12.0


@dataclass(frozen=True)
class Nameplate:
    """What the site is rated for, not what it draws: racks by their shelves, build-up at the GPUs' limit, MW."""

    it_mw: float
    build_up_it_mw: float
    site_mw: float
    """The build-up with cooling at 35 C."""


@dataclass(frozen=True)
class PlantPrices:
    """What was paid for what is written off, USD, and the rent of the site, USD a year."""

    site: float
    rent_per_year: float
    turbines: float
    megapacks: float


def site_of_scenario(scenario: Scenario) -> Site:
    """The site as pytrees of arrays; what does not fit together is refused as a ScenarioError."""
    try:
        site = Site(serving=_serving(scenario), cluster=_cluster(scenario), plant=_plant(scenario))
    except ValueError as error:
        raise _refusal(scenario, error) from error
    settled: Site = jax.tree.map(_settled, site)
    return settled


def nameplate(scenario: Scenario) -> Nameplate:
    """Ratings of the scenario's cluster when it is complete."""
    try:
        cluster: Cluster = jax.tree.map(_settled, _cluster(scenario))
    except ValueError as error:
        raise _refusal(scenario, error) from error
    n_gpus = float(np.sum(np.asarray(cluster.build_added)))
    build_up = float(build_up_mw(cluster, n_gpus))
    rated_it = build_up * (1.0 + float(cluster.overhead))
    return Nameplate(
        it_mw=float(nameplate_mw(cluster, n_gpus)),
        build_up_it_mw=build_up,
        site_mw=float(site_mw(cluster.cooling, rated_it, rated_it, _HOT_C)),
    )


def plant_prices(scenario: Scenario) -> PlantPrices:
    """Site (and its rent) by its rated IT power, turbines by their rating, Megapacks by the unit."""
    prices, power = scenario.economics, scenario.power
    turbines_mw = sum(
        source.n_units * (source.p_nom_mw or float(row_named("turbines", source.kind, "power.sources")["p_nom_mw"]))
        for source in power.sources
        if source.kind != "solar"
    )
    unit = float(row_named("batteries", power.megapack.kind, "power.megapack.kind")["price_musd"])
    it_mw = nameplate(scenario).it_mw
    return PlantPrices(
        site=it_mw * prices.site_musd_per_mw * USD_PER_MUSD,
        rent_per_year=it_mw * KW_PER_MW * prices.site_rent_usd_per_kw_month * MONTHS_PER_YEAR,
        turbines=turbines_mw * KW_PER_MW * prices.turbine_usd_per_kw,
        megapacks=power.megapack.n_units * unit * USD_PER_MUSD,
    )


def _serving(scenario: Scenario) -> Serving:
    serving = scenario.serving
    return serving_of(
        scenario.cluster.gpu,
        serving.llm,
        serving.precision,
        serving.kv_precision,
        gpus_per_replica=serving.gpus_per_replica,
        placement=serving.placement,
        prefill_share=serving.prefill_share,
        max_context_tokens=serving.max_context_tokens,
        max_streams_per_gpu=serving.max_streams_per_gpu,
        kv_held_in_tools=serving.kv_held_in_tools,
    )


def _cluster(scenario: Scenario) -> Cluster:
    cluster = scenario.cluster
    return cluster_of(
        cluster.gpu,
        cluster.n_gpus,
        pue=cluster.pue,
        overhead=cluster.overhead,
        cooling_share=cluster.cooling_share,
        chiller_cop=cluster.chiller_cop,
        chiller_start_c=cluster.chiller_start_c,
        chiller_full_c=cluster.chiller_full_c,
        climate=cluster.climate.model_dump(),
        gpu_mtbf_h=cluster.gpu_mtbf_h,
        gpu_mttr_h=cluster.gpu_mttr_h,
        rack_mtbf_h=cluster.rack_mtbf_h,
        rack_mttr_h=cluster.rack_mttr_h,
        build_out=[(_hours(scenario, step.date), step.n_gpus) for step in cluster.build_out],
        training_share=scenario.training.share,
        training_swing=scenario.training.swing,
    )


def _plant(scenario: Scenario) -> Plant:
    power = scenario.power
    return plant_of(
        [_source(scenario, source) for source in power.sources],
        power.megapack.model_dump(),
        _changed(scenario),
        grid_mw=power.grid_mw,
        grid_ramp_mw_per_min=power.grid_ramp_mw_per_min,
        dispatch=power.dispatch,
        curtailment=[(_hours(scenario, call.date), call.hours, call.mw) for call in power.curtailment],
    )


def _source(scenario: Scenario, source: Source) -> dict[str, float | str | bool | None]:
    fields = source.model_dump(exclude={"permit_from", "permit_until"})
    for name, day in (("permit_from_h", source.permit_from), ("permit_until_h", source.permit_until)):
        if day is not None:
            fields[name] = _hours(scenario, day)
    return fields


def _changed(scenario: Scenario) -> dict[str, float]:
    """Prices for the plant; what the scenario leaves out is as the table of turbines has it."""
    return {key: value for key, value in scenario.economics.model_dump().items() if value is not None}


def _hours(scenario: Scenario, moment: date | datetime) -> float:
    """Hours from the start of the run to a moment."""
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    return (moment - datetime.combine(scenario.run.start, time())).total_seconds() / 3600.0


def _settled(leaf: object) -> jax.Array:
    """An array of 32 bits, whole numbers kept whole."""
    array = np.asarray(leaf)
    return on_device(array if array.dtype.kind in "ui" and array.ndim else array.astype(np.float32))


def _refusal(scenario: Scenario, error: ValueError) -> ScenarioError:
    """A builder's "field: what; remedy" as a fault of the scenario."""
    field, _, rest = str(error).partition(": ")
    what, _, remedy = rest.partition("; ")
    if not rest:
        field, what = "serving", str(error)
    return ScenarioError([Fault(scenario.name, field, None, what, remedy or "change it", has_value=False)])
