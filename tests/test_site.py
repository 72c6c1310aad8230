"""The site: serving, cluster and plant closed over the power cap."""

from dataclasses import fields, replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from macrohard.colossus import site as site_of
from macrohard.colossus.cluster_builder import cluster_of
from macrohard.colossus.cooling import chillers_out
from macrohard.colossus.plant_builder import plant_of
from macrohard.colossus.serving import Demand, serving_of
from macrohard.colossus.site import Clock, Site

MINUTE = 1 / 60
TITANS = [{"kind": "titan350", "n_units": 7, "forced_outage_share": 0.0}]
SERVING = serving_of("GB200", "DeepSeek-R1", "fp4", placement="disaggregated", prefill_share=0.62,
                     max_context_tokens=84_000)  # fmt: skip
BUSY = Demand(1.1e6, 35.0, 17_000.0, 130_000.0, 66_000.0 * 35, 280.0)
STEP = jax.jit(site_of.step)


def at(tick, dt_h=MINUTE, seed=1, day=40.0):
    hour = (tick + 0.5) * dt_h
    return Clock(jnp.float32(hour), jnp.float32(hour % 24), jnp.float32(day), jnp.int32(tick), jnp.uint32(seed))


def colossus(sources=TITANS, packs=168, grid_mw=30.0, cluster=None, **plant):
    return Site(
        SERVING,
        cluster_of("GB200", 110_000, **(cluster or {})),
        plant_of(sources, {"n_units": packs}, grid_mw=grid_mw, **plant),
    )


def drive(site, demands, day=40.0, dt_h=MINUTE, seed=1):
    state, readings = site_of.start(site, at(0, dt_h, seed, day)), []
    for tick, demand in enumerate(demands):
        state, reading = STEP(site, state, demand, at(tick, dt_h, seed, day), dt_h)
        readings.append(reading)
    return jax.tree.map(lambda *each: np.asarray(jnp.stack([jnp.asarray(leaf) for leaf in each])), *readings), state


def test_phase_1_in_winter_serves_all_at_full_power():
    read, _ = drive(colossus(), [BUSY] * 30)
    assert (read.cluster.power_share == 1).all() and (read.cluster.performance == 1).all()
    assert read.plant.unserved_mw.max() == 0
    assert 140 < read.plant.load_mw.mean() < 180
    for field in fields(read.served):
        assert np.array_equal(getattr(read.served, field.name), getattr(read.full, field.name))


def test_load_is_the_power_share_of_the_demand():
    read, _ = drive(colossus(sources=(), packs=0, grid_mw=100.0), [BUSY] * 20)
    assert read.plant.load_mw == pytest.approx(read.cluster.power_share * read.cluster.demand_mw, rel=1e-5)
    assert read.plant.load_mw == pytest.approx(100.0, rel=1e-4)
    assert read.plant.capped_mw == pytest.approx(read.cluster.demand_mw - read.plant.load_mw, rel=1e-3)
    assert (read.cluster.performance < 1).all() and (read.cluster.performance > read.cluster.power_share).all()
    assert (read.served.wall_s > read.full.wall_s).all() and read.plant.unserved_mw.max() == 0


def test_the_cap_holds_still_under_a_steady_shortage():
    """Demand is the uncapped one of this tick, so the cap does not flip from tick to tick."""
    read, _ = drive(colossus(sources=(), packs=0, grid_mw=100.0), [BUSY] * 20)
    assert np.ptp(read.cluster.power_share) < 1e-5


def test_shortage_cascade_is_recorded_step_by_step():
    """No grid, no sources: Megapacks to the reserve, GPUs capped, Megapacks to soc_min, then racks off, all of them."""
    read, _ = drive(colossus(sources=(), packs=200, grid_mw=0.0), [BUSY] * 84, dt_h=1 / 12)
    q, soc, shed = read.cluster.power_share, read.plant.soc, read.cluster.shed_share
    assert q[0] == 1 and soc[0] > 0.88
    first_cap, first_shed = int(np.argmax(q < 1)), int(np.argmax(shed > 0))
    assert 0 < first_cap < first_shed < 83
    assert soc[first_cap + 1] <= 0.31 and soc[first_cap - 1] > 0.30
    assert q[-1] == pytest.approx(0.357) and soc[-1] == pytest.approx(0.10, abs=1e-4)
    assert shed[-1] == pytest.approx(1.0) and read.served.admitted_share[-1] == 0
    assert read.plant.unserved_mw[-1] == pytest.approx(read.plant.load_mw[-1], rel=1e-5)
    assert (read.plant.capped_mw[first_cap:] > 0).all()
    assert read.cluster.gpu_h_curtailed_per_h[-1] == pytest.approx(read.cluster.gpu_h_available_per_h[-1], rel=1e-5)
    assert np.abs(read.plant.residual_mw).max() < 1e-4 * read.plant.load_mw.max()


