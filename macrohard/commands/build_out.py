"""`macrohard build-out`: how long the site takes to build, what decides it, and when GPUs can be used."""

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
    from macrohard.store import to_json

    if to not in MILESTONES:
        raise ScenarioError([Fault("", "--to", to, f"one of {', '.join(MILESTONES)}", "name one of them")])
    try:
        site = site_of(chosen, like)
        found = told(site, mw, to, replicates, seed, versus)
    except ValueError as error:
        raise ScenarioError([Fault("", "build-out", None, str(error), "change it", has_value=False)]) from None
    if json_:
        print(to_json(found))
    elif toml:
        print(toml_rows((date.fromisoformat(day), n) for day, n in found["build_out"]), end="")
    else:
        _print(found)


def _print(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    times = Table(
        title=f"{found['site']}: days from {found['start']} to {found['mw']:g} MW, {found['replicates']} throws"
    )
    for name in ("milestone", "first batch", "10 %", "half", "90 %", "months", "published", "model - published"):
        times.add_column(name, justify="left" if name == "milestone" else "right")
    for name, row in found["milestones"].items():
        known = row.get("published")
        judged = ("", "")
        if known:
            role = "fitted" if known["fitted"] else "predicted"
            judged = (
                f"{known['days']:g} ({role})",
                f"{known['difference_days']:+.0f} ({known['difference_share']:+.0%})",
            )
        days = [f"{row['days'][each]:.0f}" for each in ("p10", "p50", "p90")]
        times.add_row(name, f"{row['first_batch_days']['p50']:.0f}", *days, f"{row['months_p50']:.1f}", *judged)
    console.print(times)
    path = Table(title=f"What decides when it is {found['path']['to']}")
    for name in ("activity", "critical in", "slack, days", "a fifth faster saves, days"):
        path.add_column(name, justify="left" if name == "activity" else "right")
    for each in found["path"]["activities"]:
        saved = f"{each['crash_days']:.1f}"
        path.add_row(each["kind"], f"{each['criticality']:.0%}", f"{each['float_days']:.0f}", saved)
    console.print(path)
    crews = {trade: days for trade, days in found["path"]["one_more_crew_days"].items() if days > 0.5}
    console.print("One more crew saves, days: " + (", ".join(f"{t} {d:.0f}" for t, d in crews.items()) or "nothing"))
    gpus = Table(title="GPUs at a date: the least of racks, cooling and power, once commissioned (median)")
    for name in found["gpus_by_day"][0]:
        gpus.add_column(name, justify="right")
    for row in found["gpus_by_day"]:
        gpus.add_row(*(f"{value:,.0f}" for value in row.values()))
    console.print(gpus)
    if "gap" in found:
        gap = found["gap"]
        shares = Table(
            title=f"{gap['fast_days']:.0f} days here, {gap['slow_days']:.0f} at {gap['versus']}: what explains it"
        )
        for name in ("input", "share of the gap, days (Shapley)", "exchanged alone, days"):
            shares.add_column(name, justify="left" if name == "input" else "right")
        for name, days in gap["shares"].items():
            shares.add_row(name, f"{days:+.0f}", f"{gap['alone'][name]:+.0f}")
        console.print(shares)
    console.print("Crews, shifts and orders before the start are assumed; docs/build-out.md says what is measured.")
