"""Predicted against measured, one SVG per law: a mark per row or group, coloured by source, with an error band."""

from collections.abc import Callable
from html import escape
from typing import TypeAlias

import numpy as np
import pandas as pd

SIZE_PX, MARGIN_PX = 360.0, 46.0
INKS = ("#0b5fa5", "#c4511d", "#2b7a4b", "#7b4ba0", "#8a6d00", "#666666")
"""Colours of the most frequent sources; further ones share the last."""

MAX_MARKS = 3000

Place: TypeAlias = Callable[[float], float]


def marks(law: str, rows: pd.DataFrame) -> pd.DataFrame:
    """What is drawn of a law's rows: columns measured, predicted, source.

    Success: shares of a model in a band of lengths. Tokens of attempts: medians of a repository and model. Else: rows.
    """
    rows = rows[rows["reason"] == ""]
    if law == "success":
        grouped = rows.groupby(["model", "band"], as_index=False)[["measured", "predicted"]].mean()
        return grouped.assign(source=grouped["model"])
    if law == "attempt_tokens":
        grouped = rows.groupby(["repo", "model"], as_index=False)[["measured", "predicted"]].median()
        return grouped.assign(source=grouped["model"])
    source = rows["source"].astype(str) if "source" in rows else pd.Series("", rows.index)
    return rows[["measured", "predicted"]].assign(source=source).head(MAX_MARKS)


def picture(law: str, rows: pd.DataFrame, error: float | None = None) -> str:
    """The SVG of a law; `error` (relative, or of a share for success) draws a band around the diagonal."""
    drawn = marks(law, rows).dropna()
    is_share = law == "success"
    if not is_share:
        drawn = drawn[(drawn["measured"] > 0) & (drawn["predicted"] > 0)]
    if drawn.empty:
        return ""
    x, y = (drawn[c].to_numpy(float) for c in ("measured", "predicted"))
    if not is_share:
        x, y = np.log10(x), np.log10(y)
    low, high = (0.0, 1.0) if is_share else (float(min(x.min(), y.min())), float(max(x.max(), y.max())))
    span = max(high - low, 1e-9)

    def at(value: float) -> float:
        return MARGIN_PX + (value - low) / span * (SIZE_PX - 2 * MARGIN_PX)

    parts = [_band(at, low, high, is_share, error), _ticks(at, low, high, is_share)]
    names = drawn["source"].value_counts().index.tolist()
    for name in names:
        ink = INKS[min(names.index(name), len(INKS) - 1)]
        of_it = (drawn["source"] == name).to_numpy(bool)
        dots = "".join(
            f'<circle cx="{at(a):.1f}" cy="{SIZE_PX - at(b):.1f}" r="2.4"/>'
            for a, b in zip(x[of_it], y[of_it], strict=True)
        )
        parts.append(f'<g fill="{ink}" fill-opacity="0.65"><title>{escape(str(name))}</title>{dots}</g>')
    legend = []
    for i, name in enumerate(names[: len(INKS)]):
        said = f'<text x="{SIZE_PX}" y="{MARGIN_PX + 15 * i}" fill="{INKS[i]}">{escape(str(name)[:48])}</text>'
        legend.append(said)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE_PX + 300} {SIZE_PX}" font-family="sans-serif" '
        f'font-size="11" role="img" aria-label="{escape(law)}: predicted against measured">'
        f'<rect width="100%" height="100%" fill="white"/>'
        f'<text x="{SIZE_PX / 2}" y="16" text-anchor="middle" font-size="13">{escape(law.replace("_", " "))}</text>'
        f"{''.join(parts)}{''.join(legend)}</svg>"
    )


def _band(at: Place, low: float, high: float, is_share: bool, error: float | None) -> str:
    """The diagonal, and the lines of so much error above and below it."""
    above = [0.0]
    if error:
        above += [error, -error] if is_share else [float(np.log10(1 + error)), -float(np.log10(1 + error))]
    lines = []
    for shift in above:
        first, last = max(low, low - shift), min(high, high - shift)
        dash = ' stroke-dasharray="3 3"' if shift else ""
        lines.append(
            f'<line x1="{at(first):.1f}" y1="{SIZE_PX - at(first + shift):.1f}" x2="{at(last):.1f}" '
            f'y2="{SIZE_PX - at(last + shift):.1f}" stroke="#999999"{dash}/>'
        )
    return "".join(lines)


def _ticks(at: Place, low: float, high: float, is_share: bool) -> str:
    """Numbers along both axes, and what they are."""
    whole = np.arange(np.ceil(low), np.floor(high) + 1)
    places = [0.0, 0.5, 1.0] if is_share else whole.tolist() if len(whole) > 1 else [low, high]
    texts = []
    for place in places:
        label = f"{place:g}" if is_share else _short(10**place)
        texts.append(f'<text x="{at(place):.1f}" y="{SIZE_PX - MARGIN_PX + 16}" text-anchor="middle">{label}</text>')
        texts.append(f'<text x="{MARGIN_PX - 5}" y="{SIZE_PX - at(place) + 4:.1f}" text-anchor="end">{label}</text>')
    middle = SIZE_PX / 2
    texts.append(f'<text x="{middle}" y="{SIZE_PX - 10}" text-anchor="middle">measured</text>')
    texts.append(f'<text transform="translate(12 {middle}) rotate(-90)" text-anchor="middle">predicted</text>')
    return "".join(texts)


def _short(value: float) -> str:
    """A number in at most five letters or so: 0.01, 100, 10k, 1.8M."""
    for letter, unit in (("M", 1e6), ("k", 1e3)):
        if value >= unit * 0.9995:
            return f"{value / unit:.3g}{letter}"
    return f"{value:.3g}"
