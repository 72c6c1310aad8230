"""The command line: exit codes, one line per fault, one JSON document, nothing written where nothing should be."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from macrohard import targets
from macrohard.cli import app
from macrohard.faults import ScenarioError
from macrohard.scenario import bundled

ROOT = Path(__file__).parents[1]
SHORT = ("laptop", "--hours", "1")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Each test runs in an empty folder, without settings from the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["macrohard"])
    for name in os.environ:
        if name.startswith("MACROHARD_"):
            monkeypatch.delenv(name)


def macrohard(*arguments: str) -> Result:
    """What a command prints and how it exits."""
    return CliRunner().invoke(app, list(arguments))


def test_a_run_prints_one_json_document(tmp_path):
    """All sections of the interface; nothing else on standard output, no folder that was not asked for."""
    done = macrohard("run", *SHORT, "--json")
    assert done.exit_code == 0, done.stderr
    summary = json.loads(done.stdout)
    assert {"schema_version", "scenario", "work", "tokens", "gpu", "power", "cost", "binding", "run"} <= summary.keys()
    assert summary["scenario"]["name"] == "laptop"
    assert list(tmp_path.iterdir()) == []


def test_a_run_writes_its_folder_and_says_where(tmp_path):
    """All files, whole; the report's place is printed."""
    done = macrohard("run", *SHORT, "--out", "here", "--explain")
    assert done.exit_code == 0, done.stderr
    assert {path.name for path in (tmp_path / "here").iterdir()} == {
        "manifest.json", "scenario.toml", "summary.json", "series.parquet", "tickets.parquet", "report.html",
    }  # fmt: skip
    assert "here/report.html" in done.stdout
    assert "run.horizon_h" in done.stdout and "(--hours)" in done.stdout
    again = macrohard("run", "here/scenario.toml", "--json")
    first = json.loads((tmp_path / "here" / "summary.json").read_text())
    assert json.loads(again.stdout)["run"]["digest"] == first["run"]["digest"]


