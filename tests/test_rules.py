"""The rules of the roles, worked by hand: one desk at a time."""

import math
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small import small

from agents import testing
from agents.attempt import attempt_load
from agents.capability import beta_quantile_table, success_chance, success_mean, unsolved_share
from agents.coding import Coder
from agents.design import Designer
from agents.management import Manager
from agents.roster import ROLES
from agents.work import WORK_STAGES, Chance, Habits, Stage, Ticket
from macrohard.habits import habits_of

HABITS: Habits = replace(
    habits_of(small("workforce.span_of_control=100")),
    detection_test=jnp.float32(0.69),
    detection_review=jnp.float32(0.25),
    max_attempts=jnp.int32(3),
    max_escalations=jnp.int32(2),
    give_up_below_min=jnp.float32(15.0),
)
SERVES = [(role, stage) for role in ROLES for stage in role.stages]


def ticket(stage: Stage, **known: float) -> Ticket:
    """An ordinary ticket of two hours, fresh, its patch good, unless said."""
    usual: dict[str, float] = dict(
        size_min=120.0, kind=0, stage=stage, work_share=1.0, failures=0, escalations=0, quantile=0.5,
        patch_is_good=True, defects=0.0, open_changes=0.0,
    )  # fmt: skip
    whole = ("kind", "stage", "failures", "escalations")
    numbers = {
        name: jnp.bool_(value) if name == "patch_is_good" else jnp.int32(value) if name in whole else jnp.float32(value)
        for name, value in (usual | known).items()
    }
    return Ticket(**numbers)


def chances(role: type, seen: Ticket, habits: Habits = HABITS) -> dict[Stage, float]:
    """Chances of what follows, without those that are zero."""
    return {stage: float(p) for stage, p in role.outcomes(seen, habits).items() if float(p) > 0}


# ---------------------------------------------------------------- outcomes


@pytest.mark.parametrize(("role", "stage"), SERVES)
def test_chances_add_to_one_whatever_the_ticket(role, stage):
    """Over failures, escalations, sizes, patches and open changes."""
    rng = np.random.default_rng(1)
    for _ in range(60):
        seen = ticket(
            stage,
            size_min=float(rng.uniform(1, 500)),
            failures=int(rng.integers(0, 6)),
            escalations=int(rng.integers(0, 4)),
            patch_is_good=bool(rng.integers(0, 2)),
            open_changes=float(rng.integers(0, 12)),
            work_share=float(rng.choice([1.0, 0.15])),
        )
        values = [float(p) for p in role.outcomes(seen, HABITS).values()]
        assert all(0 <= value <= 1 for value in values)
        assert sum(values) == pytest.approx(1, abs=1e-6)


def test_every_stage_of_work_has_one_role():
    """No stage is left to nobody, none to two roles."""
    assert sorted(stage for _, stage in SERVES) == list(WORK_STAGES)


def test_tests_catch_bad_patches_with_their_rate():
    """0.69 of the bad ones go back to code; no good one does."""
    assert chances(testing.Tester, ticket(Stage.TEST, patch_is_good=False)) == pytest.approx(
        {Stage.CODE: 0.69, Stage.REVIEW: 0.31}
    )
    assert chances(testing.Tester, ticket(Stage.TEST)) == {Stage.REVIEW: 1.0}


def test_one_review_catches_a_quarter_of_the_bad_patches_that_reach_it():
    assert chances(Manager, ticket(Stage.REVIEW, patch_is_good=False)) == pytest.approx(
        {Stage.CODE: 0.25, Stage.DONE: 0.75}
    )
    assert chances(Manager, ticket(Stage.REVIEW)) == {Stage.DONE: 1.0}


def test_open_changes_conflict():
    """Three others: 1 - exp(-0.065 * 3) = 0.177 of the good patches; a bad one passes with 0.75 * exp(-0.195)."""
    assert chances(Manager, ticket(Stage.REVIEW, open_changes=3))[Stage.CODE] == pytest.approx(0.1772, abs=1e-4)
    passes = chances(Manager, ticket(Stage.REVIEW, open_changes=3, patch_is_good=False))[Stage.DONE]
    assert passes == pytest.approx(0.75 * math.exp(-0.195), rel=1e-5)


