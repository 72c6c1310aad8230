"""Management: reviews patches, plans tickets and epics, and decides what becomes of a ticket that is stuck."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from agents.work import Defects, Habits, Outcomes, Stage, Ticket
from agents.worker import Worker


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Replan:
    """What management decides for a ticket in planning; at most one is true, none for a ticket that is not stuck."""

    escalate: jax.Array
    split: jax.Array
    give_up: jax.Array


class Manager(Worker):
    """Reviews first, then plans tickets, then plans epics."""

    role = "management"
    stages = (Stage.REVIEW, Stage.PLAN, Stage.ROADMAP)

    @staticmethod
    def replan(ticket: Ticket, habits: Habits) -> Replan:
        """After max_attempts failures another model tries; after max_escalations models the ticket is split in two."""
        stuck = (ticket.stage == Stage.PLAN) & (ticket.failures >= habits.max_attempts)
        escalate = stuck & (ticket.escalations < habits.max_escalations)
        give_up = stuck & ~escalate & (ticket.size_min / 2 < habits.give_up_below_min)
        return Replan(escalate=escalate, split=stuck & ~escalate & ~give_up, give_up=give_up)

    @staticmethod
    def defects(ticket: Ticket, habits: Habits) -> Defects:
        """A review finds its share of the latent defects."""
        found = jnp.where(ticket.stage == Stage.REVIEW, habits.found_review * ticket.defects, 0.0)
        return Defects(found=found, left=ticket.defects - found)

    @staticmethod
    def detection(ticket: Ticket, habits: Habits) -> jax.Array:
        """The detection rate of a review."""
        return jnp.where(ticket.stage == Stage.REVIEW, habits.detection_review, 0.0)

    @classmethod
    def outcomes(cls, ticket: Ticket, habits: Habits) -> Outcomes:
        """A reviewed patch ships, or goes back if it was seen to be bad or conflicts; a plan goes on to design."""
        decision = cls.replan(ticket, habits)
        again = jnp.where(decision.escalate | decision.split, 1.0, 0.0)
        drop = jnp.where(decision.give_up, 1.0, 0.0)
        caught = jnp.where(ticket.patch_is_good, 0.0, cls.detection(ticket, habits))
        conflict = 1.0 - jnp.exp(-habits.conflict_per_open_change * ticket.open_changes)
        back = 1.0 - (1.0 - caught) * (1.0 - conflict)
        review, plan = ticket.stage == Stage.REVIEW, ticket.stage == Stage.PLAN
        return {
            Stage.CODE: jnp.where(review, back, jnp.where(plan, again, 0.0)),
            Stage.GIVEN_UP: jnp.where(plan, drop, 0.0),
            Stage.DESIGN: jnp.where(plan, 1.0 - again - drop, 0.0),
            Stage.DONE: jnp.where(review, 1.0 - back, jnp.where(plan, 0.0, 1.0)),
        }
