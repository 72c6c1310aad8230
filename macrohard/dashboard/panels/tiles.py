"""The key figures of a moment, with those of a pinned run at the same hour below them."""

import math
from collections.abc import Callable
from html import escape

from macrohard.dashboard.panels.throughput import rate
from macrohard.dashboard.session import Run
from macrohard.report.quantity import MISSING, human, percent, power

TILES: tuple[tuple[str, Callable[[Run], str]], ...] = (
    ("Clock", lambda run: _clock(run.hours)),
    ("Load", lambda run: power(run.last("load_mw"))),
    ("Megapack charge", lambda run: percent(run.last("soc"))),
    ("GPUs in use", lambda run: percent(run.last("utilization"))),
    ("Tickets done", lambda run: human(run.last("tickets_done"))),
    ("Tickets done per day", lambda run: human(rate(run))),
)


def tiles(run: Run, pinned: Run | None) -> str:
    """The tiles as the items of a definition list."""
    then = pinned.until(run.hours) if pinned else None
    items = []
    for name, figure in TILES:
        number, _, unit = figure(run).partition(" ")
        note = f'<div class="note">pinned {escape(figure(then))}</div>' if then else ""
        value = MISSING if number == "nan" else number
        items.append(
            f'<div class="tile" id="{name.lower().replace(" ", "-")}"><dt>{name}</dt>'
            f"<dd>{escape(value)} <small>{escape(unit)}</small>{note}</dd></div>"
        )
    return "".join(items)


def _clock(hours: float) -> str:
    days, rest = divmod(round(hours * 3600), 24 * 3600)
    minutes, seconds = divmod(rest % 3600, 60)
    told = f"{rest // 3600:02d}:{minutes:02d}" + (f":{seconds:02d}" if seconds else "")
    return told if not math.floor(days) else f"{told} day {days + 1}"
