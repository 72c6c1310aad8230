"""A power plant driven by a load that a test writes down, tick by tick."""

import jax
import jax.numpy as jnp
import numpy as np

from macrohard.colossus import powerplant
from macrohard.colossus.clock import Clock

MINUTE = 1 / 60
NO_OUTAGES = {"forced_outage_share": 0.0}
TITANS = [{"kind": "titan350", "n_units": 7, **NO_OUTAGES}]


def at(tick, dt_h=MINUTE, seed=1, day=40.0):
    hour = (tick + 0.5) * dt_h
    return Clock(jnp.float32(hour), jnp.float32(hour % 24), jnp.float32(day), jnp.int32(tick), jnp.uint32(seed))


@jax.jit
def tick_of(plant, state, demand_mw, cap, celsius, clock, dt_h):
    """One tick under a demand; load is capped to what can be reached, at the lowest to `cap` of demand."""
    offered = powerplant.offer(plant, state, demand_mw, 0.0, celsius, clock, dt_h)
    load_mw = demand_mw * jnp.clip(offered.limit_mw / jnp.maximum(demand_mw, 1e-9), cap, 1.0)
    return powerplant.meet(plant, state, offered, load_mw, demand_mw, dt_h)


def drive(plant, loads, *, cap=1.0, celsius=15.0, dt_h=MINUTE, seed=1):
    """Readings of the plant under a series of demands, cap 1: nothing is capped, what is short is unserved."""
    state, readings = powerplant.start(plant, at(0, dt_h, seed)), []
    for tick, load in enumerate(loads):
        state, reading = tick_of(plant, state, jnp.float32(load), cap, celsius, at(tick, dt_h, seed), dt_h)
        readings.append(reading)
    return jax.tree.map(lambda *each: np.asarray(jnp.stack(each)), *readings), state
