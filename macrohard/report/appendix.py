"""The back of the page: assumptions, every figure of the summary, and how to get the same run again."""

from collections.abc import Mapping
from html import escape

from macrohard.report import paper
from macrohard.report.facts import Facts, look_up
from macrohard.report.quantity import MISSING, duration, plain
from macrohard.report.spread import section, weights

CURVES = ("speed_law",)
"""Entries that are drawn, and too long to be read."""

MOST = 2
"""Figures named for an assumption that weighs on them."""


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
    lead = (
        "These values are assumed, not measured. Change one with <code>--set name=value</code> to see what hangs on it"
    )
    told = look_up(facts.summary, "replicates")
    if not (isinstance(told, Mapping) and told.get("uncertain")):
        rows = [[f"<code>{escape(name)}</code>", escape(why), escape(value)] for name, value, why in found]
        lead += "; <code>run --uncertain</code> draws them from their ranges and says which weigh most."
        return f'<p class="lead">{lead}</p>' + paper.table(["Assumption", "Why", "Value"], rows, 2)
    ranked = weights(told)
    drawn = told.get("parameters", {})
    found.sort(key=lambda each: -max((abs(rank) for _, rank in ranked.get(each[0], ())), default=0.0))
    rows = []
    for name, value, why in found:
        weight = ", ".join(f"{words} {rank:+.2f}" for words, rank in ranked.get(name, ())[:MOST])
        weight = weight or ("no more than chance" if name in drawn else "not drawn")
        rows.append([f"<code>{escape(name)}</code>", escape(why), escape(weight), escape(value)])
    lead += (
        ". Heaviest first: the weight is the rank correlation with a figure over the draws, from -1 to 1; near 0 it "
        "does not matter what is assumed."
    )
    return f'<p class="lead">{lead}</p>' + paper.table(["Assumption", "Why", "Weight", "Value"], rows, 3)


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
        if key in CURVES or (isinstance(value, list) and not value):
            continue
        inner = value if isinstance(value, Mapping) else _by_name(value)
        found += [(f"{key}.{name}", item) for name, item in _flat(str(key), inner)] if inner else [(str(key), value)]
    return found


def _by_name(value: object) -> dict[str, dict[str, object]]:
    """Entries that have names, such as those of the pools, by name; none of anything else."""
    entries = [each for each in value if isinstance(each, Mapping)] if isinstance(value, (list, tuple)) else []
    named = [each for each in entries if "name" in each]
    return {str(each["name"]): {key: item for key, item in each.items() if key != "name"} for each in named}


def _line(key: str, value: object) -> str:
    kind = ' class="number"' if isinstance(value, (int, float, list, tuple)) and not isinstance(value, bool) else ""
    return f"<tr><td>{paper.breakable(key)}</td><td{kind}>{paper.breakable(plain(value))}</td></tr>"


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
