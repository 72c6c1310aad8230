"""The worker: a Mesa agent that is a light handle over one desk of the shop floor, and the rules every role shares.

A role overrides rules as static, pure functions of one desk; the floor compiles them. A user may instead override
`step()` in plain Python, which Mesa calls after each tick in step mode.
"""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import mesa

from agents.attempt import attempt_load
from agents.work import Chance, Defects, Habits, Load, Outcomes, Stage, Ticket


class Worker(mesa.Agent):  # type: ignore[misc]
    """One worker. Properties read the shop floor; assigning `progress` writes it (step mode only)."""

    role: ClassVar[str]
    stages: ClassVar[tuple[Stage, ...]]
    """The stages this role serves; work on an earlier one in this list is taken first."""

    def __init__(self, model: Any, row: int) -> None:
        """Makes the handle of desk `row` among the desks of this role."""
        super().__init__(model)
        self.row = row

    @staticmethod
    def success(ticket: Ticket, habits: Habits) -> jax.Array:
        """Chance that the patch is good after this attempt: unchanged by all work but coding."""
        return jnp.where(ticket.patch_is_good, 1.0, 0.0)

    @staticmethod
    def load(ticket: Ticket, habits: Habits, chance: Chance) -> Load:
        """Calls, tokens and tool time of an attempt: the coding law times the ratios of this stage and kind.

        Coding that fails costs more than coding that succeeds; other work does not know.
        """
        stage = ticket.stage.astype(jnp.int32)
        kind = ticket.kind.astype(jnp.int32)
        law = habits.attempt
        usual = (law.bad_factor - 1.0) / jnp.maximum(law.bad_factor - law.good_factor, 1e-6)  # keeps the mean
        good = jnp.where(stage == Stage.CODE, jnp.where(chance.good, 1.0, 0.0), jnp.clip(usual, 0.0, 1.0))
        tokens = habits.token_ratio[stage, kind] * ticket.work_share
        tools = habits.tool_ratio[stage, kind] * ticket.work_share
        attempt = attempt_load(ticket.size_min, chance.normal_calls, chance.normal_tool, good, law)
        return Load(
            calls=attempt.calls * tokens,
            prefill_tokens=attempt.prefill_tokens * tokens,
            cached_tokens=attempt.cached_tokens * tokens,
            decode_tokens=attempt.decode_tokens * tokens,
            tool_s=attempt.tool_s * tools,
        )

    @staticmethod
    def defects(ticket: Ticket, habits: Habits) -> Defects:
        """Latent defects found by this attempt and left after it: none found, all left."""
        return Defects(found=jnp.zeros_like(ticket.defects), left=ticket.defects)

    @staticmethod
    def detection(ticket: Ticket, habits: Habits) -> jax.Array:
        """Chance that this attempt sees a bad patch for what it is: none but in testing and review."""
        return jnp.zeros_like(ticket.size_min)

    @staticmethod
    def outcomes(ticket: Ticket, habits: Habits) -> Outcomes:
        """Chances of the stage that follows, given the patch as this attempt leaves it."""
        raise NotImplementedError

    @property
    def busy(self) -> bool:
        """Whether the worker has a ticket."""
        return self.ticket is not None

    @property
    def ticket(self) -> int | None:
        """Id of the ticket on the desk."""
        row = int(self.model.desk(self.role, "ticket")[self.row])
        return None if row < 0 else row

    @property
    def stage(self) -> Stage | None:
        """Stage of the work on the desk."""
        return Stage(int(self.model.desk(self.role, "stage")[self.row])) if self.busy else None

    @property
    def progress(self) -> float:
        """Share of the present attempt that is done, 0 to 1."""
        return float(self.model.desk(self.role, "progress")[self.row])

    @progress.setter
    def progress(self, share: float) -> None:
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"progress: {share} is not between 0 and 1")
        self.model.write_desk(self.role, "progress", self.row, share)

    @property
    def decode_tokens(self) -> int:
        """Tokens that the present attempt generates in all."""
        return int(self.model.desk(self.role, "decode_tokens")[self.row]) if self.busy else 0

    def step(self) -> None:
        """Called after each tick in step mode; overridden by users who want behaviour of their own in Python."""
