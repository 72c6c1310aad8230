"""From a scenario to what a run is made of: the shop, its parameters as pytrees, and its backlog."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil, log2
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from agents import teams
from agents.attempt import AttemptLaw, attempt_load
from agents.capability import beta_quantile_table, horizon_at, success_mean, unsolved_share
from agents.work import KINDS, WORK_STAGES, Habits, Stage
from agents.worker import Worker
from macrohard import backlog as backlogs
from macrohard import programs, reproducibility
from macrohard.backlog import Backlog
from macrohard.colossus.device import on_device, real, whole
from macrohard.colossus.serving import Demand, serve
from macrohard.colossus.site import Site
from macrohard.colossus.units import Scalar
from macrohard.faults import Fault, ScenarioError
from macrohard.floor.assign import slots_of
from macrohard.floor.opening import opening
from macrohard.floor.state import Intake, Params, Shop, State
from macrohard.names import ROLES
from macrohard.scenario import Scenario
from macrohard.scenario.sections import Backlog as Work
from macrohard.siting import site_of_scenario
from macrohard.work_tables import attempt_law as scaffold_law
from macrohard.work_tables import role_ratios

_BIRTHS_PER_TICKET = 0.45
"""Free rows beyond the backlog: bugs (below 0.32 of all tickets in real backlogs) and halves of split tickets."""

_ATTEMPTS_PER_TICKET = 7.0
"""Agent time of a ticket in usual coding attempts, idle agents included; 7.8 in the default scenario, where a ticket
takes 1.9 fresh attempts and as many tests. Used only to size a saturated backlog, with a margin."""


_SCAFFOLDS_OWN = (
    "calls_at_120_min", "first_context_tokens", "context_growth_tokens", "decode_tokens_per_call", "calls_sd_log",
    "tool_median_s", "tool_mean_s",
)  # fmt: skip
"""Keys of [tokens] that are as the scaffold has them where they are left out."""


@dataclass(frozen=True)
class Blueprint:
    """What a run is made of."""

    scenario: Scenario
    shop: Shop
    params: Params
    backlog: Backlog
    capacity: int
    n_bins: int

    @property
    def n_ticks(self) -> int:
        """Ticks of the whole run."""
        return ticks_of(self.scenario)

    def opening(self) -> State:
        """The state before the first tick."""
        return opening(self.shop, self.params, self.backlog, self.capacity, self.n_bins)


def draw(scenario: Scenario, roles: tuple[type[Worker], ...] | None = None) -> Blueprint:
    """Lays out a scenario; `roles` replaces the roster (each role by one of the same name). Raises ScenarioError."""
    reproducibility.fit(scenario.n_agents)
    programs.make_room()
    roster = _roster(roles)
    run, force = scenario.run, scenario.workforce
    headcount = {role.role: int(getattr(force, role.role)) for role in roster}
    n_rows = tuple(bucket(headcount[role.role]) for role in roster)
    habits = habits_of(scenario)
    _refuse_bugs(scenario, habits)
    site = site_of_scenario(scenario)
    attempt_s = _attempt_s(scenario, site, habits.attempt)
    slots = tuple(slots_of(n, _share_of_slots(run.tick_s, attempt_s)) for n in n_rows)
    backlog = _backlog(scenario, _tickets_wanted(scenario, attempt_s))
    ticks_per_bin = ceil(ticks_of(scenario) / run.series_bins)
    n_agents = sum(headcount.values())
    epic_slots = _epic_slots(scenario, backlog, n_agents)
    pools = tuple(model.name for model in scenario.serving.models)
    shop = Shop(
        roster, n_rows, slots, epic_slots, bug_slots=max(16, slots[0] // 4), pools=pools if len(pools) > 1 else ()
    )
    params = Params(
        seed=on_device(np.uint32(run.seed)),
        tick_s=real(run.tick_s),
        weight=real(force.weight),
        n_desks={role: whole(n) for role, n in headcount.items()},
        habits=habits_by_role(scenario, habits, headcount),
        intake=_intake(scenario, backlog, n_agents),
        site=site,
        defer_from_priority=whole(scenario.power.defer_from_priority),
        start_hour_of_day=real(0.0),
        start_day_of_year=real(run.start.timetuple().tm_yday - 1),
        warmup_ticks=whole(round(run.warmup_h * 3600.0 / run.tick_s)),
        ticks_per_bin=whole(ticks_per_bin),
    )
    capacity = bucket(ceil(len(backlog.size_min) * (1.0 + _BIRTHS_PER_TICKET)) + 256)
    return Blueprint(scenario, shop, params, backlog, capacity, run.series_bins)


def ticks_of(scenario: Scenario) -> int:
    """Ticks of the whole run, at least one."""
    return max(1, round(scenario.run.horizon_h * 3600.0 / scenario.run.tick_s))


def bucket(n: int) -> int:
    """The next of 1, 2, .. 8, 9, .. 16, 18, 20 ..: at most an eighth more, so that near sizes share a compilation."""
    if n <= 8:
        return max(n, 1)
    step = 2 ** (int(log2(n - 1)) - 3) if n > 16 else 1
    return -(-n // step) * step


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
        attempt=jax.tree.map(real, _attempt_law(scenario)),
        token_ratio=on_device((token_ratio * topology.token_multiplier).astype(np.float32)),
        tool_ratio=on_device(tool_ratio),
        success_table=_by_llm(tables),
        horizon_min=_by_llm(horizons_min(scenario)),
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


def horizons_min(scenario: Scenario) -> list[float]:
    """Task length solved half of the time at the start of the run, of each LLM in service."""
    able = scenario.capability
    days = 0 if able.as_of is None else (scenario.run.start - able.as_of).days
    return [horizon_at(days, each, able.doubling_days) for each in _of_llms(scenario, "horizon_min")]


def _of_llms(scenario: Scenario, name: str) -> list[float]:
    """A figure of [capability] for each LLM in service, which may have one of its own."""
    own = [getattr(model, name) for model in scenario.serving.models] or [None]
    return [getattr(scenario.capability, name) if value is None else value for value in own]


def _by_llm(figures: list[Any]) -> jax.Array:
    """Figures of several LLMs along a first axis; that of one LLM alone as it is."""
    return on_device(np.asarray(np.stack(figures) if len(figures) > 1 else figures[0], np.float32))


def bugs_per_ticket(scenario: Scenario, habits: Habits) -> float:
    """Expected escapes of one ticket of mean size in this team: bad patches that no one caught, defects no one found.

    `contradictions.rough_bugs_per_ticket` refuses at the door what no team could mend.
    """
    size_min = _mean_size_min(scenario)
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


def _refuse_bugs(scenario: Scenario, habits: Habits) -> None:
    expected = bugs_per_ticket(scenario, habits)
    if expected >= 1.0:
        remedy = "lower quality.defects_per_kloc, or raise quality.detection_test and the shares found"
        what = f"{expected:.2f} bug tickets return for each ticket, so the backlog never empties; allowed: below 1"
        raise ScenarioError(
            [Fault(scenario.name, "quality.defects_per_kloc", scenario.quality.defects_per_kloc, what, remedy)]
        )


def _roster(roles: tuple[type[Worker], ...] | None) -> tuple[type[Worker], ...]:
    try:
        from agents.roster import ROLES
    except ImportError as error:
        raise ImportError(
            "agents.roster: another package named `agents` (the openai-agents distribution?) is in this environment; "
            "install macrohard into an environment of its own"
        ) from error
    own = {role.role: role for role in roles or ()}
    unknown = set(own) - {role.role for role in ROLES}
    if unknown:
        raise ValueError(f"roles: no role {sorted(unknown)[0]!r}; choose from {', '.join(r.role for r in ROLES)}")
    return tuple(own.get(role.role, role) for role in ROLES)


def _attempt_law(scenario: Scenario) -> AttemptLaw:
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


def _mean_size_min(scenario: Scenario) -> float:
    work = scenario.backlog
    return work.size_median_min * float(np.exp(work.size_sd_log**2 / 2.0))


def _attempt_s(scenario: Scenario, site: Site, law: AttemptLaw) -> float:
    """Wall time of a usual coding attempt while all agents work: when attempts come by most often; of several LLMs the
    fastest.
    """
    shares = np.asarray(site.cluster.pool_share)
    streams = _streams(scenario).reshape(shares.shape)
    n_gpus = (scenario.cluster.n_gpus * shares).astype(np.float32)
    usual = _usual_demand(streams.astype(np.float32), _mean_size_min(scenario), law)
    usual_s = serve(site.serving, n_gpus, usual, 1.0).wall_s
    return max(float(np.asarray(usual_s)[streams > 0].min(initial=1e9)), 60.0)


def _streams(scenario: Scenario) -> np.ndarray:
    """Real agents by the LLM that serves them first."""
    streams = np.zeros(max(1, len(scenario.serving.models)))
    for role in ROLES:
        streams[first_llm(scenario, role)] += getattr(scenario.workforce, role) * scenario.workforce.weight
    return streams


@jax.jit
def _usual_demand(n_streams: jax.Array, size_min: Scalar, law: AttemptLaw) -> Demand:
    attempt = attempt_load(size_min, 0.0, 0.0, 1.0, law)
    usual = Demand(
        n_streams=n_streams,
        calls=attempt.calls,
        decode_tokens=attempt.decode_tokens,
        prefill_tokens=attempt.prefill_tokens,
        input_tokens=attempt.input_tokens,
        tool_s=law.tool_median_s,
    )
    of_each: Demand = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, n_streams.shape), usual)
    return of_each


def _share_of_slots(tick_s: float, attempt_s: float) -> float:
    """Share of a role's desks that may change hands within a tick: three times what usual coding attempts need.

    Rounded up to 1, 3/4, 1/2, 3/8 .., so that near scenarios share a compilation.
    """
    needed = 3.0 * tick_s / attempt_s
    power = 2.0 ** ceil(log2(needed))
    return min(1.0, 0.75 * power if needed <= 0.75 * power else power)


def _tickets_wanted(scenario: Scenario, attempt_s: float) -> int:
    """Tickets that a saturated run can use."""
    per_agent = scenario.run.horizon_h * 3600.0 / (attempt_s * _ATTEMPTS_PER_TICKET)
    return ceil(scenario.n_agents * (per_agent * 1.2 + 2.0 + scenario.backlog.wip_per_agent))


def _backlog(scenario: Scenario, wanted: int) -> Backlog:
    work, run = scenario.backlog, scenario.run
    if work.file:
        return _read_backlog(work.file)
    n_epics = work.n_epics
    if work.mode == "saturated":
        n_epics = n_epics or max(1, ceil(wanted / work.tickets_per_epic))
    drawn = _drawn(work, run.seed, run.horizon_h, n_epics)
    if drawn is None:
        remedy = "set backlog.n_epics or backlog.arrivals_per_day, or backlog.mode = saturated"
        nothing = Fault(scenario.name, "backlog.n_epics", 0, "there is no work at all; allowed: some", remedy)
        raise ScenarioError([nothing])
    return drawn


@lru_cache(maxsize=1)  # points of a sweep that share their luck share their backlog, one after the other
def _drawn(work: Work, seed: int, horizon_h: float, n_epics: int) -> Backlog | None:
    """The backlog of a seed; n_epics of them are there at the start. None if there is no work at all."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, 1]))
    arrivals = np.zeros(n_epics)
    if work.mode != "saturated":
        n_more = int(rng.poisson(work.arrivals_per_day * (horizon_h / 24.0)))
        arrivals = np.concatenate([arrivals, np.sort(rng.uniform(0.0, horizon_h, n_more))])
    if not len(arrivals):
        return None
    return backlogs.generate(
        n_epics=len(arrivals),
        tickets_per_epic=work.tickets_per_epic,
        size_median_min=work.size_median_min,
        size_sd_log=work.size_sd_log,
        arrivals_h=arrivals,
        blocked_share=work.blocked_share,
        blockers_mean=work.blockers_mean,
        kind_shares=[float(getattr(work.kinds, kind)) for kind in KINDS],
        seed=int(rng.integers(2**31)),
    )


