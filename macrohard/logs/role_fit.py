"""Habits from a log of attempts: the laws of the simulator fitted to it, with standard errors, as keys of a scenario.

Equations and what cannot be told from a log: docs/requests.md. Standard errors are of a bootstrap over tickets.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from rich.text import Text
from scipy.optimize import brentq, minimize
from scipy.special import expit

from macrohard.scenario import Scenario
from macrohard.scenario.settings import Setting

Array = NDArray[np.float64]

N_RESAMPLES = 60
MIN_ROWS = 30
"""Fewer attempts than this fit nothing."""

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
"""A standard normal as nine points, their weights not yet adding to 1."""

ENDINGS_PRODUCT = 0.85 * 1.18
"""Only the ratio of failed to successful input shows in a log; the product of the two factors is held at the usual."""

_NEVER = {
    "tokens.max_input_tokens": "no limit shows in a log",
    "quality.*": "what tests and reviews miss does not show in a log of attempts",
    "capability.frontend, greenfield, office": "the log does not tell kinds of tickets",
}


@dataclass(frozen=True)
class Fit:
    """Fitted keys with standard errors, and why the others could not be fitted."""

    n: int
    values: dict[str, float]
    errors: dict[str, float]
    missing: dict[str, str]

    def settings(self) -> list[Setting]:
        """The fitted keys as settings of a scenario."""
        return [Setting(key, f"{value:.6g}", "fit-roles") for key, value in self.values.items()]

    def document(self) -> dict[str, Any]:
        """The whole fit, for JSON."""
        keys = {key: {"value": value, "standard_error": self.errors[key]} for key, value in self.values.items()}
        return {"n_attempts": self.n, "keys": keys, "not_fitted": self.missing}

    def toml(self, file: str, scenario: Scenario) -> str:
        """The scenario with the fit, errors and gaps in comments at the top."""
        told = [f"# Habits fitted by `macrohard fit-roles` to {self.n:,} attempts of {ascii(file)}."]
        told += [f"# {key} = {value:.6g} +- {self.errors[key]:.2g}" for key, value in self.values.items()]
        told += [f"# not fitted: {key}: {why}" for key, why in self.missing.items()]
        return "\n".join(told) + "\n\n" + scenario.to_toml()


def fitted(attempts: pd.DataFrame, base: Scenario) -> Fit:
    """Fits what the log can tell; `base` gives the budget and slope where the log has none."""
    missing = dict(_NEVER)
    values = _all(attempts, base, missing.__setitem__)
    draws: dict[str, list[float]] = {key: [] for key in values}
    rng = np.random.default_rng(20)
    is_named = attempts["task"] != ""
    ticket = np.where(is_named, attempts["task"], np.arange(len(attempts)).astype(str))
    groups = list(pd.Series(np.arange(len(attempts))).groupby(ticket).indices.values())
    for _ in range(N_RESAMPLES):
        chosen = rng.integers(len(groups), size=len(groups))
        rows = np.concatenate([groups[each] for each in chosen])
        again = attempts.iloc[rows].copy()
        # a ticket drawn twice counts as two
        names = np.repeat(np.arange(len(chosen)), [len(groups[each]) for each in chosen]).astype(str)
        again["task"] = np.where(again["task"] != "", names, "")
        for key, value in _all(again, base, lambda key, why: None).items():
            if key in draws:
                draws[key].append(value)
    errors = {key: float(np.std(found, ddof=1)) if len(found) > 1 else math.nan for key, found in draws.items()}
    return Fit(len(attempts), values, errors, missing)


def _all(attempts: pd.DataFrame, base: Scenario, lacks: Callable[[str, str], None]) -> dict[str, float]:
    coding = attempts[attempts["stage"] == "code"]
    if len(coding) < MIN_ROWS:
        lacks("tokens, capability", f"{len(coding)} attempts of coding; at least {MIN_ROWS} are needed")
        return {}
    values = _growth(coding, lacks)
    if "tokens.first_context_tokens" in values:
        values |= _calls(coding, values, base, lacks)
    values |= _tools(coding, lacks) | _success(coding, lacks)
    values |= _ratios(attempts, values, base, lacks)
    return values


def _growth(coding: pd.DataFrame, lacks: Callable[[str, str], None]) -> dict[str, float]:
    """Context of the first call and what each adds: input / calls = c0 + g * calls / 2; tokens a call; cache misses."""
    used = coding[coding["input_tokens"] > 0]
    calls, asked = used["calls"].to_numpy(float), used["input_tokens"].to_numpy(float)
    output = coding["output_tokens"].sum() / coding["calls"].sum()
    values = {"tokens.decode_tokens_per_call": float(output)} if output > 0 else {}
    if len(used) < MIN_ROWS or calls.std() < 0.02 * calls.mean():
        lacks("tokens.first_context_tokens, context_growth_tokens", "calls do not vary, or no input is told")
        return values
    mean = asked / calls
    design = np.stack([np.ones(len(calls)), calls / 2], axis=1)
    weight = 1 / mean  # relative errors
    for _ in range(8):
        first, growth = np.linalg.lstsq(design * weight[:, None], mean * weight, rcond=None)[0]
        weight = 1 / np.maximum(first + growth * calls / 2, 0.05 * mean)
    if first <= 0 or growth <= 0:
        lacks("tokens.first_context_tokens, context_growth_tokens", "input does not grow with calls as a context does")
        return values
    values |= {"tokens.first_context_tokens": float(first), "tokens.context_growth_tokens": float(growth)}
    computed = asked - used["cached_tokens"].to_numpy(float)
    again = (computed - first - growth * calls).sum() / asked.sum()
    if used["cached_tokens"].sum() <= 0:
        lacks("tokens.cached_miss", "no token is told to have come from a cache")
    else:
        values["tokens.cached_miss"] = float(np.clip(again, 0.0, 1.0))
    return values


def _calls(
    coding: pd.DataFrame, values: dict[str, float], base: Scenario, lacks: Callable[[str, str], None]
) -> dict[str, float]:
    """Calls against size, their spread, and what failure adds: with its right ratio the outcome explains no more."""
    used = coding[(coding["input_tokens"] > 0) & (coding["input_tokens"] < 0.98 * base.tokens.max_input_tokens)]
    first, growth = values["tokens.first_context_tokens"], values["tokens.context_growth_tokens"]
    asked, size = used["input_tokens"].to_numpy(float), np.log(used["minutes"].to_numpy(float) / 120)
    good = used["success"].to_numpy(float)
    told = np.isfinite(good)
    good = np.where(told, good, 0.5)
    columns = [np.ones(len(asked))]
    if size.std() > 0.05:
        columns.append(size)
    else:
        lacks("tokens.size_exponent", "all tickets have one size")

    def usual(log_ratio: float) -> Array:
        """ln of the calls that an attempt of usual ending would have made."""
        ending = np.sqrt(ENDINGS_PRODUCT) * np.exp(log_ratio * (0.5 - good))
        return np.asarray(np.log((np.sqrt(first**2 + 2 * growth * asked / ending) - first) / growth))

    def left(log_ratio: float) -> float:
        design = np.stack([*columns, good - good.mean()], axis=1)
        return float(np.linalg.lstsq(design, usual(log_ratio), rcond=None)[0][-1])

    log_ratio = math.log(base.tokens.bad_factor / base.tokens.good_factor)
    both = 5 <= good[told].sum() <= told.sum() - 5 if told.any() else False
    if both and left(-3.0) * left(3.0) < 0:
        log_ratio = float(np.asarray(brentq(left, -3.0, 3.0)))
        values |= {
            "tokens.good_factor": math.sqrt(ENDINGS_PRODUCT) * math.exp(-log_ratio / 2),
            "tokens.bad_factor": math.sqrt(ENDINGS_PRODUCT) * math.exp(log_ratio / 2),
        }
    else:
        lacks("tokens.good_factor, bad_factor", "too few successes or failures among the attempts")
    target = usual(log_ratio)
    design = np.stack(columns, axis=1)
    found = np.linalg.lstsq(design, target, rcond=None)[0]
    values["tokens.calls_at_120_min"] = float(np.exp(found[0]))
    if len(found) > 1:
        values["tokens.size_exponent"] = float(np.clip(found[1], 0.0, 2.0))
    spread = float(np.std(target - design @ found, ddof=len(found)))
    values["tokens.calls_sd_log"] = min(spread, 2.0)
    return values


def _tools(coding: pd.DataFrame, lacks: Callable[[str, str], None]) -> dict[str, float]:
    logs = np.log(coding.loc[coding["tool_s"] > 0, "tool_s"].to_numpy(float))
    if len(logs) < MIN_ROWS:
        lacks("tokens.tool_median_s, tool_mean_s", "hardly any attempt has tool time")
        return {}
    median = math.exp(float(logs.mean()))
    mean = median * math.exp(float(min(logs.var(ddof=1), 20.0)) / 2)
    return {"tokens.tool_median_s": median, "tokens.tool_mean_s": mean}


def _success(coding: pd.DataFrame, lacks: Callable[[str, str], None]) -> dict[str, float]:
    """Slope and horizon by maximum likelihood; rho from how retries at one ticket go together."""
    rows = coding[coding["success"].notna()]
    good, octaves = rows["success"].to_numpy(float), np.log2(rows["minutes"].to_numpy(float))
    if min(good.sum(), len(good) - good.sum()) < 5 or octaves.std() < 0.1:
        lacks("capability.horizon_min, beta, rho", "too few successes or failures, or all tickets of one size")
        return {}
    middle = octaves.mean()

    def unlikely(x: Array) -> float:
        score = x[0] - x[1] * (octaves - middle)
        return float(np.logaddexp(0, score).sum() - (good * score).sum())

    level, beta = minimize(unlikely, np.array([0.0, 0.3])).x
    if not 1e-3 < beta <= 5:
        lacks("capability.horizon_min, beta, rho", "success does not fall with size")
        return {}
    values = {
        "capability.horizon_min": float(2 ** np.clip(middle + level / beta, -20, 29)),
        "capability.beta": float(beta),
    }
    p = expit(level - beta * (octaves - middle))
    tasks = pd.DataFrame({"task": rows["task"].to_numpy(), "good": good, "p": p})
    tasks = tasks[tasks["task"] != ""].groupby("task").agg(n=("good", "size"), k=("good", "sum"), p=("p", "mean"))
    tasks = tasks[tasks["n"] > 1]
    n, k = tasks["n"].to_numpy(float), tasks["k"].to_numpy(float)
    if len(tasks) < MIN_ROWS:
        lacks("capability.rho", f"{len(tasks)} tickets with several attempts (column task); {MIN_ROWS} are needed")
        return values
    expected = (n * tasks["p"] * (1 - tasks["p"])).sum()
    rho = 1 - (k * (n - k) / (n - 1)).sum() / expected
    return values | {"capability.rho": float(np.clip(rho, 0.01, 0.99))}


def _ratios(
    attempts: pd.DataFrame, values: dict[str, float], base: Scenario, lacks: Callable[[str, str], None]
) -> dict[str, float]:
    """Tokens and tool time of the other stages over those of coding at the same size, geometric means."""
    found: dict[str, float] = {}
    median_s = values.get("tokens.tool_median_s")
    for stage in ("plan", "design", "test", "review"):
        rows = attempts[(attempts["stage"] == stage) & (attempts["input_tokens"] > 0)]
        if len(rows) < MIN_ROWS:
            lacks(f"tokens.ratio.{stage}, wall_ratio.{stage}", f"{len(rows)} attempts; at least {MIN_ROWS} are needed")
            continue
        if "tokens.calls_at_120_min" in values:
            usual = _log_input(rows["minutes"].to_numpy(float), values, base)
            found[f"tokens.ratio.{stage}"] = float(
                np.exp((np.log(rows["input_tokens"].to_numpy(float)) - usual).mean())
            )
        busy = rows.loc[rows["tool_s"] > 0, "tool_s"]
        if median_s and len(busy) >= MIN_ROWS:
            found[f"tokens.wall_ratio.{stage}"] = float(np.exp(np.log(busy).mean()) / median_s)
        else:
            lacks(f"tokens.wall_ratio.{stage}", "hardly any attempt has tool time")
    return found


def _log_input(size_min: Array, values: dict[str, float], base: Scenario) -> Array:
    """Mean ln input of coding attempts of usual ending at these sizes, over the spread of calls."""
    power = values.get("tokens.size_exponent", base.tokens.size_exponent)
    usual = values["tokens.calls_at_120_min"] * (size_min / 120) ** power
    calls = usual[:, None] * np.exp(values["tokens.calls_sd_log"] * NODES)[None, :]
    first, growth = values["tokens.first_context_tokens"], values["tokens.context_growth_tokens"]
    asked = np.minimum(first * calls + growth * calls**2 / 2, base.tokens.max_input_tokens)
    return np.asarray(np.log(asked) @ (WEIGHTS / WEIGHTS.sum()))


def print_fit(fit: Fit, console: Console) -> None:
    """Print the fitted keys with their errors, and what could not be fitted."""
    console.print(Text(f"Habits of {fit.n:,} attempts", style="bold"))
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("key", "value", "standard error"):
        table.add_column(heading, justify="left" if heading == "key" else "right")
    for key, value in fit.values.items():
        table.add_row(Text(key), f"{value:.4g}", f"{fit.errors[key]:.2g}")
    console.print(table)
    for key, why in fit.missing.items():
        console.print(Text(f"not fitted: {key}: {why}", style="dim"))
