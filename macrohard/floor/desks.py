"""The desks: one row per worker, the rows of a role together, with the attempt in work and what was thrown for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

import jax
import jax.numpy as jnp

from macrohard.colossus.serving import Demand, Served
from macrohard.colossus.units import Scalar
from macrohard.floor.columns import Flag, Real, Whole, unpack
from macrohard.floor.tally import Count, as_float, row_sum

MAX_CREDIT_TICKS = 4.0

TOKEN_KINDS = ("prefill", "cached", "decode", "rework_decode")
"""What is counted of the tokens served; rework_decode is part of decode."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Job:
    """The attempt on a desk: its load, and how it will end, which is thrown at its start and shown at its end."""

    calls: Real
    prefill_tokens: Whole
    cached_tokens: Whole
    decode_tokens: Whole
    tool_s: Real
    is_rework: Flag
    stage: Whole
    began_tick: Whole
    waited_ticks: Whole
    """Time the ticket had waited for this desk."""
    next_stage: Whole
    good: Flag
    caught: Flag
    """Whether a bad patch was seen to be bad."""
    share_next: Real
    defects_next: Real
    escaped: Whole


N_COLUMNS = len(Job.__dataclass_fields__)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Desks:
    """Arrays of shape (rows,) but for the words. Rows past the number of workers hired stay empty."""

    ticket: jax.Array
    """Row of the ticket on the desk, -1 when idle."""
    progress: jax.Array
    """Share of the attempt that is done."""
    credit_s: jax.Array
    """Time left over when the last attempt ended within a tick; it goes into the next one."""
    words: jax.Array
    """Packed Job, shape (columns, rows)."""
    llm: jax.Array
    """The LLM that serves the attempt, as its place among the pools; 0 for all where there is one."""

    @property
    def job(self) -> Job:
        """The attempts on the desks."""
        return unpack(Job, self.words, axis=0)


def empty(n_rows: int) -> Desks:
    """Desks nobody works at."""
    return Desks(
        ticket=jnp.full(n_rows, -1, jnp.int32),
        progress=jnp.zeros(n_rows, jnp.float32),
        credit_s=jnp.zeros(n_rows, jnp.float32),
        words=jnp.zeros((N_COLUMNS, n_rows), jnp.int32),
        llm=jnp.zeros(n_rows, jnp.int32),
    )


def speeds(desks: Desks, served: Served) -> Served:
    """What each desk is served at: that of its pool, or of the one LLM that serves all."""

    def of_own(leaf: jax.Array) -> jax.Array:
        if not jnp.ndim(leaf):
            return leaf
        found = jnp.full(desks.llm.shape, leaf[0])
        for llm in range(1, leaf.shape[0]):  # a choice of few: cheaper than a gather
            found = jnp.where(desks.llm == llm, leaf[llm], found)
        return found

    own: Served = jax.tree.map(of_own, served)
    return own


def wall_s(job: Job, served: Served) -> jax.Array:
    """Seconds each attempt takes at these speeds, waiting for admission included; shape (rows,).

    Rows are multiplied by reciprocals of what all share: XLA divides a batch otherwise than a run by itself.
    """
    return jnp.maximum(admitted_s(job, served), 1e-3) * (1.0 / jnp.maximum(served.admitted_share, 1e-6))


def admitted_s(job: Job, served: Served) -> jax.Array:
    """The same once admitted."""
    return (
        job.calls * served.wait_s
        + job.prefill_tokens * served.prefill_s_per_token
        + job.decode_tokens * (1.0 / served.tok_s_per_stream)
        + job.tool_s
    )


# Fixed point: how many units of a row's flow per tick count as one, so that sums over rows are whole numbers.
_JOBS, _CALLS, _DECODE, _PREFILL, _INPUT, _TOOL = 2.0**24, 2.0**18, 2.0**10, 2.0**6, 2.0**2, 2.0**16