def _read_backlog(path: str) -> Backlog:
    """The user's own backlog; each fault of the file is one of the scenario."""
    try:
        return backlogs.read(path)
    except ValueError as error:
        lines = [line.removeprefix(f"{path}: ") for line in str(error).splitlines()]
        faults = [Fault(path, "backlog.file", None, line, "mend the file", has_value=False) for line in lines]
        raise ScenarioError(faults) from None


def _intake(scenario: Scenario, backlog: Backlog, n_agents: int) -> Intake:
    run, work = scenario.run, scenario.backlog
    rows = np.flatnonzero(backlog.is_epic)
    n_epics = len(rows)
    sizes = np.diff(np.append(rows, len(backlog.size_min))) - 1
    tick_h = run.tick_s / 3600.0
    padded = bucket(n_epics)

    def column(values: np.ndarray) -> jax.Array:
        full = np.zeros(padded, np.int32)
        full[:n_epics] = values
        return on_device(full)

    return Intake(
        epic_row=column(rows),
        arrival_tick=column(np.ceil(backlog.arrival_h[rows] / tick_h)),
        n_tickets=column(sizes),
        n_epics=whole(n_epics),
        is_saturated=on_device(np.bool_(work.mode == "saturated")),
        wip_target=real(max(1.0, work.wip_per_agent * n_agents)),
        tickets_per_epic=real(max(1.0, float(sizes.mean()))),
        bug_delay_ticks=whole(min(round(scenario.quality.bug_delay_h / tick_h), 2**30)),
        bug_size_share=real(scenario.quality.bug_size_share),
    )


def _epic_slots(scenario: Scenario, backlog: Backlog, n_agents: int) -> int:
    """Epics that may come in within a tick: as many as ever arrive in one, the start spread over an hour of ticks."""
    if scenario.backlog.mode == "saturated":
        return bucket(max(8, n_agents // (8 * scenario.backlog.tickets_per_epic)))
    rows = np.flatnonzero(backlog.is_epic)
    ticks = np.ceil(backlog.arrival_h[rows] * 3600.0 / scenario.run.tick_s).astype(np.int64)
    at_start = int((ticks == 0).sum())
    later = np.bincount(ticks[ticks > 0]).max(initial=0)
    return bucket(max(8, ceil(at_start / 60), int(later)))
