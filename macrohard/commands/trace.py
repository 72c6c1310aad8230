"""`macrohard trace`: a recorded request log through the cluster, in place of agents."""

from pathlib import Path
from typing import Annotated

import typer

from macrohard.commands.arguments import JsonOption, ScenarioArgument, SetOption


def trace(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A CSV or JSON-lines log, or azure-code-2023, which is bundled.")
    ],
    scenario: ScenarioArgument = "laptop",
    set_: SetOption = None,
    scale: Annotated[float, typer.Option(min=1e-6, max=1e6, help="Multiply the load; its rhythm is kept.")] = 1.0,
    bin_s: Annotated[float | None, typer.Option(min=0.1, help="Seconds per row of the series.")] = None,
    llm: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of several serving.models, the one that serves; else the first.")
    ] = None,
    json_: JsonOption = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder for page, figures, series, and every request's times.")
    ] = None,
) -> None:
    """Send a recorded request log through a scenario's GPUs: queueing, latency, GPU-hours and watts."""
    from macrohard.logs import request_log
    from macrohard.logs import trace as tracing
    from macrohard.scenario import Scenario
    from macrohard.store import to_json

    chosen = Scenario.load(scenario, set_ or [])
    given = request_log.read(file)
    requests = request_log.scaled(given, scale, chosen.run.seed)
    result = tracing.trace(chosen, requests, given=given, bin_s=bin_s, model=llm)
    document = {**result.summary, "log": {"file": file, "scale": scale, **result.summary["log"]}}
    if out is not None:
        from macrohard.outbox import deliver
        from macrohard.report.trace_page import page

        files = {"trace.json": to_json(document), "series.csv": result.series.to_csv(index=False)}
        files |= {"requests.csv": result.requests.to_csv(index=False), "trace.html": page(document, result.series)}
        deliver(out, files)
    if json_:
        print(to_json(document))
        return
    from rich.console import Console

    from macrohard.report.trace_page import print_trace

    print_trace(document, Console())
    if out is not None:
        print(f"page: {out / 'trace.html'}")
