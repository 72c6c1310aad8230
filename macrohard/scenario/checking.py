"""From a draft to a checked scenario: every fault of types, ranges, names, contradictions and sizes in one error."""

import math
from collections.abc import Iterable
from copy import deepcopy
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from macrohard import names
from macrohard.faults import Fault, ScenarioError
from macrohard.scenario import contradictions, limits
from macrohard.scenario.fields import allowed, bounds, dotted, field_at, keys_of, takes
from macrohard.scenario.sections.section import SPELLING
from macrohard.scenario.settings import Draft

Model = TypeVar("Model", bound=BaseModel)
Loc = tuple[str | int, ...]

_LOW = ("greater_than", "greater_than_equal")
_HIGH = ("less_than", "less_than_equal")


def checked(model: type[Model], draft: Draft) -> Model:
    """The scenario of a draft; ScenarioError with all of its faults."""
    faults = list(draft.faults)
    scenario, errors = _validated(model, draft.tree)
    faults += [_fault(model, draft, error) for error in errors]
    wrong = {dotted(error["loc"]) for error in errors}
    if scenario is None:  # look for contradictions among the values that are right
        scenario, _ = _validated(model, _without(draft.tree, [error["loc"] for error in errors]))
    if scenario is not None:
        faults += _beyond_types(scenario, draft, wrong)
    if faults or scenario is None:
        raise ScenarioError(faults)
    return scenario


def _validated(model: type[Model], tree: dict[str, Any]) -> tuple[Model | None, list[ErrorDetails]]:
    try:
        return model.model_validate(_frozen(_with_warmup(tree))), []
    except ValidationError as error:
        return None, error.errors(include_url=False)


def _frozen(value: object) -> object:
    """Arrays as tuples, as the models hold them."""
    if isinstance(value, dict):
        return {key: _frozen(inner) for key, inner in value.items()}
    return tuple(_frozen(inner) for inner in value) if isinstance(value, list) else value


def _with_warmup(tree: dict[str, Any]) -> dict[str, Any]:
    """A warm-up that is left out is a day, at most a quarter of the horizon."""
    run = tree.get("run", {})
    horizon = run.get("horizon_h") if isinstance(run, dict) else None
    if isinstance(horizon, bool) or not isinstance(horizon, int | float) or "warmup_h" in run or not horizon > 0:
        return tree
    return {**tree, "run": {**run, "warmup_h": min(24.0, horizon / 4)}}


def _without(tree: dict[str, Any], wrong: Iterable[Loc]) -> dict[str, Any]:
    """The tree without the values at those places; an array with a wrong item goes whole."""
    kept = deepcopy(tree)
    for loc in wrong:
        at: Any = kept
        for part, after in zip(loc, (*loc[1:], None), strict=True):
            if not isinstance(at, dict) or part not in at:
                break
            if after is None or not isinstance(at[part], dict):
                del at[part]
                break
            at = at[part]
    return kept


def _beyond_types(scenario: BaseModel, draft: Draft, wrong: set[str]) -> list[Fault]:
    """Contradictions, sizes and missing files, as far as they rest on values that are right."""
    faults = []
    for tables, check in contradictions.CHECKS.items():
        for found in check(*(_value(scenario, table) for table in tables.split())):
            if not any(_touches(key, wrong) for key in (found.key, *found.others)):
                place, value = _place(draft, found.key), _value(scenario, found.key)
                faults.append(Fault(place, found.key, value, f"allowed: {found.allowed}", found.remedy))
    sizes = limits.beyond("", *(_value(scenario, table) for table in ("run", "workforce", "backlog")))
    faults += [Fault(_place(draft, each.key), each.key, each.value, each.allowed, each.remedy) for each in sizes]
    file = _value(scenario, "backlog.file")
    if isinstance(file, str) and file and not _touches("backlog.file", wrong) and not Path(file).is_file():
        where = _place(draft, "backlog.file")
        faults.append(Fault(where, "backlog.file", file, "no such file; allowed: a CSV file", "check the name"))
    return faults


def _touches(key: str, wrong: set[str]) -> bool:
    return any(key == each or each.startswith(f"{key}.") or key.startswith(f"{each}.") for each in wrong)


def _value(scenario: BaseModel, key: str) -> Any:
    at: Any = scenario
    for part in key.split("."):
        at = at[int(part)] if isinstance(at, tuple) else getattr(at, part)
    return at


def _place(draft: Draft, key: str) -> str:
    origin = draft.origin(key)
    return draft.place if origin in ("file", "default") else f"{draft.place} ({origin})"


def _fault(model: type[BaseModel], draft: Draft, error: ErrorDetails) -> Fault:
    loc, kind, value = error["loc"], error["type"], error["input"]
    key, place = dotted(loc), _place(draft, dotted(loc))
    if kind == "extra_forbidden":
        known = keys_of(model, loc[:-1])
        near = names.nearest(str(loc[-1]), known)
        meant = f"did you mean {dotted((*loc[:-1], near))}?" if near else "take it out; see `macrohard schema`"
        return Fault(place, key, value, f"no such key; allowed here: {', '.join(known)}", meant)
    field = field_at(model, loc)
    choices = f"allowed: {allowed(field) if field else 'a table of keys'}"
    if kind == "missing":
        return Fault(place, key, None, f"is missing; {choices}", "add it", has_value=False)
    context = error.get("ctx", {})
    if kind == "name":
        meant = f"did you mean {context['near']!r}?"
        return Fault(place, key, value, f"no such name; allowed: {context['choices']}", meant)
    if kind == "string_pattern_mismatch":
        choices = f"allowed: {SPELLING[context['pattern']]}"
    elif kind == "string_too_long":
        choices = f"allowed: a text of at most {context['max_length']} characters"
    elif kind in ("text", "string_unicode"):
        choices = "allowed: a text without line breaks and control characters"
    return Fault(place, key, value, choices, _remedy(kind, value, field))


def _remedy(kind: str, value: object, field: FieldInfo | None) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "give a number that is neither nan nor inf"
    if kind in _LOW:
        return "make it larger"
    if kind in _HIGH:
        return "make it smaller"
    if field is not None and bounds(field) and isinstance(value, str):
        return "write a number, without quotes"
    if field is not None and isinstance(value, float) and takes(field, int):
        return "write it without a fraction"
    if isinstance(value, tuple | list | dict):
        return "write one value"
    return "write it as allowed"
