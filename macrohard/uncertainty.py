"""Parameters as distributions: drawn, laid into a run without compiling it again, and ranked by what hangs on them.

Ranges and standard errors: data/uncertainty.csv. Method and limits: docs/uncertainty.md.
"""

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import rankdata

from macrohard import work_tables
from macrohard.blueprint import Blueprint, draw
from macrohard.colossus.gpu_power import GpuPower
from macrohard.colossus.serving import ServingFit
from macrohard.colossus.site import Site
from macrohard.colossus.tables import rows
from macrohard.habits import habits_by_role, habits_of
from macrohard.scenario import Scenario
from macrohard.scenario.settings import Setting
from macrohard.siting import site_of_scenario

Array = NDArray[np.float64]

MATTERS_TO = (
    "work.tickets_per_day", "work.lead_time_h_p50", "tokens.tokens_per_ticket", "gpu.utilization_mean",
    "gpu.tok_s_per_stream_mean", "power.load_mean_mw", "power.load_peak_mw", "power.unserved_mwh",
    "cost.usd_per_ticket", "cost.kwh_per_ticket",
)  # fmt: skip
"""Figures for which parameters are ranked."""

FEWEST = 10
"""With fewer draws no parameter is ranked."""

_ROOM = 1.6
"""Epics laid out for a saturated run, over those of the plan: draws may work faster than it."""


@dataclass(frozen=True)
class Uncertain:
    """One parameter: the scenario's value, its distribution, and the values drawn (nan where it is held)."""

    key: str
    value: float
    form: str
    s: float
    low: float
    high: float
    source: str
    drawn: Array


def draws(scenario: Scenario, n_draws: int) -> list[Uncertain]:
    """Every parameter of the table for so many draws, spread evenly over its distribution (a Latin hypercube).

    A parameter's stream hangs on the seed and its own name: scenarios compared draw alike, whatever else they hold.
    """
    found = []
    site = site_of_scenario(scenario)
    for row in rows("uncertainty"):
        key = row["key"]
        value = _value(scenario, site, key)
        rng = np.random.default_rng(np.random.SeedSequence([scenario.run.seed, 11, zlib.crc32(key.encode())]))
        u = (rng.permutation(n_draws) + rng.random(n_draws)) / n_draws
        low = float(row["low"]) if row["low"] else -math.inf
        high = float(row["high"]) if row["high"] else math.inf
        s = _spread(row["s"], row["form"], scenario)
        if row["form"] == "between":
            held = not low <= value <= high
            drawn = np.full(n_draws, math.nan) if held else low + (high - low) * u
        else:
            drawn = np.clip(_moved(row["form"], value, s * ndtri(np.clip(u, 1e-9, 1 - 1e-9))), low, high)
        found.append(Uncertain(key, value, row["form"], s, low, high, row["source"], drawn))
    return found


def roomy(plan: Blueprint) -> Blueprint:
    """The plan, with more epics where it is saturated and their number was left to it."""
    work = plan.scenario.backlog
    if work.mode != "saturated" or work.n_epics or work.file:
        return plan
    n_epics = math.ceil(int(np.asarray(plan.backlog.is_epic).sum()) * _ROOM)
    laid_out = draw(plan.scenario.override([f"backlog.n_epics={n_epics}"]), plan.shop.roles)
    # the compiled form follows the shop, and the shop the scenario's own pace
    return replace(laid_out, scenario=plan.scenario, shop=plan.shop)


def laid(plan: Blueprint, drawn: list[Uncertain], number: int, seed: int) -> Blueprint:
    """The plan with the parameters of one draw; shapes and compiled form stay."""
    values = {each.key: float(each.drawn[number]) for each in drawn if np.isfinite(each.drawn[number])}
    own = {key: value for key, value in values.items() if not key.startswith(("serving_fit.", "gpu_power."))}
    longer = own.get("capability.horizon_min", 1.0) / plan.scenario.capability.horizon_min
    for place, model in enumerate(plan.scenario.serving.models):  # an LLM's own horizon moves along
        if model.horizon_min is not None and "capability.horizon_min" in own:
            own[f"serving.models.{place}.horizon_min"] = model.horizon_min * longer
    scenario = plan.scenario.override([Setting(key, repr(value), "--uncertain") for key, value in own.items()])
    intake = replace(plan.params.intake, bug_size_share=jnp.float32(scenario.quality.bug_size_share))
    params = replace(
        plan.params,
        seed=jnp.asarray(np.uint32(seed)),
        habits=habits_by_role(scenario, habits_of(scenario), plan.params.habits),
        intake=intake,
        site=_site(site_of_scenario(scenario), values),
    )
    backlog = plan.backlog
    if not plan.scenario.backlog.file:
        factor = scenario.backlog.size_median_min / plan.scenario.backlog.size_median_min
        backlog = replace(backlog, size_min=(backlog.size_min * factor).astype(backlog.size_min.dtype))
    return replace(plan, scenario=scenario, params=params, backlog=backlog)


