"""Speed of the shop floor beside a plain Mesa object model of the same work, and whether their results agree.

    python -m benchmarks.floor                        both modes, 100 to 100,000 agents
    python -m benchmarks.floor --mode fast --sizes 10000 --without-mesa

Both run the same ticks in turns, round by round, after a warm-up. A rate is that of the best round (others may use the
machine too), a ratio the median over rounds of neighbours. Agreement: the mean difference over rounds, and its
standard error.
"""

import argparse
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import mean, median, stdev

MODES = ("reproducible", "fast")
ROUNDS = 8

_TICKS = {100: (240, 240), 1_000: (240, 100), 10_000: (120, 25), 100_000: (90, 6)}
"""By number of agents: ticks of the warm-up, and of each round; few where Mesa takes long."""


@dataclass
class Round:
    """One model over some ticks."""

    wall_s: float
    cpu_s: float
    done: int
    decode_tokens: int
    stream_ticks: float
    """Busy agents, added up over the ticks."""


@dataclass
class Size:
    """Both models at one number of agents."""

    n_agents: int
    mode: str
    n_ticks: int
    """Of a round."""
    floor: list[Round]
    mesa: list[Round]


def main() -> None:
    """Runs each mode in a process of its own, since XLA reads its flags once."""
    parser = argparse.ArgumentParser(description="speed of the shop floor beside plain Mesa")
    parser.add_argument("--mode", choices=(*MODES, "both"), default="both")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(_TICKS))
    parser.add_argument("--without-mesa", action="store_true")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        for n_agents in asked.sizes:
            print(json.dumps(asdict(measure(n_agents, asked.mode, not asked.without_mesa))), flush=True)
        return
    for mode in MODES if asked.mode == "both" else (asked.mode,):
        print(f"\n{mode} mode\n{_HEAD}")
        for size in _in_child(mode, asked.sizes, asked.without_mesa):
            print(_line(size), flush=True)


def measure(n_agents: int, mode: str, with_mesa: bool) -> Size:
    """Both models in turns, round by round."""
    from benchmarks.mesa_factory import MesaFactory
    from benchmarks.scales import plan_of

    warm, ticks = _TICKS.get(n_agents, (60, 20))
    plan = plan_of(n_agents, horizon_h=1.5 * (warm + ROUNDS * ticks) / 60.0)
    floor_round = _floor(plan, warm)
    mesa_round = _mesa(MesaFactory(plan), warm) if with_mesa else None
    size = Size(n_agents, mode, ticks, [], [])
    gc.collect()
    gc.disable()  # in favour of Mesa, whose many objects the collector would visit
    for _ in range(ROUNDS):
        size.floor.append(floor_round(ticks))
        if mesa_round is not None:
            size.mesa.append(mesa_round(ticks))
    gc.enable()
    return size


def _floor(plan: "object", warm: int) -> Callable[[int], Round]:
    from macrohard.blueprint import Blueprint
    from macrohard.floor.readings import MEANS
    from macrohard.floor.state import COUNTS, State
    from macrohard.floor.tally import as_int
    from macrohard.floor.tick import advance

    assert isinstance(plan, Blueprint)
    state = advance(plan.shop, plan.params, plan.opening(), warm)

    def totals(state: State) -> tuple[int, int, float]:
        streams = float(state.record.means[:, MEANS.index("streams_busy")].sum()) / float(plan.params.weight)
        return int(state.counts[COUNTS.index("done")]), as_int(state.record.decode_tokens), streams

    def one(ticks: int) -> Round:
        nonlocal state
        before = totals(state)
        cpu, wall = time.process_time(), time.perf_counter()
        state = advance(plan.shop, plan.params, state, ticks)
        state.tick.block_until_ready()
        wall_s, cpu_s = time.perf_counter() - wall, time.process_time() - cpu
        done, tokens, streams = totals(state)
        return Round(wall_s, cpu_s, done - before[0], tokens - before[1], streams - before[2])

    return one


def _mesa(model: "object", warm: int) -> Callable[[int], Round]:
    from benchmarks.mesa_factory import MesaFactory

    assert isinstance(model, MesaFactory)
    for _ in range(warm):
        model.step()

    def one(ticks: int) -> Round:
        done, tokens = model.counts["done"], model.decode_tokens
        cpu, wall = time.process_time(), time.perf_counter()
        streams = 0
        for _ in range(ticks):
            model.step()
            streams += model.n_streams
        wall_s, cpu_s = time.perf_counter() - wall, time.process_time() - cpu
        return Round(wall_s, cpu_s, model.counts["done"] - done, model.decode_tokens - tokens, float(streams))

    return one


def _in_child(mode: str, sizes: list[int], without_mesa: bool) -> "list[Size]":
    """One process for a mode; sizes come back as they are ready."""
    environment = dict(os.environ, MACROHARD_FAST="1" if mode == "fast" else "0")
    environment.pop("XLA_FLAGS", None)
    command = [sys.executable, "-m", "benchmarks.floor", "--child", "--mode", mode, "--sizes", *map(str, sizes)]
    found = []
    with subprocess.Popen(
        command + ["--without-mesa"] * without_mesa, env=environment, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            found.append(_read(json.loads(line)))
    return found


def _read(told: dict[str, "object"]) -> Size:
    rounds = {name: [Round(**each) for each in told.pop(name)] for name in ("floor", "mesa")}  # type: ignore[attr-defined]
    return Size(**told, **rounds)  # type: ignore[arg-type]


_HEAD = (
    f"{'agents':>8} {'floor':>9} {'per CPU':>9} {'Mesa':>9} {'ratio':>6} {'of CPU':>6}   "
    "floor against Mesa, % (standard error): tickets/day   tokens/ticket   streams\n"
    f"{'':>8} {'M/s':>9} {'M/s':>9} {'M/s':>9}"
)


def _line(size: Size) -> str:
    work = size.n_agents * size.n_ticks / 1e6
    fast = work / min(each.wall_s for each in size.floor)
    lean = work / min(each.cpu_s for each in size.floor)
    if not size.mesa:
        return f"{size.n_agents:>8,} {fast:>9.3f} {lean:>9.3f}"
    slow = work / min(each.wall_s for each in size.mesa)
    pairs = list(zip(size.floor, size.mesa, strict=True))
    ratio = median(mesa.wall_s / floor.wall_s for floor, mesa in pairs)
    of_cpu = median(mesa.cpu_s / floor.cpu_s for floor, mesa in pairs)
    agreement = [
        _difference(pairs, lambda each: each.done),
        _difference(pairs, lambda each: each.decode_tokens / max(each.done, 1)),
        _difference(pairs, lambda each: each.stream_ticks),
    ]
    line = f"{size.n_agents:>8,} {fast:>9.3f} {lean:>9.3f} {slow:>9.3f} {ratio:>6.1f} {of_cpu:>6.1f}   {'':>39}"
    return line + "   ".join(f"{difference:+6.2f} ({error:.2f})" for difference, error in agreement)


def _difference(pairs: list[tuple[Round, Round]], figure: Callable[[Round], float]) -> tuple[float, float]:
    """Mean difference as a share of Mesa's mean and its standard error, both in per cent."""
    middle = mean(figure(mesa) for _, mesa in pairs)
    differences = [100.0 * (figure(floor) - figure(mesa)) / max(middle, 1e-9) for floor, mesa in pairs]
    return mean(differences), stdev(differences) / len(differences) ** 0.5


if __name__ == "__main__":
    main()
