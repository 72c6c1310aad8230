"""A year of 60 s ticks at 1,000 agents: its series stays bounded, and its totals are exact.

    python -m benchmarks.year                  525,600 ticks
    python -m benchmarks.year --hours 168

The same year is run twice, in chunks. Once as any run: 2,016 bins of means, whatever the horizon. Once with a bin per
tick, from which the host adds up the year by itself: energies in float64, tokens as Python integers, from what every
ticket and every desk holds. Both are compared with the totals that the loop carries in 32-bit words.
"""

import argparse
import math
import time
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.scales import plan_of
from macrohard.blueprint import Blueprint
from macrohard.floor.columns import place
from macrohard.floor.readings import MEANS, nothing_yet
from macrohard.floor.state import State
from macrohard.floor.tally import as_int
from macrohard.floor.tick import advance, last_names
from macrohard.floor.tickets import Row
from macrohard.results import metrics
from macrohard.results.metrics import Kept

CHUNK = 14_400
"""Ticks; ten days."""

SUMS = {
    "load_mwh": ("load_mw", None),
    "grid_mwh": ("grid_mw", None),
    "turbine_mwh": ("turbine_mw", None),
    "solar_mwh": ("solar_mw", None),
    "battery_charge_mwh": ("battery_mw", -1.0),
    "battery_discharge_mwh": ("battery_mw", 1.0),
    "unserved_mwh": ("unserved_mw", None),
    "capped_mwh": ("capped_mw", None),
}
"""Totals, the column that each adds up, and the sign of what counts in it."""


def main() -> None:
    """Runs the year twice and prints how far the totals are apart."""
    parser = argparse.ArgumentParser(description="a year of ticks: bounded series, exact totals")
    parser.add_argument("--hours", type=float, default=8760.0)
    parser.add_argument("--agents", type=int, default=1_000)
    asked = parser.parse_args()
    plan = plan_of(asked.agents, asked.hours)
    began = time.perf_counter()
    kept = Kept.of(plan.shop, plan.params, _run(plan, plan.opening()))
    wall_s = time.perf_counter() - began
    us, state_gb = 1e6 * wall_s / kept.n_ticks, sum(leaf.nbytes for leaf in jax.tree.leaves(kept.state)) / 1e9
    print(f"{kept.n_ticks:,} ticks, {asked.agents:,} agents: {wall_s:.0f} s, compiling included, {us:.0f} us a tick")
    print(f"series: {len(metrics.series(kept)):,} rows; {kept.counts['done']:,} tickets done; state: {state_gb:.2f} GB")
    record, told, counts, tick_h = kept.state.record, metrics.totals(kept), kept.counts, kept.tick_h
    counted = tokens(kept.state)
    del kept  # millions of tickets

    fine = _with_a_bin_per_tick(plan)
    assert fine.counts == counts, "the bins of the series must not change the run"
    for name, exact in energies(fine.state, tick_h).items():
        error = abs(told[name] / exact - 1.0) if exact else abs(told[name])
        print(f"{name:<24} {told[name]:>18.6f}  against float64 {exact:>18.6f}  relative error {error:.1e}")
    prefill, cached, decode, _ = as_int(record.tokens).sum(axis=(0, 1))
    carried = {
        "input_tokens": int(prefill + cached),
        "decode_tokens": int(decode),
    }
    for name, count in carried.items():
        difference = count - counted[name]
        print(f"{name:<24} {count:>18,}  against tickets and desks {counted[name]:>18,}  difference {difference}")


def energies(state: State, tick_h: float) -> dict[str, float]:
    """Totals added up in float64 from a record that has a bin per tick."""
    n_ticks = int(state.tick)
    assert np.all(np.asarray(state.record.ticks[:n_ticks]) == 1)
    means = np.asarray(state.record.means[:n_ticks], np.float64)
    found = {}
    for name, (column, sign) in SUMS.items():
        values = means[:, MEANS.index(column)]
        found[name] = math.fsum(values if sign is None else np.maximum(sign * values, 0.0)) * tick_h
    return found


def tokens(state: State) -> dict[str, int]:
    """Tokens as Python integers: those of every ticket's ended attempts, and what desks have got of theirs so far."""
    words = np.asarray(state.tickets.words)
    desks = jax.device_get(state.desks)
    job, busy, share = desks.job, desks.ticket >= 0, desks.progress

    def so_far(whole: np.ndarray) -> int:
        part = np.floor(whole.astype(np.float32) * share).astype(np.int64)
        return int(np.where(share >= 1.0, whole, np.minimum(part, whole))[busy].sum())

    read = int(words[:, place(Row, "input_tokens")].view(np.uint32).sum(dtype=np.uint64))
    written = int(words[:, place(Row, "decode_tokens")].sum(dtype=np.int64))
    return {
        "input_tokens": read + so_far(job.prefill_tokens) + so_far(job.cached_tokens),
        "decode_tokens": written + so_far(job.decode_tokens),
    }


def _with_a_bin_per_tick(plan: Blueprint) -> Kept:
    params = replace(plan.params, ticks_per_bin=jnp.int32(1))
    record = nothing_yet(plan.n_ticks, len(last_names(plan.shop)), len(plan.shop.roles))
    return Kept.of(plan.shop, params, _run(replace(plan, params=params), replace(plan.opening(), record=record)))


def _run(plan: Blueprint, state: State) -> State:
    for done in range(0, plan.n_ticks, CHUNK):
        state = advance(plan.shop, plan.params, state, min(CHUNK, plan.n_ticks - done))
        state.tick.block_until_ready()
    return state


if __name__ == "__main__":
    main()
