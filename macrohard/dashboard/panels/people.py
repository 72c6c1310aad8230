"""The organisation: every worker a mark coloured by what it did in the last tick, and the counts of all by role."""

from collections.abc import Mapping
from html import escape

import numpy as np

from macrohard.dashboard.panels.paper import WIDTH_PX
from macrohard.dashboard.seating import Seating
from macrohard.report.bars import Part, Row, rows
from macrohard.report.chart import legend, sheet

STATES = ("roadmap", "plan", "design", "code", "test", "review", "idle")
Activity = Mapping[str, np.ndarray]


def people(activity: Activity, seats: Seating | None) -> str:
    """The drawing: the graph, where there is one, above a bar for each role."""
    counts = {role: {state: int(np.count_nonzero(did == state)) for state in STATES} for role, did in activity.items()}
    seen = [state for state in STATES if any(count[state] for count in counts.values())]
    bars = [
        Row(
            role.capitalize(),
            tuple(Part(state, count[state]) for state in seen if count[state]),
            ", ".join(f"{count[state]:,} {state}" for state in seen if count[state]) or "nobody",
        )
        for role, count in counts.items()
    ]
    keys = legend([("area", state, state) for state in seen])
    return keys + (_graph(activity, seats) if seats else "") + rows(WIDTH_PX, "Workers by role", bars)


def told(activity: Activity, seats: Seating | None) -> str:
    """What is seen, in a sentence."""
    n_agents = sum(len(did) for did in activity.values())
    if not n_agents:
        return "Nobody works here."
    if seats is None:
        return f"{n_agents:,} workers are too many to draw: the bars count all of them by role."
    if seats.n_teams < seats.n_teams_all:
        return (
            f"A sample: {seats.n_teams:,} of {seats.n_teams_all:,} teams, {len(seats.nodes):,} of {n_agents:,} "
            "workers. The bars count all of them."
        )
    return f"All {n_agents:,} workers; managers are squares amid their teams."


def _graph(activity: Activity, seats: Seating) -> str:
    px = WIDTH_PX / seats.width
    if seats.height * px > 300:
        px = 300 / seats.height
    size = min(0.36 * px, 9.0)
    at = seats.at * px + np.array([(WIDTH_PX - seats.width * px) / 2.0, 0.0])
    ties = "".join(f"M{at[a][0]:.1f} {at[a][1]:.1f}L{at[b][0]:.1f} {at[b][1]:.1f}" for a, b in seats.links)
    marks = [f'<path class="tie" d="{ties}"/>']
    for (role, row), (x, y) in zip(seats.nodes, at.tolist(), strict=True):
        state = str(activity[role][row])
        words = f"<title>{escape(role)} {row}: {escape(state)}</title>"
        if role == "management":
            corner, side = (x - size, y - size), 2 * size
            marks.append(
                f'<rect class="worker {state}" x="{corner[0]:.1f}" y="{corner[1]:.1f}" '
                f'width="{side:.1f}" height="{side:.1f}">{words}</rect>'
            )
        else:
            marks.append(f'<circle class="worker {state}" cx="{x:.1f}" cy="{y:.1f}" r="{size:.1f}">{words}</circle>')
    return sheet(WIDTH_PX, seats.height * px, "Organisation", marks)
