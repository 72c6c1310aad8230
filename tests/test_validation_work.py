"""The laws of work against measurements: errors pinned with margin, and no row dropped without a word."""

import importlib.util
import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from agents.attempt import attempt_load
from agents.capability import success_after_failure, success_mean
from macrohard import validation, work_tables
from macrohard.validation import attempt_tokens, role_ratios, success
from macrohard.validation.picture import marks, picture

DATA = Path(__file__).parents[1] / "experiments" / "calibration"
RUNS = validation.measurements("success")
ATTEMPTS = validation.measurements("attempt_tokens")


def test_success_by_length_is_within_the_targets_in_sample():
    """Measured: 0.039 over bands of all models, at most 0.098 for a model with 20 tasks and more; retries 0.003 off."""
    scored = success.score(RUNS)
    assert scored["predicted_share"] == 1.0
    assert scored["median_abs_error"] < 0.05 and abs(scored["bias"]) < 0.02 and scored["brier"] < 0.13
    models = [m for m in scored["by"]["model"].values() if m["n_tasks"] >= 20]
    assert len(models) == 9 and max(m["mean_gap"] for m in models) < 0.10
    assert scored["by"]["after_failure"]["retries_gap"] < 0.02


def test_success_of_models_left_out_is_within_the_targets():
    """As experiments/calibration/success_fit.py wrote it: 0.041 over all, at most 0.099 a model, retries 0.022."""
    table = pd.read_csv(DATA / "success_left_out.csv")
    assert float(table.loc[table["model"] == "all", "mean_gap"].iloc[0]) < 0.06
    enough = table[table["n_tasks"] >= 20]
    assert len(enough) == 9 and enough["mean_gap"].max() <= 0.10
    assert enough["retries_gap"].max() < 0.05


def test_a_model_that_is_not_in_the_table_gets_one_horizon_of_its_own():
    strange = RUNS[RUNS["model"] == "o1"].assign(model="a new one")
    scored = success.score(strange)
    told = scored["by"]["model"]["a new one"]
    assert told["horizon_from"] == "own rows" and 40 < told["horizon_min"] < 150
    assert success.score(RUNS[RUNS["model"] == "o1"])["by"]["model"]["o1"]["horizon_from"] == "table"


def test_a_model_made_by_the_law_itself_is_recovered():
    """20,000 runs of a model with a 100 minute horizon: the horizon within 10 %, every gap within sampling error."""
    rng = np.random.default_rng(1)
    fit = work_tables.success_fit()
    minutes = np.repeat(np.exp(rng.uniform(np.log(2), np.log(900), 2000)), 10)
    p = np.asarray(success_mean(minutes, 100.0, fit.beta, 0.0))
    made = pd.DataFrame({"task_id": np.repeat(np.arange(2000), 10), "task_source": "HCAST", "human_minutes": minutes})
    made = made.assign(model="made", score_binarized=(rng.random(len(p)) < p).astype(int))
    scored = success.score(made)
    assert scored["by"]["model"]["made"]["horizon_min"] == pytest.approx(100, rel=0.1)
    assert scored["median_abs_error"] < 0.01


def test_rows_that_cannot_be_predicted_are_counted_with_their_reason(tmp_path):
    broken = RUNS.head(40).copy().astype({"human_minutes": object, "score_binarized": object})
    broken.loc[broken.index[0], "human_minutes"] = "soon"
    broken.loc[broken.index[1], "human_minutes"] = -3
    broken.loc[broken.index[2], "score_binarized"] = 0.5
    path = tmp_path / "runs.csv"
    path.write_text("# a note\n" + broken.to_csv(index=False), encoding="utf-8")
    told = validation.validate(path)
    assert told["laws"]["success"]["n"] == 40 and told["laws"]["success"]["n_predicted"] == 37
    assert told["unpredicted"]["success"] == {
        "human_minutes is missing or not above 0": {"n": 2, "rows": [1, 2]},
        "score_binarized is not 0 or 1": {"n": 1, "rows": [3]},
    }
    json.dumps(told, allow_nan=False)


def test_tokens_of_attempts_are_within_the_targets():
    """In sample 0.067 and 0.110; repositories left out 0.068 and 0.114 (attempt_left_out.csv)."""
    scored = attempt_tokens.score(ATTEMPTS)
    assert scored["median_abs_error"] < 0.10 and scored["p90_abs_error"] < 0.16
    assert scored["n_predicted"] == 876 and scored["n_groups"] == 14
    rows = scored["rows"][scored["rows"]["reason"] == ""]
    middle = rows.groupby(["repo", "model"])[["measured", "predicted"]].median()
    told = (middle["predicted"] / middle["measured"] - 1).abs().median()
    assert told == pytest.approx(scored["median_abs_error"], rel=1e-6)
    table = pd.read_csv(DATA / "attempt_left_out.csv")
    assert table["input_tokens_median_error"].abs().median() < 0.12
    assert table["input_tokens_p90_error"].abs().median() < 0.20


