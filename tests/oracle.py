"""One tick of the shop floor in plain Python: loops and dicts over tickets, queues and desks, written from the model.

It shares nothing with the floor but the keys of the dice. Speeds are given: what the site served in this tick.
"""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Any

ROADMAP, PLAN, DESIGN, CODE, TEST, REVIEW, DONE, GIVEN_UP = range(8)
CALLS, TOOL, GOOD, OUTCOME, FOUND, ESCAPED, QUANTILE, KEEP = range(1, 9)
SERVES = {"management": (REVIEW, PLAN, ROADMAP), "design": (DESIGN,), "coding": (CODE,), "testing": (TEST,)}
PRIORITIES = range(4)
MOST_EVENTS = 3
MOST_CREDIT_TICKS = 4


def mixed(word: int) -> int:
    """The finaliser lowbias32."""
    word = (word ^ word >> 16) * 0x7FEB352D & 0xFFFFFFFF
    word = (word ^ word >> 15) * 0x846CA68B & 0xFFFFFFFF
    return word ^ word >> 16


def bits(seed: int, *words: int) -> int:
    """32 bits for a key: each word is mixed with one constant, and into the hash of those before it."""
    hashed = mixed(seed + 0x9E3779B9 & 0xFFFFFFFF)
    for word in words:
        hashed = mixed(hashed ^ mixed(word + 0x85EBCA6B & 0xFFFFFFFF))
    return hashed


def uniform(seed: int, *words: int) -> float:
    """The upper 23 bits as a number strictly between 0 and 1."""
    return ((bits(seed, *words) >> 9) + 0.5) / 2**23


@dataclass
class Ticket:
    """A ticket or an epic, and what has become of it."""

    size_min: float
    kind: int
    stage: int
    priority: int
    epic: int
    is_epic: bool
    quantile: float
    children: list[int]
    n_needs: int
    work_share: float = 1.0
    failures: int = 0
    escalations: int = 0
    redraws: int = 0
    patch_is_good: bool = False
    defects: float = 0.0
    has_change: bool = False
    attempts: int = 0
    is_bug: bool = False
    since_tick: int = 0
    escaped: int = 0
    created_tick: int = -1
    started_tick: int = -1
    closed_tick: int = -1
    input_tokens: int = 0
    decode_tokens: int = 0
    waited: list[int] = field(default_factory=lambda: [0] * 6)
    worked: list[int] = field(default_factory=lambda: [0] * 6)


@dataclass
class Job:
    """An attempt: its load, and how it will end."""

    calls: float
    prefill_tokens: int
    cached_tokens: int
    decode_tokens: int
    tool_s: float
    is_rework: bool
    stage: int
    began_tick: int
    waited_ticks: int
    next_stage: int
    good: bool
    caught: bool
    share_next: float
    defects_next: float
    escaped: int


@dataclass
class Desk:
    """A worker: the row of the ticket in work, if any."""

    ticket: int | None = None
    job: Job | None = None
    progress: float = 0.0
    credit_s: float = 0.0


@dataclass
class Epic:
    """When an epic comes in, and with how many tickets."""

    row: int
    arrival_tick: int
    n_tickets: int


@dataclass
class Speed:
    """What the site serves to each stream."""

    wait_s: float
    prefill_s_per_token: float
    tok_s_per_stream: float
    admitted_share: float


@dataclass
class Tokens:
    """Whole tokens served to a role in a tick."""

    prefill: int = 0
    cached: int = 0
    decode: int = 0
    rework_decode: int = 0


@dataclass
class Floor:
    """All that is told and known. `rules` and `intake` are the habits of the workers and the numbers of the intake."""

    tick: int
    seed: int
    tick_s: float
    rules: Any
    intake: Any
    epics: list[Epic]
    slots: dict[str, int]
    epic_slots: int
    bug_slots: int
    capacity: int
    desks: dict[str, list[Desk]]
    tickets: list[Ticket]
    queues: dict[tuple[int, int], deque[int]]
    open_changes: dict[int, int]
    counts: dict[str, int]
    epic_cursor: int = 0
    epics_planned: int = 0
    bug_cursor: int = 0

    def enqueue(self, row: int) -> None:
        """At the end of the queue of its stage and priority."""
        ticket = self.tickets[row]
        self.queues[ticket.stage, ticket.priority].append(row)


