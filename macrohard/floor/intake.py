"""Work that comes in: epics when they arrive (or, saturated, when the floor needs more), bugs when they are found."""

from dataclasses import replace

import jax
import jax.numpy as jnp

from agents.work import Stage
from macrohard.floor import queues as queues_of
from macrohard.floor.columns import unpack
from macrohard.floor.state import Params, Shop, State, counted
from macrohard.floor.tickets import N_COLUMNS, Row, come_in


def admit(shop: Shop, params: Params, state: State) -> State:
    """Lets the next epics and bugs into their queues: at most the shop's slots a tick, the rest a tick later."""
    tickets, capacity = state.tickets, state.tickets.capacity
    epics, n_epics, n_tickets = _epics(shop.epic_slots, params, state)
    bugs, is_due, n_looked_at = _bugs(shop.bug_slots, state)
    rows = jnp.concatenate([epics, jnp.where(is_due, bugs, capacity)])
    stage = jnp.concatenate([jnp.full_like(epics, Stage.ROADMAP), jnp.full_like(bugs, Stage.PLAN)])
    priority = unpack(Row, tickets.words[rows, :N_COLUMNS], axis=-1).priority
    queue = jnp.where(rows < capacity, queues_of.queue_of(stage, priority), queues_of.NO_QUEUE)
    n_bugs = jnp.sum(is_due, dtype=jnp.int32)
    return replace(
        state,
        tickets=replace(tickets, words=come_in(tickets, epics, state.tick)),
        queues=queues_of.put(state.queues, [(rows, queue)]),
        epic_cursor=state.epic_cursor + n_epics,
        bug_cursor=state.bug_cursor + n_looked_at,
        counts=state.counts + counted(created=n_tickets + n_bugs, bugs=n_bugs),
    )


def _epics(slots: int, params: Params, state: State) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Rows of the epics that come now (padded with a row that is not there), their number, and their tickets."""
    intake = params.intake
    place = state.epic_cursor + jnp.arange(slots, dtype=jnp.int32)
    inside = jnp.minimum(place, intake.epic_row.shape[0] - 1)
    n_waiting = jnp.sum(queues_of.waiting(state.queues))
    n_unplanned = state.epic_cursor - state.epics_planned
    short = jnp.ceil((params.intake.wip_target - n_waiting) / intake.tickets_per_epic).astype(jnp.int32) - n_unplanned
    comes = jnp.where(intake.is_saturated, jnp.arange(slots) < short, intake.arrival_tick[inside] <= state.tick)
    comes = comes & (place < intake.n_epics)
    rows = jnp.where(comes, intake.epic_row[inside], state.tickets.capacity)
    n_tickets = jnp.sum(jnp.where(comes, intake.n_tickets[inside], 0), dtype=jnp.int32)
    return rows, jnp.sum(comes, dtype=jnp.int32), n_tickets


def _bugs(slots: int, state: State) -> tuple[jax.Array, jax.Array, jax.Array]:
    """The next rows in order of birth, which of them are bugs that are found now, and how many are settled."""
    rows = state.bug_cursor + jnp.arange(slots, dtype=jnp.int32)
    inside = jnp.minimum(rows, state.tickets.capacity - 1)
    row = unpack(Row, state.tickets.words[inside, :N_COLUMNS], axis=-1)
    late = (rows >= state.n_rows) | (row.created_tick > state.tick)
    settled = queues_of.running(late) == 0
    # the second half of a split is in its queue since its birth, with the start of the whole; a bug comes in here
    is_due = settled & row.is_bug & (row.started_tick < 0)
    return inside, is_due, jnp.sum(settled, dtype=jnp.int32)
