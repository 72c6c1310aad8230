"""One process per folder of results: the second is told who holds it, and a dead holder is no obstacle."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from macrohard.cli import app
from macrohard.locked import beside, locked
from macrohard.store import StoreError

ROOT = Path(__file__).parents[1]

HOLD = """
import sys
from pathlib import Path
from macrohard.locked import beside, locked
with locked(beside(Path(sys.argv[1])), Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the folder `here`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "here")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None and process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_run_into_a_folder_exits_5_and_names_the_first(holder, tmp_path):
    """Before anything is run; nothing is written."""
    done = CliRunner().invoke(app, ["run", "laptop", "--hours", "1", "--out", str(tmp_path / "here")])
    assert done.exit_code == 5
    assert f"is being run by process {holder.pid} on" in done.stderr
    assert not (tmp_path / "here").exists()


def test_what_a_killed_holder_left_is_taken_over(holder, tmp_path):
    """The file is still there after SIGKILL; the lock is not, and after its next holder nothing is."""
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    lock = beside(tmp_path / "here")
    assert json.loads(lock.read_text())["pid"] == holder.pid
    with locked(lock, tmp_path / "here"), pytest.raises(StoreError, match=f"process {os.getpid()} on"):
        with locked(lock, tmp_path / "here"):
            pass
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_its_holder_took_away_holds_nobody(tmp_path):
    """A file that was opened before it was removed is no longer the lock: the next one makes it anew."""
    lock = tmp_path / "lock"
    for _ in range(3):
        with locked(lock, tmp_path):
            assert json.loads(lock.read_text())["pid"] == os.getpid()
        assert not lock.exists()
