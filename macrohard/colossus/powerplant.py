"""The power plant: what it can offer in a tick, and how it meets the load that the site then draws.

Power is positive when it feeds the site. `offer` commits units and says how far supply reaches; the site decides on
its load; `meet` shares it out. Sources + battery + unserved = load in every tick.
"""

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import jax
import jax.numpy as jnp

from macrohard.colossus.battery import Battery, above_mwh, capacity_mwh, loss_mw, room_mwh, store
from macrohard.colossus.clock import Clock
from macrohard.colossus.commitment import Need, Ready, UnitState, at_rest, commit
from macrohard.colossus.dispatch import Reach, Store, share_out
from macrohard.colossus.emissions import Prices, bill
from macrohard.colossus.outage import outages_at_start
from macrohard.colossus.plant_reading import PlantReading
from macrohard.colossus.policies import POLICIES, Orders, View
from macrohard.colossus.supply import (
    Blocks,
    Grid,
    Solar,
    Units,
    announced_mw,
    begins,
    contract_mw,
    counts,
    grid_price,
    sun_mw,
    total,
)
from macrohard.colossus.units import H_PER_MONTH, Scalar


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Rules:
    """How cautiously units are committed and the battery is filled (all assumed; see docs/power.md).

    margin_share: cover beside the load. band_share: more, before a unit is let go. bridge_h: how long the battery must
    be able to stand in for a unit to count as its reserve. refill_h: from the reserve to full. peak_mw: for peak_shave.
    cheap, dear: lower and upper quartile of the day's prices. defer_above_usd_per_mwh: for the deferral by price.
    """

    margin_share: Scalar = 0.05
    band_share: Scalar = 0.10
    bridge_h: Scalar = 0.5
    refill_h: Scalar = 4.0
    peak_mw: Scalar = 1e9
    cheap_usd_per_mwh: Scalar = 0.0
    dear_usd_per_mwh: Scalar = 0.0
    defer_above_usd_per_mwh: Scalar = 1e9


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Plant:
    """Everything that feeds the site, and the policies by which it does."""

    units: Units
    blocks: Blocks
    grid: Grid
    solar: Solar | None
    battery: Battery
    prices: Prices
    rules: Rules
    dispatch: str = field(default="follow", metadata={"static": True})
    deferral: str = field(default="never", metadata={"static": True})


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class PlantState:
    """Units, how many of each block run, grid draw, state of charge. grid_peak_mw: highest draw of this month so far;

    grid_peaks_mw: those of all months begun, added up. is_new: 1 until the first tick has passed.
    """

    units: UnitState
    n_on: jax.Array
    grid_mw: Scalar
    grid_peak_mw: Scalar
    grid_peaks_mw: Scalar
    soc: Scalar
    is_new: Scalar


class Offer(NamedTuple):
    """How far supply reaches in this tick, MW: limit_mw with the battery above its reserve, last_mw down to soc_min."""

    limit_mw: Scalar
    last_mw: Scalar
    installed_mw: Scalar
    reach: Reach
    ready: Ready
    units: UnitState
    store: Store
    orders: Orders
    energy_mwh: Scalar
    battery_power_mw: Scalar
    grid_usd_per_mwh: Scalar
    grid_peak_mw: Scalar


def start(plant: Plant, clock: Clock) -> PlantState:
    """Before the first tick: units at rest, to be committed to the first load; the battery as it starts."""
    soc = jnp.asarray(plant.battery.soc_start, jnp.float32)
    zero = jnp.zeros_like(soc)
    return PlantState(
        units=at_rest(plant.units, outages_at_start(plant.units, clock)),
        n_on=jnp.zeros_like(plant.blocks.p_nom_mw),
        grid_mw=zero,
        grid_peak_mw=zero,
        grid_peaks_mw=zero,
        soc=soc,
        is_new=zero + 1.0,
    )


