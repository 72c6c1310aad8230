"""The report of a run as one HTML page that needs nothing else: the answer first, then figures and pictures."""

import os
import re
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path

from macrohard.report.appendix import anchor, appendix
from macrohard.report.cautions import cautions
from macrohard.report.chart import definitions
from macrohard.report.facts import Facts, Result, look_up
from macrohard.report.key_figures import Tile, chain, tiles
from macrohard.report.picture import Picture
from macrohard.report.pictures import pictures
from macrohard.report.quantity import duration, in_words
from macrohard.report.story import answer

SECTIONS = (
    *("run", "workforce", "capability", "quality", "backlog", "tokens", "serving", "training"),
    *("cluster", "power", "economics"),
)
WIDE_PX, HALF_PX, SMALL_PX = 990, 465, 400
KEY = re.compile(rf"\b((?:{'|'.join(SECTIONS)})\.[a-z_]+(?:\.[a-z_]+)*)\b")
UNIT = re.compile(r"(?<=\d) (?=(?:%|[kMGT]?Wh?|[kMBT]|USD|GPU-h|h|min|s|days|million|billion|trillion|kg|kt|t|g)\b|%)")
QUESTIONS = ("How much software", "What it took", "What limits it, and what to change")


def write_report(result: Result, path: str | Path) -> Path:
    """Write the page of a run to the path, whole or not at all, and return the path."""
    target = Path(path)
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with draft.open("w", encoding="utf-8") as sink:
            sink.write(page(Facts.of(result)))
            sink.flush()
            os.fsync(sink.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return target


def page(facts: Facts) -> str:
    """The whole page as HTML text."""
    style = files("macrohard.report").joinpath("page.css").read_text(encoding="utf-8")
    drawn = pictures(facts)
    ends = appendix(facts)
    body = [
        _head(facts),
        _contents([*drawn, *(title for title, _ in ends)]),
        _answer(facts),
        _cautions(facts),
        _tiles(tiles(facts)),
        _chain(facts),
    ]
    body += [_section(title, found) for title, found in drawn.items()]
    body += [html for _, html in ends]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(facts.name)} · Macrohard report</title><style>{style}</style></head><body>"
        f"{definitions()}<main>{''.join(body)}</main></body></html>\n"
    )


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
    return (
        f'<header><p class="kicker">Macrohard: from tickets to megawatts</p><h1>{escape(facts.name)}</h1>'
        f'<p class="lead">{escape(" · ".join(parts))}</p></header>'
    )


def _contents(titles: Sequence[str]) -> str:
    return "<nav>" + "".join(f'<a href="#{anchor(title)}">{escape(title)}</a>' for title in titles) + "</nav>"


def _answer(facts: Facts) -> str:
    items = zip(QUESTIONS, answer(facts), strict=True)
    return (
        '<ol class="answer">'
        + "".join(f"<li><b>{escape(q)}</b><span>{with_code(a)}</span></li>" for q, a in items)
        + "</ol>"
    )


def _cautions(facts: Facts) -> str:
    found = cautions(facts)
    if not found:
        return ""
    items = "".join(f"<li>{with_code(words)}</li>" for words in found)
    return f'<aside class="cautions"><h2>Before relying on this</h2><ul>{items}</ul></aside>'


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


def _section(title: str, found: Sequence[Picture]) -> str:
    figures = "".join(_figure(picture, wide) for picture, wide in _laid_out(found))
    return f'<h2 id="{anchor(title)}">{escape(title)}</h2><div class="figures">{figures}</div>'


def _laid_out(found: Sequence[Picture]) -> list[tuple[Picture, bool]]:
    """Each picture and whether it takes the whole width: narrow ones stand in pairs, one left alone is widened."""
    placed: list[tuple[Picture, bool]] = []
    open_pair = False
    for picture in found:
        if picture.wide and open_pair:
            placed[-1] = (placed[-1][0], True)
        open_pair = not picture.wide and not open_pair
        placed.append((picture, picture.wide))
    if open_pair:
        placed[-1] = (placed[-1][0], True)
    return placed


def _figure(picture: Picture, wide: bool) -> str:
    return (
        f'<figure id="{picture.name}"{" class=wide" if wide else ""}><h3>{escape(picture.title)}</h3>'
        f"<figcaption>{with_code(picture.caption)}</figcaption>"
        f'<div class="large">{picture.draw(WIDE_PX if wide else HALF_PX)}</div>'
        f'<div class="small">{picture.draw(SMALL_PX)}</div></figure>'
    )


def with_code(words: str) -> str:
    """A sentence as HTML: the scenario keys in it (power.grid_mw) set as code, numbers kept with their units."""
    return UNIT.sub("\u00a0", KEY.sub(r"<code>\1</code>", escape(words, quote=False)))
