"""What is wrong with a page or a picture, for the tests of all of them."""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

from macrohard.report.picture import Picture

VOID = {"meta", "br", "wbr", "link", "img", "hr", "input"}


class Balance(HTMLParser):
    """Collects what is wrong with the nesting of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.stack or self.stack.pop() != tag:
            self.faults.append(tag)


def faults(html: str) -> list[str]:
    """Tags closed out of order, drawings that are no XML, what is asked of the network, fills nobody defined, size."""
    balance = Balance()
    balance.feed(html)
    found = [*balance.faults, *balance.stack]
    for drawing in re.findall(r"<svg.*?</svg>", html, re.S):
        ElementTree.fromstring(drawing)
    found += re.findall(r"<script|<link|<img|<iframe|https?://|@import|url\((?!#ink-)", html)
    found += sorted(set(re.findall(r"url\(#ink-([a-z-]+)\)", html)) - set(re.findall(r'id="ink-([a-z-]+)"', html)))
    return found + ["2 MB"] * (len(html.encode()) >= 2_000_000)


def strays(picture: Picture) -> list[str]:
    """Texts and points of lines that lie outside their drawing, at any width that pages use; figures that are none."""
    found = []
    for width in (400, 465, 990):
        for drawing in re.findall(r'<svg class="chart".*?</svg>', picture.draw(width), re.S):
            found += re.findall(r"[\"\s](?:-?nan|-?inf)\b", drawing)
            tree = ElementTree.fromstring(drawing)
            wide, high = (float(part) for part in tree.attrib["viewBox"].split()[2:])
            for node in tree.iter("text"):
                x, y, length = float(node.attrib["x"]), float(node.attrib["y"]), 6.6 * len(node.text or "")
                start = {"start": x, "middle": x - length / 2, "end": x - length}[node.attrib["text-anchor"]]
                if start < -6 or start + length > wide + 8 or not 0 <= y <= high:
                    found.append(f"{picture.name} at {width}: {node.text}")
            for path in tree.iter("path"):
                pairs = re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)(?=[LMZ]|$)", path.attrib["d"])
                if not all(0 <= float(x) <= wide + 1 and 0 <= float(y) <= high for x, y in pairs):
                    found.append(f"{picture.name} at {width}: {path.attrib['d'][:60]}")
    return found
