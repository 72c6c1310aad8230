"""Tokens to GPU time and speed: the closed queue of streams that share the replicas of an LLM.

Under aggregated serving prefill takes its time from decode; disaggregated, prefill has GPUs of its own.
Equations, data and errors: docs/serving.md.
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp

from macrohard.colossus.layout import serving_of
from macrohard.colossus.roofline import (
    Serving,
    ServingFit,
    attended_tokens,
    capacity_streams,
    decode_step,
    prefill_token_s,
    time_per_output_token,
)
from macrohard.colossus.units import Scalar

__all__ = ["Demand", "Served", "Serving", "ServingFit", "serve", "serving_of", "time_per_output_token"]

N_STEPS = 6
"""Steps towards the balance of the closed queue; unrolled, as a loop costs more than its body."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Demand:
    """What the streams ask for: how many there are, and the mean job in work.

    n_streams counts agents busy with a job, whether decoding, waiting or in their tools. prefill_tokens are those
    computed; input_tokens those attended to, summed over the calls, cached ones included.
    """

    n_streams: Scalar
    calls: Scalar
    decode_tokens: Scalar
    prefill_tokens: Scalar
    input_tokens: Scalar
    tool_s: Scalar


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Served:
    """How fast the demand is served, and what it takes of the GPUs.

    wall time of the mean job = (calls*wait_s + prefill_tokens*prefill_s_per_token + decode_tokens/tok_s_per_stream
    + tool_s) / admitted_share. streams_waiting have no room for their context. u_mem and u_flop are shares of HBM
    bandwidth and peak FLOP/s in use on a busy GPU. prefill_busy_share is the part of busy_share that is at work on
    prompts: of a replica that decodes as well, the share of its time. lone_wall_s is the wall time of a job alone at
    full power.
    """

    tok_s_per_stream: Scalar
    ttft_s: Scalar
    wait_s: Scalar
    prefill_s_per_token: Scalar
    admitted_share: Scalar
    streams_active: Scalar
    streams_resident: Scalar
    streams_waiting: Scalar
    busy_share: Scalar
    prefill_busy_share: Scalar
    u_mem: Scalar
    u_flop: Scalar
    decode_tok_s: Scalar
    prefill_tok_s: Scalar
    lone_wall_s: Scalar
    wall_s: Scalar


class Call(NamedTuple):
    """The mean call: tokens, and seconds at full power. context is that of a token in the middle of the answer."""

    output: Scalar
    computed: Scalar
    context: Scalar
    tool_s: Scalar
    prefill_s: Scalar
    prefill_token_s: Scalar
    prefill_context: Scalar


class Balance(NamedTuple):
    """Where the closed queue settles, per replica: streams admitted and decoding, seconds of the parts of a call."""

    admitted: Scalar
    active: Scalar
    step_s: Scalar
    wait_s: Scalar
    wall_s: Scalar


@jax.jit  # within the tick and beside it: traced once, used thrice
def serve(serving: Serving, n_gpus: Scalar, demand: Demand, performance: Scalar = 1.0) -> Served:
    """Speed and flow at that many serving GPUs that are up; performance in (0, 1] scales every rate (power cap)."""
    call = _mean_call(serving, demand, performance)
    share = (1 - serving.mixes) * serving.prefill_share
    replicas = jnp.maximum(n_gpus * (1 - share) / serving.n_gpus, 1e-9)
    prefill_replicas = serving.mixes * replicas + jnp.maximum(n_gpus * share / serving.prefill_n_gpus, 1e-9)
    room = capacity_streams(serving, call.context) * jnp.where(n_gpus > 0, 1.0, 0.0)
    crowd = demand.n_streams / replicas
    balance = _balance(serving, call, crowd, room, replicas / prefill_replicas)

    held = jnp.where(serving.kv_held_in_tools > 0, 1.0, 1 - call.tool_s / balance.wall_s)
    calls_per_s = balance.admitted * replicas / balance.wall_s * performance
    active = balance.admitted * replicas * call.output * balance.step_s / balance.wall_s
    alone_s = time_per_output_token(serving, 1.0, call.context)
    lone_s = call.tool_s / performance + serving.fit.call_s + call.prefill_s + (call.output + 1) * alone_s
    admitted_share = jnp.where(crowd > 0, balance.admitted / jnp.maximum(crowd, 1e-9), jnp.where(room > 0, 1.0, 0.0))
    use = _use(serving, call, balance, replicas / prefill_replicas, share)
    return Served(
        tok_s_per_stream=performance / balance.step_s,
        ttft_s=(balance.wait_s + call.prefill_s) / performance,
        wait_s=balance.wait_s / performance,
        prefill_s_per_token=call.prefill_token_s / performance,
        admitted_share=admitted_share,
        streams_active=active,
        streams_resident=balance.admitted * replicas * held,
        streams_waiting=demand.n_streams * (1 - admitted_share),
        busy_share=use.busy,
        prefill_busy_share=use.prefill,
        u_mem=use.memory,
        u_flop=use.flop,
        decode_tok_s=calls_per_s * call.output,
        prefill_tok_s=calls_per_s * call.computed,
        lone_wall_s=lone_s * demand.calls,
        wall_s=balance.wall_s / performance * demand.calls / jnp.maximum(admitted_share, 1e-9),
    )


