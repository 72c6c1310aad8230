"""From data to paper: ranges, sensible ticks and the frame that maps one onto the other."""

import math
from dataclasses import dataclass

import numpy as np

from macrohard.report.facts import Array

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
TIME_STEPS_H = (0.25, 0.5, 1.0, 2.0, 3.0, 6.0, 12.0, 24.0, 48.0, 120.0, 240.0, 720.0, 1440.0, 2160.0, 4320.0, 8760.0)
SIZES = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"), (1e3, "thousand"), (1.0, ""))


@dataclass(frozen=True)
class Axis:
    """One direction of a picture: its range, where the ticks stand, what they say and what it measures."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    title: str


@dataclass(frozen=True)
class Frame:
    """A box on the sheet, in pixels from its upper left corner, and the axes it shows."""

    left: float
    top: float
    width: float
    height: float
    x: Axis
    y: Axis

    def px(self, values: Array) -> Array:
        """Pixels from the left; what lies outside the axis lands on its edge."""
        share = (values - self.x.low) / (self.x.high - self.x.low)
        return self.left + self.width * np.clip(share, 0.0, 1.0)

    def py(self, values: Array) -> Array:
        """Pixels from the top; what lies outside the axis lands on its edge."""
        share = (values - self.y.low) / (self.y.high - self.y.low)
        return self.top + self.height * (1.0 - np.clip(share, 0.0, 1.0))

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Pixels of one point."""
        return float(self.px(np.array(x))), float(self.py(np.array(y)))


def step_of(span: float, n_ticks: int) -> float:
    """A round distance between ticks (1, 2, 2.5 or 5 times a power of ten) for about so many of them."""
    raw = span / max(1, n_ticks)
    power = 10.0 ** math.floor(math.log10(raw))
    return next(step * power for step in STEPS if step * power >= raw * (1 - 1e-9))


def tick_text(value: float, step: float) -> str:
    """A tick's label with as many decimals as its step needs."""
    decimals = 0
    while decimals < 6 and abs(round(step, decimals) - step) > 1e-6 * step:
        decimals += 1
    return f"{0.0 if abs(value) < step * 1e-6 else value:,.{decimals}f}"


def size_of(highest: float) -> tuple[float, str]:
    """The round number that large counts are divided by on an axis, and its name."""
    return next((pair for pair in SIZES if abs(highest) >= pair[0] * 2), (1.0, ""))


def linear(low: float, high: float, title: str, n_ticks: int = 5, *, round_up: bool = True) -> Axis:
    """An axis over low..high, widened to whole ticks."""
    if not (math.isfinite(low) and math.isfinite(high)):
        low, high = 0.0, 1.0
    if high - low <= 1e-12 * max(1.0, abs(high)):
        high = low + (abs(low) if low else 1.0)
    step = step_of(high - low, n_ticks)
    if round_up:
        low, high = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    ticks = tuple((k * step, tick_text(k * step, step)) for k in range(first, last + 1))
    return Axis(low, high, ticks, title)


def shares(title: str, *, low: float = 0.0, high: float = 1.0, n_ticks: int = 4) -> Axis:
    """An axis of shares with ticks in per cent."""
    axis = linear(100 * low, 100 * high, title, n_ticks)
    return Axis(axis.low / 100, axis.high / 100, tuple((at / 100, text) for at, text in axis.ticks), title)


def megawatts(low: float, high: float, title: str, n_ticks: int = 5) -> Axis:
    """An axis of megawatts, written as kW where all of it is below two megawatts."""
    size, unit = (1e3, "kW") if max(abs(low), abs(high)) < 2 else (1.0, "MW")
    axis = linear(low * size, high * size, f"{title}, {unit}", n_ticks)
    return Axis(axis.low / size, axis.high / size, tuple((at / size, text) for at, text in axis.ticks), axis.title)


def decades(low: float, high: float, title: str) -> Axis:
    """A logarithmic axis over low..high, both above 0: positions are powers of ten, ticks at 1, 2 and 5 times each."""
    a, b = math.log10(low), math.log10(high)
    factors = (1.0, 2.0, 5.0) if b - a < 2.2 else (1.0, 3.0) if b - a < 3.5 else (1.0,)
    ticks = tuple(
        (math.log10(factor) + power, f"{factor * 10.0**power:,g}")
        for power in range(math.floor(a), math.ceil(b) + 1)
        for factor in factors
        if a <= math.log10(factor) + power <= b
    )
    return Axis(a, b, ticks, title)


def elapsed(hours: float, n_ticks: int = 8, since: str = "the start") -> Axis:
    """A time axis from 0: in hours up to two days, in days beyond; ticks at hours a clock has."""
    hours = hours if math.isfinite(hours) and hours > 0 else 1.0
    steps = TIME_STEPS_H if hours <= 48 else tuple(step for step in TIME_STEPS_H if step >= 24)
    step = next((step for step in steps if hours / step <= n_ticks), None)
    if step is None:
        step = 8760.0 * math.ceil(hours / 8760.0 / n_ticks)
    unit, title = (1.0, f"hours since {since}") if hours <= 48 else (24.0, f"days since {since}")
    count = int(hours / step + 1e-9)
    ticks = tuple((k * step, tick_text(k * step / unit, step / unit)) for k in range(count + 1))
    return Axis(0.0, hours, ticks, title)
