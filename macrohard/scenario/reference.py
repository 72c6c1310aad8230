"""Texts made from the declarations of the keys: a commented scenario to start from, and the reference of all keys."""

import re
from collections.abc import Iterable, Iterator

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from macrohard.scenario.fields import allowed, is_array, may_be_absent, table_of
from macrohard.scenario.scenario import Scenario
from macrohard.scenario.toml_text import value_text

_HEAD = """\
# A scenario of macrohard. Run it:   macrohard run {file}
# Check it first:                   macrohard check {file} --explain
# Keys that begin a line with "# " are at their default: take the mark away to change them.
"""


def commented(scenario: Scenario, file: str, remarks: Iterable[str] = ()) -> str:
    """The scenario as TOML with every key, its meaning and its range; keys at their default are commented out.

    `remarks` are lines of text that stand above all.
    """
    lines = [f"# {remark}" for remark in remarks] + [_HEAD.format(file=file)]
    for name, field in type(scenario).model_fields.items():
        model = table_of(field.annotation)
        if model is not None:
            lines += _section(scenario, model, name, getattr(scenario, name))
    return "\n".join(lines).strip() + "\n"


def markdown() -> str:
    """The reference of all keys: a table per section, as it stands in docs/scenario.md."""
    lines = [
        "# The scenario file",
        "",
        "Made from the package (`macrohard schema --markdown`); every key may be left out. (A) marks an assumption.",
        "",
        "Precedence: `--set KEY=VALUE`, then the environment (`MACROHARD_<SECTION>__<KEY>`), then the file, then the",
        "default. In `--set` and in the environment a value is TOML; texts need no quotes, `none` leaves a key out.",
    ]
    for name, field in Scenario.model_fields.items():
        model = table_of(field.annotation)
        if model is not None:
            lines += _reference(model, name)
    return "\n".join(lines) + "\n"


def _section(scenario: Scenario, model: type[BaseModel], path: str, value: BaseModel) -> Iterator[str]:
    arrays, tables = [], []
    yield f"[{path}]{_note(model.__doc__)}"
    for name, field in model.model_fields.items():
        inner, key = table_of(field.annotation), f"{path}.{name}"
        if inner is not None and is_array(field) and getattr(value, name):
            arrays.append((inner, key, getattr(value, name)))
        elif inner is not None and not is_array(field):
            tables.append((inner, key, getattr(value, name)))
        else:
            yield _line(name, getattr(value, name), field, scenario.origin(key) == "default")
    yield ""
    for inner, key, items in arrays:
        for item in items:
            yield f"[[{key}]]{_note(inner.__doc__)}"
            for name, field in inner.model_fields.items():
                yield _line(name, getattr(item, name), field, name not in item.model_fields_set)
            yield ""
    for inner, key, table in tables:
        yield from _section(scenario, inner, key, table)


def _line(name: str, value: object, field: FieldInfo, is_default: bool) -> str:
    if isinstance(value, tuple):
        value = [item.model_dump() if isinstance(item, BaseModel) else item for item in value]
    text = '"none"' if value is None else value_text(value)
    note = _note(f"{field.description or ''} [{_short(field)}]".strip())
    return f"{'# ' if is_default else ''}{name} = {text}{note}"


def _note(text: str | None) -> str:
    return f"  # {' '.join((text or '').split())}" if text else ""


def _short(field: FieldInfo) -> str:
    return re.sub(r" with the keys.*", "", allowed(field))


def _reference(model: type[BaseModel], path: str, brackets: str = "[{}]") -> Iterator[str]:
    yield from ("", f"## `{brackets.format(path)}`", "", " ".join((model.__doc__ or "").split()), "")
    yield from ("| key | takes | default | meaning |", "| --- | --- | --- | --- |")
    inner = []
    for name, field in model.model_fields.items():
        table = table_of(field.annotation)
        if table is not None:
            inner.append((table, f"{path}.{name}", "[[{}]]" if is_array(field) else "[{}]"))
            if not is_array(field):
                continue
        words = " ".join((field.description or "").split()).replace("|", "\\|")
        yield f"| `{name}` | {_short(field)} | {_default(field)} | {words} |"
    for table, key, form in inner:
        yield from _reference(table, key, form)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    if field.default is None or (may_be_absent(field) and field.default == ""):
        return "left out"
    return "none" if field.default == () else f"`{value_text(field.default)}`"
