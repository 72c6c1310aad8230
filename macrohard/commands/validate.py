"""`macrohard validate`: the model against published measurements."""

from pathlib import Path
from typing import Annotated

import typer

from macrohard.commands.arguments import JsonOption

MAX_POINTS_MB = 200.0
"""A file of measurements longer than this is refused."""


def validate(
    points: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Own measurements; the bundled ones if left out.")
    ] = None,
    json_: JsonOption = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the page, a picture per law, and every row's prediction.")
    ] = None,
) -> None:
    """Hold the model against published measurements: errors per law and source, and why a row has no prediction."""
    if points is not None:
        _check(points)
    from macrohard import store, validation
    from macrohard.faults import Fault, ScenarioError, printable

    try:
        scored = validation.scores(points)
    except ValueError as error:
        remedy = "see docs/validation.md for the columns"
        raise ScenarioError([Fault("", "validate", None, printable(str(error)), remedy, has_value=False)]) from None
    told = validation.told(scored, points)
    if out is not None:
        from macrohard.outbox import deliver
        from macrohard.validation.show import page, pictures

        rows = {law: result["rows"] for law, result in scored.items()}
        files = {"validation.html": page(told, rows), "validation.json": store.to_json(told)}
        files |= {f"{law}.svg": svg for law, svg in pictures(told, rows).items()}
        files |= {f"{law}.csv": table.to_csv(index=False) for law, table in rows.items()}
        deliver(out, files)
    if json_:
        print(store.to_json(told))
        return
    from rich.console import Console

    from macrohard.validation.show import print_scores

    print_scores(told, Console())
    if out is not None:
        print(f"page: {out / 'validation.html'}")


def _check(points: Path) -> None:
    """Refuses what is no readable file of bearable size before anything of it is read."""
    from macrohard.faults import Fault, ScenarioError

    what = ""
    try:
        if not points.is_file():
            what = "is a folder" if points.is_dir() else "there is no such file"
        elif points.stat().st_size > MAX_POINTS_MB * 1e6:
            what = f"has {points.stat().st_size / 1e6:,.0f} MB; allowed: at most {MAX_POINTS_MB:g}"
    except (OSError, ValueError) as error:
        what = f"cannot be read ({error})"
    if what:
        remedy = "name a CSV file of measurements"
        raise ScenarioError([Fault(str(points), "--points", None, what, remedy, has_value=False)])
