"""Two factors of a sweep against each other: the map of a figure, and the frontier up to which conditions hold.

Both take the rows of `stored.table` (one per run, with `status`) and give tables; other factors are averaged over.
"""

from collections.abc import Iterable

import pandas as pd

from macrohard.faults import Fault, ScenarioError
from macrohard.names import nearest
from macrohard.targets import Target, target

MAX_LEVELS = 24
"""A factor of more values than these, as a sampled one has, is cut into bins."""

N_BINS = 8


def heat_map(rows: pd.DataFrame, metric: str, x: str, y: str) -> pd.DataFrame:
    """Mean of a figure over the finished runs: a column for each level of x, a row for each level of y, both rising.

    nan where nothing has been run. The levels of a factor of many values are the middles of equal bins.
    """
    done = _at_levels(rows[rows["status"] == "done"], x, y, [metric])
    return done.pivot_table(metric, y, x, "mean")


def feasible_share(rows: pd.DataFrame, conditions: Iterable[str], x: str, y: str) -> pd.DataFrame:
    """Share of the runs in which all conditions (as "power.unserved_mwh<=0") hold; laid out as `heat_map`.

    Runs that failed, are missing or were spared have no result and do not count: nan where all of a cell's have none.
    """
    targets = [target(each) for each in conditions]
    run = _at_levels(rows[rows["status"].isin(["done", "failed"])], x, y, [each.key for each in targets])
    holds = _hold(run, targets).astype(float).where(run["status"] == "done")
    return run.assign(holds=holds).pivot_table("holds", y, x, "mean", dropna=False)


def frontier(
    rows: pd.DataFrame, conditions: Iterable[str], x: str, y: str, *, least_share: float = 1.0
) -> pd.DataFrame:
    """For each level of x the lowest and the highest level of y at which the conditions hold in enough of the runs.

    Columns: x, `lowest` and `highest` (nan where they hold at no level), `feasible` of `levels` with results.
    Where `feasible` is less than the levels between the two, the feasible region has holes.
    """
    share = feasible_share(rows, conditions, x, y)
    found = []
    for level in share.columns:
        column = share[level].dropna()
        holds = column.index[column >= least_share - 1e-9]
        ends = (holds[0], holds[-1]) if len(holds) else (float("nan"), float("nan"))
        found.append({x: level, "lowest": ends[0], "highest": ends[1], "feasible": len(holds), "levels": len(column)})
    return pd.DataFrame(found, columns=[x, "lowest", "highest", "feasible", "levels"])


def _hold(rows: pd.DataFrame, targets: list[Target]) -> "pd.Series[bool]":
    holds = pd.Series(True, rows.index)
    for each in targets:
        holds &= rows[each.key].map(each.holds_for)
    return holds


def _at_levels(rows: pd.DataFrame, x: str, y: str, columns: list[str]) -> pd.DataFrame:
    """The columns asked for, factors of many values cut into bins; ScenarioError if there is no such column."""
    for key in (x, y, *columns):
        if key not in rows:
            near = nearest(key, [str(name) for name in rows])
            remedy = f"did you mean {near}?" if near else "see the columns of the exported table"
            raise ScenarioError([Fault("the sweep", key, None, "no such factor or figure", remedy, has_value=False)])
    if x == y:
        raise ScenarioError(
            [Fault("the sweep", x, None, "is one factor; allowed: two", "name another", has_value=False)]
        )
    kept = rows[list(dict.fromkeys([x, y, *columns, "status"]))].copy()
    for key in (x, y):
        if pd.api.types.is_numeric_dtype(kept[key]) and kept[key].nunique() > MAX_LEVELS:
            bins = pd.cut(kept[key], N_BINS)
            kept[key] = bins.map(lambda each: float(f"{each.mid:.4g}")).astype(float)
    return kept
