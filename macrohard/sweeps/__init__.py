"""Sweeps: experiments of many runs that can be killed at any moment and lose nothing."""

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from macrohard.sweeps.execute import Outcome, Progress
from macrohard.sweeps.experiment import Experiment

__all__ = ["Experiment", "Outcome", "Progress", "sweep"]


def sweep(
    experiment: str | Path | Experiment | Mapping[str, Any],
    out: str | Path | None = None,
    *,
    scenario: str | Path = "laptop",
    iterations: int = 1,
    max_steps: int | None = None,
    number_processes: int | None = None,
    metrics: Iterable[str] | None = None,
    told: Callable[[Progress], None] = lambda progress: None,
) -> pd.DataFrame:
    """Runs an experiment and returns one row per run: point, replicate, seed, status, factors, figures.

    `experiment` is a TOML file, an Experiment, a dictionary of the form of the file (with "factors" or "table"), or,
    as for mesa.batch_run, a dictionary of parameters: a scenario key with one value, or with several to be crossed;
    `scenario`, `iterations` (replicates) and `max_steps` (ticks) then belong to it, and `number_processes` is how many
    workers run (None: one per core). Without `out` nothing is kept but the table.
    """
    from macrohard.results.summary import RESULTS_VERSION
    from macrohard.sweeps.design import lay_out
    from macrohard.sweeps.execute import execute
    from macrohard.sweeps.storage import table

    if isinstance(experiment, Experiment):
        chosen = experiment
    elif isinstance(experiment, Mapping):
        chosen = Experiment.of(
            experiment
            if {"factors", "table"} & set(experiment)
            else of_parameters(experiment, str(scenario), iterations, max_steps)
        )
    else:
        chosen = Experiment.load(experiment)
    with tempfile.TemporaryDirectory(prefix="macrohard-sweep-") as scratch:
        folder = Path(os.fspath(out)) if out is not None else Path(scratch)
        execute(lay_out(chosen, RESULTS_VERSION), folder, RESULTS_VERSION, jobs=number_processes, told=told)
        return table(folder, metrics)


def of_parameters(
    parameters: Mapping[str, Any], scenario: str = "laptop", iterations: int = 1, max_steps: int | None = None
) -> dict[str, Any]:
    """An experiment from a dictionary as mesa.batch_run takes it: values that are no text but can be gone through are
    crossed, all else is fixed; max_steps ticks of the scenario's length.
    """
    from macrohard.scenario import Scenario

    factors, fixed = {}, {}
    for key, value in parameters.items():
        if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
            fixed[key] = _plain(value)
        else:
            factors[key] = [_plain(each) for each in value]
    if max_steps is not None:
        tick_s = fixed.get("run.tick_s", Scenario.load(scenario).run.tick_s)
        fixed["run.horizon_h"] = max_steps * float(tick_s) / 3600.0
    return {"name": "batch", "scenario": scenario, "replicates": iterations, "set": fixed, "factors": factors}


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value
