"""The factory as a Mesa model: step by step, with its workers as agents made on first use."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property

import jax
import jax.numpy as jnp
import mesa
import networkx as nx
import numpy as np
import pandas as pd
from mesa.agent import AgentSet

from agents import teams
from agents.work import Stage
from agents.worker import Worker
from macrohard.blueprint import draw
from macrohard.floor.columns import place
from macrohard.floor.desks import Job
from macrohard.floor.queues import waiting
from macrohard.floor.tick import advance
from macrohard.results import metrics
from macrohard.results.metrics import Kept
from macrohard.runs import Result, result_of
from macrohard.scenario import Scenario


class Factory(mesa.Model):  # type: ignore[misc]
    """A running scenario. `step()` advances by one tick and then lets agents act; `run(ticks)` advances fast.

    The state of all workers, tickets, queues and the site is `state`, one pytree; agents are handles over its rows.
    Any mixture of `step` and `run` gives the same bits, as long as no agent changes its desk. `running` turns false
    at the horizon of the scenario, so that Mesa's `run_model()` ends there.
    """

    def __init__(
        self,
        scenario: Scenario | None = None,
        roles: Iterable[type[Worker]] = (),
        datacollector: mesa.DataCollector | None = None,
    ) -> None:
        """Opens the factory; `roles` are the user's own subclasses, each in place of the role of its name.

        A `datacollector` collects after every `step` (not within `run`).
        """
        scenario = Scenario.load() if scenario is None else scenario
        super().__init__(rng=scenario.run.seed)
        self.scenario = scenario
        self.plan = draw(scenario, tuple(roles))
        self.state = self.plan.opening()
        self.datacollector = datacollector
        self._ticks_left = self.plan.n_ticks
        self._written: dict[str, np.ndarray] = {}
        self._read: dict[str, np.ndarray] = {}
        self._hired = False

    @property
    def agents(self) -> AgentSet:
        """All workers, as an AgentSet; handles are made when first asked for."""
        self._hire()
        return self._all_agents

    @property
    def agents_by_type(self) -> dict[type[mesa.Agent], AgentSet]:
        """Workers by class."""
        self._hire()
        by_type: dict[type[mesa.Agent], AgentSet] = self._agents_by_type
        return by_type

    @property
    def time_h(self) -> float:
        """Simulated hours since the start."""
        return int(self.state.tick) * self.scenario.run.tick_s / 3600.0

    @property
    def queues(self) -> dict[str, int]:
        """Tickets waiting, by stage."""
        lengths = np.asarray(waiting(self.state.queues)).reshape(-1, 4).sum(axis=1)
        return {Stage(stage).name.lower(): int(n) for stage, n in enumerate(lengths)}

    @property
    def activity(self) -> dict[str, np.ndarray]:
        """What every worker did in the last tick, by role: texts of shape (workers,), the stage of its work or "idle".

        A worker whose attempt ended within the tick has no ticket now, but credit for the rest of it.
        """
        names = np.array(["idle", *(stage.name.lower() for stage in Stage)])
        found = {}
        for role in self.plan.shop.roles:
            n = int(getattr(self.scenario.workforce, role.role))
            busy = (self.desk(role.role, "ticket")[:n] >= 0) | (self.desk(role.role, "credit_s")[:n] > 0.0)
            found[role.role] = names[np.where(busy, self.desk(role.role, "stage")[:n] + 1, 0)]
        return found

    @cached_property
    def organisation(self) -> nx.Graph:
        """Who works with whom; nodes are (role, row)."""
        force = self.scenario.workforce
        headcount = {role.role: int(getattr(force, role.role)) for role in self.plan.shop.roles}
        return teams.organisation(headcount, force.topology)

    def step(self) -> None:
        """One tick; then, in random order, the agents whose class overrides `step`."""
        self._advance(1)
        if any(role.step is not Worker.step for role in self.plan.shop.roles):
            for role in self.plan.shop.roles:
                if role.step is not Worker.step:
                    self.agents_by_type[role].shuffle_do("step")
        if self.datacollector is not None:
            self.datacollector.collect(self)

    def run(self, ticks: int) -> None:
        """Advances by so many ticks without letting agents act in between."""
        self._advance(ticks)

    def series(self) -> pd.DataFrame:
        """The series so far, as `result().series` has it: one row per bin that has begun. Takes milliseconds."""
        plan = self.plan
        return metrics.series(
            Kept(plan.shop, plan.params, replace(self.state, record=jax.device_get(self.state.record)))
        )

    def result(self) -> Result:
        """Summary, series and tickets as of now."""
        self._push()
        return result_of(self.plan, self.state, wall_s=0.0, compile_s=0.0)

    def desk(self, role: str, column: str) -> np.ndarray:
        """A column of the desks of a role, as of now; read through by the handles."""
        if column not in self._read:
            desks = self.state.desks
            values = getattr(desks, column) if hasattr(desks, column) else getattr(desks.job, column)
            self._read[column] = np.array(values)
        return self._read[column][self._rows(role)]

    def write_desk(self, role: str, column: str, row: int, value: float) -> None:
        """Changes one cell of the desks; all changes are pushed together before the next tick."""
        self.desk(role, column)[row] = value
        self._written[column] = self._read[column]

    def _rows(self, role: str) -> slice:
        shop = self.plan.shop
        at = [each.role for each in shop.roles].index(role)
        return slice(shop.first_row[at], shop.first_row[at] + shop.n_rows[at])

    def _hire(self) -> None:
        if self._hired:
            return
        self._hired = True
        for role in self.plan.shop.roles:
            n = int(getattr(self.scenario.workforce, role.role))
            if n:
                role.create_agents(self, n, list(range(n)))

    def _advance(self, ticks: int) -> None:
        self._push()
        self.state = advance(self.plan.shop, self.plan.params, self.state, ticks)
        self._read = {}
        self._ticks_left -= ticks
        self.running = self._ticks_left > 0

    def _push(self) -> None:
        if not self._written:
            return
        desks = self.state.desks
        for column, values in self._written.items():
            if column in desks.__dataclass_fields__:
                desks = replace(desks, **{column: jnp.array(values)})
            else:
                words = values.view(np.int32) if values.dtype == np.float32 else values.astype(np.int32)
                desks = replace(desks, words=desks.words.at[place(Job, column)].set(jnp.array(words)))
        self.state = replace(self.state, desks=desks)
        self._written = {}
