"""TOML in and out: texts of strangers read without harm, and settled scenarios written so that they read back equal."""

import json
import stat
import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from macrohard.faults import Fault, ScenarioError
from macrohard.names import meant

MAX_BYTES = 256 * 1024
"""A scenario file longer than this is refused."""

MAX_DEPTH = 8
"""Tables and arrays nested deeper than this are refused."""

_MAX_INTEGER = 2**63 - 1

Tree = dict[str, Any]
"""What a TOML file holds."""


def read(path: Path) -> Tree:
    """The tree of a file; ScenarioError if it is no regular, short, readable UTF-8 TOML file."""
    place = str(path)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise _refusal(place, "is a folder", "a TOML file", "name the file in it")
        if not stat.S_ISREG(status.st_mode):
            raise _refusal(place, "is no regular file", "a TOML file", "copy it into a file")
        if status.st_size > MAX_BYTES:
            raise _refusal(
                place, f"{status.st_size:,} bytes", f"at most {MAX_BYTES:,} bytes", "take out what is no key"
            )
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, ScenarioError):
            raise
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise _refusal(
            place, f"cannot be read ({reason})", "a readable TOML file", f"check name and rights{meant(path, '.toml')}"
        ) from None
    return parse(content, place)


def parse(content: bytes, place: str) -> Tree:
    """The tree of a TOML text; ScenarioError if it is none, too deep, or holds integers beyond 64 bits."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refusal(place, f"is not UTF-8 at byte {error.start}", "UTF-8 text", "save it as UTF-8") from None
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _refusal(place, f"is no TOML ({error})", "TOML", "mend that line; see `macrohard init`") from None
    except RecursionError:
        raise _too_deep(place) from None
    except (ValueError, OverflowError):
        raise _refusal(place, "holds a number beyond all range", "64-bit numbers", "shorten it") from None
    if monster := monstrous(tree, place):
        raise ScenarioError([monster])
    return tree


def monstrous(tree: Tree, place: str) -> Fault | None:
    """What in a tree no code should be let near: nesting without end, integers beyond 64 bits."""
    stack: list[tuple[tuple[str, ...], Any]] = [((), tree)]
    while stack:
        path, value = stack.pop()
        if len(path) > MAX_DEPTH:
            return _too_deep(place).faults[0]
        if isinstance(value, dict):
            stack += [((*path, key), inner) for key, inner in value.items()]
        elif isinstance(value, list):
            stack += [((*path, str(number)), inner) for number, inner in enumerate(value)]
        elif isinstance(value, int) and abs(value) > _MAX_INTEGER:
            return Fault(place, ".".join(path), value, "allowed: integers of 64 bits", "make it smaller")
    return None


def written(tree: Mapping[str, Any]) -> str:
    """The tree as TOML; absent values (None) are left out."""
    return "\n".join(_table(tree, ())).strip() + "\n"


def value_text(value: object) -> str:
    """One value as TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping):
        pairs = (f"{key} = {value_text(inner)}" for key, inner in value.items() if inner is not None)
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(value_text(inner) for inner in value) + "]"
    return repr(value)


def _table(tree: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    plain = {key: value for key, value in tree.items() if not isinstance(value, Mapping) and not _is_array(value)}
    lines = [f"{key} = {value_text(value)}" for key, value in plain.items() if value is not None]
    if path and (lines or not tree):
        lines = ["", f"[{'.'.join(path)}]", *lines]
    for key, value in tree.items():
        if isinstance(value, Mapping):
            lines += _table(value, (*path, key))
        elif _is_array(value):
            for item in value:
                inner = [f"{name} = {value_text(part)}" for name, part in item.items() if part is not None]
                lines += ["", f"[[{'.'.join((*path, key))}]]", *inner]
    return lines


def _is_array(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _too_deep(place: str) -> ScenarioError:
    return _refusal(place, "is nested too deeply", f"at most {MAX_DEPTH} levels", "flatten it")


def _refusal(place: str, what: str, allowed: str, remedy: str) -> ScenarioError:
    return ScenarioError([Fault(place, what, None, f"allowed: {allowed}", remedy, has_value=False)])