def test_a_cap_slows_tickets_and_shed_racks_stop_them():
    walls = []
    for grid in (300.0, 120.0, 80.0, 30.0, 0.0):
        read, _ = drive(colossus(sources=(), packs=0, grid_mw=grid), [BUSY] * 3)
        walls.append(float(read.served.wall_s[-1]))
    assert all(after > before for before, after in zip(walls, walls[1:], strict=False))


@pytest.mark.parametrize("seed", range(6))
def test_more_supply_never_serves_less(seed):
    rng = np.random.default_rng(seed)
    demands = [replace(BUSY, n_streams=float(n)) for n in rng.uniform(0, 2e6, 15)]
    done = []
    for grid, packs in ((0.0, 0), (40.0, 0), (40.0, 60), (120.0, 60), (250.0, 168)):
        read, _ = drive(colossus(sources=(), packs=packs, grid_mw=grid), demands)
        done.append(float(read.served.decode_tok_s.sum()))
    assert all(after >= before * (1 - 1e-5) for before, after in zip(done, done[1:], strict=False))


def test_nothing_to_do_and_nothing_to_run_on_are_finite():
    """No streams: GPUs wait, 76 MW. No GPUs: nothing but the Megapacks' auxiliaries is drawn."""
    for site, demand, least, most in (
        (colossus(), replace(BUSY, n_streams=0.0), 70, 80),
        (replace(colossus(), cluster=cluster_of("GB200", 0)), BUSY, 0.5, 1.0),
    ):
        read, _ = drive(site, [demand] * 3)
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(read))
        assert least < read.plant.load_mw[-1] < most


def test_training_takes_its_share_swings_and_is_slowed_more_by_a_cap():
    """30 % trains: swing 0.3 of its rack power, half of it kept free on the Megapacks; a cap hits b = 1.0 harder."""
    cluster = dict(training_share=0.3, training_swing=0.3)
    read, _ = drive(colossus(cluster=cluster), [BUSY] * 2)
    trained = 0.3 * 110_000 * 0.99904 * (231 + 1.082 * 0.9 * 1200) * 1.05 / 1e6
    assert read.cluster.swing_mw[-1] == pytest.approx(0.3 * trained, rel=1e-3)
    assert read.cluster.gpu_h_training_per_h[-1] == pytest.approx(0.3 * 110_000 * 0.99904, rel=1e-4)
    capped, _ = drive(colossus(sources=(), packs=0, grid_mw=100.0, cluster=cluster), [BUSY] * 2)
    assert capped.cluster.training_performance[-1] < capped.cluster.performance[-1] < 1


def test_a_hot_afternoon_with_two_units_out_caps_what_a_winter_day_serves():
    """Chillers add a third of the heat at 35 C while turbines lose 14 %: the trade of phase 1, without Megapacks."""
    sources = [{**TITANS[0], "n_units": 5}]
    hot = dict(climate={"mean_c": 35.0, "season_c": 0.0, "day_c": 0.0})
    summer, _ = drive(colossus(sources, packs=0, cluster=hot), [BUSY] * 3)
    winter, _ = drive(colossus(sources, packs=0), [BUSY] * 3)
    assert winter.cluster.power_share[-1] == 1
    assert summer.cluster.demand_mw[-1] > winter.cluster.demand_mw[-1] + 40
    assert summer.cluster.power_share[-1] < 1


def test_cooling_can_bind_where_power_does_not():
    read, _ = drive(colossus(grid_mw=300.0, cluster=dict(cooling_limit_mw=50.0, climate={"season_c": 0.0})), [BUSY] * 2)
    limit = 50 * (1 + 0.025 * (35 - read.cluster.temperature_c[-1]))
    assert read.cluster.cooling_binds[-1] == 1 and read.cluster.it_mw[-1] == pytest.approx(limit, rel=1e-3)
    assert read.plant.unserved_mw.max() == 0


