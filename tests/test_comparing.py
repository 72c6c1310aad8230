"""Two plain runs side by side, and a folder that holds another run."""

import json

import on_paper
import pytest
from small import SMALL, small
from typer.testing import CliRunner

from macrohard import runs
from macrohard.cli import app
from macrohard.store import StoreError
from macrohard.sweeps.comparing import FIGURES_OF_RUNS, compare, told_otherwise


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A run, the same with other prices, and the same with another seed."""
    home = tmp_path_factory.mktemp("runs")
    for name, settings in (("a", ()), ("dear", ("economics.gpu_usd_per_h=9",)), ("lucky", ("run.seed=2",))):
        runs.run(small(*settings), out=home / name)
    return home


def test_two_runs_differ_in_what_was_set(folders):
    """Prices alone move cost and nothing else; one pair claims no interval."""
    a, b = str(folders / "a"), str(folders / "dear")
    assert list(told_otherwise(a, b)) == ["economics.gpu_usd_per_h"]
    found = {each.metric: each for each in compare(a, b)}
    assert set(found) == set(FIGURES_OF_RUNS)
    assert found["cost.usd_per_ticket"].difference > 0 and found["cost.usd_per_ticket"].low is None
    assert {each.difference for name, each in found.items() if name != "cost.usd_per_ticket"} == {0.0}


def test_two_runs_have_a_page(folders, tmp_path):
    """The page says what was set otherwise, what moved, and that one pair cannot tell chance."""
    page = tmp_path / "page.html"
    ended = CliRunner().invoke(app, ["compare", str(folders / "a"), str(folders / "dear"), "--out", str(page)])
    assert ended.exit_code == 0 and ended.stdout.startswith("economics.gpu_usd_per_h: ")
    html = page.read_text(encoding="utf-8")
    assert on_paper.faults(html) == [] and "One pair cannot tell effect from chance" in html
    assert "economics.gpu_usd_per_h" in html and "Cost of a ticket rises from" in html


def test_runs_that_cannot_be_paired_are_refused(folders, tmp_path):
    """Other luck, other laws, a run cut short, and no run at all: each with what to do."""
    a = folders / "a"
    with pytest.raises(StoreError, match="A has seed 1, B 2.* --seed"):
        compare(str(a), str(folders / "lucky"))
    with pytest.raises(StoreError, match="no folder of a run or of a sweep"):
        compare(str(a), str(tmp_path / "nothing"))
    for key, value, words in (("version", "1", "results version"), ("complete", False, "stopped before its horizon")):
        other = tmp_path / key
        other.mkdir()
        for file in a.iterdir():
            (other / file.name).write_bytes(file.read_bytes())
        manifest = json.loads((other / "manifest.json").read_bytes()) | {key: value}
        (other / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(StoreError, match=words):
            compare(str(a), str(other))


def test_another_run_is_not_replaced_unasked(tmp_path):
    """The same run may be written again; another is refused with exit 2 before it starts, unless forced."""
    out = tmp_path / "kept"
    command = ["run", "laptop", *(part for each in SMALL for part in ("--set", each)), "--out", str(out)]
    assert CliRunner().invoke(app, command).exit_code == 0
    assert CliRunner().invoke(app, command).exit_code == 0
    before = (out / "manifest.json").read_bytes()
    refused = CliRunner().invoke(app, [*command, "--seed", "5"])
    assert refused.exit_code == 2 and "holds another run (laptop, seed 1" in refused.stderr
    assert "--force" in refused.stderr and (out / "manifest.json").read_bytes() == before
    assert CliRunner().invoke(app, [*command, "--seed", "5", "--force"]).exit_code == 0
    assert json.loads((out / "manifest.json").read_bytes())["seed"] == 5
