"""Run one scenario: in chunks, with progress, checkpoints and a readable result whenever it stops."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

import pandas as pd

from agents.worker import Worker
from macrohard.blueprint import Blueprint, draw
from macrohard.checkpoint import Checkpoint
from macrohard.floor.state import State
from macrohard.floor.tick import advance
from macrohard.locked import beside, locked
from macrohard.report import Facts, page
from macrohard.results import metrics
from macrohard.results.metrics import Kept, Summary
from macrohard.results.summary import RESULTS_VERSION, summary
from macrohard.scenario import Scenario
from macrohard.seeds import replicate_seed
from macrohard.store import check_out, write_run

CHUNK_S = 0.5
"""Chunks are as many ticks as take about this long, so that progress shows and Ctrl-C is answered."""

N_DRAWS = 40
"""Draws of an uncertain run if their number is not said."""

Progress = Callable[[float], None]
"""Told the share of the run that is done."""

Notice = Callable[[str], None]
"""Told in a line that a run goes on from its checkpoint."""


@dataclass(frozen=True)
class Result:
    """What a run gives: summary (nested dictionary), series and tickets (tables), and where they were written."""

    scenario: Scenario
    summary: Summary
    series: pd.DataFrame
    tickets: pd.DataFrame
    out: Path | None = None
    command: str = ""

    @property
    def is_partial(self) -> bool:
        """Whether the run was stopped before its horizon."""
        return bool(self.summary["run"]["partial"])


def run(
    scenario: Scenario,
    out: str | Path | None = None,
    *,
    replicates: int = 1,
    uncertain: bool = False,
    progress: Progress | None = None,
    notice: Notice | None = None,
    roles: tuple[type[Worker], ...] | None = None,
    command: str = "",
) -> Result:
    """Runs a scenario; with `out`, its folder of results is written there, all of it or nothing.

    With replicates, further seeds are run too and the summary gains 80 % intervals over them; uncertain, those runs
    also draw the parameters (40 of them if not said), and the summary tells which matter. After Ctrl-C the result
    is that of the ticks done so far, marked partial. A run of the same id into the same folder that was killed goes on
    from its last checkpoint, and `notice` is told from which tick. StoreError if another process is running into the
    folder.
    """
    began = time.perf_counter()
    plan = draw(scenario, roles)
    if out is None:
        return _whole(plan, None, began, replicates, uncertain, progress, notice, command)
    folder = check_out(out)
    with locked(beside(folder), folder):
        checkpoint = Checkpoint.of(folder, plan.scenario)
        result = _whole(plan, checkpoint, began, replicates, uncertain, progress, notice, command)
        result = replace(result, out=Path(out))
        write_run(out, result, version=RESULTS_VERSION, complete=not result.is_partial, report=page(Facts.of(result)))
        if not result.is_partial:
            checkpoint.forget()
    return result


def _whole(
    plan: Blueprint,
    checkpoint: Checkpoint | None,
    began: float,
    replicates: int,
    uncertain: bool,
    progress: Progress | None,
    notice: Notice | None,
    command: str,
) -> Result:
    """The run and what is asked for around it."""
    state, compile_s = _advanced(plan, checkpoint, progress, notice)
    result = result_of(plan, state, time.perf_counter() - began, compile_s, command)
    if uncertain and not result.is_partial:
        result.summary["replicates"] = _drawn(plan, replicates if replicates > 1 else N_DRAWS, progress)
    elif replicates > 1 and not result.is_partial:
        result.summary["replicates"] = _replicated(result, replicates, progress)
    return result


def first_tick(scenario: Scenario) -> Result:
    """The result after one tick: every figure there is, before anything has happened."""
    plan = draw(scenario)
    return result_of(plan, advance(plan.shop, plan.params, plan.opening(), 1), 0.0, 0.0)


def result_of(plan: Blueprint, state: State, wall_s: float, compile_s: float, command: str = "") -> Result:
    """Reads a state, wherever the run stands."""
    kept = Kept.of(plan.shop, plan.params, state)
    frame, table = metrics.series(kept), metrics.tickets(kept)
    return Result(plan.scenario, summary(plan, kept, frame, table, wall_s, compile_s), frame, table, None, command)


def _replicated(first: Result, replicates: int, progress: Progress | None) -> Summary:
    """Mean and 80 % interval of every number of the summary over seeds."""
    scenario = first.scenario
    seeds = [replicate_seed(scenario.run.seed, each) for each in range(replicates)]
    found = [_numbers(first.summary)]
    for seed in seeds[1:]:
        found.append(_numbers(run(scenario.override([f"run.seed={seed}"]), progress=progress).summary))
    return {"n": replicates, "seeds": seeds, "interval": 0.8, "metrics": _intervals(pd.DataFrame(found))}


def _drawn(plan: Blueprint, n_draws: int, progress: Progress | None) -> Summary:
    """Mean and 80 % interval of every number over draws of parameters and dice, and which parameters matter most.

    All draws have the layout of the plan, so that nothing is compiled again; their backlog is the same but for sizes.
    """
    from macrohard import uncertainty  # scipy.stats with it: a plain run starts without

    drawn = uncertainty.draws(plan.scenario, n_draws)
    roomy = uncertainty.roomy(plan)
    found, seeds = [], []
    for number in range(n_draws):
        seed = replicate_seed(plan.scenario.run.seed, number)
        own = uncertainty.laid(roomy, drawn, number, seed)
        state, compile_s = _advanced(own, None, progress)
        if int(state.tick) < own.n_ticks:
            break  # Ctrl-C
        found.append(_numbers(result_of(own, state, 0.0, compile_s).summary))
        seeds.append(seed)
    frame = pd.DataFrame(found)
    told: Summary = {"n": len(found), "seeds": seeds, "interval": 0.8, "uncertain": True}
    told["metrics"] = _intervals(frame) if found else {}
    told["parameters"] = uncertainty.told(drawn)
    told["matters"] = uncertainty.ranked(drawn, frame)
    return told


def _intervals(frame: pd.DataFrame) -> Summary:
    low, high = frame.quantile(0.1), frame.quantile(0.9)
    return {
        name: {"mean": float(frame[name].mean()), "low": float(low[name]), "high": float(high[name])}
        for name in frame.columns
        if not name.startswith(("run.", "scenario."))
    }


def _numbers(tree: Summary, prefix: str = "") -> dict[str, float]:
    flat: dict[str, float] = {}
    for name, value in tree.items():
        if name == "schema_version":
            continue
        if isinstance(value, dict):
            flat |= _numbers(value, f"{prefix}{name}.")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            flat[prefix + name] = float(value)
    return flat


def _advanced(
    plan: Blueprint, checkpoint: Checkpoint | None, progress: Progress | None, notice: Notice | None = None
) -> tuple[State, float]:
    """The state at the end of the run, or where Ctrl-C stopped it, and the seconds that compiling took."""
    state = plan.opening()
    if checkpoint is not None:
        state = checkpoint.restored(state)
        if notice is not None and int(state.tick) > 0:
            notice(f"goes on from tick {int(state.tick):,} of {plan.n_ticks:,}, where it was interrupted")
    began = time.perf_counter()
    state = _ready(advance(plan.shop, plan.params, state, 0))
    compile_s = time.perf_counter() - began
    done, chunk = int(state.tick), 1
    with _interrupt() as interrupted:
        while done < plan.n_ticks and not interrupted():
            n_ticks = min(chunk, plan.n_ticks - done)
            started = time.perf_counter()
            state = _ready(advance(plan.shop, plan.params, state, n_ticks))
            took_s = max(time.perf_counter() - started, 1e-6)
            done += n_ticks
            chunk = max(1, min(int(n_ticks * CHUNK_S / took_s), 4 * n_ticks))
            if progress is not None:
                progress(done / plan.n_ticks)
            if checkpoint is not None and done < plan.n_ticks:
                checkpoint.keep(state, at_once=interrupted())
    return state, compile_s


def _ready(state: State) -> State:
    """The state, computed: JAX hands back promises."""
    state.tick.block_until_ready()
    return state


@contextmanager
def _interrupt() -> Iterator[Callable[[], bool]]:
    """While open, Ctrl-C is noted instead of raised, so that a chunk in work ends and nothing is lost."""
    noted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield noted.is_set
        return

    def note(number: int, frame: FrameType | None) -> None:
        noted.set()

    before = signal.signal(signal.SIGINT, note)
    try:
        yield noted.is_set
    finally:
        signal.signal(signal.SIGINT, before)
