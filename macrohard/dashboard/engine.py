"""The thread that turns a session: orders of the page one after the other, frames in between while it plays."""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from macrohard.dashboard.panels.people import Activity
from macrohard.dashboard.seating import Seating, seating
from macrohard.dashboard.session import Run, Session
from macrohard.factory import Factory
from macrohard.scenario import Scenario

LEAST_FRAME_S = 0.1
"""A page is drawn at most so often."""

Order = tuple[str, Callable[[Session], None]]
"""What the page is told while it is carried out, if anything, and what to do."""


@dataclass(frozen=True, eq=False)
class View:
    """What a page shows: a moment of its session."""

    run: Run
    activity: Activity
    seats: Seating | None
    scenario: Scenario
    given: Scenario
    pinned: Run | None
    faults: tuple[str, ...]
    toml: str
    """The scenario as a file."""
    doing: str
    """What goes on: "opening", "compiling", "running", "paused" or "ended"."""


@dataclass(eq=False)
class Engine:
    """Runs the session of one page in a thread of its own, and hands a view to the page whenever it has changed."""

    scenario: Scenario
    show: Callable[[View], None]
    ticks_per_frame: int = 10
    playing: bool = False
    _orders: "queue.SimpleQueue[Order]" = field(default_factory=queue.SimpleQueue)
    _compiled: Factory | None = None
    """The factory that has run."""
    _seats: tuple[Factory | None, Seating | None] = (None, None)
    """A factory and its seats."""

    def ask(self, act: Callable[[Session], None], doing: str = "") -> None:
        """Has something done before the next frame; the page is told what meanwhile."""
        self._orders.put((doing, act))

    def open(self, act: Callable[[Session], None], keep_playing: bool = False) -> None:
        """Has a factory opened anew, and pauses unless it shall play on."""
        self.playing = self.playing and keep_playing
        self.ask(act, "opening")

    def play(self) -> None:
        """Runs on until paused or at the end."""
        self.playing = True
        self.ask(lambda session: None)

    def pause(self) -> None:
        """Stops after the chunk in work."""
        self.playing = False
        self.ask(lambda session: None)

    def step(self) -> None:
        """Runs one frame and pauses."""
        self.playing = False
        self.ask(lambda session: self._run(session, lambda: True))

    def work(self, gone: threading.Event) -> None:
        """Carries out orders and plays until the page has gone."""
        session = Session(self.scenario)
        self._show(session)
        while not gone.is_set():
            try:
                doing, act = self._orders.get(block=not self.playing, timeout=1.0)
            except queue.Empty:
                if not self.playing:
                    continue
                doing, act = "", self._frame
            if doing:
                self._show(session, doing)
            try:
                act(session)
            except Exception as error:  # a page must not die in silence
                self.playing = False
                session.faults = (f"our fault: {type(error).__name__}: {error}",)
            self._show(session)

    def _frame(self, session: Session) -> None:
        began = time.perf_counter()
        self._run(session, lambda: self.playing)
        self.playing = self.playing and session.ticks_left > 0
        time.sleep(max(0.0, LEAST_FRAME_S - (time.perf_counter() - began)))

    def _run(self, session: Session, wanted: Callable[[], bool]) -> None:
        if self._compiled is not session.factory:
            self._show(session, "compiling")
            session.factory.run(0)
            self._compiled = session.factory
        session.advance(self.ticks_per_frame, wanted)

    def _show(self, session: Session, doing: str = "") -> None:
        factory = session.factory
        if self._seats[0] is not factory:
            self._seats = (factory, seating(factory))
        if not doing:
            doing = "ended" if session.ticks_left <= 0 else "running" if self.playing else "paused"
        self.show(
            View(
                session.shown(),
                factory.activity,
                self._seats[1],
                session.scenario,
                session.given,
                session.pinned,
                session.faults,
                session.toml(),
                doing,
            )
        )
