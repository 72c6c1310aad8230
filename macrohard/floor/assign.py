"""Idle workers take waiting tickets, and the whole attempt is thrown: its load, outcome and what it leaves behind."""

from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from agents.work import N_PRIORITIES, Chance, Defects, Habits, Load, Stage, Ticket
from agents.worker import Worker
from macrohard.floor import queues as queues_of
from macrohard.floor.columns import pack
from macrohard.floor.desks import Job
from macrohard.floor.state import Params, Shop, State, counted
from macrohard.floor.throws import MAX_EVENTS, Dice, Stream, Thrown, normals, rare_count
from macrohard.floor.tickets import at_desk

MAX_TOKENS = 2.0**30


def slots_of(n_rows: int, share: float) -> int:
    """Attempts of one role that may begin or end within a tick: all of few workers, else that share of them.

    An attempt that ends beyond them is handed over a tick later with its time credited (`late_handovers`); an idle
    worker beyond them starts a tick later (`late_starts`).
    """
    return min(n_rows, max(128, int(n_rows * share)))


def assign(shop: Shop, params: Params, state: State) -> State:
    """Gives waiting tickets to idle workers, role by role; those of low priority wait while the site says so."""
    n_open = jnp.where(state.site.tickets_wait > 0, params.defer_from_priority, N_PRIORITIES)
    desks, queues = state.desks, state.queues
    n_desks = desks.ticket.shape[0]
    rows, tickets, late = [], [], jnp.int32(0)
    for role, first, n_rows, slots in zip(shop.roles, shop.first_row, shop.n_rows, shop.slots, strict=True):
        idle = (desks.ticket[first : first + n_rows] < 0) & (jnp.arange(n_rows) < params.n_desks[role.role])
        rows_of_role, n_idle = queues_of.first_rows(idle, slots)
        queues, taken, n_left = queues_of.take(queues, role.stages, jnp.minimum(n_idle, slots), slots, n_open)
        late = late + jnp.minimum(n_idle - jnp.minimum(n_idle, slots), n_left)
        rows.append(jnp.where(taken >= 0, rows_of_role + first, n_desks))
        tickets.append(taken)
    seats, numbers = jnp.concatenate(rows), jnp.concatenate(tickets)  # a slot without a ticket writes nowhere
    job, llm = _throw(shop, params, state, numbers, seats)
    # credit that finds no ticket at once is lost: the worker stood idle
    credit_s = jnp.where(desks.ticket < 0, 0.0, desks.credit_s).at[seats].set(desks.credit_s[seats], mode="drop")
    desks = replace(
        desks,
        ticket=desks.ticket.at[seats].set(numbers, mode="drop"),
        progress=desks.progress.at[seats].set(0.0, mode="drop"),
        credit_s=credit_s,
        words=desks.words.at[:, seats].set(pack(job, axis=0), mode="drop"),
        llm=desks.llm.at[seats].set(llm, mode="drop") if shop.n_llms > 1 else desks.llm,
    )
    return replace(state, queues=queues, desks=desks, counts=state.counts + counted(late_starts=late))


class Ruled(NamedTuple):
    """What the rules of a role make of its attempts; the rest is the same for all. Shape (slots,)."""

    good: jax.Array
    load: Load
    next_stage: jax.Array
    detection: jax.Array
    defects: Defects
    rework_share: jax.Array
    bad_fix_share: jax.Array
    conflict_rework_share: jax.Array


def _throw(shop: Shop, params: Params, state: State, numbers: jax.Array, seats: jax.Array) -> tuple[Job, jax.Array]:
    """The attempts that begin now and the LLMs that serve them, one per slot; slots without a ticket hold nonsense."""
    seen = at_desk(state.tickets, numbers)
    role_of_slot = np.repeat(np.arange(len(shop.roles)), shop.slots)
    first_row = np.repeat(np.asarray(shop.first_row, np.int32), shop.slots)
    thrown = Dice(params.seed, state.tick, role_of_slot, seats - first_row).thrown()
    normals_of = normals(thrown[Stream.CALLS], thrown[Stream.TOOL])
    parts, llms = [], []
    for role, first, slots in zip(shop.roles, shop.first_slot, shop.slots, strict=True):
        own = slice(first, first + slots)
        ticket, throws, dice_of = jax.tree.map(lambda column, own=own: column[own], (seen.ticket, thrown, normals_of))
        habits = params.habits[role.role]
        if shop.pools:
            ticket = replace(ticket, llm=jnp.minimum(habits.first_llm + ticket.escalations, habits.last_llm))
        llms.append(ticket.llm)
        parts.append(_ruled(role, habits, ticket, throws, *dice_of))
    ruled: Ruled = jax.tree.map(lambda *columns: jnp.concatenate(columns), *parts)
    load, ticket = ruled.load, seen.ticket
    again = jnp.where(ticket.stage == Stage.CODE, seen.attempts >= 1, seen.attempts >= 2)
    job = replace(
        _ending(replace(ticket, patch_is_good=ruled.good), ruled, thrown),
        calls=load.calls,
        prefill_tokens=_whole(load.prefill_tokens, 0.0),
        cached_tokens=_whole(load.cached_tokens, 0.0),
        decode_tokens=_whole(load.decode_tokens, 1.0),
        tool_s=load.tool_s,
        is_rework=again | (ticket.work_share < 1.0) | seen.is_bug,
        stage=ticket.stage,
        began_tick=jnp.full_like(numbers, state.tick),
        waited_ticks=state.tick - seen.since_tick,
        good=ruled.good,
    )
    return job, jnp.concatenate(llms)


