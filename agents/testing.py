"""Testing: runs the tests of a patch."""

import jax
import jax.numpy as jnp

from agents.work import Defects, Habits, Outcomes, Stage, Ticket
from agents.worker import Worker


class Tester(Worker):
    """Runs the tests of a patch: passes it on, or sends a bad one it caught back to code."""

    role = "testing"
    stages = (Stage.TEST,)

    @staticmethod
    def defects(ticket: Ticket, habits: Habits) -> Defects:
        """Unit, integration and system tests together find their share of the latent defects."""
        found = habits.found_test * ticket.defects
        return Defects(found=found, left=ticket.defects - found)

    @staticmethod
    def detection(ticket: Ticket, habits: Habits) -> jax.Array:
        """The detection rate of the tests."""
        return jnp.full_like(ticket.size_min, habits.detection_test)

    @classmethod
    def outcomes(cls, ticket: Ticket, habits: Habits) -> Outcomes:
        """A bad patch goes back if it is caught."""
        caught = jnp.where(ticket.patch_is_good, 0.0, cls.detection(ticket, habits))
        return {Stage.CODE: caught, Stage.REVIEW: 1.0 - caught}
