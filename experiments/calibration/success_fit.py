"""Fit the success law on metr_runs.csv with the functions the simulator uses, and leave models out in turn.

Each (model, task) with k successes in n runs is a draw of the law itself: p_i ~ Beta(p m, (1 - p) m), k ~ Bin(n, p_i).
All models share beta, the offsets of the two other kinds of task, and how rho grows with the horizon.
Run from the repository root: python experiments/calibration/success_fit.py [--write]
"""

import os

os.environ["JAX_ENABLE_X64"] = "1"

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jax.scipy.special import gammaln
from scipy.optimize import minimize

from agents.capability import retry_correlation, success_mean
from macrohard.validation import measurements
from macrohard.validation import success as law
from macrohard.work_tables import SuccessFit

HERE = Path(__file__).parent
DATA = HERE.parents[1] / "macrohard" / "data"
NAMES = ["beta", "research_offset", "seconds_offset", "retry_at_32_min", "retry_per_doubling"]
UNITS = ["logit per halving", "logit", "logit", "logit", "logit per doubling"]
FIRST = [0.4, 0.0, 0.0, 0.3, 0.0]
MIN_TASKS = 20
"""Models with fewer tasks get no horizon in the table."""
HORIZON_PRIOR = (4.0, 6.0)
"""log2 minutes, mean and sd: only holds models that never succeed."""
OFFSET_PRIOR_SD = 3.0
PUBLISHED_P50 = {"gpt-3.5-turbo-instruct": "gpt_3_5_turbo_instruct", "davinci-002": "davinci_002"}
"""Models whose published 50 % horizon (agent_role_points.csv) lies among the tasks of seconds, of which the runs have
no other record: it enters as that many single tries, half of them good, as its published interval is worth."""
PUBLISHED_TRIES = {"gpt-3.5-turbo-instruct": 22, "davinci-002": 44}


def load() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The runs, and the tasks with their counts that the likelihood is over."""
    runs = law.prepared(measurements("success"))
    runs = runs[runs["reason"] == ""]
    keys = ["model", "dataset", "task_source", "task", "human_minutes"]
    tasks = runs.groupby(keys).agg(n=("measured", "size"), k=("measured", "sum")).reset_index()
    points = measurements("role_ratios")
    p50 = points[points["metric"] == "p50_horizon"].set_index("model")["value"]
    published = [
        {"model": ours, "task_source": "SWAA", "human_minutes": p50[theirs], "n": 1, "k": i % 2}
        for ours, theirs in PUBLISHED_P50.items()
        for i in range(PUBLISHED_TRIES[ours])
    ]
    return runs, pd.concat([tasks, pd.DataFrame(published)], ignore_index=True)


def fitted(tasks: pd.DataFrame, held: dict[str, float] | None = None) -> tuple[pd.Series, pd.Series]:
    """Value and standard error of the shared parameters and of log2 of every model's horizon; `held` are not fitted."""
    models = sorted(tasks["model"].unique())
    at = jnp.array(tasks["model"].map({name: i for i, name in enumerate(models)}).to_numpy())
    minutes, n, k = (jnp.array(tasks[c].to_numpy(float)) for c in ("human_minutes", "n", "k"))
    research = jnp.array((tasks["task_source"] == "RE-Bench").to_numpy(float))
    seconds = jnp.array((tasks["task_source"] == "SWAA").to_numpy(float))
    names = NAMES + models
    start = np.array(FIRST + [HORIZON_PRIOR[0]] * len(models))
    for name, value in (held or {}).items():
        start[names.index(name)] = value
    free = np.array([i for i, name in enumerate(names) if name not in (held or {})])

    def loss(x: jax.Array) -> jax.Array:
        beta, on_research, on_seconds, retry, per_doubling = (x[i] for i in range(len(NAMES)))
        log2_horizon = x[len(NAMES) :]
        horizon = 2.0 ** log2_horizon[at]
        p = success_mean(minutes, horizon, beta, on_research * research + on_seconds * seconds)
        p = jnp.clip(p, 1e-9, 1 - 1e-9)
        m = 1 / retry_correlation(horizon, retry, per_doubling) - 1
        likelihood = _betaln(k + p * m, n - k + (1 - p) * m) - _betaln(p * m, (1 - p) * m)
        prior = (((log2_horizon - HORIZON_PRIOR[0]) / HORIZON_PRIOR[1]) ** 2).sum()
        return -likelihood.sum() + prior / 2 + (on_research**2 + on_seconds**2) / OFFSET_PRIOR_SD**2 / 2

    def of_free(y: jax.Array) -> jax.Array:
        return loss(jnp.array(start).at[free].set(y))

    step = jax.jit(jax.value_and_grad(of_free))
    found = minimize(lambda y: [np.asarray(v) for v in step(y)], start[free], jac=True, method="L-BFGS-B").x
    error = np.zeros(len(names))
    error[free] = np.sqrt(np.diag(np.linalg.inv(np.asarray(jax.hessian(of_free)(jnp.array(found))))))
    value = start.copy()
    value[free] = found
    return pd.Series(value, names), pd.Series(error, names)


