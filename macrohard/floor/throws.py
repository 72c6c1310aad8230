"""The dice of the floor. A throw is keyed by what it is for, by tick, role and desk, or by ticket if it persists."""

from dataclasses import dataclass
from enum import IntEnum

import jax
import jax.numpy as jnp
import numpy as np

from macrohard.colossus import dice
from macrohard.colossus.units import Scalar


class Stream(IntEnum):
    """What a throw is for."""

    CALLS = 1
    TOOL = 2
    GOOD = 3
    OUTCOME = 4
    FOUND = 5
    ESCAPED = 6
    QUANTILE = 7
    KEEP = 8


@dataclass(frozen=True)
class Dice:
    """The throws of some desks, of any roles, in one tick; all of shape (slots,)."""

    seed: Scalar
    tick: Scalar
    role: np.ndarray
    """Place of each desk's role in the roster."""
    row: jax.Array
    """Row of each desk among those of its role."""

    def thrown(self) -> "Thrown":
        """One throw of each kind for every desk, strictly between 0 and 1."""
        return {stream: dice.uniform(self.seed, stream, self.tick, self.role, self.row) for stream in OF_ATTEMPTS}


Thrown = dict[Stream, jax.Array]

OF_ATTEMPTS = tuple(stream for stream in Stream if stream < Stream.QUANTILE)
"""What is thrown at the start of an attempt."""


MAX_EVENTS = 3
"""Rare events per attempt are counted up to this; at a mean of 0.5 the share cut off is under 0.2 %."""


def normals(first: jax.Array, second: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Two independent standard normals from two independent uniforms (Box and Muller)."""
    radius = jnp.sqrt(-2.0 * jnp.log(first))
    angle = 2.0 * jnp.pi * second
    return radius * jnp.cos(angle), radius * jnp.sin(angle)


def rare_count(mean: jax.Array, throw: jax.Array) -> jax.Array:
    """A Poisson number from 0 to MAX_EVENTS by inversion of a uniform throw; int32."""
    none = jnp.exp(-mean)
    one = none * mean
    two = one * mean / 2.0
    below = (throw > none).astype(jnp.int32) + (throw > none + one).astype(jnp.int32)
    return below + (throw > none + one + two).astype(jnp.int32)
