"""The keys of a scenario by their dotted path: which there are and what they take."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from types import UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from macrohard.names import some

Path = tuple[str | int, ...]

_BOUNDLESS = 1e17


def dotted(path: Sequence[str | int]) -> str:
    """The path as a scenario's user writes it."""
    return ".".join(str(part) for part in path)


def keys_of(model: type[BaseModel], path: Path) -> tuple[str, ...]:
    """The keys of the table at a path; none if there is no such table."""
    for part in path:
        table = table_of(model.model_fields[part].annotation) if part in model.model_fields else None
        if table is None and not isinstance(part, int):
            return ()
        model = table or model
    return tuple(model.model_fields)


def field_at(model: type[BaseModel], path: Path) -> FieldInfo | None:
    """The field at a path, whose numbers are places in an array of tables; None if there is none."""
    found: FieldInfo | None = None
    for part in path:
        if isinstance(part, int):
            continue
        if part not in model.model_fields:
            return None
        found = model.model_fields[part]
        model = table_of(found.annotation) or _Nothing
    return found


def leaves(model: type[BaseModel], path: Path = ()) -> Iterator[tuple[Path, FieldInfo]]:
    """All keys that are no table, in order; keys of an array of tables are not entered."""
    for name, field in model.model_fields.items():
        inner = table_of(field.annotation)
        if inner is None or is_array(field):
            yield (*path, name), field
        else:
            yield from leaves(inner, (*path, name))


def table_of(annotation: object) -> type[BaseModel] | None:
    """The model of a table or of an array of tables; None for a plain value."""
    for part in _parts(annotation):
        if isinstance(part, type) and issubclass(part, BaseModel):
            return part
    return None


def is_array(field: FieldInfo) -> bool:
    """Whether the key takes an array."""
    return get_origin(field.annotation) is tuple


def takes(field: FieldInfo, kind: type) -> bool:
    """Whether plain values of that type are taken."""
    return not is_array(field) and any(
        part is kind or (kind is str and get_origin(part) is Literal) for part in _parts(field.annotation)
    )


def may_be_absent(field: FieldInfo) -> bool:
    """Whether "none" leaves the key out."""
    return any(part is type(None) for part in _parts(field.annotation))


def allowed(field: FieldInfo) -> str:
    """What a key takes, in words: type and range."""
    if is_array(field):
        inner = table_of(field.annotation)
        return f"an array of tables with the keys {', '.join(inner.model_fields)}" if inner else "an array"
    if (inner := table_of(field.annotation)) is not None:
        return f"a table with the keys {', '.join(inner.model_fields)}"
    words = _plain(field)
    return f"{words}, or none" if may_be_absent(field) else words


def _plain(field: FieldInfo) -> str:
    for part in _parts(field.annotation):
        if get_origin(part) is Literal:
            return f"one of {', '.join(str(choice) for choice in get_args(part))}"
    for check in field.metadata:
        choice = getattr(check, "func", None)
        if (known := getattr(choice, "known", None)) is not None:
            return str(getattr(choice, "label", "")) or f"one of {some(known())}"
    if takes(field, bool):
        return "true or false"
    if takes(field, datetime):
        return "a date and time like 2026-07-15T14:00:00"
    if takes(field, date):
        return "a date like 2026-02-01"
    if takes(field, str):
        return "a text"
    return ("a whole number " if takes(field, int) else "a number ") + bounds(field)


def bounds(field: FieldInfo) -> str:
    """The range of a number, in words; empty where there is none."""
    low, high = "", ""
    for limit in _limits(field):
        if isinstance(limit, Ge):
            low = f"from {_number(limit.ge)}"
        elif isinstance(limit, Gt):
            low = f"above {_number(limit.gt)}"
        elif isinstance(limit, Le) and float(str(limit.le)) < _BOUNDLESS:
            high = f"to {_number(limit.le)}"
        elif isinstance(limit, Lt):
            high = f"below {_number(limit.lt)}"
    if low and not high and low.startswith("from"):
        return low + " up"
    return " ".join(part for part in (low, high) if part).replace("above 0 to", "above 0, up to")


def _limits(field: FieldInfo) -> list[object]:
    found = list(field.metadata)
    for part in (field.annotation, *get_args(field.annotation)):
        if get_origin(part) is Annotated:
            found += part.__metadata__
    return found


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{float(str(value)):g}"


def _parts(annotation: object) -> list[object]:
    """The types an annotation is made of, arrays, unions and annotations taken apart."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _parts(get_args(annotation)[0])
    if origin in (Union, UnionType, tuple):
        return [part for inner in get_args(annotation) if inner is not Ellipsis for part in _parts(inner)]
    return [annotation]


class _Nothing(BaseModel):
    """The keys of a plain value: none."""
