"""From a scenario to its site: serving, cluster and power plant, built from the tables of machines."""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from macrohard.colossus.cluster import Cluster, build_up_mw, nameplate_mw
from macrohard.colossus.cluster_builder import cluster_of
from macrohard.colossus.cooling import site_mw
from macrohard.colossus.layout import serving_of
from macrohard.colossus.plant_builder import plant_of
from macrohard.colossus.pools import stacked
from macrohard.colossus.powerplant import Plant
from macrohard.colossus.serving import Serving
from macrohard.colossus.site import Site
from macrohard.colossus.tables import row_named
from macrohard.colossus.units import KW_PER_MW, Scalar
from macrohard.faults import Fault, ScenarioError
from macrohard.scenario import Scenario
from macrohard.scenario.sections import Model, Source

_HOT_C = 35.0
_ANY_USD_PER_MWH = 1e9
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
    """What was paid for what is written off, the rent of the site, and the rating of leased turbines."""

    site_usd: float
    rent_usd_per_year: float
    turbines_usd: float
    megapacks_usd: float
    leased_mw: float


def site_of_scenario(scenario: Scenario) -> Site:
    """The site as pytrees of arrays; what does not fit together is refused as a ScenarioError."""
    try:
        site = Site(serving=_serving(scenario), cluster=_cluster(scenario), plant=_plant(scenario))
    except ValueError as error:
        raise _refusal(scenario, error) from error
    settled: Site = jax.device_put(jax.tree.map(_settled, site))
    return settled


def nameplate(scenario: Scenario) -> Nameplate:
    """Ratings of the scenario's cluster when it is complete."""
    try:
        cluster: Cluster = jax.device_put(jax.tree.map(_settled, _cluster(scenario)))
    except ValueError as error:
        raise _refusal(scenario, error) from error
    return Nameplate(*map(float, _ratings_mw(cluster)))


@jax.jit  # one program: operation by operation it would take seventeen
def _ratings_mw(cluster: Cluster) -> tuple[Scalar, Scalar, Scalar]:
    """Rating of the racks, their build-up, and what the site draws on the hottest day."""
    n_gpus = jnp.sum(cluster.build_added)
    build_up = build_up_mw(cluster, n_gpus)
    rated_it = build_up * (1.0 + cluster.overhead)
    return nameplate_mw(cluster, n_gpus), build_up, site_mw(cluster.cooling, rated_it, rated_it, _HOT_C)


def unit_mw(source: Source) -> float:
    """Rating of a unit of a source: its own, or that of its kind in the table of turbines."""
    return source.p_nom_mw or float(row_named("turbines", source.kind, "power.sources")["p_nom_mw"])


def rated_mw(source: Source) -> float:
    """Rating of all units of a source."""
    return source.n_units * unit_mw(source)


def plant_prices(scenario: Scenario, it_mw: float) -> PlantPrices:
    """Site (and its rent) by its rated IT power, turbines by their rating, Megapacks by the unit."""
    prices, power = scenario.economics, scenario.power
    bought_mw, leased_mw = (
        sum(rated_mw(source) for source in power.sources if source.kind != "solar" and source.leased == leased)
        for leased in (False, True)
    )
    unit = float(row_named("batteries", power.megapack.kind, "power.megapack.kind")["price_musd"])
    return PlantPrices(
        site_usd=it_mw * prices.site_musd_per_mw * USD_PER_MUSD,
        rent_usd_per_year=it_mw * KW_PER_MW * prices.site_rent_usd_per_kw_month * MONTHS_PER_YEAR,
        turbines_usd=bought_mw * KW_PER_MW * prices.turbine_usd_per_kw,
        megapacks_usd=power.megapack.n_units * unit * USD_PER_MUSD,
        leased_mw=leased_mw,
    )


def _serving(scenario: Scenario) -> Serving:
    """The LLM, or the pools of several."""
    servings = [_serving_of(scenario, model) for model in scenario.serving.models or (None,)]
    for number, serving in enumerate(servings):
        _refuse_part_of_replica(scenario, serving, number)
    return stacked(servings)


def _serving_of(scenario: Scenario, model: Model | None) -> Serving:
    """The LLM of [serving], with what an entry of its models says itself."""
    usual = scenario.serving
    own = usual if model is None else model

    def told(name: str) -> Any:
        value = getattr(own, name)
        return getattr(usual, name) if value is None else value

    return serving_of(
        scenario.cluster.gpu,
        own.llm,
        told("precision"),
        told("kv_precision"),
        gpus_per_replica=own.gpus_per_replica,
        placement=told("placement"),
        prefill_share=told("prefill_share"),
        max_context_tokens=told("max_context_tokens"),
        max_streams_per_gpu=usual.max_streams_per_gpu,
        kv_held_in_tools=usual.kv_held_in_tools,
    )


