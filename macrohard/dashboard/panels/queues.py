"""Tickets that wait, by the stage they wait for."""

import numpy as np

from macrohard.dashboard.panels.paper import WIDTH_PX, hours, key, pile
from macrohard.dashboard.session import Run
from macrohard.report.chart import Layer, axes, line, sheet
from macrohard.report.facts import STAGES
from macrohard.report.picture import Rows, frame, highest, levels
from macrohard.report.scale import linear, size_of

COLUMNS = tuple(f"queue_{stage}" for stage in STAGES)


def queues(run: Run, pinned: Run | None) -> str:
    """The drawing; empty before the first tick."""
    rows = levels(run.facts, COLUMNS, COLUMNS[:3])
    if rows is None:
        return ""
    other = levels(pinned.facts, COLUMNS, COLUMNS[:3]) if pinned else None
    scale, size = size_of(highest(_all(rows), _all(other) if other else 0.0))
    y = linear(
        0, highest(_all(rows), _all(other) if other else 0.0) / scale, f"tickets waiting{size and f', {size}'}", 4
    )
    box = frame(WIDTH_PX, 200, hours(run, pinned), y)
    layers = [Layer(stage.capitalize(), stage, np.nan_to_num(rows[f"queue_{stage}"]) / scale) for stage in STAGES]
    marks = [axes(box), pile(box, rows.time_h, layers), line(box, rows.time_h, _all(rows) / scale, "load")]
    if other is not None:
        marks.append(line(box, other.time_h, _all(other) / scale, "pinned"))
    entries = [("area", layer.ink, f"for {layer.label.lower()}") for layer in layers if highest(layer.values) > 0]
    entries.append(("line", "load", "all"))
    return key(entries, pinned) + sheet(WIDTH_PX, box.top + box.height + 40, "Tickets waiting by stage", marks)


def _all(rows: Rows) -> np.ndarray:
    """All that wait; an epic waits to be planned by itself and is no ticket yet."""
    return np.asarray(np.sum([np.nan_to_num(rows[name]) for name in COLUMNS], axis=0))
