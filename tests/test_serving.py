"""Serving: laws over draws, an oracle in plain Python for the closed queue, and cases worked by hand."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from macrohard.colossus.layout import serving_of
from macrohard.colossus.roofline import attended_tokens, capacity_streams, decode_step, prefill_token_s
from macrohard.colossus.serving import Demand, serve, time_per_output_token

SERVE = jax.jit(serve)
PLACES = {
    "r1": dict(gpu="GB200", llm="DeepSeek-R1", precision="fp4", placement="disaggregated", prefill_share=0.62),
    "r1 mixed": dict(gpu="GB200", llm="DeepSeek-R1", precision="fp4"),
    "r1 evicted": dict(gpu="GB200", llm="DeepSeek-R1", precision="fp4", kv_held_in_tools=False),
    "oss": dict(gpu="H100", llm="gpt-oss-120b", precision="fp4", gpus_per_replica=8),
    "llama": dict(gpu="H200", llm="Llama-3.3-70B", precision="fp8", gpus_per_replica=4),
}


def job(n_streams, context=66_000.0, calls=35.0, decode=17_000.0, prefill=130_000.0, tool_s=280.0):
    return Demand(n_streams, calls, decode, prefill, context * calls, tool_s)


def place(name, **changes):
    return serving_of(**{**PLACES[name], **changes})


def oracle(serving, n_gpus, demand):
    """The closed queue's fixed point by damped iteration: (step_s, wait_s, wall_s per call, admitted per replica)."""
    s = {f.name: getattr(serving, f.name) for f in dataclasses.fields(serving)}
    share = 0 if s["mixes"] else s["prefill_share"]
    replicas = n_gpus * (1 - share) / s["n_gpus"]
    prefillers = replicas if s["mixes"] else n_gpus * share / s["prefill_n_gpus"]
    output, prompt = demand.decode_tokens / demand.calls, demand.input_tokens / demand.calls
    computed = demand.prefill_tokens / demand.calls if s["kv_held_in_tools"] else prompt
    tool, context = demand.tool_s / demand.calls, prompt + output / 2
    own = computed * float(prefill_token_s(serving, prompt - computed / 2))
    room = float(capacity_streams(serving, context))
    step, wait, n = float(time_per_output_token(serving, 1.0, context)), 0.0, demand.n_streams / replicas
    for _ in range(4000):
        wall = tool + wait + own + output * step
        n = min(demand.n_streams / replicas, room / (1 if s["kv_held_in_tools"] else 1 - tool / wall))
        many = max(n, 1.0)
        met = 1 + (1 - 1 / many) * many * output * step / wall
        new = float(time_per_output_token(serving, met, context, own / output))
        entry = s["fit"].call_s + step
        z, queued = tool + entry + output * step, max(n * replicas / prefillers, 1.0)
        stay = (queued * own - z + math.sqrt((queued * own - z) ** 2 + 4 * own * z)) / 2
        if abs(new / step - 1) < 1e-7 and abs(entry + stay - own - wait) < 1e-6 * wall:
            break
        step += 0.5 * (new - step)
        wait += 0.5 * (entry + stay - own - wait)
    return step, wait, tool + wait + own + output * step, n


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("per_gpu", [0.05, 1.0, 8.0, 25.0, 200.0])
def test_the_closed_queue_settles_where_the_oracle_does(name, per_gpu):
    """Six unrolled steps against thousands of damped iterations."""
    serving, demand = place(name), job(per_gpu * 720)
    step, _, wall, admitted = oracle(serving, 720.0, demand)
    served = SERVE(serving, 720.0, demand, 1.0)
    assert float(served.tok_s_per_stream) == pytest.approx(1 / step, rel=1e-3)
    assert float(served.wall_s * served.admitted_share) == pytest.approx(wall * demand.calls, rel=1e-3)
    share = 0 if serving.mixes else serving.prefill_share
    resident = admitted * 720 * (1 - share) / serving.n_gpus
    assert float(served.admitted_share) == pytest.approx(min(1, resident / demand.n_streams), rel=1e-3)


