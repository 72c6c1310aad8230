"""Requests through replicas: conservation, queues worked by hand, and serve() in a steady state."""

import numpy as np
import pytest

from macrohard.colossus.requests import Requests, over_time, pass_through
from macrohard.colossus.roofline import decode_step, prefill_token_s
from macrohard.colossus.serving import Demand, serve
from macrohard.scenario import Scenario
from macrohard.siting import site_of_scenario

SERVING = site_of_scenario(Scenario.load("laptop", environment={})).serving
APART = site_of_scenario(
    Scenario.load("laptop", ["serving.placement=disaggregated", "serving.prefill_share=0.5"], environment={})
).serving


def alike(arrival_s, context, generated, computed=None) -> Requests:
    n = len(arrival_s)
    full = [np.full(n, float(each)) for each in (context, generated, context if computed is None else computed)]
    return Requests(np.asarray(arrival_s, float), *full)


def poisson(rate: float, n: int, context: float, generated: float, seed: int = 1) -> Requests:
    return alike(np.cumsum(np.random.default_rng(seed).exponential(1 / rate, n)), context, generated)


def spans(stretches) -> list[float]:
    return [end - start for start, end in zip(stretches.start_s, stretches.end_s, strict=True)]


@pytest.mark.parametrize("serving", [SERVING, APART], ids=["aggregated", "disaggregated"])
@pytest.mark.parametrize("seed", range(4))
def test_every_request_is_served_once_or_refused_and_in_order(serving, seed):
    """Random logs with bursts, empty prompts and giants: arrival <= start < first token <= last token, or refused."""
    rng = np.random.default_rng(seed)
    n = 400
    context = np.where(rng.random(n) < 0.02, 3e5, rng.integers(0, 30_000, n)).astype(float)
    generated = rng.integers(0, 400, n).astype(float)
    computed = np.floor(context * rng.random(n))
    requests = Requests(np.sort(rng.choice(rng.random(20) * 30, n)), context, generated, computed)
    passed = pass_through(serving, 3, 2, requests)
    assert (passed.refused == (context + generated > 131_072)).all() and passed.refused.any()
    served = ~passed.refused
    assert np.isfinite(passed.done_s[served]).all() and np.isnan(passed.done_s[~served]).all()
    assert (passed.start_s[served] >= requests.arrival_s[served]).all()
    assert (passed.first_token_s[served] > passed.start_s[served]).all()
    assert (passed.done_s >= passed.first_token_s)[served].all()
    # prompts: seconds of work are the computed tokens at the law's pace
    pace = np.asarray(prefill_token_s(serving, np.maximum(context - computed / 2, 0).astype(np.float32)))
    assert sum(spans(passed.prefill)) == pytest.approx((computed * pace)[served].sum(), rel=1e-5)


def test_a_lone_request_takes_what_the_law_says():
    """call_s + 1000 prompt tokens + 50 steps of one stream with 1025 tokens of context in the middle of the answer."""
    passed = pass_through(SERVING, 2, 0, alike([3.0], 1000, 50))
    prompt = 1000 * float(prefill_token_s(SERVING, 500.0))
    step = float(decode_step(SERVING, 1.0, 1025.0).time_s)
    first = 3.0 + float(SERVING.fit.call_s) + prompt + step
    assert passed.first_token_s[0] == pytest.approx(first, rel=1e-5)
    assert passed.done_s[0] == pytest.approx(first + 49 * step, rel=1e-5)


def test_prompts_of_one_iteration_each_queue_as_m_d_1():
    """One token out, 8192 in: service S = prompt + step, wait = rho S / (2 (1 - rho)) (Pollaczek, Khinchine)."""
    service = 8192 * float(prefill_token_s(SERVING, 4096.0)) + float(decode_step(SERVING, 1.0, 8192.5).time_s)
    for rho in (0.3, 0.6):
        requests = poisson(rho / service, 40_000, 8192, 1)
        passed = pass_through(SERVING, 1, 0, requests)
        wait = (passed.start_s - requests.arrival_s).mean() - float(SERVING.fit.call_s)
        assert wait == pytest.approx(rho * service / (2 * (1 - rho)), rel=0.06)
        assert sum(spans(passed.prefill)) + sum(spans(passed.decode)) == pytest.approx(40_000 * service, rel=1e-4)


