"""Peak memory of a whole `macrohard run` with a million agents and a million tickets.

    python -m benchmarks.memory                            1,000,000 of each, 10 ticks
    python -m benchmarks.memory --agents 100000 --tickets 100000

The figure is the largest resident set of the child process, everything in it: Python, JAX, compiling, the run, the
tables and the report.
"""

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile

from benchmarks.scales import SPLIT

TICKETS_PER_EPIC = 24


def main() -> None:
    """Runs the command in a child and prints its peak."""
    parser = argparse.ArgumentParser(description="peak memory of a whole run")
    parser.add_argument("--agents", type=int, default=1_000_000)
    parser.add_argument("--tickets", type=int, default=1_000_000)
    parser.add_argument("--ticks", type=int, default=10)
    asked = parser.parse_args()
    settings = [
        *(f"workforce.{role}={round(asked.agents * share)}" for role, share in SPLIT.items()),
        f"workforce.weight={2_000_000 / asked.agents}",
        f"backlog.tickets_per_epic={TICKETS_PER_EPIC}",
        f"backlog.n_epics={math.ceil(asked.tickets / TICKETS_PER_EPIC)}",
        f"run.horizon_h={asked.ticks / 60}",
        "run.warmup_h=0",
    ]
    options = [word for setting in settings for word in ("--set", setting)]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "macrohard", "run", *options, "--json", "--out", f"{folder}/run"]
        told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    peak_gb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6  # kB on Linux
    print(
        f"{told['run']['agents_simulated']:,} agents, {asked.tickets:,} tickets, {told['run']['ticks']} ticks: "
        f"peak {peak_gb:.2f} GB, {told['run']['wall_s']:.1f} s"
    )


if __name__ == "__main__":
    main()
