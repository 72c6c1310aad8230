"""`macrohard fit-roles`: the user's own agent log becomes the habits of a scenario."""

from pathlib import Path
from typing import Annotated

import typer

from macrohard.commands.arguments import JsonOption


def fit_roles(
    file: Annotated[
        str, typer.Argument(metavar="LOG.csv", help="One row per attempt: role, minutes, calls, input_tokens ...")
    ],
    out: Annotated[Path | None, typer.Option(help="The scenario file to write.")] = None,
    scenario: Annotated[
        str, typer.Option("--from", help="The scenario that the fitted keys are laid over.")
    ] = "laptop",
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    json_: JsonOption = False,
) -> None:
    """Fit calls, tokens, tool time and success of your own agents' attempts, as keys of a scenario."""
    from macrohard.faults import Fault, ScenarioError
    from macrohard.logs import role_fit
    from macrohard.logs.role_log import read
    from macrohard.scenario import Scenario
    from macrohard.store import to_json

    attempts = read(file)
    base = Scenario.load(scenario)
    fit = role_fit.fitted(attempts, base)
    fitted = base.override(fit.settings())
    if out is not None:
        try:
            with out.open("w" if force else "x", encoding="utf-8") as sink:
                sink.write(fit.toml(file, fitted))
        except OSError as error:
            exists = isinstance(error, FileExistsError)
            remedy = "name another file, or replace it with --force" if exists else "check the path"
            what = error.strerror or "cannot be written"
            raise ScenarioError([Fault(str(out), "--out", str(out), what, remedy)]) from None
    if json_:
        print(to_json(fit.document()))
        return
    from rich.console import Console

    role_fit.print_fit(fit, Console())
    if out is not None:
        print(f"{out}: written; macrohard run {out}")
