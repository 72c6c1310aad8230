"""Fit the serving law on inference_points.csv with the code that `serve` runs, and leave groups out in turn.

Run from the repository root: python experiments/calibration/serving_fit.py [--write]
"""

import os

if __name__ == "__main__":
    os.environ["JAX_ENABLE_X64"] = "1"  # finer derivatives; before JAX is imported

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from scipy.optimize import least_squares

from macrohard.colossus.roofline import ServingFit, prefill_token_s
from macrohard.validation import measurements
from macrohard.validation import serving as law
from macrohard.validation.points import Point, point_of

HERE = Path(__file__).parent
TABLE = HERE.parents[1] / "macrohard" / "data" / "serving_fit.csv"

FIRST = {  # first guess, upper bound, unit
    "layer_s": (6e-5, 1e-3, "s"),
    "moe_layer_s": (2e-5, 1e-3, "s"),
    "fp8_moe_layer_s": (2e-5, 1e-3, "s"),
    "stream_s": (2e-5, 1e-3, "s"),
    "call_s": (0.1, 1.0, "s"),
    "memory": (0.75, 0.92, "share of peak"),
    "linear_dense": (0.6, 0.9, "share of peak"),
    "linear_moe": (0.3, 0.9, "share of peak"),
    "attention": (0.5, 0.9, "share of peak"),
    "link": (0.8, 1.0, "share of peak"),
    "prefill_dense": (0.45, 0.9, "share of peak"),
    "prefill_moe": (0.25, 0.9, "share of peak"),
    "trt_stream": (0.5, 3.0, "factor"),
    "eager": (1.5, 5.0, "factor"),
}
FIXED = {
    "attention": "held: MLA decode kernels reach 0.5-0.66 of the bf16 peak; contexts under 9k do not tell it",
    "call_s": "held: unloaded mean time to first token (serving_ttft.py)",
    "link": "held: collectives reach 0.8 of a scale-up link; the fit would take any lower cost",
}
WEIGHT = {"aggregated": 1.0, "disaggregated": 1.0, "offline": 0.3, "decode pool": 1.0, "prefill pool": 3.0}
PRIOR = 0.05
"""Weight of the first guess, as if each were one row with an error of e**20: only breaks ties."""
NAMES = [field.name for field in dataclasses.fields(ServingFit)]
FREE = [name for name in NAMES if name not in FIXED]


def load() -> tuple[pd.DataFrame, list[Point]]:
    """The rows that the law is fitted on (no speculative decoding), as points."""
    frame = measurements("serving")
    points, kept = [], []
    for i, (_, row) in enumerate(frame.iterrows()):
        try:
            point = point_of(row)
        except ValueError:
            continue
        if point.kind in WEIGHT:
            points.append(point)
            kept.append(i)
    frame = frame.iloc[kept].reset_index(drop=True)
    frame["kind"] = [point.kind for point in points]
    return frame, points


def residuals(points: list[Point]) -> Callable[[jax.Array], jax.Array]:
    """Log of predicted over measured, as a function of the log of the free parameters."""
    serving, n_gpus, demand, is_speed = law.stacked(points)
    measured = jnp.array([point.measured for point in points])
    is_prefill = jnp.array([point.kind == "prefill pool" for point in points])

    def residual(theta: jax.Array) -> jax.Array:
        values = {name: jnp.full(n_gpus.shape, FIRST[name][0]) for name in FIXED}
        values |= {name: jnp.exp(theta[i]) * jnp.ones(n_gpus.shape) for i, name in enumerate(FREE)}
        fitted = dataclasses.replace(serving, fit=ServingFit(**values))
        token_s = jax.vmap(prefill_token_s)(fitted, demand.input_tokens / 2)
        rate = law.predicted(fitted, n_gpus, demand, is_speed)
        return jnp.log(jnp.where(is_prefill, 1 / token_s / serving.n_gpus, rate) / measured)

    return residual


