"""Values that are each allowed but do not go together."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from macrohard.names import BESIDE_TURBINES
from macrohard.scenario.sections import (
    Backlog,
    Capability,
    Cluster,
    Economics,
    Megapack,
    Power,
    Quality,
    Run,
    Serving,
    Tokens,
)

_NO_FIGURES = BESIDE_TURBINES
"""Kinds of supply that have no rating of their own."""


@dataclass(frozen=True)
class Contradiction:
    """A key whose value does not go with those of other keys."""

    key: str
    others: tuple[str, ...]
    """The other keys, dotted, that take part in it."""
    allowed: str
    remedy: str


def of_run(run: Run) -> Iterator[Contradiction]:
    """Warm-up and ticks must fit into the horizon."""
    if run.warmup_h >= run.horizon_h:
        allowed = f"below run.horizon_h = {run.horizon_h:g}"
        yield Contradiction("run.warmup_h", ("run.horizon_h",), allowed, "shorten the warm-up or lengthen the horizon")
    if run.tick_s > run.horizon_h * 3600:
        allowed = f"at most the horizon of {run.horizon_h * 3600:g} s"
        yield Contradiction("run.tick_s", ("run.horizon_h",), allowed, "shorten the tick or lengthen the horizon")


def of_backlog(backlog: Backlog) -> Iterator[Contradiction]:
    """Shares of kinds add to 1."""
    total = math.fsum(value for _, value in backlog.kinds)
    if abs(total - 1) > 1e-6:
        others = tuple(f"backlog.kinds.{kind}" for kind, _ in backlog.kinds)
        yield Contradiction(
            "backlog.kinds", others, "shares that add to 1", f"they add to {total:g}: change one of them"
        )


def of_tokens(tokens: Tokens) -> Iterator[Contradiction]:
    """A skewed distribution has its mean above its median. One of them left out is the scaffold's."""
    if tokens.tool_mean_s and tokens.tool_median_s and tokens.tool_mean_s < tokens.tool_median_s:
        allowed = f"at least tokens.tool_median_s = {tokens.tool_median_s:g}"
        yield Contradiction(
            "tokens.tool_mean_s", ("tokens.tool_median_s",), allowed, "raise the mean or lower the median"
        )


MAX_POOLS = 8
"""LLMs in service at once; each makes the tick longer."""


def of_serving(serving: Serving) -> Iterator[Contradiction]:
    """Pools share out all GPUs, bear names of their own, and no role has two of them."""
    models = serving.models
    if len(models) > MAX_POOLS:
        yield Contradiction("serving.models", (), f"at most {MAX_POOLS} entries", "take some out")
    total = math.fsum(model.share for model in models)
    if models and abs(total - 1) > 1e-6:
        others = tuple(f"serving.models.{number}.share" for number in range(1, len(models)))
        remedy = f"they add to {total:g}: change one of them"
        yield Contradiction("serving.models.0.share", others, "shares of all entries that add to 1", remedy)
    names: dict[str, int] = {}
    roles: dict[str, int] = {}
    for number, model in enumerate(models):
        key = f"serving.models.{number}"
        if names.setdefault(model.name, number) != number:
            first = f"serving.models.{names[model.name]}.name"
            yield Contradiction(f"{key}.name", (first,), "a name that no other entry has", "rename one of them")
        for role in model.roles:
            if roles.setdefault(role, number) != number:
                first = f"serving.models.{roles[role]}.roles"
                allowed = f"each role once over all entries; {role} is in entry {roles[role]}, too"
                yield Contradiction(f"{key}.roles", (first,), allowed, "take it out of one of them")


def of_megapack(pack: Megapack) -> Iterator[Contradiction]:
    """soc_min <= reserve < soc_max, and the start between minimum and maximum."""
    low, high = f"soc_min = {pack.soc_min:g}", f"soc_max = {pack.soc_max:g}"
    if pack.soc_min >= pack.soc_max:
        yield _pack("soc_min", ("soc_max",), f"below {high}", "lower the minimum or raise the maximum")
        return
    if not pack.soc_min <= pack.reserve < pack.soc_max:
        yield _pack("reserve", ("soc_min", "soc_max"), f"from {low} to below {high}", "move the reserve in between")
    if not pack.soc_min <= pack.soc_start <= pack.soc_max:
        yield _pack("soc_start", ("soc_min", "soc_max"), f"from {low} to {high}", "start in between")


def _pack(key: str, others: tuple[str, ...], allowed: str, remedy: str) -> Contradiction:
    table = "power.megapack."
    return Contradiction(table + key, tuple(table + other for other in others), allowed, remedy)


def of_cluster(cluster: Cluster) -> Iterator[Contradiction]:
    """A build-out goes forward, takes none away and ends at the cluster's GPUs; chillers start below full load."""
    for number, (before, after) in enumerate(pairwise(cluster.build_out), start=1):
        key, other = f"cluster.build_out.{number}", f"cluster.build_out.{number - 1}"
        if after.date <= before.date:
            remedy = "put the steps in order of date, each date once"
            yield Contradiction(f"{key}.date", (f"{other}.date",), f"after {before.date}, the step before", remedy)
        if after.n_gpus < before.n_gpus:
            allowed = f"at least {before.n_gpus}, as at the step before: GPUs are added, never taken away"
            yield Contradiction(f"{key}.n_gpus", (f"{other}.n_gpus",), allowed, "give what is installed in all")
    if cluster.build_out and cluster.build_out[-1].n_gpus != cluster.n_gpus:
        last = f"cluster.build_out.{len(cluster.build_out) - 1}.n_gpus"
        allowed = f"{cluster.build_out[-1].n_gpus}, which the last step of cluster.build_out ends at"
        yield Contradiction("cluster.n_gpus", (last,), allowed, "change one of the two")
    if cluster.chiller_start_c >= cluster.chiller_full_c:
        allowed = f"below cluster.chiller_full_c = {cluster.chiller_full_c:g}"
        others = ("cluster.chiller_full_c",)
        yield Contradiction("cluster.chiller_start_c", others, allowed, "lower the start or raise the full load")


