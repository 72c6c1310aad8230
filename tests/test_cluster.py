"""Cluster: nameplate, build-up and demand kept apart; capping; build-out; what is refused."""

import jax.numpy as jnp
import numpy as np
import pytest

from macrohard.colossus.cluster import build_up_mw, draw, fleet, nameplate_mw, performance, rack_it_mw, worth_of_power
from macrohard.colossus.cluster_builder import cluster_of, rack_of, wait_for_spare_h
from macrohard.colossus.cooling import Cooling, chiller_mw_per_mw, site_mw
from macrohard.colossus.serving import Demand, serve, serving_of

COLOSSUS_2 = dict(gpu="GB200", n_gpus=110_000)
ALL_UP = dict(gpu_mttr_h=0.0, rack_mttr_h=0.0)


def site_at(cluster, share, celsius=10.0):
    """Site power with every GPU at that share of its limit."""
    it = rack_it_mw(cluster, 110_000, share * cluster.gpu_power.limit_w)
    rated = rack_it_mw(cluster, 110_000, cluster.gpu_power.limit_w)
    return float(site_mw(cluster.cooling, it, rated, celsius))


def test_nameplate_of_110_000_gb200():
    """ceil(110,000 / 72) = 1,528 racks * 132 kW = 201.7 MW."""
    cluster = cluster_of(**COLOSSUS_2)
    assert float(nameplate_mw(cluster, 110_000.0)) == pytest.approx(1528 * 132 / 1e3)


def test_build_up_at_the_limit_is_168_megawatts():
    """231 + 1.082 * 1200 = 1529.4 W * 110,000 = 168.2 MW of racks; with 5 % network and storage 176.6 MW of IT."""
    cluster = cluster_of(**COLOSSUS_2)
    assert float(build_up_mw(cluster, 110_000.0)) == pytest.approx(168.2, abs=0.05)
    assert float(rack_it_mw(cluster, 110_000.0, 1200.0)) == pytest.approx(176.6, abs=0.05)


def test_site_power_waiting_and_unallocated():
    """Waiting at 0.25: (231 + 1.082 * 300) * 1.05 * 110,000 = 64.17 MW of IT; + 0.05 * (176.65 + 64.17) = 76.2 of site.

    Unallocated at 0.10: (231 + 129.8) * 1.05 * 110,000 = 41.68; + 0.05 * (176.65 + 41.68) = 52.6. A first
    reckoning had 69 and 44, which the law does not give: see docs/power.md. Within a fifth of those.
    """
    cluster = cluster_of(**COLOSSUS_2)
    assert site_at(cluster, 0.25) == pytest.approx(76.2, abs=0.1)
    assert site_at(cluster, 0.10) == pytest.approx(52.6, abs=0.1)
    assert site_at(cluster, 0.25) == pytest.approx(69, rel=0.2)
    assert site_at(cluster, 0.10) == pytest.approx(44, rel=0.2)


def test_site_power_in_full_serving():
    """A GPU at 0.77-0.88 of its limit: 158-175 MW of site on a cool day, chillers off."""
    cluster = cluster_of(**COLOSSUS_2)
    assert 156 < site_at(cluster, 0.77) < site_at(cluster, 0.88) < 177


def test_chillers_take_a_third_of_the_heat_at_35_degrees():
    """COP 3 at 35 C: 1/3. None below 20 C. At 27.5 C half the heat at COP 3 * (1 + 0.025 * 7.5) = 3.56: 0.140."""
    usual = Cooling()
    assert float(chiller_mw_per_mw(usual, 35.0)) == pytest.approx(1 / 3)
    assert float(chiller_mw_per_mw(usual, 20.0)) == 0
    assert float(chiller_mw_per_mw(usual, 27.5)) == pytest.approx(0.5 / 3.5625, rel=1e-5)


def test_a_given_pue_replaces_the_cooling_law():
    cluster = cluster_of(pue=1.1, **COLOSSUS_2)
    it = rack_it_mw(cluster, 110_000.0, 1000.0)
    assert float(site_mw(cluster.cooling, it, 1e3, 40.0)) == pytest.approx(float(it) * 1.1)


def test_racks_and_servers():
    """DGX H100 10.2 kW; B200 14.3; a kind without a rating gets 1.3 of its build-up: 8 * (229 + 1.095 * 400) * 1.3."""
    assert rack_of("H100").rating_kw == 10.2 and rack_of("H100").n_gpus == 8
    assert rack_of("B200").rating_kw == 14.3
    assert rack_of("GB300").n_gpus == 72
    assert rack_of("A100").rating_kw == pytest.approx(8 * 667 * 1.3 / 1e3)


@pytest.mark.parametrize(
    ("q", "b", "expected"),
    [(1.0, 0.4, 1.0), (0.65, 1.0, 0.5**0.4), (0.65, 0.4, 0.5**0.16), (0.30, 0.4, 0.0), (0.1, 1.0, 0.0)],
)
def test_capping_law(q, b, expected):
    """((q - 0.30) / 0.70)**(b / 2.5): at q = 0.65 half of the range is left, 0.5**0.4 = 0.758 or 0.5**0.16 = 0.895."""
    cluster = cluster_of(**COLOSSUS_2)
    assert float(performance(cluster.capping, jnp.float32(q), b)) == pytest.approx(expected, abs=1e-5)