@pytest.mark.parametrize("name", PLACES)
def test_more_streams_slow_each_and_never_the_fleet(name):
    serving = place(name)
    served = [SERVE(serving, 720.0, job(n), 1.0) for n in (10.0, 100.0, 1e3, 1e4, 1e5)]
    walls = [float(s.wall_s) for s in served]
    rates = [float(s.decode_tok_s) for s in served]
    assert all(b >= a * 0.999 for a, b in zip(walls, walls[1:], strict=False))
    assert all(b >= a * 0.995 for a, b in zip(rates, rates[1:], strict=False))


@pytest.mark.parametrize("name", PLACES)
def test_more_gpus_never_slow_a_job(name):
    walls = [float(SERVE(place(name), n, job(5e3), 1.0).wall_s) for n in (72.0, 144.0, 288.0, 720.0, 7200.0)]
    assert all(b <= a * 1.001 for a, b in zip(walls, walls[1:], strict=False))


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("n", [0.0, 3.0, 1e3, 1e5])
def test_the_parts_of_a_job_add_up_to_its_wall_time(name, n):
    demand = job(n)
    served = SERVE(place(name), 720.0, demand, 0.8)
    prefill = demand.prefill_tokens if place(name).kv_held_in_tools else demand.input_tokens
    parts = demand.calls * served.wait_s + prefill * served.prefill_s_per_token
    parts = parts + demand.decode_tokens / served.tok_s_per_stream + demand.tool_s
    assert float(served.wall_s) == pytest.approx(float(parts / served.admitted_share), rel=1e-4)
    # Little's law: tokens leave at streams / wall * tokens per job
    assert float(served.decode_tok_s) == pytest.approx(n / float(served.wall_s) * demand.decode_tokens, rel=1e-3)


@pytest.mark.parametrize("name", PLACES)
def test_an_empty_cluster_and_no_cluster_give_numbers(name):
    for gpus, n in ((720.0, 0.0), (0.0, 0.0), (0.0, 500.0), (1.0, 1.0)):
        served = SERVE(place(name), gpus, job(n), 1.0)
        assert all(np.isfinite(float(value)) for value in dataclasses.astuple(served))
        assert 0 <= float(served.admitted_share) <= 1
    assert float(SERVE(place(name), 0.0, job(5.0), 1.0).admitted_share) == 0
    assert float(SERVE(place(name), 0.0, job(5.0), 1.0).decode_tok_s) == pytest.approx(0.0, abs=1e-3)


def test_a_power_cap_scales_every_rate_but_not_the_tools():
    demand = job(0.0, tool_s=0.0)
    full, capped = (SERVE(place("r1"), 720.0, demand, p) for p in (1.0, 0.5))
    assert float(capped.tok_s_per_stream) == pytest.approx(float(full.tok_s_per_stream) / 2, rel=1e-6)
    assert float(capped.prefill_s_per_token) == pytest.approx(float(full.prefill_s_per_token) * 2, rel=1e-6)
    with_tools = [float(SERVE(place("r1"), 720.0, job(1.0), p).wall_s) for p in (1.0, 0.5)]
    assert with_tools[1] - 280 == pytest.approx(2 * (with_tools[0] - 280), rel=1e-3)


def test_long_context_is_slower_by_the_attention_term():
    """84k against 8k: R1's absorbed attention costs 1.4 TFLOP a token there, 19 times its weights."""
    serving = place("r1")
    short, long = (decode_step(serving, 720.0, float(s)) for s in (8_000, 84_000))
    arithmetic = 720 * 76_000 * serving.attention_s / serving.fit.attention
    reading = 720 * 76_000 * serving.kv_read_s / serving.fit.memory
    assert float(long.time_s - short.time_s) == pytest.approx(float(arithmetic + reading), rel=1e-4)
    assert float(long.time_s / short.time_s) > 1.5
    assert float(prefill_token_s(serving, 84e3)) > 2 * float(prefill_token_s(serving, 8e3))


def test_windowed_layers_see_their_window_only():
    """gpt-oss: half of the layers see 128 tokens, so 84k of context counts as 42,064."""
    assert float(attended_tokens(place("oss"), 84_000.0)) == pytest.approx(42_064)


