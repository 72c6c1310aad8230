"""The first hour of a new user: six questions, help with examples, names completed and slips answered."""

import os
import pty
import select
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest
import typer
from typer.testing import CliRunner

from macrohard import interview
from macrohard.cli import app
from macrohard.commands.examples import EXAMPLES
from macrohard.faults import ScenarioError
from macrohard.scenario import Scenario

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Each test runs in an empty folder, without settings from the environment."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("MACROHARD_"):
            monkeypatch.delenv(name)


def init(answers, *more):
    return CliRunner().invoke(app, ["init", "mine.toml", "--from-questions", *more], input=answers)


def test_enter_takes_what_is_proposed_and_the_file_checks_and_runs(tmp_path):
    """Six times Enter: 100 developers, 8 H100, power enough for them, no battery, two days."""
    done = init("\n" * 6)
    assert done.exit_code == 0, done.output
    assert done.stdout.count("[") == 6 and "Next: macrohard check mine.toml" in done.stdout
    mine = Scenario.load("mine.toml", environment={})
    assert (mine.cluster.gpu, mine.cluster.n_gpus, mine.run.horizon_h, mine.run.name) == ("H100", 8, 48, "mine")
    assert 0.01 < mine.power.grid_mw < 0.02 and mine.power.megapack.n_units == 0
    assert (tmp_path / "mine.toml").read_text().startswith("# Six answers: the work of 100 developers; 8 H100")
    assert CliRunner().invoke(app, ["check", "mine.toml"]).exit_code == 0
    ran = CliRunner().invoke(app, ["run", "mine.toml", "--hours", "2", "--out", "here"])
    assert ran.exit_code == 0, ran.output
    assert "here/report.html" in ran.stdout and "macrohard show here" in ran.stdout


def test_developers_become_epics_a_day():
    """300 developers * 240 days * 8 h * 60 min / 365 = 94,685 min a day; a ticket: 120 exp(0.73^2 / 2) = 156.6 min."""
    assert init("300\nH200\n16\n40 kW\n0\n24\n").exit_code == 0
    mine = Scenario.load("mine.toml", environment={})
    assert mine.backlog.arrivals_per_day * mine.backlog.tickets_per_epic == pytest.approx(94_685 / 156.6, rel=2e-3)
    assert (mine.cluster.gpu, mine.power.grid_mw, mine.n_agents) == ("H200", 0.04, 50)


def test_a_fleet_is_simulated_by_two_thousand_agents_and_a_lone_developer_by_four():
    """Weights and desks follow from the work; every role has at least one desk."""
    fleet = interview.scenario_of(interview.Answers(developers=1.2e6, gpu="GB200", n_gpus=30_000, grid_mw=90), "fleet")
    assert 1990 <= fleet.n_agents <= 2010
    assert fleet.n_agents * fleet.workforce.weight == pytest.approx(200_000, rel=1e-3)
    lone = interview.scenario_of(interview.Answers(developers=1, grid_mw=0.02), "lone")
    assert min(lone.workforce.coding, lone.workforce.design, lone.workforce.testing, lone.workforce.management) >= 1
    assert lone.n_agents <= 5 and lone.workforce.weight == 1


