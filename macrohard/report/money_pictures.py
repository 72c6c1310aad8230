"""Pictures of what it cost and of what held the work back."""

import math
from collections.abc import Mapping

from macrohard.report.bars import Part, Row, rows
from macrohard.report.facts import Facts, as_number, look_up
from macrohard.report.picture import Picture
from macrohard.report.quantity import percent, usd

PARTS = {
    "gpu": ("GPUs", "gpus"),
    "fuel": ("Fuel of turbines", "turbine"),
    "grid": ("Grid energy", "grid"),
    "operation": ("Operation of turbines", "turbine"),
    "demand_charge": ("Grid demand charge", "grid"),
    "turbine_lease": ("Turbines, leased", "plan"),
    "site": ("Site, written off or rented", "other"),
    "turbines": ("Turbines, written off", "plan"),
    "megapacks": ("Megapacks, written off", "battery"),
}
LIMITS = {
    "backlog": ("Backlog: too few tickets", "other"),
    "agents": ("Agents: too few desks", "working"),
    "gpus": ("GPUs: streams share them", "gpus"),
    "power": ("Power: supply capped the GPUs", "power"),
}


def cost(facts: Facts) -> Picture | None:
    """What the run cost, by kind."""
    total = facts.number("cost.total_usd")
    if not total > 0:
        return None
    gpus, energy = facts.number("cost.gpu_usd"), facts.number("cost.energy_usd")
    gpus, energy = (0.0 if math.isnan(value) else value for value in (gpus, energy))
    listed = look_up(facts.summary, "cost.parts")
    parts = [("GPUs", "gpus", gpus), ("Energy", "turbine", energy)]
    if isinstance(listed, Mapping):
        parts = [(*PARTS.get(str(name), (str(name), "other")), as_number(value)) for name, value in listed.items()]
    rest = total - sum(value for _, _, value in parts if value > 0)
    if rest > 1e-6 * total:
        parts.append(("Site, plant and Megapacks", "other", rest))
    shown = sorted((part for part in parts if part[2] > 0), key=lambda part: -part[2])
    bars = [Row(name, (Part(ink, value),), f"{usd(value)} · {percent(value / total)}") for name, ink, value in shown]
    each = facts.number("cost.usd_per_ticket")
    caption = f"{usd(total)} in all" + (f", {usd(each)} for each ticket done." if math.isfinite(each) else ".")
    if shown:
        caption += f" Largest part: {shown[0][0]}, {percent(shown[0][2] / total)}."
    return Picture("cost-parts", "What it cost", caption, lambda width: rows(width, "Cost", bars, total))


def binding(facts: Facts) -> Picture | None:
    """Share of the time in which each of backlog, agents, GPUs and power held the work back."""
    held = {key: facts.number(f"binding.{key}") for key in LIMITS}
    if all(math.isnan(share) for share in held.values()):
        return None
    bars = [
        Row(LIMITS[key][0], (Part(LIMITS[key][1], share),), percent(share))
        for key, share in held.items()
        if math.isfinite(share)
    ]
    caption = "Share of the time after the warm-up in which each of the four was what held the work back."
    return Picture("binding", "What held the work back", caption, lambda width: rows(width, "Limits", bars, 1.0))
