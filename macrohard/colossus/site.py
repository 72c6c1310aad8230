"""One meter: the cluster on one side, the power plant on the other. One tick of both, closed over the power cap.

Order of a tick: serve at full power -> uncapped demand -> how far supply reaches -> what training defers -> power share
q -> serve again at g(q) -> load = q * demand -> dispatch. Short of power: Megapacks down to their reserve, then GPUs
capped, then Megapacks down to their minimum, then racks switched off; what is switched off is recorded as unserved.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from macrohard.colossus import powerplant
from macrohard.colossus.climate import temperature_c
from macrohard.colossus.clock import Clock
from macrohard.colossus.cluster import (
    Cluster,
    ClusterReading,
    Draw,
    draw,
    fleet,
    nameplate_mw,
    performance,
    swing_reserve_mw,
    worth_of_power,
)
from macrohard.colossus.cooling import chillers_out, removable_mw
from macrohard.colossus.dispatch import ROUNDING
from macrohard.colossus.operation import Operation, none_yet, noted
from macrohard.colossus.plant_reading import PlantReading
from macrohard.colossus.policies import DEFERRALS, Pinch
from macrohard.colossus.pools import mean
from macrohard.colossus.powerplant import Offer, Plant, PlantState
from macrohard.colossus.serving import Demand, Served, Serving, serve
from macrohard.colossus.units import Scalar

__all__ = ["Clock", "Site", "SiteReading", "SiteState", "start", "step"]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Site:
    """The LLM in service (or several, each with its share of the GPUs: pools.py), the GPUs, and what feeds them."""

    serving: Serving
    cluster: Cluster
    plant: Plant


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class SiteState:
    """What a site carries from tick to tick. tickets_wait: 1 where tickets of low priority shall wait for power.

    operation: what has been noted of all ticks; nothing that follows rests on it.
    """

    plant: PlantState
    chillers_out: Scalar
    tickets_wait: Scalar
    operation: Operation


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class SiteReading:
    """served: at the speed that the power cap leaves. full: what full power would have served. Both by pool."""

    served: Served
    full: Served
    cluster: ClusterReading
    plant: PlantReading


def start(site: Site, clock: Clock) -> SiteState:
    """The site before its first tick."""
    return SiteState(
        plant=powerplant.start(site.plant, clock),
        chillers_out=jnp.float32(0.0),
        tickets_wait=jnp.float32(0.0),
        operation=none_yet(),
    )


def step(site: Site, state: SiteState, demand: Demand, clock: Clock, dt_h: Scalar) -> tuple[SiteState, SiteReading]:
    """One tick of serving, cluster and plant."""
    cluster, plant = site.cluster, site.plant
    outdoor_c = temperature_c(cluster.climate, clock)
    now = fleet(cluster, clock.hour)
    n_serving = now.n_serving * cluster.pool_share
    full = serve(site.serving, n_serving, demand, 1.0)
    wish = draw(cluster, now, full, outdoor_c)
    demand_mw = wish.site_mw + plant.battery.auxiliary_mw
    held_mw = swing_reserve_mw(cluster, wish.training_it_mw)

    n_out = chillers_out(cluster.cooling, state.chillers_out, clock, dt_h)
    coolable_mw = removable_mw(cluster.cooling, n_out, outdoor_c)
    # units are committed for what chillers let through, not for heat that nothing takes away
    wanted_mw = demand_mw * jnp.minimum(coolable_mw / jnp.maximum(wish.it_mw, 1e-9), 1.0)
    offered = powerplant.offer(plant, state.plant, wanted_mw, held_mw, outdoor_c, clock, dt_h)
    trains = _training_run(cluster, wish, offered, demand_mw)
    running_mw = demand_mw - (1 - trains) * wish.deferrable_site_mw
    running_it_mw = wish.it_mw - (1 - trains) * wish.deferrable_it_mw
    cooled = jnp.minimum(coolable_mw / jnp.maximum(running_it_mw, 1e-9), 1.0)
    supplied = offered.limit_mw / jnp.maximum(running_mw, 1e-9)
    power_share = jnp.clip(jnp.minimum(supplied, cooled), cluster.capping.least, 1.0)
    kept_cool = jnp.minimum(cooled / cluster.capping.least, 1.0)  # racks that can be cooled even at the hardest cap
    load_mw = power_share * kept_cool * running_mw
    short = jnp.clip(1 - offered.last_mw / jnp.maximum(load_mw, 1e-9), 0.0, 1.0)
    on = kept_cool * (1 - jnp.where(short > ROUNDING, short, 0.0))

    speed = performance(cluster.capping, power_share, cluster.capping.serving_b)
    training_speed = performance(cluster.capping, power_share, cluster.capping.training_b)
    served = serve(site.serving, n_serving * on, demand, speed)
    busy_share = mean(served.busy_share, cluster.pool_share)
    plant_state, plant_reading = powerplant.meet(plant, state.plant, offered, load_mw, demand_mw, dt_h)
    it_mw = running_it_mw * power_share * on
    n_training = now.n_training * on * trains
    of_pools = n_serving * on
    cluster_reading = ClusterReading(
        n_gpus=now.n_gpus,
        n_gpus_up=now.n_up * on,
        n_serving_up=now.n_serving * on,
        n_training_up=now.n_training * on,
        it_mw=it_mw,
        demand_it_mw=wish.it_mw,
        demand_mw=demand_mw,
        capped_demand_mw=load_mw,
        nameplate_it_mw=nameplate_mw(cluster, now.n_gpus),
        rated_it_mw=wish.rated_it_mw,
        power_share=power_share,
        performance=speed,
        power_worth=worth_of_power(cluster.capping, power_share, cluster.capping.serving_b),
        training_performance=training_speed,
        shed_share=1 - on,
        utilization=jnp.where(now.n_up > 0, busy_share, 0.0),
        temperature_c=outdoor_c,
        training_share_run=trains,
        deferred_mw=demand_mw - running_mw,
        swing_mw=2 * held_mw * trains,
        swing_reserve_mw=jnp.minimum(held_mw, plant.battery.power_mw),
        tickets_wait=state.tickets_wait,
        cooling_binds=jnp.where((cooled < 1) & (cooled <= supplied), 1.0, 0.0),
        chillers_out=n_out,
        water_m3_per_h=it_mw * cluster.cooling.water_m3_per_mwh,
        gpu_h_available_per_h=now.n_up,
        gpu_h_busy_per_h=now.n_serving * on * busy_share + n_training,
        gpu_h_training_per_h=n_training,
        gpu_h_prefill_per_h=of_pools * served.prefill_busy_share,
        gpu_h_decode_per_h=of_pools * (served.busy_share - served.prefill_busy_share),
        gpu_h_curtailed_per_h=now.n_serving * (1 - speed * on) + now.n_training * (1 - training_speed * trains * on),
    )
    pinch = Pinch(
        power_share=power_share * on,
        soc=plant_state.soc,
        reserve=plant.battery.reserve,
        battery_mw=plant_reading.battery_mw,
        full_mw=plant.battery.power_mw,
        grid_usd_per_mwh=offered.grid_usd_per_mwh,
        dear_usd_per_mwh=plant.rules.defer_above_usd_per_mwh,
    )
    waits = DEFERRALS[plant.deferral](pinch)
    operation = noted(state.operation, plant_reading, cluster_reading.cooling_binds, n_out)
    after = SiteState(plant_state, n_out, waits, operation)
    return after, SiteReading(served, full, cluster_reading, plant_reading)


def _training_run(cluster: Cluster, wish: Draw, offered: Offer, demand_mw: Scalar) -> Scalar:
    """Share of the training that runs; the rest waits for power where training defers."""
    sources_mw = offered.limit_mw - offered.store.above_mw
    missing_mw = jnp.maximum(demand_mw - sources_mw, 0.0)
    runs = jnp.clip(1 - missing_mw / jnp.maximum(wish.deferrable_site_mw, 1e-9), 0.0, 1.0)
    too_dear = offered.grid_usd_per_mwh >= cluster.training_below_usd_per_mwh
    return jnp.where(cluster.training_defers > 0, jnp.where(too_dear, 0.0, runs), 1.0)
