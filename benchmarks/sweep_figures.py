"""Figures of sweeps that are no speed of a simulation: one digest, memory, overhead, refusals, indices.

    python -m benchmarks.sweep_figures digest              one digest however a sweep is run, Ray included
    python -m benchmarks.sweep_figures memory [RUNS]       growth of the parent over so many stub runs
    python -m benchmarks.sweep_figures overhead [RUNS]     cost of queue, pipe and storage at 1 s per run
    python -m benchmarks.sweep_figures mutations [FILES]   damaged experiment files: refused in words, never a traceback
    python -m benchmarks.sweep_figures ishigami            Sobol' indices beside their closed form

Each prints one JSON line.
"""

import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.sweep_stub import design_of, engine
from benchmarks.sweep_tiny import tiny
from macrohard.faults import ScenarioError
from macrohard.results.summary import RESULTS_VERSION
from macrohard.sweeps import Experiment
from macrohard.sweeps.design import lay_out
from macrohard.sweeps.execute import execute
from macrohard.sweeps.merging import merge
from macrohard.sweeps.pool import Here, Pool


def digest(folder: Path) -> dict[str, Any]:
    """Runs 24 small runs in every way there is."""
    design, digests = tiny(replicates=6), {}

    def keep(name: str, **more: Any) -> None:
        digests[name] = execute(more.pop("design", design), folder / name, RESULTS_VERSION, **more).digest

    for batch in (1, 3, 8, 24):
        keep(f"serial, batches of {batch}", engine=Here(), batch=batch)
    shuffled = random.Random(1).sample(design.runs, len(design.runs))
    keep("serial, shuffled", engine=Here(), batch=5, design=replace(design, runs=tuple(shuffled)))
    for jobs in (1, 2, 4):
        keep(f"pool of {jobs}", jobs=jobs)
    for shard in (1, 2, 3):
        execute(design, folder / "shards", RESULTS_VERSION, engine=Here(), shard=(shard, 3))
    digests["3 shards, merged"] = merge(design, folder / "shards", RESULTS_VERSION, "reproducible").digest
    try:
        from macrohard.sweeps.ray_engine import RayEngine

        keep("Ray, 2 workers", engine=RayEngine(jobs=2), jobs=2)
    except ImportError:
        pass
    assert len(set(digests.values())) == 1, digests
    return {"runs": len(design.runs), "ways": list(digests), "digest": next(iter(digests.values())), "one_digest": True}


def memory(folder: Path, n_runs: int = 10_000) -> dict[str, Any]:
    """Resident memory of the parent from its first hundred runs to its last; the rows go the way of real ones."""
    design, held = design_of(n_runs), []

    def told(at: Any) -> None:
        if at.done >= 100:
            held.append(_resident_mb())

    outcome = execute(design, folder / "many", "stub", engine=engine(), batch=32, told=told)
    assert outcome.done == n_runs
    return {
        "runs": n_runs, "start_mb": held[0], "most_mb": max(held), "growth_mb": max(held) - held[0],
        "parts": len(list((folder / "many" / "runs").iterdir())), "wall_s_of_sweep": round(outcome.wall_s, 1),
    }  # fmt: skip


def overhead(folder: Path, n_runs: int = 60, jobs: int = 2, each_s: float = 1.0) -> dict[str, Any]:
    """Wall time beside that of the runs alone, in real worker processes whose runs sleep; starting them is included."""
    os.environ["MACROHARD_STUB_S"] = str(each_s)
    pool = Pool(jobs, ("-m", "benchmarks.sweep_stub"))
    design = design_of(n_runs)
    began = time.perf_counter()
    outcome = execute(design, folder / "slow", "stub", engine=pool, jobs=jobs, batch=1)
    wall_s = time.perf_counter() - began
    assert outcome.done == n_runs
    ideal_s = n_runs * each_s / jobs
    return {"runs": n_runs, "jobs": jobs, "each_s": each_s, "ideal_s": ideal_s, "overhead": wall_s / ideal_s - 1.0}


TEXT = """name = "t"
scenario = "laptop"
design = "lhs"
points = 4
replicates = 2
metrics = ["work.tickets_done"]
[set]
"run.horizon_h" = 6
"serving.llm" = "gpt-oss-120b"
"run.start" = 2026-07-15
[factors]
"cluster.pue" = {low = 1.1, high = 1.5}
"cluster.n_gpus" = {low = 8, high = 64, log = true}
[stop]
budget_h = 2.0
[stop.confidence]
metric = "power.load_mwh"
half_width = 0.1
"""

_BITS = [
    "nan", "inf", "-1", "[", "]", "{", "}", '"', "'", "=", "9" * 400, "1e400", "\x00", "\ufeff", "\ud800", "true",
    "table", "[[table]]\n", "''", ".", "../", "[" * 3000, "#", "\n", "0x", "1979-05-27", "low", "grid", "a.b.c",
    "🚀", "_",
]  # fmt: skip


def mutations(folder: Path, n_files: int = 10_000) -> dict[str, Any]:
    """Each file either makes a design or a ScenarioError with a text; anything else ends the campaign."""
    dice, refused = random.Random(7), 0
    for _ in range(n_files):
        letters = list(TEXT)
        for _ in range(dice.randint(1, 5)):
            at = dice.randrange(len(letters))
            if dice.random() < 0.3:  # a line goes, or comes twice
                lines = "".join(letters).splitlines(keepends=True)
                line = dice.randrange(len(lines))
                lines[line : line + 1] = dice.choice([[], [lines[line]] * 2])
                letters = list("".join(lines)) or [" "]
            else:
                letters[at : at + dice.randint(0, 8)] = dice.choice(_BITS)
        path = folder / "damaged.toml"
        path.write_bytes("".join(letters).encode(errors="surrogatepass"))
        try:
            lay_out(Experiment.load(path), "1", environment={})
        except ScenarioError as error:
            assert str(error).strip()
            refused += 1
    return {"files": n_files, "refused": refused, "taken": n_files - refused, "tracebacks": 0}


def ishigami(folder: Path, n: int = 2**14) -> dict[str, Any]:
    """Worst error of first-order and total indices of the Ishigami function, a = 7, b = 0.1."""
    from macrohard.sweeps.sensitivity import _sample, sobol_of

    shares = _sample(3, "sobol", n, 1)
    x = (2.0 * shares - 1.0) * np.pi
    figure = np.sin(x[:, 0]) + 7.0 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
    found = sobol_of(shares, figure, ("a", "b", "c"))
    part = 0.1 * np.pi**4 / 5.0
    alone = np.array([(1.0 + part) ** 2 / 2.0, 49.0 / 8.0, 0.0])
    shared = np.array([1.0, 0.0, 1.0]) * 8.0 * 0.01 * np.pi**8 / 225.0
    variance = alone.sum() + shared[0]
    errors = [abs(each.first - own / variance) for each, own in zip(found, alone, strict=True)]
    errors += [abs(each.total - own / variance) for each, own in zip(found, alone + shared, strict=True)]
    assert max(errors) < 0.02
    return {"evaluations": len(shares), "worst_error": float(max(errors))}


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    campaign: Callable[..., dict[str, Any]] = globals()[sys.argv[1]]
    with tempfile.TemporaryDirectory() as place:
        began_s = time.monotonic()
        told_of_it = campaign(Path(place), *map(int, sys.argv[2:]))
        print(json.dumps({"campaign": sys.argv[1], **told_of_it, "wall_s": round(time.monotonic() - began_s, 1)}))
