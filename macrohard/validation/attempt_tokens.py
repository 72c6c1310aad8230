"""The law of an attempt against recorded ones: median and 90th percentile of tokens, calls and tool time by group.

The law predicts how attempts spread before one of them is made, so it is scored on groups (repository and model), not
on single rows: nothing but the model, the scaffold and how many attempts succeeded is told to it.
"""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.special import ndtri

from agents.attempt import AttemptLaw, attempt_load
from macrohard import work_tables

COLUMNS = ("task", "repo", "model", "scaffold", "resolved", "steps", "input_tokens", "tool_seconds")
"""Columns that a file of attempts has: one row per task and model."""

MIN_ROWS = 30
"""Groups with fewer rows are not scored: their own 90th percentile is not known to better than a third."""

QUANTITIES = {"input_tokens": "input_tokens", "steps": "calls", "tool_seconds": "tool_s"}
"""Measured column and the field of the law's load; errors are of the first unless said."""

KNOWN = {"claude-sonnet-4-5": "swe-agent-sonnet-4.5", "gpt-5": "swe-agent-gpt-5"}
"""SWE-agent's own scaffold rows by the beginning of a model's name."""

_NORMALS = 400


def score(frame: pd.DataFrame, laws: dict[str, AttemptLaw] | None = None) -> dict[str, object]:
    """Errors of the law over groups; median_abs_error is the median group's error on its median, p90_abs_error that on
    its 90th percentile, bias the median signed error on the median. `laws` by scaffold row, for laws left out in turn.
    """
    rows = prepared(frame)
    groups: dict[str, dict[str, object]] = {}
    for (repo, model), part in rows[rows["reason"] == ""].groupby(["repo", "model"]):
        row = str(part["scaffold_row"].iloc[0])
        law = (laws or {}).get(row) or work_tables.attempt_law(row, whole_benchmark=True)
        rows.loc[part.index, "predicted"] = quantiles(law, float(part["resolved"].mean()), "input_tokens")[0]
        groups[f"{repo} | {model}"] = {"n": len(part), "scaffold": row} | _errors(part, law)
    scored = pd.DataFrame(groups).T
    n, n_done = len(rows), int((rows["reason"] == "").sum())
    result: dict[str, object] = {"n": n, "n_predicted": n_done, "predicted_share": n_done / max(n, 1)}
    by: dict[str, object] = {"group": groups}
    if groups:
        result |= _summary(scored, "input_tokens")
        by |= {
            "quantity": {quantity: _summary(scored, quantity) for quantity in QUANTITIES},
            "model": {str(m): _summary(part, "input_tokens") for m, part in scored.groupby("scaffold")},
        }
    return result | {"by": by, "rows": rows}


