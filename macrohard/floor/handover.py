"""Workers whose attempt has ended hand their ticket on: to the next queue, back, or out of the door.

Closing a ticket releases those that waited for it; a shipped defect is born as a bug ticket; a stuck ticket may split.
"""

from dataclasses import replace

import jax
import jax.numpy as jnp

from agents.management import Manager, Replan
from agents.work import WORK_STAGES, Habits, Stage
from macrohard.colossus import dice
from macrohard.floor import queues as queues_of
from macrohard.floor.births import bear
from macrohard.floor.columns import pack, unpack
from macrohard.floor.desks import Job
from macrohard.floor.state import Params, Shop, State, counted
from macrohard.floor.throws import Stream
from macrohard.floor.tickets import N_COLUMNS, Row, Tickets, as_ticket, enqueued, priority_of


def hand_over(shop: Shop, params: Params, state: State) -> State:
    """Empties the desks whose attempts have ended, by role the first rows first, at most `slots` of them."""
    desks, tickets = state.desks, state.tickets
    n_desks, capacity = desks.ticket.shape[0], tickets.capacity
    ended = (desks.ticket >= 0) & (desks.progress >= 1.0)
    rows = jnp.concatenate(
        [
            _first(ended, first, n_rows, slots, n_desks)
            for first, n_rows, slots in zip(shop.first_row, shop.n_rows, shop.slots, strict=True)
        ]
    )
    valid = rows < n_desks
    number = jnp.where(valid, desks.ticket[rows], capacity)  # a slot without an ended attempt writes nowhere
    job = unpack(Job, desks.words[:, rows], axis=0)
    words = tickets.words[number]
    row = unpack(Row, words, axis=-1)
    decision = _replan(shop, params, tickets, row)
    closing, row = _after(params, state, number, job, row, decision)
    closing = closing & valid

    here = jnp.arange(len(WORK_STAGES)) == job.stage[:, None]
    waited = jnp.where(here, job.waited_ticks[:, None], 0)
    worked = jnp.where(here, (state.tick + 1 - job.began_tick)[:, None], 0)
    history = words[:, N_COLUMNS:] + jnp.concatenate([waited, worked], axis=1)
    new_words = jnp.concatenate([pack(row, axis=-1), history], axis=1)

    had_change = unpack(Row, words, axis=-1).has_change
    change = row.has_change.astype(jnp.int32) - had_change.astype(jnp.int32)
    module = jnp.where(valid, row.epic, capacity)
    goes_on = valid & (row.stage < Stage.DONE)
    entries = [(number, jnp.where(goes_on, queues_of.queue_of(row.stage, row.priority), queues_of.NO_QUEUE))]

    def count(flags: jax.Array) -> jax.Array:
        return jnp.sum(valid & flags, dtype=jnp.int32)

    ships = (row.stage == Stage.DONE) & ~row.is_epic
    counts = state.counts + counted(
        done=count(ships),
        given_up=count(row.stage == Stage.GIVEN_UP),
        escaped=jnp.sum(jnp.where(valid, job.escaped, 0), dtype=jnp.int32),
        bad_shipped=count(ships & ~row.patch_is_good),
        with_escape=count(ships & (job.escaped > 0)),
        code_attempts=count((job.stage == Stage.CODE) & (row.work_share >= 1.0)),
        splits=count(decision.split),
        escalations=count(decision.escalate),
        late_handovers=jnp.sum(ended, dtype=jnp.int32) - jnp.sum(valid, dtype=jnp.int32),
    )
    state = replace(
        state,
        tickets=replace(
            tickets,
            words=tickets.words.at[number].set(new_words, mode="drop"),
            n_open_changes=tickets.n_open_changes.at[module].add(change, mode="drop"),
        ),
        desks=replace(desks, ticket=desks.ticket.at[jnp.where(valid, rows, n_desks)].set(-1, mode="drop")),
        counts=counts,
        epics_planned=state.epics_planned + count(closing & row.is_epic),
    )
    closers = slice(0, shop.slots[0])  # only management, first in the roster, closes, ships and splits
    parents = jax.tree.map(lambda column: column[closers], row)
    n_bugs = jnp.where(valid[closers], job.escaped[closers], 0)
    state, halves = bear(params, state, number[closers], parents, n_bugs, (valid & decision.split)[closers])
    state, released = _release(state, jnp.where(closing, number, capacity)[closers])
    return replace(state, queues=queues_of.put(state.queues, [*entries, halves, released]))


