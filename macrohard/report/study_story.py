"""The answer of a sweep in three sentences, and what to know before relying on it."""

import math
from collections.abc import Hashable, Mapping, Sequence

import pandas as pd

from macrohard.report.quantity import duration, percent
from macrohard.report.study import Spread, Study, at_levels, is_full, is_number
from macrohard.report.wording import better, called, capital, condition, listed, written

HELD = {
    "backlog": ("Too few tickets ready to work on", "more of anything else changes little: bring more of them"),
    "agents": ("The number of agents", "agents are what to add"),
    "gpus": ("GPUs that streams share", "GPUs, a lighter model or shorter contexts are what to change"),
    "power": ("Power", "supply or Megapacks are what to add"),
}
OTHERS = {"backlog": "the backlog", "agents": "agents", "gpus": "GPUs", "power": "power"}
FEW_REPLICATES = 10
SMALL = 0.02


def answer(study: Study) -> tuple[str, str, str]:
    """What was asked, what came out, what limits it and what to change."""
    return asked(study), outcome(study), limit(study)


def asked(study: Study) -> str:
    """The question with its plan."""
    factors = [_range(study, factor) for factor in study.factors]
    lead = study.about.strip().rstrip(".") or f"What hangs on {listed([called(each) for each in study.factors])}"
    words = f"{lead}: {study.n_points:,} points of {study.scenario} over {listed(factors)}"
    runs, done = len(study.runs), len(study.done)
    words += f", {study.replicates:,} runs each" if study.replicates > 1 else ", one run each"
    words += f" of {duration(study.hours)}" if math.isfinite(study.hours) else ""
    spared = int((study.runs["status"] == "spared").sum())
    words += f"; all {runs:,} finished" if done == runs else f"; {done:,} of {runs:,} finished"
    return words + (f", {spared:,} were spared by the stop rule." if spared else ".")


def _range(study: Study, factor: str) -> str:
    column = study.runs[factor]
    if not is_number(column):
        return f"{called(factor)} ({', '.join(sorted(map(str, column.unique())))})"
    low, high = float(column.min()), float(column.max())
    return (
        f"{called(factor)} (from {written(factor, low)} to {written(factor, high)})" if high > low else called(factor)
    )


def outcome(study: Study) -> str:
    """Where each figure was best and worst, with intervals, most moved first."""
    told = [words for metric in study.metrics if (words := _moved(study, metric))]
    still = [called(metric) for metric in study.metrics if study.at_points(metric) and not study.varies(metric)]
    if not told and not still:
        return "No run finished, so nothing came out."
    words = "; ".join(told[: 3 if len(study.factors) < 3 else 2])
    words = f"{capital(words)}." if words else ""
    if still:
        words += f" {capital(listed(still))} did not change at all."
    return words.strip()


def _moved(study: Study, metric: str) -> str:
    points = study.at_points(metric)
    if not points or not study.varies(metric):
        return ""
    first, last = min(points, key=lambda at: points[at].mean), max(points, key=lambda at: points[at].mean)
    worse_first = (last, first) if better(metric) < 0 else (first, last)
    a, b = (points[at] for at in worse_first)
    size = abs(a.mean - b.mean) / max(abs(a.mean), abs(b.mean))
    if size < SMALL:
        return f"{called(metric)} moves by {percent(size)} only, around {written(metric, (a.mean + b.mean) / 2)}"
    verb = "goes from" if better(metric) == 0 else "improves from"
    return (
        f"{called(metric)} {verb} {_known(metric, a)} at {_where(study, worse_first[0])} to {_known(metric, b)} at "
        f"{_where(study, worse_first[1])}"
    )


def _known(metric: str, each: Spread) -> str:
    if each.n < 2 or each.high - each.low <= 1e-9 * max(abs(each.high), 1e-9):
        return written(metric, each.mean)
    return f"{written(metric, each.mean)} (80 % of runs {written(metric, each.low)} to {written(metric, each.high)})"


def _where(study: Study, point: int) -> str:
    return ", ".join(f"{called(key)} = {written(key, value)}" for key, value in study.point(point).items())


def limit(study: Study) -> str:
    """What held the work back, which lever is longest, and where the conditions begin to hold."""
    held = study.held_back()
    parts = []
    if held and max(held.values()) > 0:
        first = next(iter(held))
        who, remedy = HELD[first]
        parts.append(f"{who} held the work back {percent(held[first])} of the time{_shift(study, first)}, so {remedy}")
    moving = [metric for metric in study.metrics if study.varies(metric)]
    if moving and len(study.factors) > 1:
        first_factor = called(study.drivers(moving[0])[0])
        parts.append(f"of the factors tried {first_factor} moves {called(moving[0])} most")
    parts += _safe(study)
    return (
        "; ".join(parts)[:1].upper() + "; ".join(parts)[1:] + "." if parts else "Nothing can be said of what limits it."
    )


