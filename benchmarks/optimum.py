"""Our dispatch rule against the optimum: the same day with perfect foresight as a mixed-integer program (HiGHS).

    python -m benchmarks.optimum                       every bundled scenario and the short days
    python -m benchmarks.optimum colossus2-phase1 --hours 6 --seconds 20

A run of the scenario gives the site's demand and the temperature of its second day, in means of 5 minutes. Our rule
meets that demand minute by minute, the program in steps of 5 minutes, with the same units, outages as they fell,
permits, part-load fuel, minimum loads, minimum up and down times, ramps, fuel of starts, grid contract, calls and
prices, Megapacks with the same losses and bounds and at least the same state at the end of the day. The program may use
the Megapacks down to soc_min at any time, holds no reserve and knows the future: its cost is a bound that no rule
attains. Energy not served is priced at VOLL on both sides. Both start with any units they like running.

Units of a block are equal, so the program counts those that run (clustered unit commitment, Palmintier and Webster,
"Impact of unit commitment constraints on generation expansion planning with renewables", IEEE PES 2011).
"""

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

import macrohard
from macrohard import Scenario
from macrohard.colossus import powerplant
from macrohard.colossus.clock import Clock
from macrohard.colossus.powerplant import Plant
from macrohard.colossus.supply import contract_mw, counts, grid_price, sun_mw, usable, warmth
from macrohard.colossus.units import Scalar
from macrohard.siting import site_of_scenario

VOLL = 10_000.0
"""USD per MWh not served; assumed, above any price of energy."""
STEP_MIN = 5
STEP_H = STEP_MIN / 60
MINUTE_H = 1 / 60
FIRST_H = 24
"""The day begins so long after the start of the run."""

CASES: dict[str, tuple[str, tuple[str, ...]]] = {
    **{name: (name, ()) for name in ("laptop", "server", "colocation-10mw", "colossus1", "colossus2-phase1",
                                     "colossus2-full", "colossus2-1m", "stargate-abilene")},
    "phase 1, training half": ("colossus2-phase1", ("training.share=0.5",)),
    "phase 1, four turbines out, 20 Megapacks": (
        "colossus2-phase1", ("power.sources.0.n_units=3", "power.megapack.n_units=20"),
    ),
    "phase 1, a call for all of the grid": (
        "colossus2-phase1",
        ("power.sources.0.n_units=4", "power.megapack.n_units=10",
         "power.curtailment=[{date=2026-02-02T14:00:00, hours=4, mw=30}]"),
    ),
}  # fmt: skip
"""Scenario and settings by the name of the case; the last two are short of power."""

LEFT_OUT = {"cloud-1000": "it has no plant: power is the provider's concern, and its energy is in the rent"}
"""Bundled scenarios with nothing to compare, and why."""


@dataclass(frozen=True)
class Day:
    """Demand, MW, and outdoor temperature of each step."""

    demand_mw: np.ndarray
    temperature_c: np.ndarray


@dataclass(frozen=True)
class Outcome:
    """What a day cost, what was not served, and where the energy came from."""

    energy_usd: float
    unserved_mwh: float
    grid_mwh: float
    turbine_mwh: float
    discharge_mwh: float
    starts: float
    soc_end: float

    @property
    def total_usd(self) -> float:
        """With energy not served at its price."""
        return self.energy_usd + VOLL * self.unserved_mwh


def day_of(scenario: Scenario, hours: float) -> Day:
    """The second day of a run, its first hours."""
    horizon_h = FIRST_H + hours
    bins = round(horizon_h / STEP_H)
    kept = [f"run.horizon_h={horizon_h}", "run.warmup_h=1", "run.tick_s=60", f"run.series_bins={bins}"]
    series = macrohard.run(scenario.override(kept)).series
    first = round(FIRST_H / STEP_H)
    return Day(*(series[name].to_numpy()[first:] for name in ("demand_mw", "temperature_c")))


