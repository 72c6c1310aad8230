"""Scenario: everything a run needs, checked at the door; load it, override it, ask where a value came from."""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from pydantic import PrivateAttr

from macrohard import names
from macrohard.faults import Fault, ScenarioError
from macrohard.scenario import toml_text
from macrohard.scenario.checking import checked
from macrohard.scenario.fields import dotted, leaves
from macrohard.scenario.sections import (
    Backlog,
    Capability,
    Cluster,
    Economics,
    Power,
    Quality,
    Run,
    Section,
    Serving,
    Tokens,
    Training,
    Workforce,
)
from macrohard.scenario.settings import Draft, Given, Setting, of_arguments, of_environment


class Scenario(Section):
    """Everything a run needs. Make one with `load`, `parse` or `override`: they refuse what cannot be run."""

    run: Run = Run()
    workforce: Workforce = Workforce()
    capability: Capability = Capability()
    quality: Quality = Quality()
    backlog: Backlog = Backlog()
    tokens: Tokens = Tokens()
    serving: Serving = Serving()
    training: Training = Training()
    cluster: Cluster = Cluster()
    power: Power = Power()
    economics: Economics = Economics()

    _draft: Draft = PrivateAttr(default_factory=lambda: Draft("python", {}))

    @classmethod
    def load(
        cls,
        scenario: str | Path = names.DEFAULT_SCENARIO,
        settings: Iterable[Given] = (),
        environment: Mapping[str, str] | None = None,
    ) -> "Scenario":
        """A bundled scenario by name, or a TOML file, with the environment and then `settings` laid over it.

        `settings` are texts KEY=VALUE. ScenarioError names every fault of file, environment and settings at once.
        """
        name, path = str(scenario), Path(scenario)
        if name in bundled():
            draft = Draft(name, toml_text.parse(_bundled_file(name).read_bytes(), name))
            draft.tree.setdefault("run", {}).setdefault("name", name)
        elif _looks_bundled(name) and not path.exists():
            raise ScenarioError([_no_such_scenario(name)])
        else:
            draft = Draft(name, toml_text.read(path))
            _refuse_experiment(draft)
            _name_after(draft, path)
            _anchor_backlog(draft, path.parent)
        outside = of_environment(os.environ if environment is None else environment)
        return cls._laid(draft, [*outside, *of_arguments(settings)])

    @classmethod
    def parse(cls, text: str, place: str = "text", settings: Iterable[Given] = ()) -> "Scenario":
        """A scenario from TOML text; the environment is left alone."""
        return cls._laid(
            Draft(place, toml_text.parse(text.encode(errors="surrogateescape"), place)), of_arguments(settings)
        )

    def override(self, settings: Iterable[Given]) -> "Scenario":
        """The same scenario with texts KEY=VALUE, or pairs, laid over it; ScenarioError names every fault."""
        return type(self)._laid(self._draft.copy(), of_arguments(settings))

    @classmethod
    def _laid(cls, draft: Draft, settings: list[Setting]) -> "Scenario":
        draft.lay(cls, settings)
        _anchor_backlog(draft, Path())
        scenario = checked(cls, draft)
        scenario._draft = draft
        return scenario

    @property
    def name(self) -> str:
        """What results call it."""
        return self.run.name

    @property
    def n_agents(self) -> int:
        """Simulated agents of all roles."""
        force = self.workforce
        return force.coding + force.design + force.testing + force.management

    @cached_property
    def sha256(self) -> str:
        """Fingerprint of all values that can change a result; a backlog file counts by its content, not its place."""
        values = self.model_dump(mode="json", exclude={"run": {"memory_limit_gb"}})
        if self.backlog.file:
            values["backlog"]["file"] = hashlib.sha256(Path(self.backlog.file).read_bytes()).hexdigest()
        text = json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def to_toml(self) -> str:
        """All values, defaults too, as TOML that reads back as an equal scenario, of equal results.

        Read back, every value counts as given by the file: that pins it against defaults that change. What was given
        and what was not is kept by `given_toml`.
        """
        return toml_text.written(self.model_dump())

    def given_toml(self) -> str:
        """What was given, defaults left out, as TOML that reads back as an equal scenario of equal origins."""
        return toml_text.written(self._draft.tree)

    def origin(self, key: str) -> str:
        """Where the value of a dotted key came from: "--set", "environment NAME", the file, or "default"."""
        origin = self._draft.origin(key)
        within = [f"{origin} {inner}" for inner, origin in self._draft.origins.items() if inner.startswith(f"{key}.")]
        return ", ".join([self._draft.place if origin == "file" else origin, *within])

    def explain(self) -> list[tuple[str, str, str]]:
        """Key, value and origin of every key, in order."""
        rows = []
        for path, _ in leaves(type(self)):
            value: Any = self
            for part in path:
                value = getattr(value, str(part))
            if isinstance(value, tuple):
                value = [item.model_dump() if isinstance(item, Section) else item for item in value]
            rows.append(
                (dotted(path), "none" if value is None else toml_text.value_text(value), self.origin(dotted(path)))
            )
        return rows

    def __eq__(self, other: object) -> bool:
        """Equal values, wherever they came from."""
        return isinstance(other, Scenario) and self.model_dump() == other.model_dump()

    def __hash__(self) -> int:
        """Equal for equal values."""
        return hash(self.sha256)


def bundled() -> dict[str, str]:
    """The bundled scenarios: name and what each is about, the default first."""
    found = {}
    for file in _folder().iterdir():
        if file.name.endswith(".toml"):
            about = toml_text.parse(file.read_bytes(), file.name).get("run", {}).get("about", "")
            found[file.name.removesuffix(".toml")] = about
    return dict(sorted(found.items(), key=lambda item: (item[0] != names.DEFAULT_SCENARIO, item[0])))


def source_text(name: str) -> str:
    """The commented text of a bundled scenario."""
    return _bundled_file(name).read_text(encoding="utf-8")


def _folder() -> Traversable:
    return files("macrohard").joinpath("scenarios")


def _bundled_file(name: str) -> Traversable:
    return _folder().joinpath(f"{name}.toml")


def _looks_bundled(name: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9_-]{1,80}", name) is not None


def _no_such_scenario(name: str) -> Fault:
    near = names.nearest(name, bundled())
    allowed = f"no such scenario; allowed: a TOML file, or one of {', '.join(bundled())}"
    return Fault(name, "scenario", name, allowed, f"did you mean {near}?" if near else "see `macrohard scenarios`")


def _refuse_experiment(draft: Draft) -> None:
    own = [key for key in ("scenario", "factors", "design") if key in draft.tree]
    if own:
        remedy = f"run it with `macrohard sweep run {draft.place}`"
        told = "is a key of experiments; allowed here: a scenario"
        raise ScenarioError([Fault(draft.place, own[0], None, told, remedy, has_value=False)])


def _name_after(draft: Draft, path: Path) -> None:
    run = draft.tree.get("run", {})
    stem = re.sub(r"[^A-Za-z0-9._ -]", "-", path.stem)[:80]
    if isinstance(run, dict) and "name" not in run and stem[:1].isalnum():
        draft.tree["run"] = {"name": stem, **run}


def _anchor_backlog(draft: Draft, folder: Path) -> None:
    """A backlog file named in a scenario file lies beside it, one named in a setting where the command is given.

    From here on its path is absolute: a sweep's worker may stand in another folder.
    """
    backlog = draft.tree.get("backlog", {})
    name = backlog.get("file") if isinstance(backlog, dict) else None
    if isinstance(name, str) and name and name.isprintable():
        backlog["file"] = str(folder.absolute() / name)
