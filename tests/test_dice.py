"""The dice: the compiled hash is the oracle's, and its throws are as even and as independent as they must be."""

import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest
from scipy import stats

from macrohard.colossus import dice
from macrohard.floor.throws import MAX_EVENTS, Stream, normals, rare_count

N = 1 << 16
ROWS = jnp.arange(N)


def throws(seed: int = 1, stream: int = Stream.CALLS, tick: int = 0, role: int = 0) -> np.ndarray:
    """The throws of 65,536 desks."""
    return np.asarray(dice.uniform(jnp.uint32(seed), stream, tick, role, ROWS), np.float64)


def correlation_z(first: np.ndarray, second: np.ndarray) -> float:
    """Standard errors by which the correlation of two samples differs from none."""
    return float(np.corrcoef(first, second)[0, 1] * np.sqrt(len(first)))


def test_the_compiled_hash_is_the_oracles():
    """Bit for bit, on keys with zeros, negative words and words beyond 31 bits."""
    rng = np.random.default_rng(1)
    keys = [[0], [0, 0], [1, -1], [2**32 - 1, 2**31, 7], *rng.integers(0, 2**31, (40, 4)).tolist()]
    for seed, *words in keys:
        words_32 = [jnp.uint32(word % 2**32) for word in words]
        assert int(dice.bits(jnp.uint32(seed), *words_32)) == oracle.bits(seed, *(word % 2**32 for word in words))
        assert float(dice.uniform(jnp.uint32(seed), *words_32)) == oracle.uniform(seed, *(w % 2**32 for w in words))


def test_a_throw_does_not_depend_on_its_place_in_an_array():
    """Alone, in a batch, in another order, compiled or not: the key alone decides."""
    rows = jnp.array([5, 3, 1_000_000, 0])
    together = np.asarray(dice.uniform(7, 1, 2, rows))
    alone = [float(dice.uniform(7, 1, 2, row)) for row in rows.tolist()]
    mapped = jax.jit(jax.vmap(lambda row: dice.uniform(7, 1, 2, row)))(rows[::-1])
    assert together.tolist() == alone == np.asarray(mapped)[::-1].tolist()


def test_throws_lie_strictly_between_0_and_1():
    """Even for the least and the greatest hash: (0 + 1/2) / 2**23 and (2**23 - 1/2) / 2**23 are exact in float32."""
    ends = jnp.array([0, 2**32 - 1], jnp.uint32)
    low, high = ((ends >> 9).astype(jnp.float32) + 0.5) * 2.0**-23
    assert (float(low), float(high)) == (2.0**-24, 1 - 2.0**-24)
    many = np.asarray(dice.uniform(3, 1, jnp.arange(1 << 20)))
    assert 0 < many.min() < 1e-5
    assert 1 - 1e-5 < many.max() < 1


@pytest.mark.parametrize("seed", [0, 1, 2, 12345, 2**32 - 1])
def test_throws_are_uniform(seed):
    """Kolmogorov-Smirnov over desks and over ticks, and chi-square over 256 bins; p above 1e-4 in each."""
    over_desks = throws(seed)
    over_ticks = np.asarray(dice.uniform(jnp.uint32(seed), Stream.GOOD, ROWS, 2, 5), np.float64)
    for sample in (over_desks, over_ticks):
        assert stats.kstest(sample, "uniform").pvalue > 1e-4
        assert stats.chisquare(np.histogram(sample, 256, (0, 1))[0]).pvalue > 1e-4


def test_every_bit_is_fair():
    """Each of the 32 bits is set in half of the throws, within 5 standard errors; so it is after one more tick."""
    for tick in (0, 1):
        hashed = np.asarray(dice.bits(1, Stream.OUTCOME, tick, 0, ROWS))
        ones = (hashed[:, None] >> np.arange(32)) & 1
        assert np.abs(ones.mean(axis=0) - 0.5).max() < 5 * 0.5 / np.sqrt(N)


