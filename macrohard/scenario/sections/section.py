"""What every section of a scenario shares: strictness, and the ranges and names many keys have in common."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from annotated_types import Ge, Gt, Le
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict
from pydantic_core import PydanticCustomError

from macrohard import names

NAME = r"^[A-Za-z0-9][A-Za-z0-9._ -]{0,79}$"
POOL_NAME = r"^[a-z][a-z0-9_]{0,39}$"
SPELLING = {
    NAME: "at most 80 letters A to Z or a to z, digits, spaces and . _ -, the first a letter or a digit",
    POOL_NAME: "at most 40 small letters a to z, digits and _, the first a letter",
}
"""Patterns of names, in words."""


class Section(BaseModel):
    """A table of the scenario: frozen, no key but those declared, no value of another type, no nan or inf."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


def _date(value: object) -> object:
    if isinstance(value, datetime) and value.time().isoformat() == "00:00:00":
        return value.date()
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return value
    return value


def _moment(value: object) -> object:
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return value
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def _absent(value: object) -> object:
    return None if isinstance(value, str) and value.strip().lower() in ("", "none") else value


def _plain_text(value: str) -> str:
    if not value.isprintable():
        raise PydanticCustomError("text", "text without line breaks and control characters")
    return value


@dataclass(frozen=True)
class Choice:
    """Lets pass the names that are known, as they are known; refuses others with the nearest."""

    known: Callable[[], tuple[str, ...]]
    table: str = ""
    """A data table in whose spellings a name may come."""
    sized: bool = False
    """Whether a name that tells its size, 'Foo (120B-A12B)', passes unknown."""
    label: str = ""
    """What to call the choices where there are too many to list."""

    def __call__(self, value: str) -> str:
        """The name as it is known; any name where the table is not there."""
        found = names.canonical(value, self.table) if self.table else value
        choices = self.known()
        if not choices or found in choices or (self.sized and _SIZE.search(value)):
            return found
        near = names.nearest(value, choices) or choices[0]
        raise PydanticCustomError("name", "no such name", {"choices": names.some(choices, value), "near": near})


def one_of(known: tuple[str, ...]) -> AfterValidator:
    """A name out of a few."""
    return AfterValidator(Choice(lambda: known))


def supply() -> AfterValidator:
    """A kind of supply."""
    beside = " or ".join(names.BESIDE_TURBINES)
    return AfterValidator(Choice(names.supplies, "turbines", label=f"a row of data/turbines.csv, or {beside}"))


def row_of(table: str, *, sized: bool = False) -> AfterValidator:
    """A row of a data table."""
    return AfterValidator(Choice(lambda: names.rows(table), table, sized, f"a row of data/{table}.csv"))


_SIZE = re.compile(r"\(\d+(\.\d+)?B(-A\d+(\.\d+)?B)?\)")

Share = Annotated[float, Ge(0), Le(1)]
"""A part of a whole."""
Positive = Annotated[float, Gt(0), Le(1e12)]
Amount = Annotated[float, Ge(0), Le(1e12)]
Count = Annotated[int, Ge(0), Le(2**62)]
"""A count; what memory allows is checked apart, with an estimate."""
Text = Annotated[str, AfterValidator(_plain_text)]
Day = Annotated[date, BeforeValidator(_date)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Absent = BeforeValidator(_absent)
"""For keys that may be left out: an empty text or "none" leaves them out, too."""
