"""Results on disk: whole or not at all, never over something that is not ours, and read back as written."""

import json
import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest

from macrohard import Scenario, store
from macrohard.store import StoreError


@dataclass
class Result:
    """What a run hands over."""

    scenario: Scenario = field(default_factory=lambda: Scenario.load("laptop", environment={}))
    summary: dict[str, Any] = field(
        default_factory=lambda: {"schema_version": 1, "work": {"tickets_done": np.int64(3)}}
    )
    series: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"time_h": [1.0, 2.0], "load_mw": [3.0, np.nan]}))
    tickets: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"id": [1], "status": ["done"]}))


def test_a_run_reads_back_as_it_was_written(tmp_path):
    """All files of the interface, and equal tables."""
    result = Result()
    out = store.write_run(tmp_path / "a" / "b", result, version="0.1.0", report="<html></html>")
    assert sorted(path.name for path in out.iterdir()) == sorted(store._FILES)
    read = store.read_run(out)
    pd.testing.assert_frame_equal(read.series, result.series)
    pd.testing.assert_frame_equal(read.tickets, result.tickets)
    assert read.summary == {"schema_version": 1, "work": {"tickets_done": 3}}
    assert read.scenario == result.scenario
    assert read.manifest["complete"] is True and read.manifest["run_id"] == store.run_id("0.1.0", result.scenario)


def test_a_run_replaces_an_earlier_one_and_leaves_nothing_else(tmp_path):
    """Also one with a report that the new one lacks."""
    store.write_run(tmp_path / "out", Result(), version="1", report="x")
    store.write_run(tmp_path / "out", Result(summary={"n": 2}), version="1", complete=False)
    read = store.read_run(tmp_path / "out")
    assert read.summary == {"n": 2} and read.manifest["complete"] is False
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert not (tmp_path / "out" / "report.html").exists()


def test_a_report_is_added_whole(tmp_path):
    """Twice if need be; only to a run."""
    out = store.write_run(tmp_path / "out", Result(), version="1")
    for text in ("one", "two"):
        assert store.add_report(out, text).read_text() == text
    store.read_run(out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]
    (tmp_path / "other").mkdir()
    with pytest.raises(StoreError):
        store.add_report(tmp_path / "other", "x")


@pytest.mark.parametrize("there", ["file", "folder", "link", "extra", "damaged"])
def test_what_is_not_ours_is_left_alone(tmp_path, there):
    """A file, a folder of something else, a link, a run with the user's notes in it, a broken manifest."""
    out = tmp_path / "out"
    if there == "file":
        out.write_text("mine")
    elif there == "link":
        (tmp_path / "else").mkdir()
        out.symlink_to(tmp_path / "else")
    elif there == "folder":
        out.mkdir()
        (out / "summary.json").write_text("{}")
    else:
        store.write_run(out, Result(), version="1")
        (out / ("notes.txt" if there == "extra" else "manifest.json")).write_text("mine")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(StoreError, match="choose another --out"):
        store.write_run(out, Result(), version="1")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_an_empty_folder_is_taken(tmp_path):
    """As a user makes one beforehand."""
    (tmp_path / "out").mkdir()
    store.write_run(tmp_path / "out", Result(), version="1")


@pytest.mark.parametrize("call", ["fsync", "rename", "open"])
@pytest.mark.parametrize("after", range(8))
def test_a_fault_while_writing_leaves_the_earlier_run_whole(tmp_path, monkeypatch, call, after):
    """The disk is full or fails at some call: an error, a whole folder (old or new), no rubbish beside it."""
    old, new = Result(), Result(summary={"n": 2})
    store.write_run(tmp_path / "out", old, version="1")
    owner = {"fsync": os, "rename": type(tmp_path), "open": type(tmp_path)}[call]
    true, calls = getattr(owner, call), []

    def failing(*arguments: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) == after + 1:
            raise OSError(28, "No space left on device")
        return true(*arguments, **named)

    with monkeypatch.context() as patched:
        patched.setattr(owner, call, failing)
        try:
            store.write_run(tmp_path / "out", new, version="1")
        except StoreError as error:
            assert "No space left" in str(error)
    assert store.read_run(tmp_path / "out").summary in (json.loads(store.to_json(old.summary)), new.summary)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("name", ["summary.json", "scenario.toml", "series.parquet", "tickets.parquet"])
def test_a_damaged_file_is_noticed(tmp_path, name):
    """By its fingerprint in the manifest."""
    out = store.write_run(tmp_path / "out", Result(), version="1")
    (out / name).write_bytes((out / name).read_bytes()[:-1])
    with pytest.raises(StoreError, match=name):
        store.read_run(out)


@pytest.mark.parametrize("manifest", ["", "[]", '{"kind": "macrohard run", "schema": 99}', "[" * 5000])
def test_a_foreign_manifest_is_refused(tmp_path, manifest):
    """Empty, another document, a later layout, nesting without end."""
    out = store.write_run(tmp_path / "out", Result(), version="1")
    (out / "manifest.json").write_text(manifest)
    with pytest.raises(StoreError):
        store.read_run(out)


def test_a_manifest_cannot_name_files_elsewhere(tmp_path):
    """A path in it is refused, not followed."""
    out = store.write_run(tmp_path / "out", Result(), version="1")
    manifest = json.loads((out / "manifest.json").read_text())
    manifest["files"]["../secret"] = "0"
    (out / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(StoreError, match="secret"):
        store.read_run(out)


def test_json_has_no_nan_and_no_numpy():
    """So that any reader takes it."""
    text = store.to_json({"a": np.float32(1.5), "b": [float("nan"), np.inf], "c": np.arange(2), 4: None, "d": np.True_})
    assert json.loads(text) == {"a": 1.5, "b": [None, None], "c": [0, 1], "4": None, "d": True}


def test_a_run_is_named_by_version_scenario_and_seed():
    """And by nothing else."""
    laptop = Scenario.load("laptop", environment={})
    assert store.run_id("1", laptop) == store.run_id("1", Scenario.parse(laptop.to_toml()))
    others = [("2", laptop), ("1", laptop.override(["run.seed=2"])), ("1", laptop.override(["cluster.n_gpus=16"]))]
    assert len({store.run_id("1", laptop), *(store.run_id(*other) for other in others)}) == 4
