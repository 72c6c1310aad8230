"""Pictures of a sweep: a figure against a factor, with 80 % intervals over the runs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from macrohard.report.chart import LETTER_PX, axes, gutter, legend, line, sheet
from macrohard.report.picture import ROOMY_PX, Picture, frame
from macrohard.report.scale import Axis, Frame, linear
from macrohard.report.study import Spread, Study, at_levels
from macrohard.report.wording import called, capital, on_axis, titled, written

MAX_FIGURES, MAX_FACTORS, MAX_LINES = 6, 3, 4
STYLES = ("load", "demand", "soc-dotted", "nameplate")
LOG_FROM = 30.0  # levels that span more than this ratio stand on a logarithmic axis


@dataclass(frozen=True)
class Curve:
    """A figure along a factor, and what the curve is called."""

    name: str
    points: list[tuple[object, Spread]]


def responses(study: Study) -> list[Picture]:
    """Each figure against the factors that move it most, with 80 % intervals over the runs."""
    found = []
    for metric in study.metrics[:MAX_FIGURES]:
        if not study.varies(metric):
            continue
        drivers = study.drivers(metric)
        split = _splitting(study, drivers)
        for factor in drivers[:1] if split else drivers[:MAX_FACTORS]:
            curves = _curves(study, metric, factor, split)
            if sum(len(curve.points) for curve in curves) > len(curves):
                found.append(_response(study, metric, factor, split, curves))
    return found


def _splitting(study: Study, drivers: Sequence[str]) -> str:
    """The second of two factors if it has few levels: a curve for each of them tells more than their mean."""
    if len(drivers) != 2:
        return ""
    return drivers[1] if study.runs[drivers[1]].nunique() <= MAX_LINES else ""


def _curves(study: Study, metric: str, factor: str, split: str) -> list[Curve]:
    if not split:
        return [Curve("", study.by_level(metric, factor))]
    levels = at_levels(study.done[split])
    return [
        Curve(f"{called(split)} {written(split, level)}", study.by_level(metric, factor, levels == level))
        for level in sorted(levels.unique())
    ]


def _response(study: Study, metric: str, factor: str, split: str, curves: list[Curve]) -> Picture:
    low_at, low, high_at, high = study.effect(metric, factor)
    caption = (
        f"On average over the runs, {called(metric)} lies between {written(metric, low)} (at {called(factor)} = "
        f"{written(factor, low_at)}) and {written(metric, high)} (at {written(factor, high_at)}). "
    )
    several = max(each.n for curve in curves for _, each in curve.points) > 1
    caption += "Dots are means, bars hold 80 % of the runs." if several else "One run a point: no interval."

    def draw(width: int) -> str:
        values = [v for curve in curves for _, each in curve.points for v in (each.low, each.high, each.mean)]
        size, y_title = on_axis(metric, max(map(abs, values)))
        low_y = min(values) / size
        y = linear(min(low_y, 0.0) if low_y < 0.35 * max(values) / size else low_y, max(values) / size, y_title, 5)
        levels = sorted({level for curve in curves for level, _ in curve.points}, key=_order)
        x, at = level_axis(levels, titled(factor), factor, width - 80)
        named = [curve for curve in curves if curve.name]
        area = frame(width, 220, x, y, gutter=bool(named))
        marks, ends = [axes(area)], []
        for k, curve in enumerate(curves):
            px = np.array([at[level] for level, _ in curve.points])
            means = np.array([each.mean / size for _, each in curve.points])
            marks.append(line(area, px, means, STYLES[k % len(STYLES)]))
            shift = (k - (len(curves) - 1) / 2) * 4
            marks += [_whisker(area, at[level], each, size, shift, k) for level, each in curve.points]
            ends.append((float(means[-1]), curve.name.removeprefix(f"{called(split)} ")))
        if named and width >= ROOMY_PX:
            marks.append(gutter(area, ends))
        keys = [("line", STYLES[k % len(STYLES)], curve.name) for k, curve in enumerate(named)]
        return legend(keys) + sheet(width, area.top + area.height + 40, called(metric), marks)

    title = f"{called(metric)} against {called(factor)}"
    return Picture(f"{metric}-{factor}".replace(".", "-"), capital(title), caption, draw, bool(split))


def _order(level: object) -> tuple[int, float, str]:
    return (0, float(level), "") if isinstance(level, (int, float)) else (1, 0.0, str(level))


def _whisker(area: Frame, x: float, each: Spread, size: float, shift: float, k: int) -> str:
    px, mean = area.at(x, each.mean / size)
    low, high = area.at(x, each.low / size)[1], area.at(x, each.high / size)[1]
    px += shift
    bar = (
        f'<path class="whisker" d="M{px:.1f} {low:.1f}V{high:.1f}M{px - 4:.1f} {low:.1f}h8M{px - 4:.1f} {high:.1f}h8"/>'
    )
    style = "spot hollow" if k % 2 else "spot"
    return (bar if each.n > 1 else "") + f'<circle class="{style}" cx="{px:.1f}" cy="{mean:.1f}" r="3.4"/>'


def level_axis(levels: Sequence[object], title: str, key: str, room: float) -> tuple[Axis, dict[object, float]]:
    """An axis with its ticks at the levels, and where each stands: numbers to scale, texts side by side."""
    numbers = [float(level) for level in levels if isinstance(level, (int, float))]
    if len(numbers) == len(levels) and len(levels) > 1:
        is_log = min(numbers) > 0 and max(numbers) / min(numbers) > LOG_FROM
        places = [math.log10(number) if is_log else number for number in numbers]
    else:
        is_log, places = False, [float(k) for k in range(len(levels))]
    low, high = min(places), max(places)
    edge = (high - low) * 0.06 or 0.5
    ticks: list[tuple[float, str]] = []
    last = -math.inf
    for place, level in sorted(zip(places, levels, strict=True), key=lambda each: each[0]):
        words = written(key, level)
        half = len(words) * LETTER_PX / 2 + 3
        px = (place - low + edge) / (high - low + 2 * edge) * room
        if px - half >= last:
            ticks.append((place, words))
            last = px + half
    axis = Axis(low - edge, high + edge, tuple(ticks), title + (" (logarithmic)" if is_log else ""))
    return axis, dict(zip(levels, places, strict=True))