def offer(
    plant: Plant,
    state: PlantState,
    demand_mw: Scalar,
    held_mw: Scalar,
    temperature_c: Scalar,
    clock: Clock,
    dt_h: Scalar,
) -> Offer:
    """Commits units for a demand and says what can be reached. held_mw: battery power kept back for swings."""
    grid, rules, price = plant.grid, plant.rules, grid_price(plant.grid, clock)
    energy_mwh = capacity_mwh(plant.battery, clock.hour)
    power_mw = jnp.maximum(plant.battery.power_mw - held_mw, 0.0)
    above = above_mwh(plant.battery, state.soc, plant.battery.reserve, energy_mwh)
    last = above_mwh(plant.battery, state.soc, plant.battery.soc_min, energy_mwh)
    room = room_mwh(plant.battery, state.soc, energy_mwh)
    stores = Store(*(jnp.minimum(power_mw, mwh / dt_h) for mwh in (above, last, room)))

    contract, announced = contract_mw(grid, clock.hour, dt_h), announced_mw(grid, clock.hour, dt_h)
    ramp_mw = jnp.where(state.is_new > 0, 1e9, grid.ramp_mw_per_h * dt_h)
    grid_high_mw = jnp.minimum(contract, state.grid_mw + ramp_mw)
    grid_low_mw = jnp.clip(state.grid_mw - ramp_mw, 0.0, grid_high_mw)
    solar_mw = sun_mw(plant.solar, clock)

    lasting_mw = jnp.minimum(power_mw, above / rules.bridge_h)
    view = View(
        load_mw=demand_mw,
        contract_mw=contract,
        soc=state.soc,
        reserve=plant.battery.reserve,
        above_mw=stores.above_mw,
        room_mw=stores.room_mw,
        refill_mw=room_mwh(plant.battery, plant.battery.reserve, energy_mwh) / rules.refill_h,
        lasting_mw=lasting_mw,
        largest_mw=jnp.max(jnp.where(state.n_on > 0, plant.blocks.p_nom_mw, 0.0), axis=0, initial=0.0),
        bridge_mw=lasting_mw + jnp.maximum(announced - state.grid_mw, 0.0),
        grid_usd_per_mwh=price,
        cheap_usd_per_mwh=rules.cheap_usd_per_mwh,
        dear_usd_per_mwh=rules.dear_usd_per_mwh,
        peak_mw=rules.peak_mw,
    )
    orders = POLICIES[plant.dispatch](view)
    halfway = (plant.battery.reserve + plant.battery.soc_max) / 2
    refill_mw = jnp.where(state.soc < halfway, jnp.minimum(orders.charge_mw, view.refill_mw), 0.0)
    need = Need(
        cover_mw=demand_mw * (1 + rules.margin_share) + orders.spinning_mw + refill_mw - solar_mw,
        band_mw=demand_mw * rules.band_share,
        least_mw=demand_mw + jnp.minimum(power_mw, room / rules.bridge_h),
        grid_mw=jnp.minimum(announced, orders.grid_mw),
        grid_usd_per_mwh=price,
        serve_mw=demand_mw,
        other_mw=grid_high_mw + solar_mw,
        is_first=state.is_new,
    )
    units, ready = commit(plant.units, plant.blocks, state.units, need, temperature_c, clock, dt_h)
    soft_mw = jnp.clip(orders.grid_mw, grid_low_mw, grid_high_mw)
    reach = Reach(grid_low_mw, soft_mw, grid_high_mw, solar_mw)
    reached_mw = ready.high_mw + grid_high_mw + solar_mw
    return Offer(
        limit_mw=reached_mw + stores.above_mw,
        last_mw=reached_mw + stores.last_mw,
        installed_mw=ready.able_mw + contract + solar_mw,
        reach=reach,
        ready=ready,
        units=units,
        store=stores,
        orders=orders,
        energy_mwh=energy_mwh,
        battery_power_mw=power_mw,
        grid_usd_per_mwh=price,
        grid_peak_mw=jnp.where(begins(clock.hour, dt_h, H_PER_MONTH), 0.0, state.grid_peak_mw),
    )


