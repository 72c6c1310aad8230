"""Teams: how agents are wired to their managers, and what that costs in tokens and errors.

`single`: a ticket is with one agent at a time and is handed on through queues; other topologies put several on it.
"""

from typing import NamedTuple

import networkx as nx


class Topology(NamedTuple):
    """What a topology multiplies."""

    token_multiplier: float
    error_amplification: float
    """Of the chance that a hand-over spoils an attempt."""
    source: str


TOPOLOGIES = {
    "single": Topology(1.0, 1.0, "the reference: every measured cost per attempt is of one agent"),
    "centralized": Topology(2.0, 4.4, "errors: arXiv 2512.08296; tokens assumed, between single and breadth-first"),
    "decentralized": Topology(2.0, 7.8, "errors and tokens assumed, between centralized and independent"),
    "hybrid": Topology(3.0, 5.1, "errors and tokens assumed, a centralized team whose members also talk"),
    "independent": Topology(
        3.75, 17.2, "errors: arXiv 2512.08296; tokens: breadth-first research team, 15 chats over 4 of one agent"
    ),
}


def attention(n_managers: float, n_others: float, span_of_control: float) -> float:
    """Share of a full review that a manager has time for: 1 within the span of control, less beyond (assumed)."""
    if n_others <= 0:
        return 1.0
    return min(1.0, span_of_control * n_managers / n_others)


def organisation(headcount: dict[str, int], topology: str = "single") -> nx.Graph:
    """Who works with whom: nodes (role, row), workers dealt out evenly to the managers.

    `centralized` and `single` link workers to their manager, `decentralized` the members of a team in a ring,
    `hybrid` both, `independent` nobody.
    """
    graph = nx.Graph()
    graph.add_nodes_from((role, row) for role, n in headcount.items() for row in range(n))
    managers = [("management", row) for row in range(headcount.get("management", 0))]
    workers = [(role, row) for role, n in headcount.items() if role != "management" for row in range(n)]
    for place, manager in enumerate(managers):
        team = workers[place :: len(managers)]
        if topology in ("single", "centralized", "hybrid"):
            graph.add_edges_from((manager, worker) for worker in team)
        if topology in ("decentralized", "hybrid") and len(team) > 1:
            graph.add_edges_from(zip(team, [*team[1:], team[0]], strict=True))
    return graph
