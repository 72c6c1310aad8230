"""The page of a comparison: B against A, run by run of equal seed."""

import math
from html import escape

import numpy as np

from macrohard.report import paper
from macrohard.report.bars import ROW_PX
from macrohard.report.chart import axes, legend, sheet, text, upright
from macrohard.report.comparison import Comparison, Difference, answer, cautions, is_sure, relative, signed
from macrohard.report.picture import Picture, frame
from macrohard.report.quantity import MISSING
from macrohard.report.scale import Axis, Frame, linear
from macrohard.report.wording import better, called, capital, on_axis, written

QUESTIONS = ("What was compared", "What came out", "What can be told, and what to change")
MAX_PAIRS = 40


def comparison_page(found: Comparison) -> str:
    """The whole page as HTML text."""
    drawn = {
        "Figure by figure": [each for each in (_forest(found),) if each is not None],
        "Pair by pair": [_pairs(found, each) for each in found.differences if each.n > 1 and each.difference != 0],
    }
    drawn = {title: pictures for title, pictures in drawn.items() if pictures}
    tables = {"Every figure": _table(found), "What differs": _settings(found)}
    ends = {title: html for title, html in tables.items() if html} | {"How to repeat it": paper.entries(found.told)}
    body = [
        paper.head("Macrohard: a comparison", "B against A", f"A: {found.a} · B: {found.b}"),
        paper.contents([*drawn, *ends]),
        paper.answers(QUESTIONS, answer(found)),
        paper.warnings(cautions(found)),
        *(paper.section(title, pictures) for title, pictures in drawn.items()),
        *(paper.heading(title) + html for title, html in ends.items()),
    ]
    return paper.whole(f"{found.b} against {found.a} · Macrohard comparison", body)


def _forest(found: Comparison) -> Picture | None:
    """Differences as shares of A, with their intervals."""
    shown = [each for each in found.differences if each.mean_a and math.isfinite(each.difference)]
    if not shown:
        return None
    ends = [relative(each, v) for each in shown for v in (each.low, each.high, each.difference) if v is not None]
    caption = "Difference of B from A as a share of A's mean."
    if any(each.low is not None for each in shown):
        caption += (
            " Bars are 95 % intervals of the mean difference; one that crosses the upright line cannot be told from "
            "none. Filled dots are better, hollow ones worse or neither."
        )

    def draw(width: int) -> str:
        x = linear(100 * min(0.0, *ends), 100 * max(0.0, *ends), "difference from A, %", 5)
        area = Frame(24, 4, width - 48, len(shown) * ROW_PX, x, Axis(0, 1, (), ""))
        marks = [axes(area), upright(area, 0.0, "load")]
        for k, each in enumerate(shown):
            y = area.top + k * ROW_PX + 29
            words = f"{written(each.metric, each.mean_a)} \u2192 {written(each.metric, each.mean_b)}"
            marks.append(text(8, y - 14, called(each.metric), "label halo"))
            marks.append(text(area.left + area.width, y - 14, words, "tick halo", "end"))
            low, high = (100 * relative(each, each.difference if v is None else v) for v in (each.low, each.high))
            x0, x1, at = (area.at(v, 0)[0] for v in (low, high, 100 * relative(each, each.difference)))
            marks.append(
                f'<path class="whisker" d="M{x0:.1f} {y:.1f}H{x1:.1f}M{x0:.1f} {y - 4:.1f}v8M{x1:.1f} {y - 4:.1f}v8"/>'
            )
            style = "spot" if is_sure(each) and each.difference * better(each.metric) > 0 else "spot hollow"
            marks.append(f'<circle class="{style}" cx="{at:.1f}" cy="{y:.1f}" r="4.5"/>')
        return sheet(width, area.top + area.height + 40, "Differences", marks)

    return Picture("differences", "How far B is from A", caption, draw, True)


def _pairs(found: Comparison, each: Difference) -> Picture:
    """Each pair as a line from A to B."""
    both = found.pairs[[f"{each.metric} a", f"{each.metric} b"]].dropna().to_numpy(float)[:MAX_PAIRS]
    rising = int((both[:, 1] > both[:, 0]).sum())
    falling = int((both[:, 1] < both[:, 0]).sum())
    caption = f"Each line is one pair: {rising} of {len(both)} rise, {falling} fall. The dashed line is the mean."

    def draw(width: int) -> str:
        size, title = on_axis(each.metric, float(np.abs(both).max()))
        y = linear(float(both.min()) / size, float(both.max()) / size, title, 4)
        x = Axis(-0.3, 1.3, ((0.0, "A"), (1.0, "B")), "")
        area = frame(width, 190, x, y)
        marks = [axes(area)]
        for a, b in both / size:
            (x0, y0), (x1, y1) = area.at(0, float(a)), area.at(1, float(b))
            marks.append(f'<path class="pair" d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}"/>')
            marks += [f'<circle class="spot" cx="{px:.1f}" cy="{py:.1f}" r="3"/>' for px, py in ((x0, y0), (x1, y1))]
        (x0, y0), (x1, y1) = area.at(0, each.mean_a / size), area.at(1, each.mean_b / size)
        marks.append(f'<path class="line demand" d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}"/>')
        return legend([("line", "demand", "mean")]) + sheet(
            width, area.top + area.height + 30, called(each.metric), marks
        )

    name = f"pairs-{each.metric}".replace(".", "-")
    return Picture(name, capital(called(each.metric)), caption, draw)


def _table(found: Comparison) -> str:
    rows = []
    for each in found.differences:
        interval = told = MISSING
        if each.low is not None and each.high is not None:
            interval = f"{signed(each.metric, each.low)} to {signed(each.metric, each.high)}"
            told = "yes" if is_sure(each) else "no"
        if each.difference == 0:
            told = "equal"
        cells = (written(each.metric, each.mean_a), written(each.metric, each.mean_b))
        change = signed(each.metric, each.difference)
        rows.append(
            [f"<code>{escape(each.metric)}</code>", *map(escape, (*cells, change, interval, told, str(each.n)))]
        )
    heads = ["Figure", "A", "B", "B - A", "95 % interval", "beyond chance", "pairs"]
    return paper.table([escape(words) for words in heads], rows)


def _settings(found: Comparison) -> str:
    rows = [
        [f"<code>{escape(key)}</code>", escape(written(key, a)), escape(written(key, b))]
        for key, (a, b) in found.settings.items()
    ]
    return paper.table(["Setting", "A", "B"], rows) if rows else ""
