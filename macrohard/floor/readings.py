"""What a run keeps of its ticks: means and last values per bin of the series, exact totals, extremes.

Everything is reduced inside the loop, so memory does not grow with the number of ticks.
"""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp

from macrohard.colossus.pools import mean, total
from macrohard.colossus.serving import Served
from macrohard.colossus.site import SiteReading
from macrohard.colossus.units import Scalar
from macrohard.floor.desks import TOKEN_KINDS
from macrohard.floor.tally import Count, Total, add_count, add_total, no_count, no_total

MEANS = (
    "temperature_c",
    "demand_mw",
    "load_mw",
    "it_mw",
    "limit_mw",
    "grid_mw",
    "turbine_mw",
    "solar_mw",
    "battery_mw",
    "unserved_mw",
    "capped_mw",
    "deferred_mw",
    "tickets_wait_share",
    "swing_reserve_mw",
    "soc",
    "power_share",
    "performance",
    "n_gpus",
    "utilization",
    "streams_busy",
    "streams_active",
    "streams_resident",
    "streams_waiting",
    "tok_s_per_stream",
    "ttft_s",
    "decode_tok_s",
    "prefill_tok_s",
    "token_weighted_speed",
    "desks_idle_share",
    "desks_unimpeded_share",
    "desks_gpus_share",
    "desks_power_share",
)
"""Columns of the series that are means over a bin (token_weighted_speed: decode tokens/s times their speed)."""

TOTALS = (
    "load_mwh",
    "grid_mwh",
    "turbine_mwh",
    "solar_mwh",
    "battery_charge_mwh",
    "battery_discharge_mwh",
    "battery_loss_mwh",
    "capped_mwh",
    "unserved_mwh",
    "surplus_mwh",
    "gpu_h_available",
    "gpu_h_busy",
    "gpu_h_training",
    "gpu_h_curtailed",
    "fuel_mmbtu",
    "co2_t",
    "nox_kg",
    "nox_raw_kg",
    "water_m3",
    "fuel_usd",
    "grid_usd",
    "energy_usd",
)
"""Quantities added up over the run."""

POOL_MEANS = (
    "utilization",
    "streams",
    "streams_active",
    "streams_waiting",
    "decode_tok_s",
    "prefill_tok_s",
    "token_weighted_speed",
)
"""Of each of several pools: columns of the series that are means over a bin."""

BINDING = ("backlog", "agents", "gpus", "power")


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Record:
    """What has been kept so far."""

    means: jax.Array
    """Sums over the ticks of each bin, shape (bins, means)."""
    lasts: jax.Array
    """Whole numbers at the end of each bin, shape (bins, lasts)."""
    ticks: jax.Array
    """Ticks in each bin, shape (bins,)."""
    totals: Total
    """Shape (totals,)."""
    tokens: Count
    """Shape (llms, roles, TOKEN_KINDS)."""
    gpu_h: Total
    """Hours of serving GPUs at work on prompts, and at work on answers, shape (llms, 2)."""
    load_peak_mw: jax.Array
    """After the warm-up."""
    soc_lowest: jax.Array
    loss_of_load_ticks: jax.Array
    residual_share_worst: jax.Array
    """Largest |sources + battery + unserved - load| of any tick, as a share of the load."""
    binding: jax.Array
    """Ticks after the warm-up in which each of BINDING held the work back, shape (4,)."""
    pool_means: jax.Array
    """Sums over the ticks of each bin, shape (bins, pools, POOL_MEANS); no pool where one LLM serves all."""


def nothing_yet(n_bins: int, n_lasts: int, n_roles: int, n_pools: int = 0) -> Record:
    """The record of a run that has not begun; pools are told apart where there are several."""
    return Record(
        means=jnp.zeros((n_bins, len(MEANS)), jnp.float32),
        lasts=jnp.zeros((n_bins, n_lasts), jnp.int32),
        ticks=jnp.zeros(n_bins, jnp.int32),
        totals=no_total((len(TOTALS),)),
        tokens=no_count((max(1, n_pools), n_roles, len(TOKEN_KINDS))),
        gpu_h=no_total((max(1, n_pools), 2)),
        load_peak_mw=jnp.float32(0.0),
        soc_lowest=jnp.float32(1.0),
        loss_of_load_ticks=jnp.int32(0),
        residual_share_worst=jnp.float32(0.0),
        binding=jnp.zeros(len(BINDING), jnp.int32),
        pool_means=jnp.zeros((n_bins, n_pools, len(POOL_MEANS)), jnp.float32),
    )


def desk_time(site: SiteReading, busy_share: Scalar, n_streams: Scalar) -> dict[str, Scalar]:
    """Where the time of the desks goes; adds to 1: idle, at full speed, lost to shared GPUs, lost to power.

    Pools count by their streams.
    """
    wall = jnp.maximum(site.served.wall_s, 1e-6)
    lone = jnp.minimum(site.full.lone_wall_s, wall)
    full = jnp.clip(site.full.wall_s, lone, wall)
    return {
        "desks_idle_share": 1.0 - busy_share,
        "desks_unimpeded_share": mean(busy_share * lone / wall, n_streams),
        "desks_gpus_share": mean(busy_share * (full - lone) / wall, n_streams),
        "desks_power_share": mean(busy_share * (wall - full) / wall, n_streams),
    }