def _mean_call(serving: Serving, demand: Demand, performance: Scalar) -> Call:
    """An evicted context is computed again at every call; tool time shrinks by what full power would gain on it."""
    calls = jnp.maximum(demand.calls, 1e-6)
    output = jnp.maximum(demand.decode_tokens / calls, 1e-3)
    prompt = demand.input_tokens / calls
    computed = jnp.where(serving.kv_held_in_tools > 0, demand.prefill_tokens / calls, prompt)
    prefill_context = jnp.maximum(jnp.minimum(prompt, serving.max_context_tokens) - computed / 2, 0.0)
    token_s = prefill_token_s(serving, prefill_context)
    return Call(
        output=output,
        computed=computed,
        context=jnp.minimum(prompt + output / 2, serving.max_context_tokens),
        tool_s=demand.tool_s / calls * performance,
        prefill_s=computed * token_s,
        prefill_token_s=token_s,
        prefill_context=prefill_context,
    )


class Population(NamedTuple):
    """Who shares the stations of a replica: so many streams, seconds of a round in which they are there but not served.

    Evicted streams that find no room are counted without those in their tools; in_machine is the share of the round
    that is counted then, else 1.
    """

    streams: Scalar
    tool_s: Scalar
    in_machine: Scalar


class Round(NamedTuple):
    """A call at a given number of decoding streams: token time, its slope in them, wait, wall, and that one's slope."""

    step_s: Scalar
    step_slope_s: Scalar
    wait_s: Scalar
    wall_s: Scalar
    wall_slope: Scalar


def _balance(serving: Serving, call: Call, crowd: Scalar, room: Scalar, per_prefill_replica: Scalar) -> Balance:
    """The closed queue of `crowd` streams per replica of which `room` can hold their context, at full power.

    The one unknown is how many decode: that sets the time of a token, that the wall time of a round, and that again
    how many decode. Each of N_STEPS steps takes both laws on their tangents and solves the quadratic that is left.
    """
    evicts = serving.kv_held_in_tools <= 0
    whole = Population(jnp.where(evicts, crowd, jnp.minimum(crowd, room)), call.tool_s, jnp.ones_like(crowd))
    people, active = whole, 0.0 * crowd
    for _ in range(N_STEPS):
        now = _round(serving, call, people, active, per_prefill_replica)
        start_s = now.step_s - now.step_slope_s * active
        many = jnp.maximum(people.streams, people.in_machine) * call.output
        fixed_s = now.wall_s - now.wall_slope * (now.step_s - start_s) - many * now.step_slope_s
        active = _positive_root(now.wall_slope * now.step_slope_s, fixed_s, many * start_s)
        active = jnp.minimum(active, people.streams)
        in_machine = 1 - call.tool_s / (now.wall_s + call.tool_s - people.tool_s)
        full = evicts & (crowd * in_machine > room)
        people = Population(
            jnp.where(full, room, whole.streams), jnp.where(full, 0.0, call.tool_s), jnp.where(full, in_machine, 1.0)
        )
    now = _round(serving, call, people, active, per_prefill_replica)
    wall_s = now.wall_s + call.tool_s - people.tool_s
    return Balance(people.streams / people.in_machine, active, now.step_s, now.wait_s, wall_s)


