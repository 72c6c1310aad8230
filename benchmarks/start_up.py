"""Seconds of a whole command, as a user types it: cold (an empty compile cache), warm, and `--help`.

    python -m benchmarks.start_up                 the default scenario and laptop
    python -m benchmarks.start_up laptop --rounds 1

The warm figure is the best of the rounds, the cold one is measured once. CPU seconds beside them tell a busy machine.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

DEFAULT = "(default)"


def main() -> None:
    """Times each command in processes of its own, with a compile cache that starts empty."""
    parser = argparse.ArgumentParser(description="seconds of a whole command, cold and warm")
    parser.add_argument("scenarios", nargs="*", default=[DEFAULT, "laptop"])
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    print(f"{'command':<24} {'':>5} {'wall s':>7} {'CPU s':>7}   of which (wall s)")
    wall_s, cpu_s, _ = min(_timed(["--help"], dict(os.environ)) for _ in range(asked.rounds))
    print(f"{'--help':<24} {'warm':>5} {wall_s:>7.2f} {cpu_s:>7.2f}")
    for name in asked.scenarios:
        with tempfile.TemporaryDirectory() as folder:
            environment = dict(os.environ, JAX_COMPILATION_CACHE_DIR=folder)
            command = ["run", *([] if name == DEFAULT else [name]), "--json", "--out", f"{folder}/run"]
            for kind, rounds in (("cold", 1), ("warm", asked.rounds)):
                wall_s, cpu_s, out = min(_timed(command, environment) for _ in range(rounds))
                run = json.loads(out)["run"]
                of = f"run {run['wall_s']:.2f}, in it tracing and compiling {run['compile_s']:.2f}"
                print(f"{'run ' + name:<24} {kind:>5} {wall_s:>7.2f} {cpu_s:>7.2f}   {of}", flush=True)


def _timed(arguments: list[str], environment: dict[str, str]) -> tuple[float, float, str]:
    """Wall and CPU seconds of a command, and what it printed."""
    before, began = _cpu_s(), time.perf_counter()
    command = [sys.executable, "-m", "macrohard", *arguments]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return time.perf_counter() - began, _cpu_s() - before, done.stdout


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
