"""The names a scenario may use: rows of the data tables and of the policy tables, read without JAX."""

import csv
import difflib
import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

DEFAULT_SCENARIO = "colossus2-phase1"
"""The scenario that runs if none is named."""

TOPOLOGIES = ("single", "independent", "centralized", "decentralized", "hybrid")
"""How a team is wired."""

DISPATCH = ("follow",)
"""Dispatch policies of the power plant."""

SCAFFOLDS = ("codex", "swe-agent-sonnet-4.5", "swe-agent-gpt-5")
"""Agent programs whose context growth was measured."""

PRECISIONS = ("bf16", "fp8", "fp4")
"""Formats of weights."""

KV_PRECISIONS = ("bf16", "fp8")
"""Formats of the KV cache."""

BESIDE_TURBINES = ("solar", "gas_turbine")
"""Kinds of supply that are no row of the turbine table: solar, and a gas turbine described in the scenario."""


def table(name: str) -> tuple[dict[str, str], ...]:
    """The rows of a data table of the package; empty where there is no such table."""
    return _table(name)


def gpus() -> tuple[str, ...]:
    """GPUs there is a datasheet of."""
    return _first_column("gpus")


def llms() -> tuple[str, ...]:
    """LLMs whose shape is known."""
    return _first_column("llms")


def batteries() -> tuple[str, ...]:
    """Megapack kinds."""
    return _first_column("batteries")


def supplies() -> tuple[str, ...]:
    """Kinds of supply."""
    turbines = _first_column("turbines")
    return turbines + tuple(kind for kind in BESIDE_TURBINES if kind not in turbines) if turbines else ()


def canonical(name: str, table_name: str) -> str:
    """The name as its table spells it, whatever the case, hyphens or alias; the name itself if no row has it."""
    return _spellings(table_name).get(_plain(name), name)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like it, if one is near enough to have been meant."""
    plain = {_plain(each): each for each in known}
    found = difflib.get_close_matches(_plain(name[:80]), plain, n=1, cutoff=0.6)
    return plain[found[0]] if found else None


@cache
def _table(name: str) -> tuple[dict[str, str], ...]:
    path = files("macrohard").joinpath("data", f"{name}.csv")
    if not path.is_file():
        return ()
    lines = path.read_text(encoding="utf-8").splitlines()
    return tuple(csv.DictReader(line for line in lines if line.strip() and not line.startswith("#")))


def _first_column(name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(next(iter(row.values())) for row in _table(name)))


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