def _shift(study: Study, first: str) -> str:
    """Whether that was so at every point, or at how many."""
    causes = [next(iter(held)) for _, rows in study.done.groupby("point") if (held := study.held_back(rows))]
    same = sum(cause == first for cause in causes)
    if same == len(causes):
        return " at every point" if len(causes) > 1 else ""
    others = listed([f"{OTHERS[cause]} at {causes.count(cause)}" for cause in dict.fromkeys(causes) if cause != first])
    return f" on average ({OTHERS[first]} came first at {same} of {len(causes)} points, {others})"


def _safe(study: Study) -> list[str]:
    """At which levels of the first factor the conditions hold in every run, at each level of the second."""
    for (x, y), table in study.feasible.items():
        names = f"there is {' and '.join(map(condition, study.conditions))}"
        share = float(study_share(table))
        if share >= 1:
            return [f"{names} in every run"]
        if share <= 0:
            return [f"{names} in every run at no point"]
        if not is_full(table):
            return [f"{names} at {percent(share)} of the points"]
        alike: list[tuple[str, list[Hashable]]] = []  # levels of the second in a row that say the same
        for level in table.index:
            held = {at: bool(share >= 1 - 1e-9) for at, share in table.loc[level].items() if share == share}
            told = _levels(x, held, is_number(study.runs[x]))
            if not alike or alike[-1][0] != told:
                alike.append((told, []))
            alike[-1][1].append(level)
        is_ordered = is_number(study.runs[y])
        found = [f"{told} (where {called(y)} = {_span(y, levels, is_ordered)})" for told, levels in alike[:4]]
        return [f"{names} in every run {listed(found)}"]
    return []


def _span(factor: str, levels: Sequence[Hashable], is_ordered: bool) -> str:
    """Levels in a row, as a range where they have an order."""
    texts = [written(factor, level) for level in levels]
    return f"{texts[0]} to {texts[-1]}" if is_ordered and len(texts) > 1 else listed(texts)


def _levels(factor: str, held: Mapping[Hashable, bool], is_ordered: bool) -> str:
    """Those levels of a factor, given in order, at which something held: as a range where they are one."""
    levels = list(held)
    places = [place for place, level in enumerate(levels) if held[level]]
    if not places:
        return f"at no level of {called(factor)}"
    if len(places) == len(levels):
        return f"at every level of {called(factor)}"
    first, last = places[0], places[-1]
    low, high = (written(factor, levels[place]) for place in (first, last))
    if not is_ordered or len(places) < last - first + 1 or first == last and 0 < first < len(levels) - 1:
        return f"at {called(factor)} = {listed([written(factor, levels[place]) for place in places])}"
    if last == len(levels) - 1:
        return f"from {called(factor)} = {low} on"
    return f"up to {called(factor)} = {high}" if first == 0 else f"from {called(factor)} = {low} to {high}"


def study_share(table: pd.DataFrame) -> float:
    """Share of the cells in which conditions hold in every run."""
    there = table.to_numpy(float)
    known = there[there == there]
    return float((known >= 1 - 1e-9).mean()) if known.size else 0.0


def cautions(study: Study) -> list[str]:
    """Sentences on what the sweep cannot carry."""
    found = []
    missing = int((study.runs["status"] == "missing").sum())
    failed = int((study.runs["status"] == "failed").sum())
    if missing:
        found.append(f"{missing:,} runs have not been made yet; the same command goes on with them.")
    if failed:
        found.append(f"{failed:,} runs failed and are in no figure here; they are listed below.")
    if study.replicates < 2:
        found.append("One run a point: what is chance and what is effect cannot be told apart. Raise replicates.")
    elif study.replicates < FEW_REPLICATES:
        found.append(
            f"{study.replicates} runs a point: an 80 % interval of so few is little more than lowest to highest, and a "
            "rare event (an outage) may be in none of them. Raise replicates before deciding."
        )
    binned = [
        called(each) for each in study.factors if study.runs[each].nunique() > at_levels(study.runs[each]).nunique()
    ]
    if binned:
        found.append(
            f"Values of {listed(binned)} were drawn; curves show them in eight groups of equal count, maps in "
            "eight of equal width."
        )
    found.append("Points share their seeds: the same luck at every point. Differences are surer than levels.")
    return found
