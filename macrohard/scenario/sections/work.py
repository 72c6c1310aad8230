"""The sections about the work: clock, workforce, how able and careful the agents are, backlog and tokens.

Defaults without a source named here are of the first calibration (docs/work.md); (A) marks an assumption.
"""

from datetime import date
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le
from pydantic import StringConstraints

from macrohard import names
from macrohard.scenario.sections.section import NAME, Absent, Amount, Count, Day, Positive, Section, Share, Text, one_of

Name = Annotated[Text, StringConstraints(pattern=NAME)]


class Run(Section):
    """Clock, seed and what is kept."""

    name: Name = "own"
    """What the scenario is called in results; a file's name if left out."""
    about: Annotated[Text, StringConstraints(max_length=300)] = ""
    """One sentence on what is simulated."""
    start: Day = date(2026, 2, 1)
    """First day, local time; the run starts at midnight."""
    horizon_h: Annotated[float, Gt(0), Le(1e18)] = 168.0
    """Simulated time, h."""
    warmup_h: Amount = 24.0
    """Time at the start that averages leave out, h; left out: 24, at most a quarter of the horizon."""
    tick_s: Annotated[float, Ge(1), Le(3600)] = 60.0
    """Length of a tick, s."""
    seed: Annotated[int, Ge(0), Le(2**32 - 1)] = 1
    """Seed of every throw of the dice."""
    series_bins: Annotated[int, Ge(1), Le(100_000)] = 2016
    """Most rows of the series kept; ticks are averaged into them."""
    memory_limit_gb: Annotated[float, Gt(0), Le(100_000)] = 16.0
    """A run estimated to need more memory than this is refused before it starts, GB."""


class Workforce(Section):
    """Simulated agents by role and how they are organised. Each stands for `weight` real ones."""

    coding: Count = 26
    """Simulated coding agents."""
    design: Count = 6
    """Simulated design agents."""
    testing: Count = 19
    """Simulated testing agents."""
    management: Count = 13
    """Simulated managers: they plan epics and review patches."""
    weight: Annotated[float, Gt(0), Le(1e9)] = 1.0
    """Real agents one simulated agent stands for; counts, tokens and costs are multiplied by it."""
    topology: Annotated[str, one_of(names.TOPOLOGIES)] = "single"
    """How agents are wired into teams."""
    span_of_control: Annotated[int, Ge(1), Le(1000)] = 8
    """Agents per manager in a team."""
    max_attempts: Annotated[int, Ge(1), Le(100)] = 3
    """Failed attempts at a ticket before it is escalated to another model."""
    max_escalations: Annotated[int, Ge(0), Le(10)] = 2
    """Escalations of a ticket before it is split in two."""
    give_up_below_min: Amount = 15.0
    """A ticket smaller than this is given up, not split, human minutes."""
    scaffold: Annotated[str, one_of(names.SCAFFOLDS)] = "codex"
    """Program the agents run in; it sets calls and context growth unless [tokens] does."""


class Capability(Section):
    """Chance to solve a ticket: sigmoid(beta * log2(horizon / size) + kind), METR time-horizon form."""

    horizon_min: Annotated[float, Gt(0), Le(1e9)] = 431.0
    """Size of an ordinary ticket solved half of the time, human minutes."""
    beta: Annotated[float, Gt(0), Le(5)] = 0.45
    """Slope per doubling of size."""
    rho: Annotated[float, Gt(0), Le(0.99)] = 0.70
    """Correlation of tries at one ticket by one model: how much retries fail together."""
    as_of: Annotated[Day | None, Absent] = None
    """Day horizon_min holds for; if set, it grows from there to the start of the run."""
    doubling_days: Annotated[float, Gt(0), Le(36500)] = 125.0
    """Time in which the horizon doubles, days."""
    frontend: Annotated[float, Ge(-10), Le(10)] = -1.6
    """Offset of visual front-end tickets, in logits."""
    greenfield: Annotated[float, Ge(-10), Le(10)] = -2.2
    """Offset of tickets that start from nothing, in logits."""
    office: Annotated[float, Ge(-10), Le(10)] = -0.5
    """Offset of office and information tickets, in logits."""
    escalation_keeps: Share = 0.83
    """Chance that another model finds the ticket as hard as the one before."""


class Quality(Section):
    """What is caught and what slips through."""

    detection_test: Share = 0.69
    """Chance that testing catches a bad patch; median of bug-reproducing test benchmarks."""
    detection_review: Share = 0.25
    """Chance per pass that review catches a bad patch."""
    defects_per_kloc: Annotated[float, Ge(0), Le(1000)] = 5.0
    """Latent defects per 1,000 lines (A, so that returning bugs give a 20-32 % bug share)."""
    kloc_per_120_min: Annotated[float, Ge(0), Le(100)] = 0.10
    """1,000 lines changed by a ticket of 120 human minutes (A)."""
    found_self_check: Share = 0.40
    """Share of latent defects the coder finds."""
    found_review: Share = 0.25
    """Share of the rest that review finds."""
    found_unit: Share = 0.30
    """Share of the rest that unit tests find."""
    found_integration: Share = 0.35
    """Share of the rest that integration tests find."""
    found_system: Share = 0.40
    """Share of the rest that system tests find."""
    rework_share: Share = 0.15
    """Rework a found defect costs, as a share of its ticket (A)."""
    bad_fix_share: Share = 0.07
    """Chance that a fix brings a new defect."""
    conflict_per_open_change: Annotated[float, Ge(0), Le(10)] = 0.065
    """Merge conflict: 1 - exp(-this * open changes in the module)."""
    conflict_rework_share: Share = 0.25
    """Attempt that a merge conflict costs (A)."""
    handoff_error: Share = 0.015
    """Chance of an error at a hand-off, before the topology amplifies it (A)."""
    bug_delay_h: Amount = 24.0
    """Time until an escaped defect returns as a bug ticket, h (A)."""
    bug_size_share: Annotated[float, Gt(0), Le(10)] = 0.5
    """Size of a bug ticket, as a share of the ticket it escaped from (A)."""


