"""The success law: how likely a model is to solve a ticket, and that the same ticket stays as hard at every retry.

    mean p = sigmoid(beta * (log2 horizon - log2 size) + kind offset)          (Kwa et al. 2025, arXiv 2503.14499)
    p_i ~ Beta(p * m, (1 - p) * m),   m = 1 / rho - 1                          (one draw per ticket and model)

rho is the correlation of two attempts by one model at one ticket; stronger models are more of a piece, and rho grows
with the horizon. Since p_i is fixed, the share still unsolved after k tries is E[(1 - p_i)^k], not (1 - p)^k.
Take beta, horizon and rho from one fit (`macrohard/data/capability.csv`, by `experiments/calibration/success_fit.py`).
"""

from functools import lru_cache
from math import prod

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

Scalar = float | jax.Array

LOGIT_MAX, N_LOGITS, N_QUANTILES = 8.0, 65, 256
"""The table runs over logits of the mean from -8 to 8 in steps of 0.25, and over the middles of 256 slices of u."""

DOUBLING_DAYS = 125.0
"""Days in which the horizon of the frontier doubles (METR Time Horizon 1.1, models since 2023)."""


def success_mean(size_min: Scalar, horizon_min: Scalar, beta: Scalar, kind_offset: Scalar) -> jax.Array:
    """Mean chance, over tickets of this size and kind, that one attempt solves the ticket."""
    return jax.nn.sigmoid(beta * (jnp.log2(horizon_min) - jnp.log2(size_min)) + kind_offset)


def success_chance(table: jax.Array, mean: Scalar, quantile: Scalar, llm: Scalar = 0) -> jax.Array:
    """The chance p_i of the ticket that stands at `quantile` (0 hopeless, 1 easy) among those of equal mean.

    table has shape (logits, quantiles), or (llms, logits, quantiles), of which `llm` picks one.
    """
    mean = jnp.clip(mean, 1e-6, 1.0 - 1e-6)
    row = jnp.clip((jnp.log(mean) - jnp.log1p(-mean) + LOGIT_MAX) * ((N_LOGITS - 1) / (2 * LOGIT_MAX)), 0, N_LOGITS - 1)
    column = jnp.clip(quantile * N_QUANTILES - 0.5, 0, N_QUANTILES - 1)
    i = jnp.minimum(row.astype(jnp.int32), N_LOGITS - 2)
    j = jnp.minimum(column.astype(jnp.int32), N_QUANTILES - 2)
    down, right = row - i, column - j
    own = () if table.ndim == 2 else (llm,)
    upper = table[*own, i, j] * (1 - right) + table[*own, i, j + 1] * right
    lower = table[*own, i + 1, j] * (1 - right) + table[*own, i + 1, j + 1] * right
    return upper * (1 - down) + lower * down


@lru_cache(maxsize=8)
def beta_quantile_table(rho: float) -> NDArray[np.float32]:
    """Quantiles of Beta(p m, (1 - p) m), shape (logits, quantiles); built once on the host.

    Each row is scaled so that its mean over the quantiles is its p. rho is held within 0.01 .. 0.99: at 0 all tickets
    of a size would be equal, at 1 each would be hopeless or certain.
    """
    m = 1.0 / min(max(rho, 0.01), 0.99) - 1.0
    logits = np.linspace(-LOGIT_MAX, LOGIT_MAX, N_LOGITS)[:, None]
    p = 1.0 / (1.0 + np.exp(-logits))
    u = ((np.arange(N_QUANTILES) + 0.5) / N_QUANTILES)[None, :]
    solved = np.asarray(betaincinv(p * m, (1.0 - p) * m, u), np.float64)
    rare = np.where(p < 0.5, solved, 1.0 - solved)
    rare *= np.minimum(p, 1.0 - p) / np.maximum(rare.mean(axis=1, keepdims=True), 1e-9)
    rare = np.clip(rare, 0.0, 1.0)
    return np.where(p < 0.5, rare, 1.0 - rare).astype(np.float32)


def retry_correlation(horizon_min: Scalar, logit_at_32_min: Scalar, logit_per_doubling: Scalar) -> jax.Array:
    """rho of a model of this horizon: a logit that is linear in log2 of the horizon."""
    return jax.nn.sigmoid(logit_at_32_min + logit_per_doubling * (jnp.log2(horizon_min) - 5.0))


def unsolved_share(mean: float, rho: float, tries: int) -> float:
    """Share of tickets of this mean that `tries` attempts by one model all fail: E[(1 - p_i)^tries]."""
    m = 1.0 / rho - 1.0
    return prod(((1.0 - mean) * m + k) / (m + k) for k in range(tries))


def success_after_failure(mean: Scalar, rho: Scalar) -> jax.Array:
    """Chance that a retry succeeds, given that one attempt has failed: p * (1 - rho)."""
    return jnp.asarray(mean) * (1.0 - rho)


def horizon_at(days: float, horizon_min: float, doubling_days: float = DOUBLING_DAYS) -> float:
    """Horizon of the frontier so many days after (before, if negative) the date at which it was horizon_min."""
    return float(horizon_min * 2.0 ** (days / doubling_days))
