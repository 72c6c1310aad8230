"""Arguments that many commands share, and what a shell completes in them."""

from pathlib import Path
from typing import Annotated

import typer


def scenarios(incomplete: str) -> list[str]:
    """The bundled scenarios, and the TOML files and folders, that begin so."""
    from macrohard.scenario import bundled

    return [*(name for name in bundled() if name.startswith(incomplete)), *_paths(incomplete, ".toml")]


def folders(incomplete: str) -> list[str]:
    """The folders that begin so."""
    return _paths(incomplete)


def _paths(incomplete: str, *endings: str) -> list[str]:
    """Files of these endings, and folders with a slash, that begin so."""
    folder, _, start = incomplete.rpartition("/")
    around = Path(f"{folder}/" if "/" in incomplete else ".")
    found = sorted(path for path in around.glob("*") if path.name.startswith(start) and path.name[0] != ".")
    before = f"{folder}/" if "/" in incomplete else ""
    return [
        f"{before}{path.name}" + ("/" if path.is_dir() else "")
        for path in found
        if path.is_dir() or path.suffix in endings
    ]


def keys(incomplete: str) -> list[str]:
    """The keys of a scenario that begin so, each with its equals sign."""
    from macrohard.scenario import Scenario
    from macrohard.scenario.fields import dotted, leaves

    return [f"{dotted(path)}=" for path, _ in leaves(Scenario) if dotted(path).startswith(incomplete)]


def figures(incomplete: str) -> list[str]:
    """The usual figures of a result that begin so."""
    from macrohard.report.wording import NAMES
    from macrohard.scenario import Scenario
    from macrohard.scenario.fields import dotted, leaves

    settings = {dotted(path) for path, _ in leaves(Scenario)}
    return [name for name in NAMES if name not in settings and name.startswith(incomplete)]


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
