"""What a run's figures are known to: 80 % intervals over its draws, and the parameters they hang on."""

import math
from collections.abc import Mapping
from html import escape
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from macrohard.report import paper
from macrohard.report.quantity import plain
from macrohard.report.wording import called, written

SHOWN = (
    "work.tickets_per_day", "work.lead_time_h_p50", "tokens.tokens_per_ticket", "gpu.utilization_mean",
    "gpu.tok_s_per_stream_mean", "power.load_mean_mw", "power.load_peak_mw", "power.unserved_mwh",
    "cost.usd_per_ticket", "cost.kwh_per_ticket",
)  # fmt: skip
"""Figures whose intervals are told."""

MOST = 3


def lines(told: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Figure, mean with its interval, and the parameters that matter most (with their rank correlations)."""
    found = []
    ranked = told.get("matters", {}).get("metrics", {})
    for metric in SHOWN:
        interval = told["metrics"].get(metric)
        if not interval or not math.isfinite(interval["mean"]):
            continue
        mean, low, high = (written(metric, interval[name]) for name in ("mean", "low", "high"))
        strongest = [f"{each['parameter']} {each['rank_correlation']:+.2f}" for each in ranked.get(metric, [])[:MOST]]
        found.append((called(metric), f"{mean} ({low} to {high})", ", ".join(strongest)))
    return found


def weights(told: Mapping[str, Any]) -> dict[str, list[tuple[str, float]]]:
    """By parameter the figures that it moves by more than chance, with their rank correlations, strongest first."""
    found: dict[str, list[tuple[str, float]]] = {}
    for metric, ranked in told.get("matters", {}).get("metrics", {}).items():
        for each in ranked if metric in SHOWN else ():
            found.setdefault(each["parameter"], []).append((called(metric), float(each["rank_correlation"])))
    return {parameter: sorted(each, key=lambda pair: -abs(pair[1])) for parameter, each in found.items()}


def print_spread(told: Mapping[str, Any], console: Console) -> None:
    """Print intervals, and what matters where parameters were drawn."""
    what = "parameters and dice" if told.get("uncertain") else "dice"
    console.print()
    console.print(Text(f"Over {told['n']} draws of {what}: mean (80 % interval)", style="bold"))
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    for name, spread, matters in lines(told):
        table.add_row(Text(name), Text(spread))
        if matters:
            table.add_row("", Text(f"hangs on {matters}", style="dim"))
    console.print(table)
    if told.get("uncertain"):
        console.print(Text(_note(told), style="dim"))


def section(told: Mapping[str, Any]) -> str:
    """The same as HTML, with every parameter's interval and source."""
    rows = [
        [escape(name), escape(spread), paper.kept_whole(matters.split(", "))] for name, spread, matters in lines(told)
    ]
    html = paper.table(["Figure", "Mean (80 % interval)", "Matters most"], rows, 3)
    parameters = told.get("parameters", {})
    if parameters:
        drawn = [
            [
                f"<code>{escape(key)}</code>",
                *(paper.kept_whole([figure]) for figure in (plain(each["value"]), _range(each))),
                escape(each["source"]),
            ]
            for key, each in parameters.items()
        ]
        html += f'<p class="lead">{escape(_note(told))}</p>'
        html += paper.table(["Parameter", "Value", "Drawn from (80 %)", "Source"], drawn, 4)
    what = "parameters and dice" if told.get("uncertain") else "dice"
    return f'<p class="lead">Over {told["n"]} draws of {what}.</p>{html}'


def _range(each: Mapping[str, Any]) -> str:
    return "held" if each["low"] is None else plain([each["low"], each["high"]])


def _note(told: Mapping[str, Any]) -> str:
    chance = told["matters"]["chance"]
    if not told["matters"]["metrics"]:
        return "Too few draws to rank parameters; 10 are the least, some 100 are good."
    return (
        "Rank correlations with the parameters drawn. Of those without any effect one in twenty lies beyond "
        f"{chance:.2f} by chance; more draws narrow it."
    )
