"""Which units run: started and stopped by rule, in merit order, within their minimum up and down times."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp

from macrohard.colossus.clock import Clock
from macrohard.colossus.outage import outages
from macrohard.colossus.supply import Units, capability_mw, in_service, permitted, total, up_to
from macrohard.colossus.units import H_PER_YEAR, Scalar

_LONG_H = 1000.0


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class UnitState:
    """Per unit: output, ordered to run or not (1 or 0), time since that last changed, out of order or not, starts."""

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
    """Units that carry load in this tick (1 or 0) and how low and high each can be; capability whether on or not."""

    carries: jax.Array
    low_mw: jax.Array
    high_mw: jax.Array
    capability_mw: jax.Array


def at_rest(units: Units, out: jax.Array) -> UnitState:
    """All units off and long enough so to be started."""
    zero = jnp.zeros_like(units.p_nom_mw)
    return UnitState(output_mw=zero, on=zero, since_h=zero + _LONG_H, out=out, starts=zero)


def commit(
    units: Units, state: UnitState, need: Need, temperature_c: Scalar, clock: Clock, dt_h: Scalar
) -> tuple[UnitState, Ready]:
    """Outages, starts and stops of this tick. The state keeps last tick's output: dispatch sets it.

    A unit is wanted while the units before it in merit order, and a cheaper grid, do not cover the need, and while
    the minimum loads so far fit under the load. Shut down, it is first driven to its minimum load, and let go when
    the others reach the load without it. Both minimum up time and that are waived when minimum loads exceed the load.
    """
    out = outages(units, state.out, state.on, clock, dt_h)
    usable = (1 - out) * permitted(units, clock) * in_service(units, clock)
    most_mw = capability_mw(units, temperature_c) * usable
    least_mw = jnp.minimum(units.min_share * units.p_nom_mw, most_mw)
    on = state.on * usable
    since_h = jnp.where(on == state.on, state.since_h, 0.0)
    starts_allowed = units.starts_per_year * (1 + jnp.floor(clock.hour / H_PER_YEAR))
    rested = (since_h >= units.min_down_h) & (state.starts < starts_allowed)
    startable = usable * (1 - on) * jnp.where(rested | (need.is_first > 0), 1.0, 0.0)

    counted = on + startable
    covered_mw = up_to(counted * most_mw) - counted * most_mw
    covered_mw = covered_mw + jnp.where(need.grid_usd_per_mwh < units.usd_per_mwh, need.grid_mw, 0.0)
    fits = up_to(counted * least_mw) <= need.least_mw
    wanted = fits & (covered_mw < need.cover_mw + on * need.band_mw)
    is_overloaded = total(on * least_mw) > need.least_mw
    bound = (since_h < units.min_up_h) & ~is_overloaded
    starting = startable * jnp.where(wanted, 1.0, 0.0)
    stopping = on * jnp.where(wanted | bound, 0.0, 1.0)

    first = jnp.where(need.is_first > 0, 1.0, 0.0)
    synced = on * jnp.where(since_h >= units.sync_h, 1.0, 0.0)
    reach_mw = jnp.maximum(state.output_mw + units.ramp_mw_per_h * dt_h, least_mw)
    high_mw = jnp.where(first > 0, most_mw, jnp.minimum(most_mw, reach_mw))
    low_mw = jnp.maximum(state.output_mw - units.ramp_mw_per_h * dt_h, least_mw)
    low_mw = jnp.where(first > 0, least_mw, jnp.minimum(low_mw, high_mw))

    idle = stopping * jnp.where(synced * state.output_mw <= least_mw * 1.001, 1.0, 0.0)
    others_mw = total(synced * (1 - stopping) * high_mw) + need.other_mw
    leaving = idle * jnp.where((others_mw >= need.serve_mw) | is_overloaded, 1.0, 1 - synced)
    carries = jnp.where(first > 0, starting, synced * (1 - leaving))
    high_mw = jnp.where(stopping > 0, low_mw, high_mw)

    switched = (starting + leaving) * (1 - first)
    after = UnitState(
        output_mw=state.output_mw,
        on=on + starting - leaving,
        since_h=jnp.minimum(jnp.where(switched > 0, 0.0, since_h) + dt_h, _LONG_H),
        out=out,
        starts=state.starts + starting * (1 - first),
    )
    return after, Ready(carries, carries * low_mw, carries * high_mw, most_mw)
