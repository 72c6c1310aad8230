"""What README and docs show is run as it is written, so that it stays true."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
from small import SMALL
from typer.testing import CliRunner

from macrohard import Scenario, run
from macrohard.blueprint import draw
from macrohard.cli import app
from macrohard.colossus.policies import POLICIES
from macrohard.results.summary import RESULTS_VERSION
from macrohard.sweeps import Experiment
from macrohard.sweeps.design import lay_out
from macrohard.sweeps.pool import Here

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
CELLS = [
    pytest.param(page, cell, id=f"{page.name}-{number}")
    for page in PAGES
    for number, cell in enumerate(re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S))
]
COMMAND = re.compile(r"^(?: {4})?macrohard (.*?)(?:\s+#.*)?$", re.M)
FENCE = re.compile(r"^```(?!sh\n|\n)[a-z]+[^\n]*\n.*?^```", re.M | re.S)  # other languages than the shell's
FILE = re.compile(r'^```[a-z]+ title="([^"/]+)"\n(.*?)^```', re.M | re.S)
EXPERIMENTS = [
    (name, content)
    for page in PAGES
    for name, content in FILE.findall(page.read_text(encoding="utf-8"))
    if name.endswith(".toml") and "[factors]" in content
]

NOT_RUN = {
    "dashboard": "serves until it is stopped; tests/test_dashboard.py clicks through it",
    "size colossus2": "some ten plants at four seeds, each compiled; tests/test_sizing.py sizes a small site",
    "--address": "needs a Ray cluster; tests/test_sweep_machinery.py starts a private one",
    "replay RUN_ID": "a run id of the reader's own",
}
"""Commands that are shown and not run here, as patterns, each with its reason."""

WELL = {"size": (0, 3)}
"""Exit codes that are as good as 0: no size need do it where the factory is this small."""


def commands_of(page: Path) -> list[str]:
    """The commands that a page shows, in order."""
    return [found.strip() for found in COMMAND.findall(FENCE.sub("", page.read_text(encoding="utf-8")))]


def reason(command: str) -> str | None:
    """Why a command is not run; None if it is."""
    return next((why for pattern, why in NOT_RUN.items() if re.search(pattern, command)), None)


SHOWN = [page for page in PAGES if commands_of(page)]


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """An empty folder with the experiments cut short, and an environment that makes every scenario small.

    Sweeps run in this process, each run alone, so that all of a page's are one compiled program; tests/test_sweeps.py
    has batches and worker processes.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("macrohard.sweeps.execute.Pool", lambda n_workers: Here())
    monkeypatch.setattr("macrohard.sweeps.execute.MAX_BATCH", 1)
    for setting in (*SMALL, "run.horizon_h=2", "run.warmup_h=0.5"):
        key, _, value = setting.partition("=")
        monkeypatch.setenv("MACROHARD_" + key.upper().replace(".", "__"), value)
    shutil.copytree(ROOT / "experiments", tmp_path / "experiments", ignore=shutil.ignore_patterns("calibration"))
    for experiment in (tmp_path / "experiments").glob("*.toml"):
        experiment.write_text(shortened(experiment.read_text(encoding="utf-8")), encoding="utf-8")
    return tmp_path


def shortened(experiment: str) -> str:
    """An experiment of two simulated hours, one replicate and at most two values a list."""
    experiment = re.sub(r'^("run\.horizon_h" *=).*$', r"\1 2", experiment, flags=re.M)
    experiment = re.sub(r'^("run\.warmup_h" *=).*$', r"\1 0.5", experiment, flags=re.M)
    experiment = re.sub(r"^(replicates *=).*$", r"\1 1", experiment, flags=re.M)
    head, section, factors = experiment.partition("[factors]")
    return head + section + re.sub(r"(= *\[[^],\n]+,[^],\n]+),[^]\n]*\]", r"\1]", factors)


@pytest.mark.parametrize(("page", "cell"), CELLS)
def test_python_cells_run(page, cell, workplace, monkeypatch):
    """Every Python cell runs in a folder with the experiments, as long as it says; scenarios are small."""
    monkeypatch.delenv("MACROHARD_RUN__HORIZON_H")
    monkeypatch.delenv("MACROHARD_RUN__WARMUP_H")
    before = dict(POLICIES)  # a cell adds one of its own
    try:
        exec(compile(cell, page.name, "exec"), {"__name__": "cell"})
    finally:
        POLICIES.clear()
        POLICIES.update(before)


@pytest.mark.parametrize("page", SHOWN, ids=[page.stem for page in SHOWN])
def test_commands_run(page, workplace):
    """Every command of a page, in order, in a folder that holds the files the page shows; scenarios are small."""
    for name, content in FILE.findall(page.read_text(encoding="utf-8")):
        Path(name).write_text(shortened(content) if name.endswith(".toml") else content, encoding="utf-8")
    for command in commands_of(page):
        if reason(command) is None:
            short = re.sub(r"^(size .*--replicates) \d+", r"\1 2", re.sub(r"--hours \d+", "--hours 2", command))
            words = shlex.split(short)
            result = CliRunner().invoke(app, words, input="\n" * 20)  # Enter takes what a question proposes
            assert result.exit_code in WELL.get(command.split()[0], (0,)), f"macrohard {command}: {result.output}"


@pytest.mark.parametrize(("name", "content"), EXPERIMENTS, ids=[name for name, _ in EXPERIMENTS])
def test_experiments_shown_can_be_run_as_they_stand(name, content):
    """Uncut: every point is laid out, so no combination of their values is refused."""
    design = lay_out(Experiment.parse(content), RESULTS_VERSION, environment={})
    for run_ in design.runs:
        draw(design.scenario(run_))


def test_every_reason_not_to_run_is_needed():
    """A pattern that matches nothing any more is taken out."""
    shown = [command for page in PAGES for command in commands_of(page)]
    for pattern in NOT_RUN:
        assert any(re.search(pattern, command) for command in shown), pattern


def test_every_figure_of_a_result_is_explained():
    """docs/results.md names every key of the summary and every column of both tables."""
    text = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    known = set(re.findall(r"[A-Za-z0-9_]+", text))
    result = run(Scenario.load("laptop").override([*SMALL, "run.horizon_h=2", "run.warmup_h=0.5"]))
    for section, figures in result.summary.items():
        if isinstance(figures, dict):
            assert section in known and not (set(figures) - known), (section, set(figures) - known)
    stages, roles = (
        ("roadmap", "plan", "design", "code", "test", "review"),
        ("management", "design", "coding", "testing"),
    )
    for column in (*result.series.columns, *result.tickets.columns):
        general = re.sub(
            rf"_({'|'.join(stages)})$", "_STAGE", re.sub(rf"^(busy)_({'|'.join(roles)})$", r"\1_ROLE", column)
        )
        assert {column, general} & known, column


def test_links_lead_somewhere():
    """Every relative link of README and docs is a file, or a page that tests/test_documents.py sees made."""
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in link and "reference/" not in link:
                assert (page.parent / link).exists(), f"{page.name}: {link}"
