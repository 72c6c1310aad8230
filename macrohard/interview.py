"""A scenario from six questions: how much work, which GPUs and how many, power limit, battery, horizon."""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from macrohard import names
from macrohard.colossus.hardware import gpu_named, llm_named
from macrohard.colossus.layout import replica_gpus
from macrohard.faults import Fault, ScenarioError
from macrohard.results.metrics import DEVELOPER_MIN_PER_DAY
from macrohard.results.outlook import outlook
from macrohard.scenario import Scenario
from macrohard.siting import nameplate

DEVELOPERS_PER_AGENT = 6.0
"""Headcount (A): `server` does 5 per agent and `laptop` 9, with desks idle a third of the time (measured)."""

AGENTS_PER_GPU = 8.0
"""For the number of GPUs that is proposed (A): as on `laptop`, where streams do not wait for GPUs."""

MOST_SIMULATED = 2000
"""Beyond so many agents each simulated one stands for several."""

LLMS = ("gpt-oss-120b", "gpt-oss-20b")
"""Open weights; the first that fits is taken."""

RENTED_USD_PER_H = {"H100": 2.35, "B200": 2.65}
"""A GPU reserved for a year, early 2026, all in: TechReaderDaily after SemiAnalysis (H100), Inworld (B200)."""

RENTED_OTHERWISE_USD_PER_H = 3.0
"""Other GPUs (A): the middle of 2.75-3.30."""

CLOUD = "cloud"

_SPLIT = {"coding": 26, "testing": 19, "management": 13, "design": 6}  # of 64 agents, as on `laptop`
_UNITS = {"mw": 1.0, "kw": 1e-3, "gw": 1e3, "": 1.0}


@dataclass(frozen=True)
class Answers:
    """What was answered so far."""

    developers: float = 100.0
    gpu: str = "H100"
    n_gpus: int = 8
    grid_mw: float | None = None
    """None: rented, with power in the price."""
    n_megapacks: int = 0
    horizon_h: float = 48.0


Reader = Callable[[Answers, str], Answers]


@dataclass(frozen=True)
class Question:
    """One question: `proposed` is what Enter answers; `read` adds an answer, or raises ScenarioError."""

    words: str
    proposed: Callable[[Answers], str]
    read: Reader


def asked(line: Callable[[str], str], refused: Callable[[ScenarioError], None] | None = None) -> Answers:
    """Goes through the questions. `line` shows a prompt and returns what was typed, "" for what is proposed.

    An answer that will not do goes to `refused` and is asked for again; without `refused` its ScenarioError is raised.
    """
    answers = Answers()
    for number, question in enumerate(QUESTIONS, start=1):
        proposed = question.proposed(answers)
        while True:
            text = line(f"{number}/{len(QUESTIONS)} {question.words} [{proposed}] ").strip()
            try:
                answers = question.read(answers, text or proposed)
                break
            except ScenarioError as error:
                if refused is None:
                    raise
                refused(error)
    return answers


def scenario_of(answers: Answers, name: str) -> Scenario:
    """The scenario of the answers: checked, and laid out as a run would."""
    for llm in LLMS:
        scenario = _laid(answers, name, llm)
        try:
            outlook(scenario)
        except ScenarioError:  # its context does not fit beside its weights
            continue
        if replica_gpus(gpu_named(answers.gpu), llm_named(llm), scenario.serving.precision) <= answers.n_gpus:
            return scenario
    allowed = f"too few for one copy of {LLMS[-1]} with a context of 131,072 tokens"
    raise _refusal("how many GPUs", f"{answers.n_gpus} {answers.gpu}", allowed, "take more of them, or larger ones")


def remarks(answers: Answers, scenario: Scenario) -> Iterator[str]:
    """What was answered and what was made of it, as lines for people."""
    backlog, weight = scenario.backlog, scenario.workforce.weight
    arrivals = backlog.arrivals_per_day * weight
    size_min = _mean_size_min(scenario)
    power = "rented with their power" if answers.grid_mw is None else f"{answers.grid_mw:g} MW of power"
    yield (
        f"Six answers: the work of {answers.developers:,.12g} developers; {answers.n_gpus:,} {answers.gpu}, {power}; "
        f"{answers.n_megapacks} Megapacks; {answers.horizon_h:g} h."
    )
    yield (
        f"{arrivals:,.{0 if arrivals >= 100 else 1}f} epics a day, tickets in each: {backlog.tickets_per_epic}; "
        f"a developer has {DEVELOPER_MIN_PER_DAY:.0f} min a day of the year (A), a ticket takes {size_min:.0f}."
    )
    stands = f", each simulated one for {weight:g}" if weight != 1 else ""
    yield (
        f"{scenario.n_agents * weight:,.0f} agents{stands}: one for {DEVELOPERS_PER_AGENT:g} developers (A); a run "
        "says whether they are too few."
    )
    if answers.grid_mw is None:
        yield f"{scenario.economics.gpu_usd_per_h:g} USD a GPU-hour, site and power included (A): put in your price."


def _developers(answers: Answers, text: str) -> Answers:
    value = _number(text, 1, 100e6, "developers' worth of work", "100")
    return replace(answers, developers=value)


def _gpu(answers: Answers, text: str) -> Answers:
    known = names.rows("gpus")
    found = names.canonical(text, "gpus")
    if found not in known:
        near = names.nearest(text, known)
        allowed = f"no such GPU; allowed: {names.some(known, text)}"
        raise _refusal("which GPUs", text, allowed, f"did you mean {near}?" if near else "choose one of them")
    return replace(answers, gpu=found)


