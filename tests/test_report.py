"""The HTML page of a run: complete, self-contained, safe against hostile names, and right at the edges."""

import math
import re
import subprocess
import sys
from dataclasses import replace

import fake_result
import numpy as np
import on_paper
import pandas as pd
import pytest

from macrohard.report import Facts, answer, cautions, page, write_report
from macrohard.report.appendix import appendix, assumptions
from macrohard.report.facts import as_number, thin
from macrohard.report.pictures import pictures
from macrohard.report.quantity import duration, energy, human, in_words, percent, plain, power, significant
from macrohard.report.sankey import Spent, flows
from macrohard.report.scale import elapsed, linear
from macrohard.report.serving_pictures import speed_against_streams


def html_of(result: fake_result.FakeResult) -> str:
    return page(Facts.of(result))


@pytest.fixture(scope="module")
def usual() -> fake_result.FakeResult:
    return fake_result.result()


@pytest.fixture(scope="module")
def usual_html(usual: fake_result.FakeResult) -> str:
    return html_of(usual)


def test_page_is_well_formed_and_small(usual_html: str) -> None:
    """Every tag is closed in order, every drawing is XML, the page is under 2 MB and asks nobody for anything."""
    assert on_paper.faults(usual_html) == []
    assert usual_html.count("<svg") > 20


def test_every_fill_is_defined(usual_html: str) -> None:
    """A paint that is used is one that the page defines, in light and in dark."""
    used = set(re.findall(r"url\(#ink-([a-z-]+)\)", usual_html))
    defined = set(re.findall(r'id="ink-([a-z-]+)"', usual_html))
    assert used <= defined
    for ink in defined:
        assert usual_html.count(f"--{ink}:") >= 2, ink


def test_lines_are_thinned(usual_html: str) -> None:
    """No outline has more than a thousand points to each of its two sides."""
    assert max(path.count("L") for path in re.findall(r' d="(M[^"]*)"', usual_html)) <= 2000


def test_hostile_names_are_shown_not_run(usual: fake_result.FakeResult) -> None:
    """Names and texts that users choose reach the page as text."""
    evil = "<script>alert('x')</script>\"&"
    summary = {**usual.summary, "scenario": {"name": evil, "seed": 1, "sha256": evil}, evil: {evil: evil}}
    summary["assumptions"] = [{"name": evil, "value": evil, "note": evil}]
    summary["binding"] = {"in_words": evil, "gpus": 1.0}
    result = fake_result.FakeResult(summary, usual.series, usual.tickets, {"cluster": {"gpu": evil}}, command=evil)
    html = html_of(result)
    assert "<script" not in html and "alert(&#x27;x&#x27;)" in html


def test_written_whole_or_not_at_all(usual: fake_result.FakeResult, tmp_path: object) -> None:
    """The page lands under its name and leaves no draft behind."""
    from pathlib import Path

    folder = Path(str(tmp_path))
    target = write_report(usual, folder / "report.html")
    assert target.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert [entry.name for entry in folder.iterdir()] == ["report.html"]


def edge_cases() -> dict[str, fake_result.FakeResult]:
    usual = fake_result.result(n_bins=50)
    zeros = usual.series.copy()
    zeros[[name for name in zeros.columns if name != "time_h"]] = 0.0
    holes = usual.series.copy()
    holes.loc[5:20, "load_mw"] = np.nan
    holes["soc"] = np.nan
    no_work = {
        key: {name: 0 if isinstance(value, (int, float)) else value for name, value in entries.items()}
        if isinstance(entries, dict)
        else entries
        for key, entries in usual.summary.items()
    }
    fake = fake_result.FakeResult
    return {
        "one bin": fake_result.result(n_bins=1, hours=1.0, n_tickets=3),
        "two bins": fake_result.result(n_bins=2, hours=2.0),
        "a year": fake_result.result(n_bins=2016, hours=8760.0),
        "no tickets": fake(usual.summary, usual.series, usual.tickets.iloc[:0], usual.scenario),
        "no rows": fake(usual.summary, usual.series.iloc[:0], usual.tickets.iloc[:0], usual.scenario),
        "no columns": fake(usual.summary, pd.DataFrame(), pd.DataFrame(), {}),
        "only time": fake(usual.summary, usual.series[["time_h"]], pd.DataFrame(), {}),
        "empty summary": fake({}, usual.series, usual.tickets, {}),
        "nothing at all": fake({}, pd.DataFrame(), pd.DataFrame(), {}),
        "zeros": fake(no_work, zeros, usual.tickets, usual.scenario),
        "holes": fake(usual.summary, holes, usual.tickets, usual.scenario),
        "no supply": fake_result.result(n_bins=288, hours=24.0, short=True),
        "nan and infinity": fake(
            {"cost": {"total_usd": math.inf, "usd_per_ticket": math.nan}, "work": {"tickets_done": None}},
            usual.series,
            usual.tickets,
            usual.scenario,
        ),
    }


