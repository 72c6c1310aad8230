"""Fuel, carbon dioxide, nitrogen oxides and money per hour of what the sources yield."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp

from macrohard.colossus.commitment import UnitState
from macrohard.colossus.supply import Units, total
from macrohard.colossus.units import Scalar

KG_PER_LB = 0.45359237
BTU_PER_KWH_OF_CO2_FIGURE = 10277.0
"""Heat rate at which gas emits 545 kg/MWh: 117 lb/MMBtu (EIA Electric Power Annual, table A.3) * 10.277 MMBtu/MWh."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Prices:
    """Fuel at the site, and what burning it and drawing from the grid emit."""

    gas_usd_per_mmbtu: Scalar
    gas_co2_kg_per_mmbtu: Scalar
    grid_co2_kg_per_mwh: Scalar


class Bill(NamedTuple):
    """Per hour, of the whole site."""

    fuel_mmbtu_per_h: Scalar
    co2_t_per_h: Scalar
    nox_kg_per_h: Scalar
    energy_usd_per_h: Scalar


def fuel_mmbtu_per_h(units: Units, state: UnitState, unit_mw: jax.Array) -> jax.Array:
    """Fuel of each unit: a straight line from no-load to full load (Willans); a unit that starts burns no-load fuel."""
    full = units.p_nom_mw * units.mmbtu_per_mwh
    slope = units.mmbtu_per_mwh * (1 - units.no_load_share)
    return state.on * full * units.no_load_share + slope * unit_mw


def bill(
    units: Units,
    state: UnitState,
    unit_mw: jax.Array,
    grid_mw: Scalar,
    solar_usd_per_h: Scalar,
    grid_usd_per_mwh: Scalar,
    prices: Prices,
) -> Bill:
    """What this tick's output costs and emits, per hour. A unit that starts emits raw nitrogen oxides of its fuel."""
    fuel = fuel_mmbtu_per_h(units, state, unit_mw)
    burnt = total(fuel)
    starting = state.on * jnp.where(unit_mw > 0, 0.0, 1.0)
    raw_kg = units.nox_raw_kg_per_mwh * fuel / jnp.maximum(units.mmbtu_per_mwh, 1e-9)
    nox = total(units.nox_kg_per_mwh * unit_mw + starting * raw_kg)
    upkeep = total(units.om_usd_per_mwh * unit_mw + units.gas_extra_usd_per_mmbtu * fuel)
    return Bill(
        fuel_mmbtu_per_h=burnt,
        co2_t_per_h=(burnt * prices.gas_co2_kg_per_mmbtu + grid_mw * prices.grid_co2_kg_per_mwh) / 1e3,
        nox_kg_per_h=nox,
        energy_usd_per_h=burnt * prices.gas_usd_per_mmbtu + upkeep + grid_mw * grid_usd_per_mwh + solar_usd_per_h,
    )
