"""What a schedule says: months to N MW, three milestones, what is critical, what hurrying is worth, GPUs by date."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from macrohard.buildout.network import fit, generating, network
from macrohard.buildout.schedule import Array, Schedule, critical, schedule, total_float
from macrohard.buildout.site import Site

MILESTONES = {"cooling": "chillers", "energized": "energized", "serving": "serving"}
"""Name of a milestone and the kind whose last batch reaches it."""
DAYS_PER_MONTH = 365.25 / 12


@dataclass(frozen=True)
class Spread:
    """A distribution in days: mean, and the 10 %, 50 % and 90 % quantiles."""

    mean: float
    p10: float
    p50: float
    p90: float

    @classmethod
    def of(cls, days: Array) -> "Spread":
        """The spread of throws."""
        p10, p50, p90 = np.quantile(days, (0.1, 0.5, 0.9))
        return cls(float(days.mean()), float(p10), float(p50), float(p90))


@dataclass(frozen=True)
class Weight:
    """A kind of activity on the way to a milestone: how often critical, least slack, what a fifth less of it saves."""

    kind: str
    criticality: float
    float_days: float
    crash_days: float
    days_p50: float


def planned(site: Site, replicates: int = 1000, seed: int = 1, scale: dict[str, float] | None = None,
            scales: dict[str, float] | None = None) -> Schedule:  # fmt: skip
    """The site's network, scheduled."""
    return schedule(network(site, scales), site.crews, replicates, seed, site_sd_log=fit()["site_sd_log"], scale=scale)


def reached(site: Site, plan: Schedule, milestone: str, mw: float | None = None) -> Array:
    """Days until so many MW (all of them if none are named) of IT reach a milestone, per replicate."""
    batches = np.sort(plan.at(MILESTONES[milestone]), axis=0)
    share = 1.0 if mw is None else mw / site.cooling_mw
    if not 0 < share <= 1 + 1e-9:
        raise ValueError(f"--mw: {mw:g}: allowed: above 0, up to the {site.cooling_mw:g} MW of this site")
    return np.asarray(batches[int(np.ceil(share * site.n_batches - 1e-9)) - 1])


def weights(site: Site, plan: Schedule, milestone: str, seed: int = 1, hurry: float = 0.2) -> list[Weight]:
    """Every kind with a part in a milestone, the most critical first. Crash: on the same throws."""
    goal = max(
        (k for k, each in enumerate(plan.activities) if each.kind == MILESTONES[milestone]),
        key=lambda k: float(plan.finish[k].mean()),
    )
    on, slack = critical(plan, goal), total_float(plan, goal)
    now = reached(site, plan, milestone).mean()
    found = []
    for kind in dict.fromkeys(each.kind for each in plan.activities if each.high > 0):
        rows = [k for k, each in enumerate(plan.activities) if each.kind == kind]
        if not np.isfinite(slack[rows]).any():
            continue
        hurried = planned(site, plan.days.shape[1], seed, {kind: 1 - hurry})
        saved = now - reached(site, hurried, milestone).mean()
        least = np.quantile(slack[rows].min(axis=0), 0.5)
        share = float(on[rows].any(axis=0).mean())
        found.append(Weight(kind, share, float(least), float(saved), float(np.median(plan.days[rows].sum(axis=0)))))
    return sorted(found, key=lambda each: (-each.criticality, -each.crash_days))


def crew_values(site: Site, plan: Schedule, milestone: str, seed: int = 1) -> dict[str, float]:
    """Days that one more crew of each trade saves on the way to a milestone, on the same throws."""
    now = reached(site, plan, milestone).mean()
    return {
        trade: float(now - reached(site, planned(replace(site, crews={**site.crews, trade: n + 1}),
                                                 plan.days.shape[1], seed), milestone).mean())
        for trade, n in site.crews.items()
    }  # fmt: skip


def usable_gpus(site: Site, plan: Schedule, days: Array) -> dict[str, Array]:
    """GPUs that racks, cooling and power carry, and the least of them; shape (days, replicates)."""
    per_batch = site.n_gpus / site.n_batches

    def by(kind: str) -> Array:
        done = plan.at(kind)[:, None, :] <= days[None, :, None]
        return np.asarray(per_batch * done.sum(axis=0), float)

    rows = {name: k for k, name in enumerate(plan.names)}
    power = np.zeros((len(days), plan.days.shape[1]))
    for name, mw in generating(site):
        power += mw * (plan.finish[rows[name]][None, :] <= days[:, None])
    wired = by("distribution")
    fed = np.minimum(wired, np.minimum(power / site.site_mw, 1.0) * site.n_gpus)
    found = {"racks": by("network"), "cooling": np.minimum(by("chillers"), by("loops")), "power": fed}
    return found | {"usable": np.minimum(np.minimum.reduce(list(found.values())), by("commissioning"))}


def build_out_rows(site: Site, plan: Schedule, every_days: int = 14, quantile: float = 0.5) -> list[tuple[date, int]]:
    """(date, GPUs usable) in steps, for cluster.build_out: at the median, or the quantile of replicates asked for."""
    end = float(np.quantile(plan.finish, 0.99, axis=1).max()) + every_days
    days = np.arange(0.0, end + every_days, every_days)
    counts = np.quantile(usable_gpus(site, plan, days)["usable"], quantile, axis=1)
    found: list[tuple[date, int]] = []
    for day, count in zip(days, counts, strict=True):
        if count >= 1 and (not found or int(count) > found[-1][1]):
            found.append((site.start + timedelta(days=float(day)), int(count)))
    return found


def toml_rows(rows: Iterable[tuple[date, int]]) -> str:
    """The rows as a scenario file takes them."""
    return "[cluster]\nbuild_out = [\n" + "".join(f"    [{day}, {n:_}],\n" for day, n in rows) + "]\n"
