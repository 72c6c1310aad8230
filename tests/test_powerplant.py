"""The power plant alone, against a load that a test writes down: laws over draws, and events worked by hand."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from driven import MINUTE, NO_OUTAGES, TITANS, at, drive, tick_of

from macrohard.colossus import powerplant
from macrohard.colossus.plant_builder import plant_of
from macrohard.colossus.policies import DEFERRALS, POLICIES, Pinch


def drawn(seed):
    """A plant, a restless load, a temperature and a tick length, drawn at random."""
    rng = np.random.default_rng(seed)
    kinds = rng.choice(["smt130", "titan350", "pe6000", "recip"], size=rng.integers(0, 4), replace=False)
    sources = [{"kind": kind, "n_units": int(rng.integers(1, 8)), "forced_outage_share": 0.2} for kind in kinds]
    if rng.random() < 0.5:
        sources.append({"kind": "solar", "n_units": 1, "p_nom_mw": float(rng.uniform(5, 100))})
    plant = plant_of(
        sources,
        {
            "n_units": int(rng.choice([0, 10, 168])),
            "kind": "megapack2xl_2h",
            "soc_start": float(rng.uniform(0.1, 0.95)),
        },
        grid_mw=float(rng.choice([0.0, 30.0, 150.0])),
        curtailment=[(1.0, 0.5, 50.0)],
        dispatch=str(rng.choice(list(POLICIES))),
        peak_mw=100.0,
        grid_usd_per_mwh=(20 + 80 * rng.random(24)) if rng.random() < 0.5 else 62.0,
    )
    loads = np.repeat(rng.uniform(0, 300, 20), 8) * rng.uniform(0.9, 1.1, 160)
    return plant, loads, float(rng.uniform(-10, 42)), float(rng.choice([1 / 240, MINUTE, 0.25]))


@pytest.mark.parametrize("seed", range(25))
def test_laws_of_every_tick(seed):
    """Balance, bounds of the battery, ramps, minimum loads, grid contract: whatever the plant and the load."""
    plant, loads, celsius, dt_h = drawn(seed)
    cap = 1.0 if seed % 2 else 0.357
    read, _ = drive(plant, loads, cap=cap, celsius=celsius, dt_h=dt_h, seed=seed)
    load = np.maximum(read.load_mw, 1e-3)

    sources_mw = [read.grid_mw, read.solar_mw, *np.moveaxis(read.unit_mw, 0, -1).reshape(-1, len(loads))]
    supplied = sum(sources_mw) + read.battery_mw + read.unserved_mw
    assert np.abs(supplied - read.load_mw).max() < 1e-4 * load.max()
    assert (np.abs(read.residual_mw) < 1e-4 * load).all()
    assert min(map(np.min, sources_mw)) >= -1e-4 and (read.unserved_mw >= 0).all() and (read.capped_mw >= -1e-4).all()
    assert (read.grid_mw + read.turbine_mw + read.solar_mw <= read.installed_mw * (1 + 1e-5) + 1e-3).all()

    block = plant.battery
    assert (read.soc >= min(block.soc_min, block.soc_start) - 1e-6).all() and (read.soc <= block.soc_max + 1e-6).all()
    assert (np.abs(read.battery_mw) <= block.power_mw * (1 + 1e-5)).all()
    if block.energy_mwh > 0:
        flow = np.maximum(-read.battery_mw, 0) * block.efficiency_store
        flow -= np.maximum(read.battery_mw, 0) / block.efficiency_dispatch
        moved = np.diff(np.concatenate([[block.soc_start], read.soc])) * block.energy_mwh
        assert moved == pytest.approx(flow * dt_h, abs=2e-4 * block.energy_mwh + 1e-3)
    in_reserve = read.soc < block.reserve - 1e-5
    discharges = in_reserve & (read.battery_mw > 1e-3)
    assert (read.capped_mw + read.unserved_mw + (cap == 1.0))[discharges].all()

    calm = read.surplus_mw < 1e-4
    units = read.unit_mw
    step = np.diff(units, axis=0)
    ramp = np.asarray(plant.units.ramp_mw_per_h) * dt_h
    least, derate_per_k = (np.asarray(each)[:, None] for each in (plant.blocks.least_mw, plant.blocks.derate_per_k))
    assert (step <= np.maximum(ramp, least) + 1e-3)[1:].all()
    running = (units[1:] > 0) & (units[:-1] > 0) & calm[1:, None, None]
    warm = np.asarray(jnp.clip(1 - derate_per_k * (celsius - 15), 0, 1))
    assert (-step <= ramp + 1e-3)[running].all()
    assert (units[1:] >= np.minimum(least, warm * np.asarray(plant.units.p_nom_mw)) - 1e-3)[running].all()
    assert (read.grid_mw <= plant.grid.contract_mw + 1e-4).all()
    assert (np.diff(read.grid_mw) <= plant.grid.ramp_mw_per_h * dt_h + 1e-3).all()


@pytest.mark.parametrize("seed", range(12))
def test_more_supply_never_serves_less(seed):
    """A longer contract and more Megapacks: energy served over the run does not fall, but for 0.1 %.

    Within a tick the law is strict (below). Over a run a larger grid may keep a unit at rest that would have ramped.
    """
    rng = np.random.default_rng(seed)
    loads = np.repeat(rng.uniform(50, 400, 30), 5)
    common = dict(sources=[{"kind": "titan350", "n_units": 5, **NO_OUTAGES}])
    served = []
    for grid, packs in ((0.0, 0), (30.0, 0), (30.0, 50), (90.0, 50), (90.0, 300), (300.0, 300)):
        read, _ = drive(plant_of(megapack={"n_units": packs}, grid_mw=grid, **common), loads)
        served.append(float((read.load_mw - read.unserved_mw).sum()))
    assert all(after >= before * (1 - 1e-3) for before, after in zip(served, served[1:], strict=False))


@pytest.mark.parametrize("seed", range(12))
def test_from_the_same_state_more_supply_reaches_further(seed):
    """Within one tick: a longer contract, a larger battery, a cooler day or more sun never lower what is served."""
    plant, loads, celsius, dt_h = drawn(seed)
    _, state = drive(plant, loads[:20], celsius=celsius, dt_h=dt_h)
    grid, block = plant.grid, plant.battery
    more = {
        "as it is": (plant, celsius),
        "grid": (replace(plant, grid=replace(grid, contract_mw=grid.contract_mw + 50.0)), celsius),
        "power": (replace(plant, battery=replace(block, power_mw=block.power_mw + 50.0)), celsius),
        "cool": (plant, celsius - 10),
    }
    if plant.solar:
        more["sun"] = (replace(plant, solar=replace(plant.solar, p_nom_mw=plant.solar.p_nom_mw + 50.0)), celsius)
    served = {}
    for name, (richer, outdoor) in more.items():
        _, read = tick_of(richer, state, jnp.float32(loads[20]), 1.0, outdoor, at(20, dt_h, 1), dt_h)
        served[name] = float(read.load_mw - read.unserved_mw)
    assert all(mw >= served["as it is"] - 1e-3 for mw in served.values()), served


def test_the_same_rejection_charges_a_battery_first():
    read, _ = drive(plant_of(TITANS, {"n_units": 168, "soc_start": 0.7}, grid_mw=30.0), [180.0] * 40 + [60.0] * 30)
    assert read.surplus_mw.max() == 0 and read.battery_mw[40] < -20


def test_the_largest_unit_lost_is_bridged_by_megapacks():
    """A unit's permit ends at hour 1 while six carry 190 MW: the battery bridges until the others have ramped up."""
    sources = [{"kind": "titan350", "n_units": 5, **NO_OUTAGES}]
    sources += [{"kind": "titan350", "n_units": 1, "permit_until_h": 1.0, **NO_OUTAGES}]
    sources += [{"kind": "titan350", "n_units": 1, "permit_from_h": 1.0, **NO_OUTAGES}]
    with_packs, without = (drive(plant_of(sources, {"n_units": packs}), [190.0] * 90)[0] for packs in (168, 0))
    assert with_packs.unserved_mw.max() == 0 and with_packs.battery_mw[60:].max() > 10
    assert without.unserved_mw[60:].max() > 10


