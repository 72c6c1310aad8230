"""What a sweep keeps of a run: a row of numbers, and its series where it was asked for."""

import traceback
from pathlib import Path
from typing import Any

from macrohard.faults import ScenarioError
from macrohard.results.metrics import Summary
from macrohard.runs import Result

_LEFT_OUT = ("schema_version", "scenario.", "run.versions", "run.compile_s")


def figures_of(outcome: Result | Exception, device: str, *, with_series: bool) -> dict[str, Any]:
    """What crosses to the parent: status, digest, figures; of a failed run its error."""
    if isinstance(outcome, Exception):
        return {"status": "failed", "error": _told(outcome), "kind": type(outcome).__name__}
    summary = outcome.summary
    found = {
        "status": "done",
        "digest": summary["run"]["digest"],
        "device": device,
        "wall_s": summary["run"]["wall_s"],
        "figures": {k: v for k, v in flat(summary).items() if not k.startswith(_LEFT_OUT) and k != "run.wall_s"},
        "binding": summary["binding"]["in_words"],
    }
    if with_series:
        found["series"] = {name: outcome.series[name].tolist() for name in outcome.series.columns}
    return found


def flat(summary: Summary, prefix: str = "") -> dict[str, float | None]:
    """Every number of a summary by its dotted name; none where it is not finite."""
    found: dict[str, float | None] = {}
    for name, value in summary.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{name}.")
        elif value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            number = None if value is None else float(value)
            found[prefix + name] = number if number is not None and abs(number) < float("inf") else None
    return found


def _told(error: Exception) -> str:
    if isinstance(error, ScenarioError):
        return str(error)
    last = traceback.extract_tb(error.__traceback__)[-1:]
    where = f" ({Path(last[0].filename).name}:{last[0].lineno})" if last else ""
    return f"{type(error).__name__}: {error}{where}"
