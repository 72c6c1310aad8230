"""Draws ```math blocks as SVG at build time, by matplotlib: no script, no font from elsewhere, dark and light alike."""

from html import escape
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.path import Path
from matplotlib.textpath import TextPath

SIZE_PX, LEADING_PX = 18.0, 16.0
LETTERS = {Path.MOVETO: "M", Path.LINETO: "L", Path.CURVE3: "Q", Path.CURVE4: "C", Path.CLOSEPOLY: "Z"}


def on_config(config: Any) -> Any:
    """Tells the Markdown extension what to do with blocks of mathematics."""
    fences = config["mdx_configs"].setdefault("pymdownx.superfences", {})
    fences["custom_fences"] = [{"name": "math", "class": "math", "format": drawn}]
    return config


def drawn(source: str, language: str, css_class: str, options: Any, md: Any, **more: Any) -> str:
    """One equation a line, one below the other, in the colour of the text."""
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    marks, top, width = [], 0.0, 0.0
    for line in lines:
        with rc_context({"mathtext.fontset": "stix"}):
            outline = TextPath((0, 0), f"${line}$", size=SIZE_PX)
        box = outline.get_extents()
        marks.append(f'<path transform="translate(0 {top + box.y1:.1f}) scale(1 -1)" d="{_data(outline)}"/>')
        top += box.height + LEADING_PX
        width = max(width, box.x1)
    return (
        f'<div class="{css_class}"><svg role="img" aria-label="{escape(" ; ".join(lines))}" width="{width + 2:.0f}" '
        f'height="{top - LEADING_PX + 2:.0f}" fill="currentColor">{"".join(marks)}</svg></div>'
    )


def _data(outline: TextPath) -> str:
    """The outline as the data of an SVG path."""
    parts = []
    for points, code in outline.iter_segments(simplify=False, curves=True):
        letter = LETTERS[np.uint8(code)]
        parts.append(letter if letter == "Z" else letter + " ".join(f"{each:.2f}" for each in points))
    return "".join(parts)