def test_without_a_battery_units_hold_the_largest_as_spinning_reserve():
    """N-1: 100 MW + 5 % + 35 MW of reserve = 140 MW on line: four Titans; three with Megapacks to bridge."""
    steady = [100.0] * 90
    alone, packed = (drive(plant_of(TITANS, {"n_units": packs}), steady)[0] for packs in (0, 168))
    assert alone.n_units_up[-1] == 4 + 0 and packed.n_units_up[-1] in (3, 4)
    assert alone.n_units_up[-1] * 35 - 100 >= 35


def test_the_cascade_reserve_then_cap_then_minimum_then_shed():
    """No sources, 168 Megapacks from 0.90: 657.9 * 0.60 * 0.968 = 382 MWh at 150 MW is 2.55 h at full power; then the

    cap, 53.6 MW from 657.9 * 0.20 * 0.968 = 127 MWh for 2.38 h; then nothing.
    """
    plant = plant_of((), {"n_units": 168})
    read, _ = drive(plant, [150.0] * 360, cap=0.357)
    full, capped = read.capped_mw < 1e-3, (read.capped_mw > 1e-3) & (read.unserved_mw == 0)
    shed = read.unserved_mw > 0
    assert full.sum() == pytest.approx(2.55 * 60, abs=2)
    assert capped.sum() == pytest.approx(2.38 * 60, abs=3)
    assert full[:150].all() and capped[156:290].all() and shed[-60:].all()
    assert read.soc[full][-1] >= 0.30 - 1e-6 and read.soc[-1] == pytest.approx(0.10, abs=1e-4)
    assert read.load_mw[-1] == pytest.approx(0.357 * 150) and read.unserved_mw[-1] == pytest.approx(0.357 * 150)
    assert read.battery_binds_mwh[-1] == 1 and read.battery_binds_mwh[capped].all()
    assert not read.battery_binds_mw.any() and not read.battery_binds_mwh[full][:-1].any()


