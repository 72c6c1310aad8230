"""The names a scenario may use: rows of the data tables and of the policy tables, read without JAX."""

import csv
import difflib
import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path

DEFAULT_SCENARIO = "colossus2-phase1"
"""The scenario that runs if none is named."""

TOPOLOGIES = ("single", "independent", "centralized", "decentralized", "hybrid")
"""How a team is wired."""

DISPATCH = ("follow", "reserve", "peak_shave", "price_following")
"""Dispatch policies of the power plant."""

DEFERRALS = ("never", "short", "battery", "dear")
"""When tickets of low priority wait for power."""

SCAFFOLDS = ("codex", "swe-agent", "swe-agent-sonnet-4.5", "swe-agent-gpt-5")
"""Agent programs whose context growth was measured."""

ROLES = ("management", "design", "coding", "testing")
"""Roles of the workforce."""

PRECISIONS = ("bf16", "fp8", "fp4")
"""Formats of weights."""

KV_PRECISIONS = ("bf16", "fp8")
"""Formats of the KV cache."""

_SOME = 10

BESIDE_TURBINES = ("solar",)
"""Kinds of supply that are no row of the turbine table."""


def rows(table: str) -> tuple[str, ...]:
    """The names of the rows of a data table, its first column; none where there is no such table."""
    return tuple(dict.fromkeys(next(iter(row.values())) for row in _table(table)))


def supplies() -> tuple[str, ...]:
    """Kinds of supply."""
    turbines = rows("turbines")
    return turbines + tuple(kind for kind in BESIDE_TURBINES if kind not in turbines) if turbines else ()


def canonical(name: str, table_name: str) -> str:
    """The name as its table spells it, whatever the case, hyphens or alias; the name itself if no row has it."""
    return _spellings(table_name).get(_plain(name), name)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like it, if one is near enough to have been meant."""
    plain = {_plain(each): each for each in known}
    found = difflib.get_close_matches(_plain(name[:80]), plain, n=1, cutoff=0.6)
    return plain[found[0]] if found else None


def meant(path: Path, ending: str = "") -> str:
    """Words on the file of that ending, or else the folder, a path was meant to be; empty if none is near."""
    try:
        there = [each for each in path.parent.iterdir() if each.suffix == ending and each.is_dir() == (not ending)]
    except OSError:
        return ""
    near = nearest(path.name, (each.name for each in there))
    return f"; did you mean {path.parent / near}?" if near and near != path.name else ""


def some(known: Iterable[str], wanted: str = "") -> str:
    """Up to ten of the names in words, those most like a wanted one first, and how many more there are."""
    choices = tuple(known)
    if len(choices) <= _SOME:
        return ", ".join(choices)
    like = {_plain(each): each for each in choices}
    first = [like[each] for each in difflib.get_close_matches(_plain(wanted[:80]), like, n=4, cutoff=0.4)]
    shown = list(dict.fromkeys([*first, *choices]))[:_SOME]
    return f"{', '.join(shown)} and {len(choices) - _SOME} more"


@cache
def _table(name: str) -> tuple[dict[str, str], ...]:
    path = files("macrohard").joinpath("data", f"{name}.csv")
    if not path.is_file():
        return ()
    lines = path.read_text(encoding="utf-8").splitlines()
    return tuple(csv.DictReader(line for line in lines if line.strip() and not line.startswith("#")))


@cache
def _spellings(name: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for row in _table(name):
        first = next(iter(row.values()))
        for spelling in [first, *(row.get("aliases") or "").split("|")]:
            found.setdefault(_plain(spelling), first)
    return found


def _plain(name: str) -> str:
    return re.sub(r"[\s_/-]+", " ", name).strip().casefold()
