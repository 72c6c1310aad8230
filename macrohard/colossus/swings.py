"""Power in hundredths of a second: a synchronous training job, what smooths it, and how a grid would judge it.

Host side, numpy. All series are MW over equal steps of dt_s; smoothing goes from the chip outwards.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from macrohard.colossus.tables import checked, rows

Series = NDArray[np.float64]
BAND_HZ = (0.1, 20.0)
RANGE_S = 10.0
"""The dynamic range is the widest span of power within so long (A)."""
NEGLIGIBLE = 0.01
"""Share of the range allowed below which a swing is none (A)."""
SETTLED = 3.0
"""Time constants after which a first-order lag has reached 95 % of a step."""
MAY_BE_ZERO = ("step_jitter", "communicate_share", "checkpoint_s", "serving_noise_share", "megapack_delay_s")
LADDER: dict[str, tuple[str, ...]] = {
    "none": (),
    "GPU smoothing": ("gpu",),
    "filler load": ("filler",),
    "shelf storage": ("shelf",),
    "Megapacks": ("megapack",),
    "GPU smoothing and shelf": ("gpu", "shelf"),
    "all": ("filler", "gpu", "shelf", "megapack"),
}


@dataclass(frozen=True)
class Habits:
    """The job, the smoothers and the specification; meaning, unit and source of each in data/swings.csv."""

    step_s: float
    step_jitter: float
    communicate_share: float
    edge_s: float
    checkpoint_every_s: float
    checkpoint_s: float
    checkpoint_share: float
    serving_noise_share: float
    serving_noise_s: float
    gpu_floor_share: float
    gpu_ramp_share_per_s: float
    filler_share: float
    filler_delay_s: float
    shelf_s: float
    shelf_share: float
    shelf_store_s: float
    megapack_delay_s: float
    megapack_response_s: float
    megapack_average_s: float
    limit_ramp_mw_per_s: float
    limit_range_mw: float
    limit_band_share: float


def habits(**changed: float) -> Habits:
    """The table's figures, some of them changed."""
    known = {row["parameter"]: float(row["value"]) for row in rows("swings")}
    for name in changed:
        if name not in known:
            raise ValueError(f"swings.{name}: no such figure; choose from {', '.join(known)}")
    found = replace(Habits(**known), **changed)
    for each in fields(found):
        checked(f"swings.{each.name}", getattr(found, each.name), 0.0 if each.name in MAY_BE_ZERO else 1e-6)
    for name in ("communicate_share", "checkpoint_share", "gpu_floor_share", "filler_share", "shelf_share"):
        checked(f"swings.{name}", getattr(found, name), 0.0, 1.0)
    checked("swings.megapack_response_s", found.megapack_response_s, found.megapack_delay_s)
    return found


def lagged(series: Series, time_constant_s: float, dt_s: float) -> Series:
    """A first-order lag, exact for a series held over each step; it starts at the first value."""
    keep = float(np.exp(-dt_s / time_constant_s)) if time_constant_s > 0 else 0.0
    return np.asarray(lfilter([1 - keep], [1, -keep], series, zi=[keep * series[0]])[0], float)


def training(habits: Habits, full_mw: float, swing: float, seconds: float, dt_s: float, seed: int = 1) -> Series:
    """A synchronous job: full power while it computes, less by the share `swing` to communicate, checkpoints."""
    n = round(seconds / dt_s)
    rng = np.random.default_rng([seed, 1])
    count = int(seconds / habits.step_s * 1.5) + 8
    lengths = habits.step_s * np.maximum(0.2, 1 + habits.step_jitter * rng.standard_normal(count))
    ends = np.cumsum(lengths)
    time = np.arange(n) * dt_s
    step = np.minimum(np.searchsorted(ends, time, side="right"), count - 1)
    left = (ends[step] - time) / lengths[step]
    level = np.where(left <= habits.communicate_share, 1 - swing, 1.0)
    saving = time % habits.checkpoint_every_s >= habits.checkpoint_every_s - habits.checkpoint_s
    return full_mw * lagged(np.where(saving, min(habits.checkpoint_share, 1.0), level), habits.edge_s, dt_s)


def serving(habits: Habits, mean_mw: float, seconds: float, dt_s: float, seed: int = 1) -> Series:
    """Power of independent requests: a mean with noise that forgets itself within serving_noise_s."""
    keep = float(np.exp(-dt_s / habits.serving_noise_s))
    thrown = np.random.default_rng([seed, 2]).standard_normal(round(seconds / dt_s)) * np.sqrt(1 - keep**2)
    return mean_mw * (1 + habits.serving_noise_share * np.asarray(lfilter([1.0], [1, -keep], thrown), float))


def filled(habits: Habits, job_mw: Series, full_mw: float, dt_s: float) -> Series:
    """Filler work lifts what is below its level, after a delay; it ends at once when the job resumes."""
    low = job_mw < habits.filler_share * full_mw
    delay = round(habits.filler_delay_s / dt_s)
    ready = low.copy()
    for k in range(1, delay + 1):
        ready[k:] &= low[:-k]
    return np.asarray(np.where(ready, habits.filler_share * full_mw, job_mw), float)


