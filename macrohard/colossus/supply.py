"""What can feed the site: generating units one by one, the grid contract, solar panels.

Arrays of units have shape (rows,), one row a unit, padded with units that no permit lets run. Equal units form a block.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from macrohard.colossus.climate import Sun
from macrohard.colossus.clock import Clock
from macrohard.colossus.units import H_PER_MONTH, H_PER_YEAR, Scalar


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Units:
    """Gas-fired units, in merit order.

    key names a unit to the dice; block is its row in Blocks. least_mw is the minimum load. sync_h: from the order to
    start until the unit carries it. mtbf_h counts running hours. planned_from_h is an hour of the year. bit and ahead
    hold words of 32 rows, shape (words, rows): the unit's own bit, and those of the units before it in its block.
    """

    key: jax.Array
    block: jax.Array
    p_nom_mw: jax.Array
    least_mw: jax.Array
    ramp_mw_per_h: jax.Array
    sync_h: jax.Array
    min_up_h: jax.Array
    min_down_h: jax.Array
    derate_per_k: jax.Array
    mtbf_h: jax.Array
    mttr_h: jax.Array
    planned_from_h: jax.Array
    planned_h: jax.Array
    permit_from_h: jax.Array
    permit_until_h: jax.Array
    starts_per_year: jax.Array
    bit: jax.Array
    ahead: jax.Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Blocks:
    """Groups of equal units, cheapest first, shape (blocks,); they share their load evenly. Figures are of one unit.

    members: bits of the block's units, shape (words, blocks). n_machines: 1, or more where a row stands for several.
    no_load_mmbtu_per_h and mmbtu_per_mwh: the straight line from no load to full load; full_mmbtu_per_mwh at full load.
    usd_per_mwh: running cost at full load, fuel and O&M. nox_raw_kg_per_mwh holds while a unit starts, before its
    catalyst is warm.
    """

    members: jax.Array
    n_machines: jax.Array
    p_nom_mw: jax.Array
    least_mw: jax.Array
    derate_per_k: jax.Array
    no_load_mmbtu_per_h: jax.Array
    mmbtu_per_mwh: jax.Array
    full_mmbtu_per_mwh: jax.Array
    gas_usd_per_mmbtu: jax.Array
    om_usd_per_mwh: jax.Array
    usd_per_mwh: jax.Array
    nox_kg_per_mwh: jax.Array
    nox_raw_kg_per_mwh: jax.Array


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


def words(units: Units, flags: jax.Array) -> jax.Array:
    """Which units a flag is set for, as bits, shape (words,): integers, so their sum depends on no order."""
    return jnp.sum(jnp.where(flags > 0, units.bit, jnp.uint32(0)), axis=1, dtype=jnp.uint32)


def counts(blocks: Blocks, bits: jax.Array) -> jax.Array:
    """Units of each block among those bits, shape (blocks,)."""
    return _bits_set(bits[:, None] & blocks.members)


def ranks(units: Units, bits: jax.Array) -> jax.Array:
    """How many units among those bits come before a unit in its own block, shape (rows,)."""
    return _bits_set(bits[:, None] & units.ahead)


def _bits_set(words_by_column: jax.Array) -> jax.Array:
    each = jax.lax.population_count(words_by_column)
    return sum((each[word] for word in range(1, each.shape[0])), each[0]).astype(jnp.float32)


def before(per_block: jax.Array) -> jax.Array:
    """Sum over the blocks before each one, shape (blocks,)."""
    n_blocks = per_block.shape[0]
    earlier = np.triu(np.ones((n_blocks, n_blocks), np.float32), 1)
    return jnp.sum(per_block[:, None] * earlier, axis=0)


def by_block(units: Units, blocks: Blocks, per_unit: jax.Array) -> jax.Array:
    """Sum over the units of each block, shape (blocks,)."""
    number = jnp.arange(blocks.p_nom_mw.shape[0])
    total = jnp.zeros_like(blocks.p_nom_mw)
    for row in range(per_unit.shape[0]):
        total = total + jnp.where(units.block[row] == number, per_unit[row], 0.0)
    return total


def of_units(units: Units, per_block: jax.Array) -> jax.Array:
    """A figure of each block, given to its units, shape (rows,)."""
    given = jnp.zeros_like(units.p_nom_mw)
    for block in range(per_block.shape[0]):
        given = jnp.where(units.block == block, per_block[block], given)
    return given


def usable(units: Units, clock: Clock) -> jax.Array:
    """1 where the permit is in force and no maintenance is planned, else 0."""
    permitted = (clock.hour >= units.permit_from_h) & (clock.hour < units.permit_until_h)
    passed_h = clock.hour - units.planned_from_h
    into_h = passed_h - H_PER_YEAR * jnp.floor(passed_h / H_PER_YEAR)
    return jnp.where(permitted & ((passed_h < 0) | (into_h >= units.planned_h)), 1.0, 0.0)


def warmth(derate_per_k: jax.Array, temperature_c: Scalar) -> jax.Array:
    """Most output at that outdoor temperature over the rating; 1 up to 15 C, where the generator limits."""
    return jnp.clip(1 - derate_per_k * (temperature_c - 15.0), 0.0, 1.0)


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


def month_begins(hour: Scalar, dt_h: Scalar) -> jax.Array:
    """Whether a billing month, a twelfth of 8,760 hours from the start on, begins with the tick around this hour."""
    return jnp.floor(hour / H_PER_MONTH) > jnp.floor((hour - dt_h) / H_PER_MONTH)


def grid_price(grid: Grid, clock: Clock) -> Scalar:
    """Price of energy in this hour of the day, USD/MWh."""
    hour = jnp.clip(jnp.floor(clock.hour_of_day), 0, 23).astype(jnp.int32)
    return grid.usd_per_mwh[hour]
