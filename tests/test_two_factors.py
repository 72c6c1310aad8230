"""Maps of two factors and the frontier of what is feasible, on tables worked by hand."""

import math

import pandas as pd
import pytest

from macrohard.faults import ScenarioError
from macrohard.sweeps.two_factors import feasible_share, frontier, heat_map


def rows(figure, status=lambda a, b, seed: "done"):
    """Two factors of three levels, two replicates each."""
    return pd.DataFrame(
        [
            {"a": a, "b": b, "seed": seed, "status": status(a, b, seed), "x.y": figure(a, b, seed)}
            for a in (1.0, 2.0, 4.0)
            for b in (10.0, 20.0, 30.0)
            for seed in (0, 1)
        ]
    )


def test_a_map_has_the_mean_of_each_cell():
    """a + b, replicates 1 apart: the mean lies half above; unfinished runs count for nothing."""
    told = heat_map(rows(lambda a, b, seed: a + b + seed), "x.y", "a", "b")
    assert list(told.columns) == [1.0, 2.0, 4.0] and list(told.index) == [10.0, 20.0, 30.0]
    assert told.loc[20.0, 4.0] == 24.5
    half = heat_map(rows(lambda a, b, seed: a + b + seed, lambda a, b, s: "failed" if s else "done"), "x.y", "a", "b")
    assert half.loc[20.0, 4.0] == 24.0


def test_the_frontier_is_the_first_level_that_holds():
    """Unserved energy 40 - a b: b must be 30 for a = 1 (10 left: none), 20 for a = 2, 10 for a = 4."""
    table = rows(lambda a, b, seed: max(0.0, 40.0 - a * b))
    told = frontier(table, ["x.y<=0"], "a", "b").set_index("a")
    assert math.isnan(told.loc[1.0, "lowest"]) and told.loc[1.0, "feasible"] == 0
    assert (told.loc[2.0, "lowest"], told.loc[2.0, "highest"]) == (20.0, 30.0)
    assert (told.loc[4.0, "lowest"], told.loc[4.0, "feasible"], told.loc[4.0, "levels"]) == (10.0, 3, 3)


def test_a_point_is_feasible_when_enough_of_its_runs_are():
    """One of two replicates holds: a half. Failed and missing runs do not count, nan holds nothing."""
    table = rows(lambda a, b, seed: float(seed))
    assert (feasible_share(table, ["x.y<=0"], "a", "b") == 0.5).all(axis=None)
    assert frontier(table, ["x.y<=0"], "a", "b")["feasible"].sum() == 0
    assert frontier(table, ["x.y<=0"], "a", "b", least_share=0.5)["feasible"].sum() == 9
    failed = rows(lambda a, b, seed: 0.0, lambda a, b, seed: "failed" if seed else "done")
    assert (feasible_share(failed, ["x.y<=0"], "a", "b") == 1.0).all(axis=None)
    lost = rows(lambda a, b, seed: 0.0, lambda a, b, seed: "failed" if a == 1.0 else "done")
    assert feasible_share(lost, ["x.y<=0"], "a", "b")[1.0].isna().all()
    assert list(frontier(lost, ["x.y<=0"], "a", "b")["levels"]) == [0, 3, 3]
    missing = rows(lambda a, b, seed: 0.0, lambda a, b, seed: "missing" if seed else "done")
    assert (feasible_share(missing, ["x.y<=0"], "a", "b") == 1.0).all(axis=None)
    nothing = rows(lambda a, b, seed: float("nan"))
    assert (feasible_share(nothing, ["x.y<=0"], "a", "b") == 0.0).all(axis=None)


def test_sampled_factors_are_cut_into_bins():
    """A hundred values of each factor become at most eight levels, rising."""
    table = pd.DataFrame({"a": range(100), "b": [n * 37 % 100 for n in range(100)], "status": "done"})
    told = heat_map(table.assign(**{"x.y": 1.0}), "x.y", "a", "b")
    assert told.shape == (8, 8) and list(told.columns) == sorted(told.columns)


def test_factors_of_words_are_levels_too():
    """A GPU's name is a level."""
    table = rows(lambda a, b, seed: b).assign(a=lambda t: t["a"].map({1.0: "H100", 2.0: "GB200", 4.0: "GB300"}))
    assert list(frontier(table, ["x.y>=20"], "a", "b")["lowest"]) == [20.0] * 3


@pytest.mark.parametrize(("metric", "x", "y"), [("x.z", "a", "b"), ("x.y", "c", "b"), ("x.y", "a", "a")])
def test_what_is_not_there_is_refused_in_words(metric, x, y):
    """An unknown figure, an unknown factor, one factor twice."""
    with pytest.raises(ScenarioError, match="allowed|no such"):
        heat_map(rows(lambda a, b, seed: 1.0), metric, x, y)
