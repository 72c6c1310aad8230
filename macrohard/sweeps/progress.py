"""How far a sweep has come, for people and for scripts."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from macrohard.report.quantity import duration
from macrohard.sweeps.execute import Progress


@contextmanager
def shown(name: str) -> Iterator[Callable[[Progress], None]]:
    """A bar with the time left on a terminal, a JSON line per report elsewhere; both on standard error."""
    if not sys.stderr.isatty():

        def line(at: Progress) -> None:
            told = {"done": at.done, "failed": at.failed, "runs": at.runs, "eta_s": at.eta_s, "error": at.error}
            print(json.dumps({"time": round(time.time(), 1)} | told), file=sys.stderr, flush=True)

        yield line
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[left]}"))
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=None, left="")

        def update(at: Progress) -> None:
            left = "" if not at.eta_s else f"about {duration(at.eta_s / 3600)} left"
            bar.update(task, total=at.runs, completed=at.done + at.failed, left=left)
            if at.error:
                bar.console.print(f"failed: {at.error}", markup=False)

        yield update