def gpu_smoothed(habits: Habits, job_mw: Series, full_mw: float, dt_s: float) -> Series:
    """GPUs hold a floor and change power no faster than the ramp: what they lack they burn, what is more waits."""
    step = habits.gpu_ramp_share_per_s * full_mw * dt_s
    wish = np.maximum(job_mw, habits.gpu_floor_share * full_mw).tolist()
    out, at = [], wish[0]
    for each in wish:
        at = min(max(each, at - step), at + step)
        out.append(at)
    return np.asarray(out)


def shelved(habits: Habits, job_mw: Series, full_mw: float, dt_s: float) -> tuple[Series, Series]:
    """What the racks draw, and what shelf storage gives to hold them to their short average, MW.

    It has its full power from half charge; below, what it can give falls with the charge to nothing at empty, and what
    it can take likewise towards full, so that it never stops at once.
    """
    most_mw, half_mws = habits.shelf_share * full_mw, habits.shelf_store_s * full_mw
    wish = np.clip(job_mw - lagged(job_mw, habits.shelf_s, dt_s), -most_mw, most_mw).tolist()
    taper_per_s = min(most_mw / half_mws, 1 / dt_s)
    charge, given = half_mws, []
    for each in wish:
        power = min(max(each, (charge - 2 * half_mws) * taper_per_s), charge * taper_per_s)
        charge -= power * dt_s
        given.append(power)
    out = np.asarray(given)
    return np.asarray(job_mw - out, float), out


def bridged(habits: Habits, site_mw: Series, power_mw: float, dt_s: float) -> tuple[Series, Series]:
    """What the grid and turbines see, and what the Megapacks give, MW: the rest over a slow average, late.

    Late: a dead time to measure and to command, then a first-order lag that has settled (95 %) within the response.
    """
    wish = np.clip(site_mw - lagged(site_mw, habits.megapack_average_s, dt_s), -power_mw, power_mw)
    dead = min(round(habits.megapack_delay_s / dt_s), len(wish))
    heard = np.concatenate([np.full(dead, wish[0]), wish[: len(wish) - dead]])
    given = lagged(heard, (habits.megapack_response_s - habits.megapack_delay_s) / SETTLED, dt_s)
    return np.asarray(site_mw - given, float), given


def store_mwh(given_mw: Series, dt_s: float) -> float:
    """Energy a store needs to give and take so much: its fullest less its emptiest."""
    held = np.concatenate([[0.0], np.cumsum(given_mw) * dt_s])
    return float(np.ptp(held)) / 3600.0


@dataclass(frozen=True)
class Verdict:
    """How a series stands against the specification. band_mw: root mean square of the fluctuation in the band."""

    ramp_mw_per_s: float
    range_mw: float
    band_share: float
    band_mw: float
    meets_ramp: bool
    meets_range: bool
    meets_band: bool

    @property
    def passes(self) -> bool:
        """Whether all three limits hold."""
        return self.meets_ramp and self.meets_range and self.meets_band


def spectrum(series: Series, dt_s: float) -> tuple[Series, Series]:
    """Frequencies in Hz and the variance at each, MW^2; they add up to the variance of the series (Parseval)."""
    n = len(series)
    found = np.fft.rfft(series - series.mean())
    power = np.abs(found) ** 2 / n**2
    power[1 : (n + 1) // 2] *= 2
    return np.asarray(np.fft.rfftfreq(n, dt_s), float), np.asarray(power, float)


def judged(habits: Habits, series: Series, dt_s: float) -> Verdict:
    """Steepest ramp over 0.1 s, widest span within 10 s, and the share of the variance in 0.1-20 Hz.

    A fluctuation below a thousandth of the mean, or within a hundredth of the range allowed, has no share: noise of
    nothing is no fault.
    """
    over = max(1, round(0.1 / dt_s))
    ramp = float(np.abs(series[over:] - series[:-over]).max()) / (over * dt_s)
    width = max(1, round(RANGE_S / dt_s))
    half = max(1, width // 2)
    blocks = [series[k : k + width] for k in range(0, max(1, len(series) - half), half)]
    widest = max(float(np.ptp(block)) for block in blocks)
    hertz, power = spectrum(series, dt_s)
    within = float(power[(hertz >= BAND_HZ[0]) & (hertz <= BAND_HZ[1])].sum())
    total = float(power.sum())
    small = total <= (1e-3 * float(series.mean())) ** 2 or widest <= NEGLIGIBLE * habits.limit_range_mw
    share = 0.0 if small else within / total
    return Verdict(ramp, widest, share, within**0.5, ramp <= habits.limit_ramp_mw_per_s,
                   widest <= habits.limit_range_mw, share <= habits.limit_band_share)  # fmt: skip