@jax.jit  # the tick has it fourteen times
def _round(serving: Serving, call: Call, people: Population, active: Scalar, per_prefill_replica: Scalar) -> Round:
    """Decode: a stream meets (1 - 1/N) of those active (arrival theorem). Prefill: one server per replica, after call_s

    and the step under way, with the mean stay of Schweitzer's approximation of a closed queue.
    """
    meets = 1 - people.in_machine / jnp.maximum(people.streams, people.in_machine)
    prefill_s = serving.mixes * call.prefill_s / call.output
    step = decode_step(serving, 1 + meets * active, call.context)
    step_s = step.time_s / serving.accepted + meets * active * prefill_s
    entry_s = serving.fit.call_s + step_s
    elsewhere_s = people.tool_s + entry_s + call.output * step_s
    queued = jnp.maximum(people.streams * per_prefill_replica, 1.0) + 1 - people.in_machine
    stay_s, stretch = _stay(queued, call.prefill_s, elsewhere_s)
    return Round(
        step_s=step_s,
        step_slope_s=meets * (step.slope_s / serving.accepted + prefill_s),
        wait_s=entry_s + stay_s - call.prefill_s,
        wall_s=elsewhere_s + stay_s,
        wall_slope=stretch * (1 + call.output),
    )


def _stay(population: Scalar, service_s: Scalar, elsewhere_s: Scalar) -> tuple[Scalar, Scalar]:
    """Mean stay at the one server of a closed queue (Schweitzer), and what a second more elsewhere adds to the round.

    stay**2 + stay*(Z - N*S) - S*Z = 0.
    """
    pressure, product = population * service_s - elsewhere_s, service_s * elsewhere_s
    root = jnp.maximum(jnp.sqrt(pressure**2 + 4 * product), 1e-12)
    half = (jnp.abs(pressure) + root) / 2
    stay_s = jnp.maximum(jnp.where(pressure > 0, half, product / half), service_s)
    return stay_s, jnp.clip(0.5 + (service_s - pressure / 2) / root, 0.0, 1.0)


def _positive_root(square: Scalar, linear: Scalar, constant: Scalar) -> Scalar:
    """The positive root of square*x**2 + linear*x - constant = 0, without a difference of near numbers."""
    half = (jnp.abs(linear) + jnp.sqrt(linear**2 + 4 * square * constant)) / 2
    rises = linear > 0
    return jnp.where(rises, constant, half) / jnp.maximum(jnp.where(rises, half, square), 1e-30)


class Use(NamedTuple):
    """Share of GPUs with work, that with prompts, and shares of bandwidth and peak in use on those with work."""

    busy: Scalar
    prefill: Scalar
    memory: Scalar
    flop: Scalar


def _use(serving: Serving, call: Call, balance: Balance, per_prefill_replica: Scalar, share: Scalar) -> Use:
    """Use of decode and prefill GPUs; flop is the mean of square roots, squared, as power goes with the root of it."""
    population = jnp.maximum(balance.admitted, 1.0)
    step = decode_step(serving, 1 + (1 - 1 / population) * balance.active, call.context)
    arithmetic = serving.linear_s + serving.prefill_attention_s * attended_tokens(serving, call.prefill_context)
    prefill_flop = call.computed * arithmetic
    mixed_flop = serving.mixes * balance.active * prefill_flop / call.output
    memory = step.memory_s / serving.accepted / balance.step_s
    flop = (step.flop_s / serving.accepted + mixed_flop) / balance.step_s
    flop_of_prefill = prefill_flop * serving.n_gpus / serving.prefill_n_gpus / jnp.maximum(call.prefill_s, 1e-12)
    in_gpus = balance.admitted * (1 - call.tool_s / balance.wall_s)
    busy_decode = (1 - share) * jnp.minimum(in_gpus, 1.0)
    busy_prefill = share * jnp.minimum(balance.admitted * per_prefill_replica * call.prefill_s / balance.wall_s, 1.0)
    busy = busy_decode + busy_prefill
    mixed_prefill = serving.mixes * jnp.minimum(balance.admitted * call.prefill_s / balance.wall_s, busy_decode)
    part = jnp.where(busy > 0, busy_prefill / jnp.maximum(busy, 1e-12), 0.0)
    root = (1 - part) * jnp.sqrt(jnp.clip(flop, 0.0, 1.0)) + part * jnp.sqrt(jnp.clip(flop_of_prefill, 0.0, 1.0))
    return Use(busy, busy_prefill + mixed_prefill, (1 - part) * jnp.clip(memory, 0.0, 1.0), root**2)
