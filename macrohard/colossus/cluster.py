"""GPU time to megawatts: racks, training and serving shares, failures, the build-out, and what a power cap leaves.

Three figures are kept apart: the nameplate (what racks are rated to draw), the build-up at the GPUs' limit, and the
demand of this tick.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from macrohard.colossus.climate import Climate
from macrohard.colossus.cooling import Cooling, site_mw
from macrohard.colossus.gpu_power import GpuPower, serving_power_w
from macrohard.colossus.pools import mean
from macrohard.colossus.serving import Served
from macrohard.colossus.units import KW_PER_MW, W_PER_MW, Scalar

COMPLETE_H = 1e8
"""An hour by which every build-out is complete."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Rack:
    """IT power per GPU is base_w + slope * GPU power; rating_kw is what one rack or server is rated to draw."""

    n_gpus: Scalar
    base_w: Scalar
    slope: Scalar
    rating_kw: Scalar


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Capping:
    """performance = ((q - floor) / (1 - floor))**(b / 2.5) at the share q of the uncapped draw.

    b: 0.4 where decode binds (serving), 1.0 where arithmetic does (training). least: the hardest cap that is set;
    below it racks are switched off and the rest run there. It is where tokens per watt peak for serving:
    q = floor / (1 - b / 2.5).
    """

    floor: Scalar = 0.30
    serving_b: Scalar = 0.4
    training_b: Scalar = 1.0
    least: Scalar = 0.357


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Cluster:
    """GPUs, racks, cooling and climate of one site.

    build_from_h, build_added: hours since start and GPUs added then, shape (steps,). available_share: of GPUs
    installed, up at a time, spares in place. overhead: network and storage over the power of the racks.
    training_share: of the GPUs that are up. swing_share: swing from trough to peak of training racks in step, of their
    power. training_defers: 1 where training runs only on what sources reach without the battery, and stops while the
    grid costs training_below_usd_per_mwh or more; else 0. unallocated_share: GPUs that are up without any job.
    pool_share: of the serving GPUs, each LLM's where there are several, shape (pools,); else 1.
    """

    gpu_power: GpuPower
    rack: Rack
    cooling: Cooling
    climate: Climate
    capping: Capping
    build_from_h: jax.Array
    build_added: jax.Array
    available_share: Scalar
    overhead: Scalar
    training_share: Scalar
    swing_share: Scalar
    training_defers: Scalar
    training_below_usd_per_mwh: Scalar
    unallocated_share: Scalar
    pool_share: Scalar = 1.0


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Fleet:
    """GPUs by what they do now: installed, up, serving, training, and up without a job."""

    n_gpus: Scalar
    n_up: Scalar
    n_serving: Scalar
    n_training: Scalar
    n_unallocated: Scalar


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Draw:
    """Uncapped power of this tick. rated_it_mw is the build-up with every GPU at its limit. deferrable: what of it goes

    if training GPUs wait.
    """

    it_mw: Scalar
    site_mw: Scalar
    training_it_mw: Scalar
    deferrable_it_mw: Scalar
    deferrable_site_mw: Scalar
    rated_it_mw: Scalar


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class ClusterReading:
    """GPUs and power of one tick. it_mw is what is drawn, demand_mw the site's uncapped wish, capped_demand_mw the same
    under the cap. power_share is q, performance the speed it leaves to serving, power_worth the per cent of that speed
    that 1 % more power would bring. shed_share: racks off for want of power. training_share_run: of training that was
    not deferred. swing_mw: swing of training in step, trough to peak. swing_reserve_mw: Megapack power kept from
    dispatch for it. tickets_wait: 1 where low priorities waited for power. cooling_binds: 1 where chillers cap the GPUs
    harder than supply does. gpu_h ... per hour: GPUs counted by what they did; those at work on prompts and on answers
    by pool.
    """

    n_gpus: Scalar
    n_gpus_up: Scalar
    n_serving_up: Scalar
    n_training_up: Scalar
    it_mw: Scalar
    demand_it_mw: Scalar
    demand_mw: Scalar
    capped_demand_mw: Scalar
    nameplate_it_mw: Scalar
    rated_it_mw: Scalar
    power_share: Scalar
    performance: Scalar
    power_worth: Scalar
    training_performance: Scalar
    shed_share: Scalar
    utilization: Scalar
    temperature_c: Scalar
    training_share_run: Scalar
    deferred_mw: Scalar
    swing_mw: Scalar
    swing_reserve_mw: Scalar
    tickets_wait: Scalar
    cooling_binds: Scalar
    chillers_out: Scalar
    water_m3_per_h: Scalar
    gpu_h_available_per_h: Scalar
    gpu_h_busy_per_h: Scalar
    gpu_h_training_per_h: Scalar
    gpu_h_prefill_per_h: Scalar
    gpu_h_decode_per_h: Scalar
    gpu_h_curtailed_per_h: Scalar


