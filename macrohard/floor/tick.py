"""One tick of the whole factory, and `advance`, the one compiled form in which time passes."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from agents.work import WORK_STAGES
from macrohard.colossus import site as site_of
from macrohard.colossus.serving import Served
from macrohard.colossus.site import Clock
from macrohard.colossus.units import S_PER_H, Scalar
from macrohard.floor import desks as desks_of
from macrohard.floor import queues as queues_of
from macrohard.floor.assign import assign
from macrohard.floor.desks import Desks
from macrohard.floor.handover import hand_over
from macrohard.floor.intake import admit
from macrohard.floor.readings import desk_time, note
from macrohard.floor.state import COUNTS, Params, Shop, State

_FLOW = COUNTS[:3]  # created, done, given up


@partial(jax.jit, static_argnames="shop", donate_argnames="state")
def advance(shop: Shop, params: Params, state: State, n_ticks: Scalar) -> State:
    """The state n_ticks later. A loop with a traced trip count, so that one compilation gives the same bits however
    a run is cut: by single steps, in chunks, whole, or as a lane of a vmapped batch.
    """
    later: State = lax.fori_loop(0, n_ticks, lambda _, now: tick(shop, params, now), state)
    return later


def tick(shop: Shop, params: Params, state: State) -> State:
    """One tick, in the order of the model: intake, assignment, speeds and power, progress, hand-over, record."""
    clock = clock_at(params, state.tick)
    dt_h = params.tick_s / S_PER_H
    state = assign(shop, params, admit(shop, params, state))
    lengths = queues_of.waiting(state.queues)  # now that everybody who could has taken a ticket
    demand = desks_of.demand(state.desks, state.speed, params.tick_s, params.weight, shop.n_llms)
    site, reading = site_of.step(params.site, state.site, demand, clock, dt_h)
    # computed once: a copy fused into the desks may round otherwise
    speeds: Served = lax.optimization_barrier(reading.served)  # type: ignore[no-untyped-call]
    desks, tokens = desks_of.work(state.desks, speeds, params.tick_s, shop.n_rows, shop.n_llms)
    n_at_stage, n_busy_by_role = _at_work(shop, desks)
    state = hand_over(shop, params, replace(state, desks=desks, site=site, speed=reading.served))

    n_hired = sum((params.n_desks[role.role] for role in shop.roles), jnp.int32(0))
    n_busy = jnp.sum(n_busy_by_role)
    busy_share = n_busy / jnp.maximum(n_hired, 1).astype(jnp.float32)
    shares = desk_time(reading, busy_share, demand.n_streams)
    n_open = state.counts[0] - state.counts[1] - state.counts[2]
    wants_work = (jnp.sum(lengths) < n_hired - n_busy) & (n_open < n_hired)
    idle = shares["desks_idle_share"]
    # who is idle although there is work waits for those at work, and for what holds them back
    waits = jnp.where(wants_work, 0.0, idle)
    deferred = reading.cluster.tickets_wait * waits  # tickets that wait for power leave desks idle
    waits = waits - deferred
    more = 1.0 + waits / jnp.maximum(busy_share, 1e-6)
    nobody_works = jnp.where(busy_share > 0.0, 0.0, waits)
    # of the time lost, power's part is what more of it would bring, which under a hard cap is more than the cap took
    lost = shares["desks_gpus_share"] + shares["desks_power_share"]
    slowed = jnp.maximum(1.0 - reading.cluster.performance, 1e-6)
    to_power = shares["desks_power_share"] * reading.cluster.power_worth / slowed
    causes = jnp.stack(
        [
            idle - waits - deferred,
            shares["desks_unimpeded_share"] * more + nobody_works,
            jnp.maximum(lost - to_power, 0.0) * more,
            to_power * more + deferred,
        ]
    )
    by_stage = lengths.reshape(len(WORK_STAGES), -1).sum(axis=1)
    flow_of_tickets = state.counts[: len(_FLOW)]
    lasts = jnp.concatenate([flow_of_tickets, by_stage, n_at_stage, n_busy_by_role])
    record = note(
        state.record, reading, tokens, shares, jnp.argmax(causes), lasts, n_busy * params.weight, demand.n_streams,
        state.tick, params.ticks_per_bin, dt_h, state.tick >= params.warmup_ticks,
    )  # fmt: skip
    return replace(state, record=record, tick=state.tick + 1)


def last_names(shop: Shop) -> list[str]:
    """Names of the whole numbers kept at the end of each bin, in the order in which `tick` notes them."""
    stages = [stage.name.lower() for stage in WORK_STAGES]
    return [
        *(f"tickets_{name}" for name in _FLOW),
        *(f"queue_{stage}" for stage in stages),
        *(f"at_{stage}" for stage in stages),
        *(f"busy_{role.role}" for role in shop.roles),
    ]


def clock_at(params: Params, tick_number: jax.Array) -> Clock:
    """The clock in the middle of a tick."""
    seconds_per_day = 24 * 3600
    ticks_per_day = seconds_per_day / params.tick_s
    days = tick_number // jnp.maximum(ticks_per_day, 1.0)  # whole days apart, so that hours keep their precision
    hour_in_day = (tick_number - days * ticks_per_day + 0.5) * params.tick_s / S_PER_H + params.start_hour_of_day
    return Clock(
        hour=(tick_number + 0.5) * params.tick_s / S_PER_H,
        hour_of_day=hour_in_day % 24.0,
        day_of_year=(params.start_day_of_year + days + jnp.floor(hour_in_day / 24.0)) % 365.0,
        tick=tick_number,
        seed=params.seed,
    )


def _at_work(shop: Shop, desks: Desks) -> tuple[jax.Array, jax.Array]:
    """Tickets being worked at each stage, and busy workers of each role."""
    busy, stage = desks.ticket >= 0, desks.job.stage
    at_stage = jnp.stack([jnp.sum(busy & (stage == each), dtype=jnp.int32) for each in WORK_STAGES])
    by_role = [
        jnp.sum(busy[first : first + n_rows], dtype=jnp.int32)
        for first, n_rows in zip(shop.first_row, shop.n_rows, strict=True)
    ]
    return at_stage, jnp.stack(by_role)
