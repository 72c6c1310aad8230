"""The serving law against published operating points: what `serve` makes of each, and how far off that is."""

import math
from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from macrohard.colossus.roofline import prefill_token_s
from macrohard.colossus.serving import Demand, Serving, serve
from macrohard.validation.points import Point, point_of

Read = TypeVar("Read")

COLUMNS = ("hardware", "n_gpus", "model", "precision", "isl", "osl", "concurrency", "tok_s_per_gpu_out", "tok_s_user")
"""Columns of a serving points file; one with gpu_power_w as well is of the power law."""


@jax.jit
def predicted(serving: Serving, n_gpus: jax.Array, demand: Demand, is_speed: jax.Array) -> jax.Array:
    """Seconds per output token where is_speed, else output tok/s per GPU; one entry per row."""
    served = jax.vmap(serve)(serving, n_gpus, demand, jnp.ones_like(n_gpus))
    return jnp.where(is_speed, 1 / served.tok_s_per_stream, served.decode_tok_s / n_gpus)


def stacked(points: list[Point]) -> tuple[Serving, jax.Array, Demand, jax.Array]:
    """The points as arrays, one entry per row, as `predicted` takes them."""
    serving = jax.tree.map(lambda *leaves: jnp.array(leaves), *[point.serving for point in points])
    demand = jax.tree.map(lambda *leaves: jnp.array(leaves), *[point.demand for point in points])
    is_speed = jnp.array(["pool" not in point.kind and point.kind != "offline" for point in points])
    return serving, jnp.array([point.n_gpus for point in points]), demand, is_speed


def score(frame: pd.DataFrame) -> dict[str, object]:
    """Errors of the law row by row (see `errors`); `by` kind, source, GPU and LLM; `rows` tells why one has none."""
    points, reasons = readable(frame, point_of)
    rows = frame[[c for c in ("source", "hardware", "model", "precision", "notes") if c in frame]].copy()
    values = finite(points, predictions(list(points.values())), reasons) if points else {}
    rows["kind"] = [points[i].kind if i in points else "unknown" for i in range(len(frame))]
    rows["measured"] = [points[i].measured if i in points else math.nan for i in range(len(frame))]
    rows["predicted"] = [float(values[i]) if i in values else math.nan for i in range(len(frame))]
    rows["error"] = rows["predicted"] / rows["measured"] - 1
    rows["reason"] = [reasons.get(i, "") for i in range(len(frame))]
    return {**errors(rows), "by": grouped(rows, ("kind", "source", "hardware", "model")), "rows": rows}


def readable(frame: pd.DataFrame, read: Callable[[pd.Series], Read]) -> tuple[dict[int, Read], dict[int, str]]:
    """What `read` makes of each row, by position, and the reasons of those that it refuses."""
    known: dict[int, Read] = {}
    reasons: dict[int, str] = {}
    for i, (_, row) in enumerate(frame.iterrows()):
        try:
            known[i] = read(row)
        except (ValueError, KeyError) as refusal:
            reasons[i] = str(refusal)
        except (ArithmeticError, TypeError, IndexError) as refusal:
            reasons[i] = f"the row contradicts itself ({refusal})"
    return known, reasons


def finite(known: dict[int, Read], values: np.ndarray, reasons: dict[int, str]) -> dict[int, float]:
    """The predictions that are positive numbers, by position; of the others the reason is added."""
    found = {}
    for i, value in zip(known, values, strict=True):
        if 0 < value < math.inf:
            found[i] = float(value)
        else:
            reasons[i] = "figures beyond what the law can compute"
    return found


def grouped(rows: pd.DataFrame, keys: tuple[str, ...]) -> dict[str, dict[str, dict[str, float]]]:
    """The errors of each group of rows, for each key the rows have."""
    return {key: {str(name): errors(part) for name, part in rows.groupby(key)} for key in keys if key in rows}


def errors(rows: pd.DataFrame) -> dict[str, float]:
    """n, n_predicted, predicted_share, median and 90th percentile of the size of the error column, and its median."""
    error = rows["error"].dropna()
    known = {"n": len(rows), "n_predicted": len(error), "predicted_share": len(error) / max(len(rows), 1)}
    if error.empty:
        return known
    size = error.abs()
    return known | {
        "median_abs_error": float(size.median()),
        "p90_abs_error": float(size.quantile(0.9)),
        "bias": float(error.median()),
    }


def predictions(points: list[Point]) -> np.ndarray:
    """Predicted value of each point, in the units of its measured one."""
    values = np.array(predicted(*stacked(points)))
    for i, point in enumerate(points):
        if point.kind == "prefill pool":
            context = point.demand.input_tokens / 2
            values[i] = 1 / float(prefill_token_s(point.serving, context)) / float(point.serving.n_gpus)
    return values
