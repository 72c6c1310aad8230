"""Speed of one stream against how many decode at once: the law of serving for the work that was on the desks."""

from dataclasses import replace

import jax
import numpy as np
import pandas as pd

from macrohard.blueprint import Blueprint
from macrohard.colossus.cluster import allotted
from macrohard.colossus.serving import Demand, serve
from macrohard.floor.columns import unpack
from macrohard.floor.desks import Job, admitted_s
from macrohard.results.metrics import Kept, Summary

_SHARES = np.linspace(0.0, 1.0, 25, dtype=np.float32)[1:] ** 2 * 1.5
"""Agents at work at the points of a curve, as shares of the most there were: closer where the curve bends."""


def speed_law(plan: Blueprint, kept: Kept, frame: pd.DataFrame) -> list[Summary]:
    """A curve for each LLM that is at work at the end, at full power, from few streams to half more than there were.

    It holds for the GPUs that are there then and the mean attempt on the desks then. The law is called point by point
    with the shapes that laid out the shop, so that nothing is compiled for it.
    """
    pools, cluster = kept.shop.pools, kept.params.site.cluster
    attempts = [_mean_attempt(kept, place) for place in range(kept.shop.n_llms)]
    shape = np.shape(cluster.pool_share)
    demand = jax.tree.map(lambda *each: np.array(each, np.float32).reshape(shape), *attempts)
    at_work = frame[[f"{pool}_streams" for pool in pools] or ["streams_busy"]].max().to_numpy(np.float32)
    n_gpus = allotted(cluster, frame["n_gpus"].iloc[-1]).n_serving * np.asarray(cluster.pool_share)
    points = [
        serve(
            plan.params.site.serving,
            np.asarray(n_gpus, np.float32),
            replace(demand, n_streams=at_work.reshape(shape) * share),
            1.0,
        )
        for share in _SHARES
    ]
    found = jax.device_get([(point.streams_active, point.tok_s_per_stream) for point in points])
    curves = np.array(found).reshape(len(points), 2, -1)
    llms = {model.name: model.llm for model in plan.scenario.serving.models}
    return [
        {
            "name": name,
            "llm": llms.get(name, name),
            "streams_active": curves[:, 0, place].tolist(),
            "tok_s_per_stream": curves[:, 1, place].tolist(),
        }
        for place, name in enumerate(pools or (plan.scenario.serving.llm,))
        if attempts[place].n_streams
    ]


def _mean_attempt(kept: Kept, place: int) -> Demand:
    """What the desks of one LLM work on, weighted by how often it comes by, as `desks.demand` has it; 0 if idle."""
    desks = kept.state.desks
    rows = (desks.ticket >= 0) & (desks.llm == place)
    if not rows.any():
        return Demand(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    job = unpack(Job, np.asarray(desks.words)[:, rows], axis=0)
    served = jax.tree.map(lambda leaf: leaf[place] if np.ndim(leaf) else leaf, kept.state.speed)
    weights = 1.0 / np.asarray(admitted_s(job, served), np.float64)

    def mean(column: jax.Array) -> float:
        return float(np.average(column, weights=weights))

    return Demand(
        n_streams=float(rows.sum()),
        calls=mean(job.calls),
        decode_tokens=mean(job.decode_tokens),
        prefill_tokens=mean(job.prefill_tokens),
        input_tokens=mean(job.prefill_tokens) + mean(job.cached_tokens),
        tool_s=mean(job.tool_s),
    )
