"""The dashboard, clicked through in a real browser as its user would."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from small import SMALL
from typer.testing import CliRunner
from watched import brightness, watched

from macrohard.cli import app
from macrohard.faults import ScenarioError
from macrohard.scenario import Scenario

ROOT = Path(__file__).parents[1]
TOKEN = "a-token-long-enough-to-pass"
PATIENCE_MS = 240_000
"""A page opens in two seconds; on a machine with much else to do, in minutes."""
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("MACROHARD_")}


class Dashboard:
    """A running `macrohard dashboard`, its address, and what is asked of it without a browser."""

    def __init__(self, *options: str) -> None:
        sets = [word for setting in (*SMALL, "run.name=own") for word in ("--set", setting)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "macrohard", "dashboard", "laptop", *sets, "--port", "0", *options],
            cwd=ROOT, env=ENVIRONMENT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def wait(self) -> str:
        """Its address, once it answers."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.url = line.split()[1] if line else ""
        self.host = urlsplit(self.url).netloc
        self.home = f"http://{self.host}"
        return self.url

    def answer(self, path: str = "/", **headers: str) -> int:
        """The status of a request."""
        try:
            with urllib.request.urlopen(urllib.request.Request(self.home + path, headers=headers), timeout=20) as got:
                return int(got.status)
        except urllib.error.HTTPError as error:
            return error.code

    def shake(self, **headers: str) -> int:
        """The status of a websocket's handshake."""
        host, port = self.host.rsplit(":", 1)
        lines = {
            "Host": self.host, "Upgrade": "websocket", "Connection": "Upgrade",
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Version": "13", **headers,
        }  # fmt: skip
        text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        with socket.create_connection((host, int(port)), timeout=20) as line:
            line.sendall(f"GET /jupyter/api/kernels/x/channels?session_id=y HTTP/1.1\r\n{text}\r\n".encode())
            return int(line.recv(64).split()[1])

    def stop(self) -> tuple[int, str]:
        """Ctrl-C; its exit code and what it said on standard error."""
        self.process.send_signal(signal.SIGINT)
        _, said = self.process.communicate(timeout=30)
        return self.process.returncode, said


@pytest.fixture(scope="module")
def local() -> Iterator[Dashboard]:
    """A dashboard for this machine alone."""
    server = Dashboard()
    server.wait()
    yield server
    server.process.kill()


@pytest.fixture(scope="module")
def guarded() -> Iterator[Dashboard]:
    """A dashboard behind a token."""
    server = Dashboard("--address", "0.0.0.0", "--allow-remote", "--token", TOKEN)
    server.wait()
    yield server
    server.process.kill()


@pytest.fixture
def page(chromium, local):
    """A fresh page of the dashboard, ready to be clicked."""
    with watched(chromium, local.host, accept_downloads=True) as opened:
        opened.set_default_timeout(PATIENCE_MS)
        opened.goto(local.url)
        settle(opened)
        yield opened


def settle(page, doing="paused"):
    """Waits until nothing is being opened or compiled."""
    page.wait_for_selector(f"#doing[data-doing={doing}]")


