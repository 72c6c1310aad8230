"""The figures that stand large: on the tiles of the page and in the chain from ticket to dollar."""

import math
from typing import NamedTuple

from macrohard.report.facts import Facts
from macrohard.report.quantity import MISSING, energy, gpu_time, human, in_words, mass, percent, power, usd


class Tile(NamedTuple):
    """A key figure: its name, the figure with unit, a note that puts it in its place."""

    name: str
    figure: str
    note: str = ""


def tiles(facts: Facts) -> list[Tile]:
    """The key figures of a run, most asked for first."""
    number, done = facts.number, facts.number("work.tickets_done")
    mean, peak, nameplate = (
        number("power.load_mean_mw"),
        number("power.load_peak_mw"),
        number("power.nameplate_site_mw"),
    )
    each_usd = usd(number("cost.usd_per_ticket")) if done > 0 else MISSING
    each_kwh = energy(number("cost.kwh_per_ticket") / 1000) if done > 0 else MISSING
    found = [
        Tile("Tickets finished a day", _large(number("work.tickets_per_day")), _range(facts, "work.tickets_per_day")),
        Tile(
            "Developers' equivalent",
            _large(number("work.developers_equivalent"), 2),
            "by the human minutes of the tickets done",
        ),
        Tile(
            "Tokens", _large(_tokens(facts)), f"{human(number('tokens.decode_tokens'))} of them written, the rest read"
        ),
        Tile(
            "GPU-hours busy",
            _large(number("gpu.gpu_h_busy")),
            _of(number("gpu.gpu_h_busy"), number("gpu.gpu_h_available"), "of those available"),
        ),
        Tile("Load, mean", power(mean), _of(mean, nameplate, f"of nameplate; at peak {power(peak)}")),
        Tile(
            "Site nameplate",
            power(nameplate),
            f"rating, not draw; {power(number('power.nameplate_it_mw'))} of it computers",
        ),
        Tile(
            "Megapacks, lowest charge",
            percent(number("power.soc_lowest")),
            f"at the end {percent(number('power.soc_end'))}",
        ),
        Tile("Cost of a ticket", each_usd, f"{usd(number('cost.total_usd'))} in all"),
        Tile(
            "Energy of a ticket",
            each_kwh,
            f"{energy(number('power.load_mwh') - max(facts.unserved_mwh, 0.0))} in all",
        ),
        Tile("CO2", mass(number("cost.co2_t")), f"NOx {mass(number('cost.nox_kg') / 1000)}; {nox_a_year(facts)}"),
        Tile(
            "Power, a MWh served",
            usd(number("cost.usd_per_mwh_served")),
            "fuel, grid, operation, lease, written-off plant",
        ),
        Tile(
            "Changes that failed",
            percent(number("work.change_failure_rate")),
            "done tickets with a defect that escaped",
        ),
    ]
    return [
        tile._replace(note=tile.note if MISSING not in tile.note else "")
        for tile in found
        if MISSING not in tile.figure
    ]


def nox_a_year(facts: Facts) -> str:
    """Nitrogen oxides of a year at the run's rate: as emitted, without catalyst, and as a share of the permit."""
    a_year, raw, permit = (
        facts.number(f"cost.{key}")
        for key in ("nox_short_tons_per_year", "nox_without_scr_short_tons_per_year", "nox_permit_share")
    )
    if not a_year > 0:
        return ""
    words = f"{human(a_year)} short tons in a year at this rate, {human(raw)} without catalyst"
    return words + (f"; {percent(permit)} of the permit" if math.isfinite(permit) else "")


def _large(value: float, digits: int = 3) -> str:
    return in_words(value, digits) if math.isfinite(value) else MISSING


def _tokens(facts: Facts) -> float:
    return facts.number("tokens.input_tokens") + facts.number("tokens.decode_tokens")


def _of(part: float, whole: float, words: str) -> str:
    return f"{percent(part / whole)} {words}" if whole > 0 and math.isfinite(part) else ""


def _range(facts: Facts, key: str) -> str:
    pair = facts.interval(key)
    done = facts.number("work.tickets_done")
    if pair:
        return f"95 % interval {human(pair[0])} to {human(pair[1])}"
    return f"{in_words(done)} in all" if math.isfinite(done) else ""


def chain(facts: Facts) -> list[tuple[str, str]]:
    """What one finished ticket takes, from tokens to carbon dioxide: all of the run over tickets done."""
    done = facts.number("work.tickets_done")
    if not done > 0:
        return []
    links = [
        ("tokens read", human(facts.number("tokens.input_tokens") / done)),
        ("computed anew", human(facts.number("tokens.prefill_tokens") / done)),
        ("tokens written", human(facts.number("tokens.decode_tokens") / done)),
        ("of busy GPU time", gpu_time(facts.number("gpu.gpu_h_busy") / done)),
        ("of electricity", energy((facts.number("power.load_mwh") - max(facts.unserved_mwh, 0.0)) / done)),
        ("cost", usd(facts.number("cost.usd_per_ticket"))),
        ("CO2", mass(facts.number("cost.co2_t") / done)),
    ]
    return [(name, figure) for name, figure in links if MISSING not in figure]
