"""A recorded request log through the cluster of a scenario: latency, GPU-hours and watts, request by request."""

import math
import time
from dataclasses import dataclass, replace
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd

from macrohard.colossus.climate import temperature_c
from macrohard.colossus.clock import Clock
from macrohard.colossus.cluster import Cluster, draw, fleet
from macrohard.colossus.pools import pool
from macrohard.colossus.requests import Array, Passed, Requests, Stretches, over_time, pass_through
from macrohard.colossus.roofline import Serving
from macrohard.colossus.serving import Served
from macrohard.colossus.site import Site
from macrohard.colossus.units import S_PER_H
from macrohard.faults import Fault, ScenarioError
from macrohard.logs.request_log import dispersion
from macrohard.names import nearest
from macrohard.scenario import Scenario
from macrohard.siting import site_of_scenario

SCHEMA_VERSION = 1
MAX_REPLICAS = 100_000
WINDOWS_S = (1.0, 10.0, 60.0)
N_BINS = 360


@dataclass(frozen=True)
class Traced:
    """What a log makes of a cluster: figures, a row per bin of time, and a row per request."""

    scenario: Scenario
    summary: dict[str, Any]
    series: pd.DataFrame
    requests: pd.DataFrame


@dataclass(frozen=True)
class Pools:
    """Replicas that serve, those that prefill apart (none when aggregated), their GPUs, and all that serve."""

    n_replicas: int
    n_prefill: int
    decode_gpus: float
    prefill_gpus: float
    n_serving: float


def trace(
    scenario: Scenario,
    requests: Requests,
    *,
    given: Requests | None = None,
    bin_s: float | None = None,
    model: str | None = None,
) -> Traced:
    """Sends the requests through the scenario's serving GPUs that are up at the start, at full power.

    given: the log before it was scaled. model: of several LLMs in service the one that serves them, by name; else the
    first; the GPUs of the others wait. ScenarioError if there is no replica, or no such model.
    """
    began = time.perf_counter()
    site = site_of_scenario(scenario)
    site, share = _one_llm(scenario, site, model)
    pools = pools_of(scenario, site.serving, site.cluster, share)
    passed = pass_through(site.serving, pools.n_replicas, pools.n_prefill, requests)
    last = float(requests.arrival_s[-1])
    end_s = max(float(np.nanmax(passed.done_s, initial=0.0)), last, 1e-3)
    bin_s = bin_s or float(max(1, math.ceil(end_s / N_BINS)))
    edges_s = np.minimum(np.arange(math.ceil(end_s / bin_s) + 1) * bin_s, end_s)
    edges_s = edges_s[np.concatenate([[True], np.diff(edges_s) > 0])]
    series = _series(scenario, site.serving, site.cluster, pools, requests, passed, edges_s)
    table = _table(requests, passed)
    summary = {
        "schema_version": SCHEMA_VERSION,
        "scenario": {"name": scenario.name, "sha256": scenario.sha256, "seed": scenario.run.seed},
        "log": _log(requests, given or requests),
        "requests": _counts(requests, passed, last),
        "latency": {name: _spread(table[name]) for name in ("wait_s", "ttft_s", "tpot_s", "total_s")},
        "tokens": _tokens(requests, passed),
        **_site(pools, series, int((~passed.refused).sum())),
        "run": {"wall_s": time.perf_counter() - began, "bin_s": bin_s},
    }
    return Traced(scenario, summary, series, table)


def _one_llm(scenario: Scenario, site: Site, model: str | None) -> tuple[Site, float]:
    """The site with one of its LLMs, and that one's share of the serving GPUs."""
    models = scenario.serving.models
    known = [each.name for each in models]
    if model is not None and model not in known:
        allowed = f"no such entry; allowed: {', '.join(known) or 'none, as the scenario has one LLM'}"
        remedy = f"did you mean {nearest(model, known)}?" if nearest(model, known) else "see its [[serving.models]]"
        raise ScenarioError([Fault(scenario.name, "--llm", model, allowed, remedy)])
    if not models:
        return site, 1.0
    place = known.index(model) if model is not None else 0
    cluster = replace(site.cluster, pool_share=jnp.float32(1.0))
    return replace(site, serving=pool(site.serving, place), cluster=cluster), models[place].share


