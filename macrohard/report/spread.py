"""What a run's figures are known to: 80 % intervals over its draws, and the parameters they hang on."""

import math
from collections.abc import Mapping
from html import escape
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

SHOWN = {
    "work.tickets_per_day": "tickets a day",
    "work.lead_time_h_p50": "lead time, median, h",
    "tokens.tokens_per_ticket": "tokens a ticket",
    "gpu.utilization_mean": "GPUs busy, share",
    "gpu.tok_s_per_stream_mean": "speed of a stream, tok/s",
    "power.load_mean_mw": "load, mean, MW",
    "power.load_peak_mw": "load, peak, MW",
    "power.unserved_mwh": "unserved, MWh",
    "cost.usd_per_ticket": "USD a ticket",
    "cost.kwh_per_ticket": "kWh a ticket",
}
MOST = 3


def lines(told: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Figure, mean with its interval, and the parameters that matter most (with their rank correlations)."""
    found = []
    ranked = told.get("matters", {}).get("metrics", {})
    for metric, words in SHOWN.items():
        interval = told["metrics"].get(metric)
        if not interval or not math.isfinite(interval["mean"]):
            continue
        spread = f"{interval['mean']:.4g} ({interval['low']:.4g} to {interval['high']:.4g})"
        strongest = [f"{each['parameter']} {each['rank_correlation']:+.2f}" for each in ranked.get(metric, [])[:MOST]]
        found.append((words, spread, ", ".join(strongest)))
    return found


def weights(told: Mapping[str, Any]) -> dict[str, list[tuple[str, float]]]:
    """By parameter the figures that it moves by more than chance, with their rank correlations, strongest first."""
    found: dict[str, list[tuple[str, float]]] = {}
    for metric, ranked in told.get("matters", {}).get("metrics", {}).items():
        for each in ranked if metric in SHOWN else ():
            found.setdefault(each["parameter"], []).append((SHOWN[metric], float(each["rank_correlation"])))
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
    heads = "".join(f"<th>{head}</th>" for head in ("Figure", "Mean (80 % interval)", "Matters most"))
    cells = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>" for line in lines(told))
    html = f"<table><thead><tr>{heads}</tr></thead><tbody>{cells}</tbody></table>"
    parameters = told.get("parameters", {})
    if parameters:
        drawn = "".join(
            f"<tr><td><code>{escape(key)}</code></td><td>{each['value']:.4g}</td><td>{_range(each)}</td>"
            f"<td>{escape(each['source'])}</td></tr>"
            for key, each in parameters.items()
        )
        html += (
            f'<p class="lead">{escape(_note(told))}</p><table><thead><tr><th>Parameter</th><th>Value</th>'
            f"<th>Drawn from (80 %)</th><th>Source</th></tr></thead><tbody>{drawn}</tbody></table>"
        )
    what = "parameters and dice" if told.get("uncertain") else "dice"
    return f'<p class="lead">Over {told["n"]} draws of {what}.</p><div class="sheet">{html}</div>'


def _range(each: Mapping[str, Any]) -> str:
    return "held" if each["low"] is None else f"{each['low']:.4g} to {each['high']:.4g}"


def _note(told: Mapping[str, Any]) -> str:
    chance = told["matters"]["chance"]
    if not told["matters"]["metrics"]:
        return "Too few draws to rank parameters; 10 are the least, some 100 are good."
    return f"Rank correlations with the parameters drawn; up to {chance:.2f} may be chance, more draws narrow it."
