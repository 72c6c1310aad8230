"""Serving against its oracle: the closed queue solved to the end in plain Python, over random demands and layouts."""

import random

import jax
import pytest
from mirror import plain
from oracle_serving import serve as oracle_serve

from macrohard.colossus.layout import serving_of
from macrohard.colossus.serving import Demand, serve

SERVE = jax.jit(serve)
PLACES = {
    "prefill apart": dict(
        gpu="GB200", llm="DeepSeek-R1", precision="fp4", placement="disaggregated", prefill_share=0.62
    ),
    "too little prefill": dict(
        gpu="GB200", llm="DeepSeek-R1", precision="fp4", placement="disaggregated", prefill_share=0.15
    ),
    "mixed": dict(gpu="GB200", llm="DeepSeek-R1", precision="fp4"),
    "evicted in tools": dict(gpu="GB200", llm="DeepSeek-R1", precision="fp4", kv_held_in_tools=False),
    "dense evicted": dict(gpu="H200", llm="Llama-3.3-70B", precision="fp8", gpus_per_replica=4, kv_held_in_tools=False),
    "small evicted": dict(gpu="H100", llm="Llama-3.1-8B", precision="fp8", gpus_per_replica=1, kv_held_in_tools=False),
    "windows": dict(gpu="H100", llm="gpt-oss-120b", precision="fp4", gpus_per_replica=8),
    "dense": dict(gpu="H200", llm="Llama-3.3-70B", precision="fp8", gpus_per_replica=4),
    "drafting": dict(gpu="GB200", llm="DeepSeek-R1", precision="fp4", drafted=2, accepted=1.8),
    "few seats": dict(gpu="H200", llm="Llama-3.3-70B", precision="fp8", gpus_per_replica=4, max_streams_per_gpu=3),
}


def demand_of(rng: random.Random) -> Demand:
    """From one stream to a million, short questions and long sessions, with and without tools."""
    calls, prompt = rng.uniform(1, 80), 10 ** rng.uniform(3, 5)
    return Demand(
        n_streams=10 ** rng.uniform(0, 6),
        calls=calls,
        decode_tokens=calls * rng.uniform(50, 2000),
        prefill_tokens=calls * prompt * rng.uniform(0.03, 0.5),
        input_tokens=calls * prompt,
        tool_s=rng.choice([0.0, 100.0, 1000.0]),
    )


@pytest.mark.parametrize("name", PLACES)
def test_the_closed_queue_settles_where_the_oracle_does(name):
    """Six unrolled steps against intervals halved to the end, whatever the demand, both stations full included."""
    rng, serving = random.Random(name), serving_of(**PLACES[name])
    numbers = plain(jax.device_get(serving))
    for _ in range(60):
        demand, n_gpus, performance = demand_of(rng), rng.choice([72.0, 720.0, 7200.0]), rng.choice([1.0, 0.6])
        seen, expected = SERVE(serving, n_gpus, demand, performance), oracle_serve(numbers, n_gpus, demand, performance)
        for field in expected.keys() - {"streams_waiting"}:
            assert float(getattr(seen, field)) == pytest.approx(expected[field], rel=1e-3), (field, demand)
        # float32: the streams at the door are a difference of large numbers
        waiting = pytest.approx(expected["streams_waiting"], rel=1e-3, abs=1e-5 * demand.n_streams)
        assert float(seen.streams_waiting) == waiting


def test_both_stations_full_settle_where_the_oracle_does():
    """The hard case: just enough prefill for decode and prefill to be full together, at a flagship's load."""
    for share in (0.50, 0.53, 0.56, 0.58, 0.60, 0.62, 0.65):
        serving = serving_of("GB200", "DeepSeek-R1", "fp4", placement="disaggregated", prefill_share=share)
        numbers = plain(jax.device_get(serving))
        for streams in (1e5, 5e5, 1e6, 2e6, 4e6):
            demand = Demand(streams, 35.0, 17e3, 1.4e5, 2.3e6, 280.0)
            seen, expected = SERVE(serving, 1.1e5, demand, 1.0), oracle_serve(numbers, 1.1e5, demand, 1.0)
            for field in ("wall_s", "tok_s_per_stream", "wait_s", "streams_active"):
                assert float(getattr(seen, field)) == pytest.approx(expected[field], rel=1e-4), (share, streams, field)