@pytest.mark.parametrize("case", edge_cases())
def test_edges_make_a_page(case: str) -> None:
    """Odd runs get a page whose drawings hold no nan and no infinity."""
    html = html_of(edge_cases()[case])
    assert on_paper.faults(html) == []
    for drawing in re.findall(r"<svg.*?</svg>", html, re.S):
        assert not re.search(r"[\"\s](-?nan|-?inf)\b", drawing)
    assert not re.search(r"\b(nan|None)\b", re.sub(r"<[^>]*>", " ", html))


def test_marks_stay_on_the_sheet(usual: fake_result.FakeResult) -> None:
    """No point of a line or area leaves its drawing, and no text starts outside it."""
    for found in pictures(Facts.of(usual)).values():
        assert [stray for picture in found for stray in on_paper.strays(picture)] == []


def test_speed_is_drawn_against_its_law(usual: fake_result.FakeResult) -> None:
    """A line of the law where the summary has one; none in what older versions wrote; a panel for each LLM."""
    facts = Facts.of(usual)
    law = '<path class="line load"'
    picture = speed_against_streams(facts)
    assert picture is not None and picture.draw(500).count(law) == 2 and "The line is the law" in picture.caption
    older = {**usual.summary, "gpu": {**usual.summary["gpu"], "speed_law": []}}
    picture = speed_against_streams(replace(facts, summary=older))
    assert picture is not None and law not in picture.draw(500) and "law" not in picture.caption
    rows = usual.series
    for pool in ("light", "heavy"):
        rows = rows.assign(
            **{
                f"{pool}_streams_active": rows["streams_active"] / 2,
                f"{pool}_decode_tok_s": rows["decode_tok_s"] / 2,
                f"{pool}_token_weighted_speed": rows["decode_tok_s"] / 2 * rows["tok_s_per_stream"],
            }
        )
    several = {**older, "gpu": {**older["gpu"], "pools": [{"name": "light"}, {"name": "heavy"}]}}
    picture = speed_against_streams(replace(facts, summary=several, series=rows))
    assert picture is not None and picture.draw(500).count('class="ring"') == 2
    assert "light: " in picture.caption and "heavy: " in picture.caption


def test_every_figure_stands_on_a_line_of_its_own(usual: fake_result.FakeResult) -> None:
    """Those of several LLMs by their names; curves are drawn and not written out."""
    pools = [
        {"name": "light", "llm": "small", "n_gpus": 400.0},
        {"name": "heavy", "llm": "large", "n_gpus": np.float64(600)},
    ]
    summary = {**usual.summary, "gpu": {**usual.summary["gpu"], "pools": pools}}
    html = appendix(replace(Facts.of(usual), summary=summary))["All figures"]
    for name, n_gpus in (("light", 400), ("heavy", 600)):
        assert f'<td>pools.<wbr>{name}.<wbr>n_<wbr>gpus</td><td class="number">{n_gpus}</td>' in html
    assert "n_<wbr>gpus" in html and "speed_<wbr>law" not in html


def test_thinning_keeps_the_peak_and_the_ends() -> None:
    """The highest and lowest row of a guide survive, in order, within the limit."""
    values = np.random.default_rng(3).normal(size=100_000)
    kept = thin([values], 900)
    assert len(kept) <= 900 and (np.diff(kept) > 0).all()
    assert {0, 99_999, int(values.argmax()), int(values.argmin())} <= set(kept.tolist())


def test_stacked_sources_add_up_to_the_load(usual: fake_result.FakeResult) -> None:
    """What the fixture feeds to the site is its load, so that the picture has something true to show."""
    rows = usual.series
    supplied = rows[["grid_mw", "turbine_mw", "solar_mw", "battery_mw", "unserved_mw"]].sum(axis=1)
    assert np.allclose(supplied, rows["load_mw"], atol=20.1)  # the fixture's charging is drawn from turbines
    assert np.allclose(rows.filter(regex="desks_.*_share").sum(axis=1), 1.0)


