"""What the dashboard is made of, without a browser: sessions, dials, seats, the rate over a window, the door."""

import asyncio
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pandas as pd
import pytest
from small import SMALL, small

from macrohard.dashboard.dials import DIALS, Dial
from macrohard.dashboard.door import Door
from macrohard.dashboard.engine import Engine
from macrohard.dashboard.panels.people import people, told
from macrohard.dashboard.panels.power import power
from macrohard.dashboard.panels.throughput import rate
from macrohard.dashboard.panels.tiles import tiles
from macrohard.dashboard.seating import seating
from macrohard.dashboard.serve import url_of
from macrohard.dashboard.session import Session
from macrohard.factory import Factory
from macrohard.results.metrics import per_day
from macrohard.scenario import Scenario


def test_a_session_shows_what_the_factory_holds():
    """However a frame is cut into chunks: series and clock are those of a run of as many ticks."""
    session, plain = Session(small()), Factory(small())
    session.advance(90)
    plain.run(90)
    shown = session.shown()
    pd.testing.assert_frame_equal(shown.facts.series, plain.series())
    assert shown.hours == plain.time_h == 1.5


def test_a_session_ends_at_its_horizon_and_stops_when_it_is_not_wanted():
    """No tick beyond the horizon; none at all once a pause is asked for."""
    session = Session(small())
    session.advance(10, wanted=lambda: False)
    assert session.ticks_left == 1440
    session.advance(5000)
    assert session.ticks_left == 0 and session.factory.time_h == 24.0


def test_turning_opens_the_factory_anew_and_a_fault_leaves_it_alone():
    """As --set would; the faults are the lines of the command line; undo brings back what was given."""
    session = Session(small())
    session.advance(5)
    before = session.factory
    session.turn("cluster.n_gpus", "many")
    assert session.factory is before and len(session.faults) == 1 and "cluster.n_gpus = 'many'" in session.faults[0]
    session.choose("labtop")
    assert session.factory is before and "did you mean laptop?" in session.faults[0]
    session.turn("cluster.n_gpus", "16")
    assert session.faults == () and session.factory.time_h == 0.0
    assert session.changes == ("cluster.n_gpus=16",)
    session.turn("cluster.n_gpus", "8")
    assert session.changes == ()
    session.turn("workforce.design", "3")
    session.undo()
    assert session.scenario == small()


def test_the_saved_text_is_the_scenario():
    """Read back, it is equal."""
    session = Session(small())
    session.turn("power.grid_mw", "0.0125")
    assert Scenario.parse(session.toml()) == small("power.grid_mw=0.0125") == session.scenario


def test_a_pinned_run_is_compared_at_the_same_hour():
    """Its figures in the tiles are those it had then, not those of its end."""
    session = Session(small())
    session.advance(60)
    early = session.shown()
    session.advance(60)
    session.pin()
    assert session.pinned is not None
    assert tiles(early, session.pinned).count(f"pinned {early.last('tickets_done'):,.0f}<") == 1
    later = session.pinned.until(1.0)
    assert rate(later) == rate(early) and later.hours == 1.0
    assert 'class="line pinned" d="M' in power(early, session.pinned)


@pytest.mark.parametrize("name", ["laptop", "colossus1", "colossus2-phase1", "colossus2-1m"])
def test_sliders_reach_twice_what_a_scenario_has(name):
    """And stand where the scenario stands: the value is a step of the slider or near one."""
    scenario = Scenario.load(name, environment={})
    for dial in DIALS:
        value, (top, step) = dial.value(scenario), dial.reach(scenario)
        assert top >= 2 * value and top <= max(5 * value, 100)
        assert 0 < step <= max(1.0, top / 100)
        assert float(dial.text(value)) == pytest.approx(value)


@pytest.mark.parametrize(
    ("value", "top"), [("0.003", 0.01), ("0.02", 0.04), ("30", 100.0), ("150", 400.0), ("0", 10.0)]
)
def test_the_reach_of_a_dial_by_hand(value, top):
    """Twice the value, rounded up to 1, 2, 4 or 5 times a power of ten; 10 where there is nothing yet."""
    dial = Dial("power.grid_mw", "Grid", whole=False)
    assert dial.reach(small(f"power.grid_mw={value}"))[0] == pytest.approx(top)


@pytest.mark.parametrize("topology", ["single", "decentralized", "hybrid", "independent"])
def test_every_worker_has_a_seat_of_its_own(topology):
    """Nobody sits on another, all links join people who are drawn, and managers without a team sit alone."""
    factory = Factory(small(f"workforce.topology={topology}"))
    seats = seating(factory)
    assert seats is not None and len(seats.nodes) == len(set(seats.nodes)) == 20
    apart = np.linalg.norm(seats.at[:, None] - seats.at[None], axis=-1) + 9 * np.eye(20)
    assert apart.min() > 0.99
    assert (seats.at > 0).all() and (seats.at < [seats.width, seats.height]).all()
    assert len(seats.links) == factory.organisation.number_of_edges()
    assert people(factory.activity, seats).count('class="worker idle"') == 20


