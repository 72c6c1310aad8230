"""What every page is made of: head, contents, the answer first, cautions, figures; one file that needs nothing."""

import re
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path

from macrohard.outbox import deliver
from macrohard.report.chart import definitions
from macrohard.report.picture import Picture

SECTIONS = (
    *("run", "workforce", "capability", "quality", "backlog", "tokens", "serving", "training"),
    *("cluster", "power", "economics"),
)
WIDE_PX, HALF_PX, SMALL_PX = 990, 465, 400
KEY = re.compile(rf"\b((?:{'|'.join(SECTIONS)})\.[a-z_]+(?:\.[a-z_]+)*)\b")
UNIT = re.compile(r"(?<=\d) (?=(?:%|[kMGT]?Wh?|[kMBT]|USD|GPU-h|h|min|s|days|million|billion|trillion|kg|kt|t|g)\b|%)")


def write_page(text: str, path: str | Path) -> Path:
    """Write a page to the path, whole or not at all, and return the path."""
    target = Path(path)
    deliver(target.parent, {target.name: text})
    return target


def whole(title: str, body: Sequence[str]) -> str:
    """The page as HTML text."""
    style = files("macrohard.report").joinpath("page.css").read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head><body>"
        f"{definitions()}<main>{''.join(body)}</main></body></html>\n"
    )


def head(kicker: str, name: str, lead: str) -> str:
    """The heading of the page, with a line above and a line below."""
    return (
        f'<header><p class="kicker">{escape(kicker)}</p><h1>{escape(name)}</h1>'
        f'<p class="lead">{escape(lead)}</p></header>'
    )


def contents(titles: Sequence[str]) -> str:
    """Links to the sections."""
    return "<nav>" + "".join(f'<a href="#{anchor(title)}">{escape(title)}</a>' for title in titles) + "</nav>"


def anchor(title: str) -> str:
    """What a link to a heading says after the hash."""
    return title.lower().replace(" ", "-")


def answers(questions: Sequence[str], sentences: Sequence[str]) -> str:
    """The answer of the page, a sentence for each question."""
    items = zip(questions, sentences, strict=True)
    told = "".join(f"<li><b>{escape(q)}</b><span>{with_code(a)}</span></li>" for q, a in items)
    return f'<ol class="answer">{told}</ol>'


def warnings(found: Sequence[str]) -> str:
    """What to know before relying on the page; nothing if there is nothing."""
    if not found:
        return ""
    items = "".join(f"<li>{with_code(words)}</li>" for words in found)
    return f'<aside class="cautions"><h2>Before relying on this</h2><ul>{items}</ul></aside>'


def section(title: str, found: Sequence[Picture]) -> str:
    """Pictures under a heading, narrow ones in pairs."""
    figures = "".join(_figure(picture, wide) for picture, wide in _laid_out(found))
    return f'{heading(title)}<div class="figures">{figures}</div>'


def heading(title: str) -> str:
    """A heading that `contents` can lead to."""
    return f'<h2 id="{anchor(title)}">{escape(title)}</h2>'


def entries(told: Mapping[str, str]) -> str:
    """Names and what belongs to them, as a sheet; what is empty is left out."""
    lines = "".join(
        f"<tr><th>{escape(name)}</th><td><code>{escape(words)}</code></td></tr>"
        for name, words in told.items()
        if words
    )
    return f'<div class="sheet entries"><table>{lines}</table></div>'


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], n_texts: int = 1, stacks: bool = True) -> str:
    """A table on a sheet: the first columns hold texts, the others numbers; cells are HTML.

    A narrow page sets the cells of a row below one another, each with the head of its column; a table that does not
    stack, for its rows are to be compared, is moved sideways there.
    """
    kinds = ["" if k < n_texts else " class=number" for k in range(len(heads))]
    told = ["", *(f' data-head="{words}"' for words in heads[1:])] if stacks else [""] * len(heads)
    kinds = [kind + head for kind, head in zip(kinds, told, strict=True)]
    top = "".join(f"<th{kind}>{words}</th>" for kind, words in zip(kinds, heads, strict=True))
    sheet = "sheet wide stacks" if stacks else "sheet wide"
    lines = "".join(
        "<tr>" + "".join(f"<td{kind}>{cell}</td>" for kind, cell in zip(kinds, row, strict=True)) + "</tr>"
        for row in rows
    )
    return f'<div class="{sheet}"><table><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table></div>'


def breakable(words: str) -> str:
    """Words as HTML, the names in them broken after a dot or an underscore if they must be."""
    return re.sub(r"(?<=\w)([._])(?=[A-Za-z])", r"\1<wbr>", escape(words))


def kept_whole(words: Sequence[str]) -> str:
    """A list as HTML whose entries are broken only if one is wider than the line."""
    return ", ".join(f'<span class="whole">{breakable(each)}</span>' for each in words if each)


def with_code(words: str) -> str:
    """A sentence as HTML: the scenario keys in it (power.grid_mw) set as code, numbers kept with their units."""
    return UNIT.sub("\u00a0", KEY.sub(r"<code>\1</code>", escape(words, quote=False)))


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
