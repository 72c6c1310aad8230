"""Reliability figures against what probability says, and sizing by bisection."""

import math

import numpy as np
import pytest

from macrohard.colossus.plant_builder import plant_of
from macrohard.colossus.reliability import adequacy, margin_mw, smallest


def test_the_trade_of_phase_1_is_visible():
    """275 MW against 220 of rated site: +55; one unit out or 35 C: +20; both: -9."""
    plant = plant_of([{"kind": "titan350", "n_units": 7}], grid_mw=30.0)
    assert margin_mw(plant, 220.0) == pytest.approx(55.0)
    assert margin_mw(plant, 220.0, n_out=1) == pytest.approx(20.0)
    assert margin_mw(plant, 220.0, celsius=35.0) == pytest.approx(20.7, abs=0.01)
    assert margin_mw(plant, 220.0, n_out=1, celsius=35.0) == pytest.approx(-9.4, abs=0.01)


def test_hours_short_are_those_of_the_binomial():
    """Three units all needed, each out 0.1 of the time: short 1 - 0.9**3 = 0.271 of the hours.

    A unit just repaired starts in 7.5 min and waits out no minimum down time here; that adds under 2 %.
    """
    units = {"kind": "titan350", "n_units": 3, "forced_outage_share": 0.1, "mttr_h": 20.0, "min_down_min": 0.0}
    units["derate_per_k"] = 0.0
    seen = adequacy(plant_of([units]), 105.0, years=1.0, n_seeds=12, dt_h=1 / 12)
    share = seen.lolh_h.mean / 8760
    assert seen.lolh_h.low / 8760 * 0.97 < 0.271 < seen.lolh_h.high / 8760 * 1.03
    assert share == pytest.approx(0.271, rel=0.1)
    assert seen.lole_days.mean <= 365 and seen.event_h <= seen.longest_event_h


def test_a_plant_that_suffices_is_never_short():
    seen = adequacy(plant_of(grid_mw=100.0), 80.0, years=0.1, n_seeds=2, dt_h=1 / 4)
    assert seen.lolh_h.mean == seen.eens_mwh.mean == seen.n_events.mean == 0


def test_expected_energy_is_that_of_the_profile():
    """A load of 100 MW by day and 40 by night on 70 MW of grid: 30 MW short for half of the time."""
    profile = np.repeat([100.0, 40.0], 12)
    seen = adequacy(plant_of(grid_mw=70.0, grid_ramp_mw_per_min=100.0), profile, years=36 / 365, n_seeds=2, dt_h=1.0)
    assert seen.eens_mwh.mean == pytest.approx(30 * 4380, rel=0.01)
    assert seen.lolh_h.mean == pytest.approx(4380, rel=0.01)
    assert seen.event_h == pytest.approx(12.0) and seen.lole_days.mean == pytest.approx(365, rel=0.02)


def test_bisection_finds_the_smallest_fleet():
    """A peak of 30 MW * 2 h over 70 MW of grid: 60 / (3.916 * 0.65 * 0.968) = 24.4; power 30 / 0.979 = 30.6."""
    profile = np.repeat([60.0, 100.0, 60.0], [36, 4, 8])

    def short(n_units: int) -> float:
        plant = plant_of((), {"n_units": n_units, "soc_start": 0.95}, grid_mw=70.0, grid_ramp_mw_per_min=100.0)
        return adequacy(plant, profile, years=30 / 365, n_seeds=1, dt_h=0.5).eens_mwh.mean

    # 10 MW of spare grid refills 64 MWh in the 22 h between: power binds
    assert smallest(short, 0, 100, 0.0) == 31
    assert smallest(lambda n: 1.0, 0, 100, 0.0) is None
    assert smallest(lambda n: max(7 - n, 0), 0, 100, 0.5) == 7


def test_the_interval_narrows_with_seeds():
    units = {"kind": "smt130", "n_units": 2, "forced_outage_share": 0.2, "mttr_h": 10.0}
    few, many = (adequacy(plant_of([units]), 30.0, years=0.05, n_seeds=n, dt_h=0.25).lolh_h for n in (4, 64))
    assert many.high - many.low < few.high - few.low
    assert math.isinf(adequacy(plant_of([units]), 30.0, years=0.05, n_seeds=1, dt_h=0.25).lolh_h.high)
