"""How often the power of a scenario would be short in a year, over many years of outages; and what N-1 leaves."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import jax
import jax.numpy as jnp
import numpy as np

from macrohard.colossus.climate import temperature_c
from macrohard.colossus.clock import Clock
from macrohard.colossus.cluster import COMPLETE_H, Cluster, build_up_mw, fleet, swing_reserve_mw, training_it_mw
from macrohard.colossus.cooling import site_mw
from macrohard.colossus.reliability import Adequacy, adequacy, margin_mw
from macrohard.colossus.units import H_PER_YEAR, S_PER_H
from macrohard.scenario import Scenario
from macrohard.siting import site_of_scenario

HOURS = 8760


@dataclass(frozen=True)
class Margin:
    """What grid and units carry without Megapacks and what the site takes, MW, in one case."""

    case: str
    carries_mw: float
    takes_mw: float

    @property
    def margin_mw(self) -> float:
        """Below 0: Megapacks or a cap must help, or something goes unserved."""
        return self.carries_mw - self.takes_mw


@dataclass(frozen=True)
class Reliability:
    """Adequacy of the plant for the site's load through the year, what N-1 leaves, and what of the GPUs is up."""

    name: str
    load_share: float
    load_mean_mw: float
    load_peak_mw: float
    pue_mean: float
    pue_highest: float
    years: float
    n_seeds: int
    swing_reserve_mw: float
    gpus_up_share: float
    adequacy: Adequacy
    margins: tuple[Margin, ...]

    def document(self) -> dict[str, object]:
        """As plain values by name."""
        margins = {each.case: asdict(each) | {"margin_mw": each.margin_mw} for each in self.margins}
        return asdict(self) | {"margins": margins}


def reliability(
    scenario: Scenario, *, load_share: float = 0.85, years: float = 1.0, n_seeds: int = 16, tick_s: float = 60.0
) -> Reliability:
    """The site with its IT at load_share of the build-up at the GPUs' limit, round the clock, cooled by the hour.

    0.85 is what a busy fleet draws (GPUs at 0.77 to 0.88 of their limit). The battery refills as the plant's policy
    has it; half of the swing of training is kept from dispatch. Seeds are those of run.seed on.
    """
    site = site_of_scenario(scenario)
    cluster, plant = site.cluster, site.plant
    complete = fleet(cluster, COMPLETE_H)
    rated_mw = float(build_up_mw(cluster, complete.n_gpus)) * (1 + float(cluster.overhead))
    it_mw, auxiliary_mw = load_share * rated_mw, float(plant.battery.auxiliary_mw)
    start_day = scenario.run.start.timetuple().tm_yday - 1
    by_hour = np.asarray(_site_by_hour(cluster, it_mw, rated_mw, start_day, scenario.run.seed))
    held_mw = float(swing_reserve_mw(cluster, training_it_mw(cluster, complete.n_training)))
    ticks_per_h = round(S_PER_H / tick_s)
    found = adequacy(
        plant,
        np.repeat(by_hour + auxiliary_mw, ticks_per_h),
        years=years,
        n_seeds=n_seeds,
        dt_h=1 / ticks_per_h,
        climate=cluster.climate,
        start_day=start_day,
        first_seed=scenario.run.seed,
        held_mw=held_mw,
    )

    def margins() -> Iterator[Margin]:
        for case, n_out, celsius in (
            ("whole, 15 C", 0, 15.0),
            ("largest unit out, 15 C", 1, 15.0),
            ("whole, 35 C", 0, 35.0),
            ("largest unit out, 35 C", 1, 35.0),
        ):
            takes_mw = float(site_mw(cluster.cooling, it_mw, rated_mw, celsius)) + auxiliary_mw
            carries_mw = margin_mw(plant, 0.0, n_out=n_out, celsius=celsius, until_h=years * H_PER_YEAR)
            yield Margin(case, carries_mw, takes_mw)

    return Reliability(
        name=scenario.name,
        load_share=load_share,
        load_mean_mw=float(by_hour.mean()) + auxiliary_mw,
        load_peak_mw=float(by_hour.max()) + auxiliary_mw,
        pue_mean=float(by_hour.mean()) / it_mw if it_mw else 1.0,
        pue_highest=float(by_hour.max()) / it_mw if it_mw else 1.0,
        years=years,
        n_seeds=n_seeds,
        swing_reserve_mw=held_mw,
        gpus_up_share=float(cluster.available_share),
        adequacy=found,
        margins=tuple(margins()),
    )


def _site_by_hour(cluster: Cluster, it_mw: float, rated_mw: float, start_day: int, seed: int) -> jax.Array:
    """Site power in each hour of a year, MW."""
    hour = jnp.arange(HOURS) + 0.5
    clock = Clock(hour, hour % 24, (start_day + jnp.floor(hour / 24)) % 365, jnp.int32(0), jnp.uint32(seed))
    return jnp.asarray(site_mw(cluster.cooling, it_mw, rated_mw, temperature_c(cluster.climate, clock)))
