"""The shop floor: the compiled tick against the oracle, field by field, and the laws that every tick must keep."""

import copy
from collections import Counter
from dataclasses import asdict, replace
from functools import cache

import jax
import numpy as np
import oracle
import pytest
from busy import SEEDS, busy_factory, course, course_of_seed, with_hired, with_seed
from mirror import floor_of, queues_of, speed_of
from small import small

from agents.work import N_PRIORITIES, WORK_STAGES
from macrohard.blueprint import Blueprint, draw
from macrohard.floor import desks as desks_of
from macrohard.floor.desks import TOKEN_KINDS
from macrohard.floor.state import COUNTS, State
from macrohard.floor.tally import as_int
from macrohard.floor.tick import advance, last_names

N_BACKLOG = 33


def assert_same(expected: oracle.Floor, seen: oracle.Floor) -> None:
    """Whole numbers and flags equal, real numbers as near as float32 allows."""
    assert seen.counts == expected.counts
    assert seen.queues == expected.queues
    for name in ("tick", "epic_cursor", "epics_planned", "bug_cursor"):
        assert getattr(seen, name) == getattr(expected, name), name
    assert +Counter(seen.open_changes) == +Counter(expected.open_changes)
    for row, (ours, theirs) in enumerate(zip(expected.tickets, seen.tickets, strict=True)):
        assert_fields(f"ticket {row}", asdict(ours), asdict(theirs))
    for role in expected.desks:
        for row, (desk, other) in enumerate(zip(expected.desks[role], seen.desks[role], strict=True)):
            where = f"{role} {row}"
            assert other.ticket == desk.ticket, where
            # what is left of a tick is (reached - 1) * wall: 6e-8 of an attempt of hours
            assert other.credit_s == pytest.approx(desk.credit_s, rel=1e-3, abs=2e-2), where
            if desk.job and other.job:
                assert other.progress == pytest.approx(desk.progress, rel=1e-4, abs=1e-6), where
                assert_fields(where, asdict(desk.job), asdict(other.job))


def assert_fields(where: str, expected: dict[str, object], seen: dict[str, object]) -> None:
    """2e-5: a float32 carried through the powers and exponentials of the law of an attempt; tokens are rounded too."""
    for name, value in expected.items():
        near = 2 if name.endswith("_tokens") else 1e-6
        if isinstance(value, float) or name.endswith("_tokens"):
            assert seen[name] == pytest.approx(value, rel=2e-5, abs=near), (where, name)
        else:
            assert seen[name] == value, (where, name)


def tally(state: State) -> np.ndarray:
    """Tokens served since the start, shape (roles, kinds)."""
    return as_int(state.record.tokens).sum(axis=0)


def where_tickets_are(plan: Blueprint, state: State) -> list[list[str]]:
    """The places at which each row is."""
    floor = floor_of(plan, state)
    places: list[list[str]] = [[] for _ in floor.tickets]
    for queue in floor.queues.values():
        for row in queue:
            places[row].append("queue")
    for desk in (desk for desks in floor.desks.values() for desk in desks):
        if desk.ticket is not None:
            places[desk.ticket].append("desk")
    for row, ticket in enumerate(floor.tickets):
        if ticket.closed_tick >= 0:
            places[row].append("closed")
        is_hidden_bug = row >= floor.bug_cursor and ticket.is_bug and ticket.started_tick < 0
        if ticket.n_needs > 0 or is_hidden_bug or (ticket.is_epic and ticket.created_tick < 0):
            places[row].append("pending")
    return places


# ---------------------------------------------------------------- the oracle


@pytest.mark.parametrize("seed", SEEDS)
def test_every_tick_is_the_oracles_tick(seed):
    """From each state of five hours, oracle and compiled tick lead to the same next state and serve the same tokens."""
    plan, states = with_seed(seed), course_of_seed(seed)
    before = floor_of(plan, states[0])
    for earlier, state in zip(states, states[1:], strict=False):
        tokens = oracle.tick(before, speed_of(state))
        seen = floor_of(plan, state)
        assert_same(before, seen)
        assert list(tokens) == [role.role for role in plan.shop.roles]
        expected = np.array([list(asdict(of_role).values()) for of_role in tokens.values()])
        # floor(tokens * progress) may fall on the other side of a whole number at each of the 12 desks
        assert tally(state) - tally(earlier) == pytest.approx(expected, rel=2e-5, abs=12)
        before = seen