def test_of_a_large_factory_whole_teams_are_shown_and_it_is_said():
    """700 workers: a sample of some 420; 60,000: none, but all are counted."""
    factory = Factory(small("workforce.coding=688"))
    seats = seating(factory)
    assert seats is not None and len(seats.nodes) <= 420 and seats.n_teams < seats.n_teams_all == 4
    assert "of 4 teams" in told(factory.activity, seats) and "700 workers" in told(factory.activity, seats)
    assert "688 idle" in people(factory.activity, seats)
    assert "too many to draw" in told(factory.activity, None)


def test_the_rate_over_a_window_by_hand():
    """Counts 0, 2, 2, 8 after hours 1 to 4: over two hours, per day."""
    frame = pd.DataFrame({"time_h": [1.0, 2.0, 3.0, 4.0], "done": [0.0, 2.0, 2.0, 8.0]})
    assert per_day(frame, "done", 2.0).tolist() == [0.0, 2 / 2 * 24, 2 / 2 * 24, 6 / 2 * 24]


def answered(door: Door, kind: str = "http", query: str = "", **headers: str) -> tuple[object, dict[bytes, bytes]]:
    """Status of a request or "closed"/"open" of a websocket, and the headers of the answer."""
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": f"{kind}.connect"}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    lines = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": kind, "path": "/", "query_string": query.encode(), "headers": lines}
    asyncio.run(door(scope, receive, send))
    if kind == "websocket":
        return {"websocket.close": "closed", "websocket.accept": "open"}[str(sent[0]["type"])], {}
    return sent[0]["status"], dict(sent[0]["headers"])


def behind(token: str | None) -> Door:
    """A door before an application that lets everybody in."""

    async def inner(scope, receive, send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
        else:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"in"})

    return Door(inner, token, 8765)


def test_a_token_comes_through_its_address_whole():
    """Whatever signs it has."""
    token = "a+b&c=d#e/f g%h?"
    assert parse_qs(urlsplit(url_of("::1", 8765, token)).query) == {"token": [token]}


def test_only_a_scenario_of_the_list_is_opened():
    """What a page sends is no path of ours to open."""
    solara = pytest.importorskip("solara")
    from ipyvuetify import Select

    from macrohard.dashboard.controls import Choice, Settings

    engine = Engine(small(), show=lambda view: None)
    values = tuple(dial.value(small()) for dial in DIALS)
    shown = Settings("small", "", 60.0, values, ((1.0, 1.0),) * len(DIALS), (), (), "", "")
    _, drawn = solara.render(Choice(engine, solara.reactive(shown)), handle_error=False)
    choice = drawn.find(Select).widget
    choice.v_model = "/etc/passwd"
    assert engine._orders.empty()
    choice.v_model = "colossus2-phase1"
    assert not engine._orders.empty()
    drawn.close()


def test_the_door_with_a_token():
    """Only its bearer gets the cookie, only the cookie opens, and only to pages of this very server."""
    door, home = behind("sixteen letters at least"), "factory.example:8765"
    status, fields = answered(door, query="token=sixteen+letters+at+least&x=1", Host=home)
    assert status == 303 and fields[b"location"] == b"/?x=1" and b"HttpOnly; SameSite=Lax" in fields[b"set-cookie"]
    cookie = fields[b"set-cookie"].split(b";")[0].decode()
    assert answered(door, Host=home, Cookie=cookie)[0] == 200
    for wrong in ({}, {"Cookie": cookie + "x"}, {"Cookie": "macrohard-8765="}, {"Cookie": "\x00=; ;;"}):
        assert answered(door, Host=home, **wrong)[0] == 401
        assert answered(door, "websocket", Host=home, Origin=f"http://{home}", **wrong)[0] == "closed"
    for query in ("", "token=", "token=sixteen", "token=s%C3%A9", "tok"):
        assert answered(door, query=query, Host=home)[0] == 401
    assert answered(door, "websocket", Host=home, Origin=f"http://{home}", Cookie=cookie)[0] == "open"
    assert answered(door, "websocket", Host=home, Origin="http://evil.example", Cookie=cookie)[0] == "closed"
    assert answered(door, "websocket", "token=sixteen+letters+at+least", Host=home)[0] == "closed"


def test_the_door_of_this_machine_alone():
    """By its own names only, whatever the port of a tunnel; and it tells the browser to load nothing from elsewhere."""
    door = behind(None)
    for host in ("127.0.0.1:8765", "localhost:9000", "[::1]:8765", "LOCALHOST"):
        status, fields = answered(door, Host=host)
        assert status == 200 and b"default-src 'self'" in fields[b"content-security-policy"]
    for host in ("evil.example:8765", "127.0.0.1.evil.example", "", "[::2", "localhost@evil.example"):
        assert answered(door, Host=host)[0] == 403
    assert answered(door, "websocket", Host="localhost:8765", Origin="http://localhost:8765")[0] == "open"
    assert answered(door, "websocket", Host="localhost:8765", Origin="http://localhost:1")[0] == "closed"
    assert answered(door, "websocket", Host="localhost:8765", Origin="null")[0] == "closed"


def test_small_settings_are_what_the_browser_tests_run():
    """So that their compilations are shared."""
    assert Session(Scenario.load("laptop", SMALL, environment={})).scenario == small()
