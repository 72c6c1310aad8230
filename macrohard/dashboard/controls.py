"""The knobs of the page: which scenario, its dials, the clockwork, pin and save."""

from dataclasses import dataclass
from functools import partial
from html import escape

import reacton.ipyvuetify as v
import solara

from macrohard.dashboard.dials import DIALS, Dial
from macrohard.dashboard.engine import Engine, View
from macrohard.dashboard.session import Session
from macrohard.scenario import bundled

FRAMES = (1, 5, 10, 30, 60, 180, 720)
"""Ticks that a frame may take."""


DOING = {
    "opening": "Opening the factory ...",
    "compiling": "Compiling, once for each size of factory ...",
    "running": "Running.",
    "paused": "Paused.",
    "ended": "At the end of the run: reset or turn something.",
}


@dataclass(frozen=True)
class Settings:
    """What the knobs show of a view, in plain values: equal ones are not drawn anew."""

    name: str
    """Of the scenario as given."""
    about: str
    tick_s: float
    values: tuple[float, ...]
    """Of the dials, in their order."""
    reaches: tuple[tuple[float, float], ...]
    """Upper end and step of their sliders."""
    faults: tuple[str, ...]
    changes: tuple[str, ...]
    pinned: str
    """What the pinned run is called, empty without one."""
    toml: str

    @classmethod
    def of(cls, view: View) -> "Settings":
        """The settings of a view."""
        given, pinned = view.given, view.pinned
        return cls(
            name=given.name,
            about=given.run.about,
            tick_s=view.scenario.run.tick_s,
            values=tuple(dial.value(view.scenario) for dial in DIALS),
            reaches=tuple(dial.reach(given) for dial in DIALS),
            faults=view.faults,
            changes=view.run.changes,
            pinned=f"{pinned.label}, {pinned.hours:.1f} h" if pinned else "",
            toml=view.toml,
        )


@solara.component
def Choice(engine: Engine, settings: "solara.Reactive[Settings]") -> None:
    """Which scenario."""
    first, name = engine.scenario, settings.value.name
    names = list(dict.fromkeys([first.name, *bundled()]))

    def choose(to: str) -> None:
        if to != name and to in names:  # a page can be made to ask for anything
            engine.open(lambda session: session.choose(first if to == first.name else to))

    solara.Select("Scenario", values=names, value=name, on_value=choose)
    solara.HTML(tag="p", unsafe_innerHTML=escape(settings.value.about), classes=["lead", "about"])


@solara.component
def Clockwork(engine: Engine, settings: "solara.Reactive[Settings]", doing: "solara.Reactive[str]") -> None:
    """Run, pause, step, reset, and how much a frame takes."""
    frame, set_frame = solara.use_state(engine.ticks_per_frame)
    playing, over = doing.value == "running", doing.value == "ended"

    def choose(at: int) -> None:
        engine.ticks_per_frame = FRAMES[at]
        set_frame(FRAMES[at])

    with solara.Div(classes=["buttons"]):
        if playing:
            solara.Button("Pause", on_click=engine.pause, color="primary", icon_name="mdi-pause")
        else:
            solara.Button("Run", on_click=engine.play, color="primary", icon_name="mdi-play", disabled=over)
        solara.Button("Step", on_click=engine.step, icon_name="mdi-step-forward", disabled=over or playing)
        solara.Button("Reset", on_click=lambda: engine.open(Session.reset), icon_name="mdi-restart")
    words = f"{DOING[doing.value]} A frame, or a step, is {_span(frame, settings.value.tick_s)}."
    attributes = {"id": "doing", "data-doing": doing.value}
    solara.HTML(tag="p", unsafe_innerHTML=words, classes=["lead"], attributes=attributes)
    slider = v.Slider(
        value=FRAMES.index(frame),
        min=0,
        max=len(FRAMES) - 1,
        ticks="always",
        hide_details=True,
        attributes={"aria-label": "Ticks per frame"},
    )
    v.use_event(slider, "change", lambda widget, event, data: choose(int(data)))


@solara.component
def Knobs(engine: Engine, settings: "solara.Reactive[Settings]") -> None:
    """The faults of the last turn, the dials, and what to keep."""
    seen = settings.value
    faults = "".join(f"<p>{escape(line)}</p>" for line in seen.faults)
    attributes = {"id": "faults", "role": "alert"}
    solara.HTML(unsafe_innerHTML=faults, attributes=attributes, classes=["faults"] if faults else [])
    with solara.Div(classes=["knobs"]):
        for dial, value, reach in zip(DIALS, seen.values, seen.reaches, strict=True):
            refused = any(f"{dial.key} =" in line for line in seen.faults)
            Knob(engine, dial, value, *reach, refused, seen.name).key(dial.key)
    Keep(engine, seen)


@solara.component
def Knob(engine: Engine, dial: Dial, value: float, top: float, step: float, refused: bool, given: str) -> None:
    """A number field, which takes anything, above a slider, which reaches as far as is likely.

    Both tell their value when it is settled. Bound letter by letter (v_model), they would be set back with each frame.
    """
    text, set_text = solara.use_state(dial.text(value))

    def follow() -> None:
        if not refused:
            set_text(dial.text(value))

    solara.use_effect(follow, [value, refused, given])

    def turn(to: str) -> None:
        set_text(to)
        if to.strip() != dial.text(value) or refused:
            engine.open(lambda session: session.turn(dial.key, to), keep_playing=True)

    with solara.Div(classes=["knob"]):
        field = v.TextField(
            value=text,
            label=dial.label,
            suffix=dial.unit,
            error=refused,
            dense=True,
            hide_details=True,
        )
        v.use_event(field, "change", lambda widget, event, data: turn(str(data)))
        slider = v.Slider(
            value=value,
            min=0,
            max=max(top, value),
            step=step,
            hide_details=True,
            thumb_label=True,
            attributes={"aria-label": dial.label},
        )
        v.use_event(slider, "change", lambda widget, event, data: turn(dial.text(float(data))))


@solara.component
def Keep(engine: Engine, seen: Settings) -> None:
    """Pin the run, undo what was turned, save the scenario."""
    with solara.Div(classes=["buttons"]):
        if seen.pinned:
            solara.Button("Unpin", on_click=lambda: engine.ask(Session.unpin), icon_name="mdi-pin-off")
        else:
            solara.Button("Pin this run", on_click=lambda: engine.ask(Session.pin), icon_name="mdi-pin")
        undo = partial(engine.open, Session.undo, keep_playing=True)
        solara.Button("Undo changes", on_click=undo, icon_name="mdi-undo", disabled=not seen.changes)
        solara.FileDownload(seen.toml, filename=f"{seen.name}.toml", label="Save as TOML", mime_type="text/plain")
    words = f"Turned: {escape(', '.join(seen.changes))}." if seen.changes else "As given."
    if seen.pinned:
        words += f" Pinned, dashed: {escape(seen.pinned)}."
    solara.HTML(tag="p", unsafe_innerHTML=words, attributes={"id": "changes"}, classes=["lead"])


def _span(ticks: int, tick_s: float) -> str:
    """Ticks as simulated time."""
    minutes = ticks * tick_s / 60.0
    long = f"{minutes / 60.0:g} h" if minutes >= 60 else f"{minutes:g} min"
    return f"{ticks} tick{'s' if ticks > 1 else ''}, {long}"
