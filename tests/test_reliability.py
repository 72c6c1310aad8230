"""Reliability figures against what probability says, and sizing by bisection."""

import json
import math

import numpy as np
import pytest
from typer.testing import CliRunner

from macrohard import Scenario
from macrohard.cli import app
from macrohard.colossus.plant_builder import plant_of
from macrohard.colossus.reliability import adequacy, margin_mw
from macrohard.reliability import reliability


def test_the_trade_of_phase_1_is_visible():
    """275 MW against 220 of rated site: +55; one unit out or 35 C: +20; both: -9."""
    plant = plant_of([{"kind": "titan350", "n_units": 7}], grid_mw=30.0)
    assert margin_mw(plant, 220.0) == pytest.approx(55.0)
    assert margin_mw(plant, 220.0, n_out=1) == pytest.approx(20.0)
    assert margin_mw(plant, 220.0, celsius=35.0) == pytest.approx(20.7, abs=0.01)
    assert margin_mw(plant, 220.0, n_out=1, celsius=35.0) == pytest.approx(-9.4, abs=0.01)


def test_units_without_a_permit_throughout_are_no_margin():
    """2 * 35 with a permit to hour 100 and 5 * 35 without end: 275 MW to hour 100, 205 MW beyond."""
    some = {"kind": "titan350", "n_units": 2, "permit_until_h": 100.0}
    plant = plant_of([some, {"kind": "titan350", "n_units": 5}], grid_mw=30.0)
    assert margin_mw(plant, 0.0, until_h=100.0) == pytest.approx(275.0)
    assert margin_mw(plant, 0.0, until_h=101.0) == pytest.approx(205.0)


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
    assert seen.event_mwh == pytest.approx(30 * 12, rel=0.01) and seen.worst_mw == pytest.approx(30, abs=0.01)
    assert seen.event_h == pytest.approx(12.0) and seen.lole_days.mean == pytest.approx(365, rel=0.02)


def test_the_fleet_that_carries_a_daily_peak_is_found_by_hand():
    """A peak of 30 MW for 2 h over 70 MW of grid: 60 / (3.916 * 0.65 * 0.968) = 24.4; power 30 / 0.979 = 30.6."""
    profile = np.repeat([60.0, 100.0, 60.0], [36, 4, 8])

    def short_mwh(n_units: int) -> float:
        plant = plant_of((), {"n_units": n_units, "soc_start": 0.95}, grid_mw=70.0, grid_ramp_mw_per_min=100.0)
        return adequacy(plant, profile, years=30 / 365, n_seeds=1, dt_h=0.5).eens_mwh.mean

    # 10 MW of spare grid refills 64 MWh in the 22 h between: power binds
    assert short_mwh(30) > short_mwh(31) == 0


def test_the_interval_narrows_with_seeds():
    units = {"kind": "smt130", "n_units": 2, "forced_outage_share": 0.2, "mttr_h": 10.0}
    few, many = (adequacy(plant_of([units]), 30.0, years=0.05, n_seeds=n, dt_h=0.25).lolh_h for n in (4, 64))
    assert many.high - many.low < few.high - few.low
    assert math.isinf(adequacy(plant_of([units]), 30.0, years=0.05, n_seeds=1, dt_h=0.25).lolh_h.high)


def test_the_reliability_of_a_site_is_that_of_its_plant():
    """Phase 1 without Megapacks is short on some days; N-1 holds on a cool day and fails on a hot one."""
    found = reliability(Scenario.load("colossus2-phase1", ["power.megapack.n_units=0"]), n_seeds=2, tick_s=1800)
    assert found.load_mean_mw < found.load_peak_mw and 1.1 < found.pue_mean < found.pue_highest < 1.45
    assert found.adequacy.lolh_h.mean > 0 and found.adequacy.eens_mwh.mean > 0
    margins = {each.case: each.margin_mw for each in found.margins}
    assert margins["largest unit out, 15 C"] > 0 > margins["largest unit out, 35 C"]
    assert margins["whole, 35 C"] - margins["largest unit out, 35 C"] == pytest.approx(35 * 0.86, abs=0.01)


def test_the_command_prints_one_document():
    done = CliRunner().invoke(app, ["reliability", "laptop", "--seeds", "2", "--tick-s", "1800", "--json"])
    document = json.loads(done.stdout)
    assert done.exit_code == 0 and document["adequacy"]["lolh_h"]["mean"] == 0 and len(document["margins"]) == 4
    done = CliRunner().invoke(app, ["reliability", "laptop", "--seeds", "2", "--tick-s", "1800"])
    assert done.exit_code == 0 and "LOLE" in done.stdout and "largest unit out, 35 C" in done.stdout


def test_power_kept_for_swings_is_not_there_when_power_is_short():
    """No sources, 50 Megapacks of 49 MW for 40 MW: enough until empty; with 20 MW kept back, short from the start."""
    plant = plant_of((), {"n_units": 50, "soc_start": 0.9})
    free, kept = (adequacy(plant, 40.0, years=1 / 8760, n_seeds=1, dt_h=1 / 60, held_mw=mw) for mw in (0.0, 20.0))
    assert free.worst_mw == 0 and kept.worst_mw == pytest.approx(40 - (50 * 0.979 - 20), abs=0.01)
