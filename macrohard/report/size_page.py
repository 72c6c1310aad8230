"""What `size` found, for people: the answer in a sentence, the points as a table, and a page with their picture."""

from collections.abc import Mapping
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np

from macrohard.report.chart import axes, line, rule, sheet, text
from macrohard.report.facts import Array
from macrohard.report.picture import frame
from macrohard.report.scale import Frame, linear

WIDE_PX, HIGH_PX = 900, 260


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
    style = files("macrohard.report").joinpath("page.css").read_text(encoding="utf-8")
    remarks = "".join(f"<li>{escape(each)}</li>" for each in found["remarks"])
    cautions = f'<div class="cautions"><h2>Beware</h2><ul>{remarks}</ul></div>' if remarks else ""
    rows = "".join(
        f"<tr><td>{each['value']:,g}</td><td>{each['mean']:.4g}</td><td>{_bound(each)}</td>"
        f"<td>{'yes' if each['meets'] else 'no'}</td></tr>"
        for each in found["points"]
    )
    title = f"{found['scenario']}: the {found['seeks']} {found['vary']}"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head><body><main>"
        f'<header><p class="kicker">Macrohard: sizing</p><h1>{escape(title)}</h1>'
        f'<p class="lead">{escape(answer(found))}. Judged on the {escape(found["judged_on"])}, '
        f"{len(found['seeds'])} seeds, the same for every value, each {escape(found['each_seed'])}.</p>"
        f"</header>{cautions}"
        f'<h2>What was tried</h2><div class="figures"><figure class="wide"><figcaption>Rings: each seed. Line: their '
        f"mean. Level line: {escape(found['until'])}.</figcaption>{_picture(found)}</figure></div>"
        f"<table><thead><tr><th>{escape(found['vary'])}</th><th>mean</th><th>95 % bound</th>"
        f"<th>{escape(found['until'])}</th></tr></thead><tbody>{rows}</tbody></table></main></body></html>\n"
    )


def _picture(found: Mapping[str, Any]) -> str:
    value = np.array([each["value"] for each in found["points"]], float)
    mean = np.array([each["mean"] for each in found["points"]], float)
    each_seed = np.array([each["figures"] for each in found["points"]], float)
    wanted = float(found["until"].split()[-1])
    known = np.r_[each_seed[np.isfinite(each_seed)], wanted]
    y = linear(float(known.min()), float(known.max()), found["until"].split()[0], 5)
    box = frame(WIDE_PX, HIGH_PX - 90, linear(float(found["low"]), float(found["high"]), found["vary"], 8), y)
    marks = [axes(box), rule(box, wanted, "limit"), line(box, value, mean, "one"), _rings(box, value, each_seed)]
    if found["value"] is not None:
        x, height = box.at(float(found["value"]), float(found["reached"]["mean"]))
        side = "end" if x > box.left + box.width / 2 else "start"
        marks.append(f'<circle cx="{x:.1f}" cy="{height:.1f}" r="4" class="dot"/>')
        marks.append(text(x, height - 10, f"{found['value']:,g}", "strong", side))
    return sheet(WIDE_PX, HIGH_PX, "The figure by value", marks)


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
