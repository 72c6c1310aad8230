"""The queues: ring buffers that behave as lists do, however often they wrap."""

from collections import deque
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents.work import N_PRIORITIES, Stage
from macrohard.floor import queues as queues_of
from macrohard.floor.queues import N_QUEUES, NO_QUEUE, Queues

CAPACITY, N_ENTRIES, SLOTS = 5, 6, 4
MANAGEMENT = (Stage.REVIEW, Stage.PLAN, Stage.ROADMAP)
PUT = jax.jit(lambda queues, tickets, numbers: queues_of.put(queues, [(tickets, numbers)]))
TAKE = jax.jit(partial(queues_of.take, stages=MANAGEMENT, slots=SLOTS))
FIRST = jax.jit(queues_of.first_rows, static_argnames="slots")


def number_of(stage: Stage, priority: int) -> int:
    return int(queues_of.queue_of(jnp.int32(stage), jnp.int32(priority)))


def put(queues: Queues, entries: list[tuple[int, int]]) -> Queues:
    """Appends (ticket, queue), padded to a fixed number of entries."""
    padded = entries + [(99, NO_QUEUE)] * (N_ENTRIES - len(entries))
    return PUT(queues, *(jnp.asarray(column, jnp.int32) for column in zip(*padded, strict=True)))


def take(queues: Queues, n_wanted: int) -> tuple[Queues, list[int], int]:
    """Takes for management: what was taken, without padding, and how many tickets are left to it."""
    queues, tickets, n_left = TAKE(queues, n_wanted=jnp.int32(n_wanted))
    taken = tickets.tolist()
    n_taken = sum(ticket >= 0 for ticket in taken)
    assert taken[n_taken:] == [-1] * (SLOTS - n_taken)
    return queues, taken[:n_taken], int(n_left)


def test_every_stage_and_priority_has_a_queue_of_its_own():
    numbers = {number_of(stage, priority) for stage in Stage if stage < Stage.DONE for priority in range(N_PRIORITIES)}
    assert numbers == set(range(N_QUEUES))


@pytest.mark.parametrize("seed", range(4))
def test_rings_behave_as_lists_however_often_they_wrap(seed):
    """Random comings and goings through rings of five against Python's deques; each ring wraps many times."""
    rng, queues, next_ticket = np.random.default_rng(seed), queues_of.empty(CAPACITY), 0
    order = [number_of(stage, priority) for stage in MANAGEMENT for priority in range(N_PRIORITIES)]
    lists: dict[int, deque[int]] = {number: deque() for number in range(N_QUEUES)}
    for _ in range(150):
        entries = []
        for number in rng.choice([order[0], order[1], order[5], order[11]], rng.integers(0, N_ENTRIES + 1)).tolist():
            if len(lists[number]) < CAPACITY:
                lists[number].append(next_ticket)
                entries.append((next_ticket, number))
                next_ticket += 1
        queues = put(queues, entries)
        n_wanted = int(rng.integers(0, SLOTS + 1))
        waiting = [number for number in order for _ in lists[number]]
        expected = [lists[number].popleft() for number in waiting[:n_wanted]]
        queues, taken, n_left = take(queues, n_wanted)
        assert taken == expected
        assert n_left == sum(len(lists[number]) for number in order)
        assert queues_of.waiting(queues).tolist() == [len(lists[number]) for number in range(N_QUEUES)]
    assert queues.tail[order[0]] > 5 * CAPACITY


def test_tickets_are_taken_by_stage_then_priority_then_first_come_first_served():
    """Reviews before plans before epics, whatever came first."""
    entries = [
        (1, number_of(Stage.ROADMAP, 0)),
        (2, number_of(Stage.PLAN, 3)),
        (3, number_of(Stage.REVIEW, 2)),
        (4, number_of(Stage.PLAN, 0)),
        (5, number_of(Stage.REVIEW, 2)),
        (6, number_of(Stage.REVIEW, 0)),
    ]
    queues, first, n_left = take(put(queues_of.empty(CAPACITY), entries), 4)
    _, then, none_left = take(queues, 4)
    assert (first, n_left) == ([6, 3, 5, 4], 2)
    assert (then, none_left) == ([2, 1], 0)


def test_taking_leaves_the_queues_of_other_roles_alone():
    """Management finds no work in the queue of coding."""
    queues = put(queues_of.empty(CAPACITY), [(1, number_of(Stage.CODE, 0)), (2, number_of(Stage.TEST, 0))])
    queues, taken, n_left = take(queues, 4)
    assert (taken, n_left) == ([], 0)
    assert int(queues_of.waiting(queues).sum()) == 2


def test_nothing_is_taken_by_nobody_and_out_of_nothing():
    queues = put(queues_of.empty(CAPACITY), [(1, number_of(Stage.PLAN, 0))])
    assert take(queues, 0)[1:] == ([], 1)
    assert take(queues_of.empty(CAPACITY), 4)[1:] == ([], 0)


def test_entries_for_no_queue_are_left_out():
    """Padding moves nothing, not even the ring of the last queue."""
    before = put(queues_of.empty(CAPACITY), [(7, number_of(Stage.REVIEW, 3))])
    after = put(before, [])
    for one, other in zip(jax.tree.leaves(before), jax.tree.leaves(after), strict=True):
        assert one.tolist() == other.tolist()


def test_several_lists_of_entries_are_appended_one_after_the_other():
    """Those handed on come before the halves, those before the released."""
    number = jnp.full(2, number_of(Stage.CODE, 1), jnp.int32)
    queues = queues_of.put(queues_of.empty(CAPACITY), [(jnp.array([4, 1]), number), (jnp.array([3, 2]), number)])
    _, taken, _ = queues_of.take(queues, (Stage.CODE,), jnp.int32(4), 4)
    assert taken.tolist() == [4, 1, 3, 2]


@pytest.mark.parametrize("n_true", [0, 1, 3, 9, 40])
def test_the_first_true_rows_are_found_in_order_and_all_are_counted(n_true):
    """At most `slots` rows, padded with the number of rows."""
    flags = np.zeros(40, bool)
    flags[np.random.default_rng(n_true).permutation(40)[:n_true]] = True
    rows, n_all = FIRST(jnp.asarray(flags), slots=6)
    first = np.flatnonzero(flags)[:6].tolist()
    assert rows.tolist() == first + [40] * (6 - len(first))
    assert int(n_all) == n_true


def test_a_running_count_is_the_cumulative_sum():
    flags = np.random.default_rng(1).random(77) < 0.4
    assert queues_of.running(jnp.asarray(flags)).tolist() == np.cumsum(flags).tolist()


def test_priorities_that_are_not_open_are_left_alone():
    """Of priorities 0 to 3, with two open: 0 and 1 are taken, the others neither taken nor counted as left."""
    queues = put(queues_of.empty(CAPACITY), [(10 + each, number_of(Stage.PLAN, each)) for each in range(N_PRIORITIES)])
    after, tickets, n_left = TAKE(queues, n_wanted=jnp.int32(3), n_open=jnp.int32(2))
    assert tickets.tolist() == [10, 11, -1, -1] and int(n_left) == 0
    assert take(after, 4)[1] == [12, 13]
