"""The same microgrid in Vessim and here: load, grid limit and battery through a year of 60 s steps.

    python -m benchmarks.vessim_peer [--days 365] [--lanes 256]

Vessim (https://github.com/dos-group/vessim) co-simulates computing and energy in Python, one object after the other.
Both serve one load from a grid up to its contract; the battery gives what lies above, down to its least charge, and
refills at a constant rate from what the grid can spare. Vessim's own components do it, steered by a policy of a few
lines, which also adds the energy up. Its SimpleBattery has no losses and no ramps, so ours has none here. Prints the
energies of both, their largest difference as a share of the load, steps a second of both, warm, and of a batch of ours
with another load in every lane.
"""

import argparse
import json
import os
import time
from typing import Any

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_max_isa=AVX")  # as runs are made, whatever the shell

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import vessim

from benchmarks.plant_loop import NAMES, batched, through
from macrohard.colossus.climate import Climate
from macrohard.colossus.plant_builder import plant_of
from macrohard.colossus.powerplant import Plant, PlantState

STEP_S = 60
STEP_H = STEP_S / 3600
GRID_MW, POWER_MW, ENERGY_MWH = 110.0, 60.0, 240.0
SOC_START, SOC_MIN, REFILL_H = 0.5, 0.1, 4.0
REFILL_MW = (1 - SOC_MIN) * ENERGY_MWH / REFILL_H
W = 1e6


def load_of(days: int, seed: int) -> np.ndarray:
    """MW by step: 100 MW on average, 12 MW higher in the afternoon than at night, spells and noise on top."""
    rng = np.random.default_rng(seed)
    steps = np.arange(days * 1440)
    daily = 6 * np.cos(2 * np.pi * (steps / 60 - 15) / 24)
    spells = np.repeat(rng.uniform(-5, 5, days * 24), 60)
    load = 100 + daily + spells + rng.normal(0, 1, len(steps))
    return np.asarray(np.clip(load, 60, GRID_MW + 20), np.float32)


class GridFirst(vessim.DispatchPolicy):
    """Grid up to its contract, battery above it; refills from what is spare. Adds up what flowed, Wh."""

    def __init__(self) -> None:
        """Nothing has flowed."""
        self.grid_wh = self.charge_wh = self.discharge_wh = 0.0

    def apply(self, p_delta: float, duration: float, dispatchables: list[Any], grid_signals: Any = None) -> None:
        """Sets both powers; the grid takes the exact rest."""
        battery, grid = dispatchables
        least, most = battery.feasible_range(duration)
        spare = GRID_MW * W + p_delta
        power = max(spare, least) if spare < 0 else min(spare, REFILL_MW * W, most)
        battery.set_power(power, duration)
        rest = p_delta - power
        grid.set_power(rest, duration)
        hours = duration / 3600
        self.grid_wh -= rest * hours
        if power > 0:
            self.charge_wh += power * hours
        else:
            self.discharge_wh -= power * hours


def theirs(load_mw: np.ndarray) -> tuple[dict[str, float], float]:
    """Energies, MWh, and the state of charge at the end by Vessim; and its seconds."""
    environment = vessim.Environment(sim_start="2026-01-01", step_size=STEP_S)
    offsets = np.arange(len(load_mw)) * STEP_S
    trace = vessim.Trace(pd.Series(load_mw.astype(float) * W, index=offsets))
    battery = vessim.SimpleBattery("battery", ENERGY_MWH * W, SOC_START, SOC_MIN, POWER_MW / ENERGY_MWH)
    policy = GridFirst()
    environment.add_microgrid(
        [vessim.Consumer("site", trace)], [battery, vessim.GridConnection(max_import=GRID_MW * W * 1.0001)], policy
    )
    began = time.perf_counter()
    environment.run(until=len(load_mw) * STEP_S)
    seconds = time.perf_counter() - began
    flows = {"grid_mwh": policy.grid_wh, "charge_mwh": policy.charge_wh, "discharge_mwh": policy.discharge_wh}
    return {name: wh / W for name, wh in flows.items()} | {"soc_end": battery.soc()}, seconds


def plant() -> Plant:
    """The same here."""
    battery = {
        "n_units": 1, "power_mw": POWER_MW, "energy_mwh": ENERGY_MWH, "efficiency_one_way": 1.0, "fade_per_year": 0.0,
        "auxiliary_share": 0.0, "soc_start": SOC_START, "soc_min": SOC_MIN, "reserve": SOC_MIN, "soc_max": 1.0,
    }  # fmt: skip
    made = plant_of((), battery, grid_mw=GRID_MW, grid_ramp_mw_per_min=1e6)
    settled: Plant = jax.tree.map(lambda leaf: jnp.asarray(leaf, None if hasattr(leaf, "dtype") else jnp.float32), made)
    return settled


def ours(load_mw: np.ndarray) -> tuple[dict[str, float], float]:
    """The same energies here; and the seconds of a warm run."""
    arguments = (plant(), jnp.asarray(load_mw), Climate(), jnp.uint32(1), len(load_mw), STEP_H)
    through(*arguments)[1].block_until_ready()
    began = time.perf_counter()
    state, sums = through(*arguments)
    sums.block_until_ready()
    seconds = time.perf_counter() - began
    named = dict(zip(NAMES, np.asarray(sums, float).tolist(), strict=True))
    kept = {name: named[name] for name in ("grid_mwh", "charge_mwh", "discharge_mwh", "unserved_mwh")}
    return kept | {"soc_end": float(state.soc)}, seconds


def batch_s(days: int, lanes: int) -> float:
    """Seconds of a warm batch, another load in each lane."""
    plants = batched([plant()] * lanes)
    loads = jnp.asarray(np.stack([load_of(days, lane) for lane in range(lanes)], axis=1))
    seeds = jnp.arange(lanes, dtype=jnp.uint32)

    def run() -> tuple[PlantState, jax.Array]:
        done: tuple[PlantState, jax.Array] = through(plants, loads, Climate(), seeds, loads.shape[0], STEP_H)
        done[1].block_until_ready()
        return done

    run()
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def compare(days: int, lanes: int, batch_days: int) -> dict[str, object]:
    """Both, and what lies between them."""
    load = load_of(days, 0)
    peer, peer_s = theirs(load)
    own, own_s = ours(load)
    load_mwh = float(load.astype(float).sum()) * STEP_H
    gaps = [abs(peer[name] - own[name]) for name in ("grid_mwh", "charge_mwh", "discharge_mwh")]
    gaps.append(abs(peer["soc_end"] - own["soc_end"]) * ENERGY_MWH)
    steps = len(load)
    rates = {"vessim": steps / peer_s, "ours": steps / own_s}
    rates["ours_batch"] = batch_days * 1440 * lanes / batch_s(batch_days, lanes)
    return {
        "days": days, "lanes": lanes, "load_mwh": load_mwh, "vessim": peer, "ours": own,
        "largest_gap_share_of_load": max(gaps) / load_mwh,
        "steps_per_s": rates, "one_times": rates["ours"] / rates["vessim"],
        "batch_times": rates["ours_batch"] / rates["vessim"],
    }  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--lanes", type=int, default=256)
    parser.add_argument("--batch-days", type=int, help="a shorter year for the batch; as --days if left out")
    asked = parser.parse_args()
    print(json.dumps(compare(asked.days, asked.lanes, asked.batch_days or asked.days), indent=1))
