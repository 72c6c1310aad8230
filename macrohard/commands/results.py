"""`macrohard show` and `macrohard report`: look again at a run that was kept."""

from pathlib import Path
from typing import Annotated

import typer

RunArgument = Annotated[Path, typer.Argument(help="The folder of a run.", metavar="RUN")]


def show(
    run: RunArgument,
    column: Annotated[list[str] | None, typer.Option(help="A column of the series; repeat it.")] = None,
) -> None:
    """Summary and plots of a run on the terminal."""
    from rich.console import Console

    from macrohard import report
    from macrohard.faults import Fault, ScenarioError
    from macrohard.store import read_run

    kept, console = read_run(run), Console()
    unknown = [name for name in column or [] if name not in kept.series.columns]
    if unknown:
        allowed = f"allowed: {', '.join(kept.series.columns)}"
        raise ScenarioError([Fault(str(run), "--column", name, allowed, "choose one of them") for name in unknown])
    if not column:
        report.print_summary(kept, console)
    report.show(kept, console, tuple(column or ()))


def report(
    run: RunArgument,
    out: Annotated[Path | None, typer.Option(help="Where to write the page; in the folder if left out.")] = None,
) -> None:
    """Write the page of a run anew."""
    from macrohard.report import Facts, page
    from macrohard.store import add_report, read_run

    text = page(Facts.of(read_run(run)))
    if out is None:
        print(add_report(run, text))
        return
    out.write_text(text, encoding="utf-8")
    print(out)