def test_whatever_can_happen_to_a_ticket_happens_in_these_runs():
    """The comparison above covers every branch: no count stays at zero."""
    counts = np.sum([course_of_seed(seed)[-1].counts for seed in SEEDS], axis=0)
    assert all(counts > 0), dict(zip(COUNTS, counts.tolist(), strict=True))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_oracle_alone_ends_where_the_floor_ends(seed):
    """Left to itself for two hours, given only the speeds, the oracle keeps every count and every ticket's history."""
    plan, states = with_seed(seed), course_of_seed(seed)[:121]
    floor = floor_of(plan, states[0])
    for state in states[1:]:
        oracle.tick(floor, speed_of(state))
    seen = floor_of(plan, states[-1])
    assert floor.counts == seen.counts
    assert floor.queues == seen.queues
    for ours, theirs in zip(floor.tickets, seen.tickets, strict=True):
        assert (ours.waited, ours.worked, ours.stage) == (theirs.waited, theirs.worked, theirs.stage)
        assert ours.input_tokens == pytest.approx(theirs.input_tokens, rel=2e-5, abs=20)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_demand_is_the_mean_attempt_by_flow(seed):
    """The fixed-point sums over desks give the oracle's means within 1e-4 (the coarsest unit is a quarter token)."""
    plan = with_seed(seed)
    measure = jax.jit(desks_of.demand)
    for state in course_of_seed(seed)[60:240:30]:
        seen = measure(state.desks, state.speed, plan.params.tick_s, 7.0)
        expected = oracle.demand(floor_of(plan, state), speed_of(state), 7.0)
        for name, value in expected.items():
            assert float(getattr(seen, name)) == pytest.approx(value, rel=1e-4), name


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_kept_of_a_tick_is_what_was_there(seed):
    """Counts, queues, tickets at work and busy workers at the end of a bin are those of its last tick."""
    plan, states = with_seed(seed), course_of_seed(seed)
    n_ticks, names = int(plan.params.ticks_per_bin), last_names(plan.shop)
    assert n_ticks == 1
    floor = floor_of(plan, states[0])
    for number, state in enumerate(states[1:]):
        speed = speed_of(state)
        oracle.come_in(floor)
        oracle.assign(floor)
        kept = dict(zip(names, state.record.lasts[number].tolist(), strict=True))
        working = [desk.job.stage for desks in floor.desks.values() for desk in desks if desk.job]
        for stage in WORK_STAGES:
            assert kept[f"at_{stage.name.lower()}"] == working.count(stage)
        for role, desks in floor.desks.items():
            assert kept[f"busy_{role}"] == sum(desk.ticket is not None for desk in desks)
        for stage in WORK_STAGES:  # after everybody who could has taken a ticket
            waiting = sum(len(floor.queues[stage, priority]) for priority in range(N_PRIORITIES))
            assert kept[f"queue_{stage.name.lower()}"] == waiting
        oracle.work(floor, speed)
        oracle.hand_over(floor)
        assert [kept[f"tickets_{name}"] for name in COUNTS[:3]] == [floor.counts[name] for name in COUNTS[:3]]
        floor = floor_of(plan, state)


# ---------------------------------------------------------------- laws


@pytest.mark.parametrize("seed", SEEDS)
def test_tickets_created_are_done_given_up_or_open(seed):
    """Counted one by one in the table, in every tick."""
    plan = with_seed(seed)
    for state in course_of_seed(seed):
        floor = floor_of(plan, state)
        came = [
            ticket
            for row, ticket in enumerate(floor.tickets)
            if not ticket.is_epic
            and (
                floor.tickets[ticket.epic].created_tick >= 0
                if row < N_BACKLOG
                else row < floor.bug_cursor or ticket.started_tick >= 0
            )
        ]
        n_open = sum(ticket.closed_tick < 0 for ticket in came)
        assert floor.counts["created"] == len(came)
        assert floor.counts["done"] == sum(ticket.stage == oracle.DONE for ticket in came)
        assert floor.counts["given_up"] == sum(ticket.stage == oracle.GIVEN_UP for ticket in came)
        assert floor.counts["created"] == floor.counts["done"] + floor.counts["given_up"] + n_open


