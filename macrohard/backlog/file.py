"""The user's own backlog: a CSV of tickets. Every fault is named, all of them in one go."""

import csv
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import networkx as nx
import numpy as np

from macrohard.backlog.rows import KINDS, N_PRIORITIES, Backlog, child_table

COLUMNS = ("id", "size_min", "needs", "epic", "priority")
"""Columns a file must have; `kind` may be added. Empty cells: no needs, an epic of its own, priority 2, ordinary."""

MAX_MINUTES = 1e6
"""Largest size of one ticket: eight working years."""

MAX_CHILD_CELLS = 50_000_000
"""Largest table of children, rows times the most children of one row (200 MB)."""

MAX_SHOWN = 50
"""Faults named; the rest are counted."""


@dataclass(frozen=True)
class _Line:
    number: int
    id: str
    size_min: float
    needs: tuple[str, ...]
    epic: str
    priority: int
    kind: int


def read(path: str | Path) -> Backlog:
    """Reads a backlog that is there when the run starts (arrival at hour 0); raises ValueError with a line per fault.

    `needs` holds ids separated by semicolons or spaces; `epic` is any label. Epics keep the order in which the file
    first names them, tickets that of the file.
    """
    faults: list[str] = []
    lines = _lines(Path(path), faults)
    _check_needs(lines, faults)
    if faults:
        raise ValueError("\n".join(f"{path}: {fault}" for fault in _shortened(faults)))
    return _backlog(lines, str(path))


def _lines(path: Path, faults: list[str]) -> list[_Line]:
    """The rows of the file; those with a fault of their own are reported and kept with a stand-in value."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            names = [name.strip() for name in reader.fieldnames or []]
            reader.fieldnames = names
            faults += [
                f"column {name!r} is missing; columns are {', '.join(COLUMNS)}" for name in COLUMNS if name not in names
            ]
            known = {*COLUMNS, "kind"}
            faults += [
                f"unknown column {name!r}; columns are {', '.join(COLUMNS)}, kind"
                for name in names
                if name not in known
            ]
            if faults:
                return []
            lines = [_line(reader.line_num, row, faults) for row in reader if any(row.values())]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        faults.append(f"cannot be read: {error}")
        return []
    if not lines:
        faults.append("holds no tickets")
    return lines


def _line(number: int, row: dict[str, str | None], faults: list[str]) -> _Line:
    """One row; cells are stripped, and what is wrong with each is added to the faults."""
    cell = {
        name: (value or "").strip() if isinstance(value, str) or value is None else "" for name, value in row.items()
    }
    where = f"line {number}: ticket {cell['id']!r}"
    if None in row:
        faults.append(f"{where}: more cells than columns")
    if not cell["id"]:
        faults.append(f"line {number}: id is empty")
    try:
        size = float(cell["size_min"])
    except ValueError:
        size = float("nan")
    if not (isfinite(size) and 0 < size <= MAX_MINUTES):
        faults.append(
            f"{where}: size_min {cell['size_min']!r} is not a number of minutes above 0 and up to {MAX_MINUTES:,.0f}"
        )
        size = 1.0
    priority = cell["priority"] or "2"
    if priority not in {str(i) for i in range(N_PRIORITIES)}:
        faults.append(f"{where}: priority {priority!r} is not one of 0 (first), 1, 2, 3")
        priority = "2"
    kind = cell.get("kind") or KINDS[0]
    if kind not in KINDS:
        faults.append(f"{where}: kind {kind!r} is not one of {', '.join(KINDS)}")
        kind = KINDS[0]
    needs = tuple(dict.fromkeys(cell["needs"].replace(";", " ").split()))
    epic = f"epic {cell['epic']}" if cell["epic"] else f"ticket {cell['id']}"
    return _Line(number, cell["id"], size, needs, epic, int(priority), KINDS.index(kind))


def _check_needs(lines: list[_Line], faults: list[str]) -> None:
    """Duplicate ids, needs that name no ticket, and cycles."""
    first: dict[str, int] = {}
    for line in lines:
        if line.id and line.id in first:
            faults.append(f"line {line.number}: id {line.id!r} is already that of line {first[line.id]}")
        first.setdefault(line.id, line.number)
    dag = nx.DiGraph()
    for line in lines:
        for need in line.needs:
            if need not in first:
                faults.append(f"line {line.number}: ticket {line.id!r} needs {need!r}, which is no id of this file")
            elif need == line.id:
                faults.append(f"line {line.number}: ticket {line.id!r} needs itself")
            else:
                dag.add_edge(need, line.id)
    for group in nx.strongly_connected_components(dag):
        if len(group) > 1:
            ring = [a for a, _ in nx.find_cycle(dag.subgraph(group))]
            shown = ring if len(ring) <= 12 else [*ring[:11], f"... ({len(ring)} in all)"]
            faults.append(f"cycle: {' -> '.join([*shown, ring[0]])} (each must be done before the next)")


def _shortened(faults: list[str]) -> list[str]:
    more = len(faults) - MAX_SHOWN
    return faults if more <= 0 else [*faults[:MAX_SHOWN], f"{more} more faults"]


def _backlog(lines: list[_Line], path: str) -> Backlog:
    """The arrays; a row for each epic is put before its tickets."""
    epics: dict[str, list[_Line]] = {}
    for line in lines:
        epics.setdefault(line.epic, []).append(line)
    row_of: dict[str, int] = {}
    size: list[float] = []
    epic_row, kind, priority, is_epic = list[int](), list[int](), list[int](), list[bool]()
    dag = nx.DiGraph()
    for members in epics.values():
        top = len(size)
        size.append(sum(line.size_min for line in members) / len(members))
        priority.append(min(line.priority for line in members))
        kind.append(0)
        for line in members:
            row_of[line.id] = len(size)
            dag.add_edge(top, len(size))
            size.append(line.size_min)
            priority.append(line.priority)
            kind.append(line.kind)
        epic_row += [top] * (len(members) + 1)
        is_epic += [True] + [False] * len(members)
    dag.add_edges_from((row_of[need], row_of[line.id]) for line in lines for need in line.needs)
    n_rows, widest = len(size), max((degree for _, degree in dag.out_degree()), default=0)
    if n_rows * widest > MAX_CHILD_CELLS:
        raise ValueError(
            f"{path}: {n_rows:,} rows with up to {widest:,} tickets under one (an epic, or a ticket many need) take "
            f"{4e-6 * n_rows * widest:,.0f} MB, limit {4e-6 * MAX_CHILD_CELLS:,.0f}; use smaller epics"
        )
    children, n_needs = child_table(dag, n_rows)
    return Backlog(
        is_epic=np.array(is_epic),
        epic=np.array(epic_row, np.int32),
        size_min=np.array(size, np.float32),
        kind=np.array(kind, np.int8),
        priority=np.array(priority, np.int8),
        n_needs=n_needs,
        children=children,
        arrival_h=np.zeros(n_rows, np.float32),
    )
