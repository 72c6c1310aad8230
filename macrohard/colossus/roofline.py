"""How long one replica takes for a step: the roofline of an LLM on a kind of GPU.

A replica is a group of GPUs that holds one copy of the LLM. A step yields one token for each of its streams, and
takes launch and synchronisation time per layer, the reading of weights and of the streams' cached context, and
arithmetic and traffic per token. Equations, data and errors: docs/serving.md.
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp

from macrohard.colossus.units import Scalar


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class ServingFit:
    """What no datasheet says, fitted on measurements (data/serving_fit.csv).

    Overheads in seconds: layer_s per layer and step, moe_layer_s more per layer with experts and fp8_moe_layer_s yet
    more where those are in fp8 (scaling of activations), stream_s per stream and step, call_s per call (front end,
    scheduling). Shares of the datasheet's
    peak: memory, linear_dense and linear_moe (decode), attention, link, prefill_dense and prefill_moe. Engines as
    factors: trt_stream on stream_s (TensorRT-LLM), eager on the layers (vLLM as ML.ENERGY ran it); 1 else.
    """

    layer_s: Scalar
    moe_layer_s: Scalar
    fp8_moe_layer_s: Scalar
    stream_s: Scalar
    call_s: Scalar
    memory: Scalar
    linear_dense: Scalar
    linear_moe: Scalar
    attention: Scalar
    link: Scalar
    prefill_dense: Scalar
    prefill_moe: Scalar
    trt_stream: Scalar
    eager: Scalar


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Serving:
    """One LLM on one kind of GPU in one layout. Times are of one replica at the datasheet's peak, in seconds.

    ranks schedule streams of their own (data-parallel attention). Per step: dense_read_s, expert_read_s (of all
    experts). Per token: linear_s, link_s. Per token and token of context: kv_read_s, attention_s,
    prefill_attention_s. log_missed is ln(1 - share of experts one token uses). Attention sees the whole context in
    full_share of the layers (at most attends tokens, where that is sparse) and window tokens in the others.
    kv_tokens: context tokens one replica can hold. drafted, accepted: speculative decoding (0 and 1: none).
    mixes: 1 aggregated, 0 disaggregated, with prefill_share of the GPUs for prefill.
    """

    fit: ServingFit
    n_gpus: Scalar
    ranks: Scalar
    layers: Scalar
    is_moe: Scalar
    is_fp8_moe: Scalar
    is_trt: Scalar
    is_eager: Scalar
    dense_read_s: Scalar
    expert_read_s: Scalar
    log_missed: Scalar
    linear_s: Scalar
    link_s: Scalar
    kv_read_s: Scalar
    attention_s: Scalar
    prefill_attention_s: Scalar
    full_share: Scalar
    window: Scalar
    attends: Scalar
    kv_tokens: Scalar
    max_context_tokens: Scalar
    max_streams_per_gpu: Scalar
    kv_held_in_tools: Scalar
    drafted: Scalar
    accepted: Scalar
    mixes: Scalar
    prefill_share: Scalar
    prefill_n_gpus: Scalar


class Step(NamedTuple):
    """One decode step of a replica: its time, that time's slope in the streams, memory and arithmetic in it."""

    time_s: Scalar
    slope_s: Scalar
    memory_s: Scalar
    flop_s: Scalar


def held_tokens(serving: Serving, context: Scalar) -> Scalar:
    """Context tokens kept in the cache, mean over layers; a windowed layer keeps its window."""
    return serving.full_share * context + (1 - serving.full_share) * jnp.minimum(context, serving.window)


def attended_tokens(serving: Serving, context: Scalar) -> Scalar:
    """Context tokens that one token reads and attends to, mean over layers; sparse attention picks `attends`."""
    return held_tokens(serving, jnp.minimum(context, serving.attends))


def decode_step(serving: Serving, streams: Scalar, context: Scalar) -> Step:
    """One step of a replica with that many streams in flight, each with that much context (tokens)."""
    fit, per_step = serving.fit, serving.drafted + 1
    attended = attended_tokens(serving, context)
    missed = jnp.exp(streams * per_step * serving.log_missed)
    weights = serving.dense_read_s + serving.expert_read_s * (1 - missed)
    weights_slope = -per_step * serving.log_missed * missed * serving.expert_read_s
    stream_s = fit.stream_s * (1 + serving.is_trt * (fit.trt_stream - 1)) / serving.ranks
    cache = serving.kv_read_s * attended
    linear = fit.linear_dense + serving.is_moe * (fit.linear_moe - fit.linear_dense)
    arithmetic = serving.linear_s / linear + serving.attention_s * attended / fit.attention
    per_stream = cache / fit.memory + per_step * (arithmetic + serving.link_s / fit.link) + stream_s
    layer_s = fit.layer_s + serving.is_moe * fit.moe_layer_s + serving.is_fp8_moe * fit.fp8_moe_layer_s
    fixed = serving.layers * layer_s * (1 + serving.is_eager * (fit.eager - 1))
    return Step(
        time_s=fixed + weights / fit.memory + streams * per_stream,
        slope_s=weights_slope / fit.memory + per_stream,
        memory_s=weights + streams * cache,
        flop_s=streams * per_step * (serving.linear_s + serving.attention_s * attended),
    )


def time_per_output_token(serving: Serving, streams: Scalar, context: Scalar, prefill_s: Scalar = 0.0) -> Scalar:
    """Seconds between two tokens of one of so many streams; prefill_s: prefill per output token of each, in seconds."""
    step = decode_step(serving, streams, context)
    return step.time_s / serving.accepted + serving.mixes * (streams - 1) * prefill_s


def prefill_token_s(serving: Serving, context: Scalar) -> Scalar:
    """Seconds of a replica per computed prompt token that attends to that much context, cached prefix included."""
    fit = serving.fit
    linear = fit.prefill_dense + serving.is_moe * (fit.prefill_moe - fit.prefill_dense)
    attention = serving.prefill_attention_s * attended_tokens(serving, context) / fit.attention
    return (serving.linear_s / linear + attention) * serving.n_gpus / serving.prefill_n_gpus


def capacity_streams(serving: Serving, context: Scalar) -> Scalar:
    """Streams of that context that one replica has cache for, at most max_streams_per_gpu on each GPU."""
    room = serving.kv_tokens / jnp.maximum(held_tokens(serving, context), 1.0)
    return jnp.minimum(room, serving.max_streams_per_gpu * serving.n_gpus)
