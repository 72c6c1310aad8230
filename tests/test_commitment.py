"""Which units run: start and stop times, minimum loads, starts, permits and maintenance."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from driven import NO_OUTAGES, TITANS, drive

from macrohard.colossus.plant_builder import plant_of


def test_turbines_start_committed_to_the_first_load():
    """165 MW from the first tick: 165 * 1.05 = 173 MW to cover, 5 Titans of 35; no battery, nothing unserved."""
    read, _ = drive(plant_of(TITANS), [165.0] * 5)
    assert read.n_units_up.tolist() == [5] * 5
    assert read.turbine_mw == pytest.approx([165] * 5) and read.unserved_mw.max() == 0


def test_equal_units_share_the_load_evenly():
    read, _ = drive(plant_of(TITANS), [150.0])
    assert read.unit_mw[0, 0] == pytest.approx([30.0] * 5 + [0.0] * 3)


def test_a_second_unit_joins_after_its_start_time():
    """Titan 350: full after 10 min of which 2.5 at 20 %/min from minimum to full; so minimum load after 7.5 min."""
    loads = [30.0] * 5 + [60.0] * 15
    read, _ = drive(plant_of(TITANS, {"n_units": 100}), loads)
    joined = int(np.argmax(read.n_units_up >= 2))
    assert 5 + 8 <= joined <= 5 + 9
    assert read.battery_mw[joined - 1] == pytest.approx(60 - 35, abs=0.1)  # meanwhile the battery
    assert read.unit_mw[joined].max() <= 35 and read.unserved_mw.max() == 0


def test_units_stop_when_load_falls_and_stay_off_their_minimum_down_time():
    """150 -> 40 MW: five Titans give way to two (cover 42 MW, band 4); 20 min later none may start within 1 h."""
    loads = [150.0] * 40 + [40.0] * 60 + [150.0] * 120
    read, _ = drive(plant_of(TITANS, {"n_units": 168, "soc_start": 0.7}), loads)
    assert read.n_units_up[39] == 5 and read.n_units_up[99] == 2
    first_stop = int(np.argmax(read.n_units_up < 5))
    regained = 100 + int(np.argmax(read.n_units_up[100:] >= 5))
    assert regained - first_stop >= 60
    assert read.unserved_mw.max() == 0


def test_minimum_load_above_the_demand_stops_units_and_balances():
    """Load rejection 200 -> 5 MW without a battery: units are forced down (surplus), then off; balance holds."""
    read, _ = drive(plant_of(TITANS, grid_mw=30.0), [200.0] * 40 + [5.0] * 30)
    assert read.surplus_mw[40] > 0 and read.surplus_mw[-1] == 0
    assert read.n_units_up[-1] == 0 and read.grid_mw[-1] == pytest.approx(5.0)
    assert np.abs(read.residual_mw).max() < 1e-3


def test_a_start_limit_of_the_permit_holds():
    """One start a year allowed: after its first stop the unit comes back once, not twice."""
    sources = [{"kind": "recip", "n_units": 4, "starts_per_year": 1.0, **NO_OUTAGES}]
    loads = ([9.0] * 20 + [0.0] * 20) * 4
    read, state = drive(plant_of(sources, grid_mw=20.0), loads)
    assert read.n_starts.sum() == 4 and np.asarray(state.units.starts).max() == 1


def test_starts_left_over_are_not_kept_for_the_next_year():
    """Two starts a year, ticks of 24 h, load every other day: two in each year of 365 ticks, none carried over."""
    sources = [{"kind": "recip", "n_units": 1, "starts_per_year": 2.0, **NO_OUTAGES}]
    idle_year, busy_year = [0.0] * 365, [2.0, 0.0] * 182 + [0.0]
    read, _ = drive(plant_of(sources, grid_mw=20.0), idle_year + busy_year + busy_year, dt_h=24.0)
    assert [read.n_starts[first : first + 365].sum() for first in (0, 365, 730)] == [0, 2, 2]


def test_of_equal_units_those_that_run_stay():
    """Seven Titans, 100 MW, the first's permit from hour 1 on: it is free then, but none starts and none is stopped."""
    sources = [{**TITANS[0], "n_units": 1, "permit_from_h": 1.0}, {**TITANS[0], "n_units": 6}]
    read, _ = drive(plant_of(sources, {"n_units": 168}), [100.0] * 120)
    assert read.n_starts.sum() == 0 and (np.diff((read.unit_mw > 0).astype(int), axis=0) == 0).all()


