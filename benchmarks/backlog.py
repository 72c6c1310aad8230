"""A tick costs what the workers cost, not what waits: the same agents before a backlog of 1, 10 and 100 times the size.

    python -m benchmarks.backlog                  2,000 agents, 20,000 to 2,000,000 tickets
    python -m benchmarks.backlog --agents 200 --tickets 2000

All of the backlog comes in as it can, so that tickets lie in the queues. The rate is that of the best round.
"""

import argparse
import time
from dataclasses import replace

import jax.numpy as jnp

from benchmarks.scales import plan_of
from macrohard.blueprint import Blueprint
from macrohard.floor.queues import waiting
from macrohard.floor.tick import advance

TICKETS_PER_EPIC = 24
WARM, ROUNDS, TICKS = 300, 8, 100


def main() -> None:
    """Times a tick at each size."""
    parser = argparse.ArgumentParser(description="cost of a tick against the size of the backlog")
    parser.add_argument("--agents", type=int, default=2_000)
    parser.add_argument("--tickets", type=int, default=20_000)
    asked = parser.parse_args()
    print(f"{'tickets':>12} {'waiting':>12} {'us a tick':>10}")
    for factor in (1, 10, 100):
        n_epics = asked.tickets * factor // TICKETS_PER_EPIC
        sizes = (f"backlog.tickets_per_epic={TICKETS_PER_EPIC}", f"backlog.n_epics={n_epics}")
        plan = plan_of(asked.agents, (WARM + ROUNDS * TICKS) / 60.0, *sizes)
        us, n_waiting = _measured(plan)
        print(f"{n_epics * TICKETS_PER_EPIC:>12,} {n_waiting:>12,} {us:>10.0f}", flush=True)


def _measured(plan: Blueprint) -> tuple[float, int]:
    """Microseconds a tick, and tickets in the queues."""
    wanted = jnp.float32(len(plan.backlog.size_min))  # as much is to wait as there is
    params = replace(plan.params, intake=replace(plan.params.intake, wip_target=wanted))
    state = advance(plan.shop, params, plan.opening(), WARM)
    n_waiting, best_s = int(waiting(state.queues).sum()), float("inf")
    for _ in range(ROUNDS):
        began = time.perf_counter()
        state = advance(plan.shop, params, state, TICKS)
        state.tick.block_until_ready()
        best_s = min(best_s, time.perf_counter() - began)
    return 1e6 * best_s / TICKS, n_waiting


if __name__ == "__main__":
    main()
