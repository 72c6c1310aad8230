"""The page of `macrohard build-out`: when things are done, months to N MW, GPUs by date."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

import numpy as np

from macrohard.report import paper
from macrohard.report.chart import area, axes, box, legend, line, sheet, text
from macrohard.report.picture import Picture, frame, n_ticks
from macrohard.report.scale import Axis, linear

NAMES_PX, ROW_PX = 120.0, 20
SHOWN = {"cooling": "battery", "energized": "grid", "serving": "turbine"}
"""Milestone and its paint."""
LIMITS = {"racks": "demand", "cooling": "zero", "power": "limit", "usable": "load"}
"""What carries GPUs and how its line is drawn."""


def page(found: Mapping[str, Any]) -> str:
    """The whole page as HTML, with nothing loaded from elsewhere."""
    title = f"{found['site']}: {found['mw']:g} MW from {found['start']}"
    serving = found["milestones"]["serving"]["days"]
    lead = (
        f"All of it serves after {serving['p50']:.0f} days (80 % of {found['replicates']} throws: {serving['p10']:.0f} "
        f"to {serving['p90']:.0f}). Crews, shifts and orders before the start are assumed."
    )
    drawn = [
        Picture("months", "Months to so many megawatts", "Half of the throws, with the span of 80 % of them.",
                lambda width: _months(found, width), wide=True),
        Picture("gpus", "GPUs by date", "Median of what racks, cooling and power would carry; usable is the least, "
                "commissioned.", lambda width: _gpus(found, width), wide=True),
        Picture("work", "The work", "From the first start to the last finish of each activity, medians over throws. "
                f"Hatched: on the critical path to {found['path']['to']} in more than half of them.",
                lambda width: _bars(found, width), wide=True),
    ]  # fmt: skip
    body = [
        paper.head("Macrohard: building the site", title, lead),
        paper.section("When it is done", drawn),
        paper.heading("Against what was published"),
        _milestones(found),
    ]
    return paper.whole(title, body)


def told_rows(found: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, float], Mapping[str, Any] | None]]:
    """Of each milestone, in part and whole: what it is, the days of the model, and what was published of it, if any.

    Where several dates were published they follow one another.
    """
    for name, each in found["milestones"].items():
        for part in each["parts"]:
            for known in part["published"] or [None]:
                yield f"{name}, {part['mw']:g} MW", part["days"], known
        for known in each["published"] or [None]:
            yield f"{name}, all", each["days"], known


def verdict(known: Mapping[str, Any]) -> str:
    """How far the model is from a published date, and what that is worth."""
    role = "fitted" if known["fitted"] else "predicted" if known["in_80_percent_interval"] else "missed"
    return f"{known['difference_share']:+.0%}, {role}"


def _months(found: Mapping[str, Any], width: int) -> str:
    rows = found["months_to_mw"]
    mw = np.array([each["mw"] for each in rows], float)
    most = max(each[name]["p90"] for each in rows for name in SHOWN)
    frame_ = frame(
        width, 220, linear(0, float(mw[-1]), "MW of IT", n_ticks(width)), linear(0, float(most), "months", 5)
    )
    marks = [axes(frame_)]
    for name, ink in SHOWN.items():
        low, half, high = (np.array([each[name][key] for each in rows], float) for key in ("p10", "p50", "p90"))
        marks += [area(frame_, mw, low, high, ink), line(frame_, mw, half, "load")]
    words = legend([("area", ink, name) for name, ink in SHOWN.items()])
    return sheet(width, 300, "Months to so many megawatts", marks) + words


def _gpus(found: Mapping[str, Any], width: int) -> str:
    rows = found["gpus_by_day"]
    day = np.array([each["day"] for each in rows], float)
    most = max(each[name] for each in rows for name in LIMITS)
    across = linear(0, float(day[-1]), "days since the start", n_ticks(width), round_up=False)
    frame_ = frame(width, 220, across, linear(0, float(most), "GPUs", 5))
    marks = [axes(frame_)]
    for name, style in LIMITS.items():
        marks.append(line(frame_, day, np.array([each[name] for each in rows], float), style))
    return sheet(width, 300, "GPUs by date", marks) + legend([("line", style, name) for name, style in LIMITS.items()])


def _bars(found: Mapping[str, Any], width: int) -> str:
    rows = found["activities"]
    critical = {each["kind"]: each["criticality"] for each in found["path"]["activities"]}
    high = ROW_PX * len(rows)
    across = linear(0, max(each["finish"] for each in rows), "days since the start", n_ticks(width))
    frame_ = frame(width - NAMES_PX, high, across, Axis(0.0, float(len(rows)), (), ""))
    marks = []
    for number, each in enumerate(rows):
        x0, y = frame_.at(each["start"], len(rows) - number)
        x1 = frame_.at(each["finish"], 0)[0]
        ink = "turbine" if critical.get(each["kind"], 0) > 0.5 else "grid"
        marks.append(box("bar", NAMES_PX + x0, y + 3, max(x1 - x0, 1.0), ROW_PX - 6, ink))
        marks.append(text(NAMES_PX - 6, y + ROW_PX / 2 + 4, each["kind"].replace("_", " "), "label", "end"))
    drawn = f'<g transform="translate({NAMES_PX:.0f} 0)">{axes(frame_)}</g>'
    return sheet(width, high + 80, "The work over time", [drawn, *marks])


def _milestones(found: Mapping[str, Any]) -> str:
    rows = []
    for label, days, known in told_rows(found):
        told = f"{known['days']:g}, {verdict(known)}: {known['source']}" if known else ""
        rows.append([escape(label), f"{days['p50']:.0f} ({days['p10']:.0f}-{days['p90']:.0f})", escape(told)])
    return paper.table(["milestone", "model, days (80 %)", "published, days, and the model against it"], rows, 3)
