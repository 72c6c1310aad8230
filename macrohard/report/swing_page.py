"""The page of `macrohard swings`: power over time and its spectrum, for each way of smoothing."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Protocol

import numpy as np

from macrohard.report import paper
from macrohard.report.chart import axes, line, sheet
from macrohard.report.facts import Array
from macrohard.report.paper import write_page
from macrohard.report.picture import Picture, frame, n_ticks
from macrohard.report.scale import decades, linear
from macrohard.report.wording import capital

SHOWN_S = 30.0
LEAST_MW = 1e-3
"""What the spectrum is drawn from."""
WOULD_PASS, WAYS = "What would pass", "Ways of smoothing"


class Judged(Protocol):
    """What a grid says of one way of smoothing."""

    @property
    def ramp_mw_per_s(self) -> float: ...  # noqa: D102
    @property
    def range_mw(self) -> float: ...  # noqa: D102
    @property
    def band_share(self) -> float: ...  # noqa: D102
    @property
    def passes(self) -> bool: ...  # noqa: D102


class Rung(Protocol):
    """One way of smoothing and the power it leaves."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def site_mw(self) -> Array: ...  # noqa: D102
    @property
    def verdict(self) -> Judged: ...  # noqa: D102
    @property
    def megapack_mw(self) -> float: ...  # noqa: D102
    @property
    def shelf_mw(self) -> float: ...  # noqa: D102
    @property
    def shelf_mwh(self) -> float: ...  # noqa: D102
    @property
    def extra_share(self) -> float: ...  # noqa: D102


class Need(Protocol):
    """What a combination would take to pass."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def figure(self) -> str: ...  # noqa: D102
    @property
    def table(self) -> float: ...  # noqa: D102
    @property
    def to(self) -> float | None: ...  # noqa: D102
    @property
    def rung(self) -> Rung: ...  # noqa: D102


class Swings(Protocol):
    """What the page needs of a set of swings."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def dt_s(self) -> float: ...  # noqa: D102
    @property
    def searched_s(self) -> float: ...  # noqa: D102
    @property
    def rungs(self) -> Sequence[Rung]: ...  # noqa: D102
    @property
    def needs(self) -> Sequence[Need]: ...  # noqa: D102


def write_swing_page(found: Swings, path: Path) -> None:
    """Write the page, whole."""
    lead = (
        f"The last {SHOWN_S:g} s of site power, one checkpoint in them, and the spectrum of all of it: MW rms per "
        "twentieth of a decade. Same job, same scale."
    )
    body = [
        paper.head("Macrohard: power in hundredths of a second", found.name, lead),
        paper.contents([WOULD_PASS, WAYS]),
        paper.heading(WOULD_PASS),
        _sought(found),
        paper.section(WAYS, [_picture(found, rung) for rung in found.rungs]),
    ]
    write_page(paper.whole(f"{found.name} \u00b7 swings", body), path)


def _sought(found: Swings) -> str:
    heads = ("combination", "figure moved", "table", "passes at", "Megapacks", "shelves", "burnt")
    rows = [
        [
            *(escape(need.name), paper.breakable(need.figure), f"{need.table:g}"),
            "no value tried" if need.to is None else f"{need.to:.2g}",
            f"{need.rung.megapack_mw:.1f} MW",
            f"{need.rung.shelf_mw:.1f} MW, {need.rung.shelf_mwh * 1e3:.3g} kWh",
            f"{need.rung.extra_share:+.1%}",
        ]
        for need in found.needs
    ]
    return (
        '<p class="lead">One figure moved from its value in the table as far as it takes over '
        f"the first {found.searched_s:g} s; the powers are those used there.</p>{paper.table(heads, rows, 2)}"
    )


def _picture(found: Swings, rung: Rung) -> Picture:
    seen = rung.verdict
    words = (
        f"{'Passes' if seen.passes else 'Fails'}: ramp {seen.ramp_mw_per_s:.1f} MW/s, range {seen.range_mw:.1f} MW, "
        f"{seen.band_share:.0%} of the fluctuation in 0.1-20 Hz."
    )
    name, title = rung.name.lower().replace(" ", "-"), capital(rung.name)
    return Picture(name, title, words, lambda width: _power(found, rung, width) + _spectrum(found, rung, width), True)


def _power(found: Swings, rung: Rung, width: int) -> str:
    n = min(len(rung.site_mw), round(SHOWN_S / found.dt_s))
    low = min(float(each.site_mw[-n:].min()) for each in found.rungs)
    high = max(float(each.site_mw[-n:].max()) for each in found.rungs)
    across = linear(0, SHOWN_S, "seconds", n_ticks(width))
    box = frame(width, 150, across, linear(low, high, "site power, MW", 4))
    time = np.asarray(np.arange(n) * found.dt_s, float)
    marks = [axes(box), line(box, time, rung.site_mw[-n:], "one")]
    return sheet(width, 230, f"Site power, {rung.name}", marks)


def _spectrum(found: Swings, rung: Rung, width: int) -> str:
    """Root mean square in MW per twentieth of a decade, both axes logarithmic."""
    edges = np.arange(-1.0, np.log10(0.5 / found.dt_s) + 0.05, 0.05)

    def binned(series: Array) -> Array:
        power = np.abs(np.fft.rfft(series - series.mean())) ** 2 * 2 / len(series) ** 2
        hertz = np.fft.rfftfreq(len(series), found.dt_s)[1:]
        return np.asarray(np.sqrt(np.histogram(np.log10(hertz), edges, weights=power[1:])[0]), float)

    highest = max(*(float(binned(each.site_mw).max()) for each in found.rungs), 10 * LEAST_MW)
    x = decades(10 ** float(edges[0]), 10 ** float(edges[-1]), "frequency, Hz")
    box = frame(width, 150, x, decades(LEAST_MW, highest * 1.3, "MW rms"))
    values = np.log10(np.maximum(binned(rung.site_mw), LEAST_MW))
    middles = np.asarray((edges[1:] + edges[:-1]) / 2, float)
    marks = [axes(box), line(box, middles, np.asarray(values, float), "one")]
    return sheet(width, 230, f"Spectrum, {rung.name}", marks)
