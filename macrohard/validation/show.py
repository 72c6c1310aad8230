"""The errors of the laws for people: a table on the terminal, and a page with a picture per law that needs no net."""

import math
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from macrohard.validation.picture import picture
from macrohard.validation.verdict import ERRORS_OF, Band, Line, lines, reasons

HEADINGS = ("law", "rows", "predicted", "median", "target", "p90", "target", "bias", "")


def print_scores(told: Mapping[str, Any], console: Console) -> None:
    """Print what `validate` returned: a line per law with its targets, then why rows were not predicted."""
    console.print(Text(f"Model against measurements: {told['points']}", style="bold"))
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("law", "rows", "told", "median", "p90", "bias", "targets"):
        table.add_column(heading, justify="left" if heading in ("law", "targets") else "right")
    for line in lines(told):
        name, n, share, median, median_target, p90, p90_target, bias, verdict = _cells(line)
        targets = " / ".join(target for target in (median_target, p90_target) if target)
        table.add_row(*(Text(cell) for cell in (name, n, share, median, p90, bias, f"{targets} {verdict}".strip())))
    console.print(table)
    console.print(Text("told: share of the rows that could be predicted; targets: median / 90th percentile", "dim"))
    for law in told["laws"]:
        console.print(Text(f"{law}: {ERRORS_OF.get(law, '')}.{_brier(told, law)}", style="dim"))
    for law in told["laws"]:
        found = reasons(told, law)
        if found:
            console.print(Text(f"Not predicted, {law}:", style="bold"))
            for words in found:
                console.print(Text(f"  {words}"), highlight=False)


def page(told: Mapping[str, Any], rows: Mapping[str, pd.DataFrame]) -> str:
    """The whole page as HTML: the table, a picture per law, and the rows that could not be predicted."""
    style = files("macrohard.report").joinpath("page.css").read_text(encoding="utf-8")
    cells = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in _cells(line)) + "</tr>" for line in lines(told)
    )
    heads = "".join(f"<th>{escape(heading)}</th>" for heading in HEADINGS)
    figures = "".join(_figures(told, law, rows[law]) for law in told["laws"])
    left = "".join(
        f"<h3>{escape(law)}</h3><ul>{''.join(f'<li>{escape(why)}</li>' for why in found)}</ul>"
        for law in told["laws"]
        if (found := reasons(told, law, most=1000))
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Model against measurements</title><style>{style}</style></head><body><main>"
        '<header><p class="kicker">Macrohard: from tickets to megawatts</p><h1>Model against measurements</h1>'
        f'<p class="lead">Measurements: {escape(str(told["points"]))}</p></header>'
        f'<h2>Errors</h2><div style="overflow-x:auto"><table><thead><tr>{heads}</tr></thead><tbody>{cells}</tbody>'
        f'</table></div><h2>Predicted against measured</h2><div class="figures">{figures}</div>'
        f"<h2>Rows without a prediction</h2>{left or '<p>None: every row was predicted.</p>'}</main></body></html>\n"
    )


def pictures(told: Mapping[str, Any], rows: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """The SVG of each law that has something to draw, with its band of error."""
    drawn = {
        name: picture(law, part, _band(told, law))
        for law in told["laws"]
        for name, part in _parts(law, rows[law]).items()
    }
    return {name: svg for name, svg in drawn.items() if svg}


def _parts(law: str, rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """What is drawn apart: serving measured as seconds per token, and as tokens per second and GPU."""
    if law != "serving":
        return {law: rows}
    is_speed = ~rows["kind"].str.contains("pool|offline|unknown")
    return {"serving": rows[is_speed], "serving_throughput": rows[~is_speed]}


UNITS = {
    "serving": "Seconds per output token of a stream",
    "serving_throughput": "Tokens per second and GPU, at maximum load or of one pool",
    "gpu_power": "Watts per GPU (per GPU of the server where the wall was read)",
    "success": "Share of successes of a model in a band of task lengths",
    "attempt_tokens": "Median input tokens of a repository and model",
    "role_ratios": "USD and seconds per task",
}


def _figures(told: Mapping[str, Any], law: str, rows: pd.DataFrame) -> str:
    band = _band(told, law)
    html = ""
    for name, part in _parts(law, rows).items():
        svg = picture(name if name != "serving_throughput" else "serving", part, band)
        words = UNITS.get(name, law) + (f". Dashed: {band:.0%} off the diagonal." if band else ".")
        title = escape(name.replace("_", " "))
        if svg:
            html += f"<figure class=wide><h3>{title}</h3><figcaption>{escape(words)}</figcaption>{svg}</figure>"
    return html or f"<p>{escape(law)}: no row could be predicted.</p>"


def _band(told: Mapping[str, Any], law: str) -> float | None:
    """How far from the diagonal the dashed lines stand: the 90th percentile's target, else the median's."""
    band = next((line.band for line in lines(told) if line.name == law), Band(math.nan))
    wide = band.p90 if math.isfinite(band.p90) else band.median
    return wide if math.isfinite(wide) else None


def _cells(line: Line) -> list[str]:
    return [
        line.name.replace(" | ", ": "),
        f"{line.n:,}",
        f"{line.n_predicted / line.n:.1%}" if line.n else "-",
        _percent(line.median),
        _percent(line.band.median, 0),
        _percent(line.p90),
        _percent(line.band.p90, 0),
        _percent(line.bias, sign="+"),
        {True: "within", False: "BEYOND", None: ""}[line.is_met],
    ]


def _percent(share: float, digits: int = 1, sign: str = "") -> str:
    return f"{share:{sign}.{digits}%}" if math.isfinite(share) else ""


def _brier(told: Mapping[str, Any], law: str) -> str:
    brier = told["laws"][law].get("brier")
    return "" if brier is None else f" Brier score {brier:.3f}."