def test_repositories_left_out_in_turn_are_still_predicted():
    """The fit done again here for one repository: 57 rows a model, median within 20 %, 90th percentile within 35 %."""
    rows = attempt_tokens.prepared(ATTEMPTS)
    rest = rows[rows["repo"] != "gravitational/teleport"]
    start = work_tables.attempt_law("swe-agent", whole_benchmark=True)
    laws = {str(row): attempt_tokens.fitted(part, start) for row, part in rest.groupby("scaffold_row")}
    scored = attempt_tokens.score(rows[rows["repo"] == "gravitational/teleport"], laws)
    assert scored["median_abs_error"] < 0.20 and scored["p90_abs_error"] < 0.35


def test_groups_that_are_small_or_of_an_unknown_scaffold_are_named():
    strange = ATTEMPTS.assign(scaffold=np.where(ATTEMPTS["repo"] == "navidrome/navidrome", "Cursor", "SWE-agent 2"))
    scored = attempt_tokens.score(strange)
    reasons = scored["rows"]["reason"].value_counts()
    assert reasons["no law for this scaffold"] == 96
    assert reasons["fewer than 30 rows of this repository and model"] == 32
    other = attempt_tokens.score(ATTEMPTS.assign(model="another model"))
    assert {group["scaffold"] for group in other["by"]["group"].values()} == {"swe-agent"}


def test_quantiles_of_the_law_are_those_of_its_draws():
    law = work_tables.attempt_law("codex", whole_benchmark=True)
    rng = np.random.default_rng(2)
    good = (rng.random(200_000) < 0.6).astype(float)
    drawn = np.asarray(attempt_load(120.0, rng.standard_normal(200_000), 0.0, good, law).input_tokens)
    middle, high = attempt_tokens.quantiles(law, 0.6, "input_tokens")
    assert middle == pytest.approx(np.median(drawn), rel=0.02)
    assert high == pytest.approx(np.quantile(drawn, 0.9), rel=0.02)


def test_ratios_of_roles_hold_for_testing_and_say_what_they_cannot_tell():
    scored = role_ratios.score(validation.measurements("role_ratios"))
    assert scored["by"]["testing | cost_per_task"]["median_abs_error"] < 0.20
    assert scored["by"]["testing | wall_time_mean"]["median_abs_error"] < 0.20
    assert (scored["rows"]["predicted"].notna() == (scored["rows"]["reason"] == "")).all()


def test_the_tables_hold_what_the_model_says():
    """docs/work.md: frontier 0.45 / 431 min / 0.70, Codex 12.4k / 2.2k / 30: each within two standard errors."""
    frontier = work_tables.capability()
    assert frontier.beta == pytest.approx(0.45, abs=0.128) and frontier.rho == pytest.approx(0.70, abs=0.09)
    assert np.log2(frontier.horizon_min / 431) == pytest.approx(0, abs=0.9)
    codex = work_tables.attempt_law("codex")
    assert codex.calls_at_120_min == pytest.approx(30, abs=2.7)
    assert codex.context_growth_tokens == pytest.approx(2200, abs=280)
    assert work_tables.role_ratios()["testing"].tokens == pytest.approx(0.76, abs=0.08)
    assert float(success_after_failure(0.5, frontier.rho)) == pytest.approx(0.15, abs=0.03)


@pytest.mark.parametrize("ask", [lambda: work_tables.capability("none"), lambda: work_tables.attempt_law("none")])
def test_an_unknown_name_is_refused_with_the_names_there_are(ask):
    with pytest.raises(ValueError, match="choose from"):
        ask()


@pytest.mark.parametrize("law", [success, attempt_tokens, role_ratios])
def test_a_table_without_rows_scores_nothing(law):
    scored = law.score(pd.DataFrame({column: [] for column in law.COLUMNS}))
    assert scored["n"] == 0 and scored["n_predicted"] == 0 and "median_abs_error" not in scored


needs_serving = pytest.mark.skipif(
    importlib.util.find_spec("macrohard.validation.gpu_power") is None, reason="the serving laws are not here yet"
)


@needs_serving
def test_a_file_of_no_kind_is_refused(tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(ValueError, match="fit no kind of measurement"):
        validation.validate(path)
    with pytest.raises(ValueError, match="cannot be read"):
        validation.validate(tmp_path / "none.csv")
    path.write_text("", encoding="utf-8")
    with pytest.raises(ValueError, match="cannot be read"):
        validation.validate(path)


@needs_serving
def test_the_bundled_measurements_score_every_law():
    told = validation.validate()
    assert set(told["laws"]) == set(validation.LAWS)
    json.dumps(told, allow_nan=False)


@pytest.mark.parametrize(("law", "frame"), [(success, RUNS), (attempt_tokens, ATTEMPTS)])
def test_every_law_has_a_picture_and_an_empty_one_has_none(law, frame):
    name, rows = law.__name__.rsplit(".", 1)[1], law.score(frame)["rows"]
    drawn = ElementTree.fromstring(picture(name, rows, error=0.1))
    assert len(drawn.findall(".//{*}circle")) == len(marks(name, rows).dropna())
    assert picture(name, rows.head(0)) == ""