class Fitter:
    """Robust regression (soft L1 on log errors) over any part of the points."""

    def __init__(self, frame: pd.DataFrame, points: list[Point]) -> None:
        """Compiles the residuals and their derivatives once, over all points."""
        residual = residuals(points)
        self.residual, self.jacobian = jax.jit(residual), jax.jit(jax.jacfwd(residual))
        self.weight = np.array([WEIGHT[kind] for kind in frame["kind"]])
        self.first = np.log([FIRST[name][0] for name in FREE])
        self.upper = np.log([FIRST[name][1] for name in FREE])

    def fit(self, rows: np.ndarray, start: np.ndarray | None = None) -> np.ndarray:
        """Log parameters that fit those rows (a mask) best."""
        weight, prior = self.weight[rows], PRIOR * np.eye(len(FREE))
        solved = least_squares(
            lambda x: np.concatenate([np.asarray(self.residual(x))[rows] * weight, prior @ (x - self.first)]),
            self.first if start is None else start,
            jac=lambda x: np.vstack([np.asarray(self.jacobian(x))[rows] * weight[:, None], prior]),
            bounds=(self.first - 4, self.upper + 1e-9),
            loss="soft_l1",
            f_scale=0.1,
            max_nfev=60,
        )
        return np.asarray(solved.x)

    def left_out(self, groups: pd.Series, start: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        """Residual of each row by a fit without its group, and those fits."""
        errors, fits = np.zeros(len(groups)), []
        for group in groups.unique():
            own = (groups == group).to_numpy()
            fits.append(self.fit(~own, start))
            errors[own] = np.asarray(self.residual(fits[-1]))[own]
        return errors, fits


def told(errors: np.ndarray) -> str:
    """Rows, median and 90th percentile of the absolute relative error, and median bias, in per cent."""
    relative = np.expm1(errors)
    size = np.abs(relative)
    return f"{len(size):4d} {np.median(size):6.1%} {np.quantile(size, 0.9):6.1%} {np.median(relative):+6.1%}"


def main() -> None:
    """Fit, print the tables of docs/serving.md, and with --write replace the parameter table."""
    frame, points = load()
    fitter = Fitter(frame, points)
    best = fitter.fit(np.ones(len(frame), bool))
    inside = np.asarray(fitter.residual(best))
    print("rows, median, p90, bias")
    for kind in WEIGHT:
        print(f"{'in sample':10s} {kind:45s}", told(inside[(frame["kind"] == kind).to_numpy()]))
    across = ((frame["kind"] == "disaggregated") & frame["hardware"].str.startswith("H100")).to_numpy()
    apart = (frame["kind"] == "disaggregated").to_numpy() & ~across
    print(f"{'in sample':10s} {'disaggregated, H100 across nodes':45s}", told(inside[across]))
    print(f"{'in sample':10s} {'disaggregated, others':45s}", told(inside[apart]))
    family = frame["model"].str.replace(r"DeepSeek.*", "DeepSeek (all)", regex=True)
    for title, groups in (("hardware", frame["hardware"]), ("LLM", frame["model"]), ("family", family)):
        errors, _ = fitter.left_out(groups, best)
        for kind in ("aggregated", "disaggregated", "offline"):
            mask = (frame["kind"] == kind).to_numpy()
            print(f"{title + ' out':10s} {kind:45s}", told(errors[mask]))
            for group in groups[mask].unique():
                print(f"{'':10s} {'  ' + group:45s}", told(errors[mask & (groups == group).to_numpy()]))
    cells = frame["source"].str[:6] + frame["hardware"] + frame["model"]
    _, fits = fitter.left_out(cells, best)
    spread = np.array(fits) - best
    error = np.sqrt((len(fits) - 1) / len(fits) * (spread**2).sum(axis=0))
    values = dict(zip(FREE, np.exp(best), strict=True)) | {name: FIRST[name][0] for name in FIXED}
    errors = dict(zip(FREE, error, strict=True))
    lines = ["# Fitted by experiments/calibration/serving_fit.py on inference_points.csv.",
             "# standard_error: jackknife over (source, GPU, LLM) groups, of the natural logarithm of the value.",
             "parameter,value,standard_error,unit,note"]  # fmt: skip
    for name in NAMES:
        note = FIXED.get(name, "at its bound" if np.isclose(values[name], FIRST[name][1], rtol=1e-3) else "")
        lines.append(f"{name},{values[name]:.4g},{errors.get(name, 0.2):.3f},{FIRST[name][2]},{note}")
    print("\n".join(lines))
    if "--write" in sys.argv:
        TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
