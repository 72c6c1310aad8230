"""From IT power to site power: pumps, fans and losses, and chillers that the outdoor temperature sets to work."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from macrohard.colossus import dice
from macrohard.colossus.clock import Clock
from macrohard.colossus.units import Scalar

_FAIL, _MEND = 105, 106  # streams of the dice


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Cooling:
    """share: pumps, fans and losses over IT power at full load, half of it fixed. Chillers carry none of the heat up to
    chiller_start_c, chiller_share of it from chiller_full_c on. chiller_cop holds at 35 C and gains cop_per_k per K
    below. limit_mw: most IT heat that n_chillers take away at 35 C, with as much gain per K; each fails with mtbf_h and
    is repaired with mttr_h (n_chillers 0: none fails). pue: over 0 replaces the law of power. water_m3_per_mwh of IT.
    """

    share: Scalar = 0.10
    chiller_cop: Scalar = 3.0
    chiller_start_c: Scalar = 20.0
    chiller_full_c: Scalar = 35.0
    chiller_share: Scalar = 1.0
    cop_per_k: Scalar = 0.025
    limit_mw: Scalar = 1e9
    pue: Scalar = 0.0
    n_chillers: Scalar = 0.0
    chiller_mtbf_h: Scalar = 10_000.0
    chiller_mttr_h: Scalar = 48.0
    water_m3_per_mwh: Scalar = 0.93


def site_mw(cooling: Cooling, it_mw: Scalar, rated_it_mw: Scalar, temperature_c: Scalar) -> Scalar:
    """Power of the whole site while its IT draws it_mw of rated_it_mw, at that outdoor temperature."""
    fixed_and_pumped = cooling.share * 0.5 * (rated_it_mw + it_mw)
    chillers = it_mw * chiller_mw_per_mw(cooling, temperature_c)
    return jnp.where(cooling.pue > 0, it_mw * cooling.pue, it_mw + fixed_and_pumped + chillers)


def chiller_mw_per_mw(cooling: Cooling, temperature_c: Scalar) -> Scalar:
    """Electric power of the chillers per IT power."""
    span = jnp.maximum(cooling.chiller_full_c - cooling.chiller_start_c, 1e-3)
    share = cooling.chiller_share * jnp.clip((temperature_c - cooling.chiller_start_c) / span, 0.0, 1.0)
    cop = cooling.chiller_cop * (1 + cooling.cop_per_k * (35.0 - temperature_c))
    return share / jnp.maximum(cop, 1.0)


def removable_mw(cooling: Cooling, n_out: Scalar, temperature_c: Scalar) -> Scalar:
    """Most IT power whose heat the chillers that are up take away at that outdoor temperature."""
    up = 1 - n_out / jnp.maximum(cooling.n_chillers, 1.0)
    return cooling.limit_mw * up * jnp.maximum(1 + cooling.cop_per_k * (35.0 - temperature_c), 0.0)


def chillers_out(cooling: Cooling, n_out: Scalar, clock: Clock, dt_h: Scalar) -> Scalar:
    """Chillers out of order in this tick: at most one fails and one is repaired, by dice, with the right mean times."""
    fails = dice.uniform(clock.seed, _FAIL, clock.tick) * cooling.chiller_mtbf_h < (cooling.n_chillers - n_out) * dt_h
    mends = dice.uniform(clock.seed, _MEND, clock.tick) * cooling.chiller_mttr_h < n_out * dt_h
    return n_out + jnp.where(fails, 1.0, 0.0) - jnp.where(mends, 1.0, 0.0)
