"""A factory in which much goes wrong within hours: failures, splits, bugs, conflicts, blocked tickets, a power cap."""

from dataclasses import replace
from functools import cache

import jax
import jax.numpy as jnp
from small import small

from macrohard.blueprint import Blueprint, draw
from macrohard.floor.state import State
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
SEEDS = (1, 2, 3)
N_TICKS = 300


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


def with_hired(**n_desks: int) -> Blueprint:
    """The same factory with other numbers of workers hired at the same desks."""
    plan = busy_factory()
    hired = {role: jnp.int32(n_desks.get(role, int(n))) for role, n in plan.params.n_desks.items()}
    return replace(plan, params=replace(plan.params, n_desks=hired))


def course(plan: Blueprint, n_ticks: int = N_TICKS) -> list[State]:
    """The states after every tick, on the host, the opening first."""
    state = plan.opening()
    states = [jax.device_get(state)]
    for _ in range(n_ticks):
        state = advance(plan.shop, plan.params, state, 1)
        states.append(jax.device_get(state))
    return states


@cache
def course_of_seed(seed: int) -> list[State]:
    """The states of five hours of the busy factory."""
    return course(with_seed(seed))