def test_only_tests_and_reviews_see_a_bad_patch():
    """detection is what a throw is compared with: the rates above, and nothing elsewhere."""
    seen = {stage: float(role.detection(ticket(stage), HABITS)) for role, stage in SERVES}
    assert seen == pytest.approx({stage: 0.0 for stage in WORK_STAGES} | {Stage.TEST: 0.69, Stage.REVIEW: 0.25})


def test_a_ticket_goes_from_plan_to_design_to_code_to_test():
    """And an epic, once planned, is done with."""
    assert chances(Manager, ticket(Stage.ROADMAP)) == {Stage.DONE: 1.0}
    assert chances(Manager, ticket(Stage.PLAN)) == {Stage.DESIGN: 1.0}
    assert chances(Designer, ticket(Stage.DESIGN)) == {Stage.CODE: 1.0}
    assert chances(Coder, ticket(Stage.CODE)) == {Stage.TEST: 1.0}


# ---------------------------------------------------------------- what follows failures


def decision(failures: int, escalations: int, size_min: float = 120.0) -> list[str]:
    """What management decides."""
    seen = ticket(Stage.PLAN, failures=failures, escalations=escalations, size_min=size_min)
    replan = Manager.replan(seen, HABITS)
    return [name for name in ("escalate", "split", "give_up") if bool(getattr(replan, name))]


def test_three_failures_escalate_two_escalations_split_and_the_small_are_given_up():
    """The sequence of a ticket that nobody can solve: model 1, 2, 3, then halves; 29 min would make halves of 14.5."""
    assert decision(failures=2, escalations=0) == []
    assert decision(failures=3, escalations=0) == ["escalate"]
    assert decision(failures=3, escalations=1) == ["escalate"]
    assert decision(failures=3, escalations=2) == ["split"]
    assert decision(failures=3, escalations=2, size_min=30.0) == ["split"]
    assert decision(failures=3, escalations=2, size_min=29.0) == ["give_up"]
    assert decision(failures=2, escalations=2, size_min=10.0) == []


def test_what_is_decided_is_where_the_ticket_goes():
    """Escalated and split tickets are coded again at once; a ticket given up leaves."""
    again = chances(Manager, ticket(Stage.PLAN, failures=3))
    split = chances(Manager, ticket(Stage.PLAN, failures=3, escalations=2))
    assert again == split == {Stage.CODE: 1.0}
    small_one = ticket(Stage.PLAN, failures=3, escalations=2, size_min=20.0)
    assert chances(Manager, small_one) == {Stage.GIVEN_UP: 1.0}


def test_nothing_is_decided_but_in_planning():
    """A review of a ticket with three failures is a review."""
    replan = Manager.replan(ticket(Stage.REVIEW, failures=3), HABITS)
    assert not bool(replan.escalate | replan.split | replan.give_up)


def test_a_user_who_overrides_replan_is_heard_by_the_outcomes():
    """One rule, one place: managers who never give up send small tickets on."""

    class Stubborn(Manager):
        @staticmethod
        def replan(ticket: Ticket, habits: Habits):
            usual = Manager.replan(ticket, habits)
            return replace(usual, split=usual.split | usual.give_up, give_up=jnp.zeros_like(usual.give_up))

    hopeless = ticket(Stage.PLAN, failures=3, escalations=2, size_min=20.0)
    assert chances(Stubborn, hopeless) == {Stage.CODE: 1.0}


# ---------------------------------------------------------------- success


def test_the_chance_of_a_patch_follows_size_and_kind():
    """120 min against a horizon of 431: logit 0.45 * log2(431 / 120) = 0.830, mean 0.696; a front end 0.317."""
    habits = replace(HABITS, handoff_error=jnp.float32(0.0), horizon_min=jnp.float32(431.0), beta=jnp.float32(0.45))
    quantiles = (jnp.arange(2000) + 0.5) / 2000

    def mean(kind: int) -> float:
        rule = jax.vmap(lambda q: Coder.success(replace(ticket(Stage.CODE, kind=kind), quantile=q), habits))
        return float(rule(quantiles).mean())

    assert mean(0) == pytest.approx(0.696, abs=0.005)
    assert mean(1) == pytest.approx(1 / (1 + math.exp(1.6 - 0.830)), abs=0.005)


