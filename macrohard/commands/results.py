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
    from macrohard.names import nearest, some
    from macrohard.store import StoreError, read_run
    from macrohard.sweeps.stored import is_sweep

    if is_sweep(run):
        raise StoreError(f"{run}: holds a sweep, not a run; `macrohard report {run}` writes its page")
    kept, console = read_run(run), Console()
    known = [str(name) for name in kept.series.columns]
    faults = []
    for name in column or []:
        if name not in known:
            near = nearest(name, known)
            remedy = f"did you mean {near}?" if near else "choose one of them"
            faults.append(Fault(str(run), "--column", name, f"allowed: {some(known, name)}", remedy))
    if faults:
        raise ScenarioError(faults)
    if not column:
        report.print_summary(kept, console)
    report.show(kept, console, tuple(column or ()))


def report(
    run: Annotated[Path, typer.Argument(help="The folder of a run or of a sweep.", metavar="FOLDER")],
    out: Annotated[Path | None, typer.Option(help="Where to write the page; in the folder if left out.")] = None,
    feasible: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEST", help="Of a sweep: what a feasible run meets, e.g. 'power.capped_mwh<=0'; repeat it."
        ),
    ] = None,
) -> None:
    """Write the page of a run, or of a sweep as far as it has come, anew."""
    from macrohard.outbox import check_file
    from macrohard.report import Facts, page
    from macrohard.report.paper import write_page
    from macrohard.store import add_report, read_run
    from macrohard.sweeps.stored import is_sweep

    if out is not None:
        check_file(out)
    if is_sweep(run):
        from macrohard.sweeps.paging import write_sweep_page

        print(write_sweep_page(run, out, feasible or ()))
        return
    text = page(Facts.of(read_run(run)))
    print(add_report(run, text) if out is None else write_page(text, out))