def test_power_binds_where_there_are_few_megapacks():
    read, _ = drive(plant_of((), {"n_units": 50}), [150.0] * 5, cap=0.357)
    assert read.battery_binds_mw.tolist() == [1] * 5 and read.battery_binds_mwh.max() == 0
    none, _ = drive(plant_of((), {"n_units": 0}), [150.0] * 5, cap=0.357)
    assert none.battery_binds_mw.max() == none.battery_binds_mwh.max() == 0
    read, _ = drive(plant_of((), {"n_units": 50}), [150.0] * 5)
    assert read.battery_mw == pytest.approx([50 * 0.979] * 5) and read.unserved_mw == pytest.approx([101.05] * 5)


def test_a_curtailment_call_is_met_with_more_turbines():
    """150 MW of cheap grid, call for all of it from hour 2: turbines are started on notice; nothing is short."""
    sources = [{"kind": "titan350", "n_units": 6, **NO_OUTAGES}]
    plant = plant_of(sources, {"n_units": 20}, grid_mw=150.0, grid_usd_per_mwh=30.0, curtailment=[(2.0, 1.0, 150.0)])
    read, _ = drive(plant, [150.0] * 240)
    assert read.grid_mw[80] > 130 and read.grid_mw[120:180].max() < 1e-3
    assert read.unserved_mw.max() == 0 and read.turbine_mw[125:175] == pytest.approx(150, abs=1)


def test_a_cheaper_grid_comes_before_turbines_and_a_dearer_one_after():
    cheap, dear = (drive(plant_of(TITANS, grid_mw=100.0, grid_usd_per_mwh=usd), [150.0] * 3)[0] for usd in (30.0, 62.0))
    assert cheap.grid_mw[-1] == pytest.approx(100.0, abs=1) and dear.grid_mw[-1] == pytest.approx(0, abs=1e-3)


def test_sun_comes_first_and_is_curtailed_last():
    sources = [{"kind": "solar", "n_units": 1, "p_nom_mw": 100.0}]
    read, _ = drive(plant_of(sources, grid_mw=50.0), [20.0, 20.0, 20.0], dt_h=8.0)
    assert read.solar_mw[1] == pytest.approx(20.0) and read.curtailed_solar_mw[1] > 10
    assert read.solar_mw[0] == 0 and read.grid_mw[0] == pytest.approx(20.0)


def test_fuel_cost_and_emissions_of_a_steady_hour():
    """4 Titans at full load, 140 MW: 140 * 9.45 = 1,323 MMBtu/h * 4.02 + 140 * 11 = 6,858 USD/h; CO2 1,323 * 53.03 kg =

    70.2 t/h (501 kg/MWh); NOx 140 * 0.080 lb = 5.08 kg/h. At half load the no-load fuel weighs 1.2 times per MWh.
    """
    rules = powerplant.Rules(margin_share=0.0)
    read, _ = drive(plant_of(TITANS, {"n_units": 100, "soc_start": 0.95}, rules=rules), [140.0] * 3)
    assert read.fuel_mmbtu_per_h[-1] == pytest.approx(1323, rel=1e-3)
    assert read.energy_usd_per_h[-1] == pytest.approx(6858, rel=1e-3)
    assert read.co2_t_per_h[-1] == pytest.approx(70.16, rel=1e-3)
    assert read.nox_kg_per_h[-1] == pytest.approx(5.08, rel=1e-3)
    half, _ = drive(plant_of([{**TITANS[0], "n_units": 1}]), [17.5])
    assert half.fuel_mmbtu_per_h[0] == pytest.approx(17.5 * 9.45 * 1.2, rel=1e-4)


