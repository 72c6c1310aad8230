"""The construction network: a case by hand, laws over throws, two fitted dates and one predicted."""

import json
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from typer.testing import CliRunner

from macrohard.buildout.gap import explained
from macrohard.buildout.network import Activity, network
from macrohard.buildout.outcome import build_out_rows, planned, reached, toml_rows, usable_gpus
from macrohard.buildout.schedule import critical, schedule, total_float
from macrohard.buildout.site import site_named
from macrohard.buildout.told import told
from macrohard.cli import app
from macrohard.scenario import Scenario

N = 200


def fixed(days: dict[str, float], arrows: list[tuple[str, str, float]], trades: dict[str, str] | None = None):
    """A network of activities that each take exactly so many days."""
    graph = nx.DiGraph()
    for name, length in days.items():
        graph.add_node(name, activity=Activity(name, 0, (trades or {}).get(name, ""), length, length, length, False))
    for one, other, lag in arrows:
        graph.add_edge(one, other, lag=lag)
    return graph


FOUR = [("a", "b", 0), ("a", "c", 2), ("b", "d", 0), ("c", "d", 0)]


def test_four_activities_by_hand():
    """a 3, b 5, c 4, d 2; c may begin 2 days after a: b ends at 8, c at 9, d at 11; only b has slack, 1 day."""
    plan = schedule(fixed({"a": 3, "b": 5, "c": 4, "d": 2}, FOUR), {}, 3)
    assert dict(zip(plan.names, plan.finish[:, 0], strict=True)) == pytest.approx({"a": 3, "b": 8, "c": 9, "d": 11})
    goal = plan.names.index("d")
    assert dict(zip(plan.names, total_float(plan, goal)[:, 0], strict=True)) == pytest.approx(
        {"a": 0, "b": 1, "c": 0, "d": 0}
    )
    on = dict(zip(plan.names, critical(plan, goal)[:, 0], strict=True))
    assert on == {"a": True, "b": False, "c": True, "d": True}


def test_one_crew_for_both_branches_by_hand():
    """b and c by one crew: b 3-8, c 8-12, d 12-14; b has no slack any more since c waits for its crew."""
    plan = schedule(fixed({"a": 3, "b": 5, "c": 4, "d": 2}, FOUR, {"b": "t", "c": "t"}), {"t": 1}, 2)
    assert plan.finish[plan.names.index("d"), 0] == pytest.approx(14)
    assert total_float(plan, plan.names.index("d"))[:, 0] == pytest.approx(0)


@pytest.mark.parametrize("name", ["colossus2", "abilene", "colossus1"])
def test_slack_is_never_negative(name):
    """No activity, on time, makes its goal late; what is critical has no slack."""
    plan = planned(site_named(name), N)
    goal = int(plan.finish.mean(axis=1).argmax())
    slack, on = total_float(plan, goal), critical(plan, goal)
    assert slack.min() >= -1e-9
    assert slack[on].max() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("kind", ["chillers", "turbine", "rack_delivery", "hall_prep", "commissioning"])
def test_longer_durations_never_finish_earlier(kind):
    """In no throw does anything end sooner because something takes longer."""
    site = site_named("colossus2")
    assert (planned(site, N, scale={kind: 1.3}).finish >= planned(site, N).finish - 1e-9).all()


@pytest.mark.parametrize("trade", sorted(site_named("colossus2").crews))
def test_more_crews_never_finish_later(trade):
    """In no throw does anything end later because one more crew is there."""
    site = site_named("colossus2")
    more = replace(site, crews={**site.crews, trade: site.crews[trade] + 1})
    assert (planned(more, N).finish <= planned(site, N).finish + 1e-9).all()


@pytest.mark.parametrize(("name", "milestone"), [("colossus2", "cooling"), ("abilene", "energized")])
def test_the_two_fitted_dates_are_met(name, milestone):
    """By construction: two scales, two dates."""
    site = site_named(name)
    (date,) = (each.days for each in site.published if each.fitted)
    assert np.median(reached(site, planned(site, 600), milestone)) == pytest.approx(date, rel=0.02)


def test_colossus_1_is_predicted_within_a_quarter():
    """122 days published; nothing was fitted to it."""
    site = site_named("colossus1")
    assert np.median(reached(site, planned(site, 600), "serving")) == pytest.approx(122, rel=0.25)


@pytest.mark.parametrize("place", range(2))
def test_colossus_1_lies_within_its_interval(place):
    """All GPUs at full power, or as many as 43 MW carried: 122 days are among the middle 80 % of throws."""
    site = site_named("colossus1")
    known = site.published[place]
    assert not known.fitted and known.days == 122
    days = reached(site, planned(site, 600), "serving", known.mw or None)
    assert np.quantile(days, 0.1) <= known.days <= np.quantile(days, 0.9)