def test_what_is_drawn_by_role_is_what_was_counted(usual: fake_result.FakeResult) -> None:
    """Heights are shares of the tokens counted; GPUs that train stand apart; summaries of older versions have none."""
    facts = Facts.of(usual)
    spent = Spent.of(facts)
    assert spent is not None
    written = usual.summary["tokens"]["decode_tokens"]
    assert sum(spent.first.values()) + sum(spent.rework.values()) == pytest.approx(written)
    picture = flows(facts)
    assert picture is not None and "Coding writes 56 % of the tokens; 29 % go" in picture.caption
    drawn = picture.draw(900)
    for role, share, _ in fake_result.ROLES:
        assert f'height="{300 * share:.1f}"' in drawn and f"{role} {percent(share)}" in drawn
    trains = {**usual.summary, "gpu": {**usual.summary["gpu"], "gpu_h_training": usual.summary["gpu"]["gpu_h_busy"]}}
    picture = flows(replace(facts, summary=trains))
    assert picture is not None and "training 50 %" in picture.draw(900)
    older = {**usual.summary, "tokens": {"decode_tokens": 1e9}}
    assert flows(replace(facts, summary=older)) is None


def test_a_role_of_ones_own_is_drawn(usual: fake_result.FakeResult) -> None:
    """Its name is that of its class; its paint is defined."""
    spent = {"decode_tokens": 1e6, "rework_decode_tokens": 0.0}
    tokens = {**usual.summary["tokens"], "by_role": {"auditing": spent}}
    gpu = {**usual.summary["gpu"], "by_role": {"auditing": {"gpu_h_busy": 10.0}}}
    facts = replace(Facts.of(usual), summary={**usual.summary, "tokens": tokens, "gpu": gpu})
    picture = flows(facts)
    assert picture is not None and "Auditing writes 100 % of the tokens" in picture.caption
    assert on_paper.strays(picture) == [] and on_paper.faults(page(facts)) == []


def test_assumptions_bear_their_weight(usual: fake_result.FakeResult) -> None:
    """Where parameters were drawn, the heaviest assumption stands first, with its rank correlation."""
    names = [name for name, _, _ in assumptions(Facts.of(usual))]
    heavy = names[-1]
    matters = {"chance": 0.3, "metrics": {"work.tickets_per_day": [{"parameter": heavy, "rank_correlation": -0.71}]}}
    metrics = {"work.tickets_per_day": {"mean": 1.0, "low": 0.5, "high": 2.0}}
    told = {"n": 40, "uncertain": True, "metrics": metrics, "parameters": {}, "matters": matters}
    facts = Facts.of(fake_result.FakeResult({**usual.summary, "replicates": told}, usual.series, usual.tickets))
    html = page(facts)
    (tornado,) = pictures(facts)["What moves it"]
    assert on_paper.strays(tornado) == [] and "-0.71" in tornado.draw(465)
    rests = html[html.index('<h2 id="what-it-rests-on"') :]
    assert "tickets a day -0.71" in rests and rests.index(f"<code>{heavy}") < rests.index(f"<code>{names[0]}")


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0, 222, ["0", "50", "100", "150", "200", "250"]),
        (0, 0.9, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (0, 0, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (-20, 180, ["-50", "0", "50", "100", "150", "200"]),
    ],
)
def test_ticks_are_round(low: float, high: float, labels: list[str]) -> None:
    """Axes run over whole steps of 1, 2, 2.5 or 5."""
    assert [words for _, words in linear(low, high, "").ticks] == labels


