"""The factory as a Mesa model."""

from typing import ClassVar

import jax
import jax.numpy as jnp
import mesa
import numpy as np
import pandas as pd
import pytest
from small import small

from agents import testing
from agents.coding import Coder
from agents.work import Habits, Outcomes, Stage, Ticket
from macrohard import programs
from macrohard.factory import Factory
from macrohard.floor.tick import advance
from macrohard.runs import run


class Blind(testing.Tester):
    """A tester who lets every patch pass."""

    @staticmethod
    def outcomes(ticket: Ticket, habits: Habits) -> Outcomes:
        passes = jnp.ones_like(ticket.size_min)
        return {Stage.REVIEW: passes}


class Hero(Coder):
    """A coder who, in plain Python, ends every attempt in the tick after it has begun."""

    finished: ClassVar[int] = 0

    def step(self) -> None:
        if self.busy:
            self.progress = 1.0
            type(self).finished += 1


def digest(factory: Factory) -> str:
    return str(factory.result().summary["run"]["digest"])


def test_stepping_and_running_give_the_same_bits():
    """Ninety steps, ninety ticks at once, and any mixture end in the same state, bit for bit."""
    stepped, ran, mixed = Factory(small()), Factory(small()), Factory(small())
    for _ in range(90):
        stepped.step()
    ran.run(90)
    for part in (1, 29, 60):
        mixed.run(part)
    assert digest(stepped) == digest(ran) == digest(mixed)
    for a, b in zip(jax.tree.leaves(stepped.state), jax.tree.leaves(ran.state), strict=True):
        assert np.array_equal(np.asarray(a), np.asarray(b), equal_nan=True)


def test_agents_are_made_when_first_asked_for():
    """A run of millions does not pay for objects that nobody looks at."""
    factory = Factory(small())
    factory.run(5)
    assert len(factory._agents) == 0
    assert len(factory.agents) == 20
    assert {role.__name__: len(agents) for role, agents in factory.agents_by_type.items()} == {
        "Manager": 4, "Designer": 2, "Coder": 8, "Tester": 6,
    }  # fmt: skip


def test_agent_sets_select_aggregate_and_group():
    """Mesa's own tools work on the handles, and see what the arrays hold."""
    factory = Factory(small())
    factory.run(120)
    busy = factory.agents.select(lambda agent: agent.busy)
    assert len(busy) == int(np.sum(np.asarray(factory.state.desks.ticket) >= 0))
    assert 0.0 <= busy.agg("progress", max) <= 1.0
    grouped = factory.agents.groupby(lambda agent: agent.role)
    assert set(grouped.groups) == {"management", "design", "coding", "testing"}
    assert all(agent.stage in (Stage.CODE, None) for agent in factory.agents_by_type[Coder])


def test_a_data_collector_collects():
    """Mesa's DataCollector reads model and agents after each step."""
    factory = Factory(small())
    collector = mesa.DataCollector(
        model_reporters={"time_h": "time_h", "waiting": lambda model: sum(model.queues.values())},
        agent_reporters={"progress": "progress"},
    )
    for _ in range(3):
        factory.step()
        collector.collect(factory)
    assert collector.get_model_vars_dataframe()["time_h"].tolist() == pytest.approx([1 / 60, 2 / 60, 3 / 60])
    assert len(collector.get_agent_vars_dataframe()) == 3 * 20


def test_a_collector_handed_over_collects_after_each_step():
    """As Mesa's models do by themselves, so that its plots of a model's variables work."""
    collector = mesa.DataCollector(model_reporters={"load_mw": lambda model: model.series()["load_mw"].iloc[-1]})
    factory = Factory(small(), datacollector=collector)
    for _ in range(3):
        factory.step()
    loads = collector.get_model_vars_dataframe()["load_mw"]
    assert len(loads) == 3 and (loads > 0).all()


def test_the_series_and_the_doings_of_all_workers_are_at_hand():
    """The series is that of the result; who was at which stage agrees with the handles and with the counts."""
    factory = Factory(small())
    assert factory.series().empty
    factory.run(120)
    pd.testing.assert_frame_equal(factory.series(), factory.result().series)
    last = factory.series().iloc[-1]
    for role, agents in factory.agents.groupby(lambda agent: agent.role):
        did = factory.activity[role]
        assert all(agent.stage is None or did[agent.row] == agent.stage.name.lower() for agent in agents)
        assert np.count_nonzero(did != "idle") == last[f"busy_{role}"]
    every = np.concatenate(list(factory.activity.values()))
    assert all(np.count_nonzero(every == stage) == last[f"at_{stage}"] for stage in ("plan", "code", "test", "review"))


def test_mesas_own_loop_ends_at_the_horizon():
    """`run_model` steps as long as the model is running."""
    factory = Factory(small())
    factory.run_model()
    assert factory.steps == factory.plan.n_ticks == 1440
    assert not factory.running


def test_steps_are_counted_once():
    """Mesa counts the steps; the state counts the ticks; they agree."""
    factory = Factory(small())
    for _ in range(4):
        factory.step()
    assert factory.steps == int(factory.state.tick) == 4


def test_a_subclass_may_override_a_rule_and_is_compiled():
    """With testers who pass everything, bad patches are caught by review alone and more of them ship."""
    usual, blind = Factory(small()), Factory(small(), roles=[Blind])
    usual.run(1440)
    blind.run(1440)
    shipped = [factory.result().summary["work"]["bad_shipped_share"] for factory in (usual, blind)]
    assert shipped[1] > 1.3 * shipped[0]
    assert Blind in blind.agents_by_type


def test_a_subclass_may_override_step_in_plain_python():
    """A coder who ends attempts by hand is through in two ticks a pass, sooner than the clock would let him."""
    Hero.finished = 0
    factory = Factory(small(), roles=[Hero])
    for _ in range(60):
        factory.step()
    plain = Factory(small())
    plain.run(60)
    coded_h = [each.result().tickets.query("attempts == 1")["work_h_code"] for each in (factory, plain)]
    assert Hero.finished > 0
    assert coded_h[0].mean() < 0.7 * coded_h[1].mean()


def test_an_unknown_role_is_refused_by_name():
    """Roles are replaced, not added behind the floor's back."""

    class Lawyer(Coder):
        role = "law"

    with pytest.raises(ValueError, match="no role 'law'; choose from management, design, coding, testing"):
        Factory(small(), roles=[Lawyer])


def test_progress_outside_its_range_is_refused():
    """A handle writes only what the floor can hold."""
    factory = Factory(small())
    factory.run(30)
    with pytest.raises(ValueError, match="progress"):
        next(iter(factory.agents)).progress = 1.5


def test_the_organisation_is_a_graph_of_all_workers():
    """Every worker has one manager in the default topology."""
    graph = Factory(small()).organisation
    assert graph.number_of_nodes() == 20
    assert all(graph.degree(node) == 1 for node in graph if node[0] != "management")


def test_compiled_programs_are_let_go_before_memory_maps_run_out(monkeypatch):
    """A session of many layouts keeps few of them compiled; those let go still give the same bits."""
    first = run(small("run.horizon_h=2", "run.warmup_h=0.5")).summary["run"]["digest"]
    monkeypatch.setattr(programs, "MANY_MAPS", 0)
    before = advance._cache_size()
    again = run(small("run.horizon_h=2", "run.warmup_h=0.5")).summary["run"]["digest"]
    assert before >= 1 and advance._cache_size() == 1 and again == first
