"""Sweeps: experiments of many runs that can be killed at any moment and lose nothing."""

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from math import ceil
from pathlib import Path
from typing import Any

import pandas as pd

from macrohard.sweeps.execute import Outcome, Progress
from macrohard.sweeps.experiment import Experiment

__all__ = ["Experiment", "Outcome", "Progress", "sweep"]

MESA_STEPS = 1000
"""Ticks of a run from a dictionary of parameters if neither it nor max_steps says: mesa.batch_run's own default."""


def sweep(
    experiment: str | Path | Experiment | Mapping[str, Any],
    out: str | Path | None = None,
    *,
    scenario: str | Path = "laptop",
    iterations: int = 1,
    max_steps: int | None = None,
    data_collection_period: int = -1,
    number_processes: int | None = None,
    display_progress: bool = False,
    metrics: Iterable[str] | None = None,
    told: Callable[[Progress], None] = lambda progress: None,
) -> pd.DataFrame:
    """Runs an experiment and returns one row per run: run id, point, replicate, seed, status, factors, figures.

    `experiment` is a TOML file, an Experiment, a dictionary of the form of the file (with "factors" or "table"), or,
    as for mesa.batch_run, a dictionary of parameters: a scenario key with one value, or with several to be crossed.
    The arguments of mesa.batch_run then mean what they mean there: `iterations` runs of each combination, `max_steps`
    ticks of each (1,000 if left out), `number_processes` workers (None: one per core), and with
    `data_collection_period` above 0 a row for every so many ticks of each run (`Step`), read from its series, in place
    of the figures at its end; `display_progress` shows how far it is. `metrics` are the columns to be given, all if
    left out. Without `out` nothing is kept but the table. Raises ScenarioError for what cannot be run, and at the first
    run for a metric that no run has.
    """
    from macrohard.results.summary import RESULTS_VERSION
    from macrohard.sweeps.design import lay_out
    from macrohard.sweeps.execute import execute
    from macrohard.sweeps.progress import shown
    from macrohard.sweeps.stored import series_of, table

    is_of_parameters = isinstance(experiment, Mapping) and not {"factors", "table"} & set(experiment)
    if not is_of_parameters:
        _refuse_of_parameters({"iterations": (iterations, 1), "max_steps": (max_steps, None)})
    if isinstance(experiment, Experiment):
        chosen = experiment
    elif isinstance(experiment, Mapping):
        steps = max_steps if max_steps is not None or "run.horizon_h" in experiment else MESA_STEPS
        chosen = Experiment.of(
            of_parameters(experiment, str(scenario), iterations, steps, data_collection_period)
            if is_of_parameters
            else experiment
        )
    else:
        chosen = Experiment.load(experiment)
    metrics = None if metrics is None else list(metrics)
    with tempfile.TemporaryDirectory(prefix="macrohard-sweep-") as scratch:
        folder = Path(os.fspath(out)) if out is not None else Path(scratch)
        design = lay_out(chosen, RESULTS_VERSION)
        with shown(chosen.name) if display_progress else nullcontext(told) as seen:
            execute(design, folder, RESULTS_VERSION, jobs=number_processes, columns=metrics or (), told=seen)
        return table(folder, metrics) if data_collection_period < 1 else series_of(folder, metrics)


def of_parameters(
    parameters: Mapping[str, Any],
    scenario: str = "laptop",
    iterations: int = 1,
    max_steps: int | None = None,
    data_collection_period: int = -1,
) -> dict[str, Any]:
    """An experiment from a dictionary as mesa.batch_run takes it: values that are no text but can be gone through are
    crossed, all else is fixed; max_steps ticks of the scenario's length, one kept in every data_collection_period.

    Raises ScenarioError for a period that bins of equal length cannot have.
    """
    from macrohard.scenario import Scenario

    factors, fixed = {}, {}
    for key, value in parameters.items():
        if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
            fixed[key] = _plain(value)
        else:
            factors[key] = [_plain(each) for each in value]
    run = Scenario.load(scenario).run
    tick_s = float(fixed.get("run.tick_s", run.tick_s))
    if max_steps is not None:
        fixed["run.horizon_h"] = max_steps * tick_s / 3600.0
    if data_collection_period > 0:
        varied = [key for key in ("run.tick_s", "run.horizon_h") if key in factors]
        ticks = max(1, round(float(fixed.get("run.horizon_h", run.horizon_h)) * 3600.0 / tick_s))
        fixed["run.series_bins"] = _bins(ticks, data_collection_period, varied)
    made = {"name": "batch", "scenario": scenario, "replicates": iterations, "set": fixed, "factors": factors}
    return made | {"series": data_collection_period > 0}


def _refuse_of_parameters(given: Mapping[str, tuple[object, object]]) -> None:
    """Arguments that an experiment of its own has no use for, each with what leaves it out."""
    from macrohard.faults import Fault, ScenarioError

    what, remedy = "is for a dictionary of parameters", "set replicates and run.horizon_h in the experiment"
    faults = [Fault("", name, value, what, remedy) for name, (value, left_out) in given.items() if value != left_out]
    if faults:
        raise ScenarioError(faults)


def _bins(ticks: int, period: int, varied: Sequence[str]) -> int:
    """Bins of a series of so many ticks that are each `period` long, the last perhaps shorter."""
    from macrohard.faults import Fault, ScenarioError

    n_bins = ceil(ticks / period)
    length = ceil(ticks / n_bins)
    if varied or length != period:
        what = (
            f"allowed: one number of ticks for all runs; {varied[0]} has several values"
            if varied
            else (f"allowed: a period that {ticks} ticks can be cut into; bins would have {length}")
        )
        remedy = "give it one value" if varied else f"take {length}, or max_steps = {n_bins * period}"
        raise ScenarioError([Fault("", "data_collection_period", period, what, remedy)])
    return n_bins


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value
