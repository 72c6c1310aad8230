"""When everything starts and ends, in many throws of the durations at once; what binds, and how much slack there is.

Crews of a trade take its activities in a fixed order, each the first crew that is free (the Kiefer-Wolfowitz recursion
of a queue with several servers): longer durations never end anything earlier, more crews never end it later.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from macrohard.buildout.network import Activity

Array = NDArray[np.float64]
Index = NDArray[np.int64]
NOBODY = -1


@dataclass(frozen=True)
class Schedule:
    """Days from the start, shape (activities, replicates). binding: the activity each one waited for last, or -1.

    crew_from: the activity its crew came from, or -1.
    """

    names: tuple[str, ...]
    activities: tuple[Activity, ...]
    before: tuple[tuple[tuple[int, float], ...], ...]
    days: Array
    start: Array
    finish: Array
    binding: Index
    crew_from: Index

    def at(self, kind: str) -> Array:
        """Finish of the batches of a kind, shape (batches, replicates)."""
        return self.finish[[k for k, each in enumerate(self.activities) if each.kind == kind]]


def throws(names: tuple[str, ...], replicates: int, seed: int) -> Array:
    """A number in 0..1 per activity and replicate that depends on seed and name alone: the same for every variant."""
    return np.stack([np.random.default_rng([seed, zlib.crc32(name.encode())]).random(replicates) for name in names])


def durations(activities: tuple[Activity, ...], u: Array, pace: Array) -> Array:
    """Days of each activity: a triangle's quantile at u, times the site's pace where people work."""
    low, mode, high = (
        np.array([getattr(each, name) for each in activities])[:, None] for name in ("low", "mode", "high")
    )
    width = np.maximum(high - low, 1e-12)
    rising = low + np.sqrt(u * width * (mode - low))
    falling = high - np.sqrt((1 - u) * width * (high - mode))
    thrown = np.where(u * width < mode - low, rising, falling)
    is_work = np.array([each.is_work for each in activities])[:, None]
    return np.asarray(np.where(is_work, thrown * pace, thrown), float)


def schedule(graph: nx.DiGraph, crews: Mapping[str, int], replicates: int = 1000, seed: int = 1, *,
             site_sd_log: float = 0.0, scale: Mapping[str, float] | None = None) -> Schedule:  # fmt: skip
    """Throws the durations and lays the activities out, each as early as it can be. scale: on the days of a kind."""
    place = {name: k for k, name in enumerate(graph)}
    names = tuple(nx.lexicographical_topological_sort(graph, key=lambda name: place[name]))
    activities = tuple(graph.nodes[name]["activity"] for name in names)
    general = np.random.default_rng([seed, 0]).standard_normal(replicates)
    days = durations(activities, throws(names, replicates, seed), np.exp(site_sd_log * general))
    if scale:
        days *= np.array([scale.get(each.kind, 1.0) for each in activities])[:, None]
    row = {name: k for k, name in enumerate(names)}
    before = tuple(tuple((row[one], graph.edges[one, name]["lag"]) for one in graph.pred[name]) for name in names)
    return _laid(names, activities, before, days, crews)


def _laid(names: tuple[str, ...], activities: tuple[Activity, ...], before: tuple[tuple[tuple[int, float], ...], ...],
          days: Array, crews: Mapping[str, int]) -> Schedule:  # fmt: skip
    replicates = days.shape[1]
    start, finish = np.zeros_like(days), np.zeros_like(days)
    binding = np.full(days.shape, NOBODY)
    crew_from = np.full(days.shape, NOBODY)
    every = np.arange(replicates)
    free = {trade: np.zeros((n, replicates)) for trade, n in crews.items()}
    last = {trade: np.full((n, replicates), NOBODY) for trade, n in crews.items()}
    for k, activity in enumerate(activities):
        for one, lag in before[k]:
            ready = finish[one] + lag
            binding[k] = np.where(ready > start[k], one, binding[k])
            start[k] = np.maximum(start[k], ready)
        trade = activity.trade
        if trade and trade not in free:
            free[trade], last[trade] = np.zeros((1, replicates)), np.full((1, replicates), NOBODY)
        if trade:
            crew = free[trade].argmin(axis=0)
            crew_from[k] = last[trade][crew, every]
            binding[k] = np.where(free[trade][crew, every] > start[k], crew_from[k], binding[k])
            start[k] = np.maximum(start[k], free[trade][crew, every])
        finish[k] = start[k] + days[k]
        if trade:
            free[trade][crew, every] = finish[k]
            last[trade][crew, every] = k
    return Schedule(names, activities, before, days, start, finish, binding, crew_from)


def total_float(plan: Schedule, goal: int) -> Array:
    """Days each activity could slip without moving the goal, its crews' next jobs included; inf if it never matters."""
    late = np.full(plan.days.shape, np.inf)
    late[goal] = plan.finish[goal]
    every = np.arange(plan.days.shape[1])
    for k in range(goal, -1, -1):
        begin = late[k] - plan.days[k]
        for one, lag in plan.before[k]:
            late[one] = np.minimum(late[one], begin - lag)
        came = plan.crew_from[k]
        has = came != NOBODY
        late[came[has], every[has]] = np.minimum(late[came[has], every[has]], begin[has])
    return late - plan.finish


def critical(plan: Schedule, goal: int) -> NDArray[np.bool_]:
    """Whether an activity is on the longest way to the goal, per replicate: found by walking back what bound."""
    on = np.zeros(plan.days.shape, bool)
    on[goal] = True
    every = np.arange(plan.days.shape[1])
    for k in range(goal, -1, -1):
        hit = on[k] & (plan.binding[k] != NOBODY)
        on[plan.binding[k][hit], every[hit]] = True
    return on
