"""Where a scenario's values come from: file, environment and --set, laid over each other, each leaf with its origin."""

import tomllib
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from macrohard.faults import Fault
from macrohard.scenario.fields import Path, dotted, field_at, is_array, may_be_absent, takes
from macrohard.scenario.toml_text import Tree, monstrous, value_text

PREFIX = "MACROHARD_"
"""Environment variables MACROHARD_<SECTION>__<KEY> set a key."""

_MAX_TEXT = 10_000


@dataclass(frozen=True)
class Setting:
    """One value from outside the file."""

    key: str
    text: str
    origin: str


Given = str | tuple[str, object] | Setting
"""What lays a value over another: a text KEY=VALUE, a pair of key and value, or a Setting with its origin."""


@dataclass
class Draft:
    """Values on their way to a scenario: the tree as given, who gave each leaf, and what was wrong with the giving."""

    place: str
    """The file."""
    tree: Tree
    origins: dict[str, str] = field(default_factory=dict)
    """Origin by dotted key, of what is not from the file."""
    faults: list[Fault] = field(default_factory=list)

    def copy(self) -> "Draft":
        """Another one, to be changed apart."""
        return Draft(self.place, deepcopy(self.tree), dict(self.origins), [])

    def origin(self, key: str) -> str:
        """Who gave the value of a key, or of a table or array around it; "file" or "default" if nobody else did."""
        around = key
        while around:
            if around in self.origins:
                return self.origins[around]
            around = around.rpartition(".")[0]
        return "file" if self._given(key) else "default"

    def lay(self, model: type[BaseModel], settings: Iterable[Setting]) -> None:
        """Lays settings over the tree, later ones over earlier ones; what cannot be laid becomes a fault."""
        for setting in settings:
            path: Path = tuple(_part(part) for part in setting.key.split("."))
            if len(path) < 2 or "" in path or len(path) > 8:
                self._refuse(setting, "section.key=value", "write it like cluster.n_gpus=55000")
                continue
            if self._put(path, _value(model, path, setting.text), setting):
                for below in [key for key in self.origins if key.startswith(dotted(path) + ".")]:
                    del self.origins[below]
                self.origins[dotted(path)] = setting.origin

    def _put(self, path: Path, value: object, setting: Setting) -> bool:
        at: Any = self.tree
        for part, after in zip(path[:-1], path[1:], strict=True):
            inner: Any = [] if isinstance(after, int) else {}
            if isinstance(at, dict):
                at = at.setdefault(str(part), inner)
            elif isinstance(at, list) and isinstance(part, int) and part <= len(at):
                if part == len(at):
                    at.append(inner)
                at = at[part]
            else:
                return self._no_place(at, part, setting)
        last = path[-1]
        if isinstance(at, dict):
            at[str(last)] = value
        elif isinstance(at, list) and isinstance(last, int) and last <= len(at):
            at[last : last + 1] = [value]
        else:
            return self._no_place(at, last, setting)
        return True

    def _no_place(self, at: object, part: str | int, setting: Setting) -> bool:
        if isinstance(at, list):
            self._refuse(setting, f"items 0 to {len(at)}, the last to add one", f"{part} is none of them")
        else:
            self._refuse(setting, "keys of tables", f"there is nothing below {setting.key.rpartition('.')[0]}")
        return False

    def _refuse(self, setting: Setting, allowed: str, remedy: str) -> None:
        where = f"{self.place} ({setting.origin})"
        self.faults.append(Fault(where, setting.key or "(no key)", setting.text, f"allowed: {allowed}", remedy))

    def _given(self, key: str) -> bool:
        at: Any = self.tree
        for part in key.split("."):
            if isinstance(at, list) and part.isdecimal() and int(part) < len(at):
                at = at[int(part)]
            elif isinstance(at, dict) and part in at:
                at = at[part]
            else:
                return False
        return True


def of_arguments(arguments: Iterable[Given]) -> list[Setting]:
    """Settings of `--set KEY=VALUE`; one without "=" keeps an empty key and is refused when laid."""
    found = []
    for argument in [arguments] if isinstance(arguments, str) else arguments:
        if isinstance(argument, Setting):
            found.append(argument)
            continue
        if isinstance(argument, tuple):
            key, value = argument
            found.append(Setting(key, "none" if value is None else value_text(value), "--set"))
            continue
        key, equals, text = argument.partition("=")
        found.append(Setting(key.strip(), text.strip(), "--set") if equals else Setting("", argument, "--set"))
    return found


def of_environment(environment: Mapping[str, str]) -> list[Setting]:
    """Settings of MACROHARD_<SECTION>__<KEY>, tables within tables parted by two underscores again."""
    return [
        Setting(name[len(PREFIX) :].lower().replace("__", "."), text.strip(), f"environment {name}")
        for name, text in sorted(environment.items())
        if name.startswith(PREFIX) and "__" in name[len(PREFIX) :]
    ]


def _value(model: type[BaseModel], path: Path, text: str) -> object:
    """The text read as TOML, or as it stands where a text is wanted or it is no TOML."""
    wanted = field_at(model, path)
    text = text[:_MAX_TEXT]
    if wanted is not None and may_be_absent(wanted) and text.lower() == "none":
        return ""
    try:
        tree = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    value = tree.get("value")
    if len(tree) != 1 or "\n" in text or monstrous(tree, ""):
        return text
    is_text = wanted is not None and not is_array(wanted) and takes(wanted, str)
    return text if is_text and not isinstance(value, str) else value


def _part(text: str) -> str | int:
    return int(text) if text.isdecimal() and len(text) < 7 else text