def test_training_that_defers_leaves_serving_and_megapacks_alone():
    """Half trains, 110 MW of grid: training waits for power, serving runs uncapped and the battery keeps its charge."""
    cluster = dict(training_share=0.5)
    slowed, _ = drive(colossus(sources=(), grid_mw=140.0, cluster=cluster), [BUSY] * 5)
    waits, _ = drive(colossus(sources=(), grid_mw=140.0, cluster=dict(training_defers=True, **cluster)), [BUSY] * 5)
    assert slowed.plant.soc[-1] < slowed.plant.soc[0] < 0.9
    assert waits.plant.soc[-1] >= 0.9 - 1e-5 and (waits.cluster.power_share == 1).all()
    assert 0 < waits.cluster.training_share_run[-1] < 1 and waits.cluster.deferred_mw[-1] > 5
    assert waits.plant.load_mw[-1] == pytest.approx(140.0, rel=1e-3) and waits.plant.unserved_mw.max() == 0


def test_training_that_defers_stops_at_a_dear_grid():
    cluster = dict(training_share=0.5, training_defers=True, training_below_usd_per_mwh=100.0)
    site = colossus(sources=(), grid_mw=300.0, cluster=cluster, grid_usd_per_mwh=[50.0, 150.0] * 12)
    read, _ = drive(site, [BUSY] * 2, dt_h=1.0)
    assert read.cluster.training_share_run.tolist() == [1, 0]


def test_chillers_fail_and_are_repaired_with_their_share():
    """20 chillers, mtbf 90 h and mttr 10 h: a tenth is out in the long run."""
    cooling = cluster_of("GB200", 8, n_chillers=20, chiller_mtbf_h=90.0, chiller_mttr_h=10.0).cooling

    def tick(k, carry):
        out, total = carry
        out = chillers_out(cooling, out, at(k), MINUTE)
        return out, total + out

    zero = jnp.float32(0)
    _, total = jax.jit(lambda: jax.lax.fori_loop(0, 200_000, tick, (zero, zero)))()
    assert float(total) / 200_000 == pytest.approx(2.0, rel=0.1)


def test_a_chiller_lost_on_a_hot_day_caps_the_cluster():
    hot = dict(climate={"mean_c": 35.0, "season_c": 0.0, "day_c": 0.0}, cooling_limit_mw=155.0, n_chillers=10)
    site = colossus(grid_mw=300.0, cluster=hot)
    state = replace(site_of.start(site, at(0)), chillers_out=jnp.float32(3.0))
    _, reading = STEP(site, state, BUSY, at(0), MINUTE)
    assert float(reading.cluster.it_mw) == pytest.approx(155 * 0.7, rel=1e-3)


def test_units_are_committed_for_what_chillers_let_through():
    """20 MW of IT can be cooled at 35 C: units for the load that is left, not for the demand of all GPUs."""
    hot = dict(climate={"mean_c": 35.0, "season_c": 0.0, "day_c": 0.0}, cooling_limit_mw=60.0)
    read, _ = drive(colossus(grid_mw=0.0, cluster=hot), [BUSY] * 3)
    held_mw = read.plant.load_mw[-1]
    assert read.plant.n_units_up[-1] * 35 * 0.86 < held_mw * 1.05 + 2 * 35 < read.cluster.demand_mw[-1]


def test_what_was_noted_of_the_run_adds_up():
    """Starts, units up and out, Megapacks at their end and warm chillers: the sums of the readings, tick by tick."""
    hot = dict(climate={"mean_c": 35.0, "season_c": 0.0, "day_c": 0.0}, cooling_limit_mw=120.0, n_chillers=10,
               chiller_mtbf_h=0.5, chiller_mttr_h=0.5)  # fmt: skip
    sources = [{"kind": "smt130", "n_units": 6, "forced_outage_share": 0.3, "mttr_h": 0.5, "min_down_min": 0.0}]
    demands = [replace(BUSY, n_streams=float(n)) for n in np.random.default_rng(2).uniform(0, 2e6, 90)]
    site = colossus(sources, packs=30, grid_mw=10.0, cluster=hot)
    site = replace(site, plant=replace(site.plant, battery=replace(site.plant.battery, soc_start=0.35)))
    read, state = drive(site, demands)
    plant, cluster, seen = read.plant, read.cluster, state.operation
    assert int(seen.n_starts) == plant.n_starts.sum() > 0 and int(seen.unit_ticks_up) == plant.n_units_up.sum() > 0
    assert int(seen.unit_ticks_out) == plant.n_units_out.sum() > 0
    assert int(seen.battery_ticks_mw) == plant.battery_binds_mw.sum() > 0
    assert int(seen.battery_ticks_mwh) == plant.battery_binds_mwh.sum() > 0
    assert int(seen.cooling_ticks) == cluster.cooling_binds.sum() > 0
    assert int(seen.chiller_ticks_out) == cluster.chillers_out.sum() > 0


