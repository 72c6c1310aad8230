"""A comparison as its page sees it, its answer in three sentences, and what to know before relying on it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pandas as pd

from macrohard.report.quantity import percent
from macrohard.report.wording import better, called, capital, listed, written

FEW_PAIRS = 5
MANY_FIGURES = 10


class Difference(Protocol):
    """A figure of B against A over pairs; the interval is that of the mean difference, 95 %."""

    @property
    def metric(self) -> str: ...  # noqa: D102
    @property
    def n(self) -> int: ...  # noqa: D102
    @property
    def mean_a(self) -> float: ...  # noqa: D102
    @property
    def mean_b(self) -> float: ...  # noqa: D102
    @property
    def difference(self) -> float: ...  # noqa: D102
    @property
    def low(self) -> float | None: ...  # noqa: D102
    @property
    def high(self) -> float | None: ...  # noqa: D102


@dataclass(frozen=True)
class Comparison:
    """Two sets of runs as their page sees them. `pairs` has a row per pair, columns 'FIGURE a' and 'FIGURE b'."""

    a: str
    b: str
    differences: Sequence[Difference]
    pairs: pd.DataFrame
    settings: Mapping[str, tuple[object, object]] = field(default_factory=dict)
    """What the two were told otherwise: key, value in A, value in B."""
    told: Mapping[str, str] = field(default_factory=dict)


def answer(found: Comparison) -> tuple[str, str, str]:
    """What was compared, what came out with its interval, what can be told and what to change."""
    n = max((each.n for each in found.differences), default=0)
    what = _otherwise(found) or "their settings"
    sure = [each for each in found.differences if is_sure(each)]
    unsure = [called(each.metric) for each in found.differences if not is_sure(each) and each.difference != 0]
    same = [called(each.metric) for each in found.differences if each.difference == 0]
    pairs = "one pair" if n == 1 else f"{n} pairs"
    asked = f"B ({found.b}) against A ({found.a}), which differ in {what}: {pairs} of runs of equal seed and luck."
    told = sure if n != 1 else [each for each in found.differences if each.difference]
    out = "; ".join(_change(each) for each in sorted(told, key=lambda each: -_size(each))[:4])
    out = f"{capital(out)}." if out else "No difference is larger than chance." if n != 1 else "Nothing differs."
    if n == 1:
        remedy = "run both as points of a sweep with replicates (macrohard sweep run) to tell"
        return asked, out, f"One pair cannot tell effect from chance: {remedy}."
    parts = []
    if unsure:
        parts.append(f"no difference can be told for {listed(unsure)}: more replicates narrow it")
    if same:
        parts.append(f"{listed(same)} {'is' if len(same) == 1 else 'are'} the same in every pair")
    parts.append(_verdict(sure))
    return asked, out, f"{capital('; '.join(parts))}."


def _otherwise(found: Comparison) -> str:
    shown = list(found.settings.items())[:3]
    told = [f"{called(key)} ({written(key, a)} in A, {written(key, b)} in B)" for key, (a, b) in shown]
    more = len(found.settings) - len(shown)
    return listed([*told, f"{more} more"] if more > 0 else told) if told else ""


def is_sure(each: Difference) -> bool:
    """Whether the interval of the difference leaves zero out."""
    return each.low is not None and each.high is not None and each.difference != 0 and each.low * each.high > 0


def _size(each: Difference) -> float:
    return abs(each.difference) / max(abs(each.mean_a), abs(each.mean_b), 1e-300)


def _change(each: Difference) -> str:
    way = "rises" if each.difference > 0 else "falls"
    share = f" by {percent(relative(each, abs(each.difference)))}" if each.mean_a else ""
    ends = f"from {written(each.metric, each.mean_a)} to {written(each.metric, each.mean_b)}{share}"
    if each.low is None or each.high is None:
        return f"{called(each.metric)} {way} {ends}"
    interval = f"{signed(each.metric, each.low)} to {signed(each.metric, each.high)}"
    return f"{called(each.metric)} {way} {ends} (95 % interval of the difference {interval})"


def signed(key: str, value: float) -> str:
    """A difference with its sign and unit."""
    return ("+" if value > 0 else "-" if value < 0 else "") + written(key, abs(value))


def relative(each: Difference, value: float) -> float:
    """A difference as a share of A."""
    return value / abs(each.mean_a) if each.mean_a else math.nan


def _verdict(sure: Sequence[Difference]) -> str:
    gains = [called(each.metric) for each in sure if each.difference * better(each.metric) > 0]
    losses = [called(each.metric) for each in sure if each.difference * better(each.metric) < 0]
    if gains and losses:
        return f"B is better in {listed(gains)} and worse in {listed(losses)}: which weighs more is for you to say"
    if gains:
        return f"B is better in {listed(gains)} and worse in nothing that can be told: take B"
    if losses:
        return f"B is worse in {listed(losses)} and better in nothing that can be told: stay with A"
    return "nothing here speaks for either"


def cautions(found: Comparison) -> list[str]:
    """Sentences on what the comparison cannot carry."""
    n = max((each.n for each in found.differences), default=0)
    words = []
    if n < 2:
        words.append("One pair has no interval: what is chance and what is effect cannot be told apart.")
    elif n < FEW_PAIRS:
        words.append(
            f"{n} pairs: the interval assumes that differences are spread like a bell, which so few cannot show."
        )
    if n > 1 and len(found.differences) > MANY_FIGURES:
        words.append("Of so many figures one in twenty differs by chance alone.")
    return words
