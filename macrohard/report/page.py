"""The report of a run as one HTML page that needs nothing else: the answer first, then figures and pictures."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from macrohard.report import paper
from macrohard.report.appendix import appendix
from macrohard.report.cautions import cautions
from macrohard.report.facts import Facts, Result, look_up
from macrohard.report.key_figures import Tile, chain, tiles
from macrohard.report.pictures import pictures
from macrohard.report.quantity import duration, in_words
from macrohard.report.story import answer

QUESTIONS = ("How much software", "What it took", "What limits it, and what to change")


def write_report(result: Result, path: str | Path) -> Path:
    """Write the page of a run to the path, whole or not at all, and return the path."""
    return paper.write_page(page(Facts.of(result)), path)


def page(facts: Facts) -> str:
    """The whole page as HTML text."""
    drawn = pictures(facts)
    ends = appendix(facts)
    body = [
        _head(facts),
        paper.contents([*drawn, *ends]),
        paper.answers(QUESTIONS, answer(facts)),
        paper.warnings(cautions(facts)),
        _tiles(tiles(facts)),
        _chain(facts),
    ]
    body += [paper.section(title, found) for title, found in drawn.items()]
    body += [paper.heading(title) + html for title, html in ends.items()]
    return paper.whole(f"{facts.name} · Macrohard report", body)


def _head(facts: Facts) -> str:
    parts = [f"{duration(facts.hours)} simulated"]
    start = look_up(facts.settings, "run.start")
    parts[0] += f" from {start}" if start else ""
    gpu, model = look_up(facts.settings, "cluster.gpu"), look_up(facts.settings, "serving.llm")
    if facts.pools:
        model = " + ".join(str(pool["llm"]) for pool in facts.pools)
    if gpu:
        parts.append(f"{in_words(facts.number('gpu.n_gpus'))} {gpu} GPUs")
    if model:
        parts.append(str(model))
    parts.append(f"seed {facts.text('scenario.seed') or 'unknown'}")
    return paper.head("Macrohard: from tickets to megawatts", facts.name, " · ".join(parts))


def _tiles(found: Sequence[Tile]) -> str:
    items = []
    for tile in found:
        number, _, unit = tile.figure.partition(" ")
        note = f'<div class="note">{escape(tile.note)}</div>' if tile.note else ""
        figure = f"{escape(number)} <small>{escape(unit)}</small>"
        items.append(f'<div class="tile"><dt>{escape(tile.name)}</dt><dd>{figure}{note}</dd></div>')
    return f'<dl class="tiles">{"".join(items)}</dl>'


def _chain(facts: Facts) -> str:
    links = chain(facts)
    if len(links) < 3:
        return ""
    items = "".join(f"<li><strong>{escape(figure)}</strong>{escape(name)}</li>" for name, figure in links)
    return f'<h2>What one finished ticket takes</h2><ol class="chain">{items}</ol>'
