"""Runs of equal shape as one vmapped batch: compiled once, and the bits of each run those it has alone.

Ticket rows and epics are padded to powers of two so that draws of other seeds share a compilation; what is read from a
lane is cut back to the rows that the run has alone. A run that needs more rows than it would have alone is run alone.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from macrohard.blueprint import Blueprint, draw
from macrohard.floor.opening import opening
from macrohard.floor.state import COUNTS, Params, Shop, State
from macrohard.floor.tick import advance
from macrohard.runs import Result, result_of
from macrohard.scenario import Scenario

SLICE_S = 2.0
"""A batch advances by as many ticks as take about this long, so that a stop is obeyed and progress shows."""

_LANES = (4, 6, 8, 12, 16, 24, 32)
"""Sizes of a batch: few, since each is compiled anew, and near enough that not many lanes are filled up for nothing."""

Outcome = Result | Exception
Told = Callable[[int], None]
"""Told how many ticks, summed over runs, have passed since it was told last."""


@dataclass(frozen=True)
class Lane:
    """One run of a batch."""

    place: int
    """Its place among the runs that were asked for."""
    plan: Blueprint
    params: Params


def run_all(
    scenarios: Sequence[Scenario], told: Told = lambda ticks: None, n_lanes: int = 1
) -> Iterator[tuple[int, Outcome]]:
    """Runs scenarios, those of equal shape together; each place with its result, or with what went wrong.

    `n_lanes` is the size of other batches of the kind: one that lacks less than half of it is filled up to that.
    """
    began = time.perf_counter()
    groups: dict[object, list[Lane]] = {}
    for place, scenario in enumerate(scenarios):
        try:
            lane = lane_of(place, scenario)
            groups.setdefault(shape_of(lane), []).append(lane)
        except Exception as error:  # a scenario that cannot be laid out is a failed run, not a failed sweep
            yield place, error
    laid_s = (time.perf_counter() - began) / max(1, len(scenarios))
    for lanes in groups.values():
        yield from _run_group(lanes, n_lanes, laid_s, told)


def _run_group(lanes: list[Lane], n_lanes: int, laid_s: float, told: Told) -> Iterator[tuple[int, Outcome]]:
    """The runs of a batch; what each took, without compiling but with its share of laying all out."""
    began = time.perf_counter()
    if 2 * len(lanes) <= n_lanes:
        n_lanes = len(lanes)
    try:
        state, compile_s = _alone(lanes[0], told) if len(lanes) == 1 else _together(lanes, n_lanes, told)
        held = jax.device_get(state)
    except Exception as error:
        if len(lanes) == 1:
            yield lanes[0].place, error
            return
        for lane in lanes:
            yield from _run_group([lane], 1, laid_s, told)
        return
    each_s = laid_s + (time.perf_counter() - began - compile_s) / len(lanes)
    for number, lane in enumerate(lanes):
        own: State = jax.tree.map(lambda leaf, at=number: leaf[at], held) if len(lanes) > 1 else held
        try:
            yield lane.place, _read(lane, own, each_s, told)
        except Exception as error:
            yield lane.place, error


def _alone(lane: Lane, told: Told) -> tuple[State, float]:
    """A batch of one, without the axis of lanes."""
    return _advanced(partial(advance, lane.plan.shop, lane.params), _opened(lane), lane.plan.n_ticks, told)


def _together(lanes: list[Lane], n_lanes: int, told: Told) -> tuple[State, float]:
    """A batch; copies of the first run fill it up, and are not read."""
    first, n_lanes = lanes[0], max(n_lanes, len(lanes))
    n_lanes = next((size for size in _LANES if size >= n_lanes), n_lanes)
    states = _spread(_opened(first), n_lanes)
    for number, lane in enumerate(lanes[1:], 1):
        states = _seated(states, _opened(lane), number)
    params = _stacked([each.params for each in lanes] + [first.params] * (n_lanes - len(lanes)))
    step = partial(_advance_all, first.plan.shop, params)
    return _advanced(step, states, first.plan.n_ticks, lambda n: told(n * len(lanes)))


def _opened(lane: Lane) -> State:
    """The state before the first tick, with ticket rows to a power of two."""
    plan = lane.plan
    return opening(plan.shop, lane.params, plan.backlog, _power_of_two(plan.capacity), plan.n_bins)


def _read(lane: Lane, state: State, wall_s: float, told: Told) -> Result:
    """The result of a run from its lane, as it has it alone: in its own rows, or anew if it used more than those."""
    plan = lane.plan
    if int(state.n_rows) > plan.capacity or int(state.counts[COUNTS.index("lost_rows")]) > 0:
        began = time.perf_counter()
        state, _ = _advanced(partial(advance, plan.shop, plan.params), plan.opening(), plan.n_ticks, told)
        return result_of(plan, state, time.perf_counter() - began, 0.0)
    own = jax.tree.map(lambda leaf: leaf[: plan.capacity], state.tickets)
    return result_of(plan, replace(state, tickets=own), wall_s, 0.0)


@partial(jax.jit, static_argnums=1)
def _spread(state: State, n_lanes: int) -> State:
    """So many lanes of one state."""
    states: State = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (n_lanes, *leaf.shape)), state)
    return states


@partial(jax.jit, donate_argnums=0)
def _seated(states: State, state: State, lane: int) -> State:
    """The lanes with another state in one of them, in place: a batch never lies in memory twice."""
    seated: State = jax.tree.map(lambda all_, one: all_.at[lane].set(one), states, state)
    return seated


@partial(jax.jit, static_argnums=0, donate_argnums=2)
def _advance_all(shop: Shop, params: Params, states: State, n_ticks: int) -> State:
    later: State = jax.vmap(lambda each, state: advance(shop, each, state, n_ticks))(params, states)
    return later


def _advanced(step: Callable[[State, int], State], state: State, n_ticks: int, told: Told) -> tuple[State, float]:
    """The state after so many ticks, and the seconds that compiling took."""
    began = time.perf_counter()
    state = step(state, 0)
    state.tick.block_until_ready()
    compile_s = time.perf_counter() - began
    done, slice_ = 0, 1
    while done < n_ticks:
        n = min(slice_, n_ticks - done)
        began = time.perf_counter()
        state = step(state, n)
        state.tick.block_until_ready()
        took_s = max(time.perf_counter() - began, 1e-6)
        done += n
        told(n)
        slice_ = max(1, min(int(n * SLICE_S / took_s), 64 * n))
    return state, compile_s


def lane_of(place: int, scenario: Scenario) -> Lane:
    """A scenario laid out. Raises ScenarioError."""
    plan = draw(scenario)
    return Lane(place, plan, _padded(plan.params))


def shape_of(lane: Lane) -> object:
    """Equal for lanes that one compiled batch can carry for the same number of ticks."""
    plan = lane.plan
    leaves, tree = jax.tree.flatten(lane.params)
    shapes = tuple((np.shape(leaf), jnp.result_type(leaf)) for leaf in leaves)
    return (
        plan.shop, tree, shapes, _power_of_two(plan.capacity), plan.backlog.children.shape[1], plan.n_bins, plan.n_ticks
    )  # fmt: skip


def _padded(params: Params) -> Params:
    """Epics padded to a power of two; those past the last one never come."""
    intake = params.intake
    n = _power_of_two(np.shape(intake.epic_row)[0])

    def pad(column: jax.Array) -> jax.Array:
        return jnp.asarray(np.pad(np.asarray(column), (0, n - np.shape(column)[0])))

    epics = replace(
        intake,
        epic_row=pad(intake.epic_row),
        arrival_tick=pad(intake.arrival_tick),
        n_tickets=pad(intake.n_tickets),
    )
    return replace(params, intake=epics)


def _stacked(trees: Sequence[Any]) -> Any:
    return jax.tree.map(lambda *leaves: jnp.asarray(np.stack([np.asarray(leaf) for leaf in leaves])), *trees)


def _power_of_two(n: int) -> int:
    return 1 << max(n - 1, 0).bit_length()
