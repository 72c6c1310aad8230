"""How the agents of a scenario work: the habits that their rules read, from the scenario and the measured tables."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from agents import teams
from agents.attempt import AttemptLaw
from agents.capability import beta_quantile_table, horizon_at, success_mean, unsolved_share
from agents.work import KINDS, WORK_STAGES, Habits, Stage
from macrohard.colossus.device import on_device, real, whole
from macrohard.faults import Fault, ScenarioError
from macrohard.scenario import Scenario
from macrohard.work_tables import attempt_law as scaffold_law
from macrohard.work_tables import role_ratios

_SCAFFOLDS_OWN = (
    "calls_at_120_min", "first_context_tokens", "context_growth_tokens", "decode_tokens_per_call", "calls_sd_log",
    "tool_median_s", "tool_mean_s",
)  # fmt: skip
"""Keys of [tokens] that are as the scaffold has them where they are left out."""


def habits_of(scenario: Scenario) -> Habits:
    """How coders work; other roles differ in the LLM that serves them first."""
    force, able, care = scenario.workforce, scenario.capability, scenario.quality
    tables = [beta_quantile_table(rho) for rho in _of_llms(scenario, "rho")]
    topology = teams.TOPOLOGIES[force.topology]
    others = force.coding + force.design + force.testing
    attention = teams.attention(force.management, others, force.span_of_control)
    found_test = 1.0 - (1.0 - care.found_unit) * (1.0 - care.found_integration) * (1.0 - care.found_system)
    token_ratio, tool_ratio = _ratios(scenario)
    return Habits(
        attempt=jax.tree.map(real, attempt_law(scenario)),
        token_ratio=on_device((token_ratio * topology.token_multiplier).astype(np.float32)),
        tool_ratio=on_device(tool_ratio),
        success_table=_by_llm(tables),
        horizon_min=_by_llm(_horizons_min(scenario)),
        beta=_by_llm(_of_llms(scenario, "beta")),
        kind_offset=on_device(np.array([0.0, able.frontend, able.greenfield, able.office], np.float32)),
        handoff_error=real(min(1.0, care.handoff_error * topology.error_amplification)),
        detection_test=real(care.detection_test),
        detection_review=real(care.detection_review * attention),
        defects_per_min=real(care.defects_per_kloc * care.kloc_per_120_min / 120.0),
        found_self_check=real(care.found_self_check),
        found_test=real(found_test),
        found_review=real(care.found_review * attention),
        rework_share=real(care.rework_share),
        bad_fix_share=real(care.bad_fix_share),
        conflict_per_open_change=real(care.conflict_per_open_change),
        conflict_rework_share=real(care.conflict_rework_share),
        max_attempts=whole(force.max_attempts),
        max_escalations=whole(force.max_escalations),
        give_up_below_min=real(force.give_up_below_min),
        escalation_keeps=real(able.escalation_keeps),
        first_llm=whole(first_llm(scenario, "coding")),
        last_llm=whole(max(0, len(scenario.serving.models) - 1)),
    )


def habits_by_role(scenario: Scenario, coders: Habits, roles: Iterable[str]) -> dict[str, Habits]:
    """How the agents of each role work."""
    return {role: replace(coders, first_llm=whole(first_llm(scenario, role))) for role in roles}


def first_llm(scenario: Scenario, role: str) -> int:
    """The LLM that serves a role first, as its place in [[serving.models]]."""
    return next((place for place, model in enumerate(scenario.serving.models) if role in model.roles), 0)


def _horizons_min(scenario: Scenario) -> list[float]:
    """Task length solved half of the time at the start of the run, of each LLM in service."""
    able = scenario.capability
    days = 0 if able.as_of is None else (scenario.run.start - able.as_of).days
    return [horizon_at(days, each, able.doubling_days) for each in _of_llms(scenario, "horizon_min")]


def bugs_per_ticket(scenario: Scenario, habits: Habits) -> float:
    """Expected escapes of one ticket of mean size in this team: bad patches that no one caught, defects no one found.

    `contradictions.rough_bugs_per_ticket` refuses at the door what no team could mend.
    """
    size_min = mean_size_min(scenario)
    first = int(habits.first_llm)
    rho = _of_llms(scenario, "rho")[first]
    horizon_min, beta = (np.ravel(each)[min(first, np.size(each) - 1)] for each in (habits.horizon_min, habits.beta))
    mean = float(jax.jit(success_mean)(size_min, horizon_min, beta, 0.0))
    missed = (1.0 - float(habits.detection_test)) * (1.0 - float(habits.detection_review))
    tried = 0.0
    still_in_work = 1.0
    for tries in range(1, 10):
        tried += still_in_work * float(unsolved_share(mean, rho, tries))
        still_in_work *= 1.0 - missed
    left = float(habits.defects_per_min) * size_min
    for share in (habits.found_self_check, habits.found_test, habits.found_review):
        left *= 1.0 - float(share)
    return tried * missed + left


def refuse_bugs(scenario: Scenario, habits: Habits) -> None:
    """Raises ScenarioError for a team that would ship more bugs than tickets."""
    expected = bugs_per_ticket(scenario, habits)
    if expected >= 1.0:
        remedy = "lower quality.defects_per_kloc, or raise quality.detection_test and the shares found"
        what = f"{expected:.2f} bug tickets return for each ticket, so the backlog never empties; allowed: below 1"
        raise ScenarioError(
            [Fault(scenario.name, "quality.defects_per_kloc", scenario.quality.defects_per_kloc, what, remedy)]
        )


def attempt_law(scenario: Scenario) -> AttemptLaw:
    """The scaffold's law with what the scenario says itself; an evicted context is computed again at every call."""
    tokens = scenario.tokens
    scaffold = scaffold_law(scenario.workforce.scaffold)
    own = {name: getattr(tokens, name) for name in _SCAFFOLDS_OWN if getattr(tokens, name) is not None}
    law = replace(
        scaffold,
        **own,
        size_exponent=tokens.size_exponent,
        cached_miss=tokens.cached_miss if scenario.serving.kv_held_in_tools else 1.0,
        max_input_tokens=tokens.max_input_tokens,
        good_factor=tokens.good_factor,
        bad_factor=tokens.bad_factor,
    )
    if law.tool_mean_s < law.tool_median_s:
        key = "tokens.tool_mean_s" if "tool_mean_s" in own else "tokens.tool_median_s"
        what = f"a mean of {law.tool_mean_s:g} s is below the median of {law.tool_median_s:g} s; allowed: at least that"
        remedy = f"set both; one that is left out is that of {scenario.workforce.scaffold}"
        raise ScenarioError([Fault(scenario.name, key, own[key.partition(".")[2]], what, remedy)])
    return law


