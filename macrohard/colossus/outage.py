"""Forced outages of units by dice: a running unit fails, a failed one is repaired, each with its mean time."""

import jax
import jax.numpy as jnp

from macrohard.colossus import dice
from macrohard.colossus.clock import Clock
from macrohard.colossus.supply import Units
from macrohard.colossus.units import Scalar

_FAIL_OR_REPAIR, _AT_START = 101, 104  # streams of the dice


def outages_at_start(units: Units, clock: Clock) -> jax.Array:
    """1 for units that are out as the run begins: with the share of time they are out in the long run."""
    share = units.mttr_h / (units.mttr_h + units.mtbf_h)
    return jnp.where(dice.uniform(clock.seed, _AT_START, units.key) < share, 1.0, 0.0)


def outages(units: Units, out: jax.Array, running: jax.Array, clock: Clock, dt_h: Scalar) -> jax.Array:
    """1 for units that are out in this tick. One throw per unit and tick; times are geometric with the right mean.

    Units at rest do not fail. The long-run share out of a running unit is mttr / (mttr + mtbf), whatever the tick.
    """
    throw = dice.uniform(clock.seed, _FAIL_OR_REPAIR, clock.tick, units.key)
    fails = running * jnp.where(throw * units.mtbf_h < dt_h, 1.0, 0.0)
    stays = jnp.where(throw * units.mttr_h < dt_h, 0.0, 1.0)
    return jnp.where(out > 0, stays, fails)