def _n_gpus(answers: Answers, text: str) -> Answers:
    return replace(answers, n_gpus=int(_number(text, 1, 10e6, "how many GPUs", "8", whole=True)))


def _power(answers: Answers, text: str) -> Answers:
    if text.casefold() == CLOUD:
        return replace(answers, grid_mw=None)
    parts = re.fullmatch(r"(.*?)\s*([kmg]w)?", text.casefold())
    number, unit = (parts[1], parts[2] or "") if parts else (text, "")
    value = _number(number, 0, 1e6 / _UNITS[unit], "power limit", f"0.5, 500 kW, or {CLOUD}", shown=text)
    return replace(answers, grid_mw=value * _UNITS[unit])


def _megapacks(answers: Answers, text: str) -> Answers:
    if answers.grid_mw is None and text != "0":
        raise _refusal("battery", text, "allowed: 0 for a cloud, whose power is not yours to store", "answer 0")
    return replace(answers, n_megapacks=int(_number(text, 0, 100_000, "battery", "0", whole=True)))


def _horizon(answers: Answers, text: str) -> Answers:
    return replace(answers, horizon_h=_number(text, 1, 8784, "hours to simulate", "48"))


QUESTIONS = (
    Question("How many developers' worth of work comes in?", lambda answers: f"{answers.developers:g}", _developers),
    Question("Which GPUs?", lambda answers: answers.gpu, _gpu),
    Question("How many of them?", lambda answers: f"{8 * math.ceil(_n_agents(answers) / AGENTS_PER_GPU / 8)}", _n_gpus),
    Question(
        f"Power limit of the site, MW ('{CLOUD}': rented, power in the price)?",
        lambda answers: f"{_enough_mw(answers):.3g}",
        _power,
    ),
    Question("Battery: how many Megapacks (0.979 MW, 3.9 MWh each)?", lambda answers: "0", _megapacks),
    Question("How many hours to simulate?", lambda answers: f"{answers.horizon_h:g}", _horizon),
)


def _laid(answers: Answers, name: str, llm: str) -> Scenario:
    agents = _n_agents(answers)
    simulated = min(agents, MOST_SIMULATED)
    desks = {role: max(1, round(simulated * share / sum(_SPLIT.values()))) for role, share in _SPLIT.items()}
    weight = max(1.0, float(f"{agents / sum(desks.values()):.6g}"))
    tickets = min(10, max(1, int(answers.developers // 5)))
    base = Scenario.load("laptop", environment={})
    epics = answers.developers * DEVELOPER_MIN_PER_DAY / _mean_size_min(base) / tickets / weight
    settings = [
        f"run.name='{name}'",
        f"run.about='{answers.n_gpus:,} {answers.gpu} for the work of {answers.developers:,.12g} developers'",
        f"run.horizon_h={answers.horizon_h!r}",
        *(f"workforce.{role}={n}" for role, n in desks.items()),
        f"workforce.weight={weight!r}",
        f"backlog.n_epics={max(1, round(epics / 4))}",
        f"backlog.tickets_per_epic={tickets}",
        f"backlog.arrivals_per_day={float(f'{epics:.4g}')!r}",
        f"serving.llm={llm}",
        f"cluster.gpu={answers.gpu}",
        f"cluster.n_gpus={answers.n_gpus}",
        f"power.megapack.n_units={answers.n_megapacks}",
        f"power.grid_mw={1e6 if answers.grid_mw is None else answers.grid_mw!r}",
    ]
    if answers.grid_mw is None:
        price = RENTED_USD_PER_H.get(answers.gpu, RENTED_OTHERWISE_USD_PER_H)
        enough_mw = _ample(nameplate(base.override(settings)).site_mw)
        settings += [f"power.grid_mw={enough_mw!r}", f"economics.gpu_usd_per_h={price}"]
        settings += ["economics.site_musd_per_mw=0", "economics.grid_usd_per_mwh=0"]
    return base.override(settings)


def _n_agents(answers: Answers) -> int:
    return max(len(_SPLIT), math.ceil(answers.developers / DEVELOPERS_PER_AGENT))


def _enough_mw(answers: Answers) -> float:
    return _ample(nameplate(_laid(replace(answers, grid_mw=1.0), "own", LLMS[0])).site_mw)


def _ample(site_mw: float) -> float:
    """A tenth more, at three digits."""
    return float(f"{1.1 * site_mw:.3g}")


def _mean_size_min(scenario: Scenario) -> float:
    """Mean of the log-normal sizes of tickets, human minutes."""
    return scenario.backlog.size_median_min * math.exp(scenario.backlog.size_sd_log**2 / 2)


def _number(
    text: str, least: float, most: float, what: str, example: str, *, whole: bool = False, shown: str = ""
) -> float:
    kind = "a whole number" if whole else "a number"
    allowed = f"allowed: {kind} from {least:,g} to {most:,.12g}"
    try:
        value = float(text.replace(",", "").replace("_", ""))
    except ValueError:
        raise _refusal(what, shown or text, allowed, f"write it like {example}") from None
    if not least <= value <= most or (whole and value != int(value)):
        raise _refusal(what, shown or text, allowed, f"write it like {example}")
    return value


def _refusal(what: str, text: str, allowed: str, remedy: str) -> ScenarioError:
    return ScenarioError([Fault("answer", what, text, allowed, remedy)])