@pytest.mark.parametrize("seed", SEEDS)
def test_tokens_served_are_those_of_ended_attempts_and_of_the_done_part_of_open_ones(seed):
    """Exactly, in every tick: nothing is lost or served twice, in float32 or over limbs."""
    plan = with_seed(seed)
    for state in course_of_seed(seed):
        floor = floor_of(plan, state)
        desks = [desk for desks in floor.desks.values() for desk in desks if desk.job]

        def done_part(name: str, desks: list[oracle.Desk] = desks) -> int:
            whole = [(getattr(desk.job, name), desk.progress) for desk in desks]
            return sum(n if p >= 1 else min(n, int(np.floor(np.float32(n) * np.float32(p)))) for n, p in whole)

        prefill, cached, decode, _ = tally(state).sum(axis=0)
        ended = sum(ticket.decode_tokens for ticket in floor.tickets)
        assert decode == ended + done_part("decode_tokens")
        ended = sum(ticket.input_tokens for ticket in floor.tickets)
        assert prefill + cached == ended + done_part("prefill_tokens") + done_part("cached_tokens")


@pytest.mark.parametrize("seed", SEEDS)
def test_every_ticket_is_at_exactly_one_place(seed):
    """In a queue, on a desk, closed, or pending: waiting for what it needs, for its epic, or to be found as a bug."""
    plan = with_seed(seed)
    for state in course_of_seed(seed)[::3]:
        assert {len(places) for places in where_tickets_are(plan, state)} == {1}


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_starts_before_what_it_needs_has_closed(seed):
    """Every edge of the graph, those inherited by the halves of split tickets included."""
    plan, state = with_seed(seed), course_of_seed(seed)[-1]
    tickets = floor_of(plan, state).tickets
    edges = [(parent, tickets[child]) for parent in tickets for child in parent.children]
    started = [(parent, child) for parent, child in edges if child.started_tick >= 0]
    assert len(started) > 30
    assert sum(not parent.is_epic for parent, _ in started) > 3
    assert all(0 <= parent.closed_tick <= child.started_tick for parent, child in started)


@pytest.mark.parametrize("seed", SEEDS)
def test_queues_serve_first_come_first_served(seed):
    """From tick to tick a queue loses tickets at its head and gains them at its tail only; rings wrap on the way."""
    capacity, states = busy_factory().capacity, course_of_seed(seed)
    earlier = queues_of(states[0], capacity)
    for state in states[1:]:
        now = queues_of(state, capacity)
        for key, queue in now.items():
            stayed = [row for row in earlier[key] if row in queue]
            assert list(queue)[: len(stayed)] == stayed
            assert list(earlier[key])[len(earlier[key]) - len(stayed) :] == stayed
        earlier = now
    assert states[-1].queues.tail.max() > capacity


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_takes_a_ticket_while_one_of_higher_rank_waits(seed):
    """Reviews before plans before epics, priority 0 before 3: what waited and still waits ranks below work begun."""
    plan, states, n_compared = with_seed(seed), course_of_seed(seed), 0
    for earlier, state in zip(states, states[1:], strict=False):
        before, after = queues_of(earlier, plan.capacity), floor_of(plan, state)
        for role, stages in oracle.SERVES.items():
            order = [(stage, priority) for stage in stages for priority in range(N_PRIORITIES)]
            begun = [
                order.index((desk.job.stage, after.tickets[desk.ticket].priority))
                for desk in after.desks[role]
                if desk.job and desk.job.began_tick == after.tick - 1
            ]
            passed_over = [rank for rank, key in enumerate(order) if set(before[key]) & set(after.queues[key])]
            if begun and passed_over:
                n_compared += 1
                assert max(begun) <= min(passed_over)
    assert n_compared > 20


def test_desks_of_workers_not_hired_stay_empty():
    """The arrays may have more rows than there are workers; a role of nobody does nothing."""
    plan = with_hired(coding=2, testing=0)
    states = course(plan, 90)
    first = plan.shop.first_row
    empty = np.array([(state.desks.ticket[first[2] + 2 :] < 0).all() for state in states])
    assert empty.all()
    assert any((state.desks.ticket[first[2] : first[2] + 2] >= 0).all() for state in states)
    waiting = queues_of(states[-1], plan.capacity)
    assert sum(len(waiting[oracle.TEST, priority]) for priority in range(N_PRIORITIES)) > 3


