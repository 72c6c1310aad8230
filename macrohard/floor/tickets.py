"""The tickets: one row each, epics among them, with the history from which lead times are read."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from agents.work import WORK_STAGES, Ticket
from macrohard.floor.columns import Flag, Real, Whole, pack, place, unpack


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Row:
    """What is known of a ticket. Columns a worker sees (or is judged by) come first, so that they are read at once."""

    size_min: Real
    kind: Whole
    stage: Whole
    work_share: Real
    failures: Whole
    escalations: Whole
    quantile: Real
    patch_is_good: Flag
    defects: Real
    epic: Whole
    """Row of the epic it belongs to; its module."""
    has_change: Flag
    """Whether a change of it is open in its module."""
    attempts: Whole
    """Fresh attempts at code."""
    is_bug: Flag
    since_tick: Whole
    """When it entered the queue it waits in."""
    priority: Whole
    is_epic: Flag
    redraws: Whole
    """Times the quantile was drawn again; part of the key of the next draw."""
    escaped: Whole
    """Defects and bad patches that shipped with it."""
    created_tick: Whole
    """When it came in; -1 for a planned ticket, which comes in with its epic."""
    started_tick: Whole
    closed_tick: Whole
    input_tokens: Whole
    """Read as unsigned."""
    decode_tokens: Whole


N_COLUMNS = len(Row.__dataclass_fields__)
_SINCE = place(Row, "since_tick")
_CREATED = place(Row, "created_tick")
_PRIORITY = place(Row, "priority")


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Tickets:
    """Arrays with one row per ticket; a row's number is the ticket's id. Rows not born yet are blank."""

    words: jax.Array
    """Packed Row, then ticks waited and ticks worked by stage; shape (rows, columns + 2 * stages)."""
    n_needs: jax.Array
    """Tickets that must be closed before this one may start, the planning of its epic included."""
    children: jax.Array
    """Tickets that wait for this one, shape (rows, k), padded with -1."""
    claim: jax.Array
    """Which edge released the row: so that of several in one tick only one puts it into a queue."""
    n_open_changes: jax.Array
    """Of an epic: changes open in its module."""

    @property
    def capacity(self) -> int:
        """Rows there are; also the number of a row that is not there, which writes drop."""
        return int(self.words.shape[0])


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Seen:
    """Tickets as taken to desks: what the rules see, and what the floor needs besides. Shape (slots,)."""

    ticket: Ticket
    attempts: jax.Array
    is_bug: jax.Array
    since_tick: jax.Array


def at_desk(tickets: Tickets, rows: jax.Array) -> Seen:
    """The tickets of these rows; rows are clipped, so a padded one shows some other ticket."""
    head = tickets.words[rows, : _SINCE + 1]
    row = unpack(Row, jnp.pad(head, ((0, 0), (0, N_COLUMNS - _SINCE - 1))), axis=-1)
    return Seen(as_ticket(tickets, row), row.attempts, row.is_bug, row.since_tick)


def as_ticket(tickets: Tickets, row: Row) -> Ticket:
    """What the rules see of rows that were read."""
    others = tickets.n_open_changes[row.epic] - row.has_change
    return Ticket(
        size_min=row.size_min,
        kind=row.kind,
        stage=row.stage,
        work_share=row.work_share,
        failures=row.failures,
        escalations=row.escalations,
        quantile=row.quantile,
        patch_is_good=row.patch_is_good,
        defects=row.defects,
        open_changes=jnp.maximum(others, 0).astype(jnp.float32),
        llm=jnp.zeros_like(row.escalations),
    )


def read(tickets: Tickets, rows: jax.Array) -> Row:
    """These rows. Whoever writes to the table in the same tick must let what is written, or where, depend on what was
    read: XLA then knows that the reading is over and writes in place; otherwise it copies the whole table.
    """
    return unpack(Row, tickets.words[rows, :N_COLUMNS], axis=-1)


def priority_of(tickets: Tickets, rows: jax.Array) -> jax.Array:
    """Priorities of these rows, 0 to 3; see `read` on writing."""
    return tickets.words[rows, _PRIORITY]


def new_rows(row: Row) -> jax.Array:
    """Words of rows without a history yet, shape (rows, words)."""
    words = pack(row, axis=-1)
    return jnp.pad(words, ((0, 0), (0, 2 * len(WORK_STAGES))))


def enqueued(tickets: Tickets, rows: jax.Array, tick: jax.Array) -> jax.Array:
    """Words after these rows entered a queue; a row past the end is dropped."""
    return tickets.words.at[rows, _SINCE].set(tick, mode="drop")


def come_in(tickets: Tickets, rows: jax.Array, tick: jax.Array) -> jax.Array:
    """Words after these rows came in and entered a queue."""
    return enqueued(tickets, rows, tick).at[rows, _CREATED].set(tick, mode="drop")
