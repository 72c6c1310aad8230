"""`macrohard converge`: what the tick and the weight change."""

from typing import Annotated

import typer

from macrohard.commands.arguments import JsonOption, ScenarioArgument, SetOption
from macrohard.names import DEFAULT_SCENARIO


def converge(
    scenario: ScenarioArgument = DEFAULT_SCENARIO,
    set_: SetOption = None,
    hours: Annotated[float, typer.Option(help="Simulated hours of each variant.")] = 48.0,
    json_: JsonOption = False,
) -> None:
    """Run a scenario with other ticks and weights: how far do its figures depend on the grain of the simulation?"""
    from macrohard.scenario import Scenario
    from macrohard.scenario.settings import Setting

    chosen = Scenario.load(scenario, [*(set_ or []), Setting("run.horizon_h", str(hours), "--hours")])
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

    from macrohard.convergence import FIGURES
    from macrohard.convergence import converge as compared
    from macrohard.store import to_json

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("variants", total=1.0)
        table = compared(chosen, lambda share: bar.update(task, completed=share))
    if json_:
        print(to_json({"scenario": chosen.name, "hours": hours, "variants": table.reset_index().to_dict("records")}))
        return
    shown = Table(title=f"{chosen.name}, {hours:g} h: as it is, and the difference of other grains in %")
    shown.add_column("")
    for name in table.index:
        shown.add_column(str(name), justify="right")
    for label in FIGURES.values():
        as_it_is, *others = table.index
        differences = (f"{table.loc[name, f'{label}, difference %']:+.2f}" for name in others)
        shown.add_row(label, f"{table.loc[as_it_is, label]:.4g}", *differences)
    Console().print(shown)
