"""Marks of a chart as SVG text: lines, areas, rules, axes, labels. Colours and fonts come from page.css."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from macrohard.report.facts import Array
from macrohard.report.scale import Frame

TEXT_PX = 12.0
LETTER_PX = 6.6  # mean width of a letter at TEXT_PX, on the safe side
PATTERNS = {
    "diagonal": '<path d="M-2 2L2-2M0 8L8 0M6 10L10 6"/>',
    "counter": '<path d="M-2 6L2 10M0 0L8 8M6-2L10 2"/>',
    "dots": '<circle cx="2" cy="2" r="1"/><circle cx="6" cy="6" r="1"/>',
    "upright": '<path d="M2 0V8M6 0V8"/>',
    "level": '<path d="M0 2H8M0 6H8"/>',
    "cross": '<path d="M0 0L8 8M0 8L8 0"/>',
}
INKS = {  # name of a paint -> pattern over its colour, so that the picture reads without colour
    "grid": "",
    "turbine": "diagonal",
    "solar": "dots",
    "battery": "upright",
    "unserved": "cross",
    "done": "",
    "given-up": "cross",
    "review": "dots",
    "test": "counter",
    "code": "",
    "design": "level",
    "plan": "diagonal",
    "roadmap": "dots",
    "waiting": "diagonal",
    "working": "",
    "idle": "",
    "unimpeded": "",
    "gpus": "diagonal",
    "power": "cross",
    "training": "upright",
    "other": "dots",
}


@dataclass(frozen=True)
class Layer:
    """One layer of a stack: what it is called, how it is painted, how thick it is at each x."""

    label: str
    ink: str
    values: Array


def definitions() -> str:
    """The fills of all paints, to be put once into a page: colour from the style sheet, pattern on top."""
    fills = "".join(
        f'<pattern id="ink-{ink}" width="8" height="8" patternUnits="userSpaceOnUse">'
        f'<rect width="8" height="8" style="fill:var(--{ink})"/>'
        f'<g class="hatch">{PATTERNS.get(pattern, "")}</g></pattern>'
        for ink, pattern in INKS.items()
    )
    return f'<svg class="defs" width="0" height="0" aria-hidden="true"><defs>{fills}</defs></svg>'


def paint(ink: str) -> str:
    """The attribute that fills a shape with a paint."""
    return f'fill="url(#ink-{ink})"'


def box(style: str, x: float, y: float, width: float, height: float, ink: str = "") -> str:
    """A rectangle, painted or as its style has it."""
    fill = paint(ink) if ink else ""
    return f'<rect class="{style}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" {fill}/>'


def _points(px: Array, py: Array) -> str:
    return "L".join(f"{x:.1f} {y:.1f}" for x, y in zip(px.tolist(), py.tolist(), strict=True))


def sheet(width: float, height: float, title: str, marks: Sequence[str]) -> str:
    """A drawing with its marks, in pixels; it shrinks with the window."""
    return (
        f'<svg class="chart" viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{escape(title)}" '
        f'style="max-width:{width:.0f}px">{"".join(marks)}</svg>'
    )


def line(frame: Frame, x: Array, y: Array, style: str) -> str:
    """A line through the points, broken where y is not a number. `style` names a class of the style sheet."""
    drawn = np.isfinite(x) & np.isfinite(y)
    cuts = np.flatnonzero(np.diff(drawn.astype(np.int8))) + 1
    pieces = [part for part in np.split(np.arange(len(x)), cuts) if part.size and drawn[part[0]]]
    if not pieces:
        return ""
    path = "".join("M" + _points(frame.px(x[part]), frame.py(y[part])) for part in pieces)
    return f'<path class="line {style}" d="{path}"/>'


def area(frame: Frame, x: Array, low: Array, high: Array, ink: str) -> str:
    """The area between two lines."""
    if np.nanmax(np.abs(high - low), initial=0.0) <= 0:
        return ""
    px = frame.px(x)
    outline = _points(np.r_[px, px[::-1]], np.r_[frame.py(high), frame.py(low)[::-1]])
    return f'<path class="area" {paint(ink)} d="M{outline}Z"/>'


def text(x: float, y: float, words: str, style: str = "", anchor: str = "start") -> str:
    """A word or two at a point."""
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def stack(frame: Frame, x: Array, layers: Sequence[Layer], keep_clear: float = 0.0) -> tuple[str, list[Layer]]:
    """Layers on top of each other, each with its name on it where there is room; and the layers without one.

    No name is put where x is below `keep_clear`.
    """
    low = np.zeros_like(x)
    areas, labels, unnamed = [], [], []
    for layer in layers:
        high = low + np.nan_to_num(layer.values)
        shape = area(frame, x, low, high, layer.ink)
        if shape:
            areas.append(shape)
            spot = room_for(frame, x, low, high, layer.label, keep_clear)
            if spot is None:
                unnamed.append(layer)
            else:
                labels.append(text(*spot, layer.label, "on-area", "middle"))
        low = high
    return "".join(areas + labels), unnamed


def room_for(
    frame: Frame, x: Array, low: Array, high: Array, words: str, keep_clear: float = 0.0
) -> tuple[float, float] | None:
    """A roomy place between two lines for a label, near the middle if it can be; None where it would not fit."""
    wide, tall = len(words) * LETTER_PX + 8, TEXT_PX + 4
    start = frame.at(keep_clear, frame.y.low)[0] if 0 < keep_clear < frame.x.high else frame.left
    columns = np.arange(start + 2, frame.left + frame.width - 2)
    window = int(wide)
    if window >= len(columns):
        return None
    px = frame.px(x)
    upper = np.interp(columns, px, frame.py(high))
    lower = np.interp(columns, px, frame.py(low))
    ceiling = sliding_window_view(upper, window).max(axis=1)
    floor = sliding_window_view(lower, window).min(axis=1)
    room = floor - ceiling
    if room.max() < tall:
        return None
    fits = np.flatnonzero(room >= max(tall, 0.8 * float(room.max())))
    middle = frame.left + frame.width / 2 - wide / 2
    best = int(fits[np.argmin(np.abs(columns[fits] - middle))])
    return float(columns[best] + wide / 2), float((floor[best] + ceiling[best]) / 2 + TEXT_PX * 0.36)


def axes(frame: Frame, *, x_title: bool = True) -> str:
    """Level grid lines with their numbers, ticks below, and what both axes measure, with units."""
    right, bottom = frame.left + frame.width, frame.top + frame.height
    marks = []
    for at, words in frame.y.ticks:
        y = frame.at(frame.x.low, at)[1]
        marks.append(f'<path class="level" d="M{frame.left:.1f} {y:.1f}H{right:.1f}"/>')
        marks.append(text(frame.left - 6, y + 4, words, "tick", "end"))
    for at, words in frame.x.ticks:
        x = frame.at(at, frame.y.low)[0]
        marks.append(f'<path class="notch" d="M{x:.1f} {bottom:.1f}v4"/>')
        if x_title:
            marks.append(text(x, bottom + 17, words, "tick", "middle"))
    marks.append(f'<path class="base" d="M{frame.left:.1f} {bottom:.1f}H{right:.1f}"/>')
    if frame.y.title:
        marks.append(text(0, frame.top - 10, frame.y.title, "axis"))
    if x_title:
        marks.append(text(right, bottom + 34, frame.x.title, "axis", "end"))
    return "".join(marks)


def rule(frame: Frame, y: float, style: str) -> str:
    """A level line across the frame, nothing if it lies outside."""
    if not math.isfinite(y) or not frame.y.low <= y <= frame.y.high:
        return ""
    at = frame.at(frame.x.low, y)[1]
    return f'<path class="line {style}" d="M{frame.left:.1f} {at:.1f}h{frame.width:.1f}"/>'


def upright(frame: Frame, x: float, style: str) -> str:
    """A vertical line through the frame, nothing if it lies outside."""
    if not math.isfinite(x) or not frame.x.low <= x <= frame.x.high:
        return ""
    at = frame.at(x, frame.y.low)[0]
    return f'<path class="line {style}" d="M{at:.1f} {frame.top:.1f}v{frame.height:.1f}"/>'


def warm_up(frame: Frame, hours: float, *, named: bool = True) -> str:
    """A veil over the hours that the averages leave out."""
    if not 0 < hours < frame.x.high:
        return ""
    end = frame.at(hours, 0.0)[0]
    veil = box("veil", frame.left, frame.top, end - frame.left, frame.height)
    fits = named and end - frame.left > 7 * LETTER_PX + 8
    return veil + (text(frame.left + 5, frame.top + 13, "warm-up", "note") if fits else "")


def gutter(frame: Frame, labels: Sequence[tuple[float, str]]) -> str:
    """Labels right of the frame at the heights of the lines they name, pushed apart where they would overlap."""
    wanted = sorted(((frame.at(frame.x.high, y)[1], words) for y, words in labels if math.isfinite(y)))
    placed: list[float] = []
    for y, _ in wanted:
        placed.append(max(y, placed[-1] + TEXT_PX + 2) if placed else max(y, frame.top))
    overshoot = (placed[-1] - (frame.top + frame.height)) if placed else 0.0
    if overshoot > 0:
        placed[-1] -= overshoot
        for k in range(len(placed) - 2, -1, -1):
            placed[k] = min(placed[k], placed[k + 1] - TEXT_PX - 2)
    right = frame.left + frame.width
    return "".join(
        f'<path class="leader" d="M{right + 1:.1f} {y:.1f}L{right + 9:.1f} {at:.1f}"/>'
        + text(right + 12, at + 4, words, "label")
        for at, (y, words) in zip(placed, wanted, strict=True)
    )


def legend(entries: Sequence[tuple[str, str, str]]) -> str:
    """What the marks mean, as HTML that wraps with the window. An entry: ('area' | 'line', ink or style, words)."""
    if not entries:
        return ""
    items = []
    for kind, style, words in entries:
        mark = (
            f'<rect width="26" height="12" rx="2" {paint(style)}/>'
            if kind == "area"
            else f'<path class="line {style}" d="M0 6H26"/>'
        )
        items.append(f'<span><svg width="26" height="12" aria-hidden="true">{mark}</svg>{escape(words)}</span>')
    return f'<div class="legend">{"".join(items)}</div>'
