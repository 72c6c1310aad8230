"""What every picture of a run has in common: a name, a caption, a drawing at any width, rows fit to draw."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from macrohard.report.chart import LETTER_PX
from macrohard.report.facts import Array, Facts, thin
from macrohard.report.scale import Axis, Frame, elapsed

ROOMY_PX = 700  # from this width on, lines are named in a gutter at the right
GUTTER_PX = 132.0
STEPPED_ROWS = 240  # a series this short is drawn in steps, as the means over bins that it holds
MAX_POINTS = 900


@dataclass(frozen=True)
class Picture:
    """A picture with its heading and the sentence that says what to see; `draw` takes a width in pixels."""

    name: str
    title: str
    caption: str
    draw: Callable[[int], str]
    wide: bool = False


@dataclass(frozen=True)
class Rows:
    """Columns of a series fit to draw over time, with the hours they belong to."""

    time_h: Array
    columns: dict[str, Array]

    def __getitem__(self, name: str) -> Array:
        """One column, all nan if the series has none."""
        return self.columns.get(name, np.full_like(self.time_h, np.nan))

    def __contains__(self, name: str) -> bool:
        """Whether the series has the column."""
        return name in self.columns


def means(facts: Facts, names: Sequence[str], guides: Sequence[str]) -> Rows | None:
    """Columns that hold means over bins: thinned by the guides, or in steps where the bins are few."""
    time, columns = _present(facts, names)
    if time is None or not columns:
        return None
    starts = np.r_[0.0 if len(time) == 1 else max(0.0, 2 * time[0] - time[1]), time[:-1]]
    if len(time) <= STEPPED_ROWS:
        edges = np.column_stack((starts, time)).ravel()
        return Rows(edges, {name: np.repeat(values, 2) for name, values in columns.items()})
    kept = thin([columns[name] for name in guides if name in columns] or [next(iter(columns.values()))], MAX_POINTS)
    middle = (starts + time) / 2
    middle[0], middle[-1] = starts[0], time[-1]
    return Rows(middle[kept], {name: values[kept] for name, values in columns.items()})


def levels(facts: Facts, names: Sequence[str], guides: Sequence[str]) -> Rows | None:
    """Columns that hold a state at the end of each bin, thinned by the guides."""
    time, columns = _present(facts, names)
    if time is None or not columns:
        return None
    if len(time) == 1:
        return Rows(np.r_[0.0, time], {name: np.repeat(values, 2) for name, values in columns.items()})
    kept = thin([columns[name] for name in guides if name in columns] or [next(iter(columns.values()))], MAX_POINTS)
    return Rows(time[kept], {name: values[kept] for name, values in columns.items()})


def _present(facts: Facts, names: Sequence[str]) -> tuple[Array | None, dict[str, Array]]:
    columns = {name: values for name in names if (values := facts.column(name)) is not None}
    return facts.column("time_h"), columns


def frame(width: float, height: float, x: Axis, y: Axis, *, top: float = 0.0, gutter: bool = False) -> Frame:
    """A frame of this height with room for its numbers at the left and its title above, starting at `top`."""
    left = max((len(words) for _, words in y.ticks), default=1) * LETTER_PX + 10
    right = (
        GUTTER_PX if gutter and width >= ROOMY_PX else max(6.0, len(x.ticks[-1][1]) * LETTER_PX / 2 if x.ticks else 6.0)
    )
    return Frame(left, top + 28, width - left - right, height, x, y)


def n_ticks(width: float) -> int:
    """About so many ticks an axis of this width carries."""
    return 8 if width >= ROOMY_PX else 5


def aligned(frames: Sequence[Frame]) -> list[Frame]:
    """Frames below each other with the same left and right edge."""
    left = max(part.left for part in frames)
    right = min(part.left + part.width for part in frames)
    return [Frame(left, part.top, right - left, part.height, part.x, part.y) for part in frames]


def time_axis(facts: Facts, width: float) -> Axis:
    """The axis of elapsed time with as many ticks as the width carries."""
    time = facts.column("time_h")
    return elapsed(facts.hours if time is None else float(np.nanmax(time)), 14 if width >= ROOMY_PX else 7, facts.since)


def highest(*values: Array | float) -> float:
    """The highest of all figures that are numbers, 0 if there is none."""
    tops = [float(np.nanmax(np.r_[value, 0.0])) for value in values]
    return max(tops, default=0.0)
