"""What can feed the site: generating units one by one, the grid contract, solar panels.

Arrays of units have shape (rows,), one row a unit, padded with units of rating 0.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from macrohard.colossus.climate import Sun
from macrohard.colossus.clock import Clock
from macrohard.colossus.units import H_PER_YEAR, Scalar

BLOCKS = 8
"""Groups of units in merit order; units of a group share its load evenly."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Units:
    """Gas-fired units.

    key names a unit to the dice; n_machines: 1, or more where a row stands for equal ones. min_share and no_load_share:
    of the rating, and of the fuel at full load. sync_h: from the order to start until the unit carries minimum load.
    mtbf_h counts running hours. planned_from_h is an hour of the year. usd_per_mwh: running cost at full load, fuel and
    O&M; gas_extra: where a unit's gas has a price of its own. nox_raw_kg_per_mwh holds while a unit starts, before its
    catalyst is warm. block is one-hot, shape (rows, BLOCKS), cheapest first.
    """

    key: jax.Array
    n_machines: jax.Array
    p_nom_mw: jax.Array
    min_share: jax.Array
    ramp_mw_per_h: jax.Array
    sync_h: jax.Array
    min_up_h: jax.Array
    min_down_h: jax.Array
    derate_per_k: jax.Array
    mmbtu_per_mwh: jax.Array
    no_load_share: jax.Array
    mtbf_h: jax.Array
    mttr_h: jax.Array
    planned_from_h: jax.Array
    planned_h: jax.Array
    permit_from_h: jax.Array
    permit_until_h: jax.Array
    starts_per_year: jax.Array
    om_usd_per_mwh: jax.Array
    usd_per_mwh: jax.Array
    gas_extra_usd_per_mmbtu: jax.Array
    nox_kg_per_mwh: jax.Array
    nox_raw_kg_per_mwh: jax.Array
    block: jax.Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Grid:
    """A connection: contract, change of draw per hour, price by hour of the day (24,), and calls to draw less.

    calls: from, until (hours since start) and MW taken off, shape (calls,), announced notice_h ahead.
    """

    contract_mw: Scalar
    ramp_mw_per_h: Scalar
    usd_per_mwh: jax.Array
    call_from_h: jax.Array
    call_until_h: jax.Array
    call_mw: jax.Array
    notice_h: Scalar


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Solar:
    """Panels of one site: rating and sky."""

    p_nom_mw: Scalar
    sun: Sun
    om_usd_per_mwh: Scalar


def total(rows: jax.Array) -> jax.Array:
    """Sum over units."""
    return jnp.sum(rows, axis=0)


def up_to(rows: jax.Array) -> jax.Array:
    """Sum over a unit and those before it, by doubling: the same additions in the same order, batched or not."""
    reach = 1
    while reach < rows.shape[0]:
        rows = rows + jnp.concatenate([jnp.zeros_like(rows[:reach]), rows[:-reach]])
        reach *= 2
    return rows


def permitted(units: Units, clock: Clock) -> jax.Array:
    """1 where the permit is in force, else 0."""
    return jnp.where((clock.hour >= units.permit_from_h) & (clock.hour < units.permit_until_h), 1.0, 0.0)


def in_service(units: Units, clock: Clock) -> jax.Array:
    """0 in the hours of the year planned for maintenance, else 1."""
    into = (clock.hour - units.planned_from_h) % H_PER_YEAR
    return jnp.where((clock.hour >= units.planned_from_h) & (into < units.planned_h), 0.0, 1.0)


def capability_mw(units: Units, temperature_c: Scalar) -> jax.Array:
    """Most that each unit yields at that outdoor temperature; the rating up to 15 C, where the generator limits."""
    return units.p_nom_mw * jnp.clip(1 - units.derate_per_k * (temperature_c - 15.0), 0.0, 1.0)


def contract_mw(grid: Grid, hour: Scalar, dt_h: Scalar) -> Scalar:
    """Most that may be drawn now. Before a call that has been announced, draw walks down the ramp to its level.

    Calls at the same time add up. dt_h: a call that begins within this tick counts as begun.
    """
    ahead_h = jnp.maximum(grid.call_from_h - (hour + dt_h / 2), 0.0)
    over = grid.call_until_h <= hour - dt_h / 2
    known = ~over & (ahead_h <= grid.notice_h)
    relief_mw = jnp.where(known, jnp.maximum(grid.call_mw - grid.ramp_mw_per_h * ahead_h, 0.0), 0.0)
    return jnp.maximum(grid.contract_mw - jnp.sum(relief_mw, axis=0), 0.0)


def announced_mw(grid: Grid, hour: Scalar, dt_h: Scalar) -> Scalar:
    """The contract less every call in force or announced: what to commit units against."""
    known = (grid.call_until_h > hour - dt_h / 2) & (grid.call_from_h - hour <= grid.notice_h)
    return jnp.maximum(grid.contract_mw - jnp.sum(jnp.where(known, grid.call_mw, 0.0), axis=0), 0.0)


def grid_price(grid: Grid, clock: Clock) -> Scalar:
    """Price of energy in this hour of the day, USD/MWh."""
    hour = jnp.clip(jnp.floor(clock.hour_of_day), 0, 23).astype(jnp.int32)
    return grid.usd_per_mwh[hour]