def test_three_faults_make_three_lines_and_nothing_is_written(tmp_path):
    """The example of the interface."""
    done = macrohard(
        "run", "--set", "cluster.n_gpus=-5", "--set", "cluster.pue=nan", "--set", "workforce.codin=3", "--out", "here"
    )
    assert done.exit_code == 2
    assert len(done.stderr.strip().splitlines()) == 3
    assert done.stdout == "" and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "labtop"), "did you mean laptop?"),
        (("run", "none.toml"), "No such file"),
        (("run", "."), "is a folder"),
        (("run", "laptop", "--hours", "-1"), "(--hours): run.horizon_h = -1"),
        (("run", "laptop", "--hours", "nan"), "neither nan nor inf"),
        (("run", "laptop", "--seed", "-1"), "(--seed): run.seed = -1"),
        (("run", "laptop", "--set", "serving.max_context_tokens=90000000"), "serving"),
        (("run", "laptop", "--fail-on", "often"), "KEY OP NUMBER"),
        (("run", *SHORT, "--json", "--fail-on", "work.ticket_done<1"), "did you mean work.tickets_done?"),
        (("run", "laptop", "--replicates", "0"), "replicates"),
        (("run", "laptop", "--sed", "3"), "--seed"),
        (("rum",), "run"),
        (("check", "laptop", "--set", "cluster.n_gpu=8"), "did you mean cluster.n_gpus?"),
        (("init", "no/such/folder.toml"), "folder.toml"),
    ],
)
def test_a_slip_exits_with_2_and_says_what_to_do(arguments, words, tmp_path):
    """No traceback, nothing written."""
    done = macrohard(*arguments)
    assert done.exit_code == 2
    assert words in done.stderr and "Traceback" not in done.output
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_ours_exits_with_5_before_anything_runs(tmp_path):
    """And is left as it was."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("x")
    done = macrohard("run", "colossus2-phase1", "--out", "mine")
    assert done.exit_code == 5 and "notes.txt" in done.stderr
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]


def test_a_missed_target_exits_with_3_after_its_results():
    """One that is met exits with 0."""
    done = macrohard("run", *SHORT, "--json", "--fail-on", "gpu.n_gpus>=8", "--fail-on", "gpu.n_gpus<8")
    assert done.exit_code == 3
    assert json.loads(done.stdout)["gpu"]["n_gpus"] == 8
    assert done.stderr.count("--fail-on") == 1 and "gpu.n_gpus >= 8" in done.stderr


def test_a_target_reads_all_its_forms():
    """Six operators, spaces, exponents; a figure that is not there or not a number is not met in silence."""
    summary = {"a": {"b": 2, "c": None, "d": "x"}}
    met = {">=": 3, "<=": 1, "==": 1, "!=": 2, ">": 2, "<": 2}
    missed = {">=": 2, "<=": 2, "==": 2, "!=": 1, ">": 1, "<": 3}
    for test, bound in met.items():
        assert not targets.target(f"a.b{test}{bound}").is_missed(summary)
    for test, bound in missed.items():
        assert targets.target(f" a.b {test} {bound}e0 ").is_missed(summary)
    assert targets.target("a.c>0").is_missed(summary)
    for wrong in ("a.b", "a.b=3", "a.b>x", "a.b>nan", "b>3", ""):
        with pytest.raises(ScenarioError):
            targets.target(wrong)
    with pytest.raises(ScenarioError):
        targets.target("a.d>0").is_missed(summary)


def test_the_bundled_scenarios_are_listed():
    """The default is marked."""
    assert "colossus2-phase1" in macrohard("scenarios").stdout
    assert len(json.loads(macrohard("scenarios", "--json").stdout)) == 9


def test_a_new_scenario_can_be_checked_and_is_not_written_over(tmp_path):
    """init, check, init again."""
    assert macrohard("init", "own.toml", "--set", "cluster.n_gpus=16").exit_code == 0
    done = macrohard("check", "own.toml", "--explain")
    assert done.exit_code == 0 and "in order" in done.stdout and "16 H100" in done.stdout
    text = (tmp_path / "own.toml").read_text()
    again = macrohard("init", "own.toml")
    assert again.exit_code == 2 and "--force" in again.stderr
    assert (tmp_path / "own.toml").read_text() == text
    assert macrohard("init", "own.toml", "--from", "colossus1", "--force").exit_code == 0


@pytest.mark.parametrize("name", bundled())
def test_every_bundled_scenario_lays_out(name):
    """What the LLM, the machines and the plant refuse would show here; supply and need are of one order."""
    done = macrohard("check", name, "--json")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert 0.85 < (found["grid_mw"] + found["units_mw"]) / found["site_mw"] < 2


def test_the_schema_describes_every_section():
    """As JSON schema."""
    schema = json.loads(macrohard("schema").stdout)
    assert {"run", "workforce", "serving", "cluster", "power", "economics"} <= schema["properties"].keys()
    assert schema["additionalProperties"] is False


def test_the_doctor_finds_this_environment_well():
    """The suite itself runs in it."""
    done = macrohard("doctor", "--json")
    report = json.loads(done.stdout)
    assert done.exit_code == 0, report["problems"]
    assert report["mode"] == "reproducible" and report["devices"]


def test_help_takes_less_than_a_second():
    """The target is 0.7 s on a quiet machine; here others may be at work."""
    times = []
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "macrohard", "--help"], check=True, capture_output=True, cwd=ROOT)
        times.append(time.perf_counter() - began)
    assert min(times) < 1.0


def test_an_interrupted_run_exits_with_130_and_leaves_a_readable_part(tmp_path):
    """Ctrl-C in the middle of a long run."""
    command = [sys.executable, "-m", "macrohard", "run", "laptop", "--hours", "5000", "--out", str(tmp_path / "here")]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"COLUMNS": "300"},
    )
    time.sleep(10)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 130, errors
    assert "macrohard run" in errors and "Traceback" not in errors
    if (tmp_path / "here").exists():  # else it was interrupted before its first tick
        assert json.loads((tmp_path / "here" / "summary.json").read_text())["run"]["partial"] is True


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_an_interrupted_run_says_from_where_it_goes_on(tmp_path, options):
    """One line on standard error with tick and ticks; none in a run that begins. Standard output stays what it was."""
    from macrohard.blueprint import draw
    from macrohard.checkpoint import Checkpoint
    from macrohard.floor.tick import advance
    from macrohard.scenario import Scenario

    command = ("run", *SHORT, "--out", str(tmp_path / "out"), *options)
    plan = draw(Scenario.load(SHORT[0]).override(["run.horizon_h=1"]))
    Checkpoint.of(tmp_path / "out", plan.scenario).keep(advance(plan.shop, plan.params, plan.opening(), 40), True)
    resumed = macrohard(*command)
    assert "laptop goes on from tick 40 of 60, where it was interrupted\n" in resumed.stderr
    again = macrohard(*command)
    assert again.exit_code == 0 and "goes on" not in again.stderr
    assert digest_in(resumed.stdout) == digest_in(again.stdout)


def digest_in(output: str) -> str:
    """The digest that a run prints, as text or JSON."""
    found = re.search(r"[Dd]igest\W+([0-9a-f]{16})", output)
    assert found, output
    return found[1]


def test_a_fault_of_ours_exits_with_1_without_a_traceback(monkeypatch):
    """MACROHARD_DEBUG=1 shows it."""
    from macrohard import runs

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("so much for that")

    monkeypatch.setattr(runs, "run", broken)
    done = macrohard("run", *SHORT, "--json")
    assert done.exit_code == 1 and "so much for that" in done.stderr and "Traceback" not in done.stderr
    monkeypatch.setenv("MACROHARD_DEBUG", "1")
    assert "Traceback" in macrohard("run", *SHORT, "--json").stderr
