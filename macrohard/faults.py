"""What is wrong with a scenario: one line per fault, all of them in one error."""

from collections.abc import Iterable
from dataclasses import dataclass

_SHOWN = 100
_WIDTH = 80


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, and what to do about it."""

    place: str
    """The file, or where else the value came from."""
    key: str
    value: object
    allowed: str
    remedy: str
    has_value: bool = True

    def __str__(self) -> str:
        """One line: file, key, value, allowed range, remedy."""
        key = printable(self.key)
        subject = f"{key} = {shown(self.value)}" if self.has_value else key
        return ": ".join(part for part in (printable(self.place), subject, f"{self.allowed}; {self.remedy}") if part)


class ScenarioError(ValueError):
    """A scenario that cannot be run, with every fault that was found in it."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        """Keeps the faults in the order they were found; the text has one line for each, up to a hundred."""
        self.faults = tuple(faults)
        lines = [str(fault) for fault in self.faults[:_SHOWN]]
        if len(self.faults) > _SHOWN:
            lines.append(f"... and {len(self.faults) - _SHOWN:,} more faults like these")
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[type["ScenarioError"], tuple[tuple[Fault, ...]]]:
        """Crosses to another process whole."""
        return type(self), (self.faults,)


def shown(value: object) -> str:
    """A value as it may be printed: on one line, without control characters, cut where it is long."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return (
            str(value)
            if value.bit_length() < 200
            else f"an integer of about {value.bit_length() * 0.30103:,.0f} digits"
        )
    if isinstance(value, str):
        return _cut(repr(value[: _WIDTH + 1]).replace("\\\\", "\\"))
    if isinstance(value, dict):
        return f"a table of {len(value):,} key{'s' if len(value) != 1 else ''}"
    if isinstance(value, list | tuple):
        return f"an array of {len(value):,}"
    return printable(str(value))


def printable(text: str) -> str:
    """The text on one line, control characters escaped, cut where it is long."""
    text = text[: 4 * _WIDTH]
    return _cut("".join(c if c.isprintable() else ascii(c)[1:-1] for c in text), 3 * _WIDTH)


def _cut(text: str, width: int = _WIDTH) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."