def tick(floor: Floor, speed: Speed) -> dict[str, Tokens]:
    """Intake, assignment, work at the given speed, hand-over."""
    come_in(floor)
    assign(floor)
    tokens = work(floor, speed)
    hand_over(floor)
    floor.tick += 1
    return tokens


# ---------------------------------------------------------------- what comes in


def come_in(floor: Floor) -> None:
    """Epics on their day (saturated: when too little waits), bugs when they are found; some a tick, in order."""
    intake = floor.intake
    n_waiting = sum(len(queue) for queue in floor.queues.values())
    n_unplanned = floor.epic_cursor - floor.epics_planned
    lacking = math.ceil((intake.wip_target - n_waiting) / intake.tickets_per_epic) - n_unplanned
    for place in range(floor.epic_slots):
        if floor.epic_cursor == len(floor.epics):
            break
        epic = floor.epics[floor.epic_cursor]
        if place >= lacking if intake.is_saturated else epic.arrival_tick > floor.tick:
            break
        floor.epic_cursor += 1
        floor.counts["created"] += epic.n_tickets
        floor.tickets[epic.row].created_tick = floor.tickets[epic.row].since_tick = floor.tick
        floor.enqueue(epic.row)
    for _ in range(floor.bug_slots):
        if floor.bug_cursor == len(floor.tickets) or floor.tickets[floor.bug_cursor].created_tick > floor.tick:
            break
        ticket = floor.tickets[floor.bug_cursor]
        if ticket.is_bug and ticket.started_tick < 0:  # else it is the second half of a split, in work since its birth
            floor.counts["created"] += 1
            floor.counts["bugs"] += 1
            floor.enqueue(floor.bug_cursor)
        floor.bug_cursor += 1


# ---------------------------------------------------------------- who takes what


def assign(floor: Floor) -> None:
    """Idle workers in order of their rows take tickets by stage of the role, then priority, then first come."""
    for place, (role, desks) in enumerate(floor.desks.items()):
        idle = [row for row, desk in enumerate(desks) if desk.ticket is None]
        queues = [floor.queues[stage, priority] for stage in SERVES[role] for priority in PRIORITIES]
        for row in idle[: floor.slots[role]]:
            queue = next((queue for queue in queues if queue), None)
            if queue is None:
                break
            desks[row].ticket = number = queue.popleft()
            desks[row].progress = 0.0
            desks[row].job = throw(floor, floor.tickets[number], place, row)
        floor.counts["late_starts"] += min(len(idle[floor.slots[role] :]), sum(map(len, queues)))
        for desk in desks:
            if desk.ticket is None:
                desk.credit_s = 0.0  # nobody can work on before there was a ticket


def throw(floor: Floor, ticket: Ticket, role: int, row: int) -> Job:
    """The whole attempt: whether it is good, what it asks for, where the ticket goes and what is left in it."""
    rules = floor.rules

    def die(stream: int) -> float:
        return uniform(floor.seed, stream, floor.tick, role, row)

    fresh = ticket.work_share >= 1.0
    good = ticket.patch_is_good
    if ticket.stage == CODE and fresh:
        good = die(GOOD) < success_chance(ticket, rules)
    radius, angle = math.sqrt(-2 * math.log(die(CALLS))), 2 * math.pi * die(TOOL)
    normals, law = (radius * math.cos(angle), radius * math.sin(angle)), rules.attempt
    ending = 1.0 if ticket.stage != CODE else law.good_factor if good else law.bad_factor
    calls, prefill, cached, tool_s = attempt(ticket.size_min, normals, ending, law)
    share = rules.token_ratio[ticket.stage][ticket.kind] * ticket.work_share
    tried = ticket.attempts >= (1 if ticket.stage == CODE else 2)

    defects = ticket.defects
    if ticket.stage == CODE and fresh:
        defects = rules.defects_per_min * ticket.size_min * (1 - rules.found_self_check)
    next_stage, caught, conflict = destination(floor, ticket, good, die(OUTCOME))
    finds = {TEST: rules.found_test, REVIEW: rules.found_review}.get(ticket.stage, 0.0) * defects
    left = defects - finds
    n_found = poisson(finds, die(FOUND)) if ticket.stage in (TEST, REVIEW) and not caught else 0
    left += rules.bad_fix_share * n_found
    share_next = ticket.work_share
    if caught:
        share_next = 1.0
    elif n_found or conflict:
        next_stage = CODE
        share_next = min(rules.rework_share * n_found + rules.conflict_rework_share * conflict, 0.999)
    escaped = 0
    if ticket.stage == REVIEW and next_stage == DONE:
        escaped = min((not good) + poisson(left, die(ESCAPED)), MOST_EVENTS)
    return Job(
        calls=calls * share,
        prefill_tokens=round(min(max(prefill * share, 0), 2**30)),
        cached_tokens=round(min(max(cached * share, 0), 2**30)),
        decode_tokens=round(min(max(law.decode_tokens_per_call * calls * share, 1), 2**30)),
        tool_s=tool_s * rules.tool_ratio[ticket.stage][ticket.kind] * ticket.work_share,
        is_rework=tried or not fresh or ticket.is_bug,
        stage=ticket.stage,
        began_tick=floor.tick,
        waited_ticks=floor.tick - ticket.since_tick,
        next_stage=next_stage,
        good=good,
        caught=caught,
        share_next=share_next,
        defects_next=left,
        escaped=escaped,
    )