@pytest.mark.parametrize("ends", ["permit", "maintenance"])
def test_others_have_started_when_a_unit_has_to_leave(ends):
    """Five Titans for 150 MW, one to leave at hour 1: a sixth runs by then, and Megapacks need not bridge."""
    last = {"permit_until_h": 1.0} if ends == "permit" else {}
    sources = [{**TITANS[0], "n_units": 1, **last}, {**TITANS[0], "n_units": 6}]
    plant = plant_of(sources, {"n_units": 168, "soc_start": 0.95})
    if ends == "maintenance":
        begins = jnp.zeros_like(plant.units.planned_from_h).at[0, 0].set(1.0)
        lasts = jnp.zeros_like(plant.units.planned_h).at[0, 0].set(100.0)
        plant = replace(plant, units=replace(plant.units, planned_from_h=begins, planned_h=lasts))
    read, _ = drive(plant, [150.0] * 90)
    assert read.unit_mw[59, 0, 0] > 0 and (read.unit_mw[60:, 0, 0] == 0).all()
    assert read.battery_mw.max() < 0.1 and read.n_starts.tolist() == [0] * 30 + [1] + [0] * 59


def test_a_unit_in_maintenance_is_driven_no_further():
    """What it could not do shows: 264 h from its hour on it carries nothing, before and after it does."""
    plant = plant_of([{**TITANS[0], "n_units": 1, "planned_outage": True}], {"n_units": 200}, grid_mw=40.0)
    first = float(plant.units.planned_from_h[0, 0])
    loads = [30.0] * round((first + 400) / 4)
    read, _ = drive(plant, loads, dt_h=4.0)
    hours = (np.arange(len(loads)) + 0.5) * 4
    away = (hours >= first) & (hours < first + 264)
    assert (read.unit_mw[away, 0, 0] == 0).all() and read.grid_mw[away][1:] == pytest.approx(30, abs=1)
    assert (read.unit_mw[(hours < first) & (hours > 8), 0, 0] > 0).all() and read.unit_mw[-1, 0, 0] > 0


@pytest.mark.parametrize("seed", range(4))
def test_units_keep_their_minimum_times_and_their_permits(seed):
    """Restless load, no outages: spells of carrying load and of rest last as long as they must; none outside a permit.

    A spell counts from the order to start, so load is carried for the minimum up time less the start. The load is above
    all minimum loads together, 105 MW, below which the minimum up time is waived. The permit of the last unit holds
    from hour 1 to 4, which may cut a spell short.
    """
    rng = np.random.default_rng(seed)
    titan = {"kind": "titan350", "n_units": 5, "min_up_min": 45.0, "min_down_min": 60.0, **NO_OUTAGES}
    permitted = {**titan, "n_units": 1, "permit_from_h": 1.0, "permit_until_h": 4.0, "om_usd_per_mwh": 1.0}
    plant = plant_of([titan, permitted], {"n_units": 168, "soc_start": 0.6}, grid_mw=60.0)
    read, _ = drive(plant, np.repeat(rng.uniform(110, 235, 16), 30))
    cheapest, others = read.unit_mw[:, 0, :1], read.unit_mw[:, 1, :5]
    carrying, limited = np.concatenate([cheapest, others], axis=1) > 0, 0
    assert not carrying[:60, limited].any() and not carrying[240:, limited].any() and carrying[:, limited].any()
    n_spells = 0
    for row in set(range(6)) - {limited}:
        edges = np.flatnonzero(np.diff(carrying[:, row].astype(int)))
        for begin, end in zip(edges, edges[1:], strict=False):
            was_carrying = carrying[begin + 1, row]
            assert end - begin >= (45 - 8 if was_carrying else 60), (row, begin, end)
            n_spells += 1
    assert n_spells >= 2
