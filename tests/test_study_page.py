"""Pages of sweeps and comparisons: the answer first, figures worked by hand, right at the edges, safe to open."""

import math
from dataclasses import replace

import numpy as np
import on_paper
import pandas as pd
import pytest

from macrohard.report.comparison import Comparison, answer, is_sure
from macrohard.report.comparison_page import comparison_page
from macrohard.report.map_pictures import frontiers, maps
from macrohard.report.response_pictures import level_axis, responses
from macrohard.report.study import Study, spread
from macrohard.report.study_page import study_page
from macrohard.report.study_story import answer as answer_of
from macrohard.report.tornado_pictures import tornados
from macrohard.report.wording import condition, on_axis, written
from macrohard.sweeps.comparing import Difference
from macrohard.sweeps.sensitivity import Index
from macrohard.sweeps.two_factors import feasible_share, heat_map

PACKS, GRID, CAPPED, COST = "power.megapack.n_units", "power.grid_mw", "power.capped_mwh", "cost.usd_per_ticket"
SAFE = "power.capped_mwh<=0"


def rows(n_replicates: int = 3) -> pd.DataFrame:
    """Capped: 100 - packs at 15 MW, 50 - packs at 30 MW, never below 0, and 0, 10, 20 more by luck while above it."""
    found = []
    for point, (packs, grid) in enumerate((p, g) for p in (0, 50, 100) for g in (15.0, 30.0)):
        for replicate in range(n_replicates):
            short = (100.0 if grid == 15 else 50.0) - packs
            found.append(
                {
                    "run_id": f"{point}{replicate}", "point": point, "replicate": replicate, "seed": replicate,
                    "status": "done", PACKS: float(packs), GRID: grid,
                    CAPPED: short + 10 * replicate if short > 0 else 0.0, COST: 0.28 + packs * 1e-5,
                    "binding.gpus": 0.9, "binding.power": 0.1 if short <= 0 else 0.95,
                }
            )  # fmt: skip
    return pd.DataFrame(found)


def study(table: pd.DataFrame | None = None, **more: object) -> Study:
    table = rows() if table is None else table
    pair = (PACKS, GRID)
    whole = Study(
        name="packs", about="", scenario="site", design="grid", factors=pair, metrics=(CAPPED, COST), runs=table,
        maps={(CAPPED, *pair): heat_map(table, CAPPED, *pair)}, conditions=(SAFE,),
        feasible={pair: feasible_share(table, [SAFE], *pair)}, hours=24.0,
        told={"Command": "macrohard sweep run x.toml"},
    )  # fmt: skip
    return replace(whole, **more)


def everything(shown: Study) -> list:
    return [*responses(shown), *tornados(shown), *frontiers(shown), *maps(shown)]


def test_the_answer_says_what_was_asked_what_came_out_and_what_to_change():
    """By hand: 110 MWh (82 % and so on) at 0 packs and 15 MW; none from 100 packs at 15 MW, from 50 at 30 MW."""
    asked, came, limits = answer_of(study())
    assert "6 points of site" in asked and "3 runs each of 24 h; all 18 finished" in asked
    assert "from 110 MWh (80 % of runs 102 MWh to 118 MWh) at Megapacks = 0, grid contract = 15 MW to 0 MWh" in came
    assert "cost of a ticket moves by 0.4 % only" in came
    assert "of the factors tried Megapacks moves energy capped away most" in limits
    assert (
        "in every run from Megapacks = 100 on (where grid contract = 15 MW) and "
        "from Megapacks = 50 on (where grid contract = 30 MW)" in limits
    )
    assert "Power held the work back" not in limits.split(";")[1]


def test_conditions_that_hold_low_or_with_holes_are_told_as_they_hold():
    """Turned round: none capped at 0 packs, at 15 MW; none at 0 and 100 but some at 50, at 30 MW."""
    table = rows()
    low = (table[GRID] == 15) & (table[PACKS] == 0) | (table[GRID] == 30) & (table[PACKS] != 50)
    table[CAPPED] = (~low).astype(float)
    limits = answer_of(study(table))[2]
    assert "in every run up to Megapacks = 0 (where grid contract = 15 MW)" in limits
    assert "and at Megapacks = 0 and 100 (where grid contract = 30 MW)" in limits
    table[CAPPED] = (table[GRID] == 15).astype(float)
    limits = answer_of(study(table))[2]
    assert "at no level of Megapacks (where grid contract = 15 MW) and at every level of Megapacks (where" in limits
    table[CAPPED] = (table[PACKS] == 0).astype(float)
    assert "in every run from Megapacks = 50 on (where grid contract = 15 MW to 30 MW)" in answer_of(study(table))[2]


def test_intervals_hold_eighty_percent_of_the_runs():
    """Of 0..10 the 10th and 90th percentiles are 1 and 9; one run has no interval; nothing has no mean."""
    told = spread(pd.Series(np.arange(11.0)))
    assert (told.mean, told.low, told.high, told.n) == (5.0, 1.0, 9.0, 11)
    assert spread(pd.Series([4.0])) == (4.0, 4.0, 4.0, 1)
    assert spread(pd.Series([math.nan])).n == 0


def test_the_page_is_whole_and_asks_nobody():
    """Well-formed, under 2 MB, no request; every section is there and every mark on its sheet."""
    html = study_page(study(assumptions=[("cluster.overhead", "0.05", "network")], failures={"00": "it died"}))
    assert on_paper.faults(html) == []
    for words in ("What came out", "What is feasible", "Every point", "Failed runs", "it died", "How to repeat it"):
        assert words in html
    assert [stray for picture in everything(study()) for stray in on_paper.strays(picture)] == []


