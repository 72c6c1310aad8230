"""Numbers as people read them: three digits, a prefix where it helps, always the unit."""

import math
from collections.abc import Mapping

PREFIXES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
WORDS = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))
MISSING = "n/a"


def significant(value: float, digits: int = 3) -> str:
    """Plain decimal notation with so many significant digits; whole numbers bear no point."""
    if not math.isfinite(value):
        return MISSING
    if value == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(value)))
    decimals = max(0, digits - 1 - magnitude)
    if decimals > 8:
        return f"{value:.1e}"
    if math.floor(math.log10(abs(round(value, decimals)))) > magnitude:  # 9.996 reads 10.0, not 10.00
        decimals = max(0, decimals - 1)
    if decimals and value == round(value) and abs(value) >= 1:
        decimals = 0
    return f"{value:,.{decimals}f}"


def _scaled(value: float, steps: tuple[tuple[float, str], ...], least: float) -> tuple[float, str]:
    """The value over the largest step it reaches, and that step's name; below `least` the value itself.

    What would round up to the next step (999.9 k) takes that step (1.00 M).
    """
    if math.isfinite(value) and abs(value) >= least * 0.99995:
        for size, name in steps:
            if abs(value) >= size * 0.9995:
                return value / size, name
    return value, ""


def human(value: float, unit: str = "", digits: int = 3) -> str:
    """1234567 -> '1.23 M'; whole numbers below ten thousand are written out ('9,850')."""
    if math.isfinite(value) and abs(value) >= 1000 and abs(value) < 9999.5:
        return f"{value:,.0f} {unit}".strip()
    scaled, prefix = _scaled(value, PREFIXES, 1e4)
    return " ".join(word for word in (significant(scaled, digits), prefix, unit) if word)


def in_words(value: float, digits: int = 3) -> str:
    """1234567 -> '1.23 million', 487123 -> '487,000', for sentences."""
    if not math.isfinite(value):
        return "an unknown number of"
    if value != 0 and not (digits >= 3 and 1e3 <= abs(value) < 1e4):  # thousands are written out
        value = round(value, digits - 1 - math.floor(math.log10(abs(value))))
    if abs(value) < 1e3:
        return significant(value, digits)
    if abs(value) < 1e6 * 0.9995:
        return f"{value:,.0f}"
    scaled, word = _scaled(value, WORDS, 0.0)
    return f"{significant(scaled, digits)} {word}"


def _ladder(value: float, unit_steps: tuple[tuple[float, str], ...], zero: str) -> str:
    """The value in the largest unit of which it has at least one, or else in the smallest."""
    if not math.isfinite(value):
        return MISSING
    if abs(value) < 1e-6 * unit_steps[-1][0]:
        return f"0 {zero}"
    scaled, unit = _scaled(value, unit_steps, 0.0)
    if not unit:
        scaled, unit = value / unit_steps[-1][0], unit_steps[-1][1]
    return f"{significant(scaled)} {unit}"


def power(value_mw: float) -> str:
    """Megawatts as kW, MW or GW."""
    return _ladder(value_mw, ((1e3, "GW"), (1.0, "MW"), (1e-3, "kW")), zero="MW")


def energy(value_mwh: float) -> str:
    """Megawatt-hours as kWh, MWh, GWh or TWh."""
    return _ladder(value_mwh, ((1e6, "TWh"), (1e3, "GWh"), (1.0, "MWh"), (1e-3, "kWh")), zero="MWh")


def mass(value_t: float) -> str:
    """Tonnes as g, kg, t, kt or Mt."""
    return _ladder(value_t, ((1e6, "Mt"), (1e3, "kt"), (1.0, "t"), (1e-3, "kg"), (1e-6, "g")), zero="t")


def usd(value: float) -> str:
    """Dollars, '5.23 M USD'; amounts below a cent keep their digits."""
    return human(value, "USD") if math.isfinite(value) else MISSING


def percent(share: float) -> str:
    """A share as per cent; what is small but not nothing stays visible."""
    if not math.isfinite(share):
        return MISSING
    value = 100 * share
    if value == 0:
        return "0 %"
    if 0 < value < 0.1:
        return "<0.1 %"
    if 99.9 < value < 100:
        return ">99.9 %"
    return f"{value:.1f} %" if abs(value) < 10 and value != round(value) or 99 < value < 100 else f"{value:.0f} %"


def duration(hours: float) -> str:
    """Hours as seconds, minutes, hours or days, whichever reads best."""
    if not math.isfinite(hours):
        return MISSING
    if 0 < abs(hours) < 1 / 3600:
        return "<1 s"
    if hours != 0 and abs(hours) < 1 / 60:
        return f"{significant(hours * 3600, 2)} s"
    if abs(hours) < 1:
        return f"{significant(hours * 60, 2)} min"
    if abs(hours) < 72:
        return f"{significant(hours, 2 if hours < 10 else 3)} h"
    return f"{significant(hours / 24)} days"


def _five(value: float) -> str:
    """Five significant digits, short."""
    return f"{value:,.5g}" if abs(value) >= 1e-4 or value == 0 else f"{value:.3g}"


def gpu_time(hours: float) -> str:
    """Time of one GPU, in seconds where hours would be all zeros."""
    return human(hours, "GPU-h") if not hours < 0.01 else human(hours * 3600, "GPU-s")


def counted(n: int, noun: str) -> str:
    """So many of something, as "1 run" or "1,200 runs"."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def plain(value: object) -> str:
    """A value of a summary as it stands in a table, with five significant digits."""
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        if not math.isfinite(value):
            return MISSING
        return f"{value:,.0f}" if abs(value) >= 1e4 else _five(value)
    if isinstance(value, (list, tuple)):
        return (" to " if len(value) == 2 else ", ").join(plain(item) for item in value)
    if isinstance(value, Mapping) and set(value) == {"mean", "low", "high"}:
        return f"{plain(value['mean'])} ({plain(value['low'])} to {plain(value['high'])})"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {plain(item)}" for key, item in value.items())
    return str(value)
