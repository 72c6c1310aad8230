"""The orders of magnitude worked out by hand for 110,000 GB200 come out of the simulation, each from its parts."""

import pytest

from macrohard.runs import Result, run
from macrohard.scenario import Scenario


@pytest.fixture(scope="module")
def factory() -> Result:
    """Two days of the default scenario: R1-class at fp4, fp8 KV, no training, a backlog that is never short."""
    scenario = Scenario.load("colossus2-phase1", environment={})
    return run(scenario.override(["run.horizon_h=36", "run.warmup_h=12"]))


def per_ticket(factory: Result, name: str) -> float:
    return float(factory.summary["tokens"][name]) / float(factory.summary["work"]["tickets_done"])


def test_a_stream_decodes_at_about_20_tokens_a_second(factory):
    """1.1 M active streams at 20 tok/s, 2.2 M at capacity (11 tok/s): 1.3 M at 20 with two million agents."""
    gpu = factory.summary["gpu"]
    assert 0.9e6 < gpu["streams_mean"] < 1.7e6
    assert 15 < gpu["tok_s_per_stream_mean"] < 25


def test_a_gpu_writes_about_230_tokens_a_second(factory):
    """About 210 output tok/s/GPU over the fleet at 84k of context, 253-264 at 66k; agents' contexts lie between."""
    assert 190 < factory.summary["gpu"]["decode_tok_s_per_gpu_mean"] < 275


def test_the_site_draws_158_to_175_mw_at_full_serving(factory):
    """IT 110,000 * (231 + 1.082 * 0.86 * 1200 W) * 1.05 = 155 MW; + 0.10 * half fixed, half with load = 169 MW."""
    assert 158 <= factory.summary["power"]["load_mean_mw"] <= 175


def test_nameplate_build_up_and_demand_stay_apart(factory):
    """1,528 racks * 132 kW = 201.7 MW; 110,000 * (231 + 1.082 * 1200) = 168.2 MW at the limit; demand is below both."""
    power = factory.summary["power"]
    assert power["nameplate_it_mw"] == pytest.approx(201.7, abs=0.05)
    assert power["build_up_it_mw"] == pytest.approx(168.2, abs=0.1)
    assert factory.series["it_mw"].max() < power["build_up_it_mw"]


def test_a_ticket_takes_about_12_million_input_tokens(factory):
    """11.7 M input, 0.66 M computed, 84 k output for all roles; here hand-over errors and bug tickets add 6-12 %."""
    assert per_ticket(factory, "input_tokens") == pytest.approx(11.7e6, rel=0.15)
    assert per_ticket(factory, "prefill_tokens") == pytest.approx(0.66e6, rel=0.15)
    assert per_ticket(factory, "decode_tokens") == pytest.approx(84e3, rel=0.15)


def test_a_ticket_takes_a_tenth_of_a_gpu_hour(factory):
    """0.09-0.12 GPU-h, at 163 MW / 110,000 = 1.48 kW a GPU 0.13-0.18 kWh (by hand 0.15-0.19); 0.20-0.26 USD for GPUs
    and energy; buildings and plant come on top.
    """
    cost, done = factory.summary["cost"], factory.summary["work"]["tickets_done"]
    assert 0.09 <= cost["gpu_h_per_ticket"] <= 0.125
    assert 0.13 <= cost["kwh_per_ticket"] <= 0.19
    assert 0.20 <= (cost["gpu_usd"] + cost["energy_usd"]) / done <= 0.28
    assert cost["energy_usd"] < 0.06 * cost["total_usd"]  # GPUs dominate: power is about 4 % of a ticket's cost


def test_the_ceiling_is_22_to_29_million_tickets_a_day(factory):
    """24 M tickets of 139 min mean over 240 days * 8 h / 365 = 316 min a day are the worth of 10.6 M developers."""
    work = factory.summary["work"]
    assert 22e6 <= work["tickets_per_day"] <= 29e6
    assert 8.5e6 <= work["developers_equivalent"] <= 14e6


def test_an_ordinary_ticket_takes_about_1_8_fresh_attempts(factory):
    """At p 0.70 it takes 1 + 0.7675 * (0.30 + 0.7675 * 0.24 + ...) = 1.6; over all sizes (mean 145 min) and with
    1.5 % spoilt hand-overs the mean p is lower: 1.85.
    """
    assert 1.5 < factory.summary["work"]["code_attempts_per_ticket"] < 2.0


def test_bugs_stay_below_one_per_ticket(factory):
    """0.16 bad patches shipped and 0.08 hidden defects per ticket return, so the backlog empties."""
    assert 0.05 < factory.summary["work"]["bugs_per_ticket"] < 0.35
    assert 0.05 <= factory.summary["work"]["change_failure_rate"] <= 0.30  # DORA: 5-30 %


def test_few_tickets_are_beyond_three_models(factory):
    """After nine caught failures (three tries by each of three models) a ticket is split: 2-3 % if all were caught;
    since one bad patch in four slips through, fewer. Given up are only those too small to split.
    """
    work = factory.summary["work"]
    assert 0.005 < work["tickets_split"] / work["tickets_done"] < 0.03
    assert work["tickets_given_up"] < 0.1 * work["tickets_split"]


@pytest.mark.parametrize(
    "name", ["laptop", "colossus1", "colossus2-phase1", "colossus2-full", "colossus2-1m", "stargate-abilene"]
)
def test_bug_tickets_per_ticket_stay_below_one_in_every_bundled_scenario(name):
    """Otherwise the backlog would never empty; the door refuses such a scenario."""
    from macrohard.habits import bugs_per_ticket, habits_of

    scenario = Scenario.load(name, environment={})
    assert bugs_per_ticket(scenario, habits_of(scenario)) < 0.5
