"""Lines drawn with letters, for terminals: sparklines in one row and curves in braille dots."""

import math

import numpy as np

from macrohard.report.facts import Array

BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN = "_.-=+*#@"
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # braille dots by row and column of a cell


def binned(values: Array, n_bins: int) -> Array:
    """Means over so many stretches of equal length, nan where a stretch holds no number."""
    edges = np.linspace(0, len(values), min(n_bins, len(values)) + 1).astype(np.intp)
    stretches = [values[start:end] for start, end in zip(edges[:-1], edges[1:], strict=True)]
    return np.array([np.nanmean(part) if np.isfinite(part).any() else math.nan for part in stretches])


def spark(
    values: Array, width: int, *, low: float | None = None, high: float | None = None, plain: bool = False
) -> str:
    """A series in one row of letters; a space where there is no number."""
    means = binned(values, width)
    if not np.isfinite(means).any():
        return ""
    floor = float(np.nanmin(means)) if low is None else low
    span = (float(np.nanmax(means)) if high is None else high) - floor
    letters = PLAIN if plain else BLOCKS
    steps = (means - floor) / span * (len(letters) - 1) if span > 0 else np.where(np.isfinite(means), 0.0, math.nan)
    return "".join(
        letters[round(min(max(step, 0.0), len(letters) - 1.0))] if step == step else " " for step in steps.tolist()
    )


def curve(values: Array, width: int, height: int, low: float, high: float, *, plain: bool = False) -> list[str]:
    """A series as rows of braille dots, four dots high and two wide a letter; with `plain`, of stars."""
    wide, tall = (1, 1) if plain else (2, 4)
    means = binned(values, width * wide)
    if len(means) < width * wide:
        means = means[np.arange(width * wide) * len(means) // (width * wide)]
    n_levels = height * tall
    span = high - low if high > low else 1.0
    levels = np.clip((means - low) / span * (n_levels - 1), 0, n_levels - 1)
    cells = np.zeros((height, width), dtype=np.int64)
    before = math.nan
    for column, level in enumerate(levels.tolist()):
        if level != level:
            before = math.nan
            continue
        start = level if before != before else before
        reach = range(round(min(start, level)), round(max(start, level)) + 1)
        for at in reach if abs(level - start) > 1 else (round(level),):
            row = n_levels - 1 - at
            cells[row // tall, column // wide] |= 1 if plain else DOTS[row % 4][column % 2]
        before = level
    empty = 0 if plain else 0x2800
    return ["".join(("*" if cell else " ") if plain else chr(empty + cell) for cell in line) for line in cells.tolist()]
