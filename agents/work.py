"""What crosses a desk: a ticket, the habits of a role, the load of an attempt and the chances of its outcomes.

All are pytrees of numbers for ONE desk; the shop floor maps the rules over many.
"""

from dataclasses import dataclass
from enum import IntEnum

import jax

from agents.attempt import AttemptLaw

Scalar = float | jax.Array

KINDS = ("ordinary", "frontend", "greenfield", "office")
"""Kinds of tickets, in the order of their codes."""

N_PRIORITIES = 4
"""Priorities run from 0 (first) to 3 (last)."""


class Stage(IntEnum):
    """Where a ticket is: the work it waits for or is in, or how it ended. An epic has one stage of work, ROADMAP."""

    ROADMAP = 0
    PLAN = 1
    DESIGN = 2
    CODE = 3
    TEST = 4
    REVIEW = 5
    DONE = 6
    GIVEN_UP = 7


WORK_STAGES = tuple(stage for stage in Stage if stage < Stage.DONE)

Outcomes = dict[Stage, jax.Array]
"""Chance of each stage that may follow an attempt; the chances add to 1."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Ticket:
    """One ticket as the worker at the desk sees it (and a little that is hidden from the worker, marked so)."""

    size_min: jax.Array
    """Minutes a qualified human would need."""
    kind: jax.Array
    """Index into KINDS."""
    stage: jax.Array
    work_share: jax.Array
    """Share of a whole pass that this pass is: 1 for a fresh one, less for rework of found defects or a conflict."""
    failures: jax.Array
    """Bad patches caught since the last escalation or split."""
    escalations: jax.Array
    """Models changed since the last split."""
    quantile: jax.Array
    """Hidden: where this (ticket, model) pair stands among equals, 0 hopeless to 1 easy."""
    patch_is_good: jax.Array
    """Hidden: whether the present patch solves the ticket."""
    defects: jax.Array
    """Hidden: expected number of latent defects in the present patch."""
    open_changes: jax.Array
    """Other changes open in the same module."""
    llm: Scalar = 0
    """The LLM that works on it, as its place among those in service."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Chance:
    """The dice of one attempt that its load depends on."""

    normal_calls: jax.Array
    """Standard normal."""
    normal_tool: jax.Array
    """Standard normal."""
    good: jax.Array
    """Whether the patch will be good."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Load:
    """What one attempt asks for. Tokens are whole numbers carried as floats here; the floor rounds them once."""

    calls: jax.Array
    """LLM calls."""
    prefill_tokens: jax.Array
    """Prompt tokens computed (cache misses)."""
    cached_tokens: jax.Array
    """Prompt tokens found in the prefix cache."""
    decode_tokens: jax.Array
    """Tokens generated."""
    tool_s: jax.Array
    """Seconds in tools (tests, builds), without a GPU."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Defects:
    """Expected numbers of latent defects after an attempt: found by it (to be reworked) and still hidden."""

    found: jax.Array
    left: jax.Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Habits:
    """How a role works: every number its rules use. Sources: docs/work.md; each is a key of the scenario."""

    attempt: AttemptLaw
    """Tokens and time of a coding attempt, from which other stages take their share."""
    token_ratio: jax.Array
    """Tokens of a stage relative to coding, shape (stages, kinds)."""
    tool_ratio: jax.Array
    """Tool time of a stage relative to coding, shape (stages, kinds)."""
    success_table: jax.Array
    """Quantiles of the success chance by (logit of its mean, quantile), shape (65, 256); (llms, 65, 256) for several
    LLMs, which then have a horizon_min and a beta each, too: shape (llms,). See `able`."""
    horizon_min: Scalar
    """Task length, in human minutes, at which half the tickets are solved."""
    beta: Scalar
    """Slope of success against log2 of length."""
    kind_offset: jax.Array
    """Added to the logit of success, shape (kinds,)."""
    handoff_error: Scalar
    """Chance that a hand-over spoils an attempt that would have been good."""
    detection_test: Scalar
    """Chance that testing catches a bad patch."""
    detection_review: Scalar
    """Chance that one review catches a bad patch."""
    defects_per_min: Scalar
    """Latent defects written per human minute of ticket."""
    found_self_check: Scalar
    found_test: Scalar
    found_review: Scalar
    """Shares of latent defects found while coding, in all of testing, in one review."""
    rework_share: Scalar
    """Share of a pass that the rework of one found defect costs."""
    bad_fix_share: Scalar
    """New defects per defect fixed."""
    conflict_per_open_change: Scalar
    """Merge conflicts: P = 1 - exp(-this * open changes)."""
    conflict_rework_share: Scalar
    """Share of a pass that a merge conflict costs."""
    max_attempts: Scalar
    """Caught failures after which a ticket goes back to management."""
    max_escalations: Scalar
    """Changes of model before a ticket is split."""
    give_up_below_min: Scalar
    """A ticket whose halves would be smaller than this is given up instead of split."""
    escalation_keeps: Scalar
    """Chance that another model finds the ticket as hard as the last one did."""
    first_llm: Scalar = 0
    """The LLM that serves this role first; every escalation of a ticket moves it to the next."""
    last_llm: Scalar = 0
    """The last of the LLMs in service, beyond which nothing moves."""

    def able(self, llm: Scalar) -> tuple[Scalar, Scalar]:
        """horizon_min and beta of an LLM."""
        return _of(self.horizon_min, llm), _of(self.beta, llm)


def _of(figure: Scalar, llm: Scalar) -> Scalar:
    """The figure of one LLM; where there is one LLM, that figure."""
    return figure[llm] if isinstance(figure, jax.Array) and figure.ndim else figure
