"""Tickets done per day."""

import numpy as np

from macrohard.dashboard.panels.paper import WIDTH_PX, hours, key
from macrohard.dashboard.session import Run
from macrohard.report.chart import axes, line, sheet
from macrohard.report.facts import Array, thin
from macrohard.report.picture import MAX_POINTS, frame, highest
from macrohard.report.scale import linear, size_of
from macrohard.results.metrics import per_day

WINDOWS_H = (24.0, 12.0, 6.0, 3.0, 2.0, 1.0, 0.5)


def window_h(run: Run) -> float:
    """Hours that the rate is taken over: at most a sixteenth of the horizon, and half an hour at least."""
    return next((window for window in WINDOWS_H if window <= run.horizon_h / 16.0), WINDOWS_H[-1])


def rate(run: Run) -> float:
    """Tickets done per day over the window that ends now, nan before the first tick."""
    curve = _curve(run)
    return float(curve[1][-1]) if curve is not None else float("nan")


def throughput(run: Run, pinned: Run | None) -> str:
    """The drawing; empty before the first tick."""
    own, other = _curve(run), _curve(pinned) if pinned else None
    if own is None:
        return ""
    top = highest(own[1], other[1] if other else 0.0)
    scale, size = size_of(top)
    y = linear(0, top / scale, f"tickets done per day{size and f', {size}'}", 4)
    box = frame(WIDTH_PX, 200, hours(run, pinned), y)
    marks = [axes(box), line(box, own[0], own[1] / scale, "load")]
    if other is not None:
        marks.append(line(box, other[0], other[1] / scale, "pinned"))
    entries = [("line", "load", f"over the last {window_h(run):g} h")]
    return key(entries, pinned) + sheet(WIDTH_PX, box.top + box.height + 40, "Tickets done per day", marks)


def _curve(run: Run) -> tuple[Array, Array] | None:
    if run.facts.series.empty:
        return None
    time = run.facts.series["time_h"].to_numpy(np.float64)
    values = per_day(run.facts.series, "tickets_done", window_h(run))
    kept = thin([values], MAX_POINTS)
    return time[kept], values[kept]
