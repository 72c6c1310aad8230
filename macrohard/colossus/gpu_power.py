"""Watts of one GPU: a share of its power limit from what is in use of its bandwidth and its arithmetic."""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import jax
import jax.numpy as jnp

from macrohard.colossus.hardware import Gpu, gpu_named
from macrohard.colossus.units import Scalar

FEWEST_GPUS, MOST_GPUS = 2.0, 8.0
"""GPUs of the smallest and the largest replica whose power was measured from low load to high."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class GpuPower:
    """Power limit and shares of it.

    A busy GPU takes min(top, base - spread*(1 - 1/sqrt(n)) + memory*u_mem + flop*sqrt(u_flop)), where n GPUs share a
    replica and wait for one another; n counts as 2 at least and 8 at most, as measured. training: in a training job;
    waiting: loaded but without a request; unallocated: no job.
    """

    limit_w: Scalar
    base: Scalar
    spread: Scalar
    memory: Scalar
    flop: Scalar
    top: Scalar
    training: Scalar
    waiting: Scalar
    unallocated: Scalar
    replica_gpus: Scalar


@cache
def _shares() -> dict[str, float]:
    text = files("macrohard").joinpath("data", "gpu_power_fit.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {row["parameter"]: float(row["value"]) for row in rows}


def gpu_power_of(gpu: Gpu | str, replica_gpus: float = 8.0) -> GpuPower:
    """The fitted shares with that GPU's limit, for replicas of that many GPUs."""
    gpu = gpu if isinstance(gpu, Gpu) else gpu_named(gpu)
    return GpuPower(limit_w=gpu.limit_w, replica_gpus=float(replica_gpus), **_shares())


def busy_power_w(power: GpuPower, u_mem: Scalar, u_flop: Scalar) -> Scalar:
    """Power of a GPU that serves, W; u_mem, u_flop: shares of HBM bandwidth and of peak FLOP/s in use."""
    waits = 1 - 1 / jnp.sqrt(jnp.clip(power.replica_gpus, FEWEST_GPUS, MOST_GPUS))
    share = power.base - power.spread * waits + power.memory * u_mem + power.flop * jnp.sqrt(u_flop)
    return power.limit_w * jnp.minimum(power.top, share)


def serving_power_w(power: GpuPower, busy_share: Scalar, u_mem: Scalar, u_flop: Scalar) -> Scalar:
    """Mean power of the serving GPUs of which busy_share have work, W; the others wait."""
    return busy_share * busy_power_w(power, u_mem, u_flop) + (1 - busy_share) * power.limit_w * power.waiting