def prepared(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows with the scaffold row they are predicted from, and why a row cannot be predicted ("" if it can)."""
    rows = frame.reset_index(drop=True).copy()
    for column in (*QUANTITIES, "resolved"):
        rows[column] = pd.to_numeric(rows[column], errors="coerce")
    rows["measured"], rows["predicted"], rows["reason"] = rows["input_tokens"], np.nan, ""
    rows["scaffold_row"] = [
        scaffold_row(str(scaffold), str(model)) for scaffold, model in zip(rows["scaffold"], rows["model"], strict=True)
    ]
    usable = (rows["input_tokens"] > 0) & rows["resolved"].isin([0, 1]) & rows["repo"].notna() & rows["model"].notna()
    rows.loc[~usable, "reason"] = "input_tokens, resolved (0 or 1), repo or model is missing"
    rows.loc[usable & (rows["scaffold_row"] == ""), "reason"] = "no law for this scaffold"
    good = rows["reason"] == ""
    counts = rows[good].groupby(["repo", "model"])["task"].transform("size")
    few = counts[counts < MIN_ROWS].index
    rows.loc[few, "reason"] = f"fewer than {MIN_ROWS} rows of this repository and model"
    return rows


def scaffold_row(scaffold: str, model: str) -> str:
    """The nearest scaffold of the table: an unknown model in SWE-agent gets the middle of those known; "" if none."""
    told = scaffold.lower()
    if "codex" in told:
        return "codex"
    if "swe" not in told or "agent" not in told:
        return ""
    return next((row for begin, row in KNOWN.items() if model.lower().startswith(begin)), "swe-agent")


def sample(law: AttemptLaw, good: float) -> dict[str, NDArray[np.float64]]:
    """Loads of attempts that all end alike, at evenly spaced quantiles of the dice."""
    z = jnp.asarray(_normals())
    load = attempt_load(120.0, z, z, good, law)
    return {quantity: np.asarray(getattr(load, field), np.float64) for quantity, field in QUANTITIES.items()}


def quantiles(law: AttemptLaw, good_share: float, quantity: str) -> tuple[float, float]:
    """Median and 90th percentile of a mix of good and bad attempts."""
    values = np.concatenate([sample(law, 1.0)[quantity], sample(law, 0.0)[quantity]])
    weights = np.repeat([good_share, 1.0 - good_share], _NORMALS)
    order = np.argsort(values)
    below = np.cumsum(weights[order]) - weights[order] / 2
    below /= weights.sum()
    return float(np.interp(0.5, below, values[order])), float(np.interp(0.9, below, values[order]))


def fitted(rows: pd.DataFrame, law: AttemptLaw) -> AttemptLaw:
    """The law with c0, g, n50, spread and tool time of these attempts; the rest as in `law`.

    c0 and g: least squares of ln input on calls. n50 and spread: median and upper quantiles of the calls, freed of how
    the attempts ended. The spread is that of all sizes together.
    """
    calls, tokens = rows["steps"].to_numpy(float), rows["input_tokens"].to_numpy(float)
    resolved = rows["resolved"].to_numpy(float)

    def residual(x: NDArray[np.float64]) -> NDArray[np.float64]:
        told: NDArray[np.float64] = np.log(np.exp(x[0]) * calls + np.exp(x[1]) * calls**2 / 2) - np.log(tokens)
        return told

    found = least_squares(residual, np.log([8e3, 700.0]))
    c0, g = (float(v) for v in np.exp(found.x))
    ending = law.bad_factor + (law.good_factor - law.bad_factor) * resolved
    usual_tokens = (c0 * calls + g * calls**2 / 2) / np.asarray(ending)
    usual = (np.sqrt(c0**2 + 2 * g * usual_tokens) - c0) / g
    middle, high = np.quantile(np.log(usual), [0.5, 0.9])
    return replace(
        law,
        first_context_tokens=c0,
        context_growth_tokens=g,
        calls_at_120_min=float(np.exp(middle)),
        calls_sd_log=float((high - middle) / 1.2816),
        tool_median_s=float(rows["tool_seconds"].median()),
        tool_mean_s=float(rows["tool_seconds"].mean()),
    )


def _normals() -> NDArray[np.float64]:
    return np.asarray(ndtri((np.arange(_NORMALS) + 0.5) / _NORMALS), np.float64)


def _errors(part: pd.DataFrame, law: AttemptLaw) -> dict[str, float]:
    errors: dict[str, float] = {}
    share = float(part["resolved"].mean())
    for quantity in QUANTITIES:
        measured = part[quantity].dropna()
        middle, high = quantiles(law, share, quantity)
        errors[f"{quantity}_median_error"] = middle / float(measured.median()) - 1
        errors[f"{quantity}_p90_error"] = high / float(measured.quantile(0.9)) - 1
    return errors


def _summary(groups: pd.DataFrame, quantity: str) -> dict[str, float]:
    middle, high = groups[f"{quantity}_median_error"].astype(float), groups[f"{quantity}_p90_error"].astype(float)
    return {
        "n_groups": float(len(groups)),
        "median_abs_error": float(middle.abs().median()),
        "p90_abs_error": float(high.abs().median()),
        "bias": float(middle.median()),
    }