@pytest.mark.parametrize("seed", SEEDS)
def test_births_without_a_row_are_counted_as_lost(seed):
    """Halves and bugs wanted = rows born + rows lost; what is born never overwrites what is there."""
    plan = with_seed(seed)
    for state in course_of_seed(seed):
        counts = dict(zip(COUNTS, state.counts.tolist(), strict=True))
        born = int(state.n_rows) - N_BACKLOG
        assert counts["splits"] + counts["escaped"] == born + counts["lost_rows"]
        assert counts["lost_rows"] == 0 or int(state.n_rows) == plan.capacity


@pytest.mark.parametrize("seed", SEEDS)
def test_no_time_of_a_worker_who_has_work_is_lost(seed):
    """At a desk with a ticket, seconds worked and credited on add up to the tick and the credit brought along.

    Up to four ticks: what exceeds them is lost, which only happens in a shop with too few slots, as this one.
    """
    plan, n_late = with_seed(seed), 0
    states = course_of_seed(seed)
    for earlier, state in zip(states, states[1:], strict=False):
        floor, speed = floor_of(plan, earlier), speed_of(state)
        oracle.come_in(floor)
        oracle.assign(floor)
        desks = [desk for desks in floor.desks.values() for desk in desks]
        before = [(desk.job, desk.progress, desk.credit_s) for desk in desks]
        oracle.work(floor, speed)
        for desk, (job, progress, credit_s), credit_after_s in zip(desks, before, state.desks.credit_s, strict=True):
            if job is None:
                continue
            worked_s = (desk.progress - progress) * oracle.wall_s(job, speed)
            over_s, most_s = credit_s + floor.tick_s - worked_s, 4 * floor.tick_s
            assert float(credit_after_s) == pytest.approx(min(over_s, most_s), abs=5e-2)  # float32 share of hours
            n_late += progress >= 1.0
    assert n_late > 10


def test_a_flawed_tick_would_be_noticed():
    """The comparison is sharp: one throw, one second or one ticket that differs makes it fail."""
    plan, states = with_seed(1), course_of_seed(1)
    floor = floor_of(plan, states[100])
    oracle.tick(floor, speed_of(states[101]))
    seen = floor_of(plan, states[101])
    assert_same(floor, seen)
    for field in ("failures", "n_needs", "since_tick", "defects", "epic"):
        spoilt = copy.deepcopy(seen)
        setattr(spoilt.tickets[5], field, getattr(spoilt.tickets[5], field) + 1)
        with pytest.raises(AssertionError):
            assert_same(floor, spoilt)


# ---------------------------------------------------------------- ticks and slots


@cache
def crowd(tick_s: float, slots: tuple[int, ...] | None = None) -> dict[str, int]:
    """Counts of a day of 800 agents who never lack work, and the tokens they got; `slots` if not all there can be."""
    plan = draw(
        small(
            f"run.tick_s={tick_s}", "run.series_bins=100", "workforce.coding=320", "workforce.testing=240",
            "workforce.management=180", "workforce.design=60", "backlog.mode=saturated", "backlog.n_epics=3600",
            "backlog.wip_per_agent=4", "cluster.n_gpus=128", "power.grid_mw=4",
        )
    )  # fmt: skip
    shop = replace(plan.shop, slots=slots or plan.shop.n_rows, bug_slots=64)
    state = advance(shop, plan.params, plan.opening(), round(24 * 3600 / tick_s))
    decode = int(tally(state)[:, TOKEN_KINDS.index("decode")].sum())
    return dict(zip(COUNTS, state.counts.tolist(), strict=True)) | {"decode": decode}


def assert_same_throughput(one: dict[str, int], other: dict[str, int]) -> None:
    """Within 2 %: a day has 57,000 attempts at code, whose own noise is 0.5 %; that of the tickets done is 0.9 %."""
    for name in ("code_attempts", "decode", "done"):
        assert one[name] == pytest.approx(other[name], rel=0.02), name


def test_the_length_of_a_tick_does_not_change_the_throughput():
    """Ticks of 60 s and of 15 s agree: what a worker has left of a tick goes into the next attempt."""
    assert_same_throughput(crowd(60), crowd(15))


def test_late_hand_overs_lose_no_throughput():
    """With 1.5 slots per attempt that ends in a tick, thousands are handed over late, and as much gets done."""
    few = crowd(15, slots=(20, 6, 27, 18))
    assert few["late_handovers"] > 10_000
    assert few["late_starts"] > 1_000
    assert_same_throughput(few, crowd(15))
