"""Fuel, carbon dioxide, nitrogen oxides and money per hour of what the sources yield."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp

from macrohard.colossus.supply import Blocks, total
from macrohard.colossus.units import Scalar

KG_PER_LB = 0.45359237
BTU_PER_KWH_OF_CO2_FIGURE = 10277.0
"""Heat rate at which gas emits 545 kg/MWh: 117 lb/MMBtu (EIA Electric Power Annual, table A.3) * 10.277 MMBtu/MWh."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Prices:
    """What burning gas and drawing from the grid emit. Gas is priced by block, the grid by hour."""

    gas_co2_kg_per_mmbtu: Scalar
    grid_co2_kg_per_mwh: Scalar


class Bill(NamedTuple):
    """Per hour, of the whole site. nox_raw: without any catalyst. energy_usd: fuel, grid, operation and maintenance."""

    fuel_mmbtu_per_h: Scalar
    co2_t_per_h: Scalar
    nox_kg_per_h: Scalar
    nox_raw_kg_per_h: Scalar
    fuel_usd_per_h: Scalar
    grid_usd_per_h: Scalar
    energy_usd_per_h: Scalar


def fuel_mmbtu_per_h(blocks: Blocks, n_on: jax.Array, block_mw: jax.Array) -> jax.Array:
    """Fuel of each block: straight line from no load to full load (Willans); a unit that starts burns no-load fuel."""
    return n_on * blocks.no_load_mmbtu_per_h + blocks.mmbtu_per_mwh * block_mw


def bill(
    blocks: Blocks,
    n_on: jax.Array,
    n_up: jax.Array,
    block_mw: jax.Array,
    grid_mw: Scalar,
    solar_usd_per_h: Scalar,
    grid_usd_per_mwh: Scalar,
    prices: Prices,
) -> Bill:
    """What this tick's output costs and emits, per hour. n_on, n_up: units per block that run, and that carry load.

    A unit that starts emits raw nitrogen oxides, as if its no-load fuel made power at the full-load heat rate.
    """
    fuel = fuel_mmbtu_per_h(blocks, n_on, block_mw)
    raw_kg_per_h = blocks.nox_raw_kg_per_mwh * blocks.no_load_mmbtu_per_h / jnp.maximum(blocks.full_mmbtu_per_mwh, 1e-9)
    starting = (n_on - n_up) * raw_kg_per_h
    nox, nox_raw = (each * block_mw + starting for each in (blocks.nox_kg_per_mwh, blocks.nox_raw_kg_per_mwh))
    columns = [fuel, nox, nox_raw, fuel * blocks.gas_usd_per_mmbtu, blocks.om_usd_per_mwh * block_mw]
    burnt, nox_kg, nox_raw_kg, fuel_usd, om_usd = (total(each) for each in columns)
    grid_usd = grid_mw * grid_usd_per_mwh
    return Bill(
        fuel_mmbtu_per_h=burnt,
        co2_t_per_h=(burnt * prices.gas_co2_kg_per_mmbtu + grid_mw * prices.grid_co2_kg_per_mwh) / 1e3,
        nox_kg_per_h=nox_kg,
        nox_raw_kg_per_h=nox_raw_kg,
        fuel_usd_per_h=fuel_usd,
        grid_usd_per_h=grid_usd,
        energy_usd_per_h=fuel_usd + om_usd + grid_usd + solar_usd_per_h,
    )
