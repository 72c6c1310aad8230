"""`macrohard reliability`: how often power would be short in a year, with intervals, and what N-1 leaves."""

from typing import Annotated

import typer

from macrohard.commands.arguments import JsonOption, ScenarioArgument, SetOption
from macrohard.names import DEFAULT_SCENARIO


def reliability(
    scenario: ScenarioArgument = DEFAULT_SCENARIO,
    set_: SetOption = None,
    load_share: Annotated[
        float, typer.Option(min=0.01, max=1.0, help="IT power, share of the build-up at the GPUs' limit.")
    ] = 0.85,
    years: Annotated[float, typer.Option(min=0.001, max=100, help="Length of each history.")] = 1.0,
    seeds: Annotated[int, typer.Option(min=1, max=100_000, help="Histories of outages.")] = 16,
    tick_s: Annotated[float, typer.Option(min=1, max=3600, help="Length of a tick, s.")] = 60.0,
    json_: JsonOption = False,
) -> None:
    """Years of the plant alone under the site's load: LOLH, LOLE, EENS, events, and the margin with a unit out."""
    from macrohard.scenario import Scenario

    chosen = Scenario.load(scenario, set_ or [])
    from macrohard.reliability import reliability as found_by
    from macrohard.store import to_json

    found = found_by(chosen, load_share=load_share, years=years, n_seeds=seeds, tick_s=tick_s)
    if json_:
        print(to_json(found.document()))
        return
    from rich.console import Console
    from rich.table import Table

    seen = found.adequacy
    table = Table(
        title=f"{found.name}: {found.load_mean_mw:.3g} MW on average, {found.load_peak_mw:.3g} at most; "
        f"{seeds} x {years:g} years of outages"
    )
    for name in ("a year", "mean", "95 % interval"):
        table.add_column(name, justify="left" if name == "a year" else "right")
    for name, each in (
        ("LOLH, hours short", seen.lolh_h),
        ("LOLE, days with any hour short", seen.lole_days),
        ("EENS, MWh not served", seen.eens_mwh),
        ("events", seen.n_events),
    ):
        table.add_row(name, f"{each.mean:.3g}", f"{each.low:.3g} to {each.high:.3g}" if seeds > 1 else "unknown")
    table.add_row("length of an event, h", f"{seen.event_h:.3g}", f"longest {seen.longest_event_h:.3g}")
    table.add_row("size of an event, MWh", f"{seen.event_mwh:.3g}", f"most at once {seen.worst_mw:.3g} MW")
    console = Console()
    console.print(table)
    margins = Table(
        title="Grid and units with a permit throughout, without Megapacks, against the site; N-1 holds above 0"
    )
    for name in ("case", "carries, MW", "takes, MW", "margin, MW"):
        margins.add_column(name, justify="left" if name == "case" else "right")
    for row in found.margins:
        margins.add_row(row.case, f"{row.carries_mw:.4g}", f"{row.takes_mw:.4g}", f"{row.margin_mw:+.4g}")
    console.print(margins)
    console.print(
        f"Short: what sources and Megapacks above their reserve do not reach. NERC's target is LOLE 0.1 days a year. "
        f"PUE {found.pue_mean:.3f}, at most {found.pue_highest:.3f}; {found.gpus_up_share:.2%} of the GPUs are up; "
        f"{found.swing_reserve_mw:.0f} MW of Megapacks kept for swings."
    )