def test_two_lengths_of_prompt_queue_as_m_g_1():
    """Prefill servers apart, half the prompts 2k and half 8k: wait = lambda E[S^2] / (2 (1 - rho))."""
    rng = np.random.default_rng(3)
    n, context = 40_000, np.where(rng.random(40_000) < 0.5, 2048.0, 8192.0)
    service = context * np.asarray(prefill_token_s(APART, (context / 2).astype(np.float32)))
    rate = 0.6 / service.mean()
    arrival = np.cumsum(rng.exponential(1 / rate, n))
    passed = pass_through(APART, 4, 1, Requests(arrival, context, np.ones(n), context))
    wait = (passed.start_s - arrival).mean() - float(APART.fit.call_s)
    assert wait == pytest.approx(rate * (service**2).mean() / (2 * (1 - 0.6)), rel=0.06)


@pytest.mark.parametrize(
    ("serving", "rate", "generated"),
    [(SERVING, 10, 200), (SERVING, 40, 200), (SERVING, 8, 1000), (APART, 10, 200), (APART, 30, 200)],
)
def test_a_steady_stream_is_served_as_serve_says(serving, rate, generated):
    """An open Poisson stream against the closed law with a long think time at the same flow: within 8 %, 5 % loaded.

    At light load the least busy replica is chosen, so streams meet fewer others than the law's mean field has it.
    """
    think_s, n, context = 100.0, 6000 if generated == 1000 else 12_000, 2000.0
    requests = poisson(rate, n, context, generated)
    n_decode, n_prefill = (4, 0) if float(serving.mixes) else (2, 2)
    passed = pass_through(serving, n_decode, n_prefill, requests)
    settled = slice(n // 5, n * 4 // 5)
    wall = (passed.done_s - requests.arrival_s)[settled].mean()
    tpot = ((passed.done_s - passed.first_token_s) / (generated - 1))[settled].mean()
    low, high = 1.0, rate * 2000.0
    for _ in range(40):
        middle = (low + high) / 2
        law = serve(serving, 8.0, Demand(middle, 1.0, generated, context, context, think_s), 1.0)
        low, high = (middle, high) if float(law.decode_tok_s) / generated < rate else (low, middle)
    tolerance = 0.05 if rate * generated > 7000 else 0.08
    assert wall == pytest.approx(float(law.wall_s) - think_s, rel=tolerance)
    assert tpot == pytest.approx(1 / float(law.tok_s_per_stream), rel=tolerance)
    if float(serving.mixes) and rate * generated > 7000:  # shares in use, too
        edges = requests.arrival_s[[n // 5, n * 4 // 5]]
        busy = over_time(passed.prefill, spans(passed.prefill), edges) + over_time(
            passed.decode, spans(passed.decode), edges
        )
        flop = over_time(passed.prefill, passed.prefill.flop_s, edges) + over_time(
            passed.decode, passed.decode.flop_s, edges
        )
        memory = over_time(passed.decode, passed.decode.memory_s, edges)
        assert flop / busy == pytest.approx(float(law.u_flop), rel=0.05)
        assert memory / busy == pytest.approx(float(law.u_mem), rel=0.06)


def test_more_replicas_never_keep_the_mean_request_longer():
    requests = poisson(30, 3000, 3000, 100)
    means = [np.mean(pass_through(SERVING, n, 0, requests).done_s - requests.arrival_s) for n in (1, 2, 4, 8, 16)]
    assert all(later <= earlier * 1.001 for earlier, later in zip(means[:-1], means[1:], strict=True))


def test_the_cache_limits_who_decodes_together():
    """Room for three contexts: the fourth begins when one is done, and is not lost."""
    from dataclasses import replace

    tight = replace(SERVING, kv_tokens=3.5 * float(SERVING.full_share * 10_050 + (1 - SERVING.full_share) * 128))
    passed = pass_through(tight, 1, 0, alike(np.zeros(7), 10_000, 100))
    for start in np.sort(passed.start_s)[3:]:
        assert ((passed.start_s <= start) & (passed.done_s > start)).sum() <= 3
    assert np.isfinite(passed.done_s).all()


def test_what_is_spread_over_time_is_all_there():
    passed = pass_through(SERVING, 2, 0, poisson(20, 500, 2000, 50))
    edges = np.linspace(0, float(np.nanmax(passed.done_s)), 77)
    assert over_time(passed.decode, spans(passed.decode), edges).sum() == pytest.approx(sum(spans(passed.decode)))