def pools_of(scenario: Scenario, serving: Serving, cluster: Cluster, share_of_gpus: float = 1.0) -> Pools:
    """Whole replicas on the serving GPUs that are up on average at the start of the run; at least one of each kind."""
    all_serving = float(fleet(cluster, 0.0).n_serving)
    n_serving = all_serving * share_of_gpus
    apart = 1.0 - float(serving.mixes)
    share = apart * float(serving.prefill_share)
    n = max(1, round(n_serving * (1 - share) / float(serving.n_gpus)))
    n_prefill = max(1, round(n_serving * share / float(serving.prefill_n_gpus))) if apart else 0
    decode_gpus, prefill_gpus = n * float(serving.n_gpus), n_prefill * float(serving.prefill_n_gpus)
    # failures take part of a GPU off the mean; a replica that is whole but for them is counted
    if n_serving <= 0 or decode_gpus + prefill_gpus > 1.5 * math.ceil(n_serving) or n > MAX_REPLICAS:
        what = (
            f"{n_serving:,.1f} serving GPUs are up at the start for replicas of {float(serving.n_gpus):g} GPUs; "
            f"allowed: 1 to {MAX_REPLICAS:,} replicas"
        )
        raise ScenarioError([Fault(scenario.name, "cluster.n_gpus", scenario.cluster.n_gpus, what, "change it")])
    return Pools(n, n_prefill, decode_gpus, prefill_gpus, max(all_serving, decode_gpus + prefill_gpus))


def _series(
    scenario: Scenario, serving: Serving, cluster: Cluster, pools: Pools, requests: Requests, passed: Passed,
    edges_s: Array,
) -> pd.DataFrame:  # fmt: skip
    """Arrivals, streams, GPU time and power per bin. Shares in use are means over the GPUs with work, as in `serve`."""
    took = np.diff(edges_s)
    apart = 1.0 - float(serving.mixes)

    def seconds(stretches: Stretches, values: list[float] | None = None) -> Array:
        spans = [end - start for start, end in zip(stretches.start_s, stretches.end_s, strict=True)]
        return over_time(stretches, spans if values is None else values, edges_s)

    decode_s, prefill_s = seconds(passed.decode), seconds(passed.prefill)
    memory_s = seconds(passed.decode, passed.decode.memory_s)
    flop_s, prompt_flop_s = (seconds(each, each.flop_s) for each in (passed.decode, passed.prefill))
    mixed = 1.0 - apart
    decode_busy = (decode_s + mixed * prefill_s) * float(serving.n_gpus)  # GPU-seconds
    prefill_busy = apart * prefill_s * float(serving.prefill_n_gpus)
    busy = decode_busy + prefill_busy
    part = prefill_busy / np.maximum(busy, 1e-12)
    work_s = np.maximum(decode_s + mixed * prefill_s, 1e-12)
    memory = np.clip(memory_s / work_s, 0, 1)
    flop = np.clip((flop_s + mixed * prompt_flop_s) / work_s, 0, 1)
    prompt_flop = np.clip(apart * prompt_flop_s / np.maximum(prefill_s, 1e-12), 0, 1)
    u_flop = ((1 - part) * np.sqrt(flop) + part * np.sqrt(prompt_flop)) ** 2
    busy_share = np.clip(busy / (pools.n_serving * took), 0, 1)
    outdoor_c, power = _power(scenario, cluster, edges_s, busy_share, (1 - part) * memory, u_flop)
    hours = edges_s[1:] / S_PER_H
    done = np.sort(passed.done_s[~passed.refused])
    first = np.sort(passed.first_token_s[~passed.refused])
    left = np.searchsorted(done, edges_s[1:], side="right")
    came = np.searchsorted(np.sort(requests.arrival_s[~passed.refused]), edges_s[1:], side="right")
    here = np.diff(np.searchsorted(requests.arrival_s, edges_s, side="right"))
    here[0] += np.searchsorted(requests.arrival_s, edges_s[0], side="right")
    return pd.DataFrame(
        {
            "time_h": hours,
            "arrivals": here,
            "in_flight": came - left,
            "decoding": np.searchsorted(first, edges_s[1:], side="right") - left,
            "utilization": busy_share,
            "gpu_h_busy": busy / S_PER_H,
            "u_mem": (1 - part) * memory,
            "u_flop": u_flop,
            "temperature_c": outdoor_c,
            "it_mw": power[0],
            "load_mw": power[1],
            "ttft_s_p90": _by_bin(requests.arrival_s, passed.first_token_s - requests.arrival_s, edges_s),
        }
    )  # fmt: skip


def _power(
    scenario: Scenario, cluster: Cluster, edges_s: Array, busy_share: Array, memory: Array, flop: Array
) -> tuple[Array, tuple[Array, Array]]:
    """Outdoor temperature, and IT and site power, MW, of each bin, by the laws of a run."""
    middle_h = (edges_s[1:] + edges_s[:-1]) / 2 / S_PER_H
    day = scenario.run.start.timetuple().tm_yday - 1 + np.floor(middle_h / 24)
    zero = jnp.zeros(len(middle_h))
    clock = Clock(
        hour=jnp.asarray(middle_h), hour_of_day=jnp.asarray(middle_h % 24), day_of_year=jnp.asarray(day % 365),
        tick=jnp.zeros(len(middle_h), jnp.int32), seed=jnp.uint32(scenario.run.seed),
    )  # fmt: skip
    outdoor_c = temperature_c(cluster.climate, clock) + zero
    nothing = dict.fromkeys(Served.__dataclass_fields__, zero)
    told = {"busy_share": jnp.asarray(busy_share), "u_mem": jnp.asarray(memory), "u_flop": jnp.asarray(flop)}
    drawn = draw(cluster, fleet(cluster, 0.0), Served(**(nothing | told)), outdoor_c)
    return np.asarray(outdoor_c, float), (
        np.asarray(drawn.it_mw + zero, float),
        np.asarray(drawn.site_mw + zero, float),
    )