def test_a_cloud_pays_for_gpu_hours_alone():
    """No site, no energy to pay for, and power that never binds."""
    assert init("50\nB200\n8\ncloud\n0\n24\n").exit_code == 0
    mine = Scenario.load("mine.toml", environment={})
    money = mine.economics
    assert (money.gpu_usd_per_h, money.site_musd_per_mw, money.grid_usd_per_mwh) == (2.65, 0, 0)
    assert mine.power.grid_mw > 8 * 0.001


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ("0\n", "from 1 to 100,000,000"),
        ("many\n", "write it like 100"),
        ("nan\n", "from 1"),
        ("5\nH10O\n", "did you mean H100?"),
        ("5\nH100\n8.5\n", "a whole number from 1"),
        ("5\nH100\n8\n-1\n", "500 kW"),
        ("5\nH100\n8\nsome\n", "cloud"),
        ("5\nH100\n8\ncloud\n2\n", "answer 0"),
        ("5\nH100\n8\n1\n0\n0\n", "from 1 to 8,784"),
        ("5\nGrace\n", "no such GPU"),
    ],
)
def test_a_wrong_answer_from_a_pipe_exits_with_2_and_nothing_is_written(answers, words, tmp_path):
    """One line: what was said, what is allowed, what to write."""
    done = init(answers)
    assert done.exit_code == 2 and words in done.stderr and len(done.stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_person_is_asked_again():
    """The same question, after the fault."""
    said, lines = [], iter(["x", "20", "h10", "h200", "", "", "", "12"])
    answers = interview.asked(lambda prompt: next(lines), lambda error: said.append(str(error)))
    assert (answers.developers, answers.gpu, answers.horizon_h) == (20, "H200", 12)
    assert len(said) == 2 and "did you mean" in said[1]
    with pytest.raises(ScenarioError):
        interview.asked(lambda prompt: "x")


def test_a_file_that_is_there_is_kept_before_anything_is_asked(tmp_path):
    """--force replaces it."""
    (tmp_path / "mine.toml").write_text("# mine\n")
    done = init("\n" * 6)
    assert done.exit_code == 2 and "--force" in done.stderr and "1/6" not in done.stdout
    assert (tmp_path / "mine.toml").read_text() == "# mine\n"
    assert init("\n" * 6, "--force").exit_code == 0
    assert "Six answers" in (tmp_path / "mine.toml").read_text()


def test_ctrl_c_at_a_question_leaves_nothing(tmp_path):
    """On a terminal: exit 130, no file."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "macrohard", "init", "mine.toml", "--from-questions"]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    try:
        heard = until(ours, b"1/6")
        os.write(ours, b"20\n")
        heard += until(ours, b"2/6")
        heard += until(ours, b"interrupted", lambda: process.send_signal(signal.SIGINT))
        assert process.wait(timeout=60) == 130 and b"Traceback" not in heard
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert list(tmp_path.iterdir()) == []


def until(terminal, words, nudge=lambda: None):
    """What a terminal shows up to some words, waited for a minute at most; every second of silence brings a nudge.

    A signal between prompt and read is kept by Python until a key is pressed, so one may be too early.
    """
    heard, silence_s = b"", 0
    while words not in heard:
        ready, _, _ = select.select([terminal], [], [], 1)
        if ready:
            heard += os.read(terminal, 1000)
        else:
            silence_s += 1
            assert silence_s < 60, heard
            nudge()
    return heard


def commands(group=None, before=""):
    """Every command by its words."""
    group = typer.main.get_command(app) if group is None else group
    for name, command in group.commands.items():
        if isinstance(command, click.Group) or hasattr(command, "commands"):
            yield from commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


@pytest.mark.parametrize(("name", "command"), list(commands()), ids=[name for name, _ in commands()])
def test_every_command_shows_examples_that_it_understands(name, command):
    """Its --help ends in them, at 80 columns; each parses: options, types and all that must be given."""
    shown = CliRunner().invoke(app, [*name.split(), "--help"], env={"COLUMNS": "80"})
    assert shown.exit_code == 0 and max(map(len, shown.stdout.splitlines())) <= 80
    assert EXAMPLES[name] and "Examples:" in shown.stdout
    for example in EXAMPLES[name]:
        words = shlex.split(example)
        assert words[: len(name.split())] == name.split()
        command.make_context(name, words[len(name.split()) :])


def test_the_commands_of_the_first_hour_come_first():
    """Run, scenarios, init and check head the list."""
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "80"}).stdout
    places = [shown.index(f"│ {name} ") for name in ("run", "scenarios", "init", "check", "converge")]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("rnu",), "Did you mean 'run'?"),
        (("sweep", "pln"), "Did you mean 'plan'?"),
        (("run", "--hour", "3"), "--hours"),
        (("run", "laptp"), "did you mean laptop?"),
        (("run", "laptop", "--set", "clutser.n_gpus=3"), "did you mean cluster?"),
        (("run", "laptop", "--set", "cluster.gpu=H10O"), "did you mean 'H100'?"),
        (("run", "laptop", "--set", "serving.llm=gpt-os-120b"), "did you mean 'gpt-oss-120b'?"),
        (("init", "mine.toml", "--from", "serve"), "did you mean server?"),
        (("check", "laptop", "--set", "run.name=größe"), "at most 80 letters A to Z or a to z"),
    ],
)
def test_a_slip_is_answered_with_the_nearest_name(arguments, words):
    """Commands, options, scenarios, keys, GPUs, LLMs."""
    done = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})
    assert done.exit_code == 2 and words in done.stderr


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("macrohard ru", "run"),
        ("macrohard run cl", "cloud-1000"),
        ("macrohard check cluster --set cluster.n_g", "cluster.n_gpus="),
        ("macrohard init mine.toml --from colocation", "colocation-10mw"),
        ("macrohard run mi", "mine.toml"),
        ("macrohard run sit", "sites/"),
        ("macrohard check sites/o", "sites/ours.toml"),
        ("macrohard compare si", "sites/"),
        ("macrohard size laptop --vary power.megapack.n", "power.megapack.n_units="),
        ("macrohard run laptop --fail-on power.uns", "power.unserved_mwh"),
    ],
)
def test_the_shell_completes_commands_scenarios_files_and_keys(line, found, tmp_path):
    """As bash asks for it: words typed so far, and which of them the cursor is in."""
    (tmp_path / "sites").mkdir()
    for file in ("mine.toml", "mine.txt", "sites/ours.toml"):
        (tmp_path / file).touch()
    asked = {
        "_MACROHARD_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split()) - 1),
    }
    done = subprocess.run(
        [sys.executable, "-c", "from macrohard.cli import main; main()"],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | asked, capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert found in done.stdout.split() and "mine.txt" not in done.stdout


@pytest.mark.parametrize(
    ("command", "meant"),
    [
        ("run mien.toml", "did you mean mine.toml?"),
        ("sweep run sites/our.toml", "did you mean sites/ours.toml?"),
        ("show frst", "did you mean first?"),
        ("report frst", "did you mean first?"),
        ("compare frst first", "did you mean first?"),
        ("show nothing-like-it", "give the folder that `macrohard run` printed"),
    ],
)
def test_a_slip_in_a_path_is_answered_with_the_nearest_there_is(command, meant):
    """A file of the same ending or a folder beside it."""
    for folder in ("sites", "first"):
        Path(folder).mkdir()
    for file in ("mine.toml", "mine.txt", "sites/ours.toml"):
        Path(file).touch()
    Path("first/manifest.json").write_text('{"kind": "macrohard run"}')
    refused = CliRunner().invoke(app, command.split())
    assert refused.exit_code in (2, 5) and meant in refused.stderr and refused.stderr.count("\n") == 1


def test_a_scenario_and_an_experiment_are_told_apart():
    """Each given in the place of the other is refused in one line that says what runs it."""
    Path("mine.toml").write_text("[run]\nhorizon_h = 2\n[workforce]\ncoding = 4\n")
    Path("sizes.toml").write_text('scenario = "laptop"\n[factors]\n"cluster.n_gpus" = [8, 16]\n')
    for command, remedy in (
        (["run", "sizes.toml"], "`macrohard sweep run sizes.toml`"),
        (["sweep", "run", "mine.toml"], "`macrohard run mine.toml`"),
    ):
        refused = CliRunner().invoke(app, command)
        assert refused.exit_code == 2 and refused.stderr.count("\n") == 1 and remedy in refused.stderr


def test_check_names_what_has_no_part_in_the_run():
    """Dates beyond the horizon and a site without agents or GPUs are told, each in a line of its own."""
    call = "{date = 2031-01-01, hours = 4, mw = 9}"
    source = '{kind = "gas_turbine", p_nom_mw = 1, permit_until = 2020-01-01}'
    moved = [f"power.curtailment=[{call}]", f"power.sources=[{source}]", "workforce.coding=0", "training.share=0.5"]
    told = CliRunner().invoke(app, ["check", "laptop", *(word for each in moved for word in ("--set", each))]).stdout
    for words in ("outside the run", "more than the contract", "they do not run at all"):
        assert words in told
    assert "training swings keep" not in told
    idle = [f"workforce.{role}=0" for role in ("coding", "design", "testing", "management")]
    told = CliRunner().invoke(app, ["check", "laptop", *(word for each in idle for word in ("--set", each))]).stdout
    assert "there are no agents" in told
    falling = "cluster.build_out=[[2026-02-01, 8], [2026-02-02, 4]]"
    refused = CliRunner().invoke(app, ["check", "laptop", "--set", falling, "--set", "cluster.n_gpus=4"])
    assert refused.exit_code == 2 and "never taken away" in refused.stderr
