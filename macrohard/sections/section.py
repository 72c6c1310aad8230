"""What every section of a scenario shares: strictness, and the ranges and names many keys have in common."""

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated

from annotated_types import Ge, Gt, Le
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict
from pydantic_core import PydanticCustomError

from macrohard import names


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


def one_of(known: tuple[str, ...] | Callable[[], tuple[str, ...]]) -> AfterValidator:
    """Refuses a name that is not known, and suggests the nearest."""

    def check(value: str) -> str:
        choices = known() if callable(known) else known
        if choices and value not in choices:
            _refuse(value, choices)
        return value

    return AfterValidator(check)


def row_of(table_name: str, *, sized: bool = False) -> AfterValidator:
    """A row of a data table, in any of its spellings; `sized`: or a name that tells its size, 'Foo (120B-A12B)'."""

    def check(value: str) -> str:
        found = names.canonical(value, table_name)
        choices = tuple(next(iter(row.values())) for row in names.table(table_name))
        if not choices or found in choices or (sized and re.search(r"\(\d+(\.\d+)?B(-A\d+(\.\d+)?B)?\)", value)):
            return found
        _refuse(value, choices)
        return found

    return AfterValidator(check)


def _refuse(value: str, choices: tuple[str, ...]) -> None:
    near = names.nearest(value, choices)
    raise PydanticCustomError(
        "name", "one of {choices}", {"choices": ", ".join(choices), "near": near or "", "first": choices[0]}
    )


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
