"""What a run would need, estimated before anything is allocated, and the limits beyond which it is refused."""

from dataclasses import dataclass

from macrohard.faults import Fault
from macrohard.scenario.sections import Backlog, Run, Workforce

MAX_TICKS = 100_000_000
"""190 years of minutes; ticks are counted in 32 bits."""

MAX_SIMULATED = 2_000_000_000
"""Rows of workers or tickets; rows are counted in 32 bits."""

TICKET_BYTES = 192 + 24 * 4
"""A ticket's row with its history, and its places in 24 queues of 4 bytes."""

WORKER_BYTES = 120

_COPIES = 3.0
"""State, its successor within a tick, and the host's copy: 3.3 GB of peak memory for 3.9 million rows, measured."""

_BASE_BYTES = 600e6
"""The process with JAX and its compiled code (measured, rounded up)."""

_TICKETS_PER_AGENT_DAY = 20.0
"""What a saturated backlog is drawn for: 17 on the bundled sites, of which 13 are used (measured)."""

_MORE_ROWS = 1.6
"""Free rows for bugs and halves of split tickets, and rounding up to sizes that share a compilation."""


@dataclass(frozen=True)
class Estimate:
    """What a run needs."""

    ticks: float
    agents: int
    tickets: float
    """Most rows of tickets and epics."""
    memory_gb: float


def estimate(run: Run, workforce: Workforce, backlog: Backlog) -> Estimate:
    """Ticks, rows and memory of a run, in floating point: it cannot overflow and allocates nothing."""
    days = run.horizon_h / 24
    agents = workforce.coding + workforce.design + workforce.testing + workforce.management
    per_epic = backlog.tickets_per_epic + 1.0
    planned = backlog.n_epics * per_epic + backlog.arrivals_per_day * days * per_epic
    if backlog.mode == "saturated" and not backlog.n_epics:
        planned = agents * (days * _TICKETS_PER_AGENT_DAY + backlog.wip_per_agent + 2.0)
    tickets = planned * _MORE_ROWS
    held = _COPIES * (tickets * TICKET_BYTES + agents * float(WORKER_BYTES))
    return Estimate(run.horizon_h * 3600 / run.tick_s, agents, tickets, (_BASE_BYTES + held) / 1e9)


def beyond(place: str, run: Run, workforce: Workforce, backlog: Backlog) -> list[Fault]:
    """The limits a run would break, each with the estimate."""
    need = estimate(run, workforce, backlog)
    faults = []
    if need.ticks > MAX_TICKS:
        what = f"{need.ticks:.3g} ticks of {run.tick_s:g} s; allowed: at most {MAX_TICKS:,}"
        faults.append(Fault(place, "run.horizon_h", run.horizon_h, what, "shorten the horizon or lengthen run.tick_s"))
    needs = f"about {need.memory_gb:,.3g} GB of memory for {need.agents:,} agents and {need.tickets:.3g} tickets"
    limit = f"allowed: at most run.memory_limit_gb = {run.memory_limit_gb:g} GB"
    if need.memory_gb > run.memory_limit_gb or max(need.agents, need.tickets) > MAX_SIMULATED:
        key, value = _blamed(need, workforce, backlog)
        remedy = "simulate fewer and let each stand for more (workforce.weight), or raise run.memory_limit_gb"
        faults.append(Fault(place, key, value, f"needs {needs}; {limit}", remedy))
    return faults


def _blamed(need: Estimate, workforce: Workforce, backlog: Backlog) -> tuple[str, object]:
    """The key that asks for most of the memory."""
    if backlog.mode == "arrivals" and need.tickets * TICKET_BYTES > need.agents * WORKER_BYTES:
        at_start = backlog.n_epics * (backlog.tickets_per_epic + 1.0) * 1.6
        key = "n_epics" if at_start > 0.5 * need.tickets else "arrivals_per_day"
        return f"backlog.{key}", getattr(backlog, key)
    counts = {role: int(getattr(workforce, role)) for role in ("coding", "design", "testing", "management")}
    role = max(counts, key=lambda each: counts[each])
    return f"workforce.{role}", counts[role]