def _first(ended: jax.Array, first: int, n_rows: int, slots: int, n_desks: int) -> jax.Array:
    """Desk rows of one role whose attempts have ended, padded with the number of desks."""
    rows, _ = queues_of.first_rows(ended[first : first + n_rows], slots)
    return jnp.where(rows < n_rows, rows + first, n_desks)


def _replan(shop: Shop, params: Params, tickets: Tickets, row: Row) -> Replan:
    """What management decides for tickets that leave planning; nothing for all others."""
    manager = shop.roles[0]
    assert issubclass(manager, Manager)
    habits: Habits = params.habits[manager.role]
    return jax.vmap(manager.replan, (0, None))(as_ticket(tickets, row), habits)


def _after(
    params: Params, state: State, number: jax.Array, job: Job, row: Row, decision: Replan
) -> tuple[jax.Array, Row]:
    """Whether tickets close, and their rows after the attempt."""
    habits = params.habits[Manager.role]
    redraw = decision.escalate | decision.split
    failures = jnp.where(redraw, 0, row.failures + job.caught)
    stuck = job.caught & (failures >= habits.max_attempts)
    next_stage = jnp.where(stuck, int(Stage.PLAN), job.next_stage)
    closing = next_stage >= Stage.DONE
    is_code = job.stage == Stage.CODE
    redraws = row.redraws + redraw
    fresh = dice.uniform(params.seed, Stream.QUANTILE, number, redraws)
    differs = dice.uniform(params.seed, Stream.KEEP, number, redraws) > habits.escalation_keeps
    return closing, replace(
        row,
        stage=next_stage,
        size_min=jnp.where(decision.split, row.size_min / 2, row.size_min),
        work_share=job.share_next,
        failures=failures,
        escalations=jnp.where(decision.split, 0, row.escalations + decision.escalate),
        quantile=jnp.where(decision.split | (decision.escalate & differs), fresh, row.quantile),
        redraws=redraws,
        patch_is_good=jnp.where(is_code, job.good, row.patch_is_good),
        defects=job.defects_next,
        has_change=(row.has_change | is_code) & ~closing,
        attempts=row.attempts + (is_code & (job.share_next >= 1.0)),
        escaped=row.escaped + job.escaped,
        since_tick=jnp.full_like(row.since_tick, state.tick + 1),
        started_tick=jnp.where(row.started_tick < 0, job.began_tick, row.started_tick),
        closed_tick=jnp.where(closing, state.tick + 1, -1),
        input_tokens=row.input_tokens + job.prefill_tokens + job.cached_tokens,
        decode_tokens=row.decode_tokens + job.decode_tokens,
    )


def _release(state: State, closed: jax.Array) -> tuple[State, tuple[jax.Array, jax.Array]]:
    """Tickets whose last need has closed are to enter the queue of planning, each exactly once."""
    tickets, capacity = state.tickets, state.tickets.capacity
    children = jnp.where((closed < capacity)[:, None], tickets.children[closed], -1).reshape(-1)
    child = jnp.where(children >= 0, children, capacity)
    n_needs = tickets.n_needs.at[child].add(-1, mode="drop")
    free = (children >= 0) & (n_needs[child] == 0)
    edge = jnp.arange(child.shape[0], dtype=jnp.int32)
    claim = tickets.claim.at[jnp.where(free, child, capacity)].max(edge, mode="drop")
    enters = free & (claim[child] == edge)
    priority = priority_of(tickets, child)
    enters = enters & (priority >= 0)  # always so; it orders the write after the read
    queue = jnp.where(enters, queues_of.queue_of(jnp.int32(Stage.PLAN), priority), queues_of.NO_QUEUE)
    words = enqueued(tickets, jnp.where(enters, child, capacity), state.tick + 1)
    return replace(state, tickets=replace(tickets, words=words, n_needs=n_needs, claim=claim)), (child, queue)
