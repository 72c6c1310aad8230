"""Sub-second power swings of a scenario, up the ladder of what smooths them, and the Megapack power that takes."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np

from macrohard.colossus import swings as law
from macrohard.colossus.cluster import rack_it_mw
from macrohard.colossus.cooling import site_mw
from macrohard.colossus.swings import Habits, Series, Verdict
from macrohard.colossus.tables import row_named
from macrohard.scenario import Scenario
from macrohard.siting import site_of_scenario

DEFAULT_SHARE = 0.5
"""Share of the GPUs that train where the scenario has none that do, so that there is something to see (A)."""
SERVING_SHARE = 0.8
"""Mean power of serving GPUs over their limit in this minute (A); the slow model has it exactly."""

NEAR_ENOUGH = 0.01
"""What would pass is found to a hundredth of itself."""
SEARCHED_S = 120.0
"""Searches look at the first stretch of this length, with two checkpoints, however long the whole is: cost."""
TRIED = 10
"""Steps of a search from the table's value to its limit."""
AMPLE: Mapping[str, float] = {"shelf_share": 1.0, "shelf_store_s": 600.0}
"""Shelf storage without limits of its own, so that a search finds what it has to hold; the used part is reported."""
SEARCHES: tuple[tuple[str, tuple[str, ...], str, float, Mapping[str, float]], ...] = (
    ("all, Megapacks faster", law.LADDER["all"], "megapack_response_s", 0.0, {}),
    ("all, GPUs ramp slower", law.LADDER["all"], "gpu_ramp_share_per_s", 0.005, {}),
    ("all, more filler", law.LADDER["all"], "filler_share", 1.0, {}),
    ("all, larger shelves", law.LADDER["all"], "shelf_s", 60.0, AMPLE),
    ("all but Megapacks, larger shelves", ("filler", "gpu", "shelf"), "shelf_s", 60.0, AMPLE),
    ("larger shelves alone", ("shelf",), "shelf_s", 60.0, AMPLE),
    ("the same, in serving racks too", ("shelf", "serving shelf"), "shelf_s", 60.0, AMPLE),
    ("Megapacks alone, faster", ("megapack",), "megapack_response_s", 0.0, {}),
)
"""Combinations, the figure that is moved, how far at most, and what is changed besides."""


@dataclass(frozen=True)
class Rung:
    """One way of smoothing. extra_share: energy burnt over that of the job. megapack and shelf: most power given or

    taken, and the energy between their fullest and their emptiest.
    """

    name: str
    site_mw: Series
    verdict: Verdict
    extra_share: float
    megapack_mw: float
    megapack_mwh: float
    shelf_mw: float
    shelf_mwh: float

    def document(self) -> dict[str, object]:
        """All but the series."""
        return {
            "name": self.name, **asdict(self.verdict), "passes": self.verdict.passes,
            "extra_energy_share": self.extra_share, "megapack_mw": self.megapack_mw, "megapack_mwh": self.megapack_mwh,
            "shelf_mw": self.shelf_mw, "shelf_mwh": self.shelf_mwh,
        }  # fmt: skip


@dataclass(frozen=True)
class Need:
    """What a combination would take to pass: the figure moved, from the table's value to the nearest that passes.

    to: None if nothing tried between the table's value and the limit of the search does. rung: the combination there,
    or at the limit.
    """

    name: str
    figure: str
    table: float
    limit: float
    to: float | None
    rung: Rung

    def document(self) -> dict[str, object]:
        """All but the series."""
        return {"name": self.name, "figure": self.figure, "table": self.table, "limit": self.limit, "to": self.to,
                "at": self.rung.document()}  # fmt: skip


@dataclass(frozen=True)
class Swings:
    """All rungs of a scenario. reserve_mw: Megapack power the last rung takes. slow_model_mw: what ticks keep back."""

    name: str
    dt_s: float
    full_mw: float
    serving_mw: float
    training_share: float
    swing: float
    habits: Habits
    rungs: tuple[Rung, ...]
    needs: tuple[Need, ...]
    megapacks_mw: float
    reserve_mw: float
    slow_model_mw: float
    wall_s: float

    @property
    def seconds(self) -> float:
        """Length of the stretch."""
        return len(self.rungs[0].site_mw) * self.dt_s

    @property
    def searched_s(self) -> float:
        """How much of it, from the start, the searches looked at."""
        return min(self.seconds, SEARCHED_S)

    def document(self) -> dict[str, object]:
        """Figures of all rungs, without the series."""
        seconds = self.seconds
        return {
            "scenario": self.name, "seconds": seconds, "dt_s": self.dt_s, "training_mw": self.full_mw,
            "serving_mw": self.serving_mw, "training_share": self.training_share, "swing": self.swing,
            "megapacks_mw": self.megapacks_mw, "reserve_mw": self.reserve_mw,
            "slow_model_reserve_mw": self.slow_model_mw,
            "simulated_s_per_s": seconds / self.wall_s, "habits": asdict(self.habits),
            "ladder": [each.document() for each in self.rungs],
            "searched_s": self.searched_s, "would_pass": [each.document() for each in self.needs],
        }  # fmt: skip


