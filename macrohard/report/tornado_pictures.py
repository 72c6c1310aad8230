"""Pictures of what moves a figure most: indices of a sensitivity analysis, or means at the ends of each factor."""

from typing import NamedTuple

from macrohard.report.bars import ROW_PX, Part, Row, rows
from macrohard.report.chart import axes, box, legend, sheet, text, upright
from macrohard.report.picture import Picture
from macrohard.report.quantity import significant
from macrohard.report.scale import Axis, Frame, linear
from macrohard.report.study import Study, is_number
from macrohard.report.wording import called, capital, on_axis, written

MAX_FIGURES = 6


class Swing(NamedTuple):
    """The means of a figure at two ends of a factor, each with the level it belongs to."""

    factor: str
    first: str
    first_mean: float
    last: str
    last_mean: float


def tornados(study: Study) -> list[Picture]:
    """What moves each figure most: indices of a sensitivity analysis, or the means at a factor's ends."""
    if study.indices:
        return [_index_bars(study, metric) for metric in study.metrics]
    if len(study.factors) < 2:
        return []
    return [_tornado(study, metric) for metric in study.metrics[:MAX_FIGURES] if study.varies(metric)]


def _index_bars(study: Study, metric: str) -> Picture:
    mine = sorted((each for each in study.indices if each.metric == metric), key=lambda each: -each.total)
    bars = [
        Row(called(each.factor), (Part("working", each.total),), f"{each.total:.3g} ± {each.total_half_width:.2g}")
        for each in mine
    ]
    told = {
        "morris": "the mean change of the figure when the factor moves over its range, whatever the others are (mu*)",
        "sobol": "the share of the figure's variance that the factor has a part in, alone or with others (total index)",
    }.get(study.method, study.method)
    caption = f"Each bar is {told}, with its 95 % interval. Longest first: {called(mine[0].factor)}." if mine else ""
    return Picture(
        f"tornado-{metric}".replace(".", "-"), f"What moves {called(metric)}", caption,
        lambda width: rows(width, called(metric), bars),
    )  # fmt: skip


def _swing(study: Study, metric: str, factor: str) -> Swing:
    """From the lowest level to the highest; of texts, from the level with the lowest mean to that with the highest."""
    found = study.by_level(metric, factor)
    if not is_number(study.done[factor]):
        found = sorted(found, key=lambda each: each[1].mean)
    (first, a), (last, b) = found[0], found[-1]
    return Swing(factor, written(factor, first), a.mean, written(factor, last), b.mean)


def _tornado(study: Study, metric: str) -> Picture:
    middle = float(study.done[metric].mean())
    swings = [_swing(study, metric, factor) for factor in study.drivers(metric)]
    caption = (
        f"Mean of {called(metric)} at the two ends of each factor, the others averaged over; the upright line is the "
        f"mean of all runs, {written(metric, middle)}. {capital(called(swings[0].factor))} moves it most."
    )

    def draw(width: int) -> str:
        values = [middle, *(mean for each in swings for mean in (each.first_mean, each.last_mean))]
        size, title = on_axis(metric, max(abs(value) for value in values))
        margin = (max(values) - min(values)) * 0.2
        x = linear((min(values) - margin) / size, (max(values) + margin) / size, title, 4, round_up=False)
        area = Frame(24, 4, width - 48, len(swings) * ROW_PX, x, Axis(0, 1, (), ""))
        marks = [axes(area), upright(area, middle / size, "load")]
        marks += [_bar(area, k, each, middle, size) for k, each in enumerate(swings)]
        keys = legend([("area", "waiting", "at its lowest level"), ("area", "working", "at its highest")])
        return keys + sheet(width, area.top + area.height + 40, called(metric), marks)

    return Picture(f"tornado-{metric}".replace(".", "-"), f"What moves {called(metric)} most", caption, draw)


def _bar(area: Frame, k: int, each: Swing, middle: float, size: float) -> str:
    top = area.top + k * ROW_PX
    ends = (
        f"{each.first}: {significant(each.first_mean / size)} \u00b7 {each.last}: {significant(each.last_mean / size)}"
    )
    marks = [text(2, top + 13, called(each.factor), "label halo")]
    marks.append(text(area.left + area.width + 22, top + 13, ends, "tick halo", "end"))
    for ink, mean in (("waiting", each.first_mean), ("working", each.last_mean)):
        x0, x1 = sorted((area.at(middle / size, 0)[0], area.at(mean / size, 0)[0]))
        marks.append(box("piece", x0, top + 19, max(x1 - x0, 0.8), 18, ink))
    return "".join(marks)
