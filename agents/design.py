"""Design: turns a planned ticket into something that can be coded."""

import jax.numpy as jnp

from agents.work import Habits, Outcomes, Stage, Ticket
from agents.worker import Worker


class Designer(Worker):
    """Designs a ticket and hands it to coding."""

    role = "design"
    stages = (Stage.DESIGN,)

    @staticmethod
    def outcomes(ticket: Ticket, habits: Habits) -> Outcomes:
        """Always goes on to code."""
        return {Stage.CODE: jnp.ones_like(ticket.size_min)}