def mean_size_min(scenario: Scenario) -> float:
    """Mean size of tickets, in minutes of a human expert."""
    work = scenario.backlog
    return work.size_median_min * float(np.exp(work.size_sd_log**2 / 2.0))


def _of_llms(scenario: Scenario, name: str) -> list[float]:
    """A figure of [capability] for each LLM in service, which may have one of its own."""
    own = [getattr(model, name) for model in scenario.serving.models] or [None]
    return [getattr(scenario.capability, name) if value is None else value for value in own]


def _by_llm(figures: list[Any]) -> jax.Array:
    """Figures of several LLMs along a first axis; that of one LLM alone as it is."""
    return on_device(np.asarray(np.stack(figures) if len(figures) > 1 else figures[0], np.float32))


def _ratios(scenario: Scenario) -> tuple[np.ndarray, np.ndarray]:
    """Tokens and tool time by stage and kind relative to coding, each of shape (stages, kinds)."""
    measured = role_ratios()
    tables = []
    for ratio, which in ((scenario.tokens.ratio, "tokens"), (scenario.tokens.wall_ratio, "wall")):
        table = np.ones((len(WORK_STAGES), len(KINDS)), np.float32)
        table[Stage.ROADMAP] = table[Stage.PLAN] = ratio.plan
        table[Stage.DESIGN] = ratio.design
        table[Stage.CODE] = ratio.code
        table[Stage.TEST] = ratio.test
        table[Stage.REVIEW] = ratio.review
        table[Stage.DESIGN, KINDS.index("frontend")] = getattr(measured["frontend_design"], which)
        table[Stage.CODE, KINDS.index("greenfield")] *= getattr(measured["coding_greenfield"], which)
        tables.append(table)
    return tables[0], tables[1]
