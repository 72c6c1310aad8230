"""Serves the dashboard: settings that keep it to itself, a socket on one address, the page behind its door."""

import errno
import ipaddress
import logging
import os
import secrets
import socket
import warnings
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from macrohard.faults import Fault, ScenarioError
from macrohard.scenario import Scenario

LEAST_TOKEN = 16
"""Letters of the shortest token taken."""

ALONE = {
    "SOLARA_ASSETS_CDN": "none:",  # what the installed assets lack is not fetched from elsewhere
    "SOLARA_ASSETS_PROXY": "true",  # the installed assets are served under the proxy's address
    "SOLARA_ASSETS_FONTAWESOME_ENABLED": "false",
    "SOLARA_TELEMETRY_MIXPANEL_ENABLE": "false",
    "SOLARA_CHECK": "false",
    "SOLARA_MODE": "production",
    "SOLARA_KERNEL_CULL_TIMEOUT": "10m",  # a page that lost its connection keeps its factory this long
    "SOLARA_KERNEL_MAX_PER_SESSION": "20",
    "SOLARA_THEME_TITLE": "Macrohard",
    "SOLARA_THEME_LOADER": "plain",
}
"""Settings of solara, read from the environment when it is imported."""


def check(address: str, port: int, allow_remote: bool, token: str | None) -> None:
    """Refuses an address that is not this machine's own loopback, unless it is allowed and guarded by a token."""
    faults = []
    if not _is_loopback(address):
        if not allow_remote:
            what = "is not this machine alone; allowed: 127.0.0.1, ::1, localhost"
            faults.append(
                Fault("", "--address", address, what, "add --allow-remote and --token, or tunnel with ssh -L")
            )
        if token is None:
            remedy = f"choose one, e.g. --token {secrets.token_urlsafe(18)}"
            faults.append(Fault("", "--token", None, "is needed on another address", remedy, has_value=False))
    if token is not None and (len(token) < LEAST_TOKEN or not token.isprintable()):
        remedy = f"for instance {secrets.token_urlsafe(18)}"
        what = f"is too easy to guess; allowed: at least {LEAST_TOKEN} printable letters"
        faults.append(Fault("", "--token", None, what, remedy, has_value=False))
    if not 0 <= port <= 65535:
        faults.append(Fault("", "--port", port, "allowed: 0 to 65535", "0 takes any free port"))
    if faults:
        raise ScenarioError(faults)


def serve(
    scenario: Scenario, address: str, port: int, token: str | None = None, told: Callable[[str], None] = print
) -> None:
    """Serves the page of a scenario until Ctrl-C; `told` gets its address once it answers. Raises ScenarioError."""
    listening = _socket(address, port)
    port = int(listening.getsockname()[1])
    os.environ.update(ALONE)
    logging.getLogger("solara").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", "Cookies with samesite=none", UserWarning)
    import uvicorn
    from solara.server import app as pages
    from solara.server import settings, starlette

    from macrohard.dashboard import page
    from macrohard.dashboard.door import Door

    settings.assets.extra_locations = [str(Path(__file__).parent / "assets")]
    page.start_with(scenario)
    pages.apps["__default__"] = pages.AppScript("macrohard.dashboard.page")
    url = url_of(address, port, token)

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            told(url)

    config = uvicorn.Config(
        Door(starlette.app, token, port),
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    Server(config).run([listening])


def url_of(address: str, port: int, token: str | None) -> str:
    """What a browser is given to open the page."""
    shown = f"[{address}]" if ":" in address else address
    return f"http://{shown}:{port}/" + (f"?token={quote(token, safe='')}" if token else "")


def _is_loopback(address: str) -> bool:
    try:
        return address == "localhost" or ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _socket(address: str, port: int) -> socket.socket:
    """A socket that listens there. A port that is taken, or an address that is not ours, is refused."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.create_server((address, port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            what, remedy = "is taken, perhaps by another dashboard", "choose another, or --port 0 for any free one"
            raise ScenarioError([Fault("", "--port", port, what, remedy)]) from None
        if error.errno == errno.EACCES:
            raise ScenarioError([Fault("", "--port", port, "needs rights you lack", "take one above 1023")]) from None
        what = f"cannot be listened on: {error.strerror or error}"
        raise ScenarioError([Fault("", "--address", address, what, "give one of this machine")]) from None
