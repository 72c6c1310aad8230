"""The ratios of the roles against published costs and times: what a kind of work takes relative to coding."""

import numpy as np
import pandas as pd

from macrohard import work_tables

COLUMNS = ("source", "role", "benchmark", "model", "metric", "value", "unit")
"""Columns that a file of single published values has."""

METRICS = {"cost_per_task": "tokens", "wall_time_mean": "wall"}
"""Metrics that a ratio predicts from the same model's value for coding."""

FAILED_OVER_RESOLVED = "cost_failed_over_resolved"
"""Predicted as the ratio of the attempt law's two factors."""


def score(frame: pd.DataFrame) -> dict[str, object]:
    """Errors row by row: a role's value is predicted as the ratio times the value for coding of the same model."""
    rows = frame.reset_index(drop=True).copy()
    measured = pd.to_numeric(rows["value"], errors="coerce").to_numpy(float)
    metric, role = (rows[column].fillna("(blank)").astype(str) for column in ("metric", "role"))
    key = rows["source"].astype(str) + "\n" + rows["model"].astype(str) + "\n" + metric
    told = np.isfinite(measured) & (measured > 0)
    ratio, law = _ratios(role, metric), work_tables.attempt_law()
    is_coding = ((role == "coding") & metric.isin(list(METRICS))).to_numpy(bool)
    coding = pd.Series(measured[is_coding & told], key[is_coding & told]).groupby(level=0).mean()
    predicted = ratio * key.map(coding).to_numpy(float)
    is_ending = (metric == FAILED_OVER_RESOLVED).to_numpy(bool)
    predicted[is_ending] = float(law.bad_factor) / float(law.good_factor)
    reason = np.where(np.isfinite(predicted), "", "no value for coding by the same source and model")
    reason = np.where(~is_ending & ~np.isfinite(ratio), "no law for " + metric + " of " + role, reason)
    reason = np.where(is_coding, "the reference of the ratios", reason)
    reason = np.where(told, reason, "value is missing or not above 0")
    rows["measured"], rows["predicted"], rows["reason"] = measured, np.where(reason == "", predicted, np.nan), reason
    rows["error"] = rows["predicted"] / rows["measured"] - 1
    done = rows[rows["reason"] == ""]
    by = {" | ".join(map(str, pair)): _errors(part) for pair, part in done.groupby(["role", "metric"])}
    share = {"n": len(rows), "n_predicted": len(done), "predicted_share": len(done) / max(len(rows), 1)}
    return {**share, **_errors(done), "by": by, "rows": rows}


def _ratios(role: pd.Series, metric: pd.Series) -> np.ndarray:
    """Ratio to coding of each row; nan where there is none."""
    known = work_tables.role_ratios()
    pairs = zip(role, metric, strict=True)
    return np.array([getattr(known[r], METRICS[m]) if r in known and m in METRICS else np.nan for r, m in pairs], float)


def _errors(rows: pd.DataFrame) -> dict[str, float]:
    if rows.empty:
        return {}
    error = rows["error"]
    return {
        "median_abs_error": float(error.abs().median()),
        "p90_abs_error": float(error.abs().quantile(0.9)),
        "bias": float(error.median()),
    }
