"""Sub-second power swings of a scenario, up the ladder of what smooths them, and the Megapack power that takes."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass

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


@dataclass(frozen=True)
class Rung:
    """One way of smoothing. megapack_mw: most they give or take; extra_share: energy burnt over that of the job."""

    name: str
    site_mw: Series
    verdict: Verdict
    megapack_mw: float
    extra_share: float


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
    megapacks_mw: float
    reserve_mw: float
    slow_model_mw: float
    wall_s: float

    def document(self) -> dict[str, object]:
        """Figures of all rungs, without the series."""
        seconds = len(self.rungs[0].site_mw) * self.dt_s
        return {
            "scenario": self.name, "seconds": seconds, "dt_s": self.dt_s, "training_mw": self.full_mw,
            "serving_mw": self.serving_mw, "training_share": self.training_share, "swing": self.swing,
            "megapacks_mw": self.megapacks_mw, "reserve_mw": self.reserve_mw,
            "slow_model_reserve_mw": self.slow_model_mw,
            "simulated_s_per_s": seconds / self.wall_s, "habits": asdict(self.habits),
            "ladder": [
                {"name": each.name, **asdict(each.verdict), "passes": each.verdict.passes,
                 "megapack_mw": each.megapack_mw, "extra_energy_share": each.extra_share}
                for each in self.rungs
            ],
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
    other = law.serving(habits, calm, seconds, dt_s, seed) + around
    unit_mw = _megapack_mw(scenario)
    rungs = tuple(_rung(name, steps, habits, job, other, full, unit_mw, dt_s) for name, steps in law.LADDER.items())
    return Swings(
        scenario.name, dt_s, full, calm, share, swing, habits, rungs, unit_mw, rungs[-1].megapack_mw, swing * full / 2,
        time.perf_counter() - began,
    )  # fmt: skip


def _rung(name: str, steps: tuple[str, ...], habits: Habits, job: Series, other: Series, full: float,
          megapacks_mw: float, dt_s: float) -> Rung:  # fmt: skip
    smoothed = job
    if "filler" in steps:
        smoothed = law.filled(habits, smoothed, full, dt_s)
    if "gpu" in steps:
        smoothed = law.gpu_smoothed(habits, smoothed, full, dt_s)
    extra = float(smoothed.mean() / job.mean()) - 1 if job.mean() > 0 else 0.0
    if "shelf" in steps:
        smoothed = law.shelved(habits, smoothed, full, dt_s)
    site, given = smoothed + other, np.zeros_like(job)
    if "megapack" in steps:
        site, given = law.bridged(habits, site, megapacks_mw, dt_s)
    return Rung(name, site, law.judged(habits, site, dt_s), float(np.abs(given).max()), extra)


def _megapack_mw(scenario: Scenario) -> float:
    pack = scenario.power.megapack
    return pack.n_units * float(row_named("batteries", pack.kind, "power.megapack.kind")["power_mw"])
