"""Tickets that come into being on the floor: the second half of a split, and bugs for what escaped."""

from dataclasses import replace

import jax
import jax.numpy as jnp

from agents.work import Stage
from macrohard.colossus import dice
from macrohard.floor import queues as queues_of
from macrohard.floor.state import Params, State, counted
from macrohard.floor.throws import MAX_EVENTS, Stream
from macrohard.floor.tickets import Row, new_rows

_FEWEST = 16
"""Births that always fit into a tick (A); in small factories each costs time."""


def bear(
    params: Params, state: State, numbers: jax.Array, parents: Row, n_bugs: jax.Array, splits: jax.Array
) -> tuple[State, tuple[jax.Array, jax.Array]]:
    """Gives a row to the second half of every split ticket and to a bug for every escape.

    A half is to enter the queue of coding at once (returned: its row and queue) and inherits what waits for the whole.
    A bug waits, unknown, until its delay has passed. Births for which there is no row left are counted as lost.
    """
    tickets, capacity, seed = state.tickets, state.tickets.capacity, params.seed
    n_parents = splits.shape[0]
    wanted = jnp.concatenate([splits, *(n_bugs > event for event in range(MAX_EVENTS))])
    # births are rare: as many as there are parents fit into a tick, splits first
    n_slots = min(wanted.shape[0], max(n_parents, _FEWEST))
    chosen, n_wanted = queues_of.first_rows(wanted, n_slots)
    is_born = chosen < wanted.shape[0]
    is_bug = chosen >= n_parents
    parent = jax.tree.map(lambda column: column[chosen % n_parents], parents)
    row = jnp.where(is_born, jnp.minimum(state.n_rows + jnp.arange(n_slots), capacity), capacity)
    half = jnp.where(is_bug, capacity, row)

    created = state.tick + 1 + jnp.where(is_bug, params.intake.bug_delay_ticks, 0)
    none = jnp.zeros_like(row)
    words = new_rows(
        Row(
            size_min=jnp.where(is_bug, params.intake.bug_size_share, 1.0) * parent.size_min,
            kind=parent.kind,
            stage=jnp.where(is_bug, int(Stage.PLAN), int(Stage.CODE)),
            work_share=jnp.ones_like(parent.size_min),
            failures=none,
            escalations=none,
            quantile=dice.uniform(seed, Stream.QUANTILE, row, 0),
            patch_is_good=none,
            defects=jnp.zeros_like(parent.size_min),
            epic=parent.epic,
            has_change=none,
            attempts=none,
            is_bug=is_bug | parent.is_bug,
            since_tick=created,
            priority=jnp.where(is_bug, 0, parent.priority),
            is_epic=none,
            redraws=none,
            escaped=none,
            created_tick=jnp.where(is_bug, created, parent.created_tick),  # a half is as old as the whole
            started_tick=jnp.where(is_bug, -1, parent.started_tick),
            closed_tick=none - 1,
            input_tokens=none,
            decode_tokens=none,
        )
    )
    inherited = jnp.where((half < capacity)[:, None], tickets.children[numbers[chosen % n_parents]], -1)
    waits = jnp.where(inherited >= 0, inherited, capacity).reshape(-1)
    n_fit = jnp.minimum(jnp.minimum(n_wanted, n_slots), capacity - state.n_rows)
    n_halves = jnp.sum(half < capacity, dtype=jnp.int32)
    state = replace(
        state,
        tickets=replace(
            tickets,
            words=tickets.words.at[row].set(words, mode="drop"),
            children=tickets.children.at[half].set(inherited, mode="drop"),
            n_needs=tickets.n_needs.at[waits].add(1, mode="drop"),
        ),
        n_rows=state.n_rows + n_fit,
        counts=state.counts + counted(created=n_halves, lost_rows=n_wanted - n_fit),
    )
    queue = queues_of.queue_of(jnp.int32(Stage.CODE), parent.priority)
    return state, (half, jnp.where(half < capacity, queue, queues_of.NO_QUEUE))