def fleet(cluster: Cluster, hour: Scalar) -> Fleet:
    """GPUs there at that hour of the run, and what they are for. Counts are expectations, not whole numbers."""
    return allotted(cluster, jnp.sum(jnp.where(cluster.build_from_h <= hour, cluster.build_added, 0.0), axis=0))


def allotted(cluster: Cluster, n_gpus: Scalar) -> Fleet:
    """What so many GPUs are for."""
    n_up = n_gpus * cluster.available_share
    n_unallocated = n_up * cluster.unallocated_share
    n_training = (n_up - n_unallocated) * cluster.training_share
    return Fleet(n_gpus, n_up, n_up - n_unallocated - n_training, n_training, n_unallocated)


def rack_it_mw(cluster: Cluster, n_gpus: Scalar, gpu_w: Scalar) -> Scalar:
    """IT power of so many GPUs at gpu_w each: their racks, network and storage."""
    return n_gpus * (cluster.rack.base_w + cluster.rack.slope * gpu_w) * (1 + cluster.overhead) / W_PER_MW


def build_up_mw(cluster: Cluster, n_gpus: Scalar) -> Scalar:
    """Power of the racks alone with every GPU at its limit, network and storage left out."""
    return rack_it_mw(cluster, n_gpus, cluster.gpu_power.limit_w) / (1 + cluster.overhead)


def training_it_mw(cluster: Cluster, n_training: Scalar) -> Scalar:
    """IT power of so many GPUs that train."""
    return rack_it_mw(cluster, n_training, cluster.gpu_power.limit_w * cluster.gpu_power.training)


def swing_reserve_mw(cluster: Cluster, training_mw: Scalar) -> Scalar:
    """Megapack power kept from dispatch while so much trains in step: it gives the upper half of each swing and takes

    the lower.
    """
    return cluster.swing_share * training_mw / 2


def nameplate_mw(cluster: Cluster, n_gpus: Scalar) -> Scalar:
    """What the racks are rated to draw: not what they do draw."""
    return jnp.ceil(n_gpus / cluster.rack.n_gpus) * cluster.rack.rating_kw / KW_PER_MW


def draw(cluster: Cluster, now: Fleet, served: Served, temperature_c: Scalar) -> Draw:
    """What the site would take in this tick, uncapped. GPUs that are down draw as unallocated ones do."""
    power = cluster.gpu_power
    serving_w = mean(serving_power_w(power, served.busy_share, served.u_mem, served.u_flop), cluster.pool_share)
    without_job = now.n_unallocated + now.n_gpus - now.n_up
    training_it = training_it_mw(cluster, now.n_training)
    it_mw = (
        rack_it_mw(cluster, now.n_serving, serving_w)
        + training_it
        + rack_it_mw(cluster, without_job, power.limit_w * power.unallocated)
    )
    rated_it_mw = rack_it_mw(cluster, now.n_gpus, power.limit_w)
    deferrable_it = training_it - rack_it_mw(cluster, now.n_training, power.limit_w * power.waiting)
    with_training = site_mw(cluster.cooling, it_mw, rated_it_mw, temperature_c)
    without = site_mw(cluster.cooling, it_mw - deferrable_it, rated_it_mw, temperature_c)
    return Draw(it_mw, with_training, training_it, deferrable_it, with_training - without, rated_it_mw)


def performance(capping: Capping, power_share: Scalar, b: Scalar) -> Scalar:
    """Speed left at that share of the uncapped draw; 1 where no cap binds, 0 at the floor."""
    left = jnp.clip((power_share - capping.floor) / (1 - capping.floor), 0.0, 1.0)
    speed = jnp.exp(b / 2.5 * jnp.log(jnp.maximum(left, 1e-6)))
    return jnp.where(left >= 1, 1.0, jnp.where(left > 0, speed, 0.0))


def worth_of_power(capping: Capping, power_share: Scalar, b: Scalar) -> Scalar:
    """Per cent of speed that 1 % more power brings at that share of the uncapped draw: the slope of `performance` in

    logarithms. 0 where no cap binds; 1, as much as power itself, where racks are switched off.
    """
    slope = b / 2.5 * power_share / jnp.maximum(power_share - capping.floor, 1e-6)
    return jnp.where(power_share >= 1, 0.0, jnp.minimum(slope, 1.0))
