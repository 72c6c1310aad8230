"""Speed of the power plant alone: a year of 60 s ticks, one plant and a batch of them.

    python -m benchmarks.plant_year [LANES] [DAYS]

Prints, per size of plant: seconds of a warm year of one plant and of a batch, and microseconds a lane and tick; wall
and CPU. DAYS shortens the year for a look; seconds are scaled to a whole year then.
"""

import argparse
import json
import os
import time
from collections.abc import Callable

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_max_isa=AVX")  # as runs are made, whatever the shell

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.plant_loop import NAMES, batched, through
from macrohard.colossus.climate import Climate
from macrohard.colossus.plant_builder import plant_of
from macrohard.colossus.powerplant import Plant

TICKS_PER_DAY = 1440
DT_H = 1 / 60
KINDS = ("smt130", "titan350", "pe6000", "recip")


def groups(n_units: int) -> list[dict[str, object]]:
    """Twelve groups of units, no two alike."""
    return [{"kind": kind, "n_units": n_units, "p_nom_mw": mw} for kind in KINDS for mw in (4.0, 6.0, 8.0)]


SIZES: dict[str, tuple[list[dict[str, object]], float, float]] = {
    "7 units": ([{"kind": "titan350", "n_units": 7}], 30.0, 168),
    "12 groups": (groups(1), 30.0, 168),
    "12 groups of 3": (groups(3), 30.0, 168),
    "41 units": (
        [{"kind": "smt130", "n_units": 17}, {"kind": "titan350", "n_units": 16}, {"kind": "pe6000", "n_units": 8}],
        30.0, 600,
    ),
}  # fmt: skip
"""Sources, grid MW and Megapacks."""


def load_of(plant: Plant, seed: int, n_days: int = 7) -> np.ndarray:
    """A restless load, MW by tick, of two thirds of the rating on average."""
    rng = np.random.default_rng(seed)
    rating = float(plant.units.p_nom_mw.sum()) + float(plant.grid.contract_mw)
    hours = np.arange(n_days * TICKS_PER_DAY) / 60
    daily = 0.65 + 0.1 * np.cos(2 * np.pi * (hours - 15) / 24)
    steps = np.repeat(rng.uniform(-0.05, 0.05, n_days * 24), 60)
    return np.asarray(rating * (daily + steps + rng.normal(0, 0.005, len(hours))), np.float32)


def timed(act: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds of the second of two calls."""
    act()
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - wall, time.process_time() - cpu


def measure(name: str, lanes: int, days: int) -> dict[str, object]:
    """One size of plant."""
    sources, grid_mw, packs = SIZES[name]
    plant = plant_of(sources, {"n_units": packs}, grid_mw=grid_mw)
    plant = jax.tree.map(lambda leaf: jnp.asarray(leaf, None if hasattr(leaf, "dtype") else jnp.float32), plant)
    n_ticks, scale = days * TICKS_PER_DAY, 365 / days
    load = jnp.asarray(load_of(plant, 0))
    seed, climate = jnp.uint32(1), Climate()
    single = timed(lambda: through(plant, load, climate, seed, n_ticks, DT_H)[1].block_until_ready())
    batch = batched([plant] * lanes)
    loads = jnp.asarray(np.stack([load_of(plant, lane) for lane in range(lanes)], axis=1))
    seeds = jnp.arange(lanes, dtype=jnp.uint32)
    crowd = timed(lambda: through(batch, loads, climate, seeds, n_ticks, DT_H)[1].block_until_ready())
    sums = dict(zip(NAMES, np.asarray(through(plant, load, climate, seed, n_ticks, DT_H)[1]).tolist(), strict=True))
    return {
        "plant": name, "days": days, "lanes": lanes,
        "year_wall_s": single[0] * scale, "year_cpu_s": single[1] * scale,
        "batch_year_wall_s": crowd[0] * scale, "batch_year_cpu_s": crowd[1] * scale,
        "us_a_tick": single[0] / n_ticks * 1e6, "us_a_lane_and_tick": crowd[0] / n_ticks / lanes * 1e6,
        "residual_share": sums["residual_mwh"] / sums["load_mwh"], "unserved_mwh": sums["unserved_mwh"],
    }  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lanes", type=int, nargs="?", default=256)
    parser.add_argument("days", type=int, nargs="?", default=365)
    asked = parser.parse_args()
    for size in SIZES:
        print(json.dumps(measure(size, asked.lanes, asked.days)), flush=True)
