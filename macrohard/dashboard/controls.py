"""The knobs of the page: which scenario, its dials, the clockwork, pin and save."""

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


@solara.component
def Controls(engine: Engine, view: View) -> None:
    """All of them, in one column."""
    with solara.Div(classes=["controls"]):
        solara.HTML(tag="h1", unsafe_innerHTML="Macrohard")
        Choice(engine, view)
        Clockwork(engine, view)
        faults = "".join(f"<p>{escape(line)}</p>" for line in view.faults)
        attributes = {"id": "faults", "role": "alert"}
        solara.HTML(unsafe_innerHTML=faults, attributes=attributes, classes=["faults"] if faults else [])
        with solara.Div(classes=["knobs"]):
            for dial in DIALS:
                Knob(engine, dial, view).key(dial.key)
        Keep(engine, view)


@solara.component
def Choice(engine: Engine, view: View) -> None:
    """Which scenario."""
    first = engine.scenario
    names = list(dict.fromkeys([first.name, *bundled()]))

    def choose(name: str) -> None:
        if name != view.given.name:
            engine.open(lambda session: session.choose(first if name == first.name else name))

    solara.Select("Scenario", values=names, value=view.given.name, on_value=choose)
    solara.HTML(tag="p", unsafe_innerHTML=escape(view.given.run.about), classes=["lead", "about"])


@solara.component
def Clockwork(engine: Engine, view: View) -> None:
    """Run, pause, step, reset, and how much a frame takes."""
    frame, set_frame = solara.use_state(engine.ticks_per_frame)
    tick_s = view.scenario.run.tick_s
    playing, over = view.doing == "running", view.doing == "ended"

    def choose(ticks: int) -> None:
        engine.ticks_per_frame = ticks
        set_frame(ticks)

    with solara.Div(classes=["buttons"]):
        if playing:
            solara.Button("Pause", on_click=engine.pause, color="primary", icon_name="mdi-pause")
        else:
            solara.Button("Run", on_click=engine.play, color="primary", icon_name="mdi-play", disabled=over)
        solara.Button("Step", on_click=engine.step, icon_name="mdi-step-forward", disabled=over or playing)
        solara.Button("Reset", on_click=lambda: engine.open(Session.reset), icon_name="mdi-restart")
    words = f"{DOING[view.doing]} A frame, or a step, is {_span(frame, tick_s)}."
    solara.HTML(tag="p", unsafe_innerHTML=words, classes=["lead"], attributes={"id": "doing", "data-doing": view.doing})
    v.Slider(
        v_model=FRAMES.index(frame),
        on_v_model=lambda at: choose(FRAMES[int(at)]),
        min=0,
        max=len(FRAMES) - 1,
        ticks="always",
        hide_details=True,
        attributes={"aria-label": "Ticks per frame"},
    )


@solara.component
def Knob(engine: Engine, dial: Dial, view: View) -> None:
    """A number field, which takes anything, above a slider, which reaches as far as is likely."""
    value = dial.value(view.scenario)
    text, set_text = solara.use_state(dial.text(value))
    refused = any(f"{dial.key} =" in line for line in view.faults)

    def follow() -> None:
        if not refused:
            set_text(dial.text(value))

    solara.use_effect(follow, [value, refused, view.given.name])

    def turn(to: str) -> None:
        set_text(to)
        if to.strip() != dial.text(value) or refused:
            engine.open(lambda session: session.turn(dial.key, to), keep_playing=True)

    top, step = dial.reach(view.given)
    with solara.Div(classes=["knob"]):
        with solara.Div(classes=["number"]):
            solara.InputText(dial.label, value=text, on_value=turn, suffix=dial.unit or None, error=refused, dense=True)
        slider = v.Slider(
            v_model=value,
            min=0,
            max=max(top, value),
            step=step,
            hide_details=True,
            thumb_label=True,
            attributes={"aria-label": dial.label},
        )
        v.use_event(slider, "change", lambda widget, event, data: turn(dial.text(float(data))))


@solara.component
def Keep(engine: Engine, view: View) -> None:
    """Pin the run, undo what was turned, save the scenario."""
    changes = view.run.changes
    with solara.Div(classes=["buttons"]):
        if view.pinned is None:
            solara.Button("Pin this run", on_click=lambda: engine.ask(Session.pin), icon_name="mdi-pin")
        else:
            solara.Button("Unpin", on_click=lambda: engine.ask(Session.unpin), icon_name="mdi-pin-off")
        solara.Button(
            "Undo changes",
            on_click=lambda: engine.open(Session.undo, keep_playing=True),
            icon_name="mdi-undo",
            disabled=not changes,
        )
        solara.FileDownload(
            view.toml, filename=f"{view.scenario.name}.toml", label="Save as TOML", mime_type="text/plain"
        )
    words = f"Turned: {escape(', '.join(changes))}." if changes else "As given."
    if view.pinned is not None:
        words += f" Pinned, dashed: {escape(view.pinned.label)}, {view.pinned.hours:.1f} h."
    solara.HTML(tag="p", unsafe_innerHTML=words, attributes={"id": "changes"}, classes=["lead"])


def _span(ticks: int, tick_s: float) -> str:
    """Ticks as simulated time."""
    minutes = ticks * tick_s / 60.0
    long = f"{minutes / 60.0:g} h" if minutes >= 60 else f"{minutes:g} min"
    return f"{ticks} tick{'s' if ticks > 1 else ''}, {long}"
