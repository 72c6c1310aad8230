"""Plots of a run in a terminal, for those who look in over ssh."""

import numpy as np
from rich.console import Console
from rich.text import Text

from macrohard.report.facts import Array, Facts, Result
from macrohard.report.quantity import duration, human, percent, power
from macrohard.report.sparks import curve

PLOTS = (  # column, what it is, how its numbers are written
    ("load_mw", "Site load", "mw"),
    ("demand_mw", "Demand before any cap", "mw"),
    ("soc", "Megapack charge", "share"),
    ("unserved_mw", "Unserved load", "mw"),
    ("tickets_done", "Tickets done", "total"),
    ("streams_active", "Streams decoding", "count"),
    ("tok_s_per_stream", "Tokens a second of one stream", "count"),
    ("utilization", "GPUs busy", "share"),
)
WRITE = {"mw": power, "share": percent, "count": human, "total": human}
MARGIN = 11


def show(result: Result, console: Console, columns: tuple[str, ...] = (), *, height: int = 6) -> None:
    """Print plots over time: the usual ones that the run has figures for, or the columns asked for."""
    facts = Facts.of(result)
    known = {name: (title, kind) for name, title, kind in PLOTS}
    wanted = columns or tuple(name for name, _, _ in PLOTS)
    for name in wanted:
        values = facts.column(name)
        if values is None:
            if columns:
                console.print(
                    Text(f"No column {name!r} in this run; there are: {', '.join(map(str, facts.series.columns))}")
                )
            continue
        if not columns and name in ("unserved_mw", "demand_mw") and _adds_nothing(facts, name, values):
            continue
        title, kind = known.get(name, (name, "count"))
        console.print(_plot(facts, title, values, kind, console, height))


def _adds_nothing(facts: Facts, name: str, values: Array) -> bool:
    """Whether nothing went unserved, or demand never left the load."""
    load = facts.column("load_mw")
    return (
        not np.nanmax(values) > 0
        if name == "unserved_mw"
        else load is not None and bool(np.allclose(values, load, rtol=1e-3, equal_nan=True))
    )


def _plot(facts: Facts, title: str, values: Array, kind: str, console: Console, height: int) -> Text:
    plain = not (console.encoding or "").lower().startswith("utf")
    width = max(20, min(console.width, 110) - MARGIN - 2)
    low, high = min(0.0, float(np.nanmin(values))), float(np.nanmax(values))
    high = 1.0 if kind == "share" and high <= 1 else high
    write = WRITE[kind]
    axis, corner = ("|", "+") if plain else ("│", "└")
    drawn = Text(no_wrap=True, overflow="crop")
    drawn.append(f"{title}", style="bold")
    if kind == "total":
        drawn.append(f"  {write(float(values[-1]))} at the end\n")
    else:
        drawn.append(f"  mean {write(float(np.nanmean(values)))}, highest {write(float(np.nanmax(values)))}\n")
    for k, line in enumerate(curve(values, width, height, low, high, plain=plain)):
        label = write(high) if k == 0 else write(low) if k == height - 1 else ""
        drawn.append(f"{label:>{MARGIN - 1}} {axis}", style="dim")
        drawn.append(line + "\n", style="cyan")
    end = duration(facts.hours)
    drawn.append(f"{'':>{MARGIN}}{corner}0{end:>{width - 1}}\n", style="dim")
    return drawn
