"""The compiled shop floor against the oracle, field by field."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import cache

import jax
import jax.numpy as jnp
import oracle
import pytest
from mirror import floor_of, speed_of
from small import small

from macrohard.blueprint import Blueprint, draw
from macrohard.floor.state import State
from macrohard.floor.tally import as_int
from macrohard.floor.tick import advance

SETTINGS = (
    "run.horizon_h=6",
    "run.warmup_h=1",
    "workforce.coding=5",
    "workforce.design=1",
    "workforce.testing=3",
    "workforce.management=3",
    "workforce.max_attempts=2",
    "workforce.max_escalations=1",
    "workforce.give_up_below_min=20",
    "capability.horizon_min=60",
    "quality.bug_delay_h=0.5",
    "quality.defects_per_kloc=10",
    "quality.conflict_per_open_change=0.2",
    "backlog.n_epics=3",
    "backlog.tickets_per_epic=10",
    "backlog.arrivals_per_day=0",
    "backlog.size_median_min=60",
    "backlog.blocked_share=0.4",
    "power.grid_mw=0.0095",
)
"""A factory in which much goes wrong within hours: failures, splits, bugs, conflicts, blocked tickets, a power cap."""


@cache
def busy_factory() -> Blueprint:
    """Twelve workers, thirty tickets in three epics; few rows to spare, and few slots for those who end at once."""
    plan = draw(small(*SETTINGS))
    params = replace(plan.params, intake=replace(plan.params.intake, arrival_tick=jnp.asarray([0, 20, 45], jnp.int32)))
    return replace(plan, params=params, capacity=48, shop=replace(plan.shop, slots=(2, 1, 2, 1), bug_slots=2))


def with_seed(seed: int) -> Blueprint:
    """The same factory and backlog under other dice."""
    plan = busy_factory()
    return replace(plan, params=replace(plan.params, seed=jnp.uint32(seed)))


def ticks(plan: Blueprint, n: int, each: int = 1) -> Iterator[State]:
    """The states after every so many ticks, on the host, the opening first."""
    state = plan.opening()
    yield jax.device_get(state)
    for _ in range(n):
        state = advance(plan.shop, plan.params, state, each)
        yield jax.device_get(state)


def assert_same(expected: oracle.Floor, seen: oracle.Floor) -> None:
    """Whole numbers and flags equal; real numbers within float32 (1e-4 after the exponentials of a whole attempt)."""
    assert seen.counts == expected.counts
    assert seen.queues == expected.queues
    for name in ("tick", "epic_cursor", "epics_planned", "bug_cursor"):
        assert getattr(seen, name) == getattr(expected, name), name
    assert {k: v for k, v in seen.open_changes.items() if v} == {k: v for k, v in expected.open_changes.items() if v}
    assert len(seen.tickets) == len(expected.tickets)
    for row, (a, b) in enumerate(zip(expected.tickets, seen.tickets, strict=True)):
        assert_fields(f"ticket {row}", asdict(a), asdict(b))
    for role in expected.desks:
        for row, (desk, other) in enumerate(zip(expected.desks[role], seen.desks[role], strict=True)):
            where = f"{role} {row}"
            assert other.ticket == desk.ticket, where
            assert other.credit_s == pytest.approx(desk.credit_s, rel=1e-3, abs=2e-2), where
            if desk.job and other.job:
                assert other.progress == pytest.approx(desk.progress, rel=1e-4, abs=1e-6), where
                assert_fields(where, asdict(desk.job), asdict(other.job))


def assert_fields(where: str, expected: dict[str, object], seen: dict[str, object]) -> None:
    """Tokens within what float32 resolves, reals likewise, the rest exactly."""
    for name, value in expected.items():
        if isinstance(value, float) or name.endswith("_tokens"):
            assert seen[name] == pytest.approx(value, rel=2e-5, abs=2 if name.endswith("_tokens") else 1e-6), (where, name)
        else:
            assert seen[name] == value, (where, name)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_tick_is_the_oracles_tick(seed):
    """From each state of a run of five hours, oracle and compiled tick lead to the same next state."""
    plan = with_seed(seed)
    before = floor_of(plan, plan.opening())
    for state in list(ticks(plan, 300))[1:]:
        oracle.tick(before, speed_of(state))
        seen = floor_of(plan, state)
        assert_same(before, seen)
        before = seen
    counts = before.counts
    print(counts)
    assert all(counts[name] > 0 for name in ("done", "splits", "escalations", "bugs", "lost_rows", "late_handovers"))