def destination(floor: Floor, ticket: Ticket, good: bool, die: float) -> tuple[int, bool, bool]:
    """Where the ticket goes, whether its bad patch was caught, and whether it conflicts with another change."""
    rules = floor.rules
    if ticket.stage == ROADMAP:
        return DONE, False, False
    if ticket.stage == PLAN:
        return {"": DESIGN, "escalate": CODE, "split": CODE, "give up": GIVEN_UP}[decision(ticket, rules)], False, False
    if ticket.stage == DESIGN:
        return CODE, False, False
    if ticket.stage == CODE:
        return TEST, False, False
    if ticket.stage == TEST:
        caught = not good and die < rules.detection_test
        return (CODE if caught else REVIEW), caught, False
    others = max(floor.open_changes.get(ticket.epic, 0) - ticket.has_change, 0)
    caught = 0.0 if good else rules.detection_review
    conflict = 1 - math.exp(-rules.conflict_per_open_change * others)
    if die < caught:
        return CODE, True, False
    if die < caught + (1 - caught) * conflict:
        return CODE, False, True
    return DONE, False, False


def decision(ticket: Ticket, rules: Any) -> str:
    """What management does with a ticket that is back in planning after too many failures."""
    if ticket.stage != PLAN or ticket.failures < rules.max_attempts:
        return ""
    if ticket.escalations < rules.max_escalations:
        return "escalate"
    return "give up" if ticket.size_min / 2 < rules.give_up_below_min else "split"


def success_chance(ticket: Ticket, rules: Any) -> float:
    """The chance of this ticket, linear in a table of logits (-8 to 8 by 0.25) and quantiles (256 middles)."""
    logit = rules.beta * math.log2(rules.horizon_min / ticket.size_min) + rules.kind_offset[ticket.kind]
    row = min(max((logit + 8) / 0.25, 0), 64)
    column = min(max(ticket.quantile * 256 - 0.5, 0), 255)
    i, j = min(int(row), 63), min(int(column), 254)
    table, y, x = rules.success_table, row - i, column - j
    near = (1 - x) * table[i][j] + x * table[i][j + 1]
    far = (1 - x) * table[i + 1][j] + x * table[i + 1][j + 1]
    return ((1 - y) * near + y * far) * (1 - rules.handoff_error)


def attempt(
    size_min: float, normals: tuple[float, float], ending: float, law: Any
) -> tuple[float, float, float, float]:
    """Calls, tokens computed and cached, tool seconds of a coding attempt: input grows as calls squared, up to 16M."""
    c0, g = law.first_context_tokens, law.context_growth_tokens
    n = law.calls_at_120_min * (size_min / 120) ** law.size_exponent * math.exp(law.calls_sd_log * normals[0])
    wanted = min((c0 * n + g * n * n / 2) * ending, law.max_input_tokens)
    n = max(((c0 * c0 + 2 * g * wanted) ** 0.5 - c0) / g, 1.0)
    total = c0 * n + g * n * n / 2
    computed = min(c0 + g * n + law.cached_miss * total, total)
    sd = math.sqrt(2 * math.log(law.tool_mean_s / law.tool_median_s))
    return n, computed, total - computed, law.tool_median_s * math.exp(sd * normals[1])


