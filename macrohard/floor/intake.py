"""Work that comes in: epics when they arrive (or, saturated, when the floor needs more), bugs when they are found."""

from dataclasses import replace

import jax
import jax.numpy as jnp

from agents.work import Stage
from macrohard.floor import queues as queues_of
from macrohard.floor.state import Params, Shop, State, counted
from macrohard.floor.tickets import Row, come_in, read


def admit(shop: Shop, params: Params, state: State) -> State:
    """Lets the next epics and bugs into their queues: at most the shop's slots a tick, the rest a tick later."""
    capacity = state.tickets.capacity
    epics, n_epics, n_tickets = _epics(shop.epic_slots, params, state)
    bugs = state.bug_cursor + jnp.arange(shop.bug_slots, dtype=jnp.int32)
    rows = jnp.concatenate([epics, jnp.minimum(bugs, capacity - 1)])
    row = read(state.tickets, rows)
    epics = jnp.where(row.is_epic[: shop.epic_slots], epics, capacity)  # always so; it orders the write after the read
    is_due, n_looked_at = _bugs_due(bugs, jax.tree.map(lambda column: column[shop.epic_slots :], row), state)
    stage = jnp.where(jnp.arange(rows.shape[0]) < shop.epic_slots, int(Stage.ROADMAP), int(Stage.PLAN))
    comes = jnp.concatenate([epics < capacity, is_due])
    queue = jnp.where(comes, queues_of.queue_of(stage, row.priority), queues_of.NO_QUEUE)
    n_bugs = jnp.sum(is_due, dtype=jnp.int32)
    return replace(
        state,
        tickets=replace(state.tickets, words=come_in(state.tickets, epics, state.tick)),
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


def _bugs_due(bugs: jax.Array, row: Row, state: State) -> tuple[jax.Array, jax.Array]:
    """Which of the next rows in order of birth are bugs that are found now, and how many rows are settled."""
    late = (bugs >= state.n_rows) | (row.created_tick > state.tick)
    settled = queues_of.running(late) == 0
    # the second half of a split is in its queue since its birth, with the start of the whole; a bug comes in here
    return settled & row.is_bug & (row.started_tick < 0), jnp.sum(settled, dtype=jnp.int32)
