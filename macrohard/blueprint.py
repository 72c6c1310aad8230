"""From a scenario to what a run is made of: the shop, its parameters as pytrees, and its backlog."""

from dataclasses import dataclass
from math import ceil, log2

import jax
import jax.numpy as jnp
import numpy as np

from agents.attempt import AttemptLaw, attempt_load
from agents.worker import Worker
from macrohard import programs, reproducibility
from macrohard.backlog import Backlog, backlog_of
from macrohard.colossus.device import on_device, real, whole
from macrohard.colossus.serving import Demand, serve
from macrohard.colossus.site import Site
from macrohard.colossus.units import Scalar
from macrohard.floor.assign import slots_of
from macrohard.floor.opening import opening
from macrohard.floor.state import Intake, Params, Shop, State
from macrohard.habits import first_llm, habits_by_role, habits_of, mean_size_min, refuse_bugs
from macrohard.names import ROLES
from macrohard.scenario import Scenario
from macrohard.siting import site_of_scenario

_BIRTHS_PER_TICKET = 0.45
"""Free rows beyond the backlog: bugs (below 0.32 of all tickets in real backlogs) and halves of split tickets."""

_ATTEMPTS_PER_TICKET = 7.0
"""Agent time of a ticket in usual coding attempts, idle agents included; 7.8 in the default scenario, where a ticket
takes 1.9 fresh attempts and as many tests. Used only to size a saturated backlog, with a margin."""


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
    refuse_bugs(scenario, habits)
    site = site_of_scenario(scenario)
    attempt_s = _attempt_s(scenario, site, habits.attempt)
    slots = tuple(slots_of(n, _share_of_slots(run.tick_s, attempt_s)) for n in n_rows)
    backlog = backlog_of(scenario, _tickets_wanted(scenario, attempt_s))
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


def _attempt_s(scenario: Scenario, site: Site, law: AttemptLaw) -> float:
    """Wall time of a usual coding attempt while all agents work: when attempts come by most often; of several LLMs the
    fastest.
    """
    shares = np.asarray(site.cluster.pool_share)
    streams = _streams(scenario).reshape(shares.shape)
    n_gpus = (scenario.cluster.n_gpus * shares).astype(np.float32)
    usual = _usual_demand(streams.astype(np.float32), mean_size_min(scenario), law)
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
