"""A traced request log for people: a few lines on the terminal, and a page with its pictures."""

from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from macrohard.report import paper
from macrohard.report.chart import axes, line, sheet, text
from macrohard.report.facts import Array
from macrohard.report.picture import Picture, frame, n_ticks
from macrohard.report.quantity import duration, energy, human, percent, power
from macrohard.report.scale import elapsed, linear

HIGH_PX = 260
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
    marks = ("mean", "p50", "p90", "p99", "max")
    latency = [
        [escape(words), *(_seconds(told["latency"][key][mark]) for mark in marks)] for key, words in LATENCIES.items()
    ]
    bin_s = float(told["run"]["bin_s"])
    drawn = (
        ("Arrivals", "Requests a second, mean over the bin.", series["arrivals"].to_numpy(float) / bin_s, "requests/s"),
        ("In flight", "Requests that wait, are computed or decode, at the end of the bin.",
         series["in_flight"].to_numpy(float), "requests"),
        ("Time to first token", "90th percentile of the requests that came in within the bin.",
         series["ttft_s_p90"].to_numpy(float), "s"),
        ("Power of the site", "With cooling; drawn from 0.", series["load_mw"].to_numpy(float) * 1e3, "kW"),
    )  # fmt: skip
    hours = series["time_h"].to_numpy(float)
    title = f"{told['log']['file']} through {told['scenario']['name']}"
    body = [
        paper.head("Macrohard: a recorded log", title, "Request by request, at full power."),
        paper.table(["figure", "value"], [[escape(each) for each in pair] for pair in figures(told)], 2),
        paper.heading("Latency, seconds"),
        paper.table(["", *marks], latency),
        paper.section("Over time", [_picture(hours, *each) for each in drawn]),
    ]
    return paper.whole(title, body)


def _picture(hours: Array, title: str, words: str, values: Array, unit: str) -> Picture:
    name = title.lower().replace(" ", "-")
    return Picture(name, title, words, lambda width: _draw(hours, values, unit, title, width), wide=True)


def _draw(hours: Array, values: Array, unit: str, title: str, width: int) -> str:
    drawn = values[np.isfinite(values)]
    if not len(drawn):
        return "<p>None.</p>"
    span_h, many = float(hours[-1]), n_ticks(width)
    if span_h < 2:  # minutes read better
        x, horizontal = hours * 60, linear(0, span_h * 60, "minutes since the first request", many, round_up=False)
    else:
        x, horizontal = hours, elapsed(span_h, many, since="the first request")
    box = frame(width, HIGH_PX - 70, horizontal, linear(0, float(drawn.max()) or 1.0, unit))
    marks = [axes(box), line(box, x, values, "load")]
    if len(drawn) == 1:
        at = int(np.flatnonzero(np.isfinite(values))[0])
        marks.append(text(*box.at(float(x[at]), float(values[at])), f"{values[at]:.3g}"))
    return sheet(width, HIGH_PX, title, marks)


def _seconds(value: float) -> str:
    return "-" if value is None or value != value else f"{value:.3g}"
