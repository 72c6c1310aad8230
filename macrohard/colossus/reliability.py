"""How often power is short: years of the plant alone under a load, over seeds of its outages.

Loss of load is demand that sources and the Megapacks above their reserve do not reach, whether a cap or shedding
bears it.
"""

import math
from dataclasses import dataclass, fields

import jax
import jax.numpy as jnp
import numpy as np

from macrohard.colossus import powerplant
from macrohard.colossus.climate import Climate, temperature_c
from macrohard.colossus.clock import Clock
from macrohard.colossus.powerplant import Plant, PlantState
from macrohard.colossus.supply import warmth
from macrohard.colossus.units import H_PER_YEAR, Scalar


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds and the ends of its 95 % confidence interval; each: the figure of every seed."""

    mean: float
    low: float
    high: float
    each: tuple[float, ...]


@dataclass(frozen=True)
class Adequacy:
    """Per year: LOLH hours short; LOLE days with any hour short (NERC's 0.1 a year); EENS energy not served; events;

    length and energy of the mean event, the greatest length, and the most power short at once.
    """

    lolh_h: Estimate
    lole_days: Estimate
    eens_mwh: Estimate
    n_events: Estimate
    event_h: float
    longest_event_h: float
    event_mwh: float
    worst_mw: float


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class _Losses:
    hours: Scalar
    days: Scalar
    mwh: Scalar
    events: Scalar
    longest_h: Scalar
    lasts_h: Scalar
    last_day: Scalar
    worst_mw: Scalar


def adequacy(
    plant: Plant, load_mw: np.ndarray | float, *, years: float = 1.0, n_seeds: int = 16, dt_h: float = 1 / 60,
    climate: Climate | None = None, start_day: float = 0.0, first_seed: int = 1,
    held_mw: float = 0.0,
) -> Adequacy:  # fmt: skip
    """Adequacy of the plant for a load, MW: one figure, or a profile of ticks that repeats. Common random numbers: the

    same seeds for every plant. The battery refills as the plant's policy has it; held_mw of it is kept for swings.
    """
    seeds = jnp.arange(first_seed, first_seed + n_seeds, dtype=jnp.uint32)
    profile = jnp.atleast_1d(jnp.asarray(load_mw, jnp.float32))
    n_ticks = round(years * H_PER_YEAR / dt_h)
    lost = _years(plant, profile, climate or Climate(), start_day, seeds, n_ticks, dt_h, held_mw)
    each = {field.name: np.asarray(getattr(lost, field.name), np.float64) for field in fields(_Losses)}
    happened = each["events"].sum()
    return Adequacy(
        lolh_h=_estimate(each["hours"] / years),
        lole_days=_estimate(each["days"] / years),
        eens_mwh=_estimate(each["mwh"] / years),
        n_events=_estimate(each["events"] / years),
        event_h=float(each["hours"].sum() / happened) if happened else 0.0,
        longest_event_h=float(each["longest_h"].max()),
        event_mwh=float(each["mwh"].sum() / happened) if happened else 0.0,
        worst_mw=float(each["worst_mw"].max()),
    )


def margin_mw(
    plant: Plant, load_mw: float, *, n_out: int = 0, celsius: float = 15.0, until_h: float = H_PER_YEAR
) -> float:
    """What grid and units carry beyond a load without the battery, the n_out largest units out, at that temperature.

    Only units count whose permit holds all the while, from the start until then.
    """
    units = plant.units
    lasting = (np.asarray(units.permit_from_h) <= 0) & (np.asarray(units.permit_until_h) >= until_h)
    each_mw = np.where(lasting, units.p_nom_mw * warmth(plant.blocks.derate_per_k, celsius)[:, None], 0.0)
    able = np.sort(each_mw.ravel())[::-1]
    return float(able[n_out:].sum() + plant.grid.contract_mw - load_mw)


@jax.jit
def _years(
    plant: Plant, profile: jax.Array, climate: Climate, start_day: Scalar, seeds: jax.Array, n_ticks: Scalar,
    dt_h: Scalar, held_mw: Scalar,
) -> _Losses:  # fmt: skip
    lanes = seeds.shape  # last axis of every array, so that what is alike for all seeds is computed side by side
    plant = jax.tree.map(lambda leaf: jnp.broadcast_to(jnp.asarray(leaf)[..., None], jnp.shape(leaf) + lanes), plant)

    def tick(number: jax.Array, carry: tuple[PlantState, _Losses]) -> tuple[PlantState, _Losses]:
        state, losses = carry
        clock = _clock(number, start_day, seeds, dt_h)
        load_mw = profile[number % profile.shape[0]]
        outdoor_c = temperature_c(climate, clock)
        offered = powerplant.offer(plant, state, load_mw, held_mw, outdoor_c, clock, dt_h)
        reached_mw = jnp.minimum(load_mw, offered.limit_mw)
        state, _ = powerplant.meet(plant, state, offered, reached_mw, load_mw, dt_h)
        return state, _note(losses, load_mw - reached_mw, load_mw, clock, dt_h)

    zero = jnp.zeros(lanes)
    nothing = _Losses(zero, zero, zero, zero, zero, zero, last_day=zero - 1.0, worst_mw=zero)
    first = powerplant.start(plant, _clock(jnp.int32(0), start_day, seeds, dt_h))
    lost: _Losses = jax.lax.fori_loop(0, n_ticks, tick, (first, nothing))[1]
    return lost


def _clock(number: jax.Array, start_day: Scalar, seed: jax.Array, dt_h: Scalar) -> Clock:
    hour = (number + 0.5) * dt_h
    return Clock(hour, hour % 24, (start_day + jnp.floor(hour / 24)) % 365, number, seed)


def _note(losses: _Losses, short_mw: Scalar, load_mw: Scalar, clock: Clock, dt_h: Scalar) -> _Losses:
    """Counts a tick; float32 holds a year of minutes to 1e-4 of its hours."""
    is_short = jnp.where(short_mw > 1e-5 * load_mw, 1.0, 0.0)
    day = jnp.floor(clock.hour / 24)
    lasts_h = is_short * (losses.lasts_h + dt_h)
    return _Losses(
        hours=losses.hours + is_short * dt_h,
        days=losses.days + is_short * jnp.where(day > losses.last_day, 1.0, 0.0),
        mwh=losses.mwh + is_short * short_mw * dt_h,
        events=losses.events + is_short * jnp.where(losses.lasts_h > 0, 0.0, 1.0),
        longest_h=jnp.maximum(losses.longest_h, lasts_h),
        lasts_h=lasts_h,
        last_day=jnp.where(is_short > 0, day, losses.last_day),
        worst_mw=jnp.maximum(losses.worst_mw, is_short * short_mw),
    )


def _estimate(each: np.ndarray) -> Estimate:
    """Mean and 95 % interval by Student's t; with one seed the interval is unknown."""
    from scipy import stats

    mean, figures = float(each.mean()), tuple(each.tolist())
    if len(each) < 2:
        return Estimate(mean, -math.inf, math.inf, figures)
    half = float(stats.t.ppf(0.975, len(each) - 1) * each.std(ddof=1) / math.sqrt(len(each)))
    return Estimate(mean, max(mean - half, 0.0), mean + half, figures)