def test_a_year_of_15_smt130_emits_what_its_permit_allows():
    """247.5 MW * 8,760 h * 0.080 lb/MWh / 2,000 = 86.7 short tons (permit: 87); without SCR, 1 lb/MWh, 1,084."""
    short_tons = {}
    for name, figures in (("scr", {}), ("raw", {"nox_lb_per_mwh": 1.0})):
        fleet = {"kind": "smt130", "n_units": 15, **NO_OUTAGES, **figures}
        read, _ = drive(plant_of([fleet], {"n_units": 300}), [247.5] * 2)
        short_tons[name] = float(read.nox_kg_per_h[-1]) * 8760 / 907.185
    assert short_tons["scr"] == pytest.approx(87, rel=0.01) and short_tons["raw"] == pytest.approx(1084, rel=0.01)


def test_peak_shaving_holds_the_grid_under_its_peak_and_refills():
    """100 MW with an hour at 140, peak 110: the battery gives 30 MW, then refills with at most 10 MW."""
    plant = plant_of((), {"n_units": 60, "soc_start": 0.8}, grid_mw=200.0, dispatch="peak_shave", peak_mw=110.0)
    read, _ = drive(plant, [100.0] * 30 + [140.0] * 60 + [100.0] * 60)
    assert read.grid_mw.max() <= 110.01 and read.battery_mw[40:85] == pytest.approx(30, abs=0.1)
    assert read.battery_mw[-1] == pytest.approx(-10, abs=0.1)


def test_price_following_charges_cheap_and_discharges_dear():
    prices = [20.0] * 8 + [60.0] * 8 + [200.0] * 8
    plant = plant_of((), {"n_units": 60, "soc_start": 0.5}, grid_mw=200.0, dispatch="price_following",
                     grid_usd_per_mwh=prices)  # fmt: skip
    read, _ = drive(plant, [80.0] * 96, dt_h=0.25)
    assert read.battery_mw[:8].max() < -20 and read.battery_mw[65] > 20
    assert read.soc[31] == pytest.approx(0.95, abs=1e-3) and read.soc[-1] == pytest.approx(0.30, abs=1e-3)


def test_price_following_leaves_the_grid_time_to_take_over():
    """80 MW on 100 MW of grid at 5 MW a minute, dear from hour 1 on: an empty battery hands over without a cap."""
    prices = [20.0] + [200.0] * 8 + [60.0] * 8 + [20.0] * 7
    plant = plant_of((), {"n_units": 100, "soc_start": 0.9}, grid_mw=100.0, grid_ramp_mw_per_min=5.0,
                     dispatch="price_following", grid_usd_per_mwh=prices)  # fmt: skip
    read, _ = drive(plant, [80.0] * 360, cap=0.357)
    assert read.battery_mw.max() > 70 and read.capped_mw.max() < 1e-3 and read.grid_mw[-1] > 79


def test_the_reserve_policy_keeps_units_for_the_loss_of_the_largest():
    read, _ = drive(plant_of(TITANS, {"n_units": 168}, dispatch="reserve"), [100.0] * 60)
    assert read.n_units_up[-1] * 35 >= 100 + 35


def test_jit_is_plain_python():
    """The compiled tick against the same functions run operation by operation."""
    plant, loads, celsius, dt_h = drawn(3)
    state = powerplant.start(plant, at(0, dt_h))
    for tick in range(4):
        clock, load = at(tick, dt_h), jnp.float32(loads[tick])
        compiled = tick_of(plant, state, load, 0.357, celsius, clock, dt_h)
        with jax.disable_jit():
            plain = tick_of(plant, state, load, 0.357, celsius, clock, dt_h)
        for a, b in zip(jax.tree.leaves(compiled), jax.tree.leaves(plain), strict=True):
            assert np.asarray(a) == pytest.approx(np.asarray(b), rel=1e-4, abs=1e-3)
        state = compiled[0]


