"""Totals that stay exact over a year of ticks without 64-bit types: counts in two limbs, compensated sums."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from macrohard.colossus.units import Scalar

LIMB = 20
_PART = 11  # a row below 2**31 splits into parts of 11, 11 and 9 bits; sums over up to 2**20 rows fit 32 bits


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Count:
    """A whole number of up to 52 bits: high * 2**20 + low."""

    high: jax.Array
    low: jax.Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Total:
    """A float32 sum with the rounding it has lost so far (two-sum of Knuth), about 48 bits in all."""

    sum: jax.Array
    lost: jax.Array


def no_count(shape: tuple[int, ...] = ()) -> Count:
    """Zero."""
    return Count(jnp.zeros(shape, jnp.uint32), jnp.zeros(shape, jnp.uint32))


def no_total(shape: tuple[int, ...] = ()) -> Total:
    """Zero."""
    return Total(jnp.zeros(shape, jnp.float32), jnp.zeros(shape, jnp.float32))


def row_sum(whole: jax.Array) -> Count:
    """Sum over rows, the last axis, of whole numbers from 0 to 2**31, exactly: the order of rows cannot change it."""
    whole, part = whole.astype(jnp.uint32), (1 << _PART) - 1
    low, middle, high = (
        jnp.sum(each, axis=-1, dtype=jnp.uint32) for each in (whole & part, (whole >> _PART) & part, whole >> 2 * _PART)
    )
    spare = LIMB - _PART
    merged = (low & ((1 << LIMB) - 1)) + ((middle & ((1 << spare) - 1)) << _PART)
    carried = (low >> LIMB) + (middle >> spare) + (high << (2 * _PART - LIMB)) + (merged >> LIMB)
    return Count(carried, merged & ((1 << LIMB) - 1))


def add_count(count: Count, more: Count) -> Count:
    """Sum of two counts."""
    low = count.low + more.low
    return Count(count.high + more.high + (low >> LIMB), low & ((1 << LIMB) - 1))


def as_float(count: Count) -> jax.Array:
    """The count as float32, rounded once."""
    return count.high.astype(jnp.float32) * 2.0**LIMB + count.low.astype(jnp.float32)


def as_int(count: Count) -> NDArray[np.int64]:
    """The count in 64 bits, of its own shape; on the host."""
    high, low = (np.asarray(limb, np.int64) for limb in (count.high, count.low))
    return (high << LIMB) + low


def add_total(total: Total, more: Scalar) -> Total:
    """Adds to a compensated sum."""
    added = total.sum + more
    back = added - total.sum
    return Total(added, total.lost + ((total.sum - (added - back)) + (more - back)))