def _betaln(a: jax.Array, b: jax.Array) -> jax.Array:
    return gammaln(a) + gammaln(b) - gammaln(a + b)


def fit_of(value: pd.Series) -> SuccessFit:
    """The shared part of a fit."""
    return SuccessFit(**{name: float(value[name]) for name in NAMES})


def left_out(runs: pd.DataFrame, tasks: pd.DataFrame) -> pd.DataFrame:
    """Each model predicted by the law fitted on the others, with one horizon of its own."""
    lines, together = [], []
    for model in sorted(runs["model"].unique()):
        fit = fit_of(fitted(tasks[tasks["model"] != model])[0])
        scored = law.score(runs[runs["model"] == model], fit, {})
        lines.append({"model": model} | scored["by"]["model"][model])
        together.append(scored["rows"])
    everything = pd.concat(together)
    lines.append({"model": "all", "n": len(everything), "mean_gap": law.mean_gap(law.by_band(everything, ["band"]))})
    print(pd.DataFrame(lines).round(3).to_string(index=False))
    return pd.DataFrame(lines)


def frontier(tasks: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """The one frontier model of 2026 with repeated runs, by itself: beta, horizon and rho of its own, no offsets."""
    held = {"research_offset": 0.0, "seconds_offset": 0.0, "retry_per_doubling": 0.0}
    return fitted(tasks[tasks["model"] == "GPT-5.4"], held)


def main() -> None:
    """Fits, shows the errors of models left out, and with --write renews the tables."""
    runs, tasks = load()
    value, error = fitted(tasks)
    print(pd.DataFrame({"value": value, "standard_error": error}).head(len(NAMES)).round(4))
    own, own_error = frontier(tasks)
    print("frontier", own.round(3).to_dict(), own_error.round(3).to_dict())
    errors = left_out(runs, tasks)
    if "--write" not in sys.argv:
        return
    head = "# Written by experiments/calibration/success_fit.py from metr_runs.csv (METR, MIT licence).\n"
    shared = pd.DataFrame(
        {"parameter": NAMES, "value": value[NAMES].to_numpy(), "standard_error": error[NAMES].to_numpy()}
    )
    shared["unit"] = UNITS
    (DATA / "success_fit.csv").write_text(head + shared.round(5).to_csv(index=False))
    n_tasks = runs.groupby("model")["task"].nunique()
    enough = [
        m for m in sorted(n_tasks.index) if n_tasks[m] >= MIN_TASKS and runs[runs["model"] == m]["measured"].any()
    ]
    retry = {m: retry_correlation(2 ** value[m], value["retry_at_32_min"], value["retry_per_doubling"]) for m in enough}
    models = pd.DataFrame(
        {
            "model": enough,
            "horizon_min": [2 ** value[m] for m in enough],
            "horizon_se_log2": [error[m] for m in enough],
            "beta": value["beta"],
            "beta_se": error["beta"],
            "rho": [float(retry[m]) for m in enough],
            "rho_se": error["retry_at_32_min"] / 4,
            "fit": "shared",
        }
    )
    rho = 1 / (1 + np.exp(-own["retry_at_32_min"]))
    models.loc[len(models)] = {
        "model": "frontier-2026",
        "horizon_min": 2 ** own["GPT-5.4"],
        "horizon_se_log2": own_error["GPT-5.4"],
        "beta": own["beta"],
        "beta_se": own_error["beta"],
        "rho": rho,
        "rho_se": own_error["retry_at_32_min"] * rho * (1 - rho),
        "fit": "GPT-5.4 alone",
    }
    note = "# Rows of one fit go together: beta, horizon and rho of different fits are not to be mixed.\n"
    (DATA / "capability.csv").write_text(head + note + models.round(4).to_csv(index=False))
    errors.round(4).to_csv(HERE / "success_left_out.csv", index=False)


if __name__ == "__main__":
    main()