def swings(scenario: Scenario, seconds: float = 120.0, dt_s: float = 0.01, seed: int = 1,
           share: float | None = None, swing: float | None = None,
           changed: Mapping[str, float] | None = None) -> Swings:  # fmt: skip
    """Throws a stretch of the scenario's power at dt_s and smooths it in every way of the ladder."""
    began = time.perf_counter()
    habits = law.habits(**(changed or {}))
    cluster = site_of_scenario(scenario).cluster
    share = share if share is not None else scenario.training.share or DEFAULT_SHARE
    swing = scenario.training.swing if swing is None else swing
    gpu, n = cluster.gpu_power, scenario.cluster.n_gpus
    full = float(rack_it_mw(cluster, share * n, gpu.limit_w * gpu.training))
    calm = float(rack_it_mw(cluster, (1 - share) * n, gpu.limit_w * SERVING_SHARE))
    rated = float(rack_it_mw(cluster, n, gpu.limit_w))
    around = float(site_mw(cluster.cooling, full + calm, rated, scenario.cluster.climate.mean_c)) - full - calm
    job = law.training(habits, full, swing, seconds, dt_s, seed)
    calm_mw = law.serving(habits, calm, seconds, dt_s, seed)
    scene = Scene(job, calm_mw, around, full, calm, _megapack_mw(scenario), dt_s)
    rungs = tuple(smoothed(scene, name, steps, habits) for name, steps in law.LADDER.items())
    wall_s = time.perf_counter() - began
    start = scene.first(SEARCHED_S)
    needs = tuple(needed(start, habits, *each) for each in SEARCHES)
    return Swings(
        scenario.name, dt_s, full, calm, share, swing, habits, rungs, needs, scene.megapacks_mw, rungs[-1].megapack_mw,
        swing * full / 2, wall_s,
    )  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """What is to be smoothed: training and serving racks, MW; all else; their full powers; the Megapacks' rating."""

    job_mw: Series
    serving_mw: Series
    other_mw: float
    full_mw: float
    calm_mw: float
    megapacks_mw: float
    dt_s: float

    def first(self, seconds: float) -> "Scene":
        """The first stretch of it."""
        n = round(seconds / self.dt_s)
        return replace(self, job_mw=self.job_mw[:n], serving_mw=self.serving_mw[:n])


def smoothed(scene: Scene, name: str, steps: tuple[str, ...], habits: Habits) -> Rung:
    """The site's power after some of the smoothers, from the chip outwards."""
    dt_s, full, job = scene.dt_s, scene.full_mw, scene.job_mw
    drawn = job
    if "filler" in steps:
        drawn = law.filled(habits, drawn, full, dt_s)
    if "gpu" in steps:
        drawn = law.gpu_smoothed(habits, drawn, full, dt_s)
    extra = float(drawn.mean() / job.mean()) - 1 if job.mean() > 0 else 0.0
    shelf = packs = np.zeros_like(job)
    if "shelf" in steps:
        drawn, shelf = law.shelved(habits, drawn, full, dt_s)
    serving = scene.serving_mw
    if "serving shelf" in steps:
        serving, more = law.shelved(habits, serving, scene.calm_mw, dt_s)
        shelf = shelf + more
    site = drawn + serving + scene.other_mw
    if "megapack" in steps:
        site, packs = law.bridged(habits, site, scene.megapacks_mw, dt_s)
    return Rung(name, site, law.judged(habits, site, dt_s), extra, _most(packs), law.store_mwh(packs, dt_s),
                _most(shelf), law.store_mwh(shelf, dt_s))  # fmt: skip


def needed(scene: Scene, habits: Habits, name: str, steps: tuple[str, ...], figure: str, limit: float,
           besides: Mapping[str, float]) -> Need:  # fmt: skip
    """Moves one figure from the table's value towards a limit, no farther than it takes to pass.

    In steps of equal ratio up to the first that passes, then by bisection: more of a smoother can fail again, since the
    share of energy in the band grows where the rest vanishes. besides: figures that the search changes too.
    """
    table = float(getattr(habits, figure))
    limit = max(limit, habits.megapack_delay_s + scene.dt_s) if figure == "megapack_response_s" else limit

    def at(value: float) -> Rung:
        return smoothed(scene, name, steps, replace(habits, **{**besides, figure: value}))

    values = [float(each) for each in np.geomspace(table, limit, TRIED)]
    tried = [(value, at(value)) for value in values[:1]]
    for value in values[1:]:
        if tried[-1][1].verdict.passes:
            break
        tried.append((value, at(value)))
    (far, best), near = tried[-1], tried[-2][0] if len(tried) > 1 else table
    if not best.verdict.passes:
        return Need(name, figure, table, limit, None, best)
    while abs(np.log(far / near)) > NEAR_ENOUGH:
        middle = float(np.sqrt(far * near))
        rung = at(middle)
        far, best, near = (middle, rung, near) if rung.verdict.passes else (far, best, middle)
    return Need(name, figure, table, limit, far, best)


def _most(given_mw: Series) -> float:
    return float(np.abs(given_mw).max())


def _megapack_mw(scenario: Scenario) -> float:
    pack = scenario.power.megapack
    return pack.n_units * float(row_named("batteries", pack.kind, "power.megapack.kind")["power_mw"])
