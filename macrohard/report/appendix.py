"""The back of the page: assumptions, every figure of the summary, and how to get the same run again."""

from collections.abc import Mapping
from html import escape

from macrohard.report import paper
from macrohard.report.facts import Facts, look_up
from macrohard.report.quantity import MISSING, duration, plain
from macrohard.report.spread import section


def appendix(facts: Facts) -> dict[str, str]:
    """Title and HTML of each part."""
    parts = {
        "What it rests on": _assumptions(facts),
        "All figures": _figures(facts),
        "How to repeat it": _repetition(facts),
    }
    told = look_up(facts.summary, "replicates")
    if isinstance(told, Mapping):
        parts = {"How well it is known": section(told), **parts}
    return parts


def assumptions(facts: Facts) -> list[tuple[str, str, str]]:
    """Name, value and reason of every assumption that the run lists."""
    listed = look_up(facts.summary, "assumptions")
    entries = [entry for entry in listed if isinstance(entry, Mapping)] if isinstance(listed, (list, tuple)) else []
    return [(str(entry.get("name", "")), plain(entry.get("value")), str(entry.get("note", ""))) for entry in entries]


def _assumptions(facts: Facts) -> str:
    found = assumptions(facts)
    if not found:
        return '<p class="lead">The run lists no assumptions.</p>'
    lines = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td class=number>{escape(value)}</td><td>{escape(note)}</td></tr>"
        for name, value, note in found
    )
    return (
        '<p class="lead">These values are assumed, not measured. Change one with <code>--set name=value</code> to see '
        'what hangs on it.</p><div class="sheet"><table><thead><tr><th>Assumption</th><th class=number>Value</th>'
        f"<th>Why</th></tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _figures(facts: Facts) -> str:
    sections = []
    for part, entries in facts.summary.items():
        if part not in ("assumptions", "replicates"):
            lines = "".join(_line(key, value) for key, value in _flat(part, entries))
            heading = part if isinstance(entries, Mapping) else "document"
            sections.append(f"<section><h3>{escape(str(heading))}</h3><table>{lines}</table></section>")
    return (
        '<p class="lead">Energies and costs are of the whole site, with weights applied. Averages leave the warm-up '
        "out; totals do not. Units are in the names.</p>"
        f'<div class="sheet columns">{"".join(sections)}</div>'
    )


def _flat(section: str, entries: object) -> list[tuple[str, object]]:
    """The entries of a section, those of an inner one with its name before theirs."""
    if not isinstance(entries, Mapping):
        return [(section, entries)]
    found: list[tuple[str, object]] = []
    for key, value in entries.items():
        inner = value.items() if isinstance(value, Mapping) else ()
        found += [(f"{key}.{name}", item) for name, item in inner] or [(str(key), value)]
    return found


def _line(key: str, value: object) -> str:
    kind = ' class="number"' if isinstance(value, (int, float, list, tuple)) and not isinstance(value, bool) else ""
    return f"<tr><td>{escape(key).replace('_', '_<wbr>')}</td><td{kind}>{escape(plain(value))}</td></tr>"


def _repetition(facts: Facts) -> str:
    compiling = facts.number("run.compile_s")
    took = duration(facts.number("run.wall_s") / 3600)
    told = {
        "Command": facts.command or f"macrohard run {facts.name} --seed {facts.text('scenario.seed')}",
        "Scenario": f"{facts.name}, sha256 {facts.text('scenario.sha256') or 'unknown'}",
        "Seed": facts.text("scenario.seed"),
        "Digest": facts.text("run.digest"),
        "Device": facts.text("run.device"),
        "Versions": plain(look_up(facts.summary, "run.versions")),
        "Wall time": took + (f", of it {duration(compiling / 3600)} compiling" if compiling > 0 else ""),
        "Results in": facts.folder,
    }
    return paper.entries({name: words for name, words in told.items() if words != MISSING}) + (
        "<footer>The digest is a hash of the results alone: the same scenario, seed, version and device give the same "
        "digest.</footer>"
    )
