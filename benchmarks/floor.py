"""Speed of the shop floor beside a plain Mesa object model of the same work, and whether their results agree.

    python -m benchmarks.floor                        both modes, 100 to 100,000 agents
    python -m benchmarks.floor --mode fast --sizes 10000 --without-mesa
    python -m benchmarks.floor --agree 6 --sizes 10000        whether results agree: both with seeds of their own

Both run the same ticks in turns, round by round, after a warm-up. A rate is that of the best round (others may use the
machine too), a ratio the median over rounds of neighbours. Agreement: the difference of the means over seeds and its
standard error; rounds of one run follow one another and would make it too small.
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
    """Runs each mode and size in a process of its own: XLA reads its flags once, and they go by the size."""
    parser = argparse.ArgumentParser(description="speed of the shop floor beside plain Mesa")
    parser.add_argument("--mode", choices=(*MODES, "both"), default="both")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(_TICKS))
    parser.add_argument("--without-mesa", action="store_true")
    parser.add_argument("--agree", type=int, default=0, metavar="SEEDS", help="compare results over so many seeds")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        print(json.dumps(asdict(measure(asked.sizes[0], asked.mode, not asked.without_mesa))))
        return
    if asked.agree:
        print(_AGREEMENT)
        for n_agents in asked.sizes:
            print(agreement(n_agents, asked.agree), flush=True)
        return
    for mode in MODES if asked.mode == "both" else (asked.mode,):
        print(f"\n{mode} mode\n{_HEAD}")
        for n_agents in asked.sizes:
            print(_line(_in_child(mode, n_agents, asked.without_mesa)), flush=True)


def measure(n_agents: int, mode: str, with_mesa: bool) -> Size:
    """Both models in turns, round by round."""
    from benchmarks.mesa_factory import MesaFactory

    warm, ticks = _ticks(n_agents)
    plan = _plan(n_agents)
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


def agreement(n_agents: int, seeds: int) -> str:
    """A line: the floor's figures against Mesa's over the rounds of a run, in means over seeds."""
    from benchmarks.mesa_factory import MesaFactory

    warm, ticks = _ticks(n_agents)
    found: dict[str, list[Round]] = {"floor": [], "mesa": []}
    for seed in range(seeds):
        plan = _plan(n_agents, f"run.seed={seed}")
        found["floor"].append(_floor(plan, warm)(ROUNDS * ticks))
        found["mesa"].append(_mesa(MesaFactory(plan), warm)(ROUNDS * ticks))
    told = (_difference(found["floor"], found["mesa"], figure) for figure in _COMPARED.values())
    return f"{n_agents:>8,}" + "".join(f"{difference:>+12.2f} ({error:.2f})" for difference, error in told)


def _ticks(n_agents: int) -> tuple[int, int]:
    return _TICKS.get(n_agents, (60, 20))


def _plan(n_agents: int, *settings: str) -> "object":
    from benchmarks.scales import plan_of

    warm, ticks = _ticks(n_agents)
    return plan_of(n_agents, 1.5 * (warm + ROUNDS * ticks) / 60.0, *settings)


def _floor(plan: "object", warm: int) -> Callable[[int], Round]:
    from macrohard.blueprint import Blueprint
    from macrohard.floor.desks import TOKEN_KINDS
    from macrohard.floor.readings import MEANS
    from macrohard.floor.state import COUNTS, State
    from macrohard.floor.tally import as_int
    from macrohard.floor.tick import advance

    assert isinstance(plan, Blueprint)
    state, decode = advance(plan.shop, plan.params, plan.opening(), warm), TOKEN_KINDS.index("decode")

    def totals(state: State) -> tuple[int, int, float]:
        streams = float(state.record.means[:, MEANS.index("streams_busy")].sum()) / float(plan.params.weight)
        return int(state.counts[COUNTS.index("done")]), int(as_int(state.record.tokens)[..., decode].sum()), streams

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


def _in_child(mode: str, n_agents: int, without_mesa: bool) -> Size:
    environment = dict(os.environ, MACROHARD_FAST="1" if mode == "fast" else "0")
    environment.pop("XLA_FLAGS", None)
    command = [sys.executable, "-m", "benchmarks.floor", "--child", "--mode", mode, "--sizes", str(n_agents)]
    command += ["--without-mesa"] * without_mesa
    return _read(json.loads(subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout))


def _read(told: dict[str, "object"]) -> Size:
    rounds = {name: [Round(**each) for each in told.pop(name)] for name in ("floor", "mesa")}  # type: ignore[attr-defined]
    return Size(**told, **rounds)  # type: ignore[arg-type]


_HEAD = (
    f"{'agents':>8} {'floor':>9} {'per CPU':>9} {'Mesa':>9} {'ratio':>6} {'of CPU':>6}\n"
    f"{'':>8} {'M/s':>9} {'M/s':>9} {'M/s':>9}"
)

_COMPARED: dict[str, Callable[[Round], float]] = {
    "tickets": lambda each: each.done,
    "tokens/ticket": lambda each: each.decode_tokens / max(each.done, 1),
    "busy agents": lambda each: each.stream_ticks,
}

_AGREEMENT = (
    f"floor against Mesa, % (standard error)\n{'agents':>8}" + "".join(f"{name:>19}" for name in _COMPARED)
)  # fmt: skip


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
    return f"{size.n_agents:>8,} {fast:>9.3f} {lean:>9.3f} {slow:>9.3f} {ratio:>6.1f} {of_cpu:>6.1f}"


def _difference(floor: list[Round], mesa: list[Round], figure: Callable[[Round], float]) -> tuple[float, float]:
    """Difference of the means as a share of Mesa's and its standard error, both in per cent."""
    ours, theirs = [figure(each) for each in floor], [figure(each) for each in mesa]
    error = sum((stdev(each) if len(each) > 1 else 0.0) ** 2 / len(each) for each in (ours, theirs)) ** 0.5
    percent = 100.0 / max(mean(theirs), 1e-9)
    return (mean(ours) - mean(theirs)) * percent, error * percent


if __name__ == "__main__":
    main()
