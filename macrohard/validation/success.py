"""The success law against recorded runs: share of successes by length of task, and success after a failure."""

import jax.numpy as jnp
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agents.capability import retry_correlation, success_mean
from macrohard import work_tables
from macrohard.work_tables import SuccessFit

COLUMNS = ("task_id", "task_source", "human_minutes", "model", "score_binarized")
"""Columns that a file of runs has: one row per attempt at a task."""

BAND_EDGES_MIN = (0.0, 1.0, 4.0, 15.0, 60.0, 240.0, 960.0, np.inf)
BANDS = ("<1 min", "1-4 min", "4-15 min", "15-60 min", "1-4 h", "4-16 h", ">16 h")

MIN_TASKS = 5
"""Bands with fewer tasks are shown, not scored: their own sampling error is above 0.15."""

HORIZON_GRID_MIN = 2.0 ** np.linspace(-20.0, 20.0, 1601)


def score(
    frame: pd.DataFrame, fit: SuccessFit | None = None, horizons: dict[str, float] | None = None
) -> dict[str, object]:
    """Errors of the law; a model without a horizon gets one fitted to its own rows, so only the shape is scored.

    median_abs_error is the mean absolute gap between observed and predicted share over length bands, all models
    together; p90_abs_error the 90th percentile of that gap over bands of single models; bias predicted - observed.
    """
    fit = work_tables.success_fit() if fit is None else fit
    known = work_tables.horizons() if horizons is None else horizons
    rows = prepared(frame)
    usable = rows["reason"] == ""
    rows["predicted"] = np.nan
    horizon_of: dict[str, float] = {}
    for model, part in rows[usable].groupby("model"):
        horizon_of[str(model)] = known.get(str(model)) or own_horizon(part, fit)
        rows.loc[part.index, "predicted"] = chance(part, horizon_of[str(model)], fit)
    done = rows[usable]
    n, n_done = len(rows), len(done)
    result: dict[str, object] = {"n": n, "n_predicted": n_done, "predicted_share": n_done / max(n, 1)}
    if n_done:
        cells = by_band(done, ["model", "band"])
        pooled = by_band(done, ["band"])
        result |= {
            "median_abs_error": mean_gap(pooled),
            "p90_abs_error": float(_scored(cells)["gap"].quantile(0.9)),
            "bias": float((done["predicted"] - done["measured"]).mean()),
            "brier": float(((done["predicted"] - done["measured"]) ** 2).mean()),
        }
    by = {
        "model": {
            model: {
                "n": len(part),
                "n_tasks": int(part["task"].nunique()),
                "horizon_min": horizon_of[str(model)],
                "horizon_from": "table" if model in known else "own rows",
                "mean_gap": mean_gap(by_band(part, ["band"])),
                **after_failure(part, {str(model): horizon_of[str(model)]}, fit),
            }
            for model, part in done.groupby("model")
        },
        "band": by_band(done, ["band"]).set_index("band").to_dict("index") if n_done else {},
        "after_failure": after_failure(done, horizon_of, fit) if n_done else {},
    }
    return result | {"by": by, "rows": rows}


def prepared(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows with task, band, measured outcome, and why a row cannot be predicted ("" if it can)."""
    rows = frame.reset_index(drop=True).copy()
    minutes = pd.to_numeric(rows["human_minutes"], errors="coerce")
    measured = pd.to_numeric(rows["score_binarized"], errors="coerce")
    rows["human_minutes"], rows["measured"] = minutes, measured
    rows["reason"] = ""
    rows.loc[~measured.isin([0, 1]), "reason"] = "score_binarized is not 0 or 1"
    rows.loc[~(np.isfinite(minutes) & (minutes > 0)), "reason"] = "human_minutes is missing or not above 0"
    rows.loc[rows["model"].isna(), "reason"] = "model is missing"
    rows["model"] = rows["model"].astype(str)
    rows["task"] = rows["task_id"].astype(str) + " " + minutes.round(3).astype(str)
    rows["band"] = pd.cut(minutes, list(BAND_EDGES_MIN), labels=list(BANDS)).astype(str)
    return rows


def chance(rows: pd.DataFrame, horizon_min: float | NDArray[np.float64], fit: SuccessFit) -> NDArray[np.float64]:
    """Mean chance of success of each row (by horizon, if several are given), from the law the simulator uses."""
    source = rows["task_source"]
    offset = fit.research_offset * (source == "RE-Bench") + fit.seconds_offset * (source == "SWAA")
    size, kind = rows["human_minutes"].to_numpy(float), offset.to_numpy(float)
    if isinstance(horizon_min, np.ndarray):
        size, kind = size[:, None], kind[:, None]
    p = success_mean(jnp.asarray(size), jnp.asarray(horizon_min), fit.beta, jnp.asarray(kind))
    return np.asarray(p, np.float64)


def own_horizon(rows: pd.DataFrame, fit: SuccessFit) -> float:
    """The horizon under which these runs are most likely."""
    p = np.clip(chance(rows, HORIZON_GRID_MIN, fit), 1e-7, 1 - 1e-7)
    good = rows["measured"].to_numpy(float)[:, None]
    likelihood = (good * np.log(p) + (1 - good) * np.log1p(-p)).sum(axis=0)
    return float(HORIZON_GRID_MIN[int(likelihood.argmax())])


def by_band(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Observed and predicted share and their gap in each group."""
    groups = rows.groupby(keys, sort=False)
    cells = groups.agg(n=("task", "size"), n_tasks=("task", "nunique"), observed=("measured", "mean"))
    cells["predicted"] = groups["predicted"].mean()
    cells["gap"] = (cells["observed"] - cells["predicted"]).abs()
    return cells.reset_index()


def mean_gap(cells: pd.DataFrame) -> float:
    """Mean gap over the bands with enough tasks (over all of them if none has)."""
    return float(_scored(cells)["gap"].mean())


def _scored(cells: pd.DataFrame) -> pd.DataFrame:
    enough = cells[cells["n_tasks"] >= MIN_TASKS]
    return cells if enough.empty else enough


def after_failure(rows: pd.DataFrame, horizon_of: dict[str, float], fit: SuccessFit) -> dict[str, float]:
    """P(success | a run at the same task failed): observed, sum k(n-k)/(n-1) / sum(n-k), and by the law.

    Over tasks with k successes in n > 1 runs; families of tasks (`name/*`) do not tell which task a run was of.
    """
    single = rows[~rows["task_id"].astype(str).str.contains("*", regex=False)]
    tasks = single.groupby(["model", "task"]).agg(
        n=("measured", "size"), k=("measured", "sum"), p=("predicted", "mean")
    )
    tasks = tasks[tasks["n"] > 1].reset_index()
    if tasks.empty or (tasks["n"] == tasks["k"]).all():
        return {}
    horizon = jnp.asarray(tasks["model"].map(horizon_of).to_numpy(float))
    rho = np.asarray(retry_correlation(horizon, fit.retry_at_32_min, fit.retry_per_doubling))
    n, k, p = tasks["n"], tasks["k"], tasks["p"]
    observed = float((k * (n - k) / (n - 1)).sum() / (n - k).sum())
    predicted = float((n * p * (1 - p) * (1 - rho)).sum() / (n * (1 - p)).sum())
    return {"retries_observed": observed, "retries_predicted": predicted, "retries_gap": abs(predicted - observed)}