def test_a_hand_over_spoils_its_share():
    """1.5 % of the attempts that would have been good."""
    clean, spoilt = (replace(HABITS, handoff_error=jnp.float32(p)) for p in (0.0, 0.015))
    seen = ticket(Stage.CODE)
    assert float(Coder.success(seen, spoilt)) == pytest.approx(0.985 * float(Coder.success(seen, clean)), rel=1e-6)


@pytest.mark.parametrize("good", [True, False])
def test_rework_keeps_what_it_mends(good):
    """A pass of 15 % makes no bad patch good and no good one bad; nor does any work but coding."""
    assert float(Coder.success(ticket(Stage.CODE, work_share=0.15, patch_is_good=good), HABITS)) == float(good)
    for role, stage in SERVES:
        if stage != Stage.CODE:
            assert float(role.success(ticket(stage, patch_is_good=good), HABITS)) == float(good)


def test_unsolved_shares_by_hand():
    """p 0.70, rho 0.70: m = 1/0.7 - 1 = 0.4286, b = 0.3 m = 0.1286; E(1-p)^k = prod (b + i)/(m + i).

    0.1286/0.4286 = 0.300; * 1.1286/1.4286 = 0.237; * 2.1286/2.4286 = 0.208; * 3.1286/3.4286 * 4.1286/4.4286 = 0.177.
    """
    shares = [float(unsolved_share(0.70, 0.70, tries)) for tries in (1, 2, 3, 5)]
    assert shares == pytest.approx([0.300, 0.237, 0.208, 0.177], abs=0.001)
    chance = success_chance(jnp.asarray(beta_quantile_table(0.70)), 0.70, (jnp.arange(4096) + 0.5) / 4096)
    tabled = [float(((1 - chance) ** tries).mean()) for tries in (1, 2, 3, 5)]
    assert tabled == pytest.approx(shares, abs=0.006)


def fresh_attempts(rng: np.random.Generator) -> tuple[int, bool]:
    """Fresh attempts at code of one ticket of mean chance 0.70, and whether it ships bad; until it would be split."""
    m, attempts = 1 / 0.70 - 1, 0
    chance = rng.beta(0.70 * m, 0.30 * m)
    for _ in range(3):  # models
        for _ in range(3):  # failures
            attempts += 1
            if rng.random() < chance:
                return attempts, False
            if rng.random() < 0.31 * 0.75:
                return attempts, True
        if rng.random() > 0.83:
            chance = rng.beta(0.70 * m, 0.30 * m)
    return attempts, False


def test_about_1_6_attempts_at_code_per_ticket():
    """p 0.70, rho 0.70; tests and review send 1 - 0.31 * 0.75 = 0.7675 of the bad patches back.

    First model, E(1-p)^k as above: 1 + 0.7675 * 0.300 + 0.589 * 0.237 = 1.370 attempts; 0.452 * 0.208 = 0.094
    fail thrice. Of those b = 3.1286 of m = 3.4286, E(1-p)^k = 0.9125, 0.8507, 0.8037: one as bad at them (0.83) tries
    1 + 0.700 + 0.501 = 2.20 times and fails thrice at 0.363; a new draw 1.37 and 0.094: together 2.06 and 0.317.
    The third model about 2.1 times. 1.370 + 0.094 * (2.06 + 0.317 * 2.1) = 1.63; the model document says about 1.6.
    Shipped bad: 0.2325 * (0.300 + 0.7675 * 0.237 + 0.589 * 0.208) = 0.141 by the first, 0.06 by the others.
    """
    rng = np.random.default_rng(1)
    ended = [fresh_attempts(rng) for _ in range(60_000)]
    assert np.mean([attempts for attempts, _ in ended]) == pytest.approx(1.63, abs=0.02)
    assert np.mean([bad for _, bad in ended]) == pytest.approx(0.20, abs=0.01)


# ---------------------------------------------------------------- load and defects


