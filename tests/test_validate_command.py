"""macrohard validate: JSON, table and page, and files that mean no good."""

import json
import math
import random
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from macrohard import validation
from macrohard.cli import app
from macrohard.validation.verdict import lines, reasons

POINTS = Path(__file__).parents[1] / "macrohard" / "data" / "measured"
HOSTILE = (
    "", "nan", "inf", "-inf", "-1", "0", "1e308", "1e-308", "abc", "1,5", "\u221e", "0x10", "99999999999999999999",
    "None", "'; DROP TABLE", "=1+1", "\x00", "8.5", "disaggregated; prefill_gpus=0 (0xTP8); decode_gpus=0 (0xTP8)",
    "disaggregated; prefill_gpus=8 (3xDEP4); decode_gpus=7 (5xTP0)", "DP0", "PP0;TP8", "DP99999999999",
    "hit rate .5", "ITL", "pool only", "prefill pool only", "a" * 5000,
)  # fmt: skip


def ran(*arguments: str):
    return CliRunner().invoke(app, ["validate", *arguments])


def table(law: str) -> pd.DataFrame:
    return pd.read_csv(POINTS / validation.BUNDLED[law], comment="#", dtype=str)


@pytest.mark.parametrize("law", validation.LAWS)
@pytest.mark.parametrize("seed", range(3))
def test_every_row_of_a_hostile_file_is_predicted_or_has_a_reason(law, seed, tmp_path):
    """Cells overwritten at random with what does not belong there: no crash, nothing skipped, only finite errors."""
    rng = random.Random(seed)
    frame = table(law).sample(40, random_state=seed).reset_index(drop=True)
    for _ in range(60):
        frame.iat[rng.randrange(len(frame)), rng.randrange(frame.shape[1])] = rng.choice(HOSTILE)
    path = tmp_path / "points.csv"
    frame.to_csv(path, index=False)
    told = validation.validate(path)
    ((name, errors),) = told["laws"].items()
    refused = sum(entry["n"] for entry in told["unpredicted"][name].values())
    assert name == law and errors["n"] == 40 == errors["n_predicted"] + refused
    for key in ("median_abs_error", "p90_abs_error", "bias"):
        assert errors[key] is None or math.isfinite(errors[key])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "cannot be read"),
        (b"\xff\xfe\x00\x01\x02", "cannot be read"),
        ("hardware,n_gpus\nH100,\xe9\n".encode("latin-1"), "cannot be read"),
        (b"a,b\n1,2\n", "fit no kind of measurement"),
        (b'a,"b\n1,2\n' * 50, ""),
        (b"# only a remark\n", "cannot be read"),
        (b"task_id,task_source,human_minutes,model\nx,HCAST,1,m\n", "score_binarized"),
    ],
)
def test_a_file_that_is_no_table_of_measurements_is_one_line_and_exit_2(content, told, tmp_path):
    path = tmp_path / "points.csv"
    path.write_bytes(content)
    result = ran("--points", str(path))
    assert result.exit_code == 2
    assert told in result.stderr and len(result.stderr.strip().splitlines()) == 1
    assert "Traceback" not in result.output


def test_no_file_a_folder_and_too_much_are_refused_before_reading(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path):
        result = ran("--points", str(path))
        assert result.exit_code == 2 and len(result.stderr.strip().splitlines()) == 1
    big = tmp_path / "big.csv"
    with big.open("wb") as file:
        file.truncate(10**9)
    assert "MB; allowed" in ran("--points", str(big)).stderr


def test_json_is_one_document_with_every_figure_even_where_no_row_counts(tmp_path):
    path = tmp_path / "runs.csv"
    table("success").assign(model="", score_binarized="x").head(7).to_csv(path, index=False)
    result = ran("--points", str(path), "--json")
    errors = json.loads(result.stdout)["laws"]["success"]
    assert errors["n"] == 7 and errors["n_predicted"] == 0 and errors["predicted_share"] == 0
    assert errors["median_abs_error"] is errors["p90_abs_error"] is errors["bias"] is None


def test_the_bundled_measurements_stand_within_their_targets():
    """The pinned errors of all laws, with the margin that the targets leave."""
    told = validation.validate()
    verdicts = {line.name: line.is_met for line in lines(told)}
    assert set(validation.LAWS) < set(verdicts)
    for name in (
        "serving",
        "serving | aggregated",
        "serving | disaggregated",
        "gpu_power",
        "success",
        "attempt_tokens",
    ):
        assert verdicts[name] is True
    assert "2 (rows 870, 871)" in reasons(told, "serving")[0]


def test_the_page_stands_alone_and_draws_every_law(tmp_path):
    path = tmp_path / "power.csv"
    table("gpu_power").head(20).to_csv(path, index=False)
    result = ran("--points", str(path), "--out", str(tmp_path / "out"))
    assert result.exit_code == 0, result.output
    names = {each.name for each in (tmp_path / "out").iterdir()}
    assert names == {"validation.html", "validation.json", "gpu_power.svg", "gpu_power.csv"}
    page = (tmp_path / "out" / "validation.html").read_text(encoding="utf-8")
    assert page.count("<circle") == 20 and "src=" not in page and "@import" not in page
    assert len(pd.read_csv(tmp_path / "out" / "gpu_power.csv")) == 20


def test_a_script_in_a_source_is_shown_not_run(tmp_path):
    path = tmp_path / "power.csv"
    table("gpu_power").head(3).assign(source="<script>alert(1)</script>").to_csv(path, index=False)
    assert ran("--points", str(path), "--out", str(tmp_path / "out")).exit_code == 0
    assert "<script>" not in (tmp_path / "out" / "validation.html").read_text(encoding="utf-8")


def test_the_table_fits_a_terminal_of_80_columns(tmp_path):
    path = tmp_path / "power.csv"
    table("gpu_power").head(20).to_csv(path, index=False)
    result = CliRunner(env={"COLUMNS": "80"}).invoke(app, ["validate", "--points", str(path)])
    assert max(map(len, result.stdout.splitlines()[1:])) <= 80
    assert "gpu_power" in result.stdout and "8%" in result.stdout
