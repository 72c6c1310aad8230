"""Testing: runs the tests of a patch."""

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
    def outcomes(ticket: Ticket, habits: Habits) -> Outcomes:
        """A bad patch is caught with the detection rate of the tests."""
        caught = jnp.where(ticket.patch_is_good, 0.0, habits.detection_test)
        return {Stage.CODE: caught, Stage.REVIEW: 1.0 - caught}
