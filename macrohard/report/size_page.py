"""What `size` found, for people: the answer in a sentence, the points as a table, and a page with their picture."""

from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np

from macrohard.report import paper
from macrohard.report.chart import axes, line, rule, sheet, text
from macrohard.report.facts import Array
from macrohard.report.picture import Picture, frame, n_ticks
from macrohard.report.scale import Frame, linear

HIGH_PX = 260


def answer(found: Mapping[str, Any]) -> str:
    """One sentence."""
    key, reached = found["vary"], found["reached"]
    told = f"{found['until'].split()[0]} is {reached['mean']:.4g} there"
    if found["value"] is None:
        return (
            f"No value of {key} that was tried in {found['low']:g} to {found['high']:g} makes {found['until']}; "
            f"nearest at {reached['value']:,g}: {told}"
        )
    return f"{key} = {found['value']:,g} is the {found['seeks']} that makes {found['until']}; {told}"


def table(found: Mapping[str, Any]) -> str:
    """All points tried as CSV: value, mean, bound, meets, and the figure of each seed."""
    head = ["value", "mean", "bound_95", "meets", *(f"seed_{seed}" for seed in found["seeds"])]
    rows = (
        [f"{each['value']:g}", repr(each["mean"]), "" if each["bound"] != each["bound"] else repr(each["bound"]),
         str(each["meets"]).lower(), *(repr(figure) for figure in each["figures"])]
        for each in found["points"]
    )  # fmt: skip
    return "".join(",".join(row) + "\n" for row in (head, *rows))


def page(found: Mapping[str, Any]) -> str:
    """The whole page as HTML, with nothing loaded from elsewhere."""
    title = f"{found['scenario']}: the {found['seeks']} {found['vary']}"
    lead = (
        f"{answer(found)}. Judged on the {found['judged_on']}, {len(found['seeds'])} seeds, the same for every value, "
        f"each {found['each_seed']}."
    )
    words = f"Rings: each seed. Line: their mean. Dotted level line: {found['until']}. Dot: the value found."
    picture = Picture("tried", "The figure by value", words, lambda width: _draw(found, width), wide=True)
    rows = [
        [f"{each['value']:,g}", f"{each['mean']:.4g}", _bound(each), "yes" if each["meets"] else "no"]
        for each in found["points"]
    ]
    heads = [escape(words) for words in (found["vary"], "mean", "95 % bound", found["until"])]
    body = [
        paper.head("Macrohard: sizing", title, lead),
        paper.warnings(found["remarks"]),
        paper.section("What was tried", [picture]),
        paper.heading("Every value"),
        paper.table(heads, rows),
    ]
    return paper.whole(title, body)


def _draw(found: Mapping[str, Any], width: int) -> str:
    value = np.array([each["value"] for each in found["points"]], float)
    mean = np.array([each["mean"] for each in found["points"]], float)
    each_seed = np.array([each["figures"] for each in found["points"]], float)
    wanted = float(found["until"].split()[-1])
    known = np.r_[each_seed[np.isfinite(each_seed)], wanted]
    y = linear(float(known.min()), float(known.max()), found["until"].split()[0], 5)
    across = linear(float(found["low"]), float(found["high"]), found["vary"], n_ticks(width))
    box = frame(width, HIGH_PX - 90, across, y)
    marks = [axes(box), rule(box, wanted, "limit"), line(box, value, mean, "one"), _rings(box, value, each_seed)]
    if found["value"] is not None:
        x, height = box.at(float(found["value"]), float(found["reached"]["mean"]))
        side = "end" if x > box.left + box.width / 2 else "start"
        marks.append(f'<circle cx="{x:.1f}" cy="{height:.1f}" r="4" class="dot"/>')
        marks.append(text(x, height - 10, f"{found['value']:,g}", "strong", side))
    return sheet(width, HIGH_PX, "The figure by value", marks)


def _rings(box: Frame, value: Array, figures: Array) -> str:
    rings = []
    for x, column in zip(value.tolist(), figures.tolist(), strict=True):
        for each in column:
            if np.isfinite(each):
                at = box.at(x, each)
                rings.append(f'<circle class="line one" cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="2.5"/>')
    return "".join(rings)


def _bound(each: Mapping[str, Any]) -> str:
    return "-" if each["bound"] != each["bound"] else f"{each['bound']:.4g}"