def poisson(mean: float, die: float) -> int:
    """A rare number, three at most."""
    below, term = 0.0, math.exp(-mean)
    for n in range(MOST_EVENTS):
        below += term
        if die <= below:
            return n
        term *= mean / (n + 1)
    return MOST_EVENTS


# ---------------------------------------------------------------- work


def wall_s(job: Job, speed: Speed) -> float:
    """Seconds that an attempt takes at these speeds, its wait for room included."""
    seconds = job.calls * speed.wait_s + job.prefill_tokens * speed.prefill_s_per_token
    return (seconds + job.decode_tokens / speed.tok_s_per_stream + job.tool_s) / speed.admitted_share


def work(floor: Floor, speed: Speed) -> dict[str, Tokens]:
    """Everybody moves on by a tick and by what the last attempt left of its own; whole tokens are counted by role."""
    served = {role: Tokens() for role in floor.desks}
    for role, desk in ((role, desk) for role, desks in floor.desks.items() for desk in desks):
        if desk.ticket is None or desk.job is None:
            continue
        job, before = desk.job, desk.progress
        has_s, needs_s = floor.tick_s + desk.credit_s, (1.0 - before) * wall_s(job, speed)
        desk.progress = 1.0 if has_s >= needs_s else before + (1.0 - before) * has_s / needs_s
        desk.credit_s = min(max(has_s - needs_s, 0.0), MOST_CREDIT_TICKS * floor.tick_s)
        tokens = served[role]
        decoded = so_far(job.decode_tokens, desk.progress) - so_far(job.decode_tokens, before)
        tokens.prefill += so_far(job.prefill_tokens, desk.progress) - so_far(job.prefill_tokens, before)
        tokens.cached += so_far(job.cached_tokens, desk.progress) - so_far(job.cached_tokens, before)
        tokens.decode += decoded
        tokens.rework_decode += decoded * job.is_rework
    return served


def so_far(tokens: int, progress: float) -> int:
    """Whole tokens served at this progress."""
    return tokens if progress >= 1.0 else math.floor(tokens * progress)


def demand(floor: Floor, speed: Speed, weight: float) -> dict[str, float]:
    """Streams, and the mean attempt in work, each counted by how often it comes by."""
    jobs = [desk.job for desks in floor.desks.values() for desk in desks if desk.ticket is not None and desk.job]
    rates = [min(floor.tick_s / wall_s(job, speed), 1.0) for job in jobs]
    total = sum(rates) or 1.0

    def mean(values: list[float]) -> float:
        return sum(rate * value for rate, value in zip(rates, values, strict=True)) / total

    return {
        "n_streams": len(jobs) * weight,
        "calls": mean([job.calls for job in jobs]),
        "decode_tokens": mean([job.decode_tokens for job in jobs]),
        "prefill_tokens": mean([job.prefill_tokens for job in jobs]),
        "input_tokens": mean([job.prefill_tokens + job.cached_tokens for job in jobs]),
        "tool_s": mean([job.tool_s for job in jobs]),
    }


# ---------------------------------------------------------------- what ends


def hand_over(floor: Floor) -> None:
    """Ended attempts leave their desks, role by role, the first rows first, at most `slots` of each role."""
    ended, late = [], 0
    for role, desks in floor.desks.items():
        over = [desk for desk in desks if desk.ticket is not None and desk.progress >= 1.0]
        ended += over[: floor.slots[role]]
        late += len(over[floor.slots[role] :])
    floor.counts["late_handovers"] += late
    handed_on, splits, escapes, closed = [], [], [], []
    for desk in ended:
        row, job = desk.ticket, desk.job
        assert row is not None and job is not None
        ticket = floor.tickets[row]
        desk.ticket = desk.job = None
        what = decision(ticket, floor.rules)
        settle(floor, row, ticket, job, what)
        if ticket.stage < DONE:
            handed_on.append(row)
        else:
            closed.append(row)
        if what == "split":
            splits.append(row)
        escapes.append((row, job.escaped))
    for row in handed_on:
        floor.enqueue(row)
    for row in splits:
        half(floor, row)
    for event in range(MOST_EVENTS):
        for row, escaped in escapes:
            if escaped > event:
                bug(floor, row)
    for row in closed:
        release(floor, row)


