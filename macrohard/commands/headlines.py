"""`macrohard headlines`: what was announced, beside what the model makes of it."""

from typing import Annotated, Any

import typer

from macrohard.commands.arguments import JsonOption

NAMES = ("claim", "source", "model", "difference", "what explains it")
TABLE_FROM = 120
"""Columns of a terminal from which a table of five columns can be read; below, a paragraph for each claim."""


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
    console = Console()
    if console.width < TABLE_FROM:
        for each in found:
            console.print(f"{each.claim}", style="bold", highlight=False)
            for name, words in zip(NAMES[1:], _cells(each)[1:], strict=True):
                line = Table.grid(padding=(0, 2, 0, 0))
                line.add_column(width=18)
                line.add_column(overflow="fold")
                line.add_row(f"  {name}", words.replace("\n", ", "))
                console.print(line)
        return
    table = Table(show_lines=True)
    for name in NAMES:
        table.add_column(name, justify="right" if name == "difference" else "left")
    for each in found:
        table.add_row(*_cells(each))
    console.print(table)


def _cells(each: Any) -> list[str]:
    gap = "" if each.difference is None or each.judged == "true by its inputs" else f"{each.difference:+.0%}\n"
    return [each.claim, each.source, each.model, f"{gap}{each.judged}", each.explains]