def ruled(plant: Plant, day: Day, start_day: float, seed: int) -> tuple[Outcome, np.ndarray]:
    """The day by our rule; and how many units of each block could run in each step, shape (steps, blocks)."""
    demand, celsius = (
        jnp.asarray(np.repeat(each, STEP_MIN), jnp.float32) for each in (day.demand_mw, day.temperature_c)
    )
    read, able, soc = _minutes(plant, demand, celsius, jnp.float32(start_day), jnp.uint32(seed))
    sums = {name: float(np.sum(np.asarray(value, np.float64))) for name, value in read.items()}
    energy = {name: each * MINUTE_H for name, each in sums.items()}
    steps = np.asarray(able).reshape(len(able) // STEP_MIN, STEP_MIN, able.shape[1]).min(axis=1)
    return Outcome(
        energy["usd"], energy["unserved"], energy["grid"], energy["turbine"], energy["discharge"], sums["starts"],
        float(soc),
    ), steps  # fmt: skip


@jax.jit
def _minutes(
    plant: Plant, demand_mw: jax.Array, celsius: jax.Array, start_day: jax.Array, seed: jax.Array
) -> tuple[dict[str, jax.Array], jax.Array, jax.Array]:
    def minute(
        state: powerplant.PlantState, at: tuple[jax.Array, jax.Array, jax.Array]
    ) -> tuple[powerplant.PlantState, tuple[dict[str, Scalar], jax.Array]]:
        number, load_mw, outdoor_c = at
        clock = _clock(number, start_day, seed)
        offered = powerplant.offer(plant, state, load_mw, 0.0, outdoor_c, clock, MINUTE_H)
        after, read = powerplant.meet(plant, state, offered, load_mw, load_mw, MINUTE_H)
        can_run = (1 - after.units.out) * usable(plant.units, clock)
        kept = {
            "usd": read.energy_usd_per_h, "unserved": read.unserved_mw, "grid": read.grid_mw,
            "turbine": read.turbine_mw, "discharge": jnp.maximum(read.battery_mw, 0.0), "starts": read.n_starts,
        }  # fmt: skip
        return after, (kept, counts(can_run))

    numbers = FIRST_H * 60 + jnp.arange(demand_mw.shape[0], dtype=jnp.int32)
    first = powerplant.start(plant, _clock(numbers[0], start_day, seed))
    last, (kept, able) = jax.lax.scan(minute, first, (numbers, demand_mw, celsius))
    return kept, able, last.soc


def _clock(number: jax.Array, start_day: jax.Array, seed: jax.Array) -> Clock:
    hour = (number + 0.5) * MINUTE_H
    return Clock(hour, hour % 24, (start_day + jnp.floor(hour / 24)) % 365, number, seed)


class Program:
    """Rows and columns of a mixed-integer program, put together name by name; a column array has shape (steps, ...)."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.cost: list[np.ndarray] = []
        self.low: list[np.ndarray] = []
        self.high: list[np.ndarray] = []
        self.whole: list[np.ndarray] = []
        self.n_columns = self.n_rows = 0
        self.entries: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self.row_low: list[np.ndarray] = []
        self.row_high: list[np.ndarray] = []

    def column(
        self, shape: tuple[int, ...], cost: object, low: object, high: object, whole: bool = False
    ) -> np.ndarray:
        """New variables; their places."""
        size = int(np.prod(shape))
        for kept, value in ((self.cost, cost), (self.low, low), (self.high, high), (self.whole, float(whole))):
            kept.append(np.broadcast_to(np.asarray(value, float), shape).ravel())
        places = np.arange(self.n_columns, self.n_columns + size).reshape(shape)
        self.n_columns += size
        return places

    def rows(self, terms: Sequence[tuple[np.ndarray, object]], low: object, high: object) -> None:
        """low <= sum of coefficient * variable <= high, element by element; all terms have one shape."""
        shape = terms[0][0].shape
        size = int(np.prod(shape))
        numbers = np.arange(self.n_rows, self.n_rows + size)
        for places, factor in terms:
            self.entries.append((numbers, places.ravel(), np.broadcast_to(np.asarray(factor, float), shape).ravel()))
        self.row_low.append(np.broadcast_to(np.asarray(low, float), shape).ravel())
        self.row_high.append(np.broadcast_to(np.asarray(high, float), shape).ravel())
        self.n_rows += size

    def sums(self, windows: np.ndarray, high_of: np.ndarray, sign: float, high: np.ndarray, n_back: int) -> None:
        """Sum of a column over the last n_back steps + sign * another <= high, shape (steps, blocks)."""
        size = windows.size
        numbers = np.arange(self.n_rows, self.n_rows + size).reshape(windows.shape)
        for back in range(n_back):
            self.entries.append(
                (
                    numbers[back:].ravel(),
                    windows[: len(windows) - back].ravel(),
                    np.ones(size - back * windows.shape[1]),
                )
            )
        self.entries.append((numbers.ravel(), high_of.ravel(), np.full(size, sign)))
        self.row_low.append(np.full(size, -np.inf))
        self.row_high.append(high.ravel())
        self.n_rows += size

    def solve(self, seconds: float, gap: float) -> tuple[np.ndarray, float]:
        """The best point found and the bound that none is below; ValueError if there is none."""
        row, place, value = (np.concatenate(each) for each in zip(*self.entries, strict=True))
        matrix = coo_array((value, (row, place)), shape=(self.n_rows, self.n_columns)).tocsc()
        found = milp(
            np.concatenate(self.cost),
            integrality=np.concatenate(self.whole),
            bounds=Bounds(np.concatenate(self.low), np.concatenate(self.high)),
            constraints=LinearConstraint(matrix, np.concatenate(self.row_low), np.concatenate(self.row_high)),
            options={"time_limit": seconds, "mip_rel_gap": gap},
        )
        if found.x is None:
            raise ValueError(f"no plan found: {found.message}; give more --seconds")
        bound = found.mip_dual_bound if found.mip_dual_bound is not None else found.fun
        return found.x, float(bound)


def best(
    plant: Plant, day: Day, able: np.ndarray, start_day: float, soc_end: float, seconds: float, gap: float
) -> tuple[Outcome, float]:
    """The day by the program; and the bound on its total, USD."""
    n = len(day.demand_mw)
    blocks, battery, grid = (jax.tree.map(np.asarray, part) for part in (plant.blocks, plant.battery, plant.grid))
    units = jax.tree.map(np.asarray, plant.units)
    used = np.flatnonzero(able.max(axis=0) > 0)
    able = able[:, used]
    minutes = FIRST_H * 60 + jnp.arange(n * STEP_MIN, dtype=jnp.int32)
    clocks = jax.vmap(_clock, (0, None, None))(minutes, jnp.float32(start_day), jnp.uint32(0))

    def by_step(of_minute: Callable[[Clock], jax.Array | float]) -> np.ndarray:
        return np.asarray(jax.vmap(of_minute)(clocks)).reshape(n, STEP_MIN).mean(axis=1)

    price = by_step(lambda clock: grid_price(plant.grid, clock))
    contract = by_step(lambda clock: contract_mw(plant.grid, clock.hour, MINUTE_H))
    light_mw = by_step(lambda clock: sun_mw(plant.solar, clock))

    def figure(name: str) -> np.ndarray:
        return np.asarray(getattr(blocks, name), float)[used][None, :]

    def of_unit(name: str) -> np.ndarray:
        return np.asarray(getattr(units, name), float)[used, 0][None, :]

    most = figure("p_nom_mw") * np.asarray(warmth(figure("derate_per_k"), day.temperature_c[:, None]))
    least = np.minimum(figure("least_mw"), most)
    gas = figure("gas_usd_per_mmbtu")
    run_usd = figure("no_load_mmbtu_per_h") * gas
    mwh_usd = figure("mmbtu_per_mwh") * gas + figure("om_usd_per_mwh")
    start_usd = run_usd * of_unit("sync_h")
    lost = np.maximum(-np.diff(able, axis=0, prepend=able[:1]), 0)

    plan = Program()
    shape = able.shape
    on = plan.column(shape, run_usd * STEP_H, 0, able, whole=True)
    up = plan.column(shape, start_usd, 0, able)
    down = plan.column(shape, 0, 0, np.inf)
    p = plan.column(shape, mwh_usd * STEP_H, 0, np.inf)
    g = plan.column((n,), price * STEP_H, 0, contract)
    sun_usd_per_mwh = plant.solar.om_usd_per_mwh if plant.solar else 0.0
    sun = plan.column((n,), float(sun_usd_per_mwh) * STEP_H, 0, light_mw)
    power = float(battery.power_mw)
    charge, discharge = (plan.column((n,), 0, 0, power) for _ in range(2))
    energy = float(battery.energy_mwh) * (1 - float(battery.fade_per_year) * FIRST_H / 8760)
    low = np.full(n, float(battery.soc_min) * energy)
    low[-1] = soc_end * energy
    held = plan.column((n,), 0, low, float(battery.soc_max) * energy)
    short = plan.column((n,), VOLL * STEP_H, 0, day.demand_mw)

    plan.rows([(p, 1), (on, -most)], -np.inf, 0)
    plan.rows([(p, 1), (on, -least)], 0, np.inf)
    plan.rows([(on[1:], 1), (on[:-1], -1), (up[1:], -1), (down[1:], 1)], 0, 0)
    ramp = of_unit("ramp_mw_per_h") * STEP_H
    plan.rows([(p[1:], 1), (p[:-1], -1), (on[:-1], -ramp), (up[1:], -least[1:])], -np.inf, 0)
    plan.rows([(p[:-1], 1), (p[1:], -1), (on[1:], -ramp), (down[1:], -most[:-1])], -np.inf, 0)
    for block in range(shape[1]):
        cells = np.s_[:, block : block + 1]
        n_up = max(round(float(of_unit("min_up_h")[0, block]) / STEP_H), 1)
        n_down = max(round(float(of_unit("min_down_h")[0, block]) / STEP_H), 1)
        gone = lost[cells]
        windowed = np.convolve(gone[:, 0], np.ones(n_up))[:n, None]
        plan.sums(up[cells], on[cells], -1, windowed, n_up)
        plan.sums(down[cells], on[cells], 1, able[cells] + np.convolve(gone[:, 0], np.ones(n_down))[:n, None], n_down)
    grid_ramp = float(grid.ramp_mw_per_h) * STEP_H
    plan.rows([(g[1:], 1), (g[:-1], -1)], -np.maximum(grid_ramp, -np.diff(contract)), grid_ramp)
    e_in, e_out = float(battery.efficiency_store) * STEP_H, STEP_H / float(battery.efficiency_dispatch)
    plan.rows([(held[:1], 1), (charge[:1], -e_in), (discharge[:1], e_out)], *[float(battery.soc_start) * energy] * 2)
    plan.rows([(held[1:], 1), (held[:-1], -1), (charge[1:], -e_in), (discharge[1:], e_out)], 0, 0)
    sources = [(p[:, block], 1) for block in range(shape[1])]
    plan.rows([*sources, (g, 1), (sun, 1), (discharge, 1), (charge, -1), (short, 1)], day.demand_mw, day.demand_mw)

    x, bound = plan.solve(seconds, gap)
    total = float(np.concatenate(plan.cost) @ x)
    unserved = float(x[short].sum() * STEP_H)
    return Outcome(
        total - VOLL * unserved, unserved, float(x[g].sum() * STEP_H), float(x[p].sum() * STEP_H),
        float(x[discharge].sum() * STEP_H), float(x[up][1:].sum()), float(x[held][-1] / energy) if energy else 0.0,
    ), bound  # fmt: skip


def compare(name: str, hours: float, seconds: float, gap: float) -> Mapping[str, object]:
    """One case: our rule, the program, and the difference."""
    scenario_name, settings = CASES[name]
    scenario = Scenario.load(scenario_name, list(settings))
    plant = site_of_scenario(scenario).plant
    start_day = scenario.run.start.timetuple().tm_yday - 1
    day = day_of(scenario, hours)
    ours, able = ruled(plant, day, start_day, scenario.run.seed)
    began = time.perf_counter()
    theirs, bound = best(plant, day, able, start_day, ours.soc_end, seconds, gap)
    return {
        "case": name, "load_mean_mw": float(day.demand_mw.mean()), "load_peak_mw": float(day.demand_mw.max()),
        "rule_usd": ours.energy_usd, "optimum_usd": theirs.energy_usd,
        "rule_unserved_mwh": ours.unserved_mwh, "optimum_unserved_mwh": theirs.unserved_mwh,
        "above_optimum": ours.total_usd / theirs.total_usd - 1, "above_bound": ours.total_usd / bound - 1,
        "energy_above_optimum": ours.energy_usd / theirs.energy_usd - 1,
        "rule": ours.__dict__, "optimum": theirs.__dict__, "solve_s": time.perf_counter() - began,
    }  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", help=", ".join([*CASES, *LEFT_OUT]))
    parser.add_argument("--hours", type=float, default=24.0, help="of the day")
    parser.add_argument("--seconds", type=float, default=60.0, help="most that the solver may take for a case")
    parser.add_argument("--gap", type=float, default=2e-3, help="the solver ends this near its bound")
    asked = parser.parse_args()
    for case in asked.cases or [*CASES, *LEFT_OUT]:
        is_out = case in LEFT_OUT
        row = (
            {"case": case, "left_out": LEFT_OUT[case]}
            if is_out
            else compare(case, asked.hours, asked.seconds, asked.gap)
        )
        print(json.dumps(row), flush=True)
