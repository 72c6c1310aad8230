"""Where the workers of the organisation graph are drawn: teams side by side, members around their manager."""

import math
from dataclasses import dataclass

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from macrohard.factory import Factory

MOST_SEATS = 420
"""Workers drawn one by one; of more, a sample of whole teams."""

MOST_KNOWN = 50_000
"""Workers whose graph is built for a picture; of more, only the counts by role are shown."""

GAP = 1.0
"""Distance between neighbours on a ring; all lengths are in this unit."""

Node = tuple[str, int]


@dataclass(frozen=True)
class Seating:
    """Seats of the workers that are drawn, in units of the distance between neighbours."""

    nodes: tuple[Node, ...]
    """Role and row of each."""
    at: NDArray[np.float64]
    """Shape (seats, 2)."""
    links: tuple[tuple[int, int], ...]
    """Who works with whom, as pairs of seats."""
    width: float
    height: float
    n_teams: int
    """Teams drawn."""
    n_teams_all: int


def seating(factory: Factory, aspect: float = 1.6) -> Seating | None:
    """Seats for a factory, about `aspect` times as wide as high; None where it is too large for a picture."""
    n_agents = factory.scenario.n_agents
    if not 0 < n_agents <= MOST_KNOWN:
        return None
    graph = factory.organisation
    teams = [sorted(team, key=_manager_first) for team in nx.connected_components(graph)]
    teams.sort(key=lambda team: _manager_first(team[0]))
    shown = _sample(teams, n_agents)
    radius = max(_radius(len(team)) for team in shown)
    cell = 2.0 * radius + 1.6 * GAP
    n_columns = max(1, min(len(shown), round(math.sqrt(len(shown) * aspect))))
    n_rows = -(-len(shown) // n_columns)
    nodes: list[Node] = []
    at = []
    for number, team in enumerate(shown):
        middle = np.array([number % n_columns + 0.5, number // n_columns + 0.5]) * cell
        at.append(middle + _around(len(team)))
        nodes += team
    seat = {node: number for number, node in enumerate(nodes)}
    links = tuple((seat[a], seat[b]) for a, b in graph.subgraph(nodes).edges)
    return Seating(tuple(nodes), np.concatenate(at), links, n_columns * cell, n_rows * cell, len(shown), len(teams))


def _manager_first(node: Node) -> tuple[bool, str, int]:
    return (node[0] != "management", *node)


def _sample(teams: list[list[Node]], n_agents: int) -> list[list[Node]]:
    """All teams, or evenly chosen ones with about as many workers as there are seats."""
    if n_agents <= MOST_SEATS:
        return teams
    n_shown = max(1, int(len(teams) * MOST_SEATS / n_agents))
    return [teams[len(teams) * number // n_shown][:MOST_SEATS] for number in range(n_shown)]


def _rings(n_members: int) -> list[int]:
    """Members on each ring around the first: six, twelve, eighteen .., the last one as many as are left."""
    rings: list[int] = []
    left = n_members - 1
    while left > 0:
        rings.append(min(left, 6 * (len(rings) + 1)))
        left -= rings[-1]
    return rings


def _radius(n_members: int) -> float:
    return GAP * len(_rings(n_members))


def _around(n_members: int) -> NDArray[np.float64]:
    """Places of a team's members around its middle, shape (members, 2); the first one in it."""
    places = [np.zeros((1, 2))]
    for ring, n_on_it in enumerate(_rings(n_members), start=1):
        angle = 2.0 * np.pi * (np.arange(n_on_it) / n_on_it) - np.pi / 2.0
        places.append(GAP * ring * np.column_stack((np.cos(angle), np.sin(angle))))
    return np.concatenate(places)
