"""Sites of one's own: a server, a cloud reservation without a power plant, a colocation with a battery."""

import pytest
from small import SMALL

from macrohard import run
from macrohard.scenario import Scenario

OWN = ("server", "cloud-1000", "colocation-10mw")


def summary(name, *settings):
    """A day of the site with as many real agents on 20 simulated ones, so that one compilation serves."""
    whole = Scenario.load(name, environment={})
    weight = whole.n_agents * whole.workforce.weight / 20
    return run(whole.override([*SMALL, f"workforce.weight={weight}", *settings])).summary


@pytest.fixture(scope="module")
def days():
    """A day of each; of the colocation the day of the utility's first call."""
    start = {"colocation-10mw": ["run.start=2026-07-14"]}
    return {name: summary(name, *start.get(name, [])) for name in OWN}


@pytest.mark.parametrize("name", OWN)
def test_each_does_work_at_a_price_a_firm_might_pay(days, name):
    """Tickets flow, fewer bugs come back than tickets went out, a ticket of some 2.6 hours costs less than 5 USD."""
    day = days[name]
    assert day["work"]["tickets_done"] > 0.7 * day["work"]["tickets_created"]
    assert day["work"]["bugs_per_ticket"] < 0.5
    assert 0.1 < day["cost"]["usd_per_ticket"] < 5
    assert day["power"]["unserved_mwh"] == 0


def test_a_cloud_is_paid_by_the_gpu_hour_and_by_nothing_else(days):
    """1,000 GPUs for 24 hours at 2.35 USD; power is drawn, counted and in that price."""
    cost, gpu = days["cloud-1000"]["cost"], days["cloud-1000"]["gpu"]
    assert cost["total_usd"] == pytest.approx(gpu["gpu_h_available"] * 2.35)
    assert gpu["gpu_h_available"] == pytest.approx(24_000, rel=0.01)
    assert cost["energy_usd"] == cost["parts"]["site"] == cost["parts"]["turbines"] == cost["parts"]["megapacks"] == 0
    assert days["cloud-1000"]["power"]["grid_mwh"] > 0 and cost["co2_t"] > 0
    assert days["cloud-1000"]["binding"]["power"] == 0


@pytest.mark.parametrize(("name", "rated_kw"), [("server", 10.2), ("colocation-10mw", 720 * 14.3)])
def test_a_colocation_pays_rent_for_its_rating(days, name, rated_kw):
    """184.06 USD per kW and month for a day: rated kW * 184.06 * 12 / 365; nothing was built."""
    assert days[name]["cost"]["parts"]["site"] == pytest.approx(rated_kw * 184.06 * 12 / 365, rel=1e-3)


def test_rent_comes_on_top_of_what_is_built():
    """Both set: both paid."""
    built = summary("laptop")["cost"]["parts"]["site"]
    both = summary("laptop", "economics.site_rent_usd_per_kw_month=100")["cost"]["parts"]["site"]
    assert both - built == pytest.approx(10.2 * 100 * 12 / 365, rel=1e-3)


def test_the_battery_of_the_colocation_carries_a_call_of_the_utility(days):
    """With 6 Megapacks nothing is capped in a call of 4 MW for 4 hours; without them GPUs are."""
    day = days["colocation-10mw"]
    assert day["power"]["battery_discharge_mwh"] > 5 and day["power"]["soc_lowest"] < 0.8
    assert day["power"]["capped_mwh"] == pytest.approx(0, abs=0.1)
    bare = summary("colocation-10mw", "run.start=2026-07-14", "power.megapack.n_units=0")
    assert bare["power"]["capped_mwh"] > 5
