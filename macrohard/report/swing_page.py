"""The page of `macrohard swings`: power over time and its spectrum, for each way of smoothing."""

from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Protocol

import numpy as np

from macrohard.report.chart import axes, line, sheet
from macrohard.report.facts import Array
from macrohard.report.paper import write_page
from macrohard.report.picture import frame
from macrohard.report.scale import linear

SHOWN_S = 30.0
WIDE_PX = 900


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
    style = files("macrohard.report").joinpath("page.css").read_text(encoding="utf-8")
    body = "".join(_figures(found, rung) for rung in found.rungs)
    write_page(
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(found.name)} · swings</title><style>{style}</style></head><body><main>"
        f'<header><p class="kicker">Macrohard: power in hundredths of a second</p><h1>{escape(found.name)}</h1>'
        f'<p class="lead">The last {SHOWN_S:g} s of site power, one checkpoint in them, and the spectrum of all of it. '
        f"Same job, same scale.</p></header>{_sought(found)}{body}</main></body></html>\n",
        path,
    )


def _sought(found: Swings) -> str:
    rows = "".join(
        f"<tr><td>{escape(need.name)}</td><td>{escape(need.figure)}</td><td>{need.table:g}</td>"
        f"<td>{'no value tried' if need.to is None else f'{need.to:.2g}'}</td><td>{need.rung.megapack_mw:.1f} MW</td>"
        f"<td>{need.rung.shelf_mw:.1f} MW, {need.rung.shelf_mwh * 1e3:.3g} kWh</td>"
        f"<td>{need.rung.extra_share:+.1%}</td></tr>"
        for need in found.needs
    )
    heads = "".join(f"<th>{each}</th>" for each in
                    ("combination", "figure moved", "table", "passes at", "Megapacks", "shelves", "burnt"))  # fmt: skip
    return (
        '<h2>What would pass</h2><p class="lead">One figure moved from its value in the table as far as it takes over '
        f"the first {found.searched_s:g} s; the powers are those used there.</p>"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _figures(found: Swings, rung: Rung) -> str:
    seen = rung.verdict
    words = (
        f"{'Passes' if seen.passes else 'Fails'}: ramp {seen.ramp_mw_per_s:.1f} MW/s, range {seen.range_mw:.1f} MW, "
        f"{seen.band_share:.0%} of the fluctuation in 0.1-20 Hz."
    )
    drawn = _power(found, rung) + _spectrum(found, rung)
    return (
        f'<h2>{escape(rung.name)}</h2><div class="figures"><figure class="wide"><figcaption>{words}</figcaption>'
        f"{drawn}</figure></div>"
    )


def _power(found: Swings, rung: Rung) -> str:
    n = min(len(rung.site_mw), round(SHOWN_S / found.dt_s))
    low = min(float(each.site_mw[-n:].min()) for each in found.rungs)
    high = max(float(each.site_mw[-n:].max()) for each in found.rungs)
    box = frame(WIDE_PX, 150, linear(0, SHOWN_S, "seconds", 8), linear(low, high, "site power, MW", 4))
    time = np.asarray(np.arange(n) * found.dt_s, float)
    marks = [axes(box), line(box, time, rung.site_mw[-n:], "one")]
    return sheet(WIDE_PX, 230, f"Site power, {rung.name}", marks)


def _spectrum(found: Swings, rung: Rung) -> str:
    """Root mean square in MW per twentieth of a decade, both axes as powers of ten."""
    edges = np.arange(-1.0, np.log10(0.5 / found.dt_s) + 0.05, 0.05)

    def binned(series: Array) -> Array:
        power = np.abs(np.fft.rfft(series - series.mean())) ** 2 * 2 / len(series) ** 2
        hertz = np.fft.rfftfreq(len(series), found.dt_s)[1:]
        return np.asarray(np.sqrt(np.histogram(np.log10(hertz), edges, weights=power[1:])[0]), float)

    tops = [float(binned(each.site_mw).max()) for each in found.rungs]
    y = linear(-3, float(np.ceil(np.log10(max(*tops, 1e-2)))), "log10 of MW rms per 1/20 decade", 4)
    box = frame(WIDE_PX, 150, linear(-1, float(edges[-1]), "log10 of frequency, Hz", 7), y)
    values = np.log10(np.maximum(binned(rung.site_mw), 1e-3))
    middles = np.asarray((edges[1:] + edges[:-1]) / 2, float)
    marks = [axes(box), line(box, middles, np.asarray(values, float), "one")]
    return sheet(WIDE_PX, 230, f"Spectrum, {rung.name}", marks)
