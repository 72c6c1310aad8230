"""Sharing the load out: sun first, then grid and units in merit order, then the battery; what stays short."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from macrohard.colossus.commitment import Ready
from macrohard.colossus.policies import Orders
from macrohard.colossus.supply import before, total
from macrohard.colossus.units import Scalar

ROUNDING = 1e-5
"""A shortfall below this share of the load is float32 rounding, not unserved energy."""


class Reach(NamedTuple):
    """What grid and sun can do in this tick, within ramps, MW. grid_soft_mw: draw the policy allows unless short."""

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
    """Output per unit, shape (blocks, width), per block, and of grid, sun and battery (discharge +).

    short_mw: unserved. surplus_mw: how far sources had to be forced below their minimum load or down-ramp (load
    rejection).
    """

    unit_mw: jax.Array
    block_mw: jax.Array
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
    orders: Orders,
    is_short: Scalar,
    block_usd_per_mwh: jax.Array,
    grid_usd_per_mwh: Scalar,
) -> Shares:
    """Meets load_mw. Charging takes only what sources have to spare; is_short opens the store down to soc_min."""
    low_mw = ready.low_mw + reach.grid_low_mw
    others_mw = ready.high_mw + reach.solar_mw
    grid_high_mw = jnp.clip(load_mw - others_mw - store.above_mw, reach.grid_soft_mw, reach.grid_high_mw)
    most_mw = others_mw + grid_high_mw

    given_mw = jnp.minimum(orders.discharge_mw, store.above_mw)
    taken_mw = jnp.where(given_mw > 0, 0.0, jnp.clip(orders.charge_mw, 0.0, jnp.maximum(most_mw - load_mw, 0.0)))
    wished_mw = load_mw - given_mw + taken_mw
    # minimum loads above the wish fill the battery first; what it cannot take is rejected, the grid's part first
    floor_mw = jnp.minimum(low_mw, load_mw + store.room_mw)
    surplus_mw = low_mw - floor_mw
    grid_low_mw = jnp.maximum(reach.grid_low_mw - surplus_mw, 0.0)
    units_low_mw = floor_mw - grid_low_mw
    made_mw = jnp.clip(wished_mw, floor_mw, most_mw)
    solar_mw = jnp.minimum(reach.solar_mw, made_mw - floor_mw)
    grid_extra_mw, fill = in_merit_order(
        jnp.maximum(made_mw - solar_mw - floor_mw, 0.0),
        ready.block_span_mw,
        jnp.maximum(grid_high_mw - grid_low_mw, 0.0),
        block_usd_per_mwh,
        grid_usd_per_mwh,
    )
    scale = jnp.minimum(units_low_mw / jnp.maximum(ready.low_mw, 1e-9), 1.0)
    battery_mw = jnp.clip(load_mw - made_mw, -store.room_mw, jnp.where(is_short > 0, store.last_mw, store.above_mw))
    short_mw = load_mw - made_mw - battery_mw
    return Shares(
        unit_mw=ready.unit_low_mw * scale + ready.unit_span_mw * fill[:, None],
        block_mw=ready.block_low_mw * scale + ready.block_span_mw * fill,
        grid_mw=grid_low_mw + grid_extra_mw,
        solar_mw=solar_mw,
        battery_mw=battery_mw,
        short_mw=jnp.where(short_mw > ROUNDING * load_mw, short_mw, 0.0),
        surplus_mw=surplus_mw,
    )


def in_merit_order(
    rest_mw: Scalar, span_mw: jax.Array, grid_mw: Scalar, usd_per_mwh: jax.Array, grid_usd_per_mwh: Scalar
) -> tuple[Scalar, jax.Array]:
    """What the grid gives, and the filled share of each block's span, shape (blocks,); cheapest first.

    A grid that is cheaper than a block comes before it.
    """
    dearer = grid_usd_per_mwh < usd_per_mwh
    start_mw = before(span_mw) + jnp.where(dearer, grid_mw, 0.0)
    filled_mw = jnp.clip(rest_mw - start_mw, 0.0, span_mw)
    ahead_mw = total(jnp.where(dearer, 0.0, span_mw))
    return jnp.clip(rest_mw - ahead_mw, 0.0, grid_mw), filled_mw / jnp.maximum(span_mw, 1e-9)
