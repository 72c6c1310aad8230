"""The page of a sweep: the answer in three sentences, pictures, every point, what failed, how to get it again."""

from html import escape

from macrohard.report import paper
from macrohard.report.map_pictures import frontiers, maps
from macrohard.report.picture import Picture
from macrohard.report.response_pictures import responses
from macrohard.report.study import Spread, Study
from macrohard.report.study_story import answer, cautions
from macrohard.report.tornado_pictures import tornados
from macrohard.report.wording import called, written

QUESTIONS = ("What was asked", "What came out", "What limits it, and what to change")
MAX_ROWS = 200
CAUSES = {"backlog": "backlog", "agents": "agents", "gpus": "GPUs", "power": "power"}


def study_page(study: Study) -> str:
    """The whole page as HTML text."""
    drawn: dict[str, list[Picture]] = {
        "Figure by figure": responses(study),
        "What moves it": tornados(study),
        "Two factors at once": [*frontiers(study), *maps(study)],
    }
    drawn = {title: found for title, found in drawn.items() if found}
    ends = {"Every point": _points(study), "Failed runs": _failures(study), "What it rests on": _assumptions(study)}
    ends = {title: html for title, html in ends.items() if html} | {"How to repeat it": paper.entries(study.told)}
    lead = f"{study.n_points:,} points · {len(study.runs):,} runs · {study.design} over {study.scenario}"
    body = [
        paper.head("Macrohard: a sweep", study.name, lead),
        paper.contents([*drawn, *ends]),
        paper.answers(QUESTIONS, answer(study)),
        paper.warnings(cautions(study)),
        *(paper.section(title, found) for title, found in drawn.items()),
        *(paper.heading(title) + html for title, html in ends.items()),
    ]
    return paper.whole(f"{study.name} · Macrohard sweep", body)


def _points(study: Study) -> str:
    """Every point with its figures: means and 80 % intervals."""
    numbers = sorted(map(int, study.runs["point"].unique()))
    figures = {metric: study.at_points(metric) for metric in study.metrics}
    rows = []
    for number in numbers[:MAX_ROWS]:
        mine = study.runs[study.runs["point"] == number]
        finished = mine[mine["status"] == "done"]
        held = study.held_back(finished) if len(finished) else {}
        cells = [str(number), *(escape(written(key, value)) for key, value in study.point(number).items())]
        cells += [_cell(metric, found.get(number)) for metric, found in figures.items()]
        cells += [CAUSES[next(iter(held))] if held else "-", f"{len(finished)} of {len(mine)}"]
        rows.append(cells)
    heads = ["point", *map(called, study.factors), *map(called, study.metrics), "held back by", "runs"]
    more = (
        f" The first {MAX_ROWS} of {len(numbers):,}; all stand in <code>runs/</code>."
        if len(numbers) > MAX_ROWS
        else ""
    )
    lead = f'<p class="lead">Mean over the runs of a point, and below it what 80 % of them lie within.{more}</p>'
    return lead + paper.table([escape(words) for words in heads], rows, stacks=False)


def _cell(metric: str, each: Spread | None) -> str:
    if each is None:
        return "-"
    mean = escape(written(metric, each.mean))
    if each.n < 2 or each.low == each.high:
        return mean
    return f"{mean}<br><small>{escape(written(metric, each.low))} to {escape(written(metric, each.high))}</small>"


def _failures(study: Study) -> str:
    if not study.failures:
        return ""
    points = dict(zip(study.runs["run_id"], study.runs["point"], strict=True))
    rows = []
    for run_id, error in list(study.failures.items())[:MAX_ROWS]:
        rows.append([f"<code>{escape(run_id[:12])}</code>", str(points.get(run_id, "-")), escape(error)])
    lead = '<p class="lead">Not in any figure above. <code>sweep run --retry-failed</code> tries them again.</p>'
    return lead + paper.table(["run", "point", "error"], rows, 3)


def _assumptions(study: Study) -> str:
    if not study.assumptions:
        return ""
    varied = {factor: "varied here" for factor in study.factors}
    rows = [
        [f"<code>{escape(name)}</code>", escape(why), escape(varied.get(name, value))]
        for name, value, why in study.assumptions
    ]
    lead = (
        '<p class="lead">These values are assumed, not measured, at every point. Make one a factor to see what '
        "hangs on it; <code>macrohard sensitivity</code> ranks several.</p>"
    )
    return lead + paper.table(["Assumption", "Why", "Value"], rows, 2)