def test_swing_reserve_takes_battery_power():
    plant = plant_of((), {"n_units": 100})
    state = powerplant.start(plant, at(0))
    kept = powerplant.offer(plant, state, 50.0, 40.0, 15.0, at(0), MINUTE)
    assert float(kept.limit_mw) == pytest.approx(97.9 - 40, abs=0.01)


def test_a_changed_number_needs_no_new_compilation():
    plant = plant_of(TITANS, {"n_units": 10})
    state = powerplant.start(plant, at(0))
    tick_of(plant, state, jnp.float32(100.0), 1.0, 15.0, at(0), MINUTE)
    before = tick_of._cache_size()
    other = replace(plant, battery=replace(plant.battery, power_mw=123.0))
    tick_of(other, state, jnp.float32(120.0), 1.0, 15.0, at(0), MINUTE)
    assert tick_of._cache_size() == before


def test_the_highest_draw_of_each_month_is_kept():
    """730 h a month, ticks of 10 h: 73 at 60 MW with one of 90, then 73 at 60 with one of 75: 90 + 75."""
    loads = np.full(146, 60.0)
    loads[30], loads[100] = 90.0, 75.0
    read, state = drive(plant_of(grid_mw=100.0), loads, dt_h=10.0)
    assert read.grid_peak_mw[[10, 30, 72, 73, 100]] == pytest.approx([60, 90, 90, 60, 75])
    assert float(state.grid_peaks_mw) == pytest.approx(90 + 75)


def test_energy_cost_is_fuel_grid_and_operation():
    """Two Titans at 35 MW and 20 MW of grid: fuel 70 * 9.45 * 4.02, operation 70 * 11, grid 20 * 62 USD/h."""
    rules = powerplant.Rules(margin_share=0.0)
    read, _ = drive(plant_of([{**TITANS[0], "n_units": 2}], grid_mw=30.0, rules=rules), [90.0] * 3)
    assert read.fuel_usd_per_h[-1] == pytest.approx(70 * 9.45 * 4.02, rel=1e-4)
    assert read.grid_usd_per_h[-1] == pytest.approx(20 * 62.0, rel=1e-4)
    rest = read.energy_usd_per_h[-1] - read.fuel_usd_per_h[-1] - read.grid_usd_per_h[-1]
    assert rest == pytest.approx(70 * 11.0, rel=1e-3)
    assert read.nox_raw_kg_per_h[-1] == pytest.approx(70 * 0.45359, rel=1e-4)


@pytest.mark.parametrize(
    ("name", "told", "waits"),
    [
        ("never", dict(power_share=0.4, soc=0.1), 0),
        ("short", dict(power_share=0.99), 1),
        ("short", dict(soc=0.30), 1),
        ("short", dict(soc=0.30, full_mw=0.0), 0),
        ("short", dict(battery_mw=20.0), 0),
        ("battery", dict(battery_mw=20.0), 1),
        ("battery", dict(battery_mw=-20.0), 0),
        ("dear", dict(grid_usd_per_mwh=100.0), 1),
        ("dear", dict(power_share=0.4), 0),
    ],
)
def test_when_work_waits_for_power(name, told, waits):
    usual = dict(power_share=1.0, soc=0.9, reserve=0.3, battery_mw=0.0, full_mw=164.0, grid_usd_per_mwh=62.0,
                 dear_usd_per_mwh=100.0)  # fmt: skip
    assert float(DEFERRALS[name](Pinch(**(usual | told)))) == waits


def test_an_hour_worked_by_hand():
    """Five Titans, 100 Megapacks at 0.90, no grid: 100 MW for 20 min, then 160 MW.

    100 MW: 105 MW to cover, three units; their spare 5 MW charge. At minute 20 168 MW to cover: two units are ordered,
    carry 17.5 MW each from minute 28 on (start 10 min less 2.5 of ramp) and rise by 7 a minute: 24.5, 31.5, 35.
    Megapacks: 55 MW for 8 min, 160 - 140 = 20, 160 - 154 = 6, then charging 8 and 29 times 15 (no more than the
    65.7 MW of refilling, nor the 20.2 MWh of room). Fuel: 0.2 * 9.45 * 35 = 66.15 MMBtu/h a unit and 7.56 a MWh.
    """
    plant = plant_of([{**TITANS[0], "n_units": 5}], {"n_units": 100})
    read, state = drive(plant, [100.0] * 20 + [160.0] * 40)
    battery = [-5.0] * 20 + [55.0] * 8 + [20.0, 6.0, -8.0] + [-15.0] * 29
    assert read.battery_mw == pytest.approx(battery, abs=0.02)
    assert read.n_units_up.tolist() == [3] * 28 + [5] * 32
    given, taken = (55 * 8 + 20 + 6) / 60, (5 * 20 + 8 + 15 * 29) / 60
    made_mwh = (100 * 20 + 160 * 40) / 60 - given + taken
    assert read.turbine_mw.sum() / 60 == pytest.approx(made_mwh, rel=1e-4)
    fuel = 66.15 * (3 * 20 + 5 * 40) / 60 + 7.56 * made_mwh
    assert read.fuel_mmbtu_per_h.sum() / 60 == pytest.approx(fuel, rel=1e-4)
    moved = (taken * 0.968 - given / 0.968) / 391.6
    assert float(state.soc) == pytest.approx(0.90 + moved, abs=1e-4)


