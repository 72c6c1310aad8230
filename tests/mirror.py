"""The compiled floor's state as the oracle's plain objects, so that the two can be compared field by field."""

from collections import deque
from dataclasses import fields, is_dataclass
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
import oracle

from agents.work import N_PRIORITIES, WORK_STAGES
from macrohard.blueprint import Blueprint
from macrohard.floor.columns import unpack
from macrohard.floor.desks import Job
from macrohard.floor.state import COUNTS, State
from macrohard.floor.tickets import N_COLUMNS, Row

TICKET = [each.name for each in fields(oracle.Ticket) if each.name in Row.__dataclass_fields__]
JOB = [each.name for each in fields(oracle.Job)]


def plain(tree: Any) -> Any:
    """Numbers and nested lists, under the same names."""
    if is_dataclass(tree):
        return SimpleNamespace(**{each.name: plain(getattr(tree, each.name)) for each in fields(tree)})
    return np.asarray(tree).tolist()


def floor_of(plan: Blueprint, state: State) -> oracle.Floor:
    """Everything the oracle knows, read from a state."""
    state = jax.device_get(state)
    shop, params, tickets = plan.shop, plan.params, state.tickets
    n_rows = int(state.n_rows)
    rows = {name: column.tolist() for name, column in vars(unpack(Row, tickets.words, axis=-1)).items()}
    history = tickets.words[:, N_COLUMNS:].tolist()
    children, n_needs = tickets.children.tolist(), tickets.n_needs.tolist()
    table = [
        oracle.Ticket(
            **{name: rows[name][row] for name in TICKET},
            children=[child for child in children[row] if child >= 0],
            n_needs=n_needs[row],
            waited=history[row][: len(WORK_STAGES)],
            worked=history[row][len(WORK_STAGES) :],
        )
        for row in range(n_rows)
    ]
    jobs = {name: column.tolist() for name, column in vars(unpack(Job, state.desks.words, axis=0)).items()}
    desks = {}
    for role, first in zip(shop.roles, shop.first_row, strict=True):
        desks[role.role] = []
        for row in range(first, first + int(params.n_desks[role.role])):
            number = int(state.desks.ticket[row])
            job = oracle.Job(**{name: jobs[name][row] for name in JOB}) if number >= 0 else None
            progress, credit_s = float(state.desks.progress[row]), float(state.desks.credit_s[row])
            desks[role.role].append(oracle.Desk(number if job else None, job, progress, credit_s))
    intake = plain(jax.device_get(params.intake))
    epics = [
        oracle.Epic(*numbers) for numbers in zip(intake.epic_row, intake.arrival_tick, intake.n_tickets, strict=True)
    ]
    return oracle.Floor(
        tick=int(state.tick),
        seed=int(params.seed),
        tick_s=float(params.tick_s),
        rules=plain(jax.device_get(params.habits["coding"])),
        intake=intake,
        epics=epics[: intake.n_epics],
        slots={role.role: slots for role, slots in zip(shop.roles, shop.slots, strict=True)},
        epic_slots=shop.epic_slots,
        bug_slots=shop.bug_slots,
        capacity=plan.capacity,
        desks=desks,
        tickets=table,
        queues=queues_of(state, plan.capacity),
        open_changes=dict(enumerate(tickets.n_open_changes.tolist())),
        counts=dict(zip(COUNTS, state.counts.tolist(), strict=True)),
        epic_cursor=int(state.epic_cursor),
        epics_planned=int(state.epics_planned),
        bug_cursor=int(state.bug_cursor),
    )


def queues_of(state: State, capacity: int) -> dict[tuple[int, int], deque[int]]:
    """Tickets that wait, by stage and priority, the first to go first."""
    rings, head, tail = (np.asarray(part).tolist() for part in vars(state.queues).values())
    waiting = {}
    for number in range(len(head)):
        first = number * capacity
        places = range(head[number], tail[number])
        key = divmod(number, N_PRIORITIES)
        waiting[key] = deque(rings[first + place % capacity] for place in places)
    return waiting


def speed_of(state: State) -> oracle.Speed:
    """What the site served in the last tick."""
    return oracle.Speed(**{each.name: float(getattr(state.speed, each.name)) for each in fields(oracle.Speed)})
