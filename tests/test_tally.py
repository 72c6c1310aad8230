"""Totals that stay exact over a year of ticks without 64-bit types."""

import math
import random

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from busy import course_of_seed

from macrohard.floor.columns import place
from macrohard.floor.desks import TOKEN_KINDS
from macrohard.floor.readings import MEANS, TOTALS
from macrohard.floor.tally import LIMB, Count, add_count, add_total, as_float, as_int, no_count, no_total, row_sum
from macrohard.floor.tickets import Row

ROW_SUM, ADD_COUNT, ADD_TOTAL = jax.jit(row_sum), jax.jit(add_count), jax.jit(add_total)


def counted(number: int) -> Count:
    """A whole number in two limbs."""
    return Count(jnp.uint32(number >> LIMB), jnp.uint32(number & ((1 << LIMB) - 1)))


@pytest.mark.parametrize("n_rows", [1, 7, 1000, 4097])
@pytest.mark.parametrize("most", [2, 2**12, 2**20, 2**31])
def test_a_sum_over_rows_is_exact(n_rows, most):
    """Numbers up to 2**31 - 1, whose sum needs more than 32 bits."""
    numbers = np.random.default_rng(n_rows).integers(0, most, n_rows, dtype=np.int64)
    numbers[0] = most - 1
    assert as_int(ROW_SUM(jnp.asarray(numbers.astype(np.int32)))) == int(numbers.sum())


def test_the_tokens_of_a_million_desks_add_up_exactly():
    """2**20 desks that each get a whole attempt of 2**24 - 1 tokens within one tick; 16M is the most there is."""
    rows = jnp.full(2**20, 2**24 - 1, jnp.int32)
    assert as_int(ROW_SUM(rows)) == 2**20 * (2**24 - 1)


def test_rows_are_summed_along_the_last_axis():
    """Several kinds at once give the sums that each gives alone."""
    numbers = np.random.default_rng(4).integers(0, 2**31, (4, 999))
    summed = as_int(ROW_SUM(jnp.asarray(numbers, jnp.int32)))
    assert summed.tolist() == numbers.sum(axis=1).tolist()


def test_the_order_of_rows_changes_nothing():
    """A sum over rows that feeds back must not depend on how the rows are laid out."""
    numbers = jnp.asarray(np.random.default_rng(3).integers(0, 2**31, 999), jnp.int32)
    forwards, backwards = ROW_SUM(numbers), ROW_SUM(numbers[::-1])
    assert (int(forwards.high), int(forwards.low)) == (int(backwards.high), int(backwards.low))


@pytest.mark.parametrize("seed", range(5))
def test_a_count_is_exact_up_to_52_bits(seed):
    """Additions of numbers of all sizes against Python's own integers."""
    rng, total, count = random.Random(seed), 0, no_count()
    for _ in range(300):
        more = rng.randrange(2 ** rng.randrange(1, 43))
        total += more
        count = ADD_COUNT(count, counted(more))
        assert int(count.low) < 2**LIMB
    assert as_int(count) == total
    assert float(as_float(count)) == pytest.approx(total, rel=1e-7)


def test_carries_run_over_at_the_edge():
    """2**20 - 1 and 1 make one unit of the high limb."""
    count = add_count(counted(2**LIMB - 1), counted(1))
    assert (int(count.high), int(count.low)) == (1, 0)
    assert as_int(add_count(counted(2**51 - 1), counted(2**51))) == 2**52 - 1


def test_a_year_of_small_additions_to_a_large_total_loses_nothing():
    """525,600 ticks of about 2.5 MWh: float64's sum within 1e-9, where plain float32 is off by more than 1e-6."""
    n_ticks = 525_600
    mwh = jnp.asarray(np.random.default_rng(1).uniform(2.0, 3.0, n_ticks), jnp.float32)

    def step(now, more):
        return (add_total(now[0], more), now[1] + more), None

    (total, plain), _ = jax.jit(lambda xs: jax.lax.scan(step, (no_total(), jnp.float32(0)), xs))(mwh)
    exact = math.fsum(np.asarray(mwh, np.float64))
    assert float(total.sum) + float(total.lost) == pytest.approx(exact, rel=1e-9)
    assert abs(float(plain) / exact - 1) > 1e-6


def test_a_total_that_falls_and_rises_stays_exact():
    """Charges and discharges that nearly cancel: what is left is right to 1e-4 of a unit."""
    changes = np.random.default_rng(2).normal(0, 100, 4000).astype(np.float32)
    total = no_total()
    for change in changes[:400]:
        total = ADD_TOTAL(total, change)
    exact = math.fsum(changes[:400].astype(np.float64))
    assert float(total.sum) + float(total.lost) == pytest.approx(exact, abs=1e-4)


def test_totals_of_many_quantities_are_kept_at_once():
    """Shape (quantities,): each for itself."""
    total = no_total((3,))
    for _ in range(10):
        total = add_total(total, jnp.array([1.0, 1e-3, 1e6], jnp.float32))
    kept = np.asarray(total.sum, np.float64) + np.asarray(total.lost, np.float64)
    assert kept == pytest.approx([10, 1e-2, 1e7], rel=1e-7)


def test_the_totals_of_a_run_are_those_of_its_ticks():
    """Five hours with a bin per tick: energies against float64 sums of what each tick noted, tokens against Python sums
    over tickets (attempts that ended) and desks (what their attempts have got so far).
    """
    state = course_of_seed(1)[-1]
    n_ticks, record = int(state.tick), state.record
    assert record.ticks[:n_ticks].tolist() == [1] * n_ticks
    for name, column in (("load_mwh", "load_mw"), ("grid_mwh", "grid_mw"), ("capped_mwh", "capped_mw")):
        at = TOTALS.index(name)
        exact = math.fsum(record.means[:n_ticks, MEANS.index(column)].astype(np.float64)) / 60
        assert float(record.totals.sum[at]) + float(record.totals.lost[at]) == pytest.approx(exact, rel=1e-6)
        assert exact > 0
    job, written = state.desks.job, 0
    for ticket, share, whole in zip(state.desks.ticket, state.desks.progress, job.decode_tokens, strict=True):
        written += 0 if ticket < 0 else int(whole) if share >= 1 else int(np.float32(whole) * share)
    ended = state.tickets.words[:, place(Row, "decode_tokens")].astype(np.int64).sum()
    assert as_int(record.tokens)[..., TOKEN_KINDS.index("decode")].sum() == ended + written
    assert ended > 0 < written
