"""Conditions on the command line, such as `power.unserved_mwh>0`: what a run must not do, or a size must reach."""

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from macrohard.faults import Fault, ScenarioError
from macrohard.names import nearest

_TESTS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}

_FORM = re.compile(r"\s*([a-z0-9_]+(?:\.[a-z0-9_]+)+)\s*(>=|<=|==|!=|>|<)\s*(\S+)\s*")


@dataclass(frozen=True)
class Target:
    """A condition on a figure of the summary; option: where on the command line it was written."""

    key: str
    test: str
    bound: float
    option: str = "--fail-on"

    def __str__(self) -> str:
        """As it was written."""
        return f"{self.key} {self.test} {self.bound:g}"

    def is_missed(self, summary: Mapping[str, Any]) -> bool:
        """Whether the condition came true; a figure that is not a number misses every target."""
        figure = self.figure(summary)
        return math.isnan(figure) or self.holds(figure)

    def holds(self, figure: float) -> bool:
        """Whether a figure meets the condition; what is no number meets none."""
        return _TESTS[self.test](figure, self.bound) and not math.isnan(figure)

    def holds_for(self, figure: float) -> bool:
        """Whether the condition is true of a figure; of nothing it is not."""
        return not math.isnan(figure) and _TESTS[self.test](figure, self.bound)

    def figure(self, summary: Mapping[str, Any]) -> float:
        """The figure it is about; ScenarioError if the summary has none of that name."""
        figures = _figures(summary)
        if self.key not in figures:
            near = nearest(self.key, figures)
            remedy = f"did you mean {near}?" if near else "see the keys of `macrohard run --json`"
            raise ScenarioError([Fault(self.option, self.key, None, "no such figure", remedy, has_value=False)])
        return figures[self.key]


def target(text: str, option: str = "--fail-on") -> Target:
    """A target from KEY OP NUMBER; ScenarioError if it is none."""
    found = _FORM.fullmatch(text)
    try:
        bound = float(found[3]) if found else math.nan
    except ValueError:
        bound = math.nan
    if found is None or math.isnan(bound):
        remedy = "write it like 'power.unserved_mwh>0', in quotes"
        raise ScenarioError([Fault(option, "test", text, "allowed: KEY OP NUMBER with OP of > >= < <= == !=", remedy)])
    return Target(found[1], found[2], bound, option)


def _figures(summary: Mapping[str, Any], path: str = "") -> dict[str, float]:
    found: dict[str, float] = {}
    for key, value in summary.items():
        if isinstance(value, Mapping):
            found |= _figures(value, f"{path}{key}.")
        elif value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            found[f"{path}{key}"] = math.nan if value is None else float(value)
    return found
