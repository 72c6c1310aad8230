"""A build-out as one document: what the command prints and the headlines read."""

from dataclasses import asdict
from typing import Any

import numpy as np

from macrohard.buildout.gap import explained
from macrohard.buildout.outcome import (
    DAYS_PER_MONTH,
    MILESTONES,
    Spread,
    build_out_rows,
    crew_values,
    planned,
    reached,
    usable_gpus,
    weights,
)
from macrohard.buildout.schedule import Array, Schedule
from macrohard.buildout.site import Published, Site, site_named

STEPS = 48
"""Days of the table of GPUs by date."""


def told(site: Site, mw: float | None = None, milestone: str = "serving", replicates: int = 1000, seed: int = 1,
         versus: str | None = None) -> dict[str, Any]:  # fmt: skip
    """Months to N MW as distributions, critical path to a milestone and its worth, GPUs by date, published dates.

    versus: a slower site of the table whose gap to this one is shared out over the inputs.
    """
    plan = planned(site, replicates, seed)
    milestones: dict[str, Any] = {}
    for name in MILESTONES:
        all_of_it = reached(site, plan, name, mw)
        is_whole = mw is None or mw == site.cooling_mw
        early = site.known(name, whole=False)
        sizes_mw = list(dict.fromkeys(each.mw for each in early)) or [site.cooling_mw / site.n_batches]
        by_size = {part_mw: reached(site, plan, name, part_mw) for part_mw in sizes_mw}
        milestones[name] = {
            "days": asdict(Spread.of(all_of_it)),
            "months_p50": float(np.median(all_of_it)) / DAYS_PER_MONTH,
            "published": [_compared(each, all_of_it) for each in site.known(name, whole=True) if is_whole],
            "parts": [
                {"mw": part_mw, "days": asdict(Spread.of(days)),
                 "published": [_compared(each, days) for each in early if each.mw == part_mw]}
                for part_mw, days in by_size.items()
            ],
        }  # fmt: skip
    end = float(np.quantile(plan.finish.max(axis=0), 0.9))
    days = np.linspace(0, end, STEPS + 1)[1:]
    usable = usable_gpus(site, plan, days)
    document: dict[str, Any] = {
        "site": site.name, "start": site.start.isoformat(), "mw": mw or site.cooling_mw, "replicates": replicates,
        "seed": seed, "sources_mw": site.source_mw, "site_mw": site.site_mw, "milestones": milestones,
        "path": {"to": milestone, "activities": [asdict(each) for each in weights(site, plan, milestone, seed)],
                 "one_more_crew_days": crew_values(site, plan, milestone, seed)},
        "gpus_by_day": [
            {"day": float(day), **{name: float(np.median(count[k])) for name, count in usable.items()}}
            for k, day in enumerate(days)
        ],
        "months_to_mw": [
            {"mw": part, **{name: {key: days / DAYS_PER_MONTH for key, days in
                                   asdict(Spread.of(reached(site, plan, name, part))).items()} for name in MILESTONES}}
            for part in np.linspace(0, site.cooling_mw, site.n_batches + 1)[1:].tolist()
        ],
        "activities": _bars(plan),
        "build_out": [[day.isoformat(), n] for day, n in build_out_rows(site, plan)],
    }  # fmt: skip
    if versus:
        document["gap"] = {"versus": versus, **asdict(explained(site, site_named(versus), milestone, seed=seed))}
    return document


def _compared(known: Published, days: Array) -> dict[str, Any]:
    """A published date beside the throws of the same milestone."""
    p10, p50, p90 = np.quantile(days, (0.1, 0.5, 0.9)).tolist()
    return {
        **asdict(known), "difference_days": p50 - known.days, "difference_share": p50 / known.days - 1,
        "in_80_percent_interval": bool(p10 <= known.days <= p90),
    }  # fmt: skip


def _bars(plan: Schedule) -> list[dict[str, Any]]:
    """Median day of the first start and of the last finish of every kind that takes time, in order of its start."""
    found = []
    for kind in dict.fromkeys(each.kind for each in plan.activities if each.high > 0):
        rows = [k for k, each in enumerate(plan.activities) if each.kind == kind]
        first, last = plan.start[rows].min(axis=0), plan.finish[rows].max(axis=0)
        found.append({"kind": kind, "start": float(np.median(first)), "finish": float(np.median(last))})
    return sorted(found, key=lambda each: (each["start"], each["finish"]))