def note(
    record: Record, site: SiteReading, tokens: Count, shares: dict[str, Scalar], binding: jax.Array, lasts: jax.Array,
    n_busy: jax.Array, n_streams: Scalar, tick: jax.Array, ticks_per_bin: Scalar, dt_h: Scalar, is_warm: jax.Array,
) -> Record:  # fmt: skip
    """Adds one tick to the record. `binding` is the index into BINDING, n_busy the real number of busy agents,

    n_streams the same by pool.
    """
    served, cluster, plant = site.served, site.cluster, site.plant
    means = {
        "temperature_c": cluster.temperature_c,
        "demand_mw": cluster.demand_mw,
        "load_mw": plant.load_mw,
        "it_mw": cluster.it_mw,
        "limit_mw": plant.limit_mw,
        "grid_mw": plant.grid_mw,
        "turbine_mw": plant.turbine_mw,
        "solar_mw": plant.solar_mw,
        "battery_mw": plant.battery_mw,
        "unserved_mw": plant.unserved_mw,
        "capped_mw": plant.capped_mw,
        "deferred_mw": cluster.deferred_mw,
        "tickets_wait_share": cluster.tickets_wait,
        "swing_reserve_mw": cluster.swing_reserve_mw,
        "soc": plant.soc,
        "power_share": cluster.power_share,
        "performance": cluster.performance,
        "n_gpus": cluster.n_gpus,
        "utilization": cluster.utilization,
        "streams_busy": n_busy,
        "streams_active": total(served.streams_active),
        "streams_resident": total(served.streams_resident),
        "streams_waiting": total(served.streams_waiting),
        "tok_s_per_stream": mean(served.tok_s_per_stream, served.decode_tok_s),
        "ttft_s": mean(served.ttft_s, served.decode_tok_s),
        "decode_tok_s": total(served.decode_tok_s),
        "prefill_tok_s": total(served.prefill_tok_s),
        "token_weighted_speed": total(served.decode_tok_s * served.tok_s_per_stream),
        **shares,
    }
    rates = {
        "load_mwh": plant.load_mw,
        "grid_mwh": plant.grid_mw,
        "turbine_mwh": plant.turbine_mw,
        "solar_mwh": plant.solar_mw,
        "battery_charge_mwh": jnp.maximum(-plant.battery_mw, 0.0),
        "battery_discharge_mwh": jnp.maximum(plant.battery_mw, 0.0),
        "battery_loss_mwh": plant.battery_loss_mw,
        "capped_mwh": plant.capped_mw,
        "unserved_mwh": plant.unserved_mw,
        "surplus_mwh": plant.surplus_mw,
        "gpu_h_available": cluster.gpu_h_available_per_h,
        "gpu_h_busy": cluster.gpu_h_busy_per_h,
        "gpu_h_training": cluster.gpu_h_training_per_h,
        "gpu_h_curtailed": cluster.gpu_h_curtailed_per_h,
        "fuel_mmbtu": plant.fuel_mmbtu_per_h,
        "co2_t": plant.co2_t_per_h,
        "nox_kg": plant.nox_kg_per_h,
        "nox_raw_kg": plant.nox_raw_kg_per_h,
        "water_m3": cluster.water_m3_per_h,
        "fuel_usd": plant.fuel_usd_per_h,
        "grid_usd": plant.grid_usd_per_h,
        "energy_usd": plant.energy_usd_per_h,
    }
    place = jnp.minimum(tick // ticks_per_bin, record.ticks.shape[0] - 1)
    row = jnp.stack([jnp.asarray(means[name], jnp.float32) for name in MEANS])
    added = jnp.stack([jnp.asarray(rates[name], jnp.float32) for name in TOTALS]) * dt_h
    gpu_h = jnp.stack([cluster.gpu_h_prefill_per_h, cluster.gpu_h_decode_per_h], axis=-1)
    pool_means = record.pool_means
    if pool_means.shape[1]:
        pool_means = pool_means.at[place].add(_of_pools(served, n_streams))
    residual = jnp.abs(plant.residual_mw) / jnp.maximum(plant.load_mw, 1e-3)
    return replace(
        record,
        means=record.means.at[place].add(row),
        lasts=record.lasts.at[place].set(lasts),
        ticks=record.ticks.at[place].add(1),
        totals=add_total(record.totals, added),
        tokens=add_count(record.tokens, tokens),
        gpu_h=add_total(record.gpu_h, gpu_h.reshape(record.gpu_h.sum.shape) * dt_h),
        load_peak_mw=jnp.where(is_warm, jnp.maximum(record.load_peak_mw, plant.load_mw), record.load_peak_mw),
        soc_lowest=jnp.minimum(record.soc_lowest, plant.soc),
        loss_of_load_ticks=record.loss_of_load_ticks + (plant.unserved_mw > 1e-6 * plant.load_mw),
        residual_share_worst=jnp.maximum(record.residual_share_worst, residual),
        binding=record.binding.at[binding].add(jnp.where(is_warm, 1, 0)),
        pool_means=pool_means,
    )


def _of_pools(served: Served, n_streams: Scalar) -> jax.Array:
    """One tick of each pool, shape (pools, POOL_MEANS)."""
    figures = {
        "utilization": served.busy_share,
        "streams": n_streams,
        "streams_active": served.streams_active,
        "streams_waiting": served.streams_waiting,
        "decode_tok_s": served.decode_tok_s,
        "prefill_tok_s": served.prefill_tok_s,
        "token_weighted_speed": served.decode_tok_s * served.tok_s_per_stream,
    }
    return jnp.stack([jnp.asarray(figures[name], jnp.float32) for name in POOL_MEANS], axis=-1)
