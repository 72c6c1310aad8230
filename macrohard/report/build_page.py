"""The page of `macrohard build-out`: when things are done, months to N MW, GPUs by date."""

from collections.abc import Mapping
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np

from macrohard.report.chart import area, axes, box, definitions, legend, line, sheet, text
from macrohard.report.picture import frame
from macrohard.report.scale import Axis, linear

WIDE_PX, ROW_PX = 900, 20
SHOWN = {"cooling": "battery", "energized": "grid", "serving": "turbine"}
"""Milestone and its paint."""
LIMITS = {"racks": "demand", "cooling": "zero", "power": "limit", "usable": "load"}
"""What carries GPUs and how its line is drawn."""


def page(found: Mapping[str, Any]) -> str:
    """The whole page as HTML, with nothing loaded from elsewhere."""
    style = files("macrohard.report").joinpath("page.css").read_text(encoding="utf-8")
    title = f"{found['site']}: {found['mw']:g} MW from {found['start']}"
    serving = found["milestones"]["serving"]["days"]
    lead = (
        f"All of it serves after {serving['p50']:.0f} days (80 % of {found['replicates']} throws: {serving['p10']:.0f} "
        f"to {serving['p90']:.0f}). Crews, shifts and orders before the start are assumed."
    )
    parts = (
        ("Months to so many megawatts", "Half of the throws, with the span of 80 % of them.", _months(found)),
        ("GPUs by date", "Median of what racks, cooling and power would carry; usable is the least, commissioned.",
         _gpus(found)),
        ("The work", "From the first start to the last finish of each activity, medians over throws. Hatched: on the "
         f"critical path to {found['path']['to']} in more than half of them.", _bars(found)),
    )  # fmt: skip
    figures = "".join(
        f'<h2>{escape(name)}</h2><div class="figures"><figure class="wide"><figcaption>{escape(words)}</figcaption>'
        f"{drawn}</figure></div>"
        for name, words, drawn in parts
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head><body>{definitions()}<main>"
        f'<header><p class="kicker">Macrohard: building the site</p><h1>{escape(title)}</h1>'
        f'<p class="lead">{escape(lead)}</p></header>{figures}{_milestones(found)}</main></body></html>\n'
    )


def _months(found: Mapping[str, Any]) -> str:
    rows = found["months_to_mw"]
    mw = np.array([each["mw"] for each in rows], float)
    most = max(each[name]["p90"] for each in rows for name in SHOWN)
    frame_ = frame(WIDE_PX, 220, linear(0, float(mw[-1]), "MW of IT", 8), linear(0, float(most), "months", 5))
    marks = [axes(frame_)]
    for name, ink in SHOWN.items():
        low, half, high = (np.array([each[name][key] for each in rows], float) for key in ("p10", "p50", "p90"))
        marks += [area(frame_, mw, low, high, ink), line(frame_, mw, half, "load")]
    words = legend([("area", ink, name) for name, ink in SHOWN.items()])
    return sheet(WIDE_PX, 300, "Months to so many megawatts", marks) + words


def _gpus(found: Mapping[str, Any]) -> str:
    rows = found["gpus_by_day"]
    day = np.array([each["day"] for each in rows], float)
    most = max(each[name] for each in rows for name in LIMITS)
    across = linear(0, float(day[-1]), "days since the start", 8, round_up=False)
    frame_ = frame(WIDE_PX, 220, across, linear(0, float(most), "GPUs", 5))
    marks = [axes(frame_)]
    for name, style in LIMITS.items():
        marks.append(line(frame_, day, np.array([each[name] for each in rows], float), style))
    return sheet(WIDE_PX, 300, "GPUs by date", marks) + legend(
        [("line", style, name) for name, style in LIMITS.items()]
    )


def _bars(found: Mapping[str, Any]) -> str:
    rows = found["activities"]
    critical = {each["kind"]: each["criticality"] for each in found["path"]["activities"]}
    high = ROW_PX * len(rows)
    across = linear(0, max(each["finish"] for each in rows), "days since the start", 8)
    frame_ = frame(WIDE_PX - 140, high, across, Axis(0.0, float(len(rows)), (), ""))
    shift = 140.0
    marks = []
    for number, each in enumerate(rows):
        x0, y = frame_.at(each["start"], len(rows) - number)
        x1 = frame_.at(each["finish"], 0)[0]
        ink = "turbine" if critical.get(each["kind"], 0) > 0.5 else "grid"
        marks.append(box("bar", shift + x0, y + 3, max(x1 - x0, 1.0), ROW_PX - 6, ink))
        marks.append(text(shift - 6, y + ROW_PX / 2 + 4, each["kind"].replace("_", " "), "label", "end"))
    drawn = f'<g transform="translate({shift:.0f} 0)">{axes(frame_)}</g>'
    return sheet(WIDE_PX, high + 80, "The work over time", [drawn, *marks])


def _milestones(found: Mapping[str, Any]) -> str:
    rows = ""
    for name, each in found["milestones"].items():
        for label, days, known in (
            (f"{name}, {each['part_mw']:g} MW", each["part_days"], each.get("part_published")),
            (f"{name}, all", each["days"], each.get("published")),
        ):
            told = f"{known['days']:g}: {known['source']}{' (fitted)' if known['fitted'] else ''}" if known else ""
            span = f"{days['p50']:.0f} ({days['p10']:.0f}-{days['p90']:.0f})"
            rows += f"<tr><td>{escape(label)}</td><td>{span}</td><td>{escape(told)}</td></tr>"
    return (
        "<h2>Against what was published</h2><table><thead><tr><th>milestone</th><th>model, days (80 %)</th>"
        f"<th>published</th></tr></thead><tbody>{rows}</tbody></table>"
    )
