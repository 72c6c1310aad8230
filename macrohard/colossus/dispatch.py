"""Sharing the load out: sun first, then grid and units in merit order, then the battery; what stays short."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from macrohard.colossus.commitment import Ready
from macrohard.colossus.supply import BLOCKS
from macrohard.colossus.units import Scalar

ROUNDING = 1e-5
"""A shortfall below this share of the load is float32 rounding, not unserved energy."""


class Reach(NamedTuple):
    """What sources can do in this tick, within their ramps, MW. grid_soft_mw: draw the policy allows unless short."""

    units_low_mw: Scalar
    units_high_mw: Scalar
    grid_low_mw: Scalar
    grid_soft_mw: Scalar
    grid_high_mw: Scalar
    solar_mw: Scalar


class Store(NamedTuple):
    """What the battery can do in this tick, MW at the meter: down to its reserve, down to soc_min, and charging."""

    above_mw: Scalar
    last_mw: Scalar
    room_mw: Scalar


class Shares(NamedTuple):
    """Output per unit, shape (rows,), and of grid, sun and battery (discharge +). short_mw: load nobody serves.

    surplus_mw: how far sources had to be forced below their minimum load or down-ramp (load rejection).
    """

    unit_mw: jax.Array
    grid_mw: Scalar
    solar_mw: Scalar
    battery_mw: Scalar
    short_mw: Scalar
    surplus_mw: Scalar


def share_out(
    load_mw: Scalar,
    reach: Reach,
    ready: Ready,
    store: Store,
    charge_mw: Scalar,
    discharge_mw: Scalar,
    is_short: Scalar,
    block: jax.Array,
    block_usd_per_mwh: jax.Array,
    grid_usd_per_mwh: Scalar,
) -> Shares:
    """Meets load_mw. Charging takes only what sources have to spare; is_short opens the store down to soc_min."""
    low_mw = reach.units_low_mw + reach.grid_low_mw
    others_mw = reach.units_high_mw + reach.solar_mw
    grid_high_mw = jnp.clip(load_mw - others_mw - store.above_mw, reach.grid_soft_mw, reach.grid_high_mw)
    most_mw = others_mw + grid_high_mw

    given_mw = jnp.minimum(discharge_mw, store.above_mw)
    taken_mw = jnp.where(given_mw > 0, 0.0, jnp.clip(charge_mw, 0.0, jnp.maximum(most_mw - load_mw, 0.0)))
    wished_mw = load_mw - given_mw + taken_mw
    # minimum loads above the wish fill the battery first; what it cannot take is rejected, the grid's part first
    floor_mw = jnp.minimum(low_mw, load_mw + store.room_mw)
    surplus_mw = low_mw - floor_mw
    grid_low_mw = jnp.maximum(reach.grid_low_mw - surplus_mw, 0.0)
    units_low_mw = floor_mw - grid_low_mw
    made_mw = jnp.clip(wished_mw, floor_mw, most_mw)
    solar_mw = jnp.minimum(reach.solar_mw, made_mw - floor_mw)

    rest_mw = jnp.maximum(made_mw - solar_mw - floor_mw, 0.0)
    scale = units_low_mw / jnp.maximum(reach.units_low_mw, 1e-9)
    span_mw = jnp.maximum(ready.high_mw - ready.low_mw, 0.0)
    grid_extra_mw, fill = in_merit_order(
        rest_mw, jnp.sum(block * span_mw[:, None], axis=0), grid_high_mw - grid_low_mw, block_usd_per_mwh,
        grid_usd_per_mwh,
    )  # fmt: skip
    unit_mw = ready.low_mw * jnp.minimum(scale, 1.0) + jnp.sum(block * fill, axis=1) * span_mw
    grid_mw = grid_low_mw + grid_extra_mw
    most_given_mw = jnp.where(is_short > 0, store.last_mw, store.above_mw)
    battery_mw = jnp.clip(load_mw - made_mw, -store.room_mw, most_given_mw)
    short_mw = load_mw - made_mw - battery_mw
    return Shares(
        unit_mw=unit_mw,
        grid_mw=grid_mw,
        solar_mw=solar_mw,
        battery_mw=battery_mw,
        short_mw=jnp.where(short_mw > ROUNDING * load_mw, short_mw, 0.0),
        surplus_mw=surplus_mw,
    )


def in_merit_order(
    rest_mw: Scalar, span_mw: jax.Array, grid_mw: Scalar, usd_per_mwh: jax.Array, grid_usd_per_mwh: Scalar
) -> tuple[Scalar, jax.Array]:
    """What the grid gives, and the filled share of each block's span, shape (BLOCKS,); cheapest first.

    A grid that is cheaper than a block comes before it. Unrolled: a loop costs more than its body.
    """
    given_mw, filled = 0.0 * grid_mw, []
    for index in range(BLOCKS):
        before = jnp.where(grid_usd_per_mwh < usd_per_mwh[index], jnp.minimum(rest_mw, grid_mw - given_mw), 0.0)
        given_mw, rest_mw = given_mw + before, rest_mw - before
        taken_mw = jnp.minimum(rest_mw, span_mw[index])
        filled.append(taken_mw / jnp.maximum(span_mw[index], 1e-9))
        rest_mw = rest_mw - taken_mw
    return given_mw + jnp.minimum(rest_mw, grid_mw - given_mw), jnp.stack(filled)
