"""How far a sweep has come, from its folder alone; it may be running."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from macrohard.sweeps.stored import is_sweep, table

STATUSES = ("done", "failed", "spared", "missing")
"""Of a run; spared: not needed by the stop rule."""


def standing(folder: Path) -> dict[str, Any]:
    """Counts of runs by status, the time that the finished ones took, and the errors of failed ones by run id.

    Shards that are not merged yet are taken together, of a folder that holds nothing else.
    """
    shards = [] if is_sweep(folder) else sorted((folder / "shards").glob("*-of-*"))
    tables = [table(each, ["wall_s"]).assign(folder=str(each)) for each in shards or [folder]]
    rows = pd.concat(tables, ignore_index=True)
    rows["status"] = pd.Categorical(rows["status"], STATUSES, ordered=True)
    rows = rows.sort_values("status", kind="stable").drop_duplicates("run_id")  # what one shard has, others miss
    failed = rows[rows["status"] == "failed"]
    return {
        "out": str(folder),
        **({"shards": ", ".join(each.name for each in shards)} if shards else {}),
        "runs": len(rows),
        **{each: int((rows["status"] == each).sum()) for each in STATUSES},
        "run_s": float(rows["wall_s"].sum()),
        "errors": {
            run_id: json.loads(Path(at, "failed", f"{run_id}.json").read_bytes())["error"]
            for run_id, at in zip(failed["run_id"], failed["folder"], strict=True)
        },
    }