class Kinds(Section):
    """Shares of the kinds of ticket; they add to 1 (A)."""

    ordinary: Share = 1.0
    frontend: Share = 0.0
    greenfield: Share = 0.0
    office: Share = 0.0


class Backlog(Section):
    """The work: epics of tickets, drawn or read from a file."""

    mode: Literal["arrivals", "saturated"] = "arrivals"
    """`arrivals`: epics come over time; `saturated`: there is always a next one."""
    n_epics: Count = 10
    """Epics there at the start; simulated ones. In `saturated` mode 0: as many as the run can use."""
    tickets_per_epic: Annotated[int, Ge(1), Le(1000)] = 10
    """Tickets an epic is planned into, on average."""
    arrivals_per_day: Amount = 0.0
    """Epics that come in per day."""
    size_median_min: Annotated[float, Gt(0), Le(100_000)] = 120.0
    """Median size of a ticket, human minutes (A)."""
    size_sd_log: Annotated[float, Ge(0), Le(3)] = 0.73
    """Spread of sizes within a project, standard deviation of the natural log."""
    blocked_share: Share = 0.044
    """Tickets that wait for others."""
    blockers_mean: Annotated[float, Ge(1), Le(20)] = 1.7
    """Tickets a blocked one waits for, on average."""
    kinds: Kinds = Kinds()
    file: Annotated[Text, StringConstraints(max_length=4096)] = ""
    """The user's own backlog in place of a drawn one: a CSV of id, size_min, needs, epic, priority."""
    wip_per_agent: Annotated[float, Gt(0), Le(1000)] = 1.0
    """Saturated: an epic is let in when fewer tickets than this per agent wait."""


class Ratios(Section):
    """Tokens of a stage's attempt, as a multiple of coding's; cost ratios of published runs as a proxy."""

    plan: Positive = 0.53
    design: Positive = 0.30
    """Text design (A)."""
    code: Positive = 1.0
    test: Positive = 0.76
    review: Positive = 0.50
    """Per pass (A)."""


class WallRatios(Section):
    """Tool time of a stage's attempt, as a multiple of coding's; time ratios of published runs as a proxy."""

    plan: Positive = 0.59
    design: Positive = 0.30
    """Text design (A)."""
    code: Positive = 1.0
    test: Positive = 0.79
    review: Positive = 0.50
    """Per pass (A)."""


class Tokens(Section):
    """Calls, tokens and tool time of one attempt."""

    calls_at_120_min: Annotated[Annotated[float, Gt(0), Le(100_000)] | None, Absent] = None
    """LLM calls of an attempt at 120 human minutes; left out: the scaffold's."""
    first_context_tokens: Annotated[Annotated[float, Gt(0), Le(1e7)] | None, Absent] = None
    """Context of the first call, tokens; left out: the scaffold's."""
    context_growth_tokens: Annotated[Annotated[float, Gt(0), Le(1e7)] | None, Absent] = None
    """Context each call adds, tokens; left out: the scaffold's."""
    decode_tokens_per_call: Annotated[Annotated[float, Gt(0), Le(1e6)] | None, Absent] = None
    """Tokens a call generates; left out: the scaffold's."""
    size_exponent: Annotated[float, Ge(0), Le(2)] = 0.45
    """Calls grow with size to this power."""
    calls_sd_log: Annotated[Annotated[float, Ge(0), Le(2)] | None, Absent] = None
    """Spread of calls at one size, standard deviation of the natural log; left out: the scaffold's."""
    cached_miss: Share = 0.02
    """Share of the input that is computed again although it was seen before."""
    max_input_tokens: Annotated[float, Gt(0), Le(1e9)] = 16e6
    """An attempt is cut off at this much input, tokens."""
    tool_median_s: Annotated[Positive | None, Absent] = None
    """Median tool time of an attempt (tests, builds; no GPU), s; left out: the scaffold's."""
    tool_mean_s: Annotated[Positive | None, Absent] = None
    """Mean tool time of an attempt, s; left out: the scaffold's."""
    good_factor: Annotated[float, Gt(0), Le(10)] = 0.85
    """Input of an attempt that succeeds, against the mean."""
    bad_factor: Annotated[float, Gt(0), Le(10)] = 1.18
    """Input of an attempt that fails, against the mean."""
    ratio: Ratios = Ratios()
    wall_ratio: WallRatios = WallRatios()