def meet(
    plant: Plant, state: PlantState, offered: Offer, load_mw: Scalar, demand_mw: Scalar, dt_h: Scalar
) -> tuple[PlantState, PlantReading]:
    """Serves load_mw, which is demand_mw or what a cap leaves of it; what stays short is unserved."""
    is_short = jnp.where(load_mw > offered.limit_mw * (1 + 1e-6), 1.0, 0.0)
    ready, stores = offered.ready, offered.store
    shares = share_out(
        load_mw, offered.reach, ready, stores, offered.orders, is_short, plant.blocks.usd_per_mwh,
        offered.grid_usd_per_mwh,
    )  # fmt: skip
    solar_usd_per_h = 0.0 if plant.solar is None else shares.solar_mw * plant.solar.om_usd_per_mwh
    cost = bill(
        plant.blocks, ready.n_on, ready.n_up, shares.block_mw, shares.grid_mw,
        solar_usd_per_h, offered.grid_usd_per_mwh, plant.prices,
    )  # fmt: skip
    turbine_mw = total(shares.block_mw)
    supplied_mw = turbine_mw + shares.grid_mw + shares.solar_mw + shares.battery_mw
    peak_mw = jnp.maximum(offered.grid_peak_mw, shares.grid_mw)
    is_held = (shares.battery_mw >= stores.above_mw * (1 - 1e-6)) & (load_mw < demand_mw * (1 - 1e-6))
    all_asked = is_held & (offered.battery_power_mw > 0)
    by_power = shares.battery_mw >= offered.battery_power_mw * (1 - 1e-6)
    after = PlantState(
        units=replace(offered.units, output_mw=shares.unit_mw),
        n_on=ready.n_on,
        grid_mw=shares.grid_mw,
        grid_peak_mw=peak_mw,
        grid_peaks_mw=state.grid_peaks_mw + (peak_mw - offered.grid_peak_mw),
        soc=store(plant.battery, state.soc, shares.battery_mw, offered.energy_mwh, dt_h),
        is_new=jnp.zeros_like(state.is_new),
    )
    return after, PlantReading(
        load_mw=load_mw,
        unit_mw=shares.unit_mw,
        grid_mw=shares.grid_mw,
        turbine_mw=turbine_mw,
        solar_mw=shares.solar_mw,
        battery_mw=shares.battery_mw,
        battery_loss_mw=loss_mw(plant.battery, shares.battery_mw),
        unserved_mw=shares.short_mw,
        capped_mw=demand_mw - load_mw,
        surplus_mw=shares.surplus_mw,
        curtailed_solar_mw=offered.reach.solar_mw - shares.solar_mw,
        limit_mw=offered.limit_mw,
        installed_mw=offered.installed_mw,
        soc=after.soc,
        residual_mw=supplied_mw + shares.short_mw - load_mw,
        fuel_mmbtu_per_h=cost.fuel_mmbtu_per_h,
        co2_t_per_h=cost.co2_t_per_h,
        nox_kg_per_h=cost.nox_kg_per_h,
        nox_raw_kg_per_h=cost.nox_raw_kg_per_h,
        fuel_usd_per_h=cost.fuel_usd_per_h,
        grid_usd_per_h=cost.grid_usd_per_h,
        energy_usd_per_h=cost.energy_usd_per_h,
        n_units_up=jnp.sum(ready.n_up * plant.blocks.n_machines, axis=0),
        n_units_out=jnp.sum(counts(after.units.out) * plant.blocks.n_machines, axis=0),
        n_starts=jnp.sum(ready.n_started * plant.blocks.n_machines, axis=0),
        grid_peak_mw=peak_mw,
        battery_binds_mw=jnp.where(all_asked & by_power, 1.0, 0.0),
        battery_binds_mwh=jnp.where(all_asked & ~by_power, 1.0, 0.0),
    )