def test_the_frontier_is_drawn_between_what_holds_and_what_does_not():
    """Three of six cells hold in every run: the line turns once."""
    drawn = frontiers(study())[0].draw(465)
    assert drawn.count("100 %") == 2 * 3 and 'class="frontier" d="M' in drawn  # in the cell and in its title


@pytest.mark.parametrize(
    "shown",
    [
        study(rows(1)),
        study(rows().assign(status="missing"), maps={}, feasible={}),
        study(rows().assign(**{CAPPED: 0.0, COST: 1.0})),
        study(rows().assign(**{CAPPED: math.nan}), maps={}),
        study(rows().assign(**{GRID: rows()[GRID].map({15.0: "reserve", 30.0: "follow"})}), maps={}, feasible={}),
        study(rows().assign(status=["failed"] * 9 + ["done"] * 9)),
        study(factors=(PACKS,), maps={}, feasible={}),
        study(about="<script>alert(1)</script>", name="<b>x</b>", failures={"<i>": "<img src=x>"}),
        study(
            pd.DataFrame([{**rows().iloc[0], PACKS: 10.0**k, "point": k, CAPPED: 1e9 / (k + 1)} for k in range(7)]),
            factors=(PACKS,), maps={}, feasible={},
        ),
        study(
            pd.DataFrame([{**rows().iloc[0], PACKS: k * 1.37, GRID: (k * 7) % 40.0, "point": k, CAPPED: k**2 % 91.0}
                          for k in range(40)]), maps={}, feasible={},
        ),
        study(indices=[Index(m, f, 0.1, 0.0, 0.3, 0.1) for m in (CAPPED, COST) for f in (PACKS, GRID)], method="sobol"),
    ],
    ids=["one-replicate", "nothing-done", "nothing-varies", "no-figure", "texts", "half-failed", "one-factor",
         "hostile", "powers-of-ten", "drawn-values", "indices"],
)  # fmt: skip
def test_edges_make_a_page(shown):
    """A page comes of every sweep, with no nan in it and nothing off its sheet."""
    html = study_page(shown)
    assert on_paper.faults(html) == []
    assert [stray for picture in everything(shown) for stray in on_paper.strays(picture)] == []


def test_levels_over_decades_stand_on_a_logarithmic_axis():
    """1, 10, ..., 10^6 are evenly spaced; 0, 42, 84 are to scale; texts side by side."""
    _, at = level_axis([10.0**k for k in range(7)], "GPUs", "cluster.n_gpus", 400)
    assert np.diff([*at.values()]) == pytest.approx([1.0] * 6)
    assert level_axis([0.0, 42.0, 84.0], "x", PACKS, 400)[1] == {0.0: 0.0, 42.0: 42.0, 84.0: 84.0}
    assert [*level_axis(["a", "b"], "x", "power.dispatch", 400)[1].values()] == [0.0, 1.0]


def test_words_bear_their_units():
    """Keys become names and values get units; shares stand in per cent."""
    assert written(CAPPED, 1500.0) == "1.50 GWh" and written("power.soc_lowest", 0.5) == "50 %"
    assert condition(SAFE) == "no energy capped away"
    assert condition("work.lead_time_h_p50<=8") == "median lead time \u2264 8 h"
    assert on_axis("power.soc_lowest", 1.0) == (0.01, "lowest Megapack charge, %")


def compared(*differences: Difference) -> Comparison:
    pairs = pd.DataFrame({f"{d.metric} {side}": [m, m + 1] for d in differences
                          for side, m in (("a", d.mean_a), ("b", d.mean_b))})  # fmt: skip
    return Comparison("old", "new", differences, pairs, {PACKS: (0, 168)}, {"Command": "macrohard compare a b"})


def test_a_comparison_says_what_can_be_told():
    """A fall of cost beyond chance speaks for B; a change whose interval holds zero is none."""
    cheaper = Difference(COST, 8, 0.30, 0.24, -0.06, -0.07, -0.05)
    unsure = Difference(CAPPED, 8, 10.0, 9.0, -1.0, -3.0, 1.0)
    found = compared(cheaper, unsure)
    asked, came, told = answer(found)
    assert "differ in Megapacks (0 in A, 168 in B): 8 pairs" in asked
    assert "Cost of a ticket falls from 0.300 USD to 0.240 USD by 20 %" in came and "capped" not in came
    assert "no difference can be told for energy capped away".capitalize() in told and "take B" in told
    assert is_sure(cheaper) and not is_sure(unsure)
    html = comparison_page(found)
    assert on_paper.faults(html) == [] and "95 % interval" in html


def test_one_pair_claims_nothing():
    """Without an interval nothing is beyond chance, and the page says so."""
    assert str(Difference(COST, 0, *[float("nan")] * 3, None, None)) == f"{COST}: no pair of runs has it"
    found = compared(Difference(COST, 1, 0.30, 0.24, -0.06, None, None))
    html, (_, came, told) = comparison_page(found), answer(found)
    assert came.startswith("Cost of a ticket falls from 0.300 USD to 0.240 USD") and "cannot tell effect" in told
    assert "beyond chance" in html and ">yes<" not in html and "One pair has no interval" in html
