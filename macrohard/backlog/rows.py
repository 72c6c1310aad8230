"""The rows of a backlog: epics and tickets as arrays, and the graph of what needs what.

Row index = id; the rows of one epic lie together, the epic first. An epic is planned before its tickets may start, so
it is a parent of every one of them.
"""

from dataclasses import dataclass
from typing import TypeAlias

import networkx as nx
import numpy as np
from numpy.typing import NDArray

Whole: TypeAlias = NDArray[np.int32]
Small: TypeAlias = NDArray[np.int8]
Real: TypeAlias = NDArray[np.float32]
Flag: TypeAlias = NDArray[np.bool_]

KINDS = ("ordinary", "frontend", "greenfield", "office")
"""Kinds of tickets in the order of their codes; as `agents.work.KINDS`, not imported from there (no JAX here)."""

N_PRIORITIES = 4
"""Priorities run from 0 (first) to 3 (last)."""


@dataclass(frozen=True)
class Backlog:
    """Epics in order of arrival, each followed by its tickets; arrays of shape (rows,) unless said."""

    is_epic: Flag
    epic: Whole
    """Row of the epic that a row belongs to; its own for an epic."""
    size_min: Real
    """Minutes a qualified human would need; of an epic, the mean of its tickets (planning it is one decision)."""
    kind: Small
    """Index into KINDS."""
    priority: Small
    """0 (first) to 3."""
    n_needs: Whole
    """Parents that must be done first, the planning of the row's epic included."""
    children: Whole
    """Rows that need this one, shape (rows, k), padded with -1."""
    arrival_h: Real
    """Hours after the start of the run at which the row's epic comes in."""


def graph(backlog: Backlog) -> nx.DiGraph:
    """The backlog as a graph: an edge runs from what must be done to what needs it; nodes carry the row's values."""
    dag = nx.DiGraph()
    for row in range(len(backlog.size_min)):
        dag.add_node(
            row,
            is_epic=bool(backlog.is_epic[row]),
            epic=int(backlog.epic[row]),
            size_min=float(backlog.size_min[row]),
            kind=KINDS[int(backlog.kind[row])],
            priority=int(backlog.priority[row]),
        )
    rows, slots = np.nonzero(backlog.children >= 0)
    dag.add_edges_from(zip(rows.tolist(), backlog.children[rows, slots].tolist(), strict=True))
    return dag


def child_table(dag: nx.DiGraph, n_rows: int) -> tuple[Whole, Whole]:
    """Children of each row padded with -1, and the number of parents."""
    parents = np.fromiter((a for a, _ in dag.edges), np.int64, dag.number_of_edges())
    kids = np.fromiter((b for _, b in dag.edges), np.int64, dag.number_of_edges())
    order = np.lexsort((kids, parents))
    parents, kids = parents[order], kids[order]
    counts = np.bincount(parents, minlength=n_rows)
    starts = np.concatenate(([0], np.cumsum(counts)[:-1]))
    children = np.full((n_rows, max(1, int(counts.max(initial=0)))), -1, np.int32)
    children[parents, np.arange(len(parents)) - starts[parents]] = kids
    return children, np.bincount(kids, minlength=n_rows).astype(np.int32)
