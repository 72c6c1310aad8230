"""Fit the power of a busy GPU on power_points.csv, and leave LLMs and hardware out in turn.

Run from the repository root, after serving_fit.py: python experiments/calibration/power_fit.py [--write]
"""

import sys
from pathlib import Path

import numpy as np
from scipy.optimize import least_squares

from macrohard.colossus.gpu_power import FEWEST_GPUS, MOST_GPUS, gpu_power_of
from macrohard.validation import measurements
from macrohard.validation.gpu_power import SERVER_FACTOR, SERVER_W_PER_GPU, reading_of, uses

HERE = Path(__file__).parent
TABLE = HERE.parents[1] / "macrohard" / "data" / "gpu_power_fit.csv"
FREE = ("base", "spread", "memory", "flop")
TOP = 0.97
ASSUMED = dict.fromkeys(("top", "training", "waiting", "unallocated"), "assumed")


def shares(design: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The law of gpu_power.busy_power_w, as a share of the limit."""
    return np.asarray(np.minimum(design @ x, TOP))


def fit(design: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """Robust regression (soft L1, 5 % of the limit) with memory and flop not below zero."""
    start = np.array([0.9, 0.4, 0.05, 0.4])
    solved = least_squares(
        lambda x: shares(design, x) - measured, start, loss="soft_l1", f_scale=0.05, bounds=([0, 0, 0, 0], [2, 2, 2, 2])
    )
    return np.asarray(solved.x)


def told(errors: np.ndarray) -> str:
    """Rows, median and 90th percentile of the error as a share of the limit, and median bias."""
    size = np.abs(errors)
    return f"{len(size):4d} {np.median(size):6.1%} {np.quantile(size, 0.9):6.1%} {np.median(errors):+6.1%}"


def main() -> None:
    """Fit, print the tables of docs/serving.md, and with --write replace the parameter table."""
    frame = measurements("gpu_power")
    readings = [reading_of(row) for _, row in frame.iterrows()]
    limit = np.array([reading.gpu.limit_w for reading in readings])
    watts = np.array([reading.measured_w for reading in readings])
    wall = np.array([reading.is_wall for reading in readings])
    measured = np.where(wall, (watts - SERVER_W_PER_GPU) / SERVER_FACTOR, watts) / limit
    memory, flop, replica = uses(readings)
    waits = 1 - 1 / np.sqrt(np.clip(replica, FEWEST_GPUS, MOST_GPUS))
    design = np.stack([np.ones_like(waits), -waits, memory, np.sqrt(flop)], axis=1)
    best = fit(design, measured)
    print("share of the limit: rows, median, p90, bias")
    print(f"{'in sample':30s}", told(shares(design, best) - measured))
    fits = []
    for column in ("model", "hardware"):
        errors, constant = np.zeros(len(measured)), np.zeros(len(measured))
        for group in frame[column].unique():
            own = (frame[column] == group).to_numpy()
            x = fit(design[~own], measured[~own])
            if column == "model":
                fits.append(x)
            errors[own] = shares(design[own], x) - measured[own]
            constant[own] = np.median(measured[~own]) - measured[own]
        print(f"{column + ' out':30s}", told(errors))
        print(f"{column + ' out, a constant instead':30s}", told(constant))
        for group in frame[column].unique():
            print(f"{'  ' + group:30s}", told(errors[(frame[column] == group).to_numpy()]))
    error = np.sqrt((len(fits) - 1) / len(fits) * ((np.array(fits) - best) ** 2).sum(axis=0))
    old = gpu_power_of("B200")
    lines = ["# Fitted by experiments/calibration/power_fit.py on power_points.csv.",
             "# standard_error: jackknife over LLMs.",
             "parameter,value,standard_error,unit,note"]  # fmt: skip
    for name, value, spread in zip(FREE, best, error, strict=True):
        note = "at its bound: no effect of its own beside flop in the data" if value < 1e-3 else ""
        lines.append(f"{name},{value:.3f},{spread:.3f},share of limit,{note}")
    lines += [f"{name},{getattr(old, name)},,share of limit,{note}" for name, note in ASSUMED.items()]
    print("\n".join(lines))
    if "--write" in sys.argv:
        TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
