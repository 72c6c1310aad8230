"""A page of the browser whose requests and complaints are written down."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit


@contextmanager
def watched(browser: Any, home: str, **options: Any) -> Iterator[Any]:
    """A page in a context of its own; nothing may be asked of any host but `home`, and nothing complained of."""
    context = browser.new_context(**options)
    page = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    try:
        yield page
        hosts = {urlsplit(url).netloc for url in asked if urlsplit(url).scheme not in ("data", "blob", "file")}
        assert hosts <= {home}, f"asked others: {hosts}"
        assert complaints == []
    finally:
        context.close()


def brightness(page: Any, selector: str, property_: str) -> float:
    """Mean of red, green and blue of a computed colour, 0 to 255."""
    colour = page.evaluate(f"getComputedStyle(document.querySelector({selector!r})).{property_}")
    return sum(int(part) for part in re.findall(r"\d+", colour)[:3]) / 3
