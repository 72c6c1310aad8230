"""A traced request log for people: a few lines on the terminal, and a page with its pictures."""

from collections.abc import Mapping
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from macrohard.report.chart import axes, line, sheet, text
from macrohard.report.facts import Array
from macrohard.report.quantity import duration, energy, human, percent, power
from macrohard.report.scale import Frame, elapsed, linear

WIDE_PX, HIGH_PX = 960, 260
LATENCIES = {
    "wait_s": "until its prompt is begun",
    "ttft_s": "until its first token",
    "tpot_s": "between two tokens",
    "total_s": "until its last token",
}


def figures(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What to know of a traced log: name and words."""
    log, counts, gpu, watts = (told[key] for key in ("log", "requests", "gpu", "power"))
    bursts = log["dispersion"]
    stand = f"{gpu['n_replicas']:,} replicas" + (
        f", {gpu['n_prefill_replicas']:,} prefill servers" if gpu["n_prefill_replicas"] else ""
    )
    return [
        ("Requests", f"{counts['n']:,} in {duration(log['span_s'] / 3600)}, {log['requests_per_s']:.3g} a second"),
        ("Tokens each", f"{human(log['context_tokens_mean'])} in, {human(log['generated_tokens_mean'])} out"),
        ("Burstiness", "variance over mean of arrivals in 1 / 10 / 60 s: "
         + " / ".join("-" if value != value else f"{value:.3g}" for value in bursts.values()) + " (Poisson: 1)"),
        ("By its end", f"{counts['served_by_end_of_log']:,} served, {counts['open_at_end_of_log']:,} open, "
         f"{counts['refused']:,} refused for want of room"),
        ("GPUs", f"{gpu['n_gpus']:,.0f} as {stand}; {percent(gpu['utilization_mean'])} busy, "
         f"{human(gpu['gpu_h_busy'], 'GPU-h')} of {human(gpu['gpu_h_available'])}; "
         f"{gpu['gpu_s_per_request']:.2g} GPU-s a request"),
        ("Power", f"site {power(watts['load_lowest_mw'])} to {power(watts['load_peak_mw'])}, mean "
         f"{power(watts['load_mean_mw'])}; {energy(watts['load_mwh'])}, {watts['wh_per_request']:.2g} Wh a request"),
    ]  # fmt: skip


def print_trace(told: Mapping[str, Any], console: Console) -> None:
    """Print figures and latencies."""
    console.print(Text(f"{told['log']['file']} through {told['scenario']['name']}", style="bold"))
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, words in figures(told):
        grid.add_row(name, Text(words))
    console.print(grid)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("seconds", "mean", "p50", "p90", "p99", "max"):
        table.add_column(heading, justify="left" if heading == "seconds" else "right")
    for key, words in LATENCIES.items():
        table.add_row(
            Text(words), *(_seconds(told["latency"][key][mark]) for mark in ("mean", "p50", "p90", "p99", "max"))
        )
    console.print(table)
    console.print(Text("At full power: the cap of a short supply is not applied to a trace.", style="dim"))


def page(told: Mapping[str, Any], series: pd.DataFrame) -> str:
    """The whole page as HTML, with nothing loaded from elsewhere."""
    style = files("macrohard.report").joinpath("page.css").read_text(encoding="utf-8")
    rows = "".join(f"<tr><td>{escape(name)}</td><td>{escape(words)}</td></tr>" for name, words in figures(told))
    latency = "".join(
        f"<tr><td>{escape(words)}</td>"
        + "".join(f"<td>{_seconds(told['latency'][key][mark])}</td>" for mark in ("mean", "p50", "p90", "p99", "max"))
        + "</tr>"
        for key, words in LATENCIES.items()
    )
    hours = series["time_h"].to_numpy(float)
    bin_s = float(told["run"]["bin_s"])
    drawn = (
        ("Arrivals", "Requests a second, mean over the bin.", series["arrivals"].to_numpy(float) / bin_s, "requests/s"),
        ("In flight", "Requests that wait, are computed or decode, at the end of the bin.",
         series["in_flight"].to_numpy(float), "requests"),
        ("Time to first token", "90th percentile of the requests that came in within the bin.",
         series["ttft_s_p90"].to_numpy(float), "s"),
        ("Power of the site", "With cooling; drawn from 0.", series["load_mw"].to_numpy(float) * 1e3, "kW"),
    )  # fmt: skip
    pictures = "".join(
        f"<figure class=wide><h3>{escape(title)}</h3><figcaption>{escape(words)}</figcaption>"
        f"{_picture(hours, values, unit, title)}</figure>"
        for title, words, values, unit in drawn
    )
    title = f"{told['log']['file']} through {told['scenario']['name']}"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head><body><main>"
        f'<header><p class="kicker">Macrohard: from tickets to megawatts</p><h1>{escape(title)}</h1></header>'
        f"<table><tbody>{rows}</tbody></table><h2>Latency, seconds</h2>"
        "<table><thead><tr><th></th><th>mean</th><th>p50</th><th>p90</th><th>p99</th><th>max</th></tr></thead>"
        f'<tbody>{latency}</tbody></table><h2>Over time</h2><div class="figures">{pictures}</div>'
        "</main></body></html>\n"
    )


def _picture(hours: Array, values: Array, unit: str, title: str) -> str:
    drawn = values[np.isfinite(values)]
    if not len(drawn):
        return "<p>None.</p>"
    span_h = float(hours[-1])
    if span_h < 2:  # minutes read better
        x, horizontal = hours * 60, linear(0, span_h * 60, "minutes since the first request", 8, round_up=False)
    else:
        x, horizontal = hours, elapsed(span_h, since="the first request")
    frame = Frame(56, 24, WIDE_PX - 80, HIGH_PX - 70, horizontal, linear(0, float(drawn.max()) or 1.0, unit))
    marks = [axes(frame), line(frame, x, values, "load")]
    if len(drawn) == 1:
        at = int(np.flatnonzero(np.isfinite(values))[0])
        marks.append(text(*frame.at(float(x[at]), float(values[at])), f"{values[at]:.3g}"))
    return sheet(WIDE_PX, HIGH_PX, title, marks)


def _seconds(value: float) -> str:
    return "-" if value is None or value != value else f"{value:.3g}"