def test_a_full_cache_holds_the_others_at_the_door():
    served = SERVE(place("r1"), 7200.0, job(1e6, context=84e3), 1.0)
    assert float(served.admitted_share) < 1
    assert float(served.streams_waiting + served.streams_resident) == pytest.approx(1e6, rel=1e-5)


def test_evicting_the_cache_in_tools_admits_more_but_computes_the_context_again():
    demand = job(1e6, context=84e3, tool_s=3000.0)
    held, evicted = SERVE(place("r1 mixed"), 7200.0, demand, 1.0), SERVE(place("r1 evicted"), 7200.0, demand, 1.0)
    assert float(evicted.prefill_tok_s / evicted.decode_tok_s) > 10 * float(held.prefill_tok_s / held.decode_tok_s)
    assert float(evicted.decode_tok_s) < float(held.decode_tok_s)


def test_a_limit_on_streams_per_gpu_is_kept():
    served = SERVE(place("llama", max_streams_per_gpu=2), 80.0, job(1e4), 1.0)
    assert float(served.streams_resident) == pytest.approx(160, rel=1e-4)


def test_speculative_decoding_pays_when_few_streams_share_a_replica():
    plain, drafting = place("r1"), place("r1", drafted=3, accepted=2.2)
    assert time_per_output_token(drafting, 8.0, 8e3) < time_per_output_token(plain, 8.0, 8e3)


def test_a_batch_of_scenarios_is_the_loop_over_them():
    serving, gpus = place("r1"), 720.0
    streams = jnp.array([0.0, 1.0, 50.0, 4e3, 1e5])
    batch = jax.jit(jax.vmap(lambda n: serve(serving, gpus, job(n), 0.9)))(streams)
    for i, n in enumerate(streams):
        alone = SERVE(serving, gpus, job(n), 0.9)
        for one, many in zip(dataclasses.astuple(alone), dataclasses.astuple(batch), strict=True):
            assert float(one) == pytest.approx(float(many[i]), rel=1e-5, abs=1e-6)


def test_an_llm_that_does_not_fit_is_refused_with_a_remedy():
    with pytest.raises(ValueError, match="more GPUs per replica"):
        serving_of("H100", "DeepSeek-R1", "fp8", gpus_per_replica=4)


def test_orders_of_magnitude_of_r1_on_gb200():
    """docs/serving.md: 84k tokens * 35,136 bytes = 2.95 GB; (0.9*198.7 - 4 - 17 - 366/72)/2.95 = 52 per GPU."""
    serving = place("r1")
    assert 84_000 * 35_136 == pytest.approx(2.95e9, rel=0.001)
    per_gpu = float(capacity_streams(serving, 84_000.0)) / 72
    assert per_gpu == pytest.approx(52, abs=1)
    assert float(1 / time_per_output_token(serving, per_gpu * 72, 84_000.0)) == pytest.approx(11, abs=1)


@pytest.mark.parametrize(("context", "low", "high"), [(84e3, 195, 225), (66e3, 245, 275)])
def test_output_per_gpu_of_the_fleet_is_in_the_range_of_the_model_document(context, low, high):
    """A ticket: 0.66M computed and 84k output tokens; about 210 output tok/s and GPU at 84k, 253-264 at 66k."""
    demand = job(5e6, context=context, decode=84e3, prefill=0.66e6, calls=168, tool_s=1600.0)
    served = SERVE(place("r1", prefill_share=0.6), 110_000.0, demand, 1.0)
    assert low < float(served.decode_tok_s) / 110_000 < high
    assert 1.0e6 < float(served.streams_active) < 2.3e6  # 1.1M at 20 tok/s, 2.2M at capacity


@pytest.mark.parametrize(("prompt", "measured"), [(8192, 18_100), (2048, 26_200)])
def test_prefill_of_r1_is_near_the_measured_rate(prompt, measured):
    """docs/serving.md: GB200, fp4: 18.1k tok/s and GPU at 8k, 26.2k at 2k; a token attends to half of the prompt."""
    rate = 1 / float(prefill_token_s(place("r1"), prompt / 2)) / 72
    assert rate == pytest.approx(measured, rel=0.15)