def of_power(power: Power) -> Iterator[Contradiction]:
    """A source without a table row needs its rating; a permit ends after it began; a rule needs its threshold."""
    if power.dispatch == "peak_shave" and power.peak_mw is None:
        yield Contradiction("power.peak_mw", ("power.dispatch",), "a number above 0: peak_shave needs it", "give it")
    if power.deferral == "dear" and power.defer_above_usd_per_mwh is None:
        key, others = "power.defer_above_usd_per_mwh", ("power.deferral",)
        yield Contradiction(key, others, "a number above 0: a deferral by price needs it", "give it, USD/MWh")
    for number, source in enumerate(power.sources):
        key = f"power.sources.{number}"
        if source.kind in _NO_FIGURES and source.p_nom_mw is None:
            allowed = f"a number above 0: the kind {source.kind} has no rating of its own"
            yield Contradiction(f"{key}.p_nom_mw", (f"{key}.kind",), allowed, "give the rating of one unit, MW")
        if source.permit_from and source.permit_until and source.permit_until <= source.permit_from:
            allowed = f"after permit_from = {source.permit_from}"
            yield Contradiction(f"{key}.permit_until", (f"{key}.permit_from",), allowed, "swap the two")


def of_prices(economics: Economics, power: Power) -> Iterator[Contradiction]:
    """Prices by the hour are none or 24; a rule that follows them needs them."""
    key, count = "economics.grid_usd_per_mwh_by_hour", len(economics.grid_usd_per_mwh_by_hour)
    if count not in (0, 24):
        yield Contradiction(key, (), "none or 24 prices, from midnight on", f"these are {count}: give 24")
    if count == 0 and power.dispatch == "price_following":
        yield Contradiction(key, ("power.dispatch",), "24 prices: price_following needs them", "give them, USD/MWh")


def of_bugs(backlog: Backlog, capability: Capability, quality: Quality) -> Iterator[Contradiction]:
    """Each ticket must return fewer than one bug ticket, or the backlog grows without end."""
    expected = rough_bugs_per_ticket(backlog, capability, quality)
    if expected >= 1:
        others = ("quality.kloc_per_120_min", "backlog.size_median_min", "backlog.size_sd_log")
        allowed = f"values with which a ticket returns fewer than 1 bug ticket on average (these: {expected:.2f})"
        yield Contradiction("quality.defects_per_kloc", others, allowed, "fewer defects, or more found before release")


def rough_bugs_per_ticket(backlog: Backlog, capability: Capability, quality: Quality) -> float:
    """Bug tickets a ticket is expected to return, before the team is known (`blueprint.bugs_per_ticket` knows it).

    Escaped defects, plus bad patches that test and review let pass: (1 - test)(1 - review) of them; retried until
    caught or good. The success chance of a ticket is Beta-distributed around the mean of its kind at the median size
    (docs/work.md).
    """
    mean_size = backlog.size_median_min * math.exp(min(backlog.size_sd_log, 3.0) ** 2 / 2)
    latent = quality.defects_per_kloc * quality.kloc_per_120_min * mean_size / 120
    found = (
        quality.found_self_check,
        quality.found_review,
        quality.found_unit,
        quality.found_integration,
        quality.found_system,
    )
    escaped = latent * math.prod(1 - share for share in found)
    passes = (1 - quality.detection_test) * (1 - quality.detection_review)
    offsets = {"ordinary": 0.0, **{kind: getattr(capability, kind) for kind in ("frontend", "greenfield", "office")}}
    bad = 0.0
    for kind, share in backlog.kinds:
        logit = capability.beta * math.log2(capability.horizon_min / backlog.size_median_min) + offsets[kind]
        bad += share * _shipped_bad(1 / (1 + math.exp(-max(-50.0, min(50.0, logit)))), capability.rho, passes)
    return escaped + bad


def _shipped_bad(mean: float, rho: float, passes: float) -> float:
    """Chance that what ships in the end is bad: (1-p)*passes / (p + (1-p)*passes), averaged over p ~ Beta."""
    spread = 1 / rho - 1
    alpha, beta = max(mean * spread, 1e-6), max((1 - mean) * spread, 1e-6)
    total = weight = 0.0
    for step in range(200):
        p = (1 - math.cos(math.pi * (step + 0.5) / 200)) / 2  # dense at both ends, where the density has its poles
        density = math.exp((alpha - 0.5) * math.log(p) + (beta - 0.5) * math.log(1 - p))
        slipped = (1 - p) * passes
        total += density * slipped / (p + slipped)
        weight += density
    return total / weight if weight else passes


CHECKS: dict[str, Callable[..., Iterator[Contradiction]]] = {
    "run": of_run,
    "backlog": of_backlog,
    "tokens": of_tokens,
    "serving": of_serving,
    "power.megapack": of_megapack,
    "cluster": of_cluster,
    "power": of_power,
    "economics power": of_prices,
    "backlog capability quality": of_bugs,
}
"""The checks by the tables they look at."""
