"""Where it went, as a Sankey picture: tickets by fate, tokens by role, GPU-hours with their energy and cost by role."""

import numpy as np
import pandas as pd

from macrohard.report.chart import box, paint, sheet, text
from macrohard.report.facts import ROLE_OF_STAGE, ROLES, STAGES, Array, Facts
from macrohard.report.picture import ROOMY_PX, Picture
from macrohard.report.quantity import energy, human, percent, usd
from macrohard.report.wording import capital

FATES = {
    "first": "done at first try",
    "failed": "done after failures",
    "bugs": "bugs that came back",
    "open": "not done",
}
INKS = {
    **{"first": "done", "failed": "waiting", "bugs": "unserved", "open": "given-up"},
    **{"management": "review", "design": "plan", "coding": "code", "testing": "test"},
}
NODE_PX, GAP_PX, HIGH_PX = 12.0, 22.0, 300.0
LEAST = 1e-4  # share below which a flow is not drawn


def flows(facts: Facts) -> Picture | None:
    """From tickets over tokens to GPU-hours, energy and cost, by role."""
    found = shares(facts.tickets)
    if found is None:
        return None
    by_fate_and_role, hours, fit = found
    written = facts.number("tokens.decode_tokens")
    first = max(ROLES, key=lambda role: hours[ROLES.index(role)])
    caption = (
        f"Read from left to right; the height is the share. {capital(first)} holds streams for "
        f"{percent(float(hours.max()))} of the agents' time at work. Tokens by fate are counted; by role they are an "
        f"estimate from each ticket's hours at each stage (R\u00b2 {fit:.2f}). GPU-hours, energy and cost of the whole "
        "site, idle time included, are shared out by the time that streams of each role are held."
    )

    def draw(width: int) -> str:
        tokens = by_fate_and_role.sum(axis=0)
        roomy = width >= ROOMY_PX
        left = {fate: float(part) for fate, part in zip(FATES, by_fate_and_role.sum(axis=1), strict=True)}
        middle = dict(zip(ROLES, map(float, tokens), strict=True))
        right = dict(zip(ROLES, map(float, hours), strict=True))
        at = (0.0, width * (0.42 if roomy else 0.46), width - NODE_PX)
        columns = [_stacked(parts) for parts in (left, middle, right)]
        marks = [text(0, 12, "tickets", "axis"), text(at[1], 12, "tokens written", "axis", "middle")]
        marks.append(text(width, 12, "GPU-hours, energy, cost" if roomy else "GPU-h, MWh, USD", "axis", "end"))
        links = [
            (fate, role, float(by_fate_and_role[f, r]), float(by_fate_and_role[f, r]))
            for f, fate in enumerate(FATES)
            for r, role in enumerate(ROLES)
        ]
        marks += _ribbons(at[0] + NODE_PX, at[1], columns[0], columns[1], links)
        straight = [(role, role, middle[role], right[role]) for role in ROLES]
        marks += _ribbons(at[1] + NODE_PX, at[2], columns[1], columns[2], straight)
        for x, parts, column in zip(at, (left, middle, right), columns, strict=True):
            marks += [box("piece", x, column[k], NODE_PX, HIGH_PX * v, INKS[k]) for k, v in parts.items() if v > LEAST]
        for fate, share in left.items():
            if share > LEAST:
                marks.append(_label(NODE_PX + 6, columns[0][fate], share, FATES[fate], percent(share)))
        for role, share in middle.items():
            tell = f"{human(written * share)} tokens" if roomy and written > 0 else ""
            marks.append(_label(at[1] + NODE_PX + 6, columns[1][role], share, role if roomy else percent(share), tell))
        for role, share in right.items():
            tell = _bill(facts, share) if roomy else human(facts.number("gpu.gpu_h_busy") * share, "GPU-h")
            marks.append(_label(at[2] - 6, columns[2][role], share, f"{role} {percent(share)}", tell, "end"))
        return sheet(width, 26 + HIGH_PX + 3 * GAP_PX + 18, "Where it went", marks)

    return Picture("flows", "Where tokens, GPU-hours, energy and money went", caption, draw, True)


