"""Time to first token of lightly loaded rows: what a call takes beside its own prefill and the step it joins.

Run from the repository root, after serving_fit.py: python experiments/calibration/serving_ttft.py
Benchmarks start all their requests at once, so their mean also holds a share of that first burst; it is fitted
beside and left out of the law. The constant stands in serving_fit.py as call_s.
"""

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import least_squares

from macrohard.colossus.serving import serve
from macrohard.validation import measurements
from macrohard.validation.points import point_of
from macrohard.validation.serving import stacked


def main() -> None:
    """Print call_s, the share of the burst and the median error of both together, aggregated rows."""
    frame = measurements("serving")
    seconds = frame["notes"].str.extract(r"mean_ttft_s=([\d.]+)")[0].astype(float)
    frame["ttft_s"] = seconds.fillna(frame["notes"].str.extract(r"ttft_ms=([\d.]+)")[0].astype(float) / 1e3)
    frame = frame[frame["ttft_s"].notna()]
    points = [point_of(row) for _, row in frame.iterrows()]
    kept = np.array([point.kind == "aggregated" for point in points])
    serving, n_gpus, demand, _ = stacked([point for point in points if point.kind == "aggregated"])
    served = jax.jit(jax.vmap(serve))(serving, n_gpus, demand, jnp.ones_like(n_gpus))
    measured = frame["ttft_s"].to_numpy()[kept]
    own, step = np.asarray(served.prefill_s_per_token * demand.prefill_tokens), 1 / np.asarray(served.tok_s_per_stream)
    burst = own * np.asarray(demand.n_streams) / 2

    def error(x: np.ndarray) -> np.ndarray:
        return np.asarray(np.log((x[0] + step + own + x[1] * burst) / measured))

    x = least_squares(error, [0.05, 0.1], bounds=(0, 9), loss="soft_l1", f_scale=0.3).x
    size = np.abs(np.expm1(error(x)))
    print(f"call_s {x[0]:.3f} s, share of the burst {x[1]:.2f}; {len(size)} rows, median error {np.median(size):.0%}")


if __name__ == "__main__":
    main()
