"""The same factory as plain Mesa objects: what the shop floor is measured against.

Tickets are objects in deques, workers are Mesa agents, a tick is `Model.step`. Only the site is shared: one compiled
call per tick, as the floor makes it. What a profile showed to be idle was taken out: second passes over the agents,
lookups in inner loops, objects nobody reads.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import mesa
import numpy as np

from agents.work import N_PRIORITIES, WORK_STAGES
from benchmarks.mesa_workers import CODE, DONE, GIVEN_UP, PLAN, ROADMAP, ROLES, Job, Rules, Ticket, Worker
from macrohard.blueprint import Blueprint
from macrohard.colossus import site as site_of
from macrohard.colossus.serving import Demand
from macrohard.colossus.units import S_PER_H
from macrohard.floor.opening import opening
from macrohard.floor.tick import clock_at

COUNTS = ("created", "done", "given_up", "bugs", "escaped", "code_attempts", "splits", "escalations")


class Meter:
    """The site: demand in, speeds and megawatts out; compiled once, one call per tick."""

    def __init__(self, plan: Blueprint) -> None:
        """Starts where the floor starts: with the same speeds and the same plant."""
        params = plan.params
        first = opening(plan.shop, params, plan.backlog, plan.capacity, plan.n_bins)
        speed = first.speed
        self.first = [
            float(value)
            for value in (speed.wait_s, speed.prefill_s_per_token, speed.tok_s_per_stream, speed.admitted_share)
        ]
        self.state: Any = jax.tree.map(lambda leaf: jnp.array(leaf, copy=True), first.site)

        def step(state: Any, asked: jax.Array, tick: jax.Array) -> tuple[Any, jax.Array]:
            demand, clock = Demand(*asked), clock_at(params, tick)
            state, reading = site_of.step(params.site, state, demand, clock, params.tick_s / S_PER_H)
            served, plant = reading.served, reading.plant
            told = (
                served.wait_s,
                served.prefill_s_per_token,
                served.tok_s_per_stream,
                served.admitted_share,
                served.streams_active,
                plant.load_mw,
                plant.grid_mw,
                plant.turbine_mw,
                plant.battery_mw,
                plant.soc,
                reading.cluster.power_share,
            )
            return state, jnp.stack([jnp.asarray(value, jnp.float32) for value in told])

        self._step = jax.jit(step)

    def read(self, asked: tuple[float, ...], tick: int) -> list[float]:
        """Speeds and megawatts for what is asked in this tick."""
        self.state, told = self._step(self.state, np.asarray(asked, np.float32), np.int32(tick))
        values: list[float] = np.asarray(told).tolist()
        return values


class MesaFactory(mesa.Model):  # type: ignore[misc]
    """The factory: backlog, queues, workers, and the site behind a meter. Backlogs are saturated."""

    def __init__(self, plan: Blueprint) -> None:
        """Opens the factory of a blueprint, the same from which the floor starts."""
        super().__init__(rng=plan.scenario.run.seed)
        intake = plan.params.intake
        assert bool(intake.is_saturated)
        self.plan = plan
        self.rules = Rules(plan)
        self.meter = Meter(plan)
        self.tick = 0
        self.dt_s, self.weight = float(plan.params.tick_s), float(plan.params.weight)
        self.wip_target, self.tickets_per_epic = float(intake.wip_target), float(intake.tickets_per_epic)
        self.bug_delay_ticks, self.bug_size_share = int(intake.bug_delay_ticks), float(intake.bug_size_share)
        wait_s, prefill_s, tok_s, admitted = self.meter.first
        self.speed = (wait_s, prefill_s, 1.0 / tok_s, 1.0 / max(admitted, 1e-6))
        self.queues: list[list[deque[Ticket]]] = [[deque() for _ in range(N_PRIORITIES)] for _ in WORK_STAGES]
        self.ended: list[Worker] = []
        self.bugs: deque[tuple[int, Ticket]] = deque()
        self.epics = self._epics()
        self.n_unplanned = 0
        self.counts = dict.fromkeys(COUNTS, 0)
        self.prefill_tokens = self.cached_tokens = self.decode_tokens = self.rework_decode_tokens = 0
        self.crew: dict[type[Worker], list[Worker]] = {}
        for role in ROLES:
            n = int(plan.params.n_desks[role.role])
            self.crew[role] = list(role.create_agents(self, n, list(range(n))))
        self.idle = {role: [(worker.row, worker) for worker in crew] for role, crew in self.crew.items()}
        self.n_streams = 0
        self.streams_active = self.load_mw = self.grid_mw = self.turbine_mw = self.battery_mw = 0.0
        self.soc = self.power_share = 0.0
        self.datacollector = mesa.DataCollector(
            model_reporters={
                "n_streams": "n_streams",
                "streams_active": "streams_active",
                "load_mw": "load_mw",
                "grid_mw": "grid_mw",
                "turbine_mw": "turbine_mw",
                "battery_mw": "battery_mw",
                "soc": "soc",
                "power_share": "power_share",
                "decode_tokens": "decode_tokens",
                "done": lambda model: model.counts["done"],
            }
        )

    def step(self) -> None:
        """One tick: intake, assignment, speeds and power, progress, hand-over, record."""
        self._admit()
        self._assign()
        told = self.meter.read(self._demand(), self.tick)
        wait_s, prefill_s, tok_s, admitted = told[:4]
        self.speed = (wait_s, prefill_s, 1.0 / tok_s, 1.0 / max(admitted, 1e-6))
        self.streams_active, self.load_mw, self.grid_mw, self.turbine_mw, self.battery_mw = told[4:9]
        self.soc, self.power_share = told[9:]
        self.agents.do("work", self.dt_s, self.speed)
        self._hand_over()
        self.datacollector.collect(self)
        self.tick += 1

    def _epics(self) -> Iterator[tuple[Ticket, int]]:
        """Epics in order of arrival with the number of their tickets; objects are made when an epic comes in."""
        rows, draw = self.plan.backlog, self.random.random
        starts = np.flatnonzero(rows.is_epic).tolist()
        for start, end in zip(starts, [*starts[1:], len(rows.size_min)], strict=True):
            here = slice(start, end)
            family: list[Ticket] = []
            for size_min, kind, priority, n_needs in zip(
                rows.size_min[here].tolist(),
                rows.kind[here].tolist(),
                rows.priority[here].tolist(),
                rows.n_needs[here].tolist(),
                strict=True,
            ):
                stage, epic = (PLAN, family[0]) if family else (ROADMAP, None)
                family.append(Ticket(size_min, kind, priority, stage, draw(), epic, n_needs=n_needs))
            for ticket, children in zip(family, rows.children[here].tolist(), strict=True):
                ticket.children = [family[child - start] for child in children if child >= 0]
            yield family[0], len(family) - 1

    def _admit(self) -> None:
        """Epics come in while fewer tickets wait than wanted, and bugs when they are found."""
        n_waiting = sum(len(queue) for by_priority in self.queues for queue in by_priority)
        short = math.ceil((self.wip_target - n_waiting) / self.tickets_per_epic) - self.n_unplanned
        for _ in range(min(short, self.plan.shop.epic_slots)):
            found = next(self.epics, None)
            if found is None:
                break
            epic, n_tickets = found
            epic.since_tick = epic.created_tick = self.tick
            self.queues[ROADMAP][epic.priority].append(epic)
            self.n_unplanned += 1
            self.counts["created"] += n_tickets
        while self.bugs and self.bugs[0][0] <= self.tick:
            bug = self.bugs.popleft()[1]
            self.queues[PLAN][bug.priority].append(bug)
            self.counts["created"] += 1
            self.counts["bugs"] += 1

    def _assign(self) -> None:
        """Idle workers take tickets, by role the first rows first."""
        for role, idle in self.idle.items():
            for stage in role.stages:
                for queue in self.queues[stage]:
                    while idle and queue:
                        heapq.heappop(idle)[1].begin(queue.popleft())

    def _demand(self) -> tuple[float, ...]:
        """Streams, and the mean attempt weighted by how often it comes by (see `macrohard.floor.desks.demand`)."""
        dt_s, n = self.dt_s, 0
        jobs = calls = decode = prefill = read = tool_s = 0.0
        for crew in self.crew.values():
            for worker in crew:
                job = worker.job
                if job is None:
                    continue
                n += 1
                rate = dt_s / worker.wall_s
                if rate > 1.0:
                    rate = 1.0
                jobs += rate
                calls += rate * job.calls
                decode += rate * job.decode_tokens
                prefill += rate * job.prefill_tokens
                read += rate * job.cached_tokens
                tool_s += rate * job.tool_s
        self.n_streams = n
        jobs = max(jobs, 1e-6)
        return (n * self.weight, calls / jobs, decode / jobs, prefill / jobs, (prefill + read) / jobs, tool_s / jobs)

    def _hand_over(self) -> None:
        """Tickets of ended attempts go on, in order of the desks; what they close releases others."""
        closed: list[Ticket] = []
        halves: list[Ticket] = []
        now = self.tick + 1
        for worker in self.ended:
            ticket, job = worker.ticket, worker.job
            assert ticket is not None and job is not None
            worker.ticket = worker.job = None
            worker.progress = 0.0
            worker.free_tick = now
            heapq.heappush(self.idle[type(worker)], (worker.row, worker))
            half = self._after(ticket, job)
            if half is not None:
                halves.append(half)
            if ticket.stage < DONE:
                self.queues[ticket.stage][ticket.priority].append(ticket)
            else:
                closed.append(ticket)
        self.ended = []
        for half in halves:
            self.queues[CODE][half.priority].append(half)
        for ticket in closed:
            for child in ticket.children or ():
                child.n_needs -= 1
                if child.n_needs == 0:
                    child.since_tick = now
                    self.queues[PLAN][child.priority].append(child)

    def _after(self, ticket: Ticket, job: Job) -> Ticket | None:
        """A ticket after an attempt, and the second half if it was split."""
        rules, counts, stage, now = self.rules, self.counts, ticket.stage, self.tick + 1
        half = None
        ticket.failures += job.caught
        if stage == PLAN and ticket.failures >= rules.max_attempts and job.next_stage != GIVEN_UP:
            half = self._replan(ticket)
        next_stage = PLAN if job.caught and ticket.failures >= rules.max_attempts else job.next_stage
        ticket.work_share, ticket.defects = job.share_next, job.defects_next
        epic = ticket.epic
        if stage == CODE:
            ticket.patch_is_good = job.good
            counts["code_attempts"] += job.share_next >= 1.0
            ticket.attempts += job.share_next >= 1.0
            if not ticket.has_change and epic is not None:
                ticket.has_change = True
                epic.n_open_changes += 1
        if ticket.waited_ticks is None or ticket.worked_ticks is None:
            ticket.waited_ticks, ticket.worked_ticks = [0] * len(WORK_STAGES), [0] * len(WORK_STAGES)
            ticket.started_tick = job.began_tick
        ticket.waited_ticks[stage] += job.waited_ticks
        ticket.worked_ticks[stage] += now - job.began_tick
        ticket.input_tokens += job.prefill_tokens + job.cached_tokens
        ticket.decode_tokens += job.decode_tokens
        ticket.stage, ticket.since_tick = next_stage, now
        if next_stage < DONE:
            return half
        ticket.closed_tick = now
        if epic is None:
            self.n_unplanned -= 1
            return half
        if ticket.has_change:
            ticket.has_change = False
            epic.n_open_changes -= 1
        counts["done" if next_stage == DONE else "given_up"] += 1
        ticket.escaped += job.escaped
        counts["escaped"] += job.escaped
        for _ in range(job.escaped):
            self._bear_bug(ticket)
        return half

    def _replan(self, ticket: Ticket) -> Ticket | None:
        """A stuck ticket goes to another model or, when models are used up, is split: its second half is returned."""
        rules, draw = self.rules, self.random.random
        ticket.failures = 0
        if ticket.escalations < rules.max_escalations:
            ticket.escalations += 1
            self.counts["escalations"] += 1
            if draw() > rules.escalation_keeps:
                ticket.quantile = draw()
            return None
        ticket.size_min /= 2.0
        ticket.escalations = 0
        ticket.quantile = draw()
        half = Ticket(ticket.size_min, ticket.kind, ticket.priority, CODE, draw(), ticket.epic, ticket.is_bug)
        half.children = ticket.children
        half.since_tick = half.created_tick = self.tick + 1
        half.started_tick = ticket.started_tick
        for child in half.children or ():
            child.n_needs += 1
        self.counts["splits"] += 1
        self.counts["created"] += 1
        return half

    def _bear_bug(self, ticket: Ticket) -> None:
        """What escaped with a ticket comes back as a bug after a delay."""
        due = self.tick + 1 + self.bug_delay_ticks
        size_min = ticket.size_min * self.bug_size_share
        bug = Ticket(size_min, ticket.kind, 0, PLAN, self.random.random(), ticket.epic, is_bug=True)
        bug.since_tick = bug.created_tick = due
        self.bugs.append((due, bug))