def _bill(facts: Facts, share: float) -> str:
    told = (
        (facts.number("gpu.gpu_h_busy"), lambda v: human(v, "GPU-h")),
        (facts.number("power.load_mwh") - max(facts.unserved_mwh, 0.0), energy),
        (facts.number("cost.total_usd"), usd),
    )
    return " \u00b7 ".join(write(value * share) for value, write in told if value > 0)


def shares(tickets: pd.DataFrame) -> tuple[Array, Array, float] | None:
    """Shares of the tokens written by (fate, role), of the time at work by role, and how well the estimate fits.

    What a ticket's tokens were is counted; which role wrote them is estimated: least squares of the tokens on the hours
    at each stage, scaled to the count of each fate. None without the columns, or without work.
    """
    hours_of = [f"work_h_{stage}" for stage in STAGES]
    needed = {*hours_of, "decode_tokens", "status", "is_bug", "failures"}
    if not needed <= set(tickets.columns) or len(tickets) < 10:
        return None
    hours = np.nan_to_num(tickets[hours_of].to_numpy(dtype=np.float64, na_value=0.0))
    tokens = np.nan_to_num(tickets["decode_tokens"].to_numpy(dtype=np.float64, na_value=0.0))
    if not (hours.sum() > 0 and tokens.sum() > 0):
        return None
    per_hour = np.clip(np.linalg.lstsq(hours, tokens, rcond=None)[0], 0.0, None)
    spread = float(((tokens - tokens.mean()) ** 2).sum())
    fit = 1.0 - float(((tokens - hours @ per_hour) ** 2).sum()) / spread if spread > 0 else 0.0
    is_done, is_bug = (tickets["status"] == "done").to_numpy(), tickets["is_bug"].to_numpy(dtype=bool)
    has_failed = tickets["failures"].to_numpy(dtype=np.float64, na_value=0.0) > 0
    fates = (is_done & ~is_bug & ~has_failed, is_done & ~is_bug & has_failed, is_done & is_bug, ~is_done)
    found = np.zeros((len(FATES), len(ROLES)))
    for f, those in enumerate(fates):
        by_role = _by_role(hours[those].sum(axis=0) * per_hour)
        if by_role.sum() > 0:
            found[f] = by_role / by_role.sum() * tokens[those].sum()
    at_work = _by_role(hours.sum(axis=0))
    return found / max(found.sum(), 1e-300), at_work / at_work.sum(), fit


def _by_role(by_stage: Array) -> Array:
    return np.array(
        [sum(by_stage[s] for s, stage in enumerate(STAGES) if ROLE_OF_STAGE[stage] == role) for role in ROLES]
    )


def _stacked(parts: dict[str, float]) -> dict[str, float]:
    """The upper edge of each part, one below the other with gaps, in pixels."""
    found, top = {}, 26.0
    for name, share in parts.items():
        found[name] = top
        top += share * HIGH_PX + GAP_PX
    return found


def _ribbons(
    x0: float, x1: float, left: dict[str, float], right: dict[str, float], links: list[tuple[str, str, float, float]]
) -> list[str]:
    """Bands from left to right, painted as where they come from; their ends may differ in height."""
    out, into = dict(left), dict(right)
    found, half = [], (x0 + x1) / 2
    for source, target, share, share_there in links:
        a, b = share * HIGH_PX, share_there * HIGH_PX
        y0, y1 = out[source], into[target]
        out[source] += a
        into[target] += b
        if max(share, share_there) > LEAST:
            upper = f"M{x0:.1f} {y0:.1f}C{half:.1f} {y0:.1f} {half:.1f} {y1:.1f} {x1:.1f} {y1:.1f}"
            y0, y1 = y0 + a, y1 + b
            lower = f"L{x1:.1f} {y1:.1f}C{half:.1f} {y1:.1f} {half:.1f} {y0:.1f} {x0:.1f} {y0:.1f}Z"
            found.append(f'<path class="ribbon" {paint(INKS[source])} d="{upper}{lower}"/>')
    return found


def _label(x: float, top: float, share: float, name: str, tell: str, side: str = "start") -> str:
    """One line or two beside a node, in its middle."""
    middle = top + share * HIGH_PX / 2
    second = text(x, middle + 13, tell, "halo", side) if tell else ""
    return text(x, middle - 1 if tell else middle + 4, name, "strong", side) + second
