"""`macrohard headlines`: what was announced, beside what the model makes of it."""

from typing import Annotated

import typer

from macrohard.commands.arguments import JsonOption


def headlines(
    hours: Annotated[float, typer.Option(min=2, max=8760, help="Simulated hours of each stage.")] = 36.0,
    json_: JsonOption = False,
) -> None:
    """Set the claims about Macrohard and Colossus 2 beside what the model computes from its parts."""
    import sys

    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

    from macrohard.headlines import headlines as compared
    from macrohard.store import to_json

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("stages", total=1.0)
        found = compared(hours, progress=lambda share: bar.update(task, completed=share))
    if json_:
        print(to_json({"hours": hours, "headlines": [each.document() for each in found]}))
        return
    table = Table(title="Claims and what the model makes of them", show_lines=True)
    for name in ("claim", "source", "model", "difference", "what explains it"):
        table.add_column(name, justify="right" if name == "difference" else "left")
    for each in found:
        gap = "" if each.difference is None or each.judged == "true by its inputs" else f"{each.difference:+.0%}\n"
        table.add_row(each.claim, each.source, each.model, f"{gap}{each.judged}", each.explains)
    Console().print(table)
