"""Supply: units, grid and sun; what each can yield when."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from macrohard.colossus.climate import Climate, Sun, sunshine, temperature_c
from macrohard.colossus.clock import Clock
from macrohard.colossus.outage import outages, outages_at_start
from macrohard.colossus.plant_builder import plant_of
from macrohard.colossus.supply import (
    announced_mw,
    barred_h,
    before,
    contract_mw,
    counts,
    ranks,
    total,
    usable,
    warmth,
)

TITANS = [{"kind": "titan350", "n_units": 7}]


def at(hour, day=0.0, seed=1, tick=0):
    return Clock(jnp.float32(hour), jnp.float32(hour % 24), jnp.float32(day), jnp.int32(tick), jnp.uint32(seed))


def test_colossus_2_phase_1_offers_275_megawatts_and_less_on_bad_days():
    """7 * 35 + 30 = 275; one out: 240; at 35 C 245 * (1 - 0.007 * 20) + 30 = 240.7; 6 * 35 * 0.86 + 30 = 210.6."""
    plant = plant_of(TITANS, grid_mw=30.0)
    cool, hot = (
        np.ravel(plant.units.p_nom_mw * warmth(plant.blocks.derate_per_k, celsius)[:, None]) for celsius in (15.0, 35.0)
    )
    grid = float(contract_mw(plant.grid, 0.5, 1 / 60))
    assert cool.sum() + grid == pytest.approx(275.0)
    assert cool.sum() - cool[0] + grid == pytest.approx(240.0)
    assert hot.sum() + grid == pytest.approx(240.7, abs=0.01)
    assert hot.sum() - hot[0] + grid == pytest.approx(210.6, abs=0.01)


def test_cold_air_gives_no_more_than_the_rating():
    plant = plant_of(TITANS)
    assert np.asarray(warmth(plant.blocks.derate_per_k, -10.0)) == pytest.approx(1.0)


@pytest.mark.parametrize("width", [1, 7, 32, 50])
def test_counts_and_ranks_are_those_by_hand(width):
    flags = np.random.default_rng(width).random((3, width)) < 0.5
    given = jnp.asarray(flags, jnp.float32)
    assert np.asarray(counts(given)).tolist() == flags.sum(axis=1).tolist()
    assert np.asarray(ranks(given)).tolist() == [[row[:place].sum() for place in range(width)] for row in flags]


@pytest.mark.parametrize("n_terms", [0, 1, 2, 7, 41])
def test_a_total_is_added_term_after_term(n_terms):
    each = np.random.default_rng(n_terms).normal(0, 100, (n_terms, 3)).astype(np.float32)
    by_hand = np.zeros(3, np.float32)
    for row in each:
        by_hand += row
    assert np.array_equal(np.asarray(jax.jit(total)(each)), by_hand)


def test_sums_before_each_block():
    assert np.asarray(before(jnp.asarray([3.0, 1.0, 4.0, 1.0]))).tolist() == [0, 3, 4, 8]


def test_a_permit_begins_and_expires():
    plant = plant_of([{"kind": "smt130", "n_units": 1, "permit_from_h": 10.0, "permit_until_h": 20.0}])
    inside = [float(usable(plant.units, at(hour))[0, 0]) for hour in (9.9, 10.0, 19.9, 20.0)]
    assert inside == [0, 1, 1, 0]


def test_planned_outages_take_their_hours_and_are_spread():
    """264 h a year of each unit, and never more than two of seven out together."""
    plant = plant_of([{"kind": "titan350", "n_units": 7, "planned_outage": True}])
    hours = np.arange(8760, 2 * 8760) + 0.5
    serving = np.stack([np.asarray(usable(plant.units, at(hour)))[0, :7] for hour in hours[::12]])
    out = 1 - serving
    assert out.sum(axis=0) * 12 == pytest.approx([264] * 7, abs=24)
    assert out.sum(axis=1).max() <= 2


def test_hours_without_permit_or_in_maintenance_are_those_in_which_a_unit_is_not_usable():
    """Two years, a permit from hour 3,000.5 to 12,000, maintenance: against counting every half hour."""
    permitted = {"kind": "smt130", "n_units": 3, "permit_from_h": 3000.5, "permit_until_h": 12_000.0}
    plant = plant_of([{**permitted, "planned_outage": True}, {"kind": "titan350", "n_units": 2}])
    half_hours = np.arange(0.25, 2 * 8760, 0.5)
    kept = np.sum([np.asarray(usable(plant.units, at(hour))) for hour in half_hours], axis=0) * 0.5
    is_unit = np.asarray(plant.units.p_nom_mw) > 0
    assert barred_h(plant.units, 2 * 8760) == pytest.approx(np.where(is_unit, 2 * 8760 - kept, 0.0), abs=2)
    assert barred_h(plant.units, 10.0).sum() == pytest.approx(30.0)


def test_a_call_of_the_utility_is_walked_down_to_within_its_notice():
    """150 MW, 15 MW/min; 100 MW less from hour 10: the ramp needs 6.7 minutes, so draw falls from 9:53:20 on."""
    plant = plant_of(grid_mw=150.0, curtailment=[(10.0, 2.0, 100.0)])
    minute = 1 / 60
    allowed = {m: float(contract_mw(plant.grid, 10 + m / 60, minute)) for m in (-31, -8, -4, -1, 0.5, 119.5, 120.5)}
    assert allowed[-31] == 150 and allowed[-8] == 150
    assert allowed[-4] == pytest.approx(150 - (100 - 15 * 3.5), abs=0.01)  # half a tick ahead of the tick's middle
    assert allowed[-1] == pytest.approx(150 - (100 - 15 * 0.5), abs=0.01)
    assert allowed[0.5] == pytest.approx(50) and allowed[119.5] == pytest.approx(50) and allowed[120.5] == 150
    assert float(announced_mw(plant.grid, 10 - 29 / 60, minute)) == pytest.approx(50)
    assert float(announced_mw(plant.grid, 10 - 31 / 60, minute)) == pytest.approx(150)


@pytest.mark.parametrize("dt_h", [1 / 60, 1 / 12])
def test_outages_have_their_long_run_share_and_length(dt_h):
    """forced_outage_share 0.2, mttr 5 h: units that run all the time are out a fifth of it, 5 h each time."""
    plant = plant_of([{"kind": "smt130", "n_units": 60, "forced_outage_share": 0.2, "mttr_h": 5.0}])

    def day(tick, carry):
        out, hours, events = carry
        now = outages(plant.units, out, 1 - out, at(0.0, tick=tick), dt_h)
        return now, hours + now[0, :60].sum() * dt_h, events + (now * (1 - out))[0, :60].sum()

    n = int(2000 / dt_h)
    first = outages_at_start(plant.units, at(0.0))
    zero = jnp.float32(0)
    _, hours, events = jax.jit(lambda out: jax.lax.fori_loop(0, n, day, (out, zero, zero)))(first)
    assert float(hours) / (60 * 2000) == pytest.approx(0.2, rel=0.05)
    assert float(hours / events) == pytest.approx(5.0, rel=0.05)


def test_adding_a_unit_changes_no_other_units_luck():
    few, many = (plant_of([{"kind": "smt130", "n_units": n}]).units for n in (3, 60))
    assert np.array_equal(np.asarray(few.key)[0, :3], np.asarray(many.key)[0, :3])


def test_the_year_has_its_seasons_and_the_day_its_noon():
    climate = Climate()
    july, january = (float(temperature_c(climate, at(15.0, day))) for day in (200.0, 17.5))
    assert july == pytest.approx(17 + 11.5 + 5) and january == pytest.approx(17 - 11.5 + 5, abs=0.01)
    assert float(sunshine(Sun(), at(0.0, 172.0))) == 0 < float(sunshine(Sun(), at(12.0, 172.0))) <= 1


def test_sunshine_of_a_year_is_a_quarter_of_the_rating():
    hours = jnp.arange(8760) + 0.5
    clock = Clock(hours, hours % 24, jnp.floor(hours / 24), jnp.int32(0), jnp.uint32(1))
    assert float(jnp.mean(sunshine(Sun(), clock))) == pytest.approx(0.25, abs=0.02)


def test_day_to_day_weather_keeps_mean_and_spread():
    hours = jnp.arange(0.5, 24 * 4000, 24)
    clock = Clock(hours, hours % 24, 0.0 * hours, jnp.int32(0), jnp.uint32(7))
    odd = temperature_c(Climate(spread_c=3.0), clock) - temperature_c(Climate(), clock)
    assert float(jnp.mean(odd)) == pytest.approx(0, abs=0.2)
    assert float(jnp.std(odd)) == pytest.approx(3.0 * (1 - 0.5 / 24), rel=0.05)


def test_more_units_than_rows_are_lumped_and_keep_their_rating():
    plant = plant_of([{"kind": "smt130", "n_units": 100}, {"kind": "titan350", "n_units": 20}])
    assert np.count_nonzero(plant.units.p_nom_mw) <= 64
    assert float(plant.units.p_nom_mw.sum()) == pytest.approx(100 * 16.5 + 20 * 35)
    machines = counts(plant.units.p_nom_mw > 0) * plant.blocks.n_machines
    assert float(machines.sum()) == 120


def test_merit_order_is_by_running_cost():
    """Titan 350 at 9,450 Btu/kWh runs before SMT-130 at 10,277: 4.02 * 9.45 + 11 = 49.0 against 52.3 USD/MWh."""
    plant = plant_of([{"kind": "smt130", "n_units": 2}, {"kind": "titan350", "n_units": 2}])
    assert np.asarray(plant.units.p_nom_mw).tolist() == [[35, 35], [16.5, 16.5]]
    assert np.asarray(plant.blocks.usd_per_mwh)[:2] == pytest.approx([48.99, 52.31], abs=0.01)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (dict(sources=[{"kind": "fusion"}]), r"power.sources\[0\].kind"),
        (dict(sources=[{"kind": "solar"}]), r"power.sources\[0\].p_nom_mw"),
        (dict(sources=[{"kind": "smt130", "min_load_share": 1.5}]), "min_load_share"),
        (dict(sources=[{"kind": "smt130", "n_units": -2}]), "n_units"),
        (dict(sources=[{"kind": "smt130", "speed": 3.0}]), "speed"),
        (dict(dispatch="hope"), "power.dispatch"),
        (dict(grid_mw=-1.0), "power.grid_mw"),
        (dict(grid_mw=float("nan")), "power.grid_mw"),
    ],
)
def test_what_cannot_be_is_refused_by_name(wrong, named):
    with pytest.raises(ValueError, match=named):
        plant_of(**wrong)


def test_every_field_of_a_unit_is_given_for_every_row():
    plant = plant_of(TITANS)
    shapes = {field.name: getattr(plant.units, field.name).shape[-1] for field in dataclasses.fields(plant.units)}
    assert set(shapes.values()) == {8}
