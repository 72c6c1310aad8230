"""What the figures of an uncertain run hang on: rank correlations with the parameters drawn, as a tornado."""

from collections.abc import Mapping
from typing import Any

from macrohard.report.bars import ROW_PX
from macrohard.report.chart import axes, box, sheet, text, upright
from macrohard.report.facts import Facts, look_up
from macrohard.report.picture import Picture
from macrohard.report.scale import Axis, Frame, linear
from macrohard.report.wording import called

MOST = 8


def tickets(facts: Facts) -> Picture | None:
    """What tickets a day hang on."""
    return _weights(facts, "work.tickets_per_day")


def cost(facts: Facts) -> Picture | None:
    """What the cost of a ticket hangs on."""
    return _weights(facts, "cost.usd_per_ticket")


def _weights(facts: Facts, metric: str) -> Picture | None:
    told = look_up(facts.summary, "replicates.matters")
    ranked: list[Mapping[str, Any]] = list(told["metrics"].get(metric, ()))[:MOST] if isinstance(told, Mapping) else []
    if not ranked or not isinstance(told, Mapping):
        return None
    ranks = [(str(each["parameter"]), float(each["rank_correlation"])) for each in ranked]
    caption = (
        f"Rank correlation of {called(metric)} with each parameter over the draws, strongest first: to the right it "
        f"rises with the parameter, to the left it falls. Within {float(told['chance']):.2f} of zero (the veil) it "
        "may be chance; beyond it lies one in twenty parameters without any effect."
    )

    def draw(width: int) -> str:
        x = linear(-1.0, 1.0, "rank correlation", 4)
        area = Frame(12, 4, width - 24, len(ranks) * ROW_PX, x, Axis(0, 1, (), ""))
        middle = area.at(0.0, 0.0)[0]
        chance = area.at(float(told["chance"]), 0.0)[0] - middle
        marks = [
            axes(area),
            box("veil", middle - chance, area.top, 2 * chance, area.height),
            upright(area, 0.0, "load"),
        ]
        for k, (name, rank) in enumerate(ranks):
            top = area.top + k * ROW_PX
            x0, x1 = sorted((middle, area.at(rank, 0.0)[0]))
            marks.append(text(0, top + 13, name, "label halo") + text(width, top + 13, f"{rank:+.2f}", "label", "end"))
            marks.append(box("piece", x0, top + 19, max(x1 - x0, 0.8), 18, "working" if rank > 0 else "waiting"))
        return sheet(width, area.top + area.height + 40, f"What {called(metric)} hang on", marks)

    name = metric.replace(".", "-")
    return Picture(f"weights-{name}", f"What it hangs on: {called(metric)}", caption, draw)
