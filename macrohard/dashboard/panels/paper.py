"""What the panels over time share: the axis of hours, and the mark of a pinned run."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from macrohard.dashboard.session import Run
from macrohard.report.chart import Layer, legend, stack
from macrohard.report.facts import Array
from macrohard.report.scale import TIME_STEPS_H, Axis, Frame, elapsed

WIDTH_PX = 465
"""Width a panel is drawn for; it grows and shrinks with the window."""


def hours(run: Run, pinned: Run | None) -> Axis:
    """A time axis that reaches past now in round steps, so that it moves seldom, and over all of a pinned run."""
    now = max(run.hours, pinned.hours if pinned else 0.0)
    horizon = max(run.horizon_h, pinned.hours if pinned else 0.0)
    end = next((step for step in TIME_STEPS_H if step >= now), now)
    return elapsed(min(max(end, 1.0), horizon), 7, run.facts.since)


def key(entries: list[tuple[str, str, str]], pinned: Run | None) -> str:
    """The legend, with the pinned run's dashes where there is one."""
    return legend([*entries, ("line", "pinned", "pinned run")] if pinned else entries)


def pile(box: Frame, time_h: Array, layers: Sequence[Layer]) -> str:
    """Layers on top of each other, ending now: no name is put on the empty hours to come."""
    ended = [replace(layer, values=np.r_[layer.values, 0.0]) for layer in layers]
    return stack(box, np.r_[time_h, time_h[-1]], ended)[0]
