"""The errors of the serving and power laws on measurements stay where the closing note says, with a margin."""

import csv
import importlib.util
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from macrohard import validation
from macrohard.validation import gpu_power, serving
from macrohard.validation.points import layout_of

CALIBRATION = Path(__file__).parents[1] / "experiments" / "calibration"
DATA = CALIBRATION.parents[1] / "macrohard" / "data"


@pytest.fixture(scope="module")
def scored():
    return serving.score(validation.measurements("serving"))


@pytest.fixture(scope="module")
def script():
    """serving_fit.py as a module; in 32 bits, where the command runs in 64."""
    spec = importlib.util.spec_from_file_location("serving_fit", CALIBRATION / "serving_fit.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["serving_fit"] = module
    spec.loader.exec_module(module)
    return module


def test_speed_of_aggregated_serving_is_within_its_target(scored):
    """Issue 3: 15 % at the median and 40 % at the 90th percentile in sample; reached 10 and 23."""
    kind = scored["by"]["kind"]["aggregated"]
    assert kind["n"] == 508 and kind["median_abs_error"] < 0.12 and kind["p90_abs_error"] < 0.27
    assert abs(kind["bias"]) < 0.05


def test_speed_of_disaggregated_serving_is_within_its_target(scored):
    """Issue 3: 20 % at the median; reached 13, H100 across nodes included."""
    assert scored["by"]["kind"]["disaggregated"]["median_abs_error"] < 0.15


def test_throughput_at_maximum_load_is_right_at_the_median(scored):
    """No target; reached 17 % at the median, 54 at the 90th percentile (batch limits unpublished)."""
    assert scored["by"]["kind"]["offline"]["median_abs_error"] < 0.20


def test_every_row_is_predicted_or_tells_why_not(scored):
    rows = scored["rows"]
    assert len(rows) == 871 and scored["predicted_share"] > 0.99
    assert (rows["predicted"].notna() ^ (rows["reason"] != "")).all()


@pytest.mark.parametrize(("column", "median", "p90"), [("hardware", 0.18, 0.45), ("model", 0.22, 0.50)])
def test_groups_left_out_in_turn_are_predicted_within_their_targets(script, column, median, p90):
    """Hardware out reached 10 / 26 %, LLMs out 16 / 37 %."""
    frame, points = script.load()
    fitter = script.Fitter(frame, points)
    best = fitter.fit(np.ones(len(frame), bool))
    errors, _ = fitter.left_out(frame[column], best)
    size = np.abs(np.expm1(errors[(frame["kind"] == "aggregated").to_numpy()]))
    assert np.median(size) < median and np.quantile(size, 0.9) < p90


def test_fitting_again_gives_the_table_the_package_ships(script):
    frame, points = script.load()
    best = script.Fitter(frame, points).fit(np.ones(len(frame), bool))
    with (DATA / "serving_fit.csv").open(encoding="utf-8") as file:
        shipped = {row["parameter"]: row for row in csv.DictReader(line for line in file if not line.startswith("#"))}
    for name, value in zip(script.FREE, np.exp(best), strict=True):
        tolerance = max(0.02, 0.3 * float(shipped[name]["standard_error"]))
        assert float(shipped[name]["value"]) == pytest.approx(float(value), rel=tolerance), name


def test_power_of_gpus_is_within_its_target_and_beats_a_constant():
    """Issue 3: 8 % of the limit with LLMs left out; in sample 4, left out 6.5 (see docs), a constant 9.8."""
    scored = gpu_power.score(validation.measurements("gpu_power"))
    assert scored["n_predicted"] == 143
    assert scored["median_abs_error_of_limit"] < 0.05
    rows = scored["rows"]
    constant = (rows["measured"].median() / rows["measured"] - 1).abs().median()
    assert scored["median_abs_error"] < 0.75 * constant


def test_an_llm_known_only_by_its_size_is_predicted_and_an_unknown_gpu_is_not():
    row = dict(n_gpus=8, precision="fp8", isl=1024, osl=1024, concurrency=32, tok_s_user=60.0, notes="aggregated TP8")
    frame = pd.DataFrame([row | dict(hardware=gpu, model="Foo (120B-A12B)") for gpu in ("MI300X", "FooChip 9")])
    rows = serving.score(frame)["rows"]
    assert np.isfinite(rows["predicted"].iloc[0])
    assert "no GPU 'FooChip 9'" in rows["reason"].iloc[1]


def test_a_prefix_hit_spares_computing_but_not_attending():
    row = pd.Series(
        dict(hardware="H200", n_gpus=8, model="GLM-4.6", precision="fp8", isl=100_000, osl=1000, concurrency=16)
    )
    plain = layout_of(row)
    hit = layout_of(pd.concat([row, pd.Series({"notes": "TP8; theoretical hit rate 0.95"})]))
    assert hit.demand.prefill_tokens == pytest.approx(0.05 * plain.demand.prefill_tokens)
    assert hit.demand.input_tokens == plain.demand.input_tokens


def test_an_empty_file_scores_nothing():
    frame = validation.measurements("serving").iloc[:0]
    assert serving.score(frame)["n"] == 0
