"""Counter-based randomness: a throw is a hash of (seed, stream, what, when), never of a position in a padded array.

The hash is the 32-bit finaliser "lowbias32" found by Chris Wellons' hash prospector (public domain), applied once per
word that is mixed in. A throw therefore does not depend on the order of draws, on chunks, on batching or on padding.
"""

import jax
import jax.numpy as jnp

from macrohard.colossus.units import Scalar


def bits(seed: Scalar, *words: Scalar) -> jax.Array:
    """32 random bits for the key (seed, *words); words are integers of any shapes that broadcast."""
    hashed = _mix(jnp.asarray(seed).astype(jnp.uint32) + jnp.uint32(0x9E3779B9))
    for word in words:
        hashed = _mix(hashed ^ _mix(jnp.asarray(word).astype(jnp.uint32) + jnp.uint32(0x85EBCA6B)))
    return hashed


def uniform(seed: Scalar, *words: Scalar) -> jax.Array:
    """A float32 strictly between 0 and 1 for the key (seed, *words)."""
    return ((bits(seed, *words) >> 9).astype(jnp.float32) + 0.5) * 2.0**-23  # 23 bits and a half are exact


def _mix(word: jax.Array) -> jax.Array:
    word = (word ^ (word >> 16)) * jnp.uint32(0x7FEB352D)
    word = (word ^ (word >> 15)) * jnp.uint32(0x846CA68B)
    mixed: jax.Array = word ^ (word >> 16)
    return mixed
