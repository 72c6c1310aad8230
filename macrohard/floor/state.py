"""What a run is told (Shop, Params) and what it knows (State), and the counts it keeps."""

from dataclasses import dataclass
from itertools import accumulate

import jax
import jax.numpy as jnp

from agents.work import Habits
from agents.worker import Worker
from macrohard.colossus.serving import Served
from macrohard.colossus.site import Site, SiteState
from macrohard.colossus.units import Scalar
from macrohard.floor.desks import Desks
from macrohard.floor.queues import Queues
from macrohard.floor.readings import Record
from macrohard.floor.tickets import Tickets


@dataclass(frozen=True)
class Shop:
    """What the compiler must know: who works here, and how many rows a tick handles at once."""

    roles: tuple[type[Worker], ...]
    """Management first: only its first rows may close tickets."""
    n_rows: tuple[int, ...]
    """Desk rows of each role; the workers hired may be fewer."""
    slots: tuple[int, ...]
    """Per role: attempts that may begin, and that may end, within a tick."""
    epic_slots: int
    bug_slots: int
    pools: tuple[str, ...] = ()
    """Names of the pools of GPUs where several LLMs are in service; none where one is."""

    @property
    def n_llms(self) -> int:
        """LLMs in service."""
        return max(1, len(self.pools))

    @property
    def first_row(self) -> tuple[int, ...]:
        """First desk row of each role."""
        return tuple(accumulate((0, *self.n_rows[:-1])))

    @property
    def first_slot(self) -> tuple[int, ...]:
        """First slot of each role."""
        return tuple(accumulate((0, *self.slots[:-1])))


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Intake:
    """How work comes in: epics in order of arrival, and what returns as a bug ticket."""

    epic_row: jax.Array
    """Ticket row of each epic, shape (epics,), padded."""
    arrival_tick: jax.Array
    """When it arrives, shape (epics,); in saturated mode it comes when it is needed instead."""
    n_tickets: jax.Array
    """Tickets of each epic, shape (epics,)."""
    n_epics: Scalar
    is_saturated: Scalar
    wip_target: Scalar
    """Saturated: epics come in while fewer tickets than this wait."""
    tickets_per_epic: Scalar
    bug_delay_ticks: Scalar
    """Ticks from the shipping of a defect to its return as a ticket."""
    bug_size_share: Scalar
    """Size of a bug ticket as a share of the ticket it escaped from."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Params:
    """Everything a run needs that is data: other numbers need no other compilation."""

    seed: Scalar
    tick_s: Scalar
    weight: Scalar
    """Real workers and tickets that each simulated one stands for."""
    n_desks: dict[str, Scalar]
    """Workers hired by role; the arrays may have more rows."""
    habits: dict[str, Habits]
    intake: Intake
    site: Site
    defer_from_priority: Scalar
    """Tickets of this priority and later ones wait while the site defers."""
    start_hour_of_day: Scalar
    start_day_of_year: Scalar
    warmup_ticks: Scalar
    ticks_per_bin: Scalar


COUNTS = (
    "created",
    "done",
    "given_up",
    "bugs",
    "escaped",
    "bad_shipped",
    "with_escape",
    "code_attempts",
    "splits",
    "escalations",
    "lost_rows",
    "late_handovers",
    "late_starts",
)
"""What is counted, in simulated tickets: tickets that came in, done, given up; bug tickets that came back; defects and
bad patches that escaped; patches shipped bad; tickets done with an escape; fresh attempts at code; splits; changes of
model; tickets that found no free row; ticks that workers waited to hand over, and to begin although tickets waited,
because more did so at once than one tick passes on."""


def counted(**more: jax.Array) -> jax.Array:
    """What to add to the counts, shape (counts,): the named ones, zero for the rest."""
    return jnp.stack([jnp.asarray(more.get(name, 0), jnp.int32) for name in COUNTS])


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class State:
    """The whole factory at one moment."""

    tick: jax.Array
    tickets: Tickets
    n_rows: jax.Array
    """Rows born so far."""
    queues: Queues
    desks: Desks
    epic_cursor: jax.Array
    """Epics that have come in."""
    epics_planned: jax.Array
    bug_cursor: jax.Array
    """First row that may be a bug that has not come back yet."""
    speed: Served
    """Speeds of the last tick, at which the flow of the next is taken; by pool where there are several."""
    site: SiteState
    counts: jax.Array
    """Shape (counts,), see COUNTS."""
    record: Record