def test_of_abilene_the_dates_seen_are_predicted_and_the_claim_is_missed():
    """One building after 450 days and both after 490 are among the middle 80 % of throws; 457 for all of it is not."""
    found = told(site_named("abilene"), replicates=600)["milestones"]["serving"]
    claim, seen = found["published"]
    assert (claim["days"], claim["in_80_percent_interval"]) == (457, False)
    assert (seen["days"], seen["in_80_percent_interval"]) == (490, True)
    parts = [(each["mw"], each["published"][0]["in_80_percent_interval"]) for each in found["parts"]]
    assert parts == [(25, True), (100, True)]


def test_months_to_more_megawatts_are_never_fewer():
    """Every quantile of every milestone rises with the megawatts asked for, and all of it is the milestone's own."""
    found = told(site_named("colossus2"), replicates=N)
    for name, row in found["milestones"].items():
        for key in ("p10", "p50", "p90"):
            months = [each[name][key] for each in found["months_to_mw"]]
            assert months == sorted(months)
            assert months[-1] == pytest.approx(row["days"][key] * 12 / 365.25)


def test_what_is_printed_runs(tmp_path):
    """The command's rows with a start among them make a scenario; the run has the GPUs of the row in force."""
    printed = CliRunner().invoke(app, ["build-out", "colossus2-phase1", "--replicates", "100", "--toml"])
    assert printed.exit_code == 0, printed.stderr
    rows = Scenario.parse(printed.stdout + 'gpu = "GB200"\nn_gpus = 110_000\n').cluster.build_out
    assert len(rows) >= 3
    file = tmp_path / "growing.toml"
    base = Scenario.load("colossus2-phase1", environment={})
    settings = [f"run.start={rows[1].date}", "run.horizon_h=2", "run.warmup_h=0", "workforce.coding=8",
                "workforce.testing=6", "workforce.management=4", "workforce.design=2",
                "cluster.build_out=[]"]  # fmt: skip
    text = base.override(settings).given_toml()
    assert "build_out = []" in text
    only_rows = printed.stdout.split("build_out = ", 1)[1].rstrip()
    file.write_text(text.replace("build_out = []", f"build_out = {only_rows}"))
    done = CliRunner().invoke(app, ["run", str(file), "--json"])
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["gpu"]["n_gpus"] == pytest.approx(rows[1].n_gpus, rel=0.01)


def test_the_page_is_whole(tmp_path):
    """Three pictures and a row for each milestone and part of it."""
    out = tmp_path / "site.html"
    done = CliRunner().invoke(app, ["build-out", "colossus1", "--replicates", "50", "--out", str(out), "--json"])
    assert done.exit_code == 0, done.stderr
    text = out.read_text()
    assert text.count('class="chart"') == 2 * 3 and text.count("<tr>") == 1 + 6  # wide and narrow
    assert json.loads(done.stdout)["milestones"]["serving"]["published"][0]["days"] == 122


def test_the_gap_is_shared_out_without_remainder():
    """Shapley shares add up to the difference of the two sites."""
    gap = explained(site_named("colossus2"), site_named("abilene"), "serving", 50)
    assert sum(gap.shares.values()) == pytest.approx(gap.slow_days - gap.fast_days)
    direct = reached(site_named("abilene"), planned(site_named("abilene"), 50), "serving").mean()
    assert gap.slow_days == pytest.approx(direct, rel=0.01)


def test_usable_gpus_are_the_least_and_never_fall():
    """Usable at a date: no more than racks, cooling and power each carry; in the end all of them."""
    site = site_named("colossus2")
    plan = planned(site, N)
    count = usable_gpus(site, plan, np.linspace(0, 600, 50))
    assert (count["usable"] <= np.minimum(np.minimum(count["racks"], count["cooling"]), count["power"]) + 1e-6).all()
    assert (np.diff(count["usable"], axis=0) >= -1e-6).all()
    assert count["usable"][-1] == pytest.approx(site.n_gpus)


def test_rows_feed_a_scenario():
    """What --toml prints is a [cluster] section that loads, ends with all GPUs and never shrinks."""
    site = site_named("colossus2")
    rows = build_out_rows(site, planned(site, N))
    scenario = Scenario.parse(toml_rows(rows) + 'gpu = "GB200"\nn_gpus = 110_000\n')
    assert [step.n_gpus for step in scenario.cluster.build_out] == sorted(n for _, n in rows)
    assert scenario.cluster.build_out[-1].n_gpus == site.n_gpus


def test_links_name_activities():
    """Every link of the table joins kinds of the table, and every site's network is one without circles."""
    for name in ("colossus2", "abilene", "colossus1"):
        assert nx.is_directed_acyclic_graph(network(site_named(name)))
