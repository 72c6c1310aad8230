"""The first moment of a run: a backlog laid out as rows, empty desks and queues."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from agents.work import Stage
from macrohard.backlog import Backlog
from macrohard.colossus import dice
from macrohard.colossus import site as site_of
from macrohard.colossus.cluster import fleet
from macrohard.colossus.device import on_device
from macrohard.colossus.serving import Demand, serve
from macrohard.colossus.units import Scalar
from macrohard.floor import desks as desks_of
from macrohard.floor import queues as queues_of
from macrohard.floor.readings import nothing_yet
from macrohard.floor.state import COUNTS, Params, Shop, State
from macrohard.floor.throws import Stream
from macrohard.floor.tick import clock_at, last_names
from macrohard.floor.tickets import Row, Tickets, new_rows

_FIRST_JOB = {"calls": 35.0, "decode_tokens": 17e3, "prefill_tokens": 1.4e5, "input_tokens": 2.3e6, "tool_s": 280.0}
"""A typical coding attempt; the speeds of the very first tick are taken from it, before there is a real one."""


def opening(shop: Shop, params: Params, backlog: Backlog, capacity: int, n_bins: int) -> State:
    """The state before the first tick. `capacity` is the number of ticket rows; those past the backlog await births."""
    n_rows = len(backlog.size_min)

    def padded(column: np.ndarray, fill: float = 0) -> jax.Array:
        full = np.full((capacity, *column.shape[1:]), fill, column.dtype)
        full[:n_rows] = column
        return on_device(full)

    rows = _Rows(
        size_min=padded(backlog.size_min, 1.0),
        kind=padded(backlog.kind),
        epic=padded(backlog.epic),
        priority=padded(backlog.priority),
        is_epic=padded(backlog.is_epic),
        n_needs=padded(backlog.n_needs),
        children=padded(backlog.children, -1),
    )
    state: State = _opened(shop, n_bins, params, rows, n_rows)
    return state


class _Rows(NamedTuple):
    """A backlog with room for the rows that will be born."""

    size_min: jax.Array
    kind: jax.Array
    epic: jax.Array
    priority: jax.Array
    is_epic: jax.Array
    n_needs: jax.Array
    children: jax.Array


@partial(jax.jit, static_argnums=(0, 1))  # one program: operation by operation it would take a hundred
def _opened(shop: Shop, n_bins: int, params: Params, rows: _Rows, n_rows: jax.Array) -> State:
    clock = clock_at(params, jnp.int32(0))
    n_agents = sum(jnp.float32(params.n_desks[role.role]) for role in shop.roles)
    shares = params.site.cluster.pool_share
    first_demand = Demand(
        n_streams=n_agents * params.weight * shares, **{k: jnp.float32(v) for k, v in _FIRST_JOB.items()}
    )
    capacity = rows.size_min.shape[0]
    state = State(
        tick=jnp.int32(0),
        tickets=_tickets(rows, params.seed),
        n_rows=jnp.int32(n_rows),
        queues=queues_of.empty(capacity),
        desks=desks_of.empty(sum(shop.n_rows)),
        epic_cursor=jnp.int32(0),
        epics_planned=jnp.int32(0),
        bug_cursor=jnp.int32(n_rows),
        speed=serve(params.site.serving, fleet(params.site.cluster, clock.hour).n_serving * shares, first_demand),
        site=site_of.start(params.site, clock),
        counts=jnp.zeros(len(COUNTS), jnp.int32),
        record=nothing_yet(n_bins, len(last_names(shop)), len(shop.roles), len(shop.pools)),
    )
    # of settled types, as the loop leaves them: else the second call of `advance` would be traced and loaded again
    settled: State = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.asarray(leaf).dtype), state)
    return settled


def _tickets(rows: _Rows, seed: Scalar) -> Tickets:
    capacity = rows.size_min.shape[0]
    none = jnp.zeros(capacity, jnp.int32)
    words = new_rows(
        Row(
            size_min=rows.size_min,
            kind=rows.kind,
            stage=jnp.where(rows.is_epic, int(Stage.ROADMAP), int(Stage.PLAN)),
            work_share=jnp.ones(capacity, jnp.float32),
            failures=none,
            escalations=none,
            quantile=dice.uniform(seed, Stream.QUANTILE, jnp.arange(capacity), 0),
            patch_is_good=none,
            defects=jnp.zeros(capacity, jnp.float32),
            epic=rows.epic,
            has_change=none,
            attempts=none,
            is_bug=none,
            since_tick=none,
            priority=rows.priority,
            is_epic=rows.is_epic,
            redraws=none,
            escaped=none,
            created_tick=none - 1,
            started_tick=none - 1,
            closed_tick=none - 1,
            input_tokens=none,
            decode_tokens=none,
        )
    )
    return Tickets(
        words=words,
        n_needs=rows.n_needs,
        children=rows.children,
        claim=none - 1,
        n_open_changes=none,
    )
