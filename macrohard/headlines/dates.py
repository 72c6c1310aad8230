"""Claims about months and days: when so many megawatts or GPUs were there, beside throws of the build-out model."""

from dataclasses import replace

import numpy as np

from macrohard.buildout.of_scenario import site_of
from macrohard.buildout.outcome import DAYS_PER_MONTH, Spread, planned, reached
from macrohard.buildout.site import Site, site_named
from macrohard.headlines.headline import FITTED, NOT_SCORED, SCORED, Headline, claim
from macrohard.scenario import Scenario


def of_dates(replicates: int) -> list[Headline]:
    """Six months against fifteen, 122 days, and 1 GW by January 2026; each site thrown so many times."""
    fast, slow, first = (site_named(name) for name in ("colossus2", "abilene", "colossus1"))
    months_fast, source_fast = claim("months_xai")
    months_slow, source_slow = claim("months_openai")
    days, source_first = claim("days_colossus1")
    half = max(slow.known("serving", whole=False), key=lambda each: each.mw)
    energized = [_thrown(site, "energized", replicates).p50 / DAYS_PER_MONTH for site in (fast, slow)]
    full = site_of(Scenario.load("colossus2-full", environment={}))
    built = _thrown(replace(full, start=fast.start), "serving", replicates, 1000.0)
    claimed, disputed = claim("running_mw")
    by_then = (np.datetime64("2026-01-17") - np.datetime64(fast.start)).astype(int) / DAYS_PER_MONTH
    return [
        _built(
            "200 MW in six months",
            source_fast,
            months_fast,
            _thrown(fast, "cooling", replicates),
            FITTED,
            "cooling installed, 168 days: one scale is fitted to it; it may not count as a success",
        ),
        _built(
            "200 MW in fifteen months elsewhere: energized",
            f"{source_slow}; 12 months",
            12.0,
            _thrown(slow, "energized", replicates),
            FITTED,
            "a second scale is fitted to it",
        ),
        _built(
            "200 MW in fifteen months elsewhere: all of it serving",
            source_slow,
            months_slow,
            _thrown(slow, "serving", replicates),
            SCORED,
            "predicted. Visitors saw one of two buildings at work by then; satellites had both after 16 months",
        ),
        _built(
            "the same, read as one of two buildings serving",
            half.source,
            months_slow,
            _thrown(slow, "serving", replicates, half.mw),
            SCORED,
            "predicted; integrated test for the tenant and racks come after energizing. Crews are assumed",
        ),
        Headline(
            "six months against fifteen",
            source_slow,
            months_slow / months_fast,
            f"{energized[1] / energized[0]:.1f} times ({energized[0]:.1f} and {energized[1]:.1f} months to energized)",
            energized[1] / energized[0],
            "ratio",
            NOT_SCORED,
            "the press sets cooling installed beside serving; on one "
            "milestone: shifts, shell and power path (macrohard build-out --to energized --versus abilene)",
        ),
        *_colossus1(first, days, source_first, replicates),
        _built(
            f"{claimed:,.0f} MW running in January 2026",
            disputed,
            by_then,
            built,
            NOT_SCORED,
            "disputed, nothing is calibrated on it. From purchase to serving, deliveries as fast as in phase 1",
        ),
    ]


def _colossus1(site: Site, days: float, source: str, replicates: int) -> list[Headline]:
    """Colossus 1, read in both ways."""
    (part,) = site.known("serving", whole=False)
    readings = (
        ("100,000 GPUs in 122 days", source, _thrown(site, "serving", replicates),
         "all GPUs at full power. Nothing fitted; 141 before its cooling was taken as rented, as reported. The model "
         "has power earlier than reported, so part of the match is luck"),
        ("the same, read as training begun on 43 MW", part.source,
         _thrown(site, "serving", replicates, part.mw), "nothing fitted; as many GPUs as 43 MW carry, about a third"),
    )  # fmt: skip
    return [
        Headline(
            f"Colossus 1: {claim}", told, days, _days(spread), spread.p50, "day", SCORED, why, spread.p10, spread.p90
        )
        for claim, told, spread, why in readings
    ]


def _built(claim: str, source: str, months: float, spread: Spread, judged: str, explains: str) -> Headline:
    low, half, high = (each / DAYS_PER_MONTH for each in (spread.p10, spread.p50, spread.p90))
    text = f"{half:.1f} months ({low:.1f}-{high:.1f})"
    return Headline(claim, source, months, text, half, "month", judged, explains, low, high)


def _thrown(site: Site, milestone: str, replicates: int, mw: float | None = None) -> Spread:
    return Spread.of(reached(site, planned(site, replicates), milestone, mw))


def _days(spread: Spread) -> str:
    return f"{spread.p50:.0f} days ({spread.p10:.0f}-{spread.p90:.0f})"
