"""The law of one attempt: LLM calls, tokens and tool time, from the size of the ticket and how the attempt ends.

    calls n = n50 * (size / 120)^0.45 * exp(sd * z)
    input   = c0 * n + g * n^2 / 2            the context starts at c0 and grows by g with every call
              times 0.85 if the attempt succeeds, 1.18 if it fails (with the calls that belong to it), up to a budget
    computed prefill = c0 + g * n + 2 % of the input; the rest is found in the prefix cache
    output  = 500 n

(c0, g, n50) belong to a scaffold: `macrohard/data/scaffolds.csv`, fitted by `experiments/calibration/attempt_fit.py`.
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp

Scalar = float | jax.Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class AttemptLaw:
    """The numbers of a scaffold: how its calls, context and tool time come about."""

    calls_at_120_min: Scalar
    """Median LLM calls of an attempt at a ticket of 120 human minutes (n50)."""
    first_context_tokens: Scalar
    """Context of the first call: system prompt, tools, ticket (c0)."""
    context_growth_tokens: Scalar
    """Tokens that each call adds to the context (g)."""
    decode_tokens_per_call: Scalar
    """Tokens generated per call, hidden reasoning included."""
    size_exponent: Scalar
    """Calls grow as size to this power."""
    calls_sd_log: Scalar
    """Standard deviation of ln calls for a given size."""
    cached_miss: Scalar
    """Share of the input that is computed again although it was in the prefix cache."""
    max_input_tokens: Scalar
    """Budget of an attempt: it ends when its input has reached this."""
    good_factor: Scalar
    bad_factor: Scalar
    """Input tokens of an attempt that solves the ticket, and of one that fails, relative to the law without this."""
    tool_median_s: Scalar
    """Median time in tools (tests, builds), without a GPU."""
    tool_mean_s: Scalar
    """Mean time in tools; with the median it sets the spread of a lognormal."""


class Attempt(NamedTuple):
    """What one attempt asks for; tokens are real numbers here, the floor rounds them once."""

    calls: jax.Array
    prefill_tokens: jax.Array
    """Prompt tokens computed."""
    cached_tokens: jax.Array
    """Prompt tokens found in the prefix cache."""
    decode_tokens: jax.Array
    input_tokens: jax.Array
    """Prompt tokens summed over calls: prefill + cached."""
    tool_s: jax.Array


def attempt_load(size_min: Scalar, normal_calls: Scalar, normal_tool: Scalar, good: Scalar, law: AttemptLaw) -> Attempt:
    """The load of an attempt; good (0 or 1) says whether it will succeed, the normals are its dice."""
    spread = jnp.exp(law.calls_sd_log * normal_calls)
    usual = law.calls_at_120_min * (jnp.asarray(size_min) / 120.0) ** law.size_exponent * spread
    ending = law.bad_factor + (law.good_factor - law.bad_factor) * good
    calls = jnp.maximum(calls_of(jnp.minimum(input_of(usual, law) * ending, law.max_input_tokens), law), 1.0)
    input_tokens = input_of(calls, law)
    computed = law.first_context_tokens + law.context_growth_tokens * calls + law.cached_miss * input_tokens
    prefill = jnp.minimum(computed, input_tokens)
    tool_sd = jnp.sqrt(2.0 * jnp.log(jnp.maximum(jnp.asarray(law.tool_mean_s) / law.tool_median_s, 1.0)))
    return Attempt(
        calls=calls,
        prefill_tokens=prefill,
        cached_tokens=input_tokens - prefill,
        decode_tokens=law.decode_tokens_per_call * calls,
        input_tokens=input_tokens,
        tool_s=law.tool_median_s * jnp.exp(tool_sd * normal_tool),
    )


def input_of(calls: Scalar, law: AttemptLaw) -> jax.Array:
    """Input tokens summed over so many calls, each of which sends the whole context again."""
    calls = jnp.asarray(calls)
    return law.first_context_tokens * calls + law.context_growth_tokens * calls**2 / 2.0


def calls_of(input_tokens: Scalar, law: AttemptLaw) -> jax.Array:
    """Calls after which the input has reached so many tokens: the inverse of input_of."""
    c0, g = law.first_context_tokens, jnp.maximum(law.context_growth_tokens, 1e-3)
    return (jnp.sqrt(c0**2 + 2.0 * g * input_tokens) - c0) / g
