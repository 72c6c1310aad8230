"""Arguments that many commands share, and what a shell completes in them."""

from typing import Annotated

import typer


def scenarios(incomplete: str) -> list[str]:
    """The bundled scenarios that begin so."""
    from macrohard.scenario import bundled

    return [name for name in bundled() if name.startswith(incomplete)]


def keys(incomplete: str) -> list[str]:
    """The keys of a scenario that begin so, each with its equals sign."""
    from macrohard.scenario import Scenario
    from macrohard.scenario.fields import dotted, leaves

    return [f"{dotted(path)}=" for path, _ in leaves(Scenario) if dotted(path).startswith(incomplete)]


ScenarioArgument = Annotated[str, typer.Argument(help="A bundled scenario or a TOML file.", autocompletion=scenarios)]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Set a key, e.g. cluster.n_gpus=55000; repeat it.",
        autocompletion=keys,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, nothing else there.")]
ExplainOption = Annotated[bool, typer.Option("--explain", help="Say where each value came from.")]