def settle(floor: Floor, row: int, ticket: Ticket, job: Job, what: str) -> None:
    """The ticket after the attempt: its history, its patch, and where it goes."""
    rules, counts, now = floor.rules, floor.counts, floor.tick + 1
    ticket.waited[job.stage] += job.waited_ticks
    ticket.worked[job.stage] += now - job.began_tick
    ticket.input_tokens += job.prefill_tokens + job.cached_tokens
    ticket.decode_tokens += job.decode_tokens
    ticket.since_tick = now
    if ticket.started_tick < 0:
        ticket.started_tick = job.began_tick
    ticket.defects, ticket.work_share = job.defects_next, job.share_next
    ticket.escaped += job.escaped
    ticket.failures += job.caught
    ticket.stage = PLAN if job.caught and ticket.failures >= rules.max_attempts else job.next_stage
    if job.stage == CODE:
        ticket.patch_is_good = job.good
        if job.share_next >= 1.0:
            ticket.attempts += 1
            counts["code_attempts"] += 1
        if not ticket.has_change:
            ticket.has_change = True
            floor.open_changes[ticket.epic] += 1
    if what in ("escalate", "split"):
        ticket.failures = 0
        ticket.redraws += 1
        draw = uniform(floor.seed, QUANTILE, row, ticket.redraws)
        keeps = uniform(floor.seed, KEEP, row, ticket.redraws) <= rules.escalation_keeps
        if what == "split" or not keeps:
            ticket.quantile = draw
        ticket.escalations = 0 if what == "split" else ticket.escalations + 1
        counts["splits" if what == "split" else "escalations"] += 1
    if what == "split":
        ticket.size_min /= 2
    if ticket.stage >= DONE:
        ticket.closed_tick = now
        if ticket.has_change:
            ticket.has_change = False
            floor.open_changes[ticket.epic] -= 1
        floor.epics_planned += ticket.is_epic
        counts["given_up"] += ticket.stage == GIVEN_UP
        if ticket.stage == DONE and not ticket.is_epic:
            counts["done"] += 1
            counts["bad_shipped"] += not ticket.patch_is_good
            counts["with_escape"] += job.escaped > 0
    counts["escaped"] += job.escaped


def half(floor: Floor, row: int) -> None:
    """The second half of a split ticket: to be coded at once; what waited for the whole waits for it as well."""
    whole = floor.tickets[row]
    born = birth(floor, whole, whole.size_min, CODE, whole.priority)
    if born is None:
        return
    floor.counts["created"] += 1
    ticket = floor.tickets[born]
    ticket.is_bug, ticket.started_tick, ticket.created_tick = whole.is_bug, whole.started_tick, whole.created_tick
    ticket.children = list(whole.children)
    for child in ticket.children:
        floor.tickets[child].n_needs += 1
    floor.enqueue(born)


def bug(floor: Floor, row: int) -> None:
    """What escaped with a ticket returns after a while, first in line; until then nobody knows of it."""
    parent = floor.tickets[row]
    born = birth(floor, parent, parent.size_min * floor.intake.bug_size_share, PLAN, 0)
    if born is not None:
        ticket = floor.tickets[born]
        ticket.is_bug = True
        ticket.created_tick = ticket.since_tick = floor.tick + 1 + floor.intake.bug_delay_ticks


def birth(floor: Floor, parent: Ticket, size_min: float, stage: int, priority: int) -> int | None:
    """A row for a new ticket in the module of its parent, if there is one left."""
    row = len(floor.tickets)
    if row == floor.capacity:
        floor.counts["lost_rows"] += 1
        return None
    luck = uniform(floor.seed, QUANTILE, row, 0)
    ticket = Ticket(size_min, parent.kind, stage, priority, parent.epic, False, luck, [], 0)
    ticket.created_tick = ticket.since_tick = floor.tick + 1
    floor.tickets.append(ticket)
    return row


def release(floor: Floor, row: int) -> None:
    """Tickets that waited for this one alone may be planned."""
    for child in floor.tickets[row].children:
        ticket = floor.tickets[child]
        ticket.n_needs -= 1
        if ticket.n_needs == 0:
            ticket.since_tick = floor.tick + 1
            floor.enqueue(child)