def _by_bin(arrival_s: Array, values: Array, edges_s: Array) -> Array:
    """90th percentile of the values of the requests that came in within each bin; nan where none came."""
    at = np.clip(np.searchsorted(edges_s, arrival_s, side="right") - 1, 0, len(edges_s) - 2)
    found = pd.Series(values).groupby(at).quantile(0.9)
    return np.asarray(found.reindex(range(len(edges_s) - 1)), np.float64)


def _table(requests: Requests, passed: Passed) -> pd.DataFrame:
    more = np.maximum(np.rint(requests.generated_tokens), 1) - 1
    tpot = np.where(more > 0, (passed.done_s - passed.first_token_s) / np.maximum(more, 1), np.nan)
    return pd.DataFrame(
        {
            "arrival_s": requests.arrival_s,
            "context_tokens": requests.context_tokens,
            "computed_tokens": requests.computed_tokens,
            "generated_tokens": requests.generated_tokens,
            "refused": passed.refused,
            "wait_s": passed.start_s - requests.arrival_s,
            "ttft_s": passed.first_token_s - requests.arrival_s,
            "tpot_s": tpot,
            "total_s": passed.done_s - requests.arrival_s,
        }
    )


def _log(requests: Requests, given: Requests) -> dict[str, Any]:
    span_s = float(given.arrival_s[-1])
    return {
        "n_requests": len(given.arrival_s),
        "n_simulated": len(requests.arrival_s),
        "span_s": span_s,
        "requests_per_s": len(requests.arrival_s) / max(span_s, 1e-9),
        "context_tokens_mean": float(requests.context_tokens.mean()),
        "generated_tokens_mean": float(requests.generated_tokens.mean()),
        "dispersion": {f"{window:g}_s": dispersion(requests.arrival_s, window) for window in WINDOWS_S},
        "dispersion_of_log": {f"{window:g}_s": dispersion(given.arrival_s, window) for window in WINDOWS_S},
    }


def _counts(requests: Requests, passed: Passed, last_s: float) -> dict[str, int]:
    """Requests by what had become of them when the last came in; those still open are followed to their end."""
    n_refused, n_done = int(passed.refused.sum()), int((passed.done_s <= last_s).sum())
    n = len(requests.arrival_s)
    return {
        "n": n,
        "served_by_end_of_log": n_done,
        "open_at_end_of_log": n - n_done - n_refused,
        "refused": n_refused,
        "served": int(np.isfinite(passed.done_s).sum()),
    }


def _tokens(requests: Requests, passed: Passed) -> dict[str, float]:
    served = ~passed.refused
    asked, computed = requests.context_tokens[served].sum(), requests.computed_tokens[served].sum()
    return {
        "input_tokens": float(asked),
        "cached_tokens": float(asked - computed),
        "prefill_tokens": float(computed),
        "decode_tokens": float(requests.generated_tokens[served].sum()),
    }


def _site(pools: Pools, series: pd.DataFrame, n_served: int) -> dict[str, Any]:
    took_h = np.diff(series["time_h"].to_numpy(float), prepend=0.0)
    mwh = float((series["load_mw"] * took_h).sum())
    gpu_h = float(series["gpu_h_busy"].sum())
    available = pools.n_serving * float(took_h.sum())
    return {
        "gpu": {
            "n_gpus": pools.n_serving,
            "n_replicas": pools.n_replicas,
            "n_prefill_replicas": pools.n_prefill,
            "gpu_h_available": available,
            "gpu_h_busy": gpu_h,
            "utilization_mean": gpu_h / available,
            "gpu_s_per_request": gpu_h * S_PER_H / max(n_served, 1),
        },
        "power": {
            "load_mwh": mwh,
            "load_mean_mw": mwh / float(took_h.sum()),
            "load_peak_mw": float(series["load_mw"].max()),
            "load_lowest_mw": float(series["load_mw"].min()),
            "wh_per_request": mwh * 1e6 / max(n_served, 1),
        },
    }


def _spread(values: "pd.Series[float]") -> dict[str, float]:
    kept = values.dropna().to_numpy(float)
    if not len(kept):
        return dict.fromkeys(("mean", "p50", "p90", "p99", "max"), math.nan)
    p50, p90, p99 = map(float, np.percentile(kept, [50, 90, 99]))
    return {"mean": float(kept.mean()), "p50": p50, "p90": p90, "p99": p99, "max": float(kept.max())}