def test_a_change_of_one_bit_of_the_key_changes_half_of_the_throw():
    """Avalanche: flipping any of the low 16 bits of seed, tick or row flips 16 of 32 bits in the mean (within 0.1)."""
    for place in range(3):
        for bit in range(16):
            flip = [jnp.uint32((1 << bit) * (word == place)) for word in range(3)]
            before = dice.bits(jnp.uint32(9), jnp.uint32(4), ROWS)
            after = dice.bits(jnp.uint32(9) ^ flip[0], jnp.uint32(4) ^ flip[1], ROWS.astype(jnp.uint32) ^ flip[2])
            flipped = np.bitwise_count(np.asarray(before ^ after))
            assert flipped.mean() == pytest.approx(16, abs=0.1), (place, bit)


@pytest.mark.parametrize("other", [dict(seed=2), dict(stream=2), dict(tick=1), dict(role=1)])
def test_throws_of_neighbouring_keys_are_independent(other):
    """Another seed, stream, tick or role: no correlation, of the throws or of their squares about the middle."""
    first, second = throws(), throws(**other)
    assert abs(correlation_z(first, second)) < 4.5
    assert abs(correlation_z((first - 0.5) ** 2, (second - 0.5) ** 2)) < 4.5
    cells = np.histogram2d(first, second, 16, [[0, 1], [0, 1]])[0]
    assert stats.chisquare(cells.ravel()).pvalue > 1e-4


@pytest.mark.parametrize("lag", [1, 2, 3, 7, 64])
def test_throws_of_neighbouring_rows_and_ticks_are_independent(lag):
    """A desk knows nothing of the desk beside it, nor of itself some ticks ago."""
    desks = throws()
    ticks = np.asarray(dice.uniform(1, Stream.GOOD, ROWS, 0, 0), np.float64)
    for sample in (desks, ticks):
        assert abs(correlation_z(sample[:-lag], sample[lag:])) < 4.5


def test_keys_do_not_commute():
    """Desk 3 in tick 5 and desk 5 in tick 3 throw for themselves, as do ticket and count of redraws."""
    few = jnp.arange(256)
    square = np.asarray(dice.uniform(1, 7, few[:, None], few[None, :]), np.float64)
    upper = np.triu_indices(256, 1)
    assert (square[upper] != square.T[upper]).mean() > 0.999
    assert abs(correlation_z(square[upper], square.T[upper])) < 4.5


def test_throws_hardly_ever_collide():
    """65,536 throws of 32 bits hold about n^2 / 2^33 = 0.5 pairs alike."""
    assert N - len(np.unique(np.asarray(dice.bits(1, 2, 3, ROWS)))) <= 5


def test_two_uniforms_make_two_independent_normals():
    """Box and Muller: means 0, deviations 1, the shape of a normal, no correlation."""
    first, second = (np.asarray(z, np.float64) for z in normals(throws(stream=1), throws(stream=2)))
    for sample in (first, second):
        assert stats.kstest(sample, "norm").pvalue > 1e-4
        assert sample.std() == pytest.approx(1, abs=0.015)
    assert abs(correlation_z(first, second)) < 4.5
    assert abs(correlation_z(first**2, second**2)) < 4.5
    assert np.isfinite(np.asarray(normals(jnp.float32(2.0**-24), jnp.float32(0.5)))).all()


@pytest.mark.parametrize("mean", [0.0, 0.05, 0.18, 0.5])
def test_rare_events_are_poisson_up_to_three(mean):
    """Shares of 0, 1, 2, 3 events and the mean, within 4 standard errors and the tail cut off (0.2 % at 0.5)."""
    counts = np.asarray(rare_count(jnp.float32(mean), jnp.asarray(throws(), jnp.float32)))
    assert counts.max(initial=0) <= MAX_EVENTS
    for n in range(MAX_EVENTS):
        expected = stats.poisson.pmf(n, mean)
        assert (counts == n).mean() == pytest.approx(expected, abs=4 * np.sqrt(expected / N) + 1e-9)
    assert counts.mean() == pytest.approx(mean, abs=4 * np.sqrt(mean / N) + 0.002 * (mean > 0.2))
