"""Bars as SVG text: rows of level bars with their names above them, and the columns of a histogram."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from macrohard.report.chart import LETTER_PX, box, sheet, text
from macrohard.report.facts import Array
from macrohard.report.scale import Frame

ROW_PX = 46.0
BAR_PX = 18.0


@dataclass(frozen=True)
class Part:
    """One piece of a bar: how it is painted, how long it is, what stands in it if it fits."""

    ink: str
    value: float
    words: str = ""


@dataclass(frozen=True)
class Row:
    """One bar with its name and, at the right, its figure."""

    name: str
    parts: tuple[Part, ...]
    figure: str = ""


def rows(width: float, title: str, bars: Sequence[Row], full: float | None = None) -> str:
    """Level bars one below the other, all to the same scale: `full` fills the width, else the longest does."""
    lengths = [sum(max(0.0, part.value) for part in bar.parts if np.isfinite(part.value)) for bar in bars]
    whole = full if full else max([*lengths, 0.0])
    marks = []
    for k, bar in enumerate(bars):
        top, x = k * ROW_PX, 0.0
        marks.append(text(0, top + 13, bar.name, "label") + text(width, top + 13, bar.figure, "label", "end"))
        marks.append(box("track", 0, top + 20, width, BAR_PX))
        for part in bar.parts:
            long = width * part.value / whole if whole > 0 and np.isfinite(part.value) and part.value > 0 else 0.0
            if long <= 0:
                continue
            marks.append(box("piece", x, top + 20, max(long, 0.8), BAR_PX, part.ink))
            if part.words and len(part.words) * LETTER_PX + 10 < long:
                marks.append(text(x + long / 2, top + 33, part.words, "on-area", "middle"))
            x += long
    return sheet(width, max(1, len(bars)) * ROW_PX, title, marks)


def columns(frame: Frame, edges: Array, counts: Array, ink: str) -> str:
    """A histogram's columns between its edges."""
    left, right = frame.px(edges[:-1]), frame.px(edges[1:])
    top, foot = frame.py(counts), frame.top + frame.height
    return "".join(
        box("piece", a, y, max(b - a - 1, 0.5), foot - y, ink)
        for a, b, y, count in zip(left, right, top, counts, strict=True)
        if count > 0
    )
