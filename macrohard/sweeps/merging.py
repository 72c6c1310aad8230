"""Shards of a job array brought together, one run taken again, a table taken out."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd

from macrohard.outbox import deliver
from macrohard.store import StoreError
from macrohard.sweeps.design import Design
from macrohard.sweeps.execute import Outcome, outcome_of
from macrohard.sweeps.experiment import Experiment
from macrohard.sweeps.storage import opened
from macrohard.sweeps.stored import manifest, table


def merge(design: Design, out: Path, version: str, mode: str) -> Outcome:
    """Takes the finished runs of all shards below `out` into the sweep itself; shards stay as they are."""
    shards = sorted((out / "shards").glob("*-of-*"))
    if not shards:
        raise StoreError(f"{out}: has no shards; run them with --shard i/n and the same --out")
    wanted = {run.run_id for run in design.runs}
    with opened(out) as storage:
        storage.write_plan(design, version, mode)
        for shard in shards:
            told = manifest(shard) or {}
            if (told["version"], told["mode"], told["name"]) != (version, mode, design.experiment.name):
                raise StoreError(f"{shard}: is of another sweep, version or mode; take it away")
            there = {run_id for run_id, each in storage.done().items() if each.status == "done"}
            for part in sorted((shard / "runs").glob("part-*.parquet")):
                frame = pd.read_parquet(part)
                rows = frame[frame["run_id"].isin(wanted - there)]
                series = shard / "series" / part.name
                storage.adopt(rows, pd.read_parquet(series) if series.exists() else None)
                there |= set(rows["run_id"])
            storage.adopt_failed(shard, wanted - there)
        done = storage.done()
    return outcome_of(design, out, done, design.runs, 0.0)


def replay(run_id: str, folder: Path) -> dict[str, Any]:
    """Runs one run of a sweep again, alone and in this process, and compares digests."""
    from macrohard.runs import run
    from macrohard.sweeps.design import lay_out

    told = manifest(folder) or {}
    rows = table(folder, [])
    found = rows[rows["run_id"].str.startswith(run_id)]
    if found["run_id"].nunique() != 1:
        raise StoreError(f"{folder}: {found['run_id'].nunique()} runs are called {run_id}; see plan.parquet")
    row = found.iloc[0]
    experiment = Experiment.of(told["experiment"])
    design = lay_out(experiment, told["version"], base=told["scenario"])
    chosen = next((each for each in design.runs if each.run_id == row["run_id"]), None)
    if chosen is None:
        raise StoreError(f"{folder}: {run_id} is no run of version {told['version']} of this program; run it anew")
    digest = str(run(design.scenario(chosen)).summary["run"]["digest"])
    stored = None if pd.isna(row["digest"]) else str(row["digest"])
    return {"run_id": chosen.run_id, "digest": digest, "stored": stored, "equal": digest == stored}


def export(folder: Path, file: Path, kind: str) -> int:
    """Writes plan and results of a sweep as one CSV or netCDF file; how many rows."""
    frame = table(folder)
    deliver(file.parent, {file.name: frame.to_csv(index=False) if kind == "csv" else _netcdf(frame)})
    return len(frame)


def _netcdf(frame: pd.DataFrame) -> bytes:
    """One dimension, run; numbers as doubles, texts as characters."""
    import numpy as np
    from scipy.io import netcdf_file

    held = BytesIO()
    with netcdf_file(held, "w") as out:
        out.createDimension("run", len(frame))
        for name in frame.columns:
            if pd.api.types.is_numeric_dtype(frame[name]):
                variable = out.createVariable(name, "d", ("run",))
                variable[:] = frame[name].to_numpy(float)
                continue
            texts = [str(value).encode() for value in frame[name].fillna("")]
            width = max([1, *map(len, texts)])
            out.createDimension(f"{name}_width", width)
            variable = out.createVariable(name, "c", ("run", f"{name}_width"))
            packed = np.array([text.ljust(width) for text in texts], f"S{width}")
            variable[:] = packed.view("S1").reshape(len(frame), width)
        out.flush()
        return held.getvalue()