@pytest.mark.parametrize("hours", [0.1, 1, 6, 24, 48, 168, 720, 8760, 87600])
def test_time_ticks_are_few_and_inside(hours: float) -> None:
    """A time axis of any length has between one and a dozen ticks, the first at zero."""
    axis = elapsed(hours)
    assert 1 <= len(axis.ticks) <= 12 and axis.ticks[0][0] == 0 and axis.ticks[-1][0] <= hours + 1e-9


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (human(1_234_567), "1.23 M"),
        (human(9850), "9,850"),
        (human(999_950), "1.00 M"),
        (human(0, "GPU-h"), "0 GPU-h"),
        (human(math.nan), "n/a"),
        (human(-25_000), "-25 k"),
        (in_words(487_123), "487,000"),
        (in_words(999_600), "1 million"),
        (in_words(1_365), "1,365"),
        (in_words(611, 2), "610"),
        (in_words(9_503_000, 2), "9.5 million"),
        (in_words(1.9e15), "1,900 trillion"),
        (power(1100), "1.10 GW"),
        (power(0), "0 MW"),
        (power(0.0102), "10.2 kW"),
        (energy(27_345), "27.3 GWh"),
        (energy(0.000168), "0.168 kWh"),
        (energy(1e-13), "0 MWh"),
        (percent(0.0004), "<0.1 %"),
        (percent(0.9999), ">99.9 %"),
        (percent(1.0), "100 %"),
        (duration(0.25), "15 min"),
        (duration(168), "7 days"),
        (duration(0), "0 min"),
        (significant(9.996), "10.0"),
        (plain(0.05), "0.05"),
        (plain([1.5, 2.5]), "1.5 to 2.5"),
        (plain(None), "n/a"),
    ],
)
def test_numbers_read_as_people_write_them(said: str, wanted: str) -> None:
    assert said == wanted


def test_no_figure_is_made_of_what_is_none() -> None:
    """Truth values, texts and infinities are no numbers."""
    assert all(math.isnan(as_number(value)) for value in (None, True, "3", math.inf, math.nan, [1]))
    assert as_number(np.float32(0.5)) == 0.5 and as_number(np.int64(3)) == 3.0


def facts(**changes: dict[str, object]) -> Facts:
    """Facts of the usual run with some sections of its summary or settings changed."""
    result = fake_result.result(n_bins=100)
    settings = {**result.scenario, **changes.pop("settings", {})}
    summary = dict(result.summary)
    for section, entries in changes.items():
        old = summary[section]
        assert isinstance(old, dict)
        summary[section] = {**old, **entries}
    return Facts(summary, result.series, result.tickets, settings)


def test_answer_names_output_effort_and_limit() -> None:
    """The three sentences carry tickets, tokens, energy, nameplate, the limit and a key to turn."""
    out, took, limit = answer(facts())
    assert "million tickets" in out and "human developers" in out
    assert "trillion tokens" in took and "GWh" in took and "nameplate 222 MW" in took
    assert limit.startswith("The GPUs held the work back 77 %") and "cluster.n_gpus" in limit


@pytest.mark.parametrize(
    ("held", "key"),
    [
        ("backlog", "backlog.arrivals_per_day"),
        ("agents", "workforce.coding"),
        ("gpus", "cluster.n_gpus"),
        ("power", "power.grid_mw"),
    ],
)
def test_advice_turns_on_the_limit(held: str, key: str) -> None:
    """Each of the four limits leads to a scenario key that lifts it."""
    shares = {name: 0.9 if name == held else 0.02 for name in ("backlog", "agents", "gpus", "power")}
    assert key in answer(facts(binding=shares))[2]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"settings": {"workforce": {"coding": 0}}}, "nothing gets coded"),
        ({"settings": {"workforce": {"coding": 5, "testing": 0}}}, "no testing agents"),
        ({"gpu": {"n_gpus": 0}}, "no GPUs"),
        ({"settings": {"training": {"share": 1.0}}}, "no GPUs that serve"),
        ({"run": {"agents_simulated": 0}}, "Nobody was there to work: 0 of"),
        ({"work": {"tickets_done": 0, "tickets_created": 50, "tickets_given_up": 50}}, "every one was given up"),
        ({"power": {"unserved_mwh": 9e9}}, "could not be supplied"),
        ({}, "longer run"),
    ],
)
def test_nothing_done_is_explained(changes: dict[str, dict[str, object]], words: str) -> None:
    """A run without a single done ticket says why."""
    work: dict[str, object] = {"tickets_done": 0, "tickets_given_up": 0}
    merged = {**changes, "work": {**work, **changes.get("work", {})}}
    assert words in answer(facts(**merged))[0]


def test_without_gpus_that_serve_nobody_shares_any() -> None:
    """No lighter model is advised where no GPU serves."""
    assert "no GPUs that serve" in answer(facts(settings={"training": {"share": 1.0}}))[2]


def test_a_run_without_tickets_says_so() -> None:
    assert answer(facts(work={"tickets_created": 0, "tickets_done": 0}))[0].startswith("No ticket arrived")


