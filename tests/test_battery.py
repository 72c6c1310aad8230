"""Battery: bounds, losses and cases worked by hand."""

import jax.numpy as jnp
import numpy as np
import pytest

from macrohard.colossus.battery import above_mwh, battery_of, capacity_mwh, loss_mw, room_mwh, store


def test_168_megapacks_of_colossus_1():
    """168 * 0.979 = 164.5 MW; 168 * 3.916 = 657.9 MWh; 657.9 * 0.85 * 0.968 = 541 usable, * 0.65 * 0.968 = 414."""
    block = battery_of("megapack2xl_4h", 168)
    full = block.soc_max
    assert block.power_mw == pytest.approx(164.5, abs=0.05)
    assert block.energy_mwh == pytest.approx(657.9, abs=0.05)
    assert float(above_mwh(block, full, block.soc_min, block.energy_mwh)) == pytest.approx(541.3, abs=0.1)
    assert float(above_mwh(block, full, block.reserve, block.energy_mwh)) == pytest.approx(413.9, abs=0.1)
    assert block.auxiliary_mw == pytest.approx(168 * 0.979 * 0.005)


def test_a_round_trip_returns_the_product_of_both_efficiencies():
    """10 MWh in, 10 * 0.968 stored, 10 * 0.968**2 = 9.37 out; 6.3 % are lost, as the datasheet's 0.937 says."""
    block = battery_of("megapack2xl_4h", 100)
    energy = block.energy_mwh
    filled = store(block, 0.5, -10.0, energy, 1.0)
    emptied = store(block, filled, 10.0 * 0.968**2, energy, 1.0)
    assert float(emptied) == pytest.approx(0.5, abs=1e-6)
    lost = float(loss_mw(block, -10.0) + loss_mw(block, 10.0 * 0.968**2))
    assert lost == pytest.approx(10 - 10 * 0.968**2, rel=1e-4)


def test_fade_takes_an_eighth_in_five_years():
    """5 years * 2.5 % = 12.5 %."""
    block = battery_of("megapack2xl_4h", 10)
    assert float(capacity_mwh(block, 5 * 8760.0)) == pytest.approx(0.875 * 39.16, rel=1e-5)


@pytest.mark.parametrize("seed", range(10))
def test_what_is_offered_can_be_carried(seed):
    """Discharging all above a floor ends on it; charging all the room ends on soc_max."""
    rng = np.random.default_rng(seed)
    block = battery_of("megapack2xl_2h", float(rng.integers(1, 500)))
    soc, dt_h, energy = float(rng.uniform(0.3, 0.95)), 0.25, block.energy_mwh
    given = above_mwh(block, soc, block.reserve, energy) / dt_h
    taken = room_mwh(block, soc, energy) / dt_h
    assert float(store(block, soc, given, energy, dt_h)) == pytest.approx(block.reserve, abs=1e-6)
    assert float(store(block, soc, -taken, energy, dt_h)) == pytest.approx(block.soc_max, abs=1e-6)


def test_no_units_means_no_power_and_a_state_of_charge_that_stays():
    block = battery_of("megapack2xl_4h", 0)
    assert block.power_mw == 0
    assert float(store(block, jnp.float32(0.9), 0.0, block.energy_mwh, 1.0)) == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (dict(kind="megapack9"), "power.megapack.kind"),
        (dict(n_units=-1), "n_units"),
        (dict(soc_min=0.5, soc_max=0.4), "soc_min"),
        (dict(reserve=0.99), "reserve"),
        (dict(soc_start=0.05), "soc_start"),
        (dict(powr_mw=2.0), "powr_mw"),
    ],
)
def test_what_cannot_be_is_refused_by_name(wrong, named):
    with pytest.raises(ValueError, match=named):
        battery_of(**wrong)
