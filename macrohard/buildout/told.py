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
from macrohard.buildout.site import Site, site_named

STEPS = 8


def told(site: Site, mw: float | None = None, milestone: str = "serving", replicates: int = 1000, seed: int = 1,
         versus: str | None = None) -> dict[str, Any]:  # fmt: skip
    """Months to N MW as distributions, critical path to a milestone and its worth, GPUs by date, published dates.

    versus: a slower site of the table whose gap to this one is shared out over the inputs.
    """
    plan = planned(site, replicates, seed)
    milestones: dict[str, Any] = {}
    for name in MILESTONES:
        all_of_it = reached(site, plan, name, mw)
        first = np.sort(plan.at(MILESTONES[name]), axis=0)[0]
        milestones[name] = {"days": asdict(Spread.of(all_of_it)), "first_batch_days": asdict(Spread.of(first)),
                            "months_p50": float(np.median(all_of_it)) / DAYS_PER_MONTH}  # fmt: skip
        known = site.published.get(name)
        if known and (mw is None or mw == site.cooling_mw):
            p10, p50, p90 = (milestones[name]["days"][each] for each in ("p10", "p50", "p90"))
            milestones[name]["published"] = {
                **asdict(known), "difference_days": p50 - known.days, "difference_share": p50 / known.days - 1,
                "in_80_percent_interval": bool(p10 <= known.days <= p90),
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
        "build_out": [[day.isoformat(), n] for day, n in build_out_rows(site, plan)],
    }  # fmt: skip
    if versus:
        document["gap"] = {"versus": versus, **asdict(explained(site, site_named(versus), milestone, seed=seed))}
    return document
