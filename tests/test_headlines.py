"""Every figure of the announcement has its row, and none is scored that cannot be wrong."""

from dataclasses import replace

import pytest

from macrohard.colossus.tables import rows
from macrohard.headlines import BOUND, FITTED, INPUT, NOT_SCORED, SCORED, STAGES, Headline, compared, stage
from macrohard.runs import run


@pytest.fixture(scope="module")
def found() -> list[Headline]:
    """One stage run for two hours stands in for the other two: their sizes are their own, their loads are not."""
    small = ["workforce.coding=20", "workforce.testing=15", "workforce.management=10", "workforce.design=5"]
    result = run(stage("colossus2-phase1", 2).override(small))
    doubt = {"tickets_per_day": (0.7, 1.3), "developers_equivalent": (0.6, 1.1)}
    return compared({name: replace(result, scenario=stage(name, 2)) for name in STAGES}, doubt, replicates=100)


def test_rows_are_complete(found):
    """Claim, source, model, judgement and explanation are there in every row."""
    for each in found:
        assert each.claim and each.source and each.model and each.explains
        assert each.judged in (SCORED, BOUND, FITTED, INPUT, NOT_SCORED)


def test_every_claim_of_the_table_has_a_row(found):
    """No reported figure is left out, and disagreeing ones both stand."""
    told = " ".join(each.source for each in found)
    for row in rows("headlines"):
        if row["key"] not in ("phase1_gpus", "plan_gpus"):
            assert row["source"] in told, row["key"]
    for words in ("110,000", "550,000", "1,000,000", "six months", "400 MW", "1,140 MW", "112 MUSD", "12 months"):
        assert any(words in each.claim for each in found), words


def test_work_at_each_stage_has_an_interval(found):
    """Tickets a day and developers at each of three stages, each between the ends that the doubt gives."""
    rows_of_work = [each for each in found if each.claim.startswith("software by agents alone")]
    assert len(rows_of_work) == 2 * len(STAGES)
    for each in rows_of_work:
        low, high = (0.7, 1.3) if each.unit == "ticket a day" else (0.6, 1.1)
        assert each.low == pytest.approx(low * each.modelled) and each.high == pytest.approx(high * each.modelled)
        assert each.judged == NOT_SCORED


def test_both_readings_of_colossus_1_stand(found):
    """122 days as all GPUs at full power, and as training begun on 43 MW, which comes first."""
    whole, part = (each for each in found if each.claim.startswith("Colossus 1"))
    assert whole.claimed == part.claimed == 122
    assert part.modelled < whole.modelled


def test_both_readings_of_fifteen_months_stand(found):
    """All 200 MW serving, or one of two buildings, which comes first; both scored against the same claim."""
    whole, half = (each for each in found if "serving" in each.claim and each.claimed == 15)
    assert whole.judged == half.judged == SCORED and half.modelled < whole.modelled


def test_what_cannot_fail_is_not_scored(found):
    """Fitted dates, inputs, unconfirmed and disputed claims earn nothing."""
    for each in found:
        if "disputed" in each.source or "unconfirmed" in each.source or each.claimed is None:
            assert each.judged == NOT_SCORED
        if each.judged == INPUT:
            assert each.difference == 0


def test_differences_are_what_they_say():
    """(model - claimed) / claimed: 201.7 against 200 is 0.85 %."""
    row = Headline("c", "s", 200.0, "m", 201.7, "MW", SCORED, "e")
    assert row.difference == pytest.approx(0.0085)


def test_the_racks_rating_is_that_of_1528_racks(found):
    """ceil(110,000 / 72) * 132 kW = 201.7 MW."""
    assert found[0].modelled == pytest.approx(1528 * 0.132)
