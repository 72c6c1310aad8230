"""The notebooks run from top to bottom, and what is kept of them is whole, small and of no machine."""

import json
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_a_notebook_runs_and_ends_in_a_finding(path, tmp_path):
    """Without an error; its last cell says what was found, in words with figures."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert notebook.cells[-2].source == "## Finding"
    finding = "".join(output.get("text", "") for output in notebook.cells[-1].outputs)
    assert len(finding) > 150 and any(letter.isdigit() for letter in finding)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_the_outputs_kept_are_those_of_one_whole_run(path):
    """Cells counted from 1 without a gap, pictures, no errors, no path of a machine, below 400 KB."""
    text = path.read_text(encoding="utf-8")
    cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    kinds = [output["output_type"] for cell in cells for output in cell["outputs"]]
    assert "error" not in kinds
    assert sum("image/png" in output.get("data", {}) for cell in cells for output in cell["outputs"]) >= 2
    assert not re.search(r"/(home|root|tmp|work|Users)/", text)
    assert len(text) < 400_000


def test_there_are_six():
    """First look, calibration, Megapacks, limits, a role of one's own, swings."""
    assert [path.name[0] for path in NOTEBOOKS] == list("123456")
