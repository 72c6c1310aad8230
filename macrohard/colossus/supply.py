"""What can feed the site: generating units one by one, the grid contract, solar panels.

Equal units form a block. Arrays of units have shape (blocks, width), a row a block, padded with units that no permit
lets run. A batch of plants has its lanes on a last axis of every array: all laws here broadcast over it.
"""

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from macrohard.colossus.climate import Sun, sunshine
from macrohard.colossus.clock import Clock
from macrohard.colossus.once import once
from macrohard.colossus.units import H_PER_YEAR, Scalar

_WORD = 32
"""Bits of a word: units of a block are counted that many at a time."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Units:
    """Gas-fired units, shape (blocks, width).

    key names a unit to the dice. sync_h: from the order to start until the unit carries its minimum load. mtbf_h counts
    running hours. planned_from_h is an hour of each year of the run, in which maintenance begins.
    """

    key: jax.Array
    p_nom_mw: jax.Array
    ramp_mw_per_h: jax.Array
    sync_h: jax.Array
    min_up_h: jax.Array
    min_down_h: jax.Array
    mtbf_h: jax.Array
    mttr_h: jax.Array
    planned_from_h: jax.Array
    planned_h: jax.Array
    permit_from_h: jax.Array
    permit_until_h: jax.Array
    starts_per_year: jax.Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Blocks:
    """Groups of equal units, cheapest first, shape (blocks,); they share their load evenly. Figures are of one unit.

    n_machines: 1, or more where a unit stands for several. least_mw is the minimum load.
    no_load_mmbtu_per_h and mmbtu_per_mwh: the straight line from no load to full load; full_mmbtu_per_mwh at full load.
    usd_per_mwh: running cost at full load, fuel and O&M. nox_raw_kg_per_mwh holds while a unit starts, before its
    catalyst is warm.
    """

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


def total(each: jax.Array, axis: int = 0) -> jax.Array:
    """Sum over an axis, term after term: a lane of a batch then rounds as a single run does."""
    terms = [lax.index_in_dim(each, place, axis, keepdims=False) for place in range(each.shape[axis])]
    return once(sum(terms[1:], start=terms[0])) if terms else jnp.sum(each, axis=axis)


def before(per_block: jax.Array) -> jax.Array:
    """Sum over the blocks before each one, shape (blocks,)."""
    sums = [jnp.zeros(per_block.shape[1:])]
    for block in range(per_block.shape[0] - 1):
        sums.append(sums[-1] + per_block[block])
    return once(jnp.stack(sums)[: per_block.shape[0]])


def counts(flags: jax.Array) -> jax.Array:
    """How many units of each block a flag, 1 or 0, is set for, shape (blocks,): whole, so in any order the same."""
    return jnp.sum(flags, axis=1)


def ranks(flags: jax.Array) -> jax.Array:
    """How many of the units before it in its block a flag is set for, shape (blocks, width)."""
    ahead, parts = jnp.zeros_like(flags[:, :1]), []
    for first in range(0, flags.shape[1], _WORD):
        part = flags[:, first : first + _WORD]
        places = np.arange(part.shape[1], dtype=np.uint32).reshape(-1, *(1,) * (flags.ndim - 2))
        bit = np.uint32(1) << places
        word = jnp.sum(jnp.where(part > 0, bit, np.uint32(0)), axis=1, keepdims=True, dtype=jnp.uint32)
        parts.append(ahead + lax.population_count(word & (bit - np.uint32(1))).astype(jnp.float32))
        ahead = ahead + lax.population_count(word).astype(jnp.float32)
    return jnp.concatenate(parts, axis=1)


def usable(units: Units, clock: Clock) -> jax.Array:
    """1 where the permit is in force and no maintenance is planned, else 0."""
    permitted = (clock.hour >= units.permit_from_h) & (clock.hour < units.permit_until_h)
    passed_h = clock.hour - units.planned_from_h
    into_h = passed_h - H_PER_YEAR * jnp.floor(passed_h / H_PER_YEAR)
    return jnp.where(permitted & ((passed_h < 0) | (into_h >= units.planned_h)), 1.0, 0.0)


def barred_h(units: Units, hours: float) -> np.ndarray:
    """Hours of a run of so many in which each unit had no permit or was in maintenance, shape (blocks, width)."""
    begin, until, first_h, each_h = (
        np.asarray(figure, np.float64)
        for figure in (units.permit_from_h, units.permit_until_h, units.planned_from_h, units.planned_h)
    )
    begin, until = np.clip(begin, 0.0, hours), np.clip(until, 0.0, hours)
    able = np.maximum(until - begin, 0.0)
    for year in range(math.ceil(hours / H_PER_YEAR)):
        away = first_h + year * H_PER_YEAR
        able -= np.maximum(np.minimum(until, away + each_h) - np.maximum(begin, away), 0.0)
    return np.where(np.asarray(units.p_nom_mw) > 0, hours - able, 0.0)


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


def begins(hour: Scalar, dt_h: Scalar, every_h: float) -> jax.Array:
    """Whether a period of so many hours, counted from the start on, begins with the tick around this hour."""
    return jnp.floor(hour / every_h) > jnp.floor((hour - dt_h) / every_h)


def grid_price(grid: Grid, clock: Clock) -> Scalar:
    """Price of energy in this hour of the day, USD/MWh."""
    hour = jnp.clip(jnp.floor(clock.hour_of_day), 0, 23).astype(jnp.int32)
    return grid.usd_per_mwh[hour]


def sun_mw(solar: Solar | None, clock: Clock) -> Scalar:
    """What the panels could yield now."""
    return 0.0 if solar is None else solar.p_nom_mw * sunshine(solar.sun, clock)
