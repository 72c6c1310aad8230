"""Who may come in: a check of every request and every websocket before the page's server sees it."""

import hmac
import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlencode

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
"""Names of this machine in a request, the port left away."""

POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'"
)
"""Told to the browser: nothing from elsewhere. Vue compiles its templates in the page, hence 'unsafe-eval'."""


class Door:
    """An ASGI application around another one.

    With a token, whoever brings it as `?token=` gets a cookie and is sent on without it; later requests and websockets
    bring the cookie. Without one, only requests addressed to this machine by its own name pass, so that no page from
    elsewhere gets in by a name that it lets point here. Either way a websocket must come from a page of this server.
    """

    def __init__(self, app: App, token: str | None, port: int) -> None:
        """Guards `app`; the cookie is named after the port, since browsers keep cookies for all ports alike."""
        self.app = app
        self.token = token
        self.cookie = f"macrohard-{port}"
        self.pass_ = secrets.token_urlsafe(32)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a request through, sends it on with a cookie, or refuses it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if not self._is_addressed_here(scope["type"], headers):
            await _refuse(scope, send, 403, "this dashboard answers only to its own address")
        elif self.token is None or _same(self._shown(headers), self.pass_):
            await self.app(scope, receive, _strict(send))
        elif scope["type"] == "http" and _same(_token(scope), self.token):
            await self._send_on(scope, send)
        else:
            await _refuse(scope, send, 401, "this dashboard asks for its token: open it as .../?token=TOKEN")

    def _is_addressed_here(self, kind: str, headers: dict[str, str]) -> bool:
        host, origin = headers.get("host", "").lower(), headers.get("origin")
        if self.token is None and re.sub(r":\d*$", "", host) not in LOOPBACK:
            return False
        return origin is None or kind == "http" or origin.lower().partition("://")[2] == host

    def _shown(self, headers: dict[str, str]) -> str:
        try:
            found = SimpleCookie(headers.get("cookie", "")).get(self.cookie)
        except CookieError:
            return ""
        return "" if found is None else found.value

    async def _send_on(self, scope: Scope, send: Send) -> None:
        rest = {key: values for key, values in parse_qs(_query(scope)).items() if key != "token"}
        place = "/" + scope["path"].lstrip("/") + ("?" + urlencode(rest, doseq=True) if rest else "")
        cookie = f"{self.cookie}={self.pass_}; Path=/; HttpOnly; SameSite=Lax"
        fields = [(b"location", place.encode("latin-1", "replace")), (b"set-cookie", cookie.encode())]
        fields.append((b"referrer-policy", b"no-referrer"))
        await send({"type": "http.response.start", "status": 303, "headers": fields})
        await send({"type": "http.response.body", "body": b""})


def _strict(send: Send) -> Send:
    """Adds to every answer what the browser may load, and that it tells nobody where it was."""

    async def sent(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            more = [(b"content-security-policy", POLICY.encode()), (b"referrer-policy", b"no-referrer")]
            message["headers"] = [*message.get("headers", []), *more]
        await send(message)

    return sent


async def _refuse(scope: Scope, send: Send, status: int, why: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": why})  # before it is accepted: answered 403
        return
    fields = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": f"{why}\n".encode()})


def _query(scope: Scope) -> str:
    return bytes(scope.get("query_string", b"")).decode("latin-1")


def _token(scope: Scope) -> str:
    return parse_qs(_query(scope)).get("token", [""])[0]


def _same(given: str, wanted: str) -> bool:
    """Whether two secrets are equal, in a time that does not tell how much of them is."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), wanted.encode("utf-8", "surrogateescape"))