def told(drawn: list[Uncertain]) -> dict[str, dict[str, Any]]:
    """Value, 80 % interval of the draws and source of each parameter; held ones have no interval."""
    document: dict[str, dict[str, Any]] = {}
    for each in drawn:
        held = not np.isfinite(each.drawn).all()
        low, high = (None, None) if held else map(float, np.quantile(each.drawn, [0.1, 0.9]))
        document[each.key] = {"value": each.value, "low": low, "high": high, "source": each.source}
    return document


def ranked(drawn: list[Uncertain], figures: pd.DataFrame) -> dict[str, Any]:
    """Rank correlation (Spearman) of each parameter with each figure, strongest first, beyond chance alone.

    Chance: 1.96 / sqrt(n - 1), which one parameter in twenty without any effect exceeds. explained: share of the
    variance of ranks that a linear regression on all parameters explains, where draws outnumber them twice.
    """
    n = len(figures)
    chance = 1.96 / math.sqrt(n - 1) if n > 1 else 1.0
    answer: dict[str, Any] = {"chance": chance, "metrics": {}}
    used = [each for each in drawn if np.isfinite(each.drawn).all() and np.ptp(each.drawn[:n]) > 0] if n else []
    if n < FEWEST or not used:
        return answer
    ranks = np.stack([_standard(each.drawn[:n]) for each in used], axis=1)
    for metric in MATTERS_TO:
        if metric not in figures or not np.isfinite(figures[metric]).all() or np.ptp(figures[metric]) <= 0:
            continue
        target = _standard(figures[metric].to_numpy(float))
        strength = ranks.T @ target / n
        order = [int(at) for at in np.argsort(-np.abs(strength)) if abs(strength[at]) > chance]
        answer["metrics"][metric] = [
            {"parameter": used[at].key, "rank_correlation": float(strength[at])} for at in order
        ]
    return answer


def _standard(values: Array) -> Array:
    """Ranks with mean 0 and standard deviation 1."""
    ranks = rankdata(values).astype(float)
    return np.asarray((ranks - ranks.mean()) / max(ranks.std(), 1e-12))


def _moved(form: str, value: float, shift: Array) -> Array:
    if form == "plus":
        return value + shift
    return np.asarray(value * np.exp(shift * (math.log(2) if form == "octaves" else 1.0)))


def _spread(text: str, form: str, scenario: Scenario) -> float:
    """A number, or the standard error that another table has; blank there: 0."""
    if text.count(":") != 2:
        return float(text or 0)
    name, row, column = text.split(":")
    table = work_tables.table(name)
    if name == "scaffolds":
        scaffold, row = scenario.workforce.scaffold, row.partition("/")[2]
        table = table[table["scaffold"] == scaffold].set_index("parameter")
    else:
        table = table.set_index(table.columns[0])

    def figure(name_of: str) -> float:
        return float(np.asarray(table.loc[[row], name_of], np.float64)[0])

    error = figure(column)
    if not math.isfinite(error):
        return 0.0
    # errors of serving are of the logarithm already; the others are absolute
    absolute = form == "times" and name != "serving_fit"
    return error / abs(figure("value" if name == "scaffolds" else "tokens")) if absolute else error


def _value(scenario: Scenario, site: Site, key: str) -> float:
    section, _, rest = key.partition(".")
    if section == "serving_fit":
        return float(np.ravel(getattr(site.serving.fit, rest))[0])
    if section == "gpu_power":
        return float(getattr(site.cluster.gpu_power, rest))
    value: Any = scenario
    for part in key.split("."):
        value = getattr(value, part)
    return float(getattr(work_tables.attempt_law(scenario.workforce.scaffold), rest) if value is None else value)


def _site(site: Site, values: Mapping[str, float]) -> Site:
    def of(section: str, around: GpuPower | ServingFit) -> dict[str, jax.Array]:
        own = {key.partition(".")[2]: value for key, value in values.items() if key.startswith(f"{section}.")}
        return {name: jnp.full_like(getattr(around, name), value) for name, value in own.items()}

    power: GpuPower = replace(site.cluster.gpu_power, **of("gpu_power", site.cluster.gpu_power))
    serving = replace(site.serving, fit=replace(site.serving.fit, **of("serving_fit", site.serving.fit)))
    return replace(site, serving=serving, cluster=replace(site.cluster, gpu_power=power))
