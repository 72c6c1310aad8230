"""What a scenario says of its power reaches the run, and what the run says of it in its summary."""

import numpy as np
import pytest
from small import small

from macrohard import names, run
from macrohard.colossus.policies import DEFERRALS, POLICIES
from macrohard.faults import ScenarioError
from macrohard.scenario.sections import Source
from macrohard.siting import rated_mw, site_of_scenario

KEYS = (
    "training.share=0.5",
    "training.defers=true",
    "training.below_usd_per_mwh=90",
    "cluster.cooling_limit_mw=3",
    "cluster.n_chillers=4",
    "cluster.chiller_mtbf_h=900",
    "cluster.chiller_mttr_h=9",
    "cluster.climate.spread_c=2",
    "cluster.gpu_spares=0",
    "power.dispatch=peak_shave",
    "power.peak_mw=0.5",
    "power.deferral=dear",
    "power.defer_above_usd_per_mwh=80",
    f"economics.grid_usd_per_mwh_by_hour={[30.0] * 12 + [90.0] * 12}",
)


def test_a_source_is_rated_by_itself_or_by_its_table():
    """By hand: 15 SMT-130 of 16.45 MW (the permit's 247 MW), or of 20 MW where the scenario says so."""
    by_table, own = Source(kind="SMT-130", n_units=15), Source(kind="SMT-130", n_units=15, p_nom_mw=20.0)
    assert rated_mw(by_table) == pytest.approx(247, abs=0.5) and rated_mw(own) == 300


def test_the_names_of_policies_are_those_of_their_tables():
    assert names.DISPATCH == tuple(POLICIES) and names.DEFERRALS == tuple(DEFERRALS)


def test_every_key_of_power_reaches_the_site():
    site, usual = (site_of_scenario(small(*keys)) for keys in (KEYS, ()))
    cluster, plant = site.cluster, site.plant
    assert (cluster.training_share, cluster.training_defers, cluster.training_below_usd_per_mwh) == (0.5, 1, 90)
    cooling = cluster.cooling
    assert (cooling.limit_mw, cooling.n_chillers, cooling.chiller_mtbf_h, cooling.chiller_mttr_h) == (3, 4, 900, 9)
    assert cluster.climate.spread_c == 2 and cluster.available_share < usual.cluster.available_share
    assert (plant.dispatch, plant.rules.peak_mw) == ("peak_shave", 0.5)
    assert (plant.deferral, plant.rules.defer_above_usd_per_mwh) == ("dear", 80)
    assert np.asarray(plant.grid.usd_per_mwh).tolist() == [30.0] * 12 + [90.0] * 12


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        (["power.dispatch=peak_shave"], "power.peak_mw"),
        (["power.dispatch=price_following"], "economics.grid_usd_per_mwh_by_hour"),
        (["economics.grid_usd_per_mwh_by_hour=[30, 40]"], "24"),
        (["power.deferral=dear"], "power.defer_above_usd_per_mwh"),
        (["power.deferral=dire"], "dear"),
    ],
)
def test_a_rule_without_its_figure_is_refused(keys, named):
    with pytest.raises(ScenarioError, match=named):
        small(*keys)


@pytest.fixture(scope="module")
def waiting():
    """A day in which the grid is dear throughout: only priority 0 is taken."""
    return run(small("power.deferral=dear", "power.defer_above_usd_per_mwh=50", "power.defer_from_priority=1"))


def test_tickets_of_low_priority_wait_for_power(waiting):
    """The first tick has no reading before it; after that none of priority 1 to 3 begins, all of priority 0 may."""
    tickets = waiting.tickets
    late = tickets["started_h"] > 0.05
    assert tickets.loc[late, "priority"].max() == 0 and late.any()
    assert waiting.summary["power"]["tickets_wait_h"] == pytest.approx(24.0, abs=0.05)


def test_waiting_for_power_is_named_and_lowers_the_load(waiting):
    usual = run(small())
    assert waiting.summary["power"]["load_mwh"] < usual.summary["power"]["load_mwh"]
    assert waiting.summary["binding"]["power"] > 0.3 and usual.summary["binding"]["power"] == 0
    assert usual.summary["power"]["tickets_wait_h"] == 0


