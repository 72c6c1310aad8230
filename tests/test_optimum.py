"""The rule against the program of benchmarks/optimum.py: neither may undercut the other where it cannot."""

import numpy as np
import pytest

from benchmarks.optimum import VOLL, Day, best, ruled
from macrohard.colossus.plant_builder import plant_of

N_STEPS = 24
TITANS = {"kind": "titan350", "n_units": 4, "forced_outage_share": 0.0}


def day_of(seed):
    """Two hours, a new load every half hour."""
    rng = np.random.default_rng(seed)
    return Day(np.repeat(rng.uniform(60, 190, 4), N_STEPS // 4), np.full(N_STEPS, 15.0))


@pytest.mark.parametrize("seed", range(3))
def test_the_rule_never_costs_less_than_the_bound(seed):
    """Same units, battery and day: the bound of the program is under the rule, by less than a third of it here."""
    plant = plant_of([TITANS], {"n_units": 60, "soc_start": 0.6}, grid_mw=40.0)
    day = day_of(seed)
    ours, able = ruled(plant, day, 0.0, 1)
    theirs, bound = best(plant, day, able, 0.0, ours.soc_end, 20.0, 1e-3)
    assert bound * (1 - 1e-4) <= ours.total_usd
    assert bound <= theirs.total_usd * (1 + 1e-6) and ours.total_usd < 1.34 * theirs.total_usd


def test_a_day_on_the_grid_alone_costs_the_same_by_both():
    """40 MW of grid for 30 MW: 2 h * 30 * 62 USD; 50 MW leave 10 MW short on both sides."""
    for load, unserved in ((30.0, 0.0), (50.0, 20.0)):
        day = Day(np.full(N_STEPS, load), np.full(N_STEPS, 15.0))
        plant = plant_of((), {"n_units": 0}, grid_mw=40.0)
        ours, able = ruled(plant, day, 0.0, 1)
        theirs, _ = best(plant, day, able, 0.0, 0.0, 20.0, 1e-3)
        usd = 2 * min(load, 40.0) * 62 + VOLL * unserved
        assert ours.total_usd == pytest.approx(usd, rel=1e-4) and theirs.total_usd == pytest.approx(usd, rel=1e-4)
