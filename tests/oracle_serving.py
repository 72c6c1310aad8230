"""The closed queue of streams in plain Python: every equation solved to its end by halving intervals.

Written from docs/serving.md. `s` is what a Serving holds, as plain numbers; times in seconds, contexts in tokens.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass
class Call:
    """The mean call of the mean job."""

    output: float
    computed: float
    prompt: float
    tool_s: float


def root(excess: Callable[[float], float], low: float, high: float) -> float:
    """Where a function that falls from above zero to below it crosses zero; the interval is positive."""
    for _ in range(50):  # of a ratio of 1e7 at most
        middle = math.sqrt(low * high)
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return low


def seen(s: Any, context: float) -> float:
    """Tokens attended to: a windowed layer sees its window, sparse attention picks some of the context."""
    context = min(context, s.attends)
    return s.full_share * context + (1 - s.full_share) * min(context, s.window)


def step_s(s: Any, streams: float, context: float) -> float:
    """One decode step: overheads of the layers, weights and cache read, arithmetic and traffic of its tokens."""
    tokens = streams * (s.drafted + 1)
    touched = 1 - math.exp(tokens * s.log_missed)
    per_layer = s.fit.layer_s + s.is_moe * s.fit.moe_layer_s + s.is_fp8_moe * s.fit.fp8_moe_layer_s
    layers = s.layers * per_layer * (s.fit.eager if s.is_eager else 1)
    read = s.dense_read_s + s.expert_read_s * touched + streams * s.kv_read_s * seen(s, context)
    linear = s.fit.linear_moe if s.is_moe else s.fit.linear_dense
    each = s.linear_s / linear + s.attention_s * seen(s, context) / s.fit.attention + s.link_s / s.fit.link
    per_stream = s.fit.stream_s * (s.fit.trt_stream if s.is_trt else 1) / s.ranks
    return layers + read / s.fit.memory + tokens * each + streams * per_stream


def prefill_s_per_token(s: Any, context: float) -> float:
    """One computed prompt token, by the group of GPUs that does prefill."""
    linear = s.fit.prefill_moe if s.is_moe else s.fit.prefill_dense
    cost = s.linear_s / linear + s.prefill_attention_s * seen(s, context) / s.fit.attention
    return cost * s.n_gpus / s.prefill_n_gpus


def stay_s(population: float, service_s: float, elsewhere_s: float) -> float:
    """Stay at the prefill station: own service and that of those met, (1 - 1/N) of the mean number (Schweitzer)."""

    def excess(stay: float) -> float:
        there = population * stay / (elsewhere_s + stay)
        return service_s * (1 + (1 - 1 / population) * there) - stay

    return root(excess, service_s * 0.999, service_s * (population + 1))


def serve(s: Any, n_gpus: float, demand: Any, performance: float = 1.0) -> dict[str, float]:
    """Speeds and flows where the closed queue settles."""
    call = Call(
        output=demand.decode_tokens / demand.calls,
        computed=(demand.prefill_tokens if s.kv_held_in_tools else demand.input_tokens) / demand.calls,
        prompt=demand.input_tokens / demand.calls,
        tool_s=demand.tool_s / demand.calls * performance,
    )
    apart = 0.0 if s.mixes else s.prefill_share
    replicas = n_gpus * (1 - apart) / s.n_gpus
    prefill_stations = replicas if s.mixes else n_gpus * apart / s.prefill_n_gpus
    context = min(call.prompt + call.output / 2, s.max_context_tokens)
    token_s = prefill_s_per_token(s, max(min(call.prompt, s.max_context_tokens) - call.computed / 2, 0.0))
    prefill_s = call.computed * token_s
    held = s.full_share * context + (1 - s.full_share) * min(context, s.window)
    room = min(s.kv_tokens / held, s.max_streams_per_gpu * s.n_gpus)
    crowd = demand.n_streams / replicas

    def parts(tpot_s: float, admitted: float) -> tuple[float, float]:
        """Wait and wall of a call at this speed with so many streams inside."""
        entry_s = s.fit.call_s + tpot_s
        elsewhere_s = call.tool_s + entry_s + call.output * tpot_s
        stay = stay_s(max(admitted * replicas / prefill_stations, 1.0), prefill_s, elsewhere_s)
        return entry_s + stay - prefill_s, elsewhere_s + stay

    def inside(tpot_s: float) -> float:
        """Streams that find room; an evicted stream needs none while it is in its tools."""
        if s.kv_held_in_tools or crowd <= room:
            return min(crowd, room)

        def spare(admitted: float) -> float:
            return room - admitted * (1 - call.tool_s / parts(tpot_s, admitted)[1])

        return crowd if spare(crowd) >= 0 else root(spare, room, crowd)

    def excess(tpot_s: float) -> float:
        """How much longer a token takes among those that such a token time would leave decoding."""
        admitted = inside(tpot_s)
        population = max(admitted, 1.0)
        active = population * call.output * tpot_s / parts(tpot_s, admitted)[1]
        met = (1 - 1 / population) * active
        mixing_s = s.mixes * met * prefill_s / call.output
        return step_s(s, 1 + met, context) / s.accepted + mixing_s - tpot_s

    least_s = step_s(s, 1.0, context) / s.accepted
    tpot_s = root(excess, least_s * 0.999, least_s * 1e7)
    admitted = inside(tpot_s)
    wait_s, wall_s = parts(tpot_s, admitted)
    share = admitted / crowd
    of_prefill_station = prefill_s * admitted * replicas / prefill_stations / wall_s  # of its time
    of_those_gpus = min(of_prefill_station, 1.0) * (1.0 if s.mixes else apart)
    return {
        "prefill_busy_share": of_those_gpus,
        "tok_s_per_stream": performance / tpot_s,
        "wait_s": wait_s / performance,
        "ttft_s": (wait_s + prefill_s) / performance,
        "prefill_s_per_token": token_s / performance,
        "admitted_share": share,
        "streams_active": admitted * replicas * call.output * tpot_s / wall_s,
        "streams_waiting": demand.n_streams * (1 - share),
        "decode_tok_s": admitted * replicas * call.output / wall_s * performance,
        "prefill_tok_s": admitted * replicas * call.computed / wall_s * performance,
        "wall_s": wall_s * demand.calls / share / performance,
    }
