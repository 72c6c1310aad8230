"""Power of one GPU."""

import itertools

import pytest

from macrohard.colossus.gpu_power import busy_power_w, gpu_power_of, serving_power_w
from macrohard.colossus.hardware import GPUS


@pytest.mark.parametrize("name", GPUS)
def test_power_orders_unallocated_waiting_decode_prefill_limit(name):
    """Decode at long context uses bandwidth and little arithmetic, prefill the reverse."""
    power = gpu_power_of(name)
    watts = [
        power.unallocated * power.limit_w,
        power.waiting * power.limit_w,
        float(busy_power_w(power, 0.5, 0.03)),
        float(busy_power_w(power, 0.05, 0.5)),
        power.limit_w,
    ]
    assert all(less < more for less, more in itertools.pairwise(watts))


def test_power_grows_with_use_and_stays_under_the_limit():
    power = gpu_power_of("GB200")
    grid = [0.0, 0.1, 0.3, 0.6, 1.0]
    for u in grid:
        rising = [float(busy_power_w(power, u, other)) for other in grid]
        assert rising == sorted(rising) and rising[-1] < power.limit_w
        rising = [float(busy_power_w(power, other, u)) for other in grid]
        assert rising == sorted(rising)


def test_a_half_busy_fleet_draws_the_mean_of_busy_and_waiting():
    power = gpu_power_of("H100")
    half = (float(busy_power_w(power, 0.4, 0.1)) + power.waiting * power.limit_w) / 2
    assert float(serving_power_w(power, 0.5, 0.4, 0.1)) == pytest.approx(half, rel=1e-6)


def test_a_fleet_of_gb200_at_full_serving_draws_what_the_model_document_expects():
    """docs/power.md: IT = 231 + 1.082*P per GPU, +5 % network, site = IT * about 1.1: 158-175 MW."""
    watts = float(busy_power_w(gpu_power_of("GB200", 72), 0.1, 0.4))
    site_mw = 110_000 * (231 + 1.082 * watts) * 1.05 * 1.1 / 1e6
    assert 158 < site_mw < 175