def _refuse_part_of_replica(scenario: Scenario, serving: Serving, number: int) -> None:
    """ValueError if GPUs serve but are too few for one copy of the LLM, at any step of the build-out."""
    apart = not serving.mixes
    needed = float(serving.n_gpus + (serving.prefill_n_gpus if apart else 0.0))
    models, cluster = scenario.serving.models, scenario.cluster
    share = models[number].share if models else 1.0
    steps = {f"cluster.build_out.{at}.n_gpus": step.n_gpus for at, step in enumerate(cluster.build_out)}
    for key, n_gpus in (steps or {"cluster.n_gpus": cluster.n_gpus}).items():
        n_serving = n_gpus * (1 - scenario.training.share) * share
        if 0 < n_serving < needed - 1e-6:
            who = f"{models[number].llm} (serving.models.{number})" if models else scenario.serving.llm
            replica = "a replica to prefill and one to decode take" if apart else "one replica takes"
            what = f"{n_gpus:,} GPUs leave {n_serving:,.6g} for {who}, of which {replica} {needed:g}"
            remedy = "more GPUs, a larger share, fewer in gpus_per_replica, a narrower precision or a smaller LLM"
            raise ValueError(f"{key}: {what}; {remedy}")


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
        gpu_spares=cluster.gpu_spares,
        gpu_repair_h=cluster.gpu_repair_h,
        rack_spares=cluster.rack_spares,
        rack_repair_h=cluster.rack_repair_h,
        cooling_limit_mw=cluster.cooling_limit_mw,
        n_chillers=cluster.n_chillers,
        chiller_mtbf_h=cluster.chiller_mtbf_h,
        chiller_mttr_h=cluster.chiller_mttr_h,
        build_out=[(hours_into(scenario, step.date), step.n_gpus) for step in cluster.build_out],
        training_share=scenario.training.share,
        training_swing=scenario.training.swing,
        training_defers=scenario.training.defers,
        training_below_usd_per_mwh=scenario.training.below_usd_per_mwh or _ANY_USD_PER_MWH,
        pool_share=[model.share for model in scenario.serving.models] or [1.0],
    )


def _plant(scenario: Scenario) -> Plant:
    power = scenario.power
    return plant_of(
        [_source(scenario, source) for source in power.sources],
        power.megapack.model_dump(),
        _changed(scenario),
        grid_mw=power.grid_mw,
        grid_ramp_mw_per_min=power.grid_ramp_mw_per_min,
        grid_usd_per_mwh=scenario.economics.grid_usd_per_mwh_by_hour or None,
        dispatch=power.dispatch,
        peak_mw=power.peak_mw,
        deferral=power.deferral,
        defer_above_usd_per_mwh=power.defer_above_usd_per_mwh or _ANY_USD_PER_MWH,
        curtailment=[(hours_into(scenario, call.date), call.hours, call.mw) for call in power.curtailment],
    )


def _source(scenario: Scenario, source: Source) -> dict[str, float | str | bool | None]:
    fields = source.model_dump(exclude={"permit_from", "permit_until", "leased"})
    for name, day in (("permit_from_h", source.permit_from), ("permit_until_h", source.permit_until)):
        if day is not None:
            fields[name] = hours_into(scenario, day)
    return fields


def _changed(scenario: Scenario) -> dict[str, float]:
    """Prices for the plant; what the scenario leaves out is as the table of turbines has it."""
    money = scenario.economics.model_dump(exclude={"grid_usd_per_mwh_by_hour"})
    return {key: value for key, value in money.items() if value is not None}


def hours_into(scenario: Scenario, moment: date | datetime) -> float:
    """Hours from the start of the run to a moment."""
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    return (moment - datetime.combine(scenario.run.start, time())).total_seconds() / 3600.0


def _settled(leaf: object) -> np.ndarray:
    """An array of 32 bits, whole numbers kept whole."""
    array = np.asarray(leaf)
    return array if array.dtype.kind in "ui" and array.ndim else array.astype(np.float32)


def _refusal(scenario: Scenario, error: ValueError) -> ScenarioError:
    """A builder's "field: what; remedy" as a fault of the scenario."""
    field, _, rest = str(error).partition(": ")
    what, _, remedy = rest.partition("; ")
    if not rest:
        field, what = "serving", str(error)
    return ScenarioError([Fault(scenario.name, field, None, what, remedy or "change it", has_value=False)])
