"""Counter-based randomness: a throw is a hash of (seed, stream, what, when), never of a position in a padded array.

The hash is the 32-bit finaliser "lowbias32" found by Chris Wellons' hash prospector (public domain), applied once per
word that is mixed in. A throw therefore does not depend on the order of draws, on chunks, on batching or on padding.
"""

import jax
import jax.numpy as jnp
import numpy as np

from macrohard.colossus.units import Scalar

Words = jax.Array | np.ndarray


def bits(seed: Scalar | np.ndarray, *words: Scalar | np.ndarray) -> jax.Array:
    """32 random bits for the key (seed, *words); words are integers of any shapes that broadcast.

    What is known on the host is hashed there: words that are constants cost the compiled tick nothing.
    """
    with np.errstate(over="ignore"):  # wraps around, as it is meant to
        hashed = _mixed(_word(seed) + np.uint32(0x9E3779B9))
        for word in words:
            hashed = _mixed(hashed ^ _mixed(_word(word) + np.uint32(0x85EBCA6B)))
    return jnp.asarray(hashed)


def uniform(seed: Scalar | np.ndarray, *words: Scalar | np.ndarray) -> jax.Array:
    """A float32 strictly between 0 and 1 for the key (seed, *words)."""
    return ((bits(seed, *words) >> 9).astype(jnp.float32) + 0.5) * 2.0**-23  # 23 bits and a half are exact


def _word(word: Scalar | np.ndarray) -> Words:
    return word.astype(jnp.uint32) if isinstance(word, jax.Array) else np.asarray(word).astype(np.uint32)


def _mixed(word: Words) -> Words:
    mixed: Words = _mix_traced(word) if isinstance(word, jax.Array) else _mix(word)
    return mixed


def _mix(word: Words) -> Words:
    word = (word ^ (word >> 16)) * np.uint32(0x7FEB352D)
    word = (word ^ (word >> 15)) * np.uint32(0x846CA68B)
    mixed: Words = word ^ (word >> 16)
    return mixed


_mix_traced = jax.jit(_mix)  # traced once for each shape instead of at each of its many uses
