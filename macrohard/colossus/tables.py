"""Rows of the package's data tables, read on the host: looked up by name, with figures a scenario changes."""

import csv
import math
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

Row = Mapping[str, str]


@cache
def rows(table: str) -> tuple[Row, ...]:
    """All rows of data/<table>.csv; lines that begin with # are remarks."""
    lines = files("macrohard").joinpath("data", f"{table}.csv").read_text(encoding="utf-8").splitlines()
    return tuple(csv.DictReader(line for line in lines if not line.startswith("#")))


def row_named(table: str, name: str, field: str) -> Row:
    """The row of that kind or alias, whatever its case; field is what the error names."""
    plain = _plain(name)
    for row in rows(table):
        if plain in {_plain(row["kind"]), *(_plain(alias) for alias in row["aliases"].split("|") if alias)}:
            return row
    raise ValueError(f"{field}: no kind {name!r}; choose from {', '.join(row['kind'] for row in rows(table))}")


def numbers(row: Row, changed: Mapping[str, float | None], field: str) -> dict[str, float]:
    """The figures of a row, with those changed that are not None."""
    texts = ("kind", "aliases", "source")
    figures = {key: float(value) for key, value in row.items() if key not in texts and value != ""}
    for key, value in changed.items():
        if value is None:
            continue
        if key not in row or key in texts:
            known = ", ".join(key for key in row if key not in texts)
            raise ValueError(f"{field}.{key}: no such figure; choose from {known}")
        figures[key] = checked(f"{field}.{key}", value)
    return figures


def checked(field: str, value: float, least: float = 0.0, most: float = 1e12) -> float:
    """The value if it is a number within its range."""
    if not isinstance(value, int | float) or not math.isfinite(value) or not least <= value <= most:
        raise ValueError(f"{field}: {value!r} is not in {least:g}..{most:g}; give a number in that range")
    return float(value)


def _plain(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())
