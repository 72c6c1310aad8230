"""The success law: its middle, its slope, and tickets that stay as hard as they are."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.capability import (
    N_LOGITS,
    N_QUANTILES,
    beta_quantile_table,
    horizon_at,
    success_after_failure,
    success_chance,
    success_mean,
    unsolved_share,
)

TABLE = jnp.asarray(beta_quantile_table(0.70))
U = jnp.asarray((np.arange(20_000) + 0.5) / 20_000, jnp.float32)


def test_half_the_tickets_of_the_horizon_are_solved():
    assert float(success_mean(431.0, 431.0, 0.45, 0.0)) == pytest.approx(0.5)


def test_a_ticket_of_two_hours_by_hand():
    """beta * log2(431 / 120) = 0.45 * 1.845 = 0.830; sigmoid 0.696; a visual front end: 0.830 - 1.6, sigmoid 0.317."""
    assert float(success_mean(120.0, 431.0, 0.45, 0.0)) == pytest.approx(0.696, abs=0.001)
    assert float(success_mean(120.0, 431.0, 0.45, -1.6)) == pytest.approx(0.317, abs=0.001)


@pytest.mark.parametrize(("tries", "unsolved"), [(1, 0.30), (3, 0.21), (5, 0.18)])
def test_retries_help_little_at_a_mean_of_0_70(tries, unsolved):
    """docs/work.md: 0.30, 0.21 and 0.18 are unsolved after 1, 3 and 5 tries; by the table and by the formula."""
    chance = success_chance(TABLE, 0.70, U)
    assert float(((1 - chance) ** tries).mean()) == pytest.approx(unsolved, abs=0.006)
    assert float(unsolved_share(0.70, 0.70, tries)) == pytest.approx(unsolved, abs=0.006)


def test_success_after_a_failure_by_hand():
    """p (1 - rho) = 0.7 * 0.3 = 0.21 = 1 - unsolved after 2 / unsolved after 1."""
    assert float(success_after_failure(0.7, 0.7)) == pytest.approx(0.21)
    two = float(unsolved_share(0.7, 0.7, 2) / unsolved_share(0.7, 0.7, 1))
    assert 1 - two == pytest.approx(0.21)


@pytest.mark.parametrize("rho", [0.0, 0.05, 0.3, 0.62, 0.7, 0.9, 1.0])
@pytest.mark.parametrize("mean", [0.001, 0.03, 0.2, 0.5, 0.77, 0.99])
def test_the_mean_over_tickets_is_the_mean(mean, rho):
    """Within 1 % of p or 0.002: the error of straight lines between logits."""
    chance = success_chance(jnp.asarray(beta_quantile_table(rho)), mean, U)
    assert float(chance.mean()) == pytest.approx(mean, rel=0.01, abs=0.002)
    assert float(chance.min()) >= 0 and float(chance.max()) <= 1


@given(mean=st.floats(0.01, 0.99), more=st.floats(0.0, 0.3), u=st.floats(0.001, 0.999), right=st.floats(0.0, 0.3))
def test_an_easier_ticket_and_a_better_model_never_have_less_chance(mean, more, u, right):
    here = float(success_chance(TABLE, mean, u))
    assert float(success_chance(TABLE, min(mean + more, 0.995), u)) >= here - 1e-5
    assert float(success_chance(TABLE, mean, min(u + right, 0.9999))) >= here - 1e-6


@given(size=st.floats(0.1, 1e5), factor=st.floats(1.0, 10.0), horizon=st.floats(1.0, 1e5), beta=st.floats(0.1, 1.0))
def test_longer_tickets_are_solved_less_and_longer_horizons_solve_more(size, factor, horizon, beta):
    here = float(success_mean(size, horizon, beta, 0.0))
    assert float(success_mean(size * factor, horizon, beta, 0.0)) <= here + 1e-6
    assert float(success_mean(size, horizon * factor, beta, 0.0)) >= here - 1e-6


def test_extremes_stay_finite_and_within_bounds():
    chance = success_chance(TABLE, jnp.array([0.0, 1.0, 0.5, 0.5]), jnp.array([0.0, 1.0, 0.0, 1.0]))
    assert bool(jnp.isfinite(chance).all()) and float(chance.min()) >= 0 and float(chance.max()) <= 1


def test_the_chance_of_one_desk_maps_over_many():
    means, quantiles = jnp.linspace(0.01, 0.99, 50), jnp.linspace(0.99, 0.01, 50)
    many = jax.jit(jax.vmap(success_chance, in_axes=(None, 0, 0)))(TABLE, means, quantiles)
    one = [float(success_chance(TABLE, p, u)) for p, u in zip(means, quantiles, strict=True)]
    assert many.tolist() == pytest.approx(one, abs=1e-6)
    assert TABLE.shape == (N_LOGITS, N_QUANTILES)


def test_the_horizon_doubles_in_125_days():
    assert horizon_at(125, 431) == pytest.approx(862) and horizon_at(-250, 431) == pytest.approx(107.75)
