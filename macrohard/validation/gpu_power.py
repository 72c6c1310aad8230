"""The law of GPU power against published power readings, row by row."""

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from macrohard.colossus.gpu_power import busy_power_w, gpu_power_of
from macrohard.colossus.hardware import Gpu, gpu_named
from macrohard.colossus.serving import serve
from macrohard.validation.points import Point, layout_of, number
from macrohard.validation.serving import errors, finite, grouped, readable, stacked

COLUMNS = ("hardware", "n_gpus", "model", "precision", "tok_s_per_gpu_out", "gpu_power_w", "system_power_w")
"""Columns of a power points file."""

USUAL_TOKENS = 1024.0
"""Prompt and answer where a power row tells neither  # assumed; at a measured rate power hardly depends on them."""

SERVER_W_PER_GPU, SERVER_FACTOR = 229.0, 1.095
"""Wall power of an eight-GPU server per GPU: 229 W + 1.095 * its GPU (component build-up, docs/power.md)."""


@dataclass(frozen=True)
class Reading:
    """One power reading: the operating point, W per GPU measured there, and the GPU."""

    point: Point
    tok_s_per_gpu: float
    measured_w: float
    gpu: Gpu
    is_wall: bool


def reading_of(row: pd.Series) -> Reading:
    """The row as operating point and W per GPU (of the wall where only that was read); ValueError if it cannot be."""
    point, gpu = layout_of(row, USUAL_TOKENS), gpu_named(str(row["hardware"]))
    measured, wall = number(row, "gpu_power_w") or _pools_w(row, point), number(row, "system_power_w")
    if measured is None and wall is None:
        raise ValueError("neither gpu_power_w nor system_power_w is given")
    per_gpu = measured if measured is not None else (wall or 0.0) / point.n_gpus
    return Reading(point, number(row, "tok_s_per_gpu_out") or math.nan, per_gpu, gpu, measured is None)


def _pools_w(row: pd.Series, point: Point) -> float | None:
    """Mean of the two pools where the row has their power apart."""
    prefill, decode = number(row, "prefill_gpu_power_w"), number(row, "decode_gpu_power_w")
    share = float(point.serving.prefill_share)
    return share * prefill + (1 - share) * decode if prefill and decode else None


def uses(readings: list[Reading]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shares of bandwidth and of peak in use and the GPUs per replica, at the measured rate where one is given."""
    serving, n_gpus, demand, _ = stacked([reading.point for reading in readings])
    served = jax.jit(jax.vmap(serve))(serving, n_gpus, demand, jnp.ones_like(n_gpus))
    rate = np.array([reading.tok_s_per_gpu for reading in readings])
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        factor = np.nan_to_num(rate * np.asarray(n_gpus) / np.asarray(served.decode_tok_s), nan=1.0)
    memory, flop = (np.clip(np.asarray(use) * factor, 0, 1) for use in (served.u_mem, served.u_flop))
    return memory, flop, np.asarray(serving.n_gpus)


def predictions_w(readings: list[Reading]) -> np.ndarray:
    """Predicted W per GPU of each reading, of the wall where that was read."""
    memory, flop, replica = uses(readings)
    watts = np.zeros(len(readings))
    for i, reading in enumerate(readings):
        power = gpu_power_of(reading.gpu, replica[i])
        watts[i] = float(busy_power_w(power, memory[i], flop[i]))
        if reading.is_wall:
            watts[i] = SERVER_W_PER_GPU + SERVER_FACTOR * watts[i]
    return watts


def score(frame: pd.DataFrame) -> dict[str, object]:
    """Relative errors row by row as for serving, and the median error as a share of the power limit."""
    readings, reasons = readable(frame, reading_of)
    rows = frame[[c for c in ("source", "hardware", "model", "precision", "notes") if c in frame]].copy()
    values = finite(readings, predictions_w(list(readings.values())), reasons) if readings else {}
    limits = [readings[i].gpu.limit_w if i in readings else math.nan for i in range(len(frame))]
    rows["measured"] = [readings[i].measured_w if i in readings else math.nan for i in range(len(frame))]
    rows["predicted"] = [float(values[i]) if i in values else math.nan for i in range(len(frame))]
    rows["error"] = rows["predicted"] / rows["measured"] - 1
    rows["reason"] = [reasons.get(i, "") for i in range(len(frame))]
    of_limit = ((rows["predicted"] - rows["measured"]) / np.array(limits)).abs().median()
    by = grouped(rows, ("source", "hardware", "model"))
    return {**errors(rows), "median_abs_error_of_limit": float(of_limit), "by": by, "rows": rows}
