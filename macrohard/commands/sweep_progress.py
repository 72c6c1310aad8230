"""What commands of sweeps print: a document on standard output, progress on standard error."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


def print_document(document: dict[str, Any], json_: bool) -> None:
    """A line for each entry, or all of it as JSON."""
    if json_:
        print(json.dumps(document, indent=2))
        return
    for name, value in document.items():
        print(f"{name:14}{value}")


@contextmanager
def progress_of(name: str) -> Iterator[Callable[[Any], None]]:
    """A bar with the time left on a terminal, a JSON line per report elsewhere; both on standard error."""
    if not sys.stderr.isatty():

        def line(at: Any) -> None:
            told = {"done": at.done, "failed": at.failed, "runs": at.runs, "eta_s": at.eta_s, "error": at.error}
            print(json.dumps({"time": round(time.time(), 1)} | told), file=sys.stderr, flush=True)

        yield line
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[left]}"))
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=None, left="")

        def update(at: Any) -> None:
            left = "" if at.eta_s is None else f"about {at.eta_s / 60:.0f} min left"
            bar.update(task, total=at.runs, completed=at.done + at.failed, left=left)
            if at.error:
                bar.console.print(f"failed: {at.error}", markup=False)

        yield update
