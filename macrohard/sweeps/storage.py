"""A sweep on disk: parts written whole, an index of what is done, and nothing acknowledged before it is safe.

A part is a Parquet file made as a temporary file, synced and renamed; only then the index says that its runs are done.
The index can be lost: it is built anew from the parts.
"""

import json
import re
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from macrohard.locked import locked
from macrohard.store import StoreError, to_json
from macrohard.sweeps.design import Design
from macrohard.sweeps.files import as_store_error, write_bytes, write_table
from macrohard.sweeps.stored import KIND, SCHEMA, Done, manifest, plan_table

_TABLE = """create table if not exists runs (run_id text primary key, status text not null, part text,
digest text, wall_s real, device text, error text, attempts integer not null)"""
_OWN = re.compile(
    r"plan\.parquet|lock|runs|series|failed|shards|index(\.damaged)?\.sqlite(-wal|-shm)?"
    r"|\.(manifest\.json|plan\.parquet)\.[0-9a-f]+\.new"
)
"""What a sweep killed before its manifest was there may have left."""

Row = dict[str, Any]


class Storage:
    """The folder of a sweep, opened for writing by one parent."""

    def __init__(self, folder: Path, index: sqlite3.Connection) -> None:
        """Made by `opened`."""
        self.folder, self._index = folder, index

    def write_plan(self, design: Design, version: str, mode: str) -> None:
        """Keeps what is to be run; refuses a folder that holds another sweep, or results of another version."""
        earlier = manifest(self.folder, missing_ok=True)
        mine = {"version": version, "mode": mode, "name": design.experiment.name}
        for key, value in mine.items():
            if earlier is not None and earlier.get(key) != value:
                told = f"{key} {earlier.get(key)!r}, this is {value!r}"
                raise StoreError(f"{self.folder}: holds a sweep of {told}; choose another --out")
        experiment = design.experiment.to_dict()
        document = {"kind": KIND, "schema": SCHEMA, **mine, "experiment": experiment, "scenario": design.base}
        document["factors"] = list(design.factors)
        write_bytes(self.folder / "manifest.json", to_json(document).encode())
        write_table(self.folder / "plan.parquet", plan_table(design))

    def add(self, rows: list[Row]) -> None:
        """Keeps finished runs: their part first, then the index."""
        if not rows:
            return
        part = f"part-{secrets.token_hex(8)}.parquet"
        series = [pd.DataFrame(row.pop("series")).assign(run_id=row["run_id"]) for row in rows if "series" in row]
        if series:
            frame = pd.concat(series, ignore_index=True)
            write_table(self.folder / "series" / part, frame[["run_id", *frame.columns.drop("run_id")]])
        write_table(self.folder / "runs" / part, pd.DataFrame(rows))
        self._note([(r["run_id"], "done", part, r["digest"], r["wall_s"], r["device"], None, 1) for r in rows])
        for row in rows:
            (self.folder / "failed" / f"{row['run_id']}.json").unlink(missing_ok=True)

    def adopt(self, rows: pd.DataFrame, series: pd.DataFrame | None) -> None:
        """Keeps finished runs of another folder."""
        if not len(rows):
            return
        part = f"part-{secrets.token_hex(8)}.parquet"
        if series is not None:
            write_table(self.folder / "series" / part, series[series["run_id"].isin(rows["run_id"])])
        write_table(self.folder / "runs" / part, rows)
        self._note([(r.run_id, "done", part, r.digest, r.wall_s, r.device, None, 1) for r in rows.itertuples()])

    def adopt_failed(self, other: Path, wanted: set[str]) -> None:
        """Keeps what failed in another folder."""
        for path in sorted((other / "failed").glob("*.json")):
            if path.stem in wanted:
                self.fail(json.loads(path.read_bytes()))

    def fail(self, row: Row) -> None:
        """Keeps a run that failed, with its error."""
        write_bytes(self.folder / "failed" / f"{row['run_id']}.json", to_json(row).encode())
        self._note([(row["run_id"], "failed", None, None, None, None, str(row["error"]), int(row["attempts"]))])

    def forget_failed(self) -> None:
        """Lets failed runs be tried again."""
        with self._index:
            self._index.execute("delete from runs where status = 'failed'")

    def done(self) -> dict[str, Done]:
        """What is known of every run."""
        rows = self._index.execute("select run_id, status, digest, error from runs")
        return {run_id: Done(status, digest, error) for run_id, status, digest, error in rows}

    def _note(self, rows: list[tuple[Any, ...]]) -> None:
        with self._index:
            self._index.executemany("insert or replace into runs values (?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def _agree(self) -> None:
        """Brings index and files together: parts the index missed are taken in, entries without a part dropped."""
        there = {path.name for path in (self.folder / "runs").glob("part-*.parquet")}
        known = {part for (part,) in self._index.execute("select distinct part from runs where part is not null")}
        with self._index:
            self._index.executemany("delete from runs where part = ?", [(part,) for part in known - there])
        for part in sorted(there - known):
            columns = ["run_id", "digest", "wall_s", "device"]
            try:
                found = pd.read_parquet(self.folder / "runs" / part, columns=columns)
            except (OSError, ValueError) as error:
                raise StoreError(
                    f"{self.folder / 'runs' / part}: cannot be read ({error}); delete it, its runs are run again"
                ) from None
            self._note([(r.run_id, "done", part, r.digest, r.wall_s, r.device, None, 1) for r in found.itertuples()])
        for path in (self.folder / "failed").glob("*.json"):
            row = json.loads(path.read_bytes())
            self._index.execute(
                "insert or ignore into runs values (?, 'failed', null, null, null, null, ?, ?)",
                (row["run_id"], str(row["error"]), int(row["attempts"])),
            )
        self._index.commit()


@contextmanager
def opened(folder: Path) -> Iterator[Storage]:
    """Opens the folder of a sweep for writing, made if need be; StoreError if it holds anything else."""
    with as_store_error(folder):
        if folder.is_dir() and manifest(folder, missing_ok=True) is None:
            own = {"report.html"} if (folder / "plan.parquet").exists() else set()
            names = {path.name for path in folder.iterdir()} - own
            strange = sorted(name for name in names if not _OWN.fullmatch(name))
            if strange:
                raise StoreError(f"{folder}: holds files that are no sweep ({strange[0]}); choose another --out")
    try:
        for inner in ("runs", "series", "failed"):
            (folder / inner).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{folder}: cannot be made ({error.strerror or error}); choose another --out") from error
    with as_store_error(folder), locked(folder / "lock", folder):
        for left in [*folder.glob(".*.new"), *folder.glob("*/.*.new")]:
            left.unlink(missing_ok=True)
        index = _index(folder / "index.sqlite")
        try:
            storage = Storage(folder, index)
            storage._agree()
            yield storage
        finally:
            index.close()


def _index(path: Path) -> sqlite3.Connection:
    """The index; a damaged one is set aside and built anew from the parts."""
    for again in (False, True):
        try:
            index = sqlite3.connect(path)
            index.execute("pragma journal_mode = wal")
            index.execute("pragma synchronous = normal")
            index.execute(_TABLE)
            index.execute("select count(*) from runs").fetchone()
            index.commit()
            return index
        except sqlite3.DatabaseError as error:
            if again or isinstance(error, sqlite3.OperationalError):
                raise StoreError(f"{path}: {error}") from None
            for name in (path, path.with_name("index.sqlite-wal"), path.with_name("index.sqlite-shm")):
                if name.exists():
                    shutil.move(name, name.with_name(name.name.replace("index", "index.damaged")))
    raise AssertionError