def test_the_hardest_cap_is_where_tokens_per_watt_peak():
    """d ln g / d ln q = 1 at q = 0.30 / (1 - 0.16) = 0.357."""
    cluster = cluster_of(**COLOSSUS_2)
    q = np.linspace(0.31, 1, 2000, dtype=np.float32)
    per_watt = np.asarray(performance(cluster.capping, q, cluster.capping.serving_b)) / q
    assert q[per_watt.argmax()] == pytest.approx(cluster.capping.least, abs=2e-3)


def test_the_worth_of_power_is_the_slope_of_the_capping_law():
    """Serving at q = 0.9: 0.16 * 0.9 / 0.6 = 0.24, and so by differences; 1 at the hardest cap, 0 without a cap."""
    capping = cluster_of(**COLOSSUS_2).capping
    for q in (0.4, 0.6, 0.9):
        low, high = (float(performance(capping, q * each, capping.serving_b)) for each in (0.99, 1.01))
        slope = np.log(high / low) / np.log(1.01 / 0.99)
        assert float(worth_of_power(capping, jnp.float32(q), capping.serving_b)) == pytest.approx(slope, rel=5e-3)
    ends = [float(worth_of_power(capping, jnp.float32(q), capping.serving_b)) for q in (0.9, 0.357, 0.3, 1.0)]
    assert ends == pytest.approx([0.24, 1.0, 1.0, 0.0], abs=3e-3)


def test_a_build_out_steps_up():
    cluster = cluster_of("GB200", build_out=[(0.0, 36_000), (100.0, 72_000), (200.0, 110_000)], **ALL_UP)
    counts = [float(fleet(cluster, hour).n_gpus) for hour in (-1.0, 0.0, 99.0, 100.0, 250.0)]
    assert counts == [0, 36_000, 36_000, 72_000, 110_000]


def test_failures_take_their_share():
    """mtbf 50,000 h and 24 h until a spare stands in, for GPU and rack: (50,000 / 50,024)**2 = 0.99904."""
    now = fleet(cluster_of(**COLOSSUS_2), 1.0)
    assert float(now.n_up / now.n_gpus) == pytest.approx((50_000 / 50_024) ** 2, rel=1e-6)


def test_every_gpu_is_counted_once():
    now = fleet(cluster_of(training_share=0.3, unallocated_share=0.1, **COLOSSUS_2), 1.0)
    assert float(now.n_serving + now.n_training + now.n_unallocated) == pytest.approx(float(now.n_up), rel=1e-6)


def test_training_draws_more_than_waiting():
    serving = serving_of("GB200", "DeepSeek-R1", "fp4")
    idle = serve(serving, 110_000.0, Demand(0.0, 35.0, 17e3, 130e3, 2.3e6, 280.0), 1.0)
    drawn = [
        float(draw(each, fleet(each, 1.0), idle, 10.0).site_mw)
        for each in (cluster_of(training_share=share, **COLOSSUS_2) for share in (0.0, 0.5, 1.0))
    ]
    assert drawn[0] < drawn[1] < drawn[2]
    assert drawn[0] == pytest.approx(76.2, rel=0.01)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (dict(n_gpus=-5), "cluster.n_gpus"),
        (dict(pue=float("nan")), "cluster.pue"),
        (dict(pue=0.5), "cluster.pue"),
        (dict(training_share=1.5), "training.share"),
        (dict(gpu_mtbf_h=0.0), "gpu_mtbf_h"),
        (dict(build_out=[(5.0, 10), (1.0, 20)]), "build_out"),
    ],
)
def test_what_cannot_be_is_refused_by_name(wrong, named):
    with pytest.raises(ValueError, match=named):
        cluster_of(**wrong)


def test_failures_wait_for_spares_as_a_pipeline_of_repairs_has_it():
    """110,000 GPUs at 50,000 h: 2.2 failures an hour; 720 h of repair hold 1,584 +- 40. With 1,584 spares E|N - m|/2 =

    0.4 * 39.8 = 15.9 are missing: 7.2 h each. None: each waits out its repair. Plenty, or none counted: no wait.
    """
    assert wait_for_spare_h(110_000, 50_000.0, 720.0, 1584) == pytest.approx(15.9 / 2.2, rel=0.01)
    assert wait_for_spare_h(110_000, 50_000.0, 720.0, 0) == pytest.approx(720.0)
    assert wait_for_spare_h(110_000, 50_000.0, 720.0, 2000) == pytest.approx(0.0, abs=1e-6)
    assert wait_for_spare_h(110_000, 50_000.0, 720.0, None) == 0


def test_too_few_spares_take_gpus_away():
    few, many = (float(cluster_of(**COLOSSUS_2, gpu_spares=n).available_share) for n in (500, 3000))
    assert many == pytest.approx(float(cluster_of(**COLOSSUS_2).available_share))
    assert 110_000 * (many - few) == pytest.approx(1584 - 500, rel=0.02)