def test_cautions_name_what_a_reader_must_know() -> None:
    """Partial, unserved, unsupplied, given up, open, saturated and weighted runs each carry their warning."""
    run = {"horizon_h": 336.0, "warmup_h": 24.0}
    grave = facts(
        run={"partial": True},
        settings={"run": run, "backlog": {"mode": "saturated"}},
        work={"tickets_created": 100, "tickets_done": 10, "tickets_given_up": 20, "tickets_open": 70},
        power={"unserved_mwh": 50.0, "loss_of_load_h": 2.0, "grid_mwh": 0.0, "turbine_mwh": 0.0, "load_mwh": 900.0},
    )
    said = " ".join(cautions(grave))
    for words in ("ended early", "went unserved in 2 h", "no supply", "given up", "still open", "kept full", "800"):
        assert words in said
    calm = facts(run={"agent_weight": 1.0}, work={"tickets_open": 0}, power={"unserved_mwh": 1e-12})
    assert [each for each in cautions(calm) if not each.startswith("Averages")] == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"work": {"bad_shipped_share": 0.995}}, "no measure of useful work"),
        ({"work": {"change_failure_rate": 0.6}}, "60 % of the tickets done went out with a defect"),
        ({"settings": {"capability": {"as_of": "2026-06-01"}}}, "extrapolated backwards"),
        ({"settings": {"run": {"horizon_h": 200.0}}}, "rounded to 10,100 ticks of 60 s"),
    ],
)
def test_the_first_caution_is_of_what_the_figures_are_worth(changes: dict[str, dict[str, object]], words: str) -> None:
    """Work that is mostly bad, a horizon read backwards and one that was rounded; none of them is an early end."""
    first = cautions(facts(**changes))[0]
    assert words in first and "ended early" not in first


def test_nameplate_is_told_apart_from_demand(usual_html: str) -> None:
    """Load and nameplate have tiles of their own, and the nameplate says that it is no draw."""
    assert "Site nameplate" in usual_html and "rating, not draw" in usual_html and "of nameplate; at peak" in usual_html


def test_assumptions_and_repetition_are_on_the_page(usual: fake_result.FakeResult, usual_html: str) -> None:
    """Every assumption, the digest, the seed and the command that repeats the run can be read."""
    listed = usual.summary["assumptions"]
    assert isinstance(listed, list)
    assert all(entry["name"] in usual_html and entry["note"] in usual_html for entry in listed)
    assert "5d1a0c9e" in usual_html and "macrohard run colossus2-phase1 --seed 1" in usual_html


def test_report_starts_without_the_heavy_parts() -> None:
    """Whoever only wants a page loads neither JAX nor a plotting library."""
    code = "import sys, macrohard.report; print(sorted({'jax', 'mesa', 'matplotlib', 'scipy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_site_without_megapacks_shows_none() -> None:
    """No charge, no tile and no caption speaks of Megapacks where there are none."""
    bare = facts(settings={"power": {"megapack": {"n_units": 0}}})
    html = re.sub(r"<style>.*?</style>", "", page(bare), flags=re.S)
    above = html[: html.index('id="all-figures"')]
    assert "lowest charge" not in above and "Below zero" not in above and "Megapack charge" not in above


def test_a_small_site_is_drawn_in_kilowatts() -> None:
    """One server's load is no flat line at zero megawatts."""
    result = fake_result.result(n_bins=100)
    small = result.series.copy()
    names = [name for name in small.columns if name.endswith("_mw")]
    small[names] /= 20_000
    summary = {**result.summary, "power": {"nameplate_site_mw": 0.0102, "load_mean_mw": 0.008, "load_peak_mw": 0.009}}
    html = page(Facts(summary, small, result.tickets, {}))
    assert "site power, kW" in html and "site power, MW" not in html


def test_cost_parts_are_named() -> None:
    """The parts of the bill appear under their names and add up to the whole."""
    parts = {"gpu": 80.0, "fuel": 4.0, "grid": 1.0, "site": 10.0, "turbines": 3.0, "megapacks": 2.0}
    html = page(facts(cost={"total_usd": 100.0, "parts": parts}))
    for name in (
        "GPUs",
        "Fuel of turbines",
        "Grid energy",
        "Site, written off or rented",
        "Turbines, written off",
        "Megapacks, written off",
    ):
        assert f">{name}</text>" in html
    assert "Site, plant and Megapacks" not in html
