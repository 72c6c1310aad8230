"""The page: what a browser shows of a session, and what its knobs ask of it.

Plain Solara, not Mesa's SolaraViz: that one calls `step()` once a tick (ten times slower than `run`), makes a model
anew in the handler of every slider, its errors tracebacks, and knows no pinned run. A `Factory` with a data collector
works in SolaraViz all the same.
"""

import threading
from collections.abc import Callable
from importlib.resources import files

import reacton.ipyvuetify as v
import solara

from macrohard.dashboard.controls import Choice, Clockwork, Knobs, Settings
from macrohard.dashboard.engine import Engine, View
from macrohard.dashboard.panels.people import people, told
from macrohard.dashboard.panels.power import power
from macrohard.dashboard.panels.queues import queues
from macrohard.dashboard.panels.throughput import throughput
from macrohard.dashboard.panels.tiles import tiles
from macrohard.report.chart import definitions
from macrohard.scenario import Scenario

STYLE = "\n".join(
    files(f"macrohard.{room}").joinpath(name).read_text(encoding="utf-8")
    for room, name in (("report", "page.css"), ("dashboard", "page.css"))
)

_first: list[Scenario] = []
"""The scenario that pages open with."""


def start_with(scenario: Scenario) -> None:
    """Says which scenario pages open with."""
    _first[:] = [scenario]


@solara.component
def Page() -> None:
    """A page: its engine runs as long as it is open.

    Pictures, knobs and clockwork each listen to a variable of their own, so that a frame draws nothing but pictures.
    """
    view: solara.Reactive[View | None] = solara.use_reactive(None)
    settings: solara.Reactive[Settings | None] = solara.use_reactive(None)
    doing = solara.use_reactive("opening")
    is_open, set_open = solara.use_state(False)

    def show(seen: View) -> None:
        view.value, settings.value, doing.value = seen, Settings.of(seen), seen.doing
        set_open(True)

    engine = solara.use_memo(lambda: Engine(_first[0], show), [])

    def run() -> Callable[[], None]:
        gone = threading.Event()
        threading.Thread(target=engine.work, args=(gone,), daemon=True, name="engine").start()
        return gone.set

    solara.use_effect(run, [])
    solara.Style(STYLE)
    solara.HTML(unsafe_innerHTML=definitions())
    if not is_open:
        solara.HTML(tag="p", unsafe_innerHTML="opening the factory ...", classes=["lead", "opening"])
        return
    with solara.Div(classes=["board"]):
        with solara.Div(classes=["controls"]):
            solara.HTML(tag="h1", unsafe_innerHTML="Macrohard")
            Choice(engine, settings)
            Clockwork(engine, settings, doing)
            Knobs(engine, settings)
        with solara.Div(classes=["panels"]):
            Panels(view)


@solara.component
def Panels(view: "solara.Reactive[View]") -> None:
    """The key figures and the four pictures."""
    seen = view.value
    run, pinned = seen.run, seen.pinned
    solara.HTML(tag="dl", unsafe_innerHTML=tiles(run, pinned), classes=["tiles"])
    with solara.Div(classes=["figures"]):
        with solara.Div(classes=["pile"]):
            Figure("power", "Site power by source", "", power(run, pinned))
            Figure("throughput", "Tickets done per day", "", throughput(run, pinned))
        with solara.Div(classes=["pile"]):
            Figure("people", "Who does what", told(seen.activity, seen.seats), people(seen.activity, seen.seats))
            Figure("queues", "Tickets waiting, by stage", "", queues(run, pinned))


@solara.component
def Figure(name: str, title: str, words: str, drawing: str) -> None:
    """A picture with its heading."""
    caption = f"<figcaption>{words}</figcaption>" if words else ""
    html = f"<h3>{title}</h3>{caption}{drawing or '<p class=lead>nothing yet: step or run</p>'}"
    solara.HTML(tag="figure", unsafe_innerHTML=html, attributes={"id": name})


@solara.component
def Layout(children: list[object] = []) -> None:  # noqa: B006
    """No bars around the page."""
    v.Html(tag="main", class_="dashboard", children=children)
