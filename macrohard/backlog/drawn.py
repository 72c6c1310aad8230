"""A backlog drawn at random: sizes as in real projects, some tickets blocked by earlier ones of their epic."""

import csv
from collections.abc import Sequence
from functools import cache
from importlib import resources
from math import exp

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from macrohard.backlog.rows import KINDS, Backlog, Whole, child_table

PRIORITY_SHARES = (0.05, 0.20, 0.50, 0.25)
"""Share of epics by priority, 0 first; tickets take that of their epic. Assumed: most work is of ordinary priority."""

_MOST_EXTRA = 30.0
"""Blockers beyond one that a ticket may have on average."""

PATTERN_EPICS, PATTERN_TICKETS = 500, 20_000
"""A graph is built for at most so many epics and tickets and then repeated: blockers only, sizes are all drawn anew."""


def generate(
    n_epics: int,
    tickets_per_epic: int,
    size_median_min: float,
    size_sd_log: float,
    arrivals_h: Sequence[float] | NDArray[np.float64],
    blocked_share: float,
    blockers_mean: float,
    kind_shares: Sequence[float],
    seed: int,
) -> Backlog:
    """Draws a backlog; arrivals_h has one entry per epic, kind_shares one per entry of KINDS."""
    if len(arrivals_h) != n_epics:
        raise ValueError(f"arrivals_h: {len(arrivals_h)} arrivals for {n_epics} epics; give one for each")
    rng = np.random.default_rng(seed)
    n_rows = n_epics * (tickets_per_epic + 1)
    is_epic = (np.arange(n_rows) % (tickets_per_epic + 1)) == 0
    epic = (np.arange(n_rows) // (tickets_per_epic + 1) * (tickets_per_epic + 1)).astype(np.int32)
    size = np.empty(n_rows)
    size[~is_epic] = _sizes(rng, n_epics * tickets_per_epic, size_median_min, size_sd_log)
    by_epic = size.reshape(n_epics, tickets_per_epic + 1)
    by_epic[:, 0] = by_epic[:, 1:].mean(axis=1) if tickets_per_epic else size_median_min
    kind = np.zeros(n_rows, np.int8)
    shares = np.asarray(kind_shares, float)
    kind[~is_epic] = rng.choice(len(KINDS), size=int((~is_epic).sum()), p=shares / shares.sum())
    priority = rng.choice(len(PRIORITY_SHARES), size=n_epics, p=PRIORITY_SHARES).astype(np.int8)
    n_pattern = min(n_epics, PATTERN_EPICS, max(1, PATTERN_TICKETS // max(tickets_per_epic, 1)))
    pattern = _pattern(rng, n_pattern, tickets_per_epic, blocked_share, blockers_mean)
    children, n_needs = child_table(pattern, n_pattern * (tickets_per_epic + 1))
    children, n_needs = _tiled(children, n_needs, n_rows)
    order = np.sort(np.asarray(arrivals_h, float))
    return Backlog(
        is_epic=is_epic,
        epic=epic,
        size_min=size.astype(np.float32),
        kind=kind,
        priority=np.repeat(priority, tickets_per_epic + 1),
        n_needs=n_needs,
        children=children,
        arrival_h=np.repeat(order, tickets_per_epic + 1).astype(np.float32),
    )


@cache
def size_ratios() -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Work-item sizes relative to the median of their project, their shares, and the standard deviation of their ln.

    Story points of 12 open-source projects, 14,985 items (Choetkiertikul et al., IEEE TSE 2018).
    """
    by_project: dict[str, list[tuple[float, int]]] = {}
    with (resources.files("macrohard") / "data" / "work_item_sizes.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["unit"] == "story_points":
                by_project.setdefault(row["group"], []).append((float(row["size"]), int(row["count"])))
    pooled: dict[float, int] = {}
    for items in by_project.values():
        median = float(np.median(np.repeat([size for size, _ in items], [count for _, count in items])))
        for size, count in items:
            pooled[size / median] = pooled.get(size / median, 0) + count
    ratios = np.array(sorted(pooled))
    shares = np.array([pooled[ratio] for ratio in ratios]) / sum(pooled.values())
    mean = float(shares @ np.log(ratios))
    return ratios, shares, float(np.sqrt(shares @ (np.log(ratios) - mean) ** 2))


def _sizes(rng: np.random.Generator, n: int, median_min: float, sd_log: float) -> NDArray[np.float64]:
    """Minutes of n tickets: the shape of the story points, spread to sd_log."""
    ratios, shares, sd = size_ratios()
    drawn: NDArray[np.float64] = median_min * rng.choice(ratios, size=n, p=shares) ** (sd_log / sd)
    return drawn


def _pattern(rng: np.random.Generator, n_epics: int, n_tickets: int, share: float, blockers_mean: float) -> nx.DiGraph:
    """Epics with their tickets; a blocked ticket needs earlier tickets of its epic, so that there is no cycle.

    The first ticket of an epic cannot be blocked, and early ones have few to be blocked by: both are made up for, so
    that `share` of all tickets are blocked and by `blockers_mean` others on average (as far as an epic has them).
    """
    dag = nx.DiGraph()
    width = n_tickets + 1
    dag.add_nodes_from(range(n_epics * width))
    dag.add_edges_from((e * width, e * width + 1 + i) for e in range(n_epics) for i in range(n_tickets))
    if n_tickets < 2:
        return dag
    extra = _extra_blockers(n_tickets, blockers_mean)
    blocked = rng.random((n_epics, n_tickets - 1)) < min(1.0, share * n_tickets / (n_tickets - 1))
    for epic, before in zip(*np.nonzero(blocked), strict=True):
        n_earlier = int(before) + 1
        n_blockers = min(n_earlier, 1 + int(rng.poisson(extra)))
        first = int(epic) * width + 1
        for blocker in rng.choice(n_earlier, size=n_blockers, replace=False):
            dag.add_edge(first + int(blocker), first + n_earlier)
    return dag


def _extra_blockers(n_tickets: int, blockers_mean: float) -> float:
    """Poisson mean x such that min(1 + Poisson(x), earlier tickets) is blockers_mean on average over an epic."""

    def mean(extra: float) -> float:
        total, below, term = 1.0, exp(-extra), exp(-extra)
        sums = [total]
        for k in range(1, n_tickets - 1):
            total += 1.0 - below
            term *= extra / k
            below += term
            sums.append(total)
        return sum(sums) / len(sums)

    if blockers_mean <= 1.0:
        return 0.0
    low, high = 0.0, _MOST_EXTRA
    for _ in range(60):  # halved down to the last bit; the mean grows with x
        middle = (low + high) / 2
        low, high = (middle, high) if mean(middle) < blockers_mean else (low, middle)
    return high


def _tiled(children: Whole, n_needs: Whole, n_rows: int) -> tuple[Whole, Whole]:
    """The pattern repeated until it fills n_rows, ids shifted."""
    n_pattern = len(children)
    if n_rows <= n_pattern:
        return children[:n_rows], n_needs[:n_rows]
    row = np.arange(n_rows, dtype=np.int32)
    source = row % n_pattern
    tiled = children[source]
    shift = (row - source)[:, None]
    return np.where(tiled < 0, np.int32(-1), tiled + shift), n_needs[source]
