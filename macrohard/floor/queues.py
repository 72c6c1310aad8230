"""Waiting tickets: one ring buffer per (stage, priority). A tick takes from the heads and appends at the tails.

Cost grows with what moves, never with what waits.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from agents.work import N_PRIORITIES, WORK_STAGES, Stage
from macrohard.colossus.units import Scalar

N_QUEUES = len(WORK_STAGES) * N_PRIORITIES
NO_QUEUE = N_QUEUES


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Queues:
    """Rings of ticket rows, shape (queues * capacity,); head and tail, shape (queues,), count what left and came."""

    rings: jax.Array
    head: jax.Array
    tail: jax.Array


def empty(capacity: int) -> Queues:
    """Queues that can each hold every ticket there can be."""
    zeros = jnp.zeros(N_QUEUES, jnp.int32)
    return Queues(jnp.zeros(N_QUEUES * capacity, jnp.int32), zeros, zeros)


def queue_of(stage: jax.Array, priority: jax.Array) -> jax.Array:
    """Number of the queue for a stage and a priority."""
    return stage.astype(jnp.int32) * N_PRIORITIES + priority.astype(jnp.int32)


def waiting(queues: Queues) -> jax.Array:
    """Tickets in each queue, shape (queues,)."""
    return queues.tail - queues.head


def take(
    queues: Queues, stages: tuple[Stage, ...], n_wanted: jax.Array, slots: int, n_open: Scalar = N_PRIORITIES
) -> tuple[Queues, jax.Array, jax.Array]:
    """Takes up to n_wanted tickets: by stage in the order given, then by priority, then first come first served.

    Returns the tickets, shape (slots,), filled from the front and padded with -1, and how many still wait. n_wanted is
    at most `slots`. Only the first n_open priorities are looked at.
    """
    numbers = np.array([stage * N_PRIORITIES + priority for stage in stages for priority in range(N_PRIORITIES)])
    head = queues.head[numbers]
    lengths = jnp.where(numbers % N_PRIORITIES < n_open, waiting(queues)[numbers], 0)
    earlier = np.triu(np.ones((len(numbers), len(numbers)), np.int32), 1)
    before = jnp.sum(lengths[:, None] * earlier, axis=0)  # a cumsum is a kernel by itself
    taken = jnp.clip(n_wanted - before, 0, lengths)
    rank = jnp.arange(slots, dtype=jnp.int32)
    serves = (rank[:, None] >= before) & (rank[:, None] < before + lengths)  # the queue that serves each rank
    capacity = queues.rings.shape[0] // N_QUEUES
    ring = jnp.sum(jnp.where(serves, numbers.astype(np.int32) * capacity, 0), axis=1)
    place = jnp.sum(jnp.where(serves, head - before, 0), axis=1)
    tickets = queues.rings[ring + (place + rank) % capacity]
    n_taken = jnp.sum(taken)
    left = Queues(queues.rings, queues.head.at[numbers].add(taken), queues.tail)
    return left, jnp.where(rank < n_taken, tickets, -1), jnp.sum(lengths) - n_taken


def put(queues: Queues, entries: list[tuple[jax.Array, jax.Array]]) -> Queues:
    """Appends (tickets, numbers of their queues), each of shape (rows,), in the order given.

    An entry whose number is NO_QUEUE is left out.
    """
    tickets = jnp.concatenate([ticket for ticket, _ in entries])
    numbers = jnp.concatenate([number for _, number in entries])
    counts, rank = _rank_within(numbers)
    capacity = queues.rings.shape[0] // N_QUEUES
    tail = jnp.append(queues.tail, 0)
    place = numbers * capacity + (tail[numbers] + rank) % capacity
    place = jnp.where(numbers == NO_QUEUE, queues.rings.shape[0], place)
    rings = queues.rings.at[place].set(tickets, mode="drop")
    return Queues(rings, queues.head, queues.tail + counts[:NO_QUEUE])


def running(flags: jax.Array) -> jax.Array:
    """Inclusive running count of true flags, shape (rows,). A scan on CPUs, where cumsum is 3 times slower."""
    ones = flags.astype(jnp.int32)
    if jax.default_backend() != "cpu":
        return jnp.cumsum(ones)
    total: jax.Array = lax.scan(lambda before, one: (before + one, before + one), jnp.int32(0), ones, unroll=8)[1]
    return total


def first_rows(flags: jax.Array, slots: int) -> tuple[jax.Array, jax.Array]:
    """Rows of the first true flags, shape (slots,), padded with the number of rows; and how many true flags
    there are in all.
    """
    n_rows = flags.shape[0]
    rank = running(flags)
    place = jnp.where(flags & (rank <= slots), rank - 1, slots)
    rows = jnp.full(slots, n_rows, jnp.int32).at[place].set(jnp.arange(n_rows, dtype=jnp.int32), mode="drop")
    return rows, rank[-1]


def _rank_within(numbers: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Length of each group and each row's rank in its group, in row order. Groups are 0 .. NO_QUEUE."""
    if jax.default_backend() != "cpu":
        member = (numbers[:, None] == jnp.arange(N_QUEUES + 1)).astype(jnp.int32)
        so_far = jnp.cumsum(member, axis=0)
        return so_far[-1], jnp.take_along_axis(so_far, numbers[:, None], axis=1)[:, 0] - 1
    start = jnp.zeros(N_QUEUES + 1, jnp.int32)
    return lax.scan(lambda counts, number: (counts.at[number].add(1), counts[number]), start, numbers, unroll=4)