def test_an_hour_of_shortage_worked_by_hand():
    """Two Titans, 30 MW of grid at 3 MW a minute, 20 Megapacks at 0.90 (19.58 MW, 78.32 MWh): 60 MW for 10 min, 140 for

    30, 85 for 20. Nothing is capped, so what is short goes unserved.
    60 MW: the units give 70; the wish to refill is 0.65 * 78.32 / 0.968 / 4 = 13.148 MW, so the grid adds 3.148.
    140 MW: units 70, Megapacks 19.58, the grid 3 more each minute up to 30 in the ninth; 50.42 less the grid is short.
    85 MW: 13.148 are charged again, the grid gives 28.148. Both units burn 330.75 MMBtu/h throughout.
    """
    plant = plant_of([{**TITANS[0], "n_units": 2}], {"n_units": 20}, grid_mw=30.0)
    read, state = drive(plant, [60.0] * 10 + [140.0] * 30 + [85.0] * 20)
    refill = 0.65 * 78.32 / 0.968 / 4
    climb = [min(refill - 10 + 3 * minute, 30.0) for minute in range(1, 31)]
    grid = [refill - 10] * 10 + climb + [15 + refill] * 20
    assert read.turbine_mw == pytest.approx([70.0] * 60, abs=1e-3) and read.grid_mw == pytest.approx(grid, abs=0.01)
    assert read.battery_mw == pytest.approx([-refill] * 10 + [19.58] * 30 + [-refill] * 20, abs=0.01)
    short = [0.0] * 10 + [50.42 - mw for mw in climb] + [0.0] * 20
    assert read.unserved_mw == pytest.approx(short, abs=0.01) and climb[8] == 30 > climb[7]
    usd = (2 * 330.75 * 4.02 + 70 * 11) + 62 * sum(grid) / 60
    assert read.energy_usd_per_h.sum() / 60 == pytest.approx(usd, rel=1e-4)
    assert read.fuel_mmbtu_per_h == pytest.approx([661.5] * 60, rel=1e-4)
    moved = (refill * 30 * 0.968 - 19.58 * 30 / 0.968) / 60 / 78.32
    assert float(state.soc) == pytest.approx(0.90 + moved, abs=1e-4)


@pytest.mark.parametrize("name", ["two kinds, sun and calls", "no units"])
def test_lanes_on_the_last_axis_have_the_bits_of_single_plants(name):
    """Three plants of one layout as a batch, restless loads of their own: each as it is alone, tick by tick."""
    sources = [{"kind": "titan350", "n_units": 5, "forced_outage_share": 0.2}, {"kind": "recip", "n_units": 3}]
    sources = [*sources, {"kind": "solar", "p_nom_mw": 20.0}] if "units" not in name else []
    plants = [
        plant_of(sources, {"n_units": packs}, grid_mw=100.0, curtailment=[(1.0, 0.5, 50.0)] * bool(sources))
        for packs in (0, 20, 168)
    ]
    loads = np.random.default_rng(3).uniform(60, 260, (120, 3))
    alone = [drive(plant, loads[:, lane])[0] for lane, plant in enumerate(plants)]
    lanes = jax.tree.map(
        lambda *each: jnp.stack([jnp.asarray(one, jnp.asarray(each[0]).dtype) for one in each], -1), *plants
    )
    together, _ = drive(lanes, loads)
    for lane, by_itself in enumerate(alone):
        own = jax.tree.map(lambda figure, lane=lane: figure[..., lane], together)
        assert all(map(np.array_equal, jax.tree.leaves(own), jax.tree.leaves(by_itself)))