def neutral(stage: Stage, patch_is_good: bool) -> float:
    chance = Chance(jnp.float32(0.0), jnp.float32(0.0), jnp.bool_(patch_is_good))
    role = next(role for role, served in SERVES if served == stage)
    load = role.load(ticket(stage, patch_is_good=patch_is_good), HABITS, chance)
    return float(load.prefill_tokens + load.cached_tokens)


def test_only_coding_pays_for_failure():
    """1.18 / 0.85 = 1.39 times the input where the attempt fails; plans and reviews do not know."""
    assert neutral(Stage.CODE, False) / neutral(Stage.CODE, True) == pytest.approx(1.18 / 0.85, rel=1e-4)
    for stage in set(WORK_STAGES) - {Stage.CODE}:
        assert neutral(stage, False) == neutral(stage, True)


@pytest.mark.parametrize(("stage", "ratio"), [(Stage.PLAN, 0.53), (Stage.TEST, 0.76), (Stage.REVIEW, 0.5)])
def test_other_stages_take_their_ratio_of_the_usual_attempt(stage, ratio):
    """Between good (0.85) and bad (1.18) lies the usual one, with factor 1: 30-odd calls at 120 minutes."""
    usual = attempt_load(120.0, 0.0, 0.0, (1.18 - 1) / (1.18 - 0.85), HABITS.attempt)
    tabled = float(HABITS.token_ratio[stage, 0])
    assert tabled == pytest.approx(ratio, abs=0.05)
    assert neutral(stage, True) == pytest.approx(float(usual.input_tokens) * tabled, rel=1e-4)


@pytest.mark.parametrize(("role", "stage"), SERVES)
def test_rework_costs_its_share(role, stage):
    """A pass of 15 % asks for 15 % of calls, tokens and tool time."""
    chance = Chance(jnp.float32(0.4), jnp.float32(-0.3), jnp.bool_(True))
    whole = jax.tree.leaves(role.load(ticket(stage), HABITS, chance))
    part = jax.tree.leaves(role.load(ticket(stage, work_share=0.15), HABITS, chance))
    assert [float(p / w) for p, w in zip(part, whole, strict=True)] == pytest.approx([0.15] * 5, rel=1e-5)


def test_defects_of_a_ticket_by_hand():
    """120 min: 0.10 KLOC * 5 = 0.5 latent; self check leaves 0.30, tests 0.7 * 0.65 * 0.6 = 0.273 of that, 0.082.

    A review leaves 0.75 of those: 0.061 escape.
    """
    written = Coder.defects(ticket(Stage.CODE, defects=9.0), HABITS)
    assert float(written.left) == pytest.approx(0.30)
    tested = testing.Tester.defects(ticket(Stage.TEST, defects=0.30), HABITS)
    assert (float(tested.left), float(tested.found)) == pytest.approx((0.0819, 0.2181), abs=1e-4)
    reviewed = Manager.defects(ticket(Stage.REVIEW, defects=0.0819), HABITS)
    assert float(reviewed.left) == pytest.approx(0.0614, abs=1e-4)


def test_rework_writes_no_new_patch_and_planning_finds_nothing():
    """What was latent stays so."""
    assert float(Coder.defects(ticket(Stage.CODE, defects=0.2, work_share=0.15), HABITS).left) == pytest.approx(0.2)
    for stage in (Stage.ROADMAP, Stage.PLAN):
        kept = Manager.defects(ticket(stage, defects=0.2), HABITS)
        assert (float(kept.found), float(kept.left)) == pytest.approx((0.0, 0.2))


def test_managers_with_too_many_workers_review_less_closely():
    """Span of control 8: one manager for 16 workers has time for half of a review, so it catches half as much."""
    force = ("workforce.management=1", "workforce.coding=10", "workforce.testing=4", "workforce.design=2")
    habits = habits_of(small(*force, "workforce.span_of_control=8"))
    assert float(habits.detection_review) == pytest.approx(0.125)
    assert float(habits.found_review) == pytest.approx(0.125)
    assert float(success_mean(431.0, 431.0, 0.45, 0.0)) == 0.5