def click(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def clock(page):
    return page.locator("#clock dd").inner_text().strip()


def turn(page, label, text):
    """Types into a number field."""
    field = page.get_by_role("textbox", name=label)
    field.fill(text)
    field.press("Enter")


def test_a_step_moves_the_clock_by_a_frame_and_draws_all_panels(page):
    """Ten ticks of a minute; power, throughput, queues and the 20 workers are drawn."""
    assert clock(page) == "00:00"
    click(page, "Step")
    page.wait_for_selector("#power svg path.area")
    assert clock(page) == "00:10"
    assert page.locator("#people .worker").count() == 20
    assert "All 20 workers" in page.locator("#people").inner_text()
    for panel in ("throughput", "queues"):
        assert page.locator(f"#{panel} svg.chart").count() == 1


def test_it_runs_until_it_is_paused_and_begins_again_at_reset(page):
    """The clock goes on by itself, stands when paused, and is back at midnight after a reset."""
    click(page, "Run")
    page.wait_for_function("document.querySelector('#clock dd').innerText.trim() > '00:20'")
    click(page, "Pause")
    settle(page)
    stood = clock(page)
    page.wait_for_timeout(500)
    assert clock(page) == stood
    click(page, "Reset")
    page.wait_for_function("document.querySelector('#clock dd').innerText.trim() == '00:00'")


def test_a_slider_changes_the_model(page):
    """To its end: twice the coders and some, and the factory opens anew with them."""
    page.get_by_role("slider").nth(1).press("End")
    page.wait_for_function("document.querySelectorAll('#people .worker').length == 32")
    page.wait_for_function("document.querySelector('.knobs input').value == '20'")
    page.wait_for_function("document.querySelector('#changes').innerText.includes('workforce.coding=20')")
    click(page, "Undo changes")
    page.wait_for_function("document.querySelectorAll('#people .worker').length == 20")


def test_what_is_typed_while_it_runs_is_taken(page):
    """Letter by letter, with frames drawn in between; it runs on from hour 0 with the value."""
    click(page, "Run")
    page.wait_for_function("document.querySelector('#clock dd').innerText.trim() > '00:10'")
    field = page.get_by_role("textbox", name="Grid contract")
    field.fill("")
    field.press_sequentially("0.0125", delay=120)
    field.press("Enter")
    page.wait_for_function("document.querySelector('#changes').innerText.includes('grid_mw=0.0125')")
    settle(page, "running")
    assert field.input_value() == "0.0125"


@pytest.mark.parametrize(
    ("label", "key", "text"), [("GPUs", "cluster.n_gpus", "-5"), ("Coding agents", "workforce.coding", "9e11")]
)
def test_an_impossible_value_shows_its_fault_and_changes_nothing(page, label, key, text):
    """The very line that the command line would print, no traceback; another value is taken afterwards."""
    turn(page, label, text)
    page.wait_for_selector("#faults p")
    with pytest.raises(ScenarioError) as refused:
        Scenario.load("laptop", environment={}).override([*SMALL, "run.name=own", f"{key}={text}"])
    assert page.locator("#faults p").all_inner_texts() == str(refused.value).splitlines()
    assert page.locator("#people .worker").count() == 20
    turn(page, label, "7")
    page.wait_for_selector("#faults p", state="detached")
    page.wait_for_function(f"document.querySelector('#changes').innerText.includes('{key}=7')")


def test_a_pinned_run_is_drawn_dashed_under_the_next(page):
    """Pin, turn the grid down, step: both loads are there, and the note says which is which."""
    click(page, "Step")
    page.wait_for_selector("#power svg path.area")
    click(page, "Pin this run")
    page.wait_for_selector("#power svg.chart path.pinned", state="attached")
    turn(page, "Grid contract", "0.002")
    page.wait_for_function("document.querySelector('#changes').innerText.includes('grid_mw=0.002')")
    click(page, "Step")
    page.wait_for_function("document.querySelector('#clock dd').innerText.includes('00:10')")
    shapes = [page.locator(f"#power svg.chart path.line.{name}").get_attribute("d") for name in ("load", "pinned")]
    assert shapes[0] != shapes[1]
    assert (
        page.locator("#power svg.chart path.pinned").first.evaluate("e => getComputedStyle(e).strokeDasharray")
        != "none"
    )
    page.wait_for_function("document.querySelector('#changes').innerText.includes('Pinned, dashed: own, 0.2 h')")
    assert "pinned" in page.locator("#load").inner_text()
    click(page, "Unpin")
    page.wait_for_selector("#power path.pinned", state="detached")


def test_the_saved_scenario_is_one_that_check_accepts(page, tmp_path):
    """Turned, saved, and read back with the value that was turned."""
    turn(page, "Megapacks", "2")
    page.wait_for_function("document.querySelector('#changes').innerText.includes('n_units=2')")
    with page.expect_download() as waiting:
        click(page, "Save as TOML")
    waiting.value.save_as(tmp_path / waiting.value.suggested_filename)
    done = CliRunner().invoke(app, ["check", str(tmp_path / "own.toml")])
    assert done.exit_code == 0 and "in order" in done.stdout, done.output
    read = Scenario.load(tmp_path / "own.toml", environment={})
    assert read.power.megapack.n_units == 2 and read.workforce.coding == 8


def test_another_scenario_can_be_picked(page):
    """From the list, by its name; what it is about is told."""
    page.get_by_role("button", name="Scenario").click()
    page.get_by_role("option", name="laptop").click()
    page.wait_for_function("document.querySelectorAll('#people .worker').length == 64")
    assert "one server of 8 H100" in page.locator(".about").inner_text()


@pytest.mark.parametrize("options", [{"color_scheme": "dark"}, {"viewport": {"width": 400, "height": 800}}])
def test_it_follows_a_dark_browser_and_fits_a_narrow_one(chromium, local, options):
    """Dark: light letters on dark ground. Narrow: nothing runs over the edge."""
    with watched(chromium, local.host, **options) as page:
        page.goto(local.url)
        page.wait_for_selector("#doing", timeout=PATIENCE_MS)
        if "viewport" in options:
            assert page.evaluate("document.documentElement.scrollWidth") <= 400
        else:
            assert brightness(page, "main", "backgroundColor") < 60 < 190 < brightness(page, "#clock dd", "color")


def test_without_the_token_nothing_is_answered(guarded):
    """Neither page nor asset nor websocket; nor with a wrong token."""
    asset = "/static/assets/style.css"
    wrong = f"/?token={TOKEN[:-1]}x"
    assert [guarded.answer(path) for path in ("/", asset, wrong, "/readyz")] == [401] * 4
    assert guarded.shake(Origin=guarded.home) == 403
    assert guarded.shake(Origin=guarded.home, Cookie=f"macrohard-{guarded.host.rsplit(':', 1)[1]}={TOKEN}") == 403


def test_with_the_token_the_page_works_and_the_address_forgets_it(chromium, guarded):
    """A cookie, closed to scripts, takes its place."""
    with watched(chromium, guarded.host) as page:
        page.set_default_timeout(PATIENCE_MS)
        page.goto(guarded.url)
        settle(page)
        assert "token" not in page.url
        cookie = next(each for each in page.context.cookies() if each["name"].startswith("macrohard-"))
        assert cookie["httpOnly"] and TOKEN not in cookie["value"]
        click(page, "Step")
        page.wait_for_function("document.querySelector('#clock dd').innerText.includes('00:10')")


def test_a_page_from_elsewhere_does_not_get_in(local):
    """Neither under a name that points here, nor with a websocket of its own."""
    assert local.answer("/") == 200
    assert local.answer("/", Host="evil.example") == 403
    assert local.shake(Origin="http://evil.example") == 403
    assert local.shake(Origin=local.home) == 101


def test_what_cannot_be_laid_out_is_refused_before_a_page_opens():
    """Only the layout sees that one half of the scaffold's tool time was left as it is: exit 2, nothing listens."""
    done = CliRunner().invoke(app, ["dashboard", "laptop", "--set", "tokens.tool_mean_s=1", "--port", "0"])
    assert done.exit_code == 2 and "tokens.tool_mean_s" in done.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--address", "0.0.0.0"), ("--address = '0.0.0.0'", "--allow-remote", "--token")),
        (("--address", "0.0.0.0", "--token", TOKEN), ("--allow-remote",)),
        (("--address", "0.0.0.0", "--allow-remote"), ("--token: is needed",)),
        (("--token", "short"), ("at least 16",)),
        (("--port", "99999"), ("0 to 65535",)),
        (("--address", "203.0.113.1", "--allow-remote", "--token", TOKEN), ("cannot be listened on",)),
    ],
)
def test_what_cannot_be_served_is_refused(options, words):
    """One line each, exit 2, before anything listens."""
    done = CliRunner().invoke(app, ["dashboard", *options])
    assert done.exit_code == 2 and "Traceback" not in done.output
    assert all(word in done.stderr for word in words), done.stderr


def test_a_port_that_is_taken_is_named(local):
    """And what to do about it."""
    done = CliRunner().invoke(app, ["dashboard", "--port", local.host.rsplit(":", 1)[1]])
    assert done.exit_code == 2 and "is taken" in done.stderr and "--port 0" in done.stderr


def test_without_the_extra_the_pip_line_is_told():
    """A Python that finds no solara."""
    code = (
        "import sys, importlib.util as u; found = u.find_spec; "
        "u.find_spec = lambda name: None if name == 'solara' else found(name); "
        "sys.argv = ['macrohard', 'dashboard']; from macrohard.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "pip install 'macrohard[viz]'" in done.stderr and "Traceback" not in done.stderr


def test_ctrl_c_ends_it_while_it_runs(chromium, guarded):
    """Exit code 130 and no traceback, with a page open and its factory running."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(guarded.url)
    page.wait_for_selector("#doing[data-doing=paused]", timeout=PATIENCE_MS)
    click(page, "Run")
    page.wait_for_selector("#doing[data-doing=running]")
    code, said = guarded.stop()
    context.close()
    assert code == 130 and "Traceback" not in said, said