@pytest.mark.parametrize(("grid_mw", "cause"), [(0.005, "gpus"), (0.003, "power")])
def test_what_holds_back_under_a_cap_is_what_more_of_would_help(grid_mw, cause):
    """1,200 agents crowd 8 GPUs. At q 0.66 GPUs bind; at 0.40 1 % more power brings more, though it took less time."""
    done = run(small("workforce.weight=60", f"power.grid_mw={grid_mw}", "run.horizon_h=12"))
    shares, times = done.summary["binding"], done.summary["desk_time"]
    assert shares[cause] > 0.9 and times["gpus"] > 2 * times["power"] > 0


def test_units_and_limits_are_told():
    """A turbine of 4 kW whose permit ends after 24 of 48 h; chillers for 3 kW. Fuel over energy is the heat rate."""
    source = "power.sources=[{kind='smt130', p_nom_mw=0.004, permit_until=2026-02-02, forced_outage_share=0}]"
    keys = ("power.grid_mw=0.012", "run.start=2026-02-01", "run.horizon_h=48", "cluster.cooling_limit_mw=0.003")
    power = run(small(source, *keys)).summary["power"]
    assert power["n_units"] == 1 and power["unit_h_barred"] == pytest.approx(24.0)
    assert power["unit_h_up"] == pytest.approx(24.0, abs=0.1) and power["unit_h_out"] == power["unit_starts"] == 0
    assert power["heat_rate_btu_per_kwh"] == pytest.approx(power["fuel_mmbtu"] / power["turbine_mwh"] * 1e3)
    assert 10_276 < power["heat_rate_btu_per_kwh"] < 10_277 * 1.25
    assert power["cooling_binds_h"] > 24 and power["megapack_power_binds_h"] == power["megapack_energy_binds_h"] == 0


def test_the_bill_adds_up_and_prices_demand_and_lease():
    """A leased SMT-130 of 0.1 MW and a grid at 10 USD/kW-month: 100 kW * 46 and the peak * 10, both * 24 / 730."""
    leased = "power.sources=[{kind='smt130', n_units=1, p_nom_mw=0.1, leased=true, forced_outage_share=0}]"
    keys = ("economics.grid_demand_usd_per_kw_month=10", "power.nox_permit_short_tons=0.01", "power.grid_mw=0.012")
    summary = run(small(leased, *keys)).summary
    power, cost = summary["power"], summary["cost"]
    parts = cost["parts"]
    assert parts["turbine_lease"] == pytest.approx(100 * 46 * 24 / 730) and parts["turbines"] == 0
    assert parts["demand_charge"] == pytest.approx(power["grid_peak_mw"] * 1e3 * 10 * 24 / 730, rel=1e-5)
    assert cost["total_usd"] == pytest.approx(sum(parts.values()))
    assert cost["energy_usd"] == pytest.approx(parts["fuel"] + parts["grid"] + parts["operation"])
    assert parts["grid"] == pytest.approx(62 * power["grid_mwh"], rel=1e-4)
    assert cost["power_usd"] == pytest.approx(cost["total_usd"] - parts["gpu"] - parts["site"])
    assert cost["usd_per_mwh_served"] == pytest.approx(cost["power_usd"] / power["served_mwh"])
    # load rejection aside, every MWh of the turbine emits 0.08 lb with and 1 lb without catalyst
    assert (
        cost["nox_without_scr_kg"] >= cost["nox_kg"] == pytest.approx(power["turbine_mwh"] * 0.08 * 0.45359, rel=0.01)
    )
    a_year = cost["nox_kg"] * 365 / 907.185
    assert cost["nox_short_tons_per_year"] == pytest.approx(a_year, rel=1e-4)
    assert cost["nox_permit_share"] == pytest.approx(a_year / 0.01, rel=1e-4)
    assert cost["water_m3"] > 0 and 1.05 < power["pue_mean"] <= power["pue_highest"] < 1.5