def demand(desks: Desks, served: Served, dt_s: Scalar, weight: Scalar, n_llms: int = 1) -> Demand:
    """What all desks ask of the cluster: their number, and the mean attempt weighted by how often it comes by.

    Weighting by flow (attempts per second at the speeds of `served`) makes the closed queue of mean attempts hold
    exactly as many streams as the desks do at those speeds. Sums are whole numbers: no order of rows changes them.
    Of several LLMs each has the demand of its own desks, shape (llms,).
    """
    busy, wall = desks.ticket >= 0, wall_s(desks.job, speeds(desks, served))
    if n_llms == 1:
        return _demand(desks.job, busy, wall, dt_s, weight)
    of_each = [_demand(desks.job, busy & (desks.llm == llm), wall, dt_s, weight) for llm in range(n_llms)]
    together: Demand = jax.tree.map(lambda *each: jnp.stack(each), *of_each)
    return together


def _demand(job: Job, busy: jax.Array, wall: jax.Array, dt_s: Scalar, weight: Scalar) -> Demand:
    """The demand of the desks that are busy, whose attempts take `wall` seconds."""
    rate = jnp.where(busy, jnp.minimum(dt_s / wall, 1.0), 0.0)

    def summed(per_job: Scalar, unit: float) -> jax.Array:
        return as_float(row_sum(jnp.round(jnp.minimum(rate * per_job * unit, 2.0**30)))) / unit

    jobs = jnp.maximum(summed(1.0, _JOBS), 1e-6)
    return Demand(
        n_streams=jnp.sum(busy, dtype=jnp.int32).astype(jnp.float32) * weight,
        calls=summed(job.calls, _CALLS) / jobs,
        decode_tokens=summed(job.decode_tokens.astype(jnp.float32), _DECODE) / jobs,
        prefill_tokens=summed(job.prefill_tokens.astype(jnp.float32), _PREFILL) / jobs,
        input_tokens=summed(job.prefill_tokens.astype(jnp.float32) + job.cached_tokens, _INPUT) / jobs,
        tool_s=summed(job.tool_s, _TOOL) / jobs,
    )


def work(desks: Desks, served: Served, dt_s: Scalar, n_rows: tuple[int, ...], n_llms: int = 1) -> tuple[Desks, Count]:
    """Every attempt moves on by dt_s (and the time left over from the last one), and the whole tokens that were served.

    n_rows: desk rows of each role. The tokens have shape (llms, roles, TOKEN_KINDS).
    """
    busy, job = desks.ticket >= 0, desks.job
    ended_before = desks.progress >= 1.0  # waits for its hand-over; the time is credited
    wall = wall_s(job, speeds(desks, served))
    reached = desks.progress + jnp.where(busy, (dt_s + desks.credit_s) / wall, 0.0)
    left_s = jnp.where(ended_before, desks.credit_s + dt_s, (reached - 1.0) * wall)
    credit_s = jnp.where(busy & (reached >= 1.0), jnp.minimum(left_s, MAX_CREDIT_TICKS * dt_s), 0.0)
    progress = jnp.where(busy, jnp.minimum(reached, 1.0), 0.0)

    def served_now(tokens: jax.Array) -> jax.Array:
        whole = jnp.where(busy, tokens, 0)
        return _so_far(whole, progress) - _so_far(whole, desks.progress)

    decode = served_now(job.decode_tokens)
    rework = jnp.where(job.is_rework, decode, 0)
    kinds = jnp.stack([served_now(job.prefill_tokens), served_now(job.cached_tokens), decode, rework])
    tokens = [
        _by_role(kinds if n_llms == 1 else jnp.where(desks.llm == llm, kinds, 0), n_rows) for llm in range(n_llms)
    ]
    return replace(desks, progress=progress, credit_s=credit_s), _stacked(tokens)


def _by_role(kinds: jax.Array, n_rows: tuple[int, ...]) -> Count:
    """Sums over the rows of each role, which lie together, of shape (roles, kinds); kinds has shape (kinds, rows)."""
    edges = pairwise(accumulate(n_rows, initial=0))
    return _stacked([row_sum(kinds[:, first:last]) for first, last in edges])


def _stacked(counts: list[Count]) -> Count:
    together: Count = jax.tree.map(lambda *each: jnp.stack(each), *counts)
    return together


def _so_far(tokens: jax.Array, progress: jax.Array) -> jax.Array:
    """Whole tokens of an attempt that have been served at this progress; all of them at its end."""
    part = jnp.floor(tokens.astype(jnp.float32) * progress).astype(jnp.int32)
    return jnp.where(progress >= 1.0, tokens, jnp.minimum(part, tokens))
