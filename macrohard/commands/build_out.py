"""`macrohard build-out`: how long the site takes to build, what decides it, and when GPUs can be used."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from macrohard.commands.arguments import JsonOption, ScenarioArgument
from macrohard.names import DEFAULT_SCENARIO


def build_out(
    scenario: ScenarioArgument = DEFAULT_SCENARIO,
    mw: Annotated[float | None, typer.Option(help="Megawatts of IT to reach; all of the site if left out.")] = None,
    to: Annotated[str, typer.Option(help="Milestone whose path is shown: cooling, energized or serving.")] = "serving",
    like: Annotated[
        str | None, typer.Option(help="Build it as colossus2, abilene or colossus1 was, at the scenario's size.")
    ] = None,
    versus: Annotated[str | None, typer.Option(help="A slower site: its gap to this one, factor by factor.")] = None,
    replicates: Annotated[int, typer.Option(min=10, max=100_000, help="Throws of the durations.")] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the throws.")] = 1,
    out: Annotated[Path | None, typer.Option(help="Write a page with pictures to this HTML file.")] = None,
    toml: Annotated[bool, typer.Option("--toml", help="Only the rows for cluster.build_out.")] = False,
    json_: JsonOption = False,
) -> None:
    """Throw a construction network many times: months to N megawatts, critical path, GPUs usable by date."""
    from macrohard.faults import Fault, ScenarioError
    from macrohard.scenario import Scenario

    chosen = Scenario.load(scenario)
    from datetime import date

    from macrohard.buildout.of_scenario import site_of
    from macrohard.buildout.outcome import MILESTONES, toml_rows
    from macrohard.buildout.told import told
    from macrohard.outbox import check_file
    from macrohard.store import to_json

    if out is not None:
        check_file(out)
    if to not in MILESTONES:
        raise ScenarioError([Fault("", "--to", to, f"one of {', '.join(MILESTONES)}", "name one of them")])
    try:
        site = site_of(chosen, like)
        found = told(site, mw, to, replicates, seed, versus)
    except ValueError as error:
        raise ScenarioError([Fault("", "build-out", None, str(error), "change it", has_value=False)]) from None
    if out is not None:
        from macrohard.report.build_page import page
        from macrohard.report.paper import write_page

        write_page(page(found), out)
    if json_:
        print(to_json(found))
    elif toml:
        print(toml_rows((date.fromisoformat(day), n) for day, n in found["build_out"]), end="")
    else:
        _print(found)


SHOWN_EVERY = 6


def _table(*names: str) -> Any:
    """A plain table, its first column to the left."""
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for number, name in enumerate(names):
        table.add_column(name, justify="right" if number else "left")
    return table


def _times(name: str, days: Mapping[str, float], known: Mapping[str, Any] | None) -> list[str]:
    from macrohard.buildout.outcome import DAYS_PER_MONTH
    from macrohard.report.build_page import verdict

    cells = [name, *(f"{days[each]:.0f}" for each in ("p10", "p50", "p90")), f"{days['p50'] / DAYS_PER_MONTH:.1f}"]
    if known is None:
        return [*cells, "", ""]
    return [*cells, f"{known['days']:g}", verdict(known)]


def _print(found: dict[str, Any]) -> None:
    from rich.console import Console

    from macrohard.report.build_page import told_rows

    console = Console()
    console.print(
        f"{found['site']}: days from {found['start']} to {found['mw']:g} MW, {found['replicates']} throws", style="bold"
    )
    times = _table("milestone", "10 %", "half", "90 %", "months", "published", "model")
    for row in told_rows(found):
        times.add_row(*_times(*row))
    console.print(times)
    console.print(f"\nWhat decides when it is {found['path']['to']}", style="bold")
    path = _table("activity", "critical in", "slack, days", "a fifth faster saves, days")
    for each in found["path"]["activities"]:
        saved = f"{each['crash_days']:.1f}"
        path.add_row(each["kind"], f"{each['criticality']:.0%}", f"{each['float_days']:.0f}", saved)
    console.print(path)
    crews = {trade: days for trade, days in found["path"]["one_more_crew_days"].items() if days > 0.5}
    console.print("One more crew saves, days: " + (", ".join(f"{t} {d:.0f}" for t, d in crews.items()) or "nothing"))
    console.print("\nGPUs at a date: the least of racks, cooling and power, once commissioned (median)", style="bold")
    gpus = _table(*found["gpus_by_day"][0])
    for row in found["gpus_by_day"][SHOWN_EVERY - 1 :: SHOWN_EVERY]:
        gpus.add_row(*(f"{value:,.0f}" for value in row.values()))
    console.print(gpus)
    if "gap" in found:
        gap = found["gap"]
        told = f"{gap['fast_days']:.0f} days here, {gap['slow_days']:.0f} at {gap['versus']}: what explains it"
        console.print(f"\n{told}", style="bold")
        shares = _table("input", "share, days (Shapley)", "exchanged alone, days")
        for name, days in gap["shares"].items():
            shares.add_row(name, f"{days:+.0f}", f"{gap['alone'][name]:+.0f}")
        console.print(shares)
    console.print("Crews, shifts and orders before the start are assumed; docs/build-out.md says what is measured.")
