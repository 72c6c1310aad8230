"""Pictures of two factors of a sweep: maps of a figure, and where conditions hold."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from macrohard.report.chart import LETTER_PX, sheet, text
from macrohard.report.picture import Picture
from macrohard.report.quantity import percent, significant
from macrohard.report.study import Study, is_full
from macrohard.report.wording import called, capital, condition, on_axis, titled, written

CELL_PX = 30.0
Inside = NDArray[np.bool_]
Shade = Callable[[float], tuple[str, str]]
"""How a cell is painted, as attributes of SVG, and what it says."""


def maps(study: Study) -> list[Picture]:
    """The mean of each figure over two factors."""
    return [
        _heat(metric, x, y, table)
        for (metric, x, y), table in study.maps.items()
        if is_full(table) and float(np.nanmax(table) - np.nanmin(table)) > 0
    ]


def _heat(metric: str, x: str, y: str, table: pd.DataFrame) -> Picture:
    values = table.to_numpy(float)
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    row, column = divmod(int(np.nanargmax(values)), values.shape[1])
    most = f"{called(x)} = {written(x, table.columns[column])} and {called(y)} = {written(y, table.index[row])}"
    caption = (
        f"Strong colour is much: from {written(metric, low)} to {written(metric, high)}, highest at {most}; "
        "means over the runs."
    )
    size, title = on_axis(metric, max(abs(low), abs(high)))

    def shade(value: float) -> tuple[str, str]:
        part = (value - low) / (high - low)
        return f'style="fill:var(--accent);fill-opacity:{0.06 + 0.7 * part:.2f}"', significant(value / size)

    def draw(width: int) -> str:
        return _cells(width, table, x, y, called(metric), shade)

    name = f"map-{metric}-{x}-{y}".replace(".", "-")
    return Picture(name, f"{capital(title)}, by both", caption, draw)


def frontiers(study: Study) -> list[Picture]:
    """Where all conditions hold: in all runs, in some, in none."""
    found = []
    for (x, y), table in study.feasible.items():
        values = table.to_numpy(float)
        if is_full(table) and np.nanmin(values) < np.nanmax(values):
            found.append(_frontier(study.conditions, x, y, table))
    return found


def _frontier(conditions: Sequence[str], x: str, y: str, table: pd.DataFrame) -> Picture:
    values = table.to_numpy(float)
    said = " and ".join(map(condition, conditions))
    caption = (
        f"Share of the runs in which there is {said}. Hatched crosswise: in none; slanted: in some; plain: in all. The "
        "strong line is the frontier of what is safe in every run."
    )

    def shade(value: float) -> tuple[str, str]:
        ink = "done" if value >= 1 else "given-up" if value <= 0 else "waiting"
        return f'fill="url(#ink-{ink})"', percent(value)

    def draw(width: int) -> str:
        return _cells(width, table, x, y, "Where the conditions hold", shade, values >= 1 - 1e-9)

    return Picture(f"frontier-{x}-{y}".replace(".", "-"), "What is feasible", caption, draw)


def _cells(
    width: int, table: pd.DataFrame, x: str, y: str, title: str, shade: Shade, inside: Inside | None = None
) -> str:
    """A table as cells with their numbers in them, the lowest level of y at the foot."""
    labels = [written(y, level) for level in table.index]
    left = max(len(words) for words in labels) * LETTER_PX + 14
    across, n_rows = (width - left - 4) / table.shape[1], table.shape[0]
    marks = [text(0, 14, titled(y), "axis")]
    foot = 28 + n_rows * CELL_PX
    for k, level in enumerate(table.columns):
        words = written(x, level)
        if len(words) * LETTER_PX < across * (1.9 if k % 2 == 0 and across < 40 else 1.0) and not (
            across < 40 and k % 2
        ):
            marks.append(text(left + (k + 0.5) * across, foot + 17, words, "tick", "middle"))
    marks.append(text(width - 4, foot + 34, titled(x), "axis", "end"))
    for r, words in enumerate(labels):
        top = foot - (r + 1) * CELL_PX
        marks.append(text(left - 8, top + CELL_PX / 2 + 4, words, "tick", "end"))
        for k, value in enumerate(table.iloc[r].to_numpy(float)):
            fill, said = shade(value) if math.isfinite(value) else ('class="track"', "-")
            spot = f'x="{left + k * across:.1f}" y="{top:.1f}" width="{across - 1:.1f}" height="{CELL_PX - 1:.1f}"'
            marks.append(f"<rect {spot} {fill}><title>{said}</title></rect>")
            if len(said) * LETTER_PX + 4 < across:
                marks.append(text(left + (k + 0.5) * across, top + CELL_PX / 2 + 4, said, "on-area", "middle"))
    if inside is not None:
        marks.append(_edges(inside, left, foot, across))
    return sheet(width, foot + 42, title, marks)


def _edges(inside: Inside, left: float, foot: float, across: float) -> str:
    """A strong line between the cells that are inside and those that are not."""
    path = []
    for r in range(inside.shape[0]):
        for k in range(inside.shape[1]):
            x, y = left + k * across, foot - r * CELL_PX
            if k + 1 < inside.shape[1] and inside[r, k] != inside[r, k + 1]:
                path.append(f"M{x + across - 0.5:.1f} {y:.1f}v-{CELL_PX:.0f}")
            if r + 1 < inside.shape[0] and inside[r, k] != inside[r + 1, k]:
                path.append(f"M{x:.1f} {y - CELL_PX:.1f}h{across:.1f}")
    return f'<path class="frontier" d="{"".join(path)}"/>'
