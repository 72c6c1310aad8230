"""Several LLMs at once: each has a share of the serving GPUs, a pool, and serves the streams that are sent to it.

What belongs to a pool (the leaves of Serving, Demand and Served) has shape (pools,). One LLM alone has no such axis.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from macrohard.colossus.roofline import Serving
from macrohard.colossus.units import Scalar


def stacked(servings: Sequence[Serving]) -> Serving:
    """The pools as one Serving; that of one LLM alone stays as it is."""
    if len(servings) == 1:
        return servings[0]
    together: Serving = jax.tree.map(lambda *each: np.asarray(each, np.float32), *servings)
    return together


def pool(serving: Serving, place: int) -> Serving:
    """One of the pools."""
    own: Serving = jax.tree.map(lambda leaf: leaf[place] if np.ndim(leaf) else leaf, serving)
    return own


def total(of_pools: Scalar) -> Scalar:
    """Sum over the pools, shape (pools,); a figure of one LLM alone as it is."""
    return jnp.sum(of_pools) if jnp.ndim(of_pools) else of_pools


def mean(of_pools: Scalar, weight: Scalar) -> Scalar:
    """Mean over the pools by weight, both of shape (pools,); the plain mean where no pool weighs anything."""
    if not jnp.ndim(weight):
        return of_pools
    whole = jnp.sum(weight)
    return jnp.sum(of_pools * jnp.where(whole > 0, weight / jnp.maximum(whole, 1e-30), 1 / jnp.size(weight)))
