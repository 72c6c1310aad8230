"""The law of an attempt: orders of magnitude, the budget, and what must grow with what."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import small

from agents.attempt import AttemptLaw, attempt_load, calls_of, input_of
from macrohard.faults import ScenarioError
from macrohard.habits import habits_of
from macrohard.work_tables import attempt_law, scaffolds

CODEX = AttemptLaw(
    calls_at_120_min=30.0,
    first_context_tokens=12_400.0,
    context_growth_tokens=2_200.0,
    decode_tokens_per_call=500.0,
    size_exponent=0.45,
    calls_sd_log=0.4,
    cached_miss=0.02,
    max_input_tokens=16e6,
    good_factor=0.85,
    bad_factor=1.18,
    tool_median_s=100.0,
    tool_mean_s=280.0,
)
PLAIN = dataclasses.replace(CODEX, good_factor=1.0, bad_factor=1.0)


def test_the_median_attempt_by_hand():
    """n = 30: I = 12.4k * 30 + 2.2k * 900 / 2 = 1.362M; computed 12.4k + 66k + 27.2k = 105.6k; output 15k."""
    load = attempt_load(120.0, 0.0, 0.0, 1.0, PLAIN)
    assert float(load.calls) == pytest.approx(30)
    assert float(load.input_tokens) == pytest.approx(1_362_000)
    assert float(load.prefill_tokens) == pytest.approx(105_640)
    assert float(load.decode_tokens) == pytest.approx(15_000)
    assert float(load.tool_s) == pytest.approx(100)


def test_the_mean_codex_attempt_is_that_of_the_model():
    """docs/work.md: about 35 calls, 2.3M input, 17k output, 66k context, over sizes of 120 min, sd 0.73."""
    rng = np.random.default_rng(1)
    size = 120.0 * np.exp(0.73 * rng.standard_normal(200_000))
    load = attempt_load(size, rng.standard_normal(200_000), rng.standard_normal(200_000), 1.0, PLAIN)
    assert float(load.calls.mean()) == pytest.approx(35, rel=0.05)
    assert float(load.input_tokens.mean()) == pytest.approx(2.3e6, rel=0.12)
    assert float(load.decode_tokens.mean()) == pytest.approx(17_000, rel=0.05)
    assert float(load.input_tokens.mean() / load.calls.mean()) == pytest.approx(66_000, rel=0.1)
    assert float(load.tool_s.mean()) == pytest.approx(280, rel=0.05)


def test_good_and_bad_attempts_differ_in_input_by_their_factors():
    good = attempt_load(120.0, 0.3, 0.0, 1.0, CODEX)
    bad = attempt_load(120.0, 0.3, 0.0, 0.0, CODEX)
    usual = attempt_load(120.0, 0.3, 0.0, 0.0, PLAIN)
    assert float(good.input_tokens / usual.input_tokens) == pytest.approx(0.85, rel=1e-4)
    assert float(bad.input_tokens / usual.input_tokens) == pytest.approx(1.18, rel=1e-4)
    assert float(good.calls) < float(usual.calls) < float(bad.calls)


def test_the_input_scales_as_size_to_0_85_around_the_middle():
    """0.45 * (1 + 33k / 45.4k) = 0.78 at 30 calls, 0.85 and more at larger sizes."""
    low, high = (attempt_load(size, 0.0, 0.0, 1.0, PLAIN).input_tokens for size in (60.0, 960.0))
    assert float(jnp.log(high / low) / jnp.log(16.0)) == pytest.approx(0.80, abs=0.05)


@given(size=st.floats(0.01, 1e6), z=st.floats(-4, 4), w=st.floats(-4, 4), good=st.sampled_from([0.0, 1.0]))
def test_every_load_is_whole_and_within_the_budget(size, z, w, good):
    load = attempt_load(size, z, w, good, CODEX)
    assert all(np.isfinite(float(x)) and float(x) >= 0 for x in load)
    assert float(load.calls) >= 1.0
    assert float(load.input_tokens) <= 16e6 * 1.0001
    assert float(load.input_tokens) == pytest.approx(float(load.prefill_tokens + load.cached_tokens), rel=1e-5)
    assert float(load.prefill_tokens) <= float(load.input_tokens)


@given(size=st.floats(1, 1e4), factor=st.floats(1.0, 5.0), z=st.floats(-3, 3), dz=st.floats(0, 2))
def test_larger_tickets_and_higher_throws_never_take_less(size, factor, z, dz):
    here = attempt_load(size, z, 0.0, 1.0, CODEX)
    for more in (attempt_load(size * factor, z, 0.0, 1.0, CODEX), attempt_load(size, z + dz, 0.0, 1.0, CODEX)):
        assert float(more.calls) >= float(here.calls) * 0.9999
        assert float(more.input_tokens) >= float(here.input_tokens) * 0.9999


def test_calls_and_input_are_each_others_inverse():
    calls = jnp.array([1.0, 7.0, 30.0, 110.0])
    assert calls_of(input_of(calls, CODEX), CODEX).tolist() == pytest.approx(calls.tolist(), rel=1e-4)


def test_one_desk_maps_over_many():
    size, z = jnp.linspace(10, 500, 20), jnp.linspace(-2, 2, 20)
    many = jax.jit(jax.vmap(attempt_load, in_axes=(0, 0, 0, None, None)))(size, z, z, 1.0, CODEX)
    one = [float(attempt_load(a, b, b, 1.0, CODEX).input_tokens) for a, b in zip(size, z, strict=True)]
    assert many.input_tokens.tolist() == pytest.approx(one, rel=1e-5)


def test_what_a_scenario_leaves_out_of_an_attempt_is_the_scaffolds():
    """Every fitted number of every scaffold reaches the agents; one that is set replaces itself alone."""
    for scaffold in scaffolds():
        law = habits_of(small(f"workforce.scaffold={scaffold}")).attempt
        told = habits_of(small(f"workforce.scaffold={scaffold}", "tokens.decode_tokens_per_call=900")).attempt
        for field in dataclasses.fields(AttemptLaw):
            fitted = getattr(attempt_law(scaffold), field.name)
            assert float(getattr(law, field.name)) == pytest.approx(fitted, rel=1e-6), (scaffold, field.name)
            own = 900 if field.name == "decode_tokens_per_call" else fitted
            assert float(getattr(told, field.name)) == pytest.approx(own, rel=1e-6)


def test_a_median_above_the_scaffolds_mean_is_refused():
    """Tools of 400 s in the median cannot take the scaffold's 280 s on average."""
    with pytest.raises(ScenarioError) as refused:
        habits_of(small("tokens.tool_median_s=400"))
    assert refused.value.faults[0].key == "tokens.tool_median_s" and "280" in str(refused.value)
