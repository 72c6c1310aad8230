"""Coding: writes the patch, and with it the latent defects."""

import jax
import jax.numpy as jnp

from agents.capability import success_chance, success_mean
from agents.work import Defects, Habits, Outcomes, Stage, Ticket
from agents.worker import Worker


class Coder(Worker):
    """Writes a patch; whether it solves the ticket stays hidden until somebody finds out."""

    role = "coding"
    stages = (Stage.CODE,)

    @staticmethod
    def success(ticket: Ticket, habits: Habits) -> jax.Array:
        """Chance that the patch is good: the same for every retry by the same model; rework keeps what it mends."""
        offset = habits.kind_offset[ticket.kind.astype(jnp.int32)]
        horizon_min, beta = habits.able(ticket.llm)
        mean = success_mean(ticket.size_min, horizon_min, beta, offset)
        solved = success_chance(habits.success_table, mean, ticket.quantile, ticket.llm)
        fresh = solved * (1.0 - habits.handoff_error)
        return jnp.where(ticket.work_share < 1.0, jnp.where(ticket.patch_is_good, 1.0, 0.0), fresh)

    @staticmethod
    def defects(ticket: Ticket, habits: Habits) -> Defects:
        """A fresh patch brings latent defects, of which the self check finds (and mends) some."""
        written = habits.defects_per_min * ticket.size_min
        left = jnp.where(ticket.work_share < 1.0, ticket.defects, written * (1.0 - habits.found_self_check))
        return Defects(found=jnp.zeros_like(left), left=left)

    @staticmethod
    def outcomes(ticket: Ticket, habits: Habits) -> Outcomes:
        """Always goes on to test."""
        return {Stage.TEST: jnp.ones_like(ticket.size_min)}