def test_three_figures_of_power_are_kept_apart():
    read, _ = drive(colossus(), [BUSY])
    assert read.cluster.nameplate_it_mw[0] > read.cluster.rated_it_mw[0] > read.cluster.it_mw[0]


@pytest.mark.parametrize(
    "sources",
    [TITANS, [{"kind": kind, "n_units": 10} for kind in ("smt130", "titan350", "pe6000", "recip")]],
    ids=["8 rows", "48 rows"],
)
def test_a_batch_is_the_loop_bit_for_bit(sources):
    """Lanes of a vmapped loop of ticks against the same loop one by one, restless demand, outages, a curtailment."""
    draws = [np.random.default_rng(seed) for seed in range(5)]
    sites = [
        colossus(sources, packs=int(rng.integers(0, 168)), grid_mw=float(rng.uniform(0, 60)),
                 cluster=dict(training_share=float(rng.uniform(0, 0.3))), curtailment=[(1.0, 1.0, 20.0)])
        for rng in draws
    ]  # fmt: skip

    def run(site, state, seed, n_ticks):
        def tick(k, carry):
            state, kept = carry
            hour = (k + 0.5) * MINUTE
            clock = Clock(hour, hour % 24, 200.0 + jnp.floor(hour / 24), k, seed)
            demand = replace(BUSY, n_streams=2e5 * (1 + (k // 11 * 7) % 10).astype(jnp.float32))
            state, reading = site_of.step(site, state, demand, clock, MINUTE)
            leaves = [jnp.sum(jnp.asarray(leaf)) for leaf in (reading.plant.load_mw, reading.plant.soc,
                      reading.plant.co2_t_per_h, reading.served.wall_s, reading.plant.n_units_up)]  # fmt: skip
            return state, kept + jnp.stack(leaves)

        return jax.lax.fori_loop(0, n_ticks, tick, (state, jnp.zeros(5)))

    seeds = jnp.arange(5, dtype=jnp.uint32)
    states = [site_of.start(site, at(0, seed=seed)) for seed, site in enumerate(sites)]
    stack = lambda trees: jax.tree.map(lambda *each: jnp.stack([jnp.asarray(leaf) for leaf in each]), *trees)  # noqa: E731
    one, many = jax.jit(run), jax.jit(jax.vmap(run, (0, 0, 0, None)))
    batch = many(stack(sites), stack(states), seeds, 500)
    for lane, (site, state) in enumerate(zip(sites, states, strict=True)):
        alone = one(site, state, seeds[lane], 500)
        cut = one(site, one(site, state, seeds[lane], 0)[0], seeds[lane], 500)
        for a, b, c in zip(jax.tree.leaves(alone), jax.tree.leaves(batch), jax.tree.leaves(cut), strict=True):
            assert np.array_equal(np.asarray(a), np.asarray(b)[lane]) and np.array_equal(np.asarray(a), np.asarray(c))


def test_training_keeps_the_power_of_its_swing_from_dispatch():
    """Same state and demand: with a swing the Megapacks reach, and charge with, half of it less; without, all of it."""
    calm, swinging = (
        colossus(packs=100, cluster=dict(training_share=0.5, training_swing=swing)) for swing in (0.0, 0.6)
    )
    reached = {}
    for name, site in (("calm", calm), ("swinging", swinging)):
        _, reading = STEP(site, site_of.start(site, at(0)), BUSY, at(0), MINUTE)
        reached[name] = reading
    half = 0.6 * 0.5 * 110_000 * 0.99904 * (231 + 1.082 * 0.9 * 1200) * 1.05 / 1e6 / 2
    assert float(reached["swinging"].cluster.swing_reserve_mw) == pytest.approx(half, rel=1e-3)
    lost = float(reached["calm"].plant.limit_mw) - float(reached["swinging"].plant.limit_mw)
    assert lost == pytest.approx(half, rel=1e-3)


def test_megapacks_in_the_reserve_of_swings_are_never_dispatched():
    """No sources: of 97.9 MW the load gets what the swing leaves, and the rest of it is capped."""
    site = colossus(sources=(), packs=100, grid_mw=0.0, cluster=dict(training_share=0.5, training_swing=0.6))
    read, _ = drive(site, [BUSY] * 3)
    assert read.plant.battery_mw + read.cluster.swing_reserve_mw == pytest.approx([97.9] * 3, rel=1e-4)