def _whole(tokens: jax.Array, least: float) -> jax.Array:
    return jnp.clip(jnp.round(tokens), least, MAX_TOKENS).astype(jnp.int32)


def _ruled(
    role: type[Worker], habits: Habits, ticket: Ticket, thrown: Thrown, normal_calls: jax.Array, normal_tool: jax.Array
) -> Ruled:
    """Attempts of one role: the rules state the laws, here the dice fall."""
    good = thrown[Stream.GOOD] < jax.vmap(role.success, (0, None))(ticket, habits)
    load: Load = jax.vmap(role.load, (0, None, 0))(ticket, habits, Chance(normal_calls, normal_tool, good))
    after = replace(ticket, patch_is_good=good)
    outcome = thrown[Stream.OUTCOME]
    chances = jax.vmap(role.outcomes, (0, None))(after, habits)
    next_stage = jnp.full_like(ticket.stage, list(chances)[-1])
    passed = jnp.zeros_like(outcome)
    undecided = jnp.ones_like(good)
    for stage, probability in chances.items():
        passed = passed + probability
        hit = undecided & (outcome < passed)
        next_stage = jnp.where(hit, int(stage), next_stage)
        undecided = undecided & ~hit
    shares = (habits.rework_share, habits.bad_fix_share, habits.conflict_rework_share)
    return Ruled(
        good,
        load,
        next_stage,
        jax.vmap(role.detection, (0, None))(after, habits),
        jax.vmap(role.defects, (0, None))(after, habits),
        *(jnp.broadcast_to(share, outcome.shape) for share in shares),
    )


def _ending(ticket: Ticket, ruled: Ruled, thrown: Thrown) -> Job:
    """How attempts will end: where the ticket goes, what share of a pass it needs there, what is left and escapes.

    A patch goes back to code because it was seen to be bad (the lowest throws), because it conflicts with another
    change (the next), or because defects were found in it.
    """
    judged = (ticket.stage == Stage.TEST) | (ticket.stage == Stage.REVIEW)
    back = (ruled.next_stage == Stage.CODE) & judged
    seen_bad = ~ticket.patch_is_good & (thrown[Stream.OUTCOME] < ruled.detection)
    caught, conflict = back & seen_bad, back & ~seen_bad

    n_found = jnp.where(judged & ~caught, rare_count(ruled.defects.found, thrown[Stream.FOUND]), 0)
    mend = n_found > 0
    next_stage = jnp.where(mend, int(Stage.CODE), ruled.next_stage)
    share = ruled.rework_share * n_found + jnp.where(conflict, ruled.conflict_rework_share, 0.0)
    share_next = jnp.where(mend | conflict, jnp.minimum(share, 0.999), jnp.where(back, 1.0, ticket.work_share))
    defects_next = ruled.defects.left + ruled.bad_fix_share * n_found
    ships = (ticket.stage == Stage.REVIEW) & (next_stage == Stage.DONE)
    shipped_bad = jnp.where(ticket.patch_is_good, 0, 1)
    n_escaped = jnp.minimum(shipped_bad + rare_count(defects_next, thrown[Stream.ESCAPED]), MAX_EVENTS)
    nothing = jnp.zeros_like(next_stage)
    return Job(
        calls=nothing,
        prefill_tokens=nothing,
        cached_tokens=nothing,
        decode_tokens=nothing,
        tool_s=nothing,
        is_rework=nothing,
        stage=nothing,
        began_tick=nothing,
        waited_ticks=nothing,
        good=nothing,
        next_stage=next_stage,
        caught=caught,
        share_next=share_next,
        defects_next=defects_next,
        escaped=jnp.where(ships, n_escaped, 0),
    )
