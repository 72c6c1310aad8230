"""`macrohard size`: the smallest plant, fleet or battery that does the job."""

from pathlib import Path
from typing import Annotated, Any

import typer

from macrohard.commands.arguments import JsonOption, ScenarioArgument, SetOption, figures, keys
from macrohard.guard import MISSED, say, stoppable
from macrohard.names import DEFAULT_SCENARIO


def size(
    scenario: ScenarioArgument = DEFAULT_SCENARIO,
    vary: Annotated[
        str,
        typer.Option(
            metavar="KEY=LO:HI",
            help="The key and its range, e.g. power.megapack.n_units=0:336.",
            autocompletion=keys,
        ),
    ] = "",
    until: Annotated[
        str,
        typer.Option(
            metavar="METRIC<=VALUE",
            help="E.g. 'power.unserved_mwh<=0' or 'reliability.lolh_h<=1'.",
            autocompletion=figures,
        ),
    ] = "",
    set_: SetOption = None,
    hours: Annotated[float | None, typer.Option(help="Simulated hours (run.horizon_h).")] = None,
    replicates: Annotated[int, typer.Option(min=1, max=1000, help="Seeds that every value is run with.")] = 4,
    confident: Annotated[
        bool, typer.Option("--confident", help="Judge the one-sided 95 % bound of the mean over seeds, not the mean.")
    ] = False,
    largest: Annotated[
        bool, typer.Option("--largest", help="The largest value that does it, not the smallest.")
    ] = False,
    within: Annotated[
        float | None, typer.Option(help="How near is near enough; 1 for whole numbers, else a hundredth of the range.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for size.json, points.csv and size.html.")] = None,
    json_: JsonOption = False,
) -> None:
    """Find the smallest value of a key that meets a condition: bisection, every value on the same seeds."""
    from macrohard.faults import Fault, ScenarioError
    from macrohard.scenario import Scenario
    from macrohard.scenario.settings import Setting

    wanted = (("--vary", vary, "power.megapack.n_units=0:336"), ("--until", until, "'power.unserved_mwh<=0'"))
    empty = [
        Fault("", option, None, "is missing", f"write it like {example}", has_value=False)
        for option, text, example in wanted
        if not text
    ]
    if empty:
        raise ScenarioError(empty)
    flags = [Setting("run.horizon_h", str(hours), "--hours")] if hours is not None else []
    chosen = Scenario.load(scenario, [*(set_ or []), *flags])
    with stoppable():
        from macrohard import sizing
        from macrohard.outbox import deliver
        from macrohard.report import size_page
        from macrohard.store import to_json

        def told(point: sizing.Point) -> None:
            mark = "does it" if point.meets else "does not"
            say(f"{vary.partition('=')[0]} = {point.value:g}: {point.mean:.4g} on average, {mark}")

        found = sizing.size(chosen, vary, until, replicates=replicates, confident=confident, largest=largest,
                            within=within, told=told)  # fmt: skip
        document = found.document()
        if out is not None:
            files = {"size.json": to_json(document), "points.csv": size_page.table(document)}
            deliver(out, files | {"size.html": size_page.page(document)})
    print(to_json(document)) if json_ else _print(document, out)
    if found.value is None:
        raise typer.Exit(MISSED)


def _print(found: dict[str, Any], out: Path | None) -> None:
    from rich.console import Console
    from rich.table import Table

    from macrohard.report.size_page import answer

    console = Console()
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in (found["vary"], "mean", "95 % bound", f"{found['until']}"):
        table.add_column(name, justify="right")
    for each in found["points"]:
        bound = "-" if each["bound"] != each["bound"] else f"{each['bound']:.4g}"
        table.add_row(f"{each['value']:,g}", f"{each['mean']:.4g}", bound, "yes" if each["meets"] else "no")
    console.print(table)
    console.print(answer(found), style="bold", highlight=False)
    told = f"Judged on the {found['judged_on']}, {len(found['seeds'])} seeds, each {found['each_seed']}."
    console.print(told, highlight=False)
    for remark in found["remarks"]:
        console.print(f"Beware: {remark}.", highlight=False)
    if out is not None:
        console.print(f"Page: {out / 'size.html'}", highlight=False)
