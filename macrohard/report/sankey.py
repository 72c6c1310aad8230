"""Where it went, as a Sankey picture: work by kind, tokens by role, GPU-hours with their energy and cost by role."""

from dataclasses import dataclass

from macrohard.report.chart import box, paint, sheet, text
from macrohard.report.facts import Facts
from macrohard.report.picture import ROOMY_PX, Picture
from macrohard.report.quantity import energy, human, percent, usd
from macrohard.report.wording import capital

WORK = {"first": "first attempts", "rework": "retries, bugs, conflicts"}
TRAINING = "training"
INKS = {
    **{"first": "done", "rework": "waiting", TRAINING: "training"},
    **{"management": "review", "design": "plan", "coding": "code", "testing": "test"},
}
NODE_PX, GAP_PX, HIGH_PX = 12.0, 22.0, 300.0
LEAST = 1e-4  # share below which a flow is not drawn


@dataclass(frozen=True)
class Spent:
    """Of each role tokens written at first attempts and at rework, and hours of GPUs; beside them those of training."""

    first: dict[str, float]
    rework: dict[str, float]
    gpu_h: dict[str, float]
    training_gpu_h: float

    @staticmethod
    def of(facts: Facts) -> "Spent | None":
        """As the summary has it; None where no token was written or a summary of older versions does not tell."""
        first, rework, gpu_h = {}, {}, {}
        for role in facts.roles:
            rework[role] = facts.number(f"tokens.by_role.{role}.rework_decode_tokens")
            first[role] = facts.number(f"tokens.by_role.{role}.decode_tokens") - rework[role]
            gpu_h[role] = facts.number(f"gpu.by_role.{role}.gpu_h_busy")
        told = [*first.values(), *rework.values(), *gpu_h.values()]
        if not (sum(first.values()) + sum(rework.values()) > 0 and sum(gpu_h.values()) > 0 and min(told) >= 0):
            return None
        return Spent(first, rework, gpu_h, max(facts.number("gpu.gpu_h_training"), 0.0))


def flows(facts: Facts) -> Picture | None:
    """From tickets over tokens to GPU-hours, energy and cost, by role."""
    spent = Spent.of(facts)
    if spent is None:
        return None
    written = sum(spent.first.values()) + sum(spent.rework.values())
    busy_gpu_h = sum(spent.gpu_h.values()) + spent.training_gpu_h
    links = [
        (kind, role, tokens[role] / written)
        for kind, tokens in (("first", spent.first), ("rework", spent.rework))
        for role in tokens
    ]
    left = {kind: sum(share for source, _, share in links if source == kind) for kind in WORK}
    middle = {role: sum(share for _, target, share in links if target == role) for role in spent.first}
    right = {role: hours / busy_gpu_h for role, hours in spent.gpu_h.items()}
    straight = [(role, role, middle[role], right[role]) for role in middle]
    if spent.training_gpu_h > 0:
        right[TRAINING] = spent.training_gpu_h / busy_gpu_h
    most, rework = max(middle, key=lambda role: middle[role]), percent(left["rework"])
    caption = (
        f"Read from left to right; the height is the share. {capital(most)} writes {percent(middle[most])} of the "
        f"tokens; {rework} go into attempts after the first, bugs that came back and conflicts. Tokens are counted. "
        "GPU-hours at work on prompts are shared out by the prompt tokens computed for each role, the others by the "
        "tokens written; energy and cost of the whole site, idle time included, by GPU-hours."
    )

    def draw(width: int) -> str:
        roomy = width >= ROOMY_PX
        at = (0.0, width * (0.42 if roomy else 0.46), width - NODE_PX)
        columns = [_stacked(parts) for parts in (left, middle, right)]
        marks = [text(0, 12, "work on tickets", "axis"), text(at[1], 12, "tokens written", "axis", "middle")]
        marks.append(text(width, 12, "GPU-hours, energy, cost" if roomy else "GPU-h, MWh, USD", "axis", "end"))
        marks += _ribbons(at[0] + NODE_PX, at[1], columns[0], columns[1], [(*link, link[2]) for link in links])
        marks += _ribbons(at[1] + NODE_PX, at[2], columns[1], columns[2], straight)
        for x, parts, column in zip(at, (left, middle, right), columns, strict=True):
            marks += [box("piece", x, column[k], NODE_PX, HIGH_PX * v, _ink(k)) for k, v in parts.items() if v > LEAST]
        for kind, share in left.items():
            if share > LEAST:
                marks.append(_label(NODE_PX + 6, columns[0][kind], share, WORK[kind], percent(share)))
        for role, share in middle.items():
            tell = f"{human(written * share)} tokens" if roomy else ""
            marks.append(_label(at[1] + NODE_PX + 6, columns[1][role], share, role if roomy else percent(share), tell))
        for role, share in right.items():
            tell = _bill(facts, busy_gpu_h, share) if roomy else human(busy_gpu_h * share, "GPU-h")
            marks.append(_label(at[2] - 6, columns[2][role], share, f"{role} {percent(share)}", tell, "end"))
        high = HIGH_PX + GAP_PX * (max(len(left), len(middle), len(right)) - 1)
        return sheet(width, 26 + high + 18, "Where it went", marks)

    return Picture("flows", "Where tokens, GPU-hours, energy and money went", caption, draw, True)


def _ink(name: str) -> str:
    return INKS.get(name, "other")


def _bill(facts: Facts, busy_gpu_h: float, share: float) -> str:
    told = (
        (busy_gpu_h, lambda v: human(v, "GPU-h")),
        (facts.number("power.load_mwh") - max(facts.unserved_mwh, 0.0), energy),
        (facts.number("cost.total_usd"), usd),
    )
    return " \u00b7 ".join(write(value * share) for value, write in told if value > 0)


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
            found.append(f'<path class="ribbon" {paint(_ink(source))} d="{upper}{lower}"/>')
    return found


def _label(x: float, top: float, share: float, name: str, tell: str, side: str = "start") -> str:
    """One line or two beside a node, in its middle."""
    middle = top + share * HIGH_PX / 2
    second = text(x, middle + 13, tell, "halo", side) if tell else ""
    return text(x, middle - 1 if tell else middle + 4, name, "strong", side) + second
