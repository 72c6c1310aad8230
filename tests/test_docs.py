"""What README and docs show is run as it is written, so that it stays true."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from macrohard.cli import app

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
CELLS = [
    pytest.param(page, cell, id=f"{page.name}-{number}")
    for page in PAGES
    for number, cell in enumerate(re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S))
]
COMMANDS = re.findall(r"^    macrohard ([^#\n]*)", (ROOT / "README.md").read_text(encoding="utf-8"), re.M)


@pytest.mark.parametrize(("page", "cell"), CELLS)
def test_python_cells_run(page, cell, tmp_path, monkeypatch):
    """Every Python cell runs in an empty folder."""
    monkeypatch.chdir(tmp_path)
    exec(compile(cell, page.name, "exec"), {"__name__": "cell"})


def test_commands_of_the_readme_run(tmp_path, monkeypatch):
    """Every command of the README, in order; runs are cut to an hour."""
    monkeypatch.chdir(tmp_path)
    assert COMMANDS
    for command in COMMANDS:
        words = command.split()
        if words[0] == "run":
            words += ["--hours", "1"]
        if words[0] == "sweep":  # sweeps take minutes: their plan is made here, tests/test_sweeps.py runs some
            words = ["sweep", "plan", str(ROOT / words[2])]
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, f"{command}: {result.output}"


def test_links_lead_somewhere():
    """Every relative link of README and docs is a file, or a page that tests/test_documents.py sees made."""
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in link and "reference/" not in link:
                assert (page.parent / link).exists(), f"{page.name}: {link}"
