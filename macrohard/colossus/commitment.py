"""Which units run: started and stopped by rule, in merit order, within their minimum up and down times."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import jax
import jax.numpy as jnp

from macrohard.colossus.clock import Clock
from macrohard.colossus.once import once
from macrohard.colossus.outage import outages
from macrohard.colossus.supply import Blocks, Units, before, begins, counts, ranks, total, usable, warmth
from macrohard.colossus.units import H_PER_YEAR, Scalar

_LONG_H = 1000.0
_AHEAD_H = 0.5
"""How long before maintenance or the end of its permit a unit is no longer counted on, so that others have started."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class UnitState:
    """Per unit, shape (blocks, width): output, ordered to run or not (1 or 0), time since that last changed, out of
    order or not, starts in this year of the run.
    """

    output_mw: jax.Array
    on: jax.Array
    since_h: jax.Array
    out: jax.Array
    starts: jax.Array


class Need(NamedTuple):
    """What to commit for: MW to cover with reserve, MW more before a running unit is let go.

    least_mw: load plus charging that running units can count on; their minimum loads may not add up to more.
    grid_mw, grid_usd_per_mwh: counts as cover before units that cost more. serve_mw: the load of this tick.
    other_mw: what grid and sun reach in this tick. is_first: units run at once, as if they had run before.
    """

    cover_mw: Scalar
    band_mw: Scalar
    least_mw: Scalar
    grid_mw: Scalar
    grid_usd_per_mwh: Scalar
    serve_mw: Scalar
    other_mw: Scalar
    is_first: Scalar


class Ready(NamedTuple):
    """How low and high each unit can be in this tick, 0 if it carries nothing; the span between, per block.

    low_mw and high_mw are sums. n_on, n_up, n_started: units per block ordered to run, carrying load, and ordered to
    start in this tick. able_mw: most that all usable units would yield.
    """

    unit_low_mw: jax.Array
    unit_span_mw: jax.Array
    block_low_mw: jax.Array
    block_span_mw: jax.Array
    low_mw: Scalar
    high_mw: Scalar
    n_on: jax.Array
    n_up: jax.Array
    n_started: jax.Array
    able_mw: Scalar


def at_rest(units: Units, out: jax.Array) -> UnitState:
    """All units off and long enough so to be started."""
    zero = jnp.zeros_like(units.p_nom_mw)
    return UnitState(output_mw=zero, on=zero, since_h=zero + _LONG_H, out=out, starts=zero)


def commit(
    units: Units, blocks: Blocks, state: UnitState, need: Need, temperature_c: Scalar, clock: Clock, dt_h: Scalar
) -> tuple[UnitState, Ready]:
    """Outages, starts and stops of this tick. The state keeps last tick's output: dispatch sets it.

    A unit is wanted while the units before it in merit order, and a cheaper grid, do not cover the need, and while
    the minimum loads so far fit under the load; of equal units those that run come first. Shut down, it is first driven
    to its minimum load, and let go when the others reach the load without it. Both minimum up time and that are waived
    when minimum loads exceed the load.
    """
    out = once(outages(units, state.out, state.on, clock, dt_h))
    can_run = (1 - out) * usable(units, clock)
    lasts = usable(units, replace(clock, hour=clock.hour + _AHEAD_H))
    block_most_mw = blocks.p_nom_mw * warmth(blocks.derate_per_k, temperature_c)
    block_least_mw = jnp.minimum(blocks.least_mw, block_most_mw)
    most_mw, least_mw = block_most_mw[:, None], block_least_mw[:, None]
    on = state.on * can_run
    since_h = jnp.where(on == state.on, state.since_h, 0.0)
    starts = jnp.where(begins(clock.hour, dt_h, H_PER_YEAR), 0.0, state.starts)
    rested = (since_h >= units.min_down_h) & (starts < units.starts_per_year)
    startable = can_run * lasts * (1 - on) * jnp.where(rested | (need.is_first > 0), 1.0, 0.0)

    kept = on * lasts
    n_kept = counts(kept)
    n_counted = n_kept + counts(startable)
    rank = jnp.where(on > 0, ranks(kept), ranks(startable) + n_kept[:, None])
    is_overloaded = total(counts(on) * block_least_mw) > need.least_mw
    cover_mw = before(n_counted * block_most_mw)
    cover_mw = cover_mw + jnp.where(need.grid_usd_per_mwh < blocks.usd_per_mwh, need.grid_mw, 0.0)
    # ranks up to which a block's units are wanted, kept if on, and fit under the load
    starts_below = (need.cover_mw - cover_mw) / jnp.maximum(block_most_mw, 1e-6)
    stays_below = (need.cover_mw + need.band_mw - cover_mw) / jnp.maximum(block_most_mw, 1e-6)
    fits = (need.least_mw - before(n_counted * block_least_mw)) / jnp.maximum(block_least_mw, 1e-6) - 1 + 1e-6
    limit = jnp.minimum(starts_below, jnp.floor(fits) + 1)[:, None]
    limit_on = jnp.minimum(stays_below, jnp.floor(fits) + 1)[:, None]
    bound = (since_h < units.min_up_h) & ~is_overloaded
    starting = once(startable * jnp.where(rank < limit, 1.0, 0.0))
    stopping = once(on * jnp.where((rank < limit_on) | bound, 0.0, 1.0))

    first = jnp.where(need.is_first > 0, 1.0, 0.0)
    synced = on * jnp.where(since_h >= units.sync_h, 1.0, 0.0)
    reach_mw = jnp.maximum(state.output_mw + units.ramp_mw_per_h * dt_h, least_mw)
    high_mw = jnp.where(first > 0, most_mw, jnp.minimum(most_mw, reach_mw))
    low_mw = jnp.maximum(state.output_mw - units.ramp_mw_per_h * dt_h, least_mw)
    low_mw = jnp.where(first > 0, least_mw, jnp.minimum(low_mw, high_mw))
    high_mw = jnp.where(stopping > 0, low_mw, high_mw)

    idle = stopping * jnp.where(synced * state.output_mw <= least_mw * 1.001, 1.0, 0.0)
    others_mw = total(total(synced * (1 - stopping) * high_mw, axis=1)) + need.other_mw
    lets_go = (others_mw >= need.serve_mw) | is_overloaded
    leaving = idle * jnp.where(lets_go, 1.0, 1 - synced)
    carries = jnp.where(first > 0, starting, synced * (1 - leaving))
    switched = (starting + leaving) * (1 - first)
    ordered = starting * (1 - first)
    after = UnitState(
        output_mw=state.output_mw,
        on=on + starting - leaving,
        since_h=jnp.minimum(jnp.where(switched > 0, 0.0, since_h) + dt_h, _LONG_H),
        out=out,
        starts=starts + ordered,
    )
    unit_low_mw, unit_span_mw = carries * low_mw, carries * (high_mw - low_mw)
    block_low_mw, block_span_mw = total(unit_low_mw, axis=1), total(unit_span_mw, axis=1)
    low_sum_mw = total(block_low_mw)
    return after, Ready(
        unit_low_mw=unit_low_mw,
        unit_span_mw=unit_span_mw,
        block_low_mw=block_low_mw,
        block_span_mw=block_span_mw,
        low_mw=low_sum_mw,
        high_mw=low_sum_mw + total(block_span_mw),
        n_on=counts(after.on),
        n_up=counts(carries),
        n_started=counts(ordered),
        able_mw=total(counts(can_run) * block_most_mw),
    )
