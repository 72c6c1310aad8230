"""Tickets, attempts and workers as plain Python objects: every law of the shop floor once more, for one agent."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import ClassVar, Protocol

import jax
import mesa

from agents.capability import LOGIT_MAX, N_LOGITS, N_QUANTILES
from agents.work import Stage
from macrohard.blueprint import Blueprint
from macrohard.floor.desks import MAX_CREDIT_TICKS
from macrohard.floor.throws import MAX_EVENTS

ROADMAP, PLAN, DESIGN, CODE, TEST, REVIEW, DONE, GIVEN_UP = (int(stage) for stage in Stage)


@dataclass(slots=True, eq=False)
class Ticket:
    """A ticket or an epic, with its history; columns as in `macrohard.floor.tickets.Row`."""

    size_min: float
    kind: int
    priority: int
    stage: int
    quantile: float
    epic: Ticket | None
    is_bug: bool = False
    n_needs: int = 0
    children: list[Ticket] | None = None
    work_share: float = 1.0
    failures: int = 0
    escalations: int = 0
    patch_is_good: bool = False
    defects: float = 0.0
    has_change: bool = False
    n_open_changes: int = 0
    """Of an epic: changes open in its module."""
    attempts: int = 0
    escaped: int = 0
    since_tick: int = 0
    created_tick: int = -1
    started_tick: int = -1
    closed_tick: int = -1
    input_tokens: int = 0
    decode_tokens: int = 0
    waited_ticks: list[int] | None = None
    worked_ticks: list[int] | None = None
    """By stage; made when the first work ends."""


@dataclass(slots=True, eq=False)
class Job:
    """An attempt: its load, and how it will end; as `macrohard.floor.desks.Job`."""

    calls: float
    prefill_tokens: int
    cached_tokens: int
    decode_tokens: int
    tool_s: float
    is_rework: bool
    began_tick: int
    waited_ticks: int
    next_stage: int
    good: bool
    caught: bool
    share_next: float
    defects_next: float
    escaped: int


class Rules:
    """The numbers of the laws as plain floats, and the laws that all roles share."""

    def __init__(self, plan: Blueprint) -> None:
        """Reads the habits of a blueprint; all roles have the same."""
        habits = jax.device_get(plan.params.habits[Manager.role])
        law = habits.attempt
        self.calls_at_120_min = float(law.calls_at_120_min)
        self.c0, self.g = float(law.first_context_tokens), float(law.context_growth_tokens)
        self.decode_tokens_per_call = float(law.decode_tokens_per_call)
        self.size_exponent, self.calls_sd_log = float(law.size_exponent), float(law.calls_sd_log)
        self.cached_miss, self.max_input_tokens = float(law.cached_miss), float(law.max_input_tokens)
        self.good_factor, self.bad_factor = float(law.good_factor), float(law.bad_factor)
        usual = (self.bad_factor - 1.0) / max(self.bad_factor - self.good_factor, 1e-6)
        self.usual_factor = self.bad_factor + (self.good_factor - self.bad_factor) * min(max(usual, 0.0), 1.0)
        self.tool_median_s = float(law.tool_median_s)
        self.tool_sd_log = math.sqrt(2.0 * math.log(max(float(law.tool_mean_s) / self.tool_median_s, 1.0)))
        self.token_ratio: list[list[float]] = habits.token_ratio.tolist()
        self.tool_ratio: list[list[float]] = habits.tool_ratio.tolist()
        self.success_table: list[list[float]] = habits.success_table.tolist()
        self.kind_offset: list[float] = habits.kind_offset.tolist()
        self.log2_horizon, self.beta = math.log2(float(habits.horizon_min)), float(habits.beta)
        self.keeps = 1.0 - float(habits.handoff_error)
        self.detection_test, self.detection_review = float(habits.detection_test), float(habits.detection_review)
        self.left_by_coder = float(habits.defects_per_min) * (1.0 - float(habits.found_self_check))
        self.found_test, self.found_review = float(habits.found_test), float(habits.found_review)
        self.rework_share, self.bad_fix_share = float(habits.rework_share), float(habits.bad_fix_share)
        self.conflict_per_open_change = float(habits.conflict_per_open_change)
        self.conflict_rework_share = float(habits.conflict_rework_share)
        self.max_attempts, self.max_escalations = int(habits.max_attempts), int(habits.max_escalations)
        self.give_up_below_min, self.escalation_keeps = float(habits.give_up_below_min), float(habits.escalation_keeps)

    def success_chance(self, size_min: float, kind: int, quantile: float) -> float:
        """Chance that an attempt solves a ticket: the table of `agents.capability`, read between its points."""
        logit = self.beta * (self.log2_horizon - math.log2(size_min)) + self.kind_offset[kind]
        row = min(max((logit + LOGIT_MAX) * ((N_LOGITS - 1) / (2 * LOGIT_MAX)), 0.0), N_LOGITS - 1.0)
        column = min(max(quantile * N_QUANTILES - 0.5, 0.0), N_QUANTILES - 1.0)
        i, j = min(int(row), N_LOGITS - 2), min(int(column), N_QUANTILES - 2)
        down, right = row - i, column - j
        upper, lower = self.success_table[i], self.success_table[i + 1]
        above = upper[j] * (1.0 - right) + upper[j + 1] * right
        return above * (1.0 - down) + (lower[j] * (1.0 - right) + lower[j + 1] * right) * down


def rare_count(mean: float, throw: float) -> int:
    """A Poisson number from 0 to MAX_EVENTS by inversion of a uniform throw."""
    below = term = math.exp(-mean)
    for count in range(MAX_EVENTS):
        if throw <= below:
            return count
        term *= mean / (count + 1)
        below += term
    return MAX_EVENTS


class Shop(Protocol):
    """What a worker needs of its model."""

    rules: Rules
    random: Random
    tick: int
    speed: tuple[float, float, float, float]
    """Wait per call (s), seconds per prompt token, seconds per generated token, streams per stream admitted."""
    ended: list[Worker]
    prefill_tokens: int
    cached_tokens: int
    decode_tokens: int
    rework_decode_tokens: int


class Worker(mesa.Agent):  # type: ignore[misc]
    """One worker: takes a ticket, works at the speed of the tick, hands over."""

    role: ClassVar[str]
    stages: ClassVar[tuple[int, ...]]
    model: Shop

    def __init__(self, model: Shop, row: int) -> None:
        """An idle worker."""
        super().__init__(model)
        self.row = row
        self.ticket: Ticket | None = None
        self.job: Job | None = None
        self.progress = 0.0
        self.credit_s = 0.0
        self.free_tick = -1
        self.wall_s = 1.0
        """Of the present attempt at the speed of the last tick."""

    def success(self, ticket: Ticket) -> bool:
        """Whether the patch is good after this attempt; only coding changes it."""
        return ticket.patch_is_good

    def defects(self, ticket: Ticket) -> tuple[float, float]:
        """Expected latent defects found by this attempt and left after it."""
        return 0.0, ticket.defects

    def outcome(self, ticket: Ticket, good: bool, throw: float) -> tuple[int, bool]:
        """The next stage, and whether a bad patch was seen to be bad."""
        raise NotImplementedError

    def begin(self, ticket: Ticket) -> None:
        """Takes a ticket: the whole attempt is thrown now and shown at its end."""
        model = self.model
        rules, random = model.rules, model.random.random
        tick, stage, share = model.tick, ticket.stage, ticket.work_share
        good = self.success(ticket)

        radius, angle = math.sqrt(-2.0 * math.log(1.0 - random())), 2.0 * math.pi * random()
        factor = rules.usual_factor
        if stage == CODE:
            factor = rules.good_factor if good else rules.bad_factor
        spread = math.exp(rules.calls_sd_log * radius * math.cos(angle))
        usual = rules.calls_at_120_min * (ticket.size_min / 120.0) ** rules.size_exponent * spread
        c0, g = rules.c0, rules.g
        asked = min((c0 * usual + g * usual * usual / 2.0) * factor, rules.max_input_tokens)
        calls = max((math.sqrt(c0 * c0 + 2.0 * g * asked) - c0) / g, 1.0)
        read = c0 * calls + g * calls * calls / 2.0
        prefill = min(c0 + g * calls + rules.cached_miss * read, read)
        tokens = rules.token_ratio[stage][ticket.kind] * share
        tool_s = rules.tool_median_s * math.exp(rules.tool_sd_log * radius * math.sin(angle))

        next_stage, caught = self.outcome(ticket, good, random())
        found, left = self.defects(ticket)
        share_next = share
        if stage == TEST or stage == REVIEW:
            conflict = next_stage == CODE and not caught
            n_found = 0 if caught else rare_count(found, random())
            if n_found or conflict:
                next_stage = CODE
                mend = rules.rework_share * n_found + (rules.conflict_rework_share if conflict else 0.0)
                share_next = min(mend, 0.999)
            elif caught:
                share_next = 1.0
            left += rules.bad_fix_share * n_found
        escaped = 0
        if stage == REVIEW and next_stage == DONE:
            escaped = min((0 if good else 1) + rare_count(left, random()), MAX_EVENTS)

        self.ticket = ticket
        self.progress = 0.0
        if self.free_tick != tick:
            self.credit_s = 0.0  # credit that finds no ticket at once is lost
        self.job = job = Job(
            calls=calls * tokens,
            prefill_tokens=round(prefill * tokens),
            cached_tokens=round((read - prefill) * tokens),
            decode_tokens=max(round(rules.decode_tokens_per_call * calls * tokens), 1),
            tool_s=tool_s * rules.tool_ratio[stage][ticket.kind] * share,
            is_rework=share < 1.0 or ticket.is_bug or ticket.attempts >= (1 if stage == CODE else 2),
            began_tick=tick,
            waited_ticks=tick - ticket.since_tick,
            next_stage=next_stage,
            good=good,
            caught=caught,
            share_next=share_next,
            defects_next=left,
            escaped=escaped,
        )
        wait_s, prefill_s, decode_s, per_admitted = model.speed
        at_work = job.calls * wait_s + job.prefill_tokens * prefill_s + job.decode_tokens * decode_s + job.tool_s
        self.wall_s = max(at_work, 1e-3) * per_admitted

    def work(self, dt_s: float, speed: tuple[float, float, float, float]) -> None:
        """Moves the attempt on by a tick at this speed; whole tokens are counted as they are served."""
        job = self.job
        if job is None:
            return
        wait_s, prefill_s, decode_s, per_admitted = speed
        prefill, cached, decode = job.prefill_tokens, job.cached_tokens, job.decode_tokens
        at_work = job.calls * wait_s + prefill * prefill_s + decode * decode_s + job.tool_s
        self.wall_s = wall_s = (at_work if at_work > 1e-3 else 1e-3) * per_admitted
        before = self.progress
        reached = before + (dt_s + self.credit_s) / wall_s
        model = self.model
        if reached >= 1.0:
            left_s = (reached - 1.0) * wall_s
            self.credit_s = min(left_s, MAX_CREDIT_TICKS * dt_s)
            self.progress = 1.0
            model.ended.append(self)
            served = decode - int(decode * before)
            model.prefill_tokens += prefill - int(prefill * before)
            model.cached_tokens += cached - int(cached * before)
        else:
            self.credit_s = 0.0
            self.progress = reached
            served = int(decode * reached) - int(decode * before)
            model.prefill_tokens += int(prefill * reached) - int(prefill * before)
            model.cached_tokens += int(cached * reached) - int(cached * before)
        model.decode_tokens += served
        if job.is_rework:
            model.rework_decode_tokens += served


class Manager(Worker):
    """Reviews first, then plans tickets, then plans epics."""

    role = "management"
    stages = (REVIEW, PLAN, ROADMAP)

    def defects(self, ticket: Ticket) -> tuple[float, float]:
        """A review finds its share."""
        if ticket.stage != REVIEW:
            return 0.0, ticket.defects
        found = self.model.rules.found_review * ticket.defects
        return found, ticket.defects - found

    def outcome(self, ticket: Ticket, good: bool, throw: float) -> tuple[int, bool]:
        """A reviewed patch ships, goes back if seen to be bad, or conflicts; a stuck plan is split or given up."""
        rules = self.model.rules
        if ticket.stage == REVIEW:
            caught = 0.0 if good else rules.detection_review
            assert ticket.epic is not None
            others = max(ticket.epic.n_open_changes - ticket.has_change, 0)
            back = 1.0 - (1.0 - caught) * math.exp(-rules.conflict_per_open_change * others)
            return (CODE, throw < caught) if throw < back else (DONE, False)
        if ticket.stage == ROADMAP:
            return DONE, False
        if ticket.failures < rules.max_attempts:
            return DESIGN, False
        if ticket.escalations >= rules.max_escalations and ticket.size_min / 2.0 < rules.give_up_below_min:
            return GIVEN_UP, False
        return CODE, False


class Designer(Worker):
    """Designs a ticket and hands it to coding."""

    role = "design"
    stages = (DESIGN,)

    def outcome(self, ticket: Ticket, good: bool, throw: float) -> tuple[int, bool]:
        """Always goes on to code."""
        return CODE, False


class Coder(Worker):
    """Writes a patch; whether it solves the ticket stays hidden until somebody finds out."""

    role = "coding"
    stages = (CODE,)

    def success(self, ticket: Ticket) -> bool:
        """The same chance for every retry by the same model; rework keeps what it mends."""
        if ticket.work_share < 1.0:
            return ticket.patch_is_good
        rules = self.model.rules
        chance = rules.success_chance(ticket.size_min, ticket.kind, ticket.quantile) * rules.keeps
        return bool(self.model.random.random() < chance)

    def defects(self, ticket: Ticket) -> tuple[float, float]:
        """A fresh patch brings latent defects, of which the self check finds some."""
        if ticket.work_share < 1.0:
            return 0.0, ticket.defects
        return 0.0, self.model.rules.left_by_coder * ticket.size_min

    def outcome(self, ticket: Ticket, good: bool, throw: float) -> tuple[int, bool]:
        """Always goes on to test."""
        return TEST, False


class Tester(Worker):
    """Runs the tests of a patch."""

    role = "testing"
    stages = (TEST,)

    def defects(self, ticket: Ticket) -> tuple[float, float]:
        """All tests together find their share."""
        found = self.model.rules.found_test * ticket.defects
        return found, ticket.defects - found

    def outcome(self, ticket: Ticket, good: bool, throw: float) -> tuple[int, bool]:
        """A bad patch is caught with the detection rate of the tests."""
        if not good and throw < self.model.rules.detection_test:
            return CODE, True
        return REVIEW, False


ROLES: tuple[type[Worker], ...] = (Manager, Designer, Coder, Tester)
