"""However time is cut and scenarios are batched, the same scenario and seed give the same bits (on the CPU)."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from busy import busy_factory, course_of_seed, with_hired, with_seed

from macrohard.blueprint import Blueprint
from macrohard.floor.state import Params, State
from macrohard.floor.tick import advance

N = 200


def with_parameters(**changes: float) -> Blueprint:
    """The busy factory with other numbers for the habits of all roles."""
    plan = busy_factory()
    habits = {
        role: replace(each, **{name: jnp.float32(value) for name, value in changes.items()})
        for role, each in plan.params.habits.items()
    }
    return replace(plan, params=replace(plan.params, habits=habits))


def with_gpus(share: float) -> Blueprint:
    """The busy factory with other speeds: what the LLM reads takes longer."""
    plan = busy_factory()
    serving = plan.params.site.serving
    slower = replace(serving, dense_read_s=serving.dense_read_s / share)
    return replace(plan, params=replace(plan.params, site=replace(plan.params.site, serving=slower)))


LANES: dict[str, Callable[[], Blueprint]] = {
    "seed 1": partial(with_seed, 1),
    "seed 2": partial(with_seed, 2),
    "seed 3": partial(with_seed, 3),
    "shorter horizon": partial(with_parameters, horizon_min=30.0),
    "better tests": partial(with_parameters, detection_test=0.9, found_test=0.8),
    "fewer workers": partial(with_hired, coding=3, management=2),
    "slower GPUs": partial(with_gpus, 0.5),
}
SHOP = busy_factory().shop


@cache
def alone(name: str) -> State:
    """The state after N ticks of one scenario run by itself."""
    plan = LANES[name]()
    return jax.device_get(advance(SHOP, plan.params, plan.opening(), N))


@jax.jit
def batch(params: Params, states: State) -> State:
    """Many scenarios at once."""
    return jax.vmap(lambda own, state: advance(SHOP, own, state, N))(params, states)


def lanes(names: list[str]) -> list[State]:
    """The states after N ticks of scenarios run as one batch."""
    plans = [LANES[name]() for name in names]

    def stacked(trees: list[Any]) -> Any:
        return jax.tree.map(lambda *leaves: jnp.stack([jnp.asarray(leaf) for leaf in leaves]), *trees)

    together = jax.device_get(batch(stacked([plan.params for plan in plans]), stacked([p.opening() for p in plans])))
    return [jax.tree.map(lambda leaf, lane=lane: leaf[lane], together) for lane in range(len(names))]


def assert_same_bits(one: State, other: State) -> None:
    """Every word of every array, nan and the sign of zero included."""
    paths = jax.tree_util.tree_leaves_with_path(one)
    for (path, a), b in zip(paths, jax.tree.leaves(other), strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert a.dtype == b.dtype, path
        assert a.tobytes() == b.tobytes(), jax.tree_util.keystr(path)


def test_steps_of_one_tick_and_one_run_of_many_give_the_same_bits():
    """step x n == advance(n)."""
    assert_same_bits(course_of_seed(1)[N], alone("seed 1"))


@pytest.mark.parametrize("chunks", [(100, 100), (1, 198, 1), (7, 0, 64, 129)])
def test_chunks_give_the_same_bits(chunks):
    """However a run is cut for checkpoints, even by a chunk of nothing."""
    plan = with_seed(1)
    state = plan.opening()
    for n_ticks in chunks:
        state = advance(SHOP, plan.params, state, n_ticks)
    assert_same_bits(jax.device_get(state), alone("seed 1"))


def test_a_state_that_went_to_the_host_and_back_gives_the_same_bits():
    """A checkpoint holds all there is."""
    plan = with_seed(1)
    kept = course_of_seed(1)[77]
    again = jax.tree.map(lambda leaf: jnp.array(leaf), kept)
    assert_same_bits(jax.device_get(advance(SHOP, plan.params, again, N - 77)), alone("seed 1"))


def test_lanes_of_a_batch_give_the_same_bits_as_runs_by_themselves():
    """Seeds and parameters of seven scenarios mapped at once: no lane differs from its own run in any word."""
    for name, lane in zip(LANES, lanes(list(LANES)), strict=True):
        assert_same_bits(lane, alone(name))


def test_the_place_in_a_batch_does_not_matter():
    """The same scenarios in another order."""
    names = list(LANES)[::-1]
    for name, lane in zip(names, lanes(names), strict=True):
        assert_same_bits(lane, alone(name))


def test_scenarios_that_differ_end_differently():
    """The comparison compares something: no two of the lanes end alike."""
    ends = {alone(name).tickets.words.tobytes() for name in LANES}
    assert len(ends) == len(LANES)
