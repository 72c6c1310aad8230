"""`macrohard swings`: sub-second power swings and what smooths them."""

from pathlib import Path
from typing import Annotated, Any

import typer

from macrohard.commands.arguments import JsonOption, ScenarioArgument, SetOption
from macrohard.names import DEFAULT_SCENARIO


def swings(
    scenario: ScenarioArgument = DEFAULT_SCENARIO,
    set_: SetOption = None,
    habit: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Change a figure of data/swings.csv; repeat it.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=20, max=3600, help="Length of the stretch.")] = 120.0,
    out: Annotated[Path | None, typer.Option(help="Write a page with plots to this HTML file.")] = None,
    json_: JsonOption = False,
) -> None:
    """Throw a stretch of power at 10 ms: training in step, what smooths it, and whether a grid would take it."""
    from macrohard.faults import Fault, ScenarioError
    from macrohard.scenario import Scenario

    chosen = Scenario.load(scenario, set_ or [])
    from macrohard.outbox import check_file
    from macrohard.store import to_json
    from macrohard.swings import swings as thrown

    if out is not None:
        check_file(out)
    try:
        changed = {name: float(value) for name, _, value in (each.partition("=") for each in habit or [])}
        found = thrown(chosen, seconds, changed=changed)
    except (TypeError, ValueError) as error:
        raise ScenarioError([Fault("", "--habit", None, str(error), "change it", has_value=False)]) from None
    if out is not None:
        from macrohard.report.swing_page import write_swing_page

        write_swing_page(found, out)
    if json_:
        print(to_json(found.document()))
        return
    from rich.console import Console

    _print(found, seconds)
    if chosen.training.share == 0:
        share = f"{found.training_share:.0%}"
        Console().print(f"This scenario trains nothing; {share} of its GPUs were taken to train here.", highlight=False)


def _print(found: Any, seconds: float) -> None:
    from rich.console import Console
    from rich.table import Table

    limits = found.habits
    table = Table(
        box=None, padding=(0, 2, 0, 0), header_style="bold", title_justify="left",
        title=f"{found.name}: {found.full_mw:.0f} MW train in step, {found.serving_mw:.0f} MW serve; limits "
        f"{limits.limit_ramp_mw_per_s:g} MW/s, {limits.limit_range_mw:g} MW, "
        f"{limits.limit_band_share:.0%} in 0.1-20 Hz",
    )  # fmt: skip
    for name in ("smoothed by", "MW/s", "range MW", "in band", "rms MW", "passes", "Megapacks MW", "burnt"):
        table.add_column(name, justify="left" if name == "smoothed by" else "right")
    for rung in found.rungs:
        seen = rung.verdict
        marks = [f"{each}{'' if good else ' !'}" for each, good in (
            (f"{seen.ramp_mw_per_s:.1f}", seen.meets_ramp), (f"{seen.range_mw:.1f}", seen.meets_range),
            (f"{seen.band_share:.0%}", seen.meets_band))]  # fmt: skip
        ends = [f"{seen.band_mw:.2f}", "yes" if seen.passes else "no", f"{rung.megapack_mw:.0f}"]
        table.add_row(rung.name, *marks, *ends, f"{rung.extra_share:+.1%}")
    console = Console()
    console.print(table)
    stretch = f"the first {found.searched_s:g} s" if found.searched_s < seconds else f"these {seconds:g} s"
    moved = f"What would pass over {stretch}, one figure moved from the table's value as far as it takes:"
    console.print(f"\n{moved}", style="bold", highlight=False)
    for need in found.needs:
        console.print(f"  {need.name}: {_in_words(need)}", highlight=False)
    console.print()
    covers = "covers" if found.reserve_mw <= found.slow_model_mw else "does not cover"
    console.print(
        f"The last rung takes {found.reserve_mw:.1f} of {found.megapacks_mw:.0f} MW of Megapacks; the "
        f"{found.slow_model_mw:.1f} MW that the tick model keeps back (half of training.swing {found.swing:g} of "
        f"{found.full_mw:.0f} MW) {covers} it. {seconds / found.wall_s:.0f} simulated seconds a second.",
        highlight=False,
    )


def _in_words(need: Any) -> str:
    rung, seen = need.rung, need.rung.verdict
    if need.to is None:
        limits = (("ramp", seen.meets_ramp), ("range", seen.meets_range), ("band", seen.meets_band))
        missed = ", ".join(name for name, good in limits if not good)
        return f"no; even {need.figure} {need.limit:g} (table {need.table:g}) misses {missed}"
    stores = (("Megapacks", rung.megapack_mw, rung.megapack_mwh), ("shelves", rung.shelf_mw, rung.shelf_mwh))
    used = [f"{name} {mw:.1f} MW and {mwh * 1e3:.3g} kWh" for name, mw, mwh in stores if mw > 0]
    moved = "as it is" if need.to == need.table else f"{need.figure} {need.to:.2g} (table {need.table:g})"
    return f"{moved}; takes {', '.join(used) or 'nothing'}, burns {rung.extra_share:.1%}"
