"""The power plant alone through many ticks of one load, every quantity that a run keeps added up.

One plant, or a batch with its lanes on the last axis of every array: the tick broadcasts over them.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from macrohard import reproducibility
from macrohard.colossus import powerplant
from macrohard.colossus.climate import Climate, temperature_c
from macrohard.colossus.clock import Clock
from macrohard.colossus.powerplant import Plant, PlantState
from macrohard.colossus.units import Scalar

reproducibility.for_batches()  # as in a sweep

NAMES = (
    "load_mwh", "grid_mwh", "turbine_mwh", "solar_mwh", "charge_mwh", "discharge_mwh", "unserved_mwh", "co2_t",
    "nox_kg", "energy_usd", "residual_mwh",
)  # fmt: skip
"""What is added up, in this order."""

ADDS = 64
"""Ticks whose sum is kept apart before it joins the rest: a year in float32 then holds to 1e-5."""


def clock_at(number: jax.Array, seed: jax.Array, dt_h: Scalar, start_day: Scalar = 0.0) -> Clock:
    """The clock in the middle of a tick."""
    hour = (number + 0.5) * dt_h
    return Clock(hour, hour % 24, (start_day + jnp.floor(hour / 24)) % 365, number, seed)


def tick(
    plant: Plant, state: PlantState, load_mw: Scalar, climate: Climate, clock: Clock, dt_h: Scalar
) -> tuple[PlantState, jax.Array]:
    """One tick in which nothing is capped; its quantities, shape (names,) or (names, lanes)."""
    offered = powerplant.offer(plant, state, load_mw, 0.0, temperature_c(climate, clock), clock, dt_h)
    reached_mw = jnp.minimum(load_mw, jnp.maximum(offered.last_mw, 0.0))
    state, read = powerplant.meet(plant, state, offered, reached_mw, load_mw, dt_h)
    each = (
        reached_mw, read.grid_mw, read.turbine_mw, read.solar_mw, jnp.maximum(-read.battery_mw, 0.0),
        jnp.maximum(read.battery_mw, 0.0), load_mw - reached_mw + read.unserved_mw, read.co2_t_per_h,
        read.nox_kg_per_h, read.energy_usd_per_h, jnp.abs(read.residual_mw),
    )  # fmt: skip
    return state, jnp.stack([jnp.asarray(one, jnp.float32) for one in each]) * dt_h


@jax.jit
def through(
    plant: Plant, profile_mw: jax.Array, climate: Climate, seed: jax.Array, n_ticks: Scalar, dt_h: Scalar
) -> tuple[PlantState, jax.Array]:
    """The plant after n_ticks of a load, shape (ticks,) or (ticks, lanes), that repeats; and the sums of NAMES."""

    def step(
        number: jax.Array, carry: tuple[PlantState, jax.Array, jax.Array]
    ) -> tuple[PlantState, jax.Array, jax.Array]:
        state, near, far = carry
        clock = clock_at(number, seed, dt_h)
        state, each = tick(plant, state, profile_mw[number % profile_mw.shape[0]], climate, clock, dt_h)
        near = near + each
        full = number % ADDS == ADDS - 1
        return state, jnp.where(full, 0.0, near), far + jnp.where(full, near, 0.0)

    zero = jnp.zeros((len(NAMES), *profile_mw.shape[1:]))
    first = powerplant.start(plant, clock_at(jnp.int32(0), seed, dt_h))
    state, near, far = jax.lax.fori_loop(0, n_ticks, step, (first, zero, zero))
    return state, near + far


def batched(plants: Sequence[Plant]) -> Plant:
    """Plants of one layout as a batch, lanes last."""
    batch: Plant = jax.tree.map(lambda *lanes: jnp.stack([jnp.asarray(lane) for lane in lanes], axis=-1), *plants)
    return batch
