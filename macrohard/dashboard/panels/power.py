"""Site power by source with the load, and the charge of the Megapacks below."""

import numpy as np

from macrohard.dashboard.panels.paper import WIDTH_PX, hours, key, pile
from macrohard.dashboard.session import Run
from macrohard.report.chart import Layer, area, axes, line, rule, sheet
from macrohard.report.picture import Rows, aligned, frame, highest, means
from macrohard.report.power_pictures import COLUMNS, SOURCES
from macrohard.report.scale import megawatts, shares


def power(run: Run, pinned: Run | None) -> str:
    """The drawing; empty before the first tick."""
    rows = means(run.facts, COLUMNS, ("load_mw", "battery_mw"))
    if rows is None:
        return ""
    other = means(pinned.facts, COLUMNS, ("load_mw",)) if pinned else None
    feeding = [Layer(label, ink, _positive(rows, name)) for name, ink, label in SOURCES if highest(rows[name]) > 0]
    if run.facts.has_megapacks:
        feeding.append(Layer("Megapacks", "battery", _positive(rows, "battery_mw")))
    if highest(rows["unserved_mw"]) > 0:
        feeding.append(Layer("Unserved", "unserved", _positive(rows, "unserved_mw")))
    charging = np.minimum(np.nan_to_num(rows["battery_mw"]), 0.0)
    nameplate = run.facts.number("power.nameplate_site_mw")
    top = highest(rows["load_mw"], rows["demand_mw"], nameplate, other["load_mw"] if other else 0.0)
    x, has_soc = hours(run, pinned), "soc" in rows
    upper = frame(WIDTH_PX, 230, x, megawatts(float(charging.min(initial=0.0)), top, "site power"))
    lower = frame(WIDTH_PX, 64, x, shares("Megapack charge, %", n_ticks=2), top=upper.top + 236)
    upper, lower = aligned([upper, lower]) if has_soc else (upper, lower)
    marks = [axes(upper, x_title=not has_soc), pile(upper, rows.time_h, feeding)]
    marks += [area(upper, rows.time_h, charging, np.zeros_like(charging), "battery"), rule(upper, 0.0, "zero")]
    marks += [line(upper, rows.time_h, rows["demand_mw"], "demand"), line(upper, rows.time_h, rows["load_mw"], "load")]
    marks.append(rule(upper, nameplate, "nameplate"))
    if has_soc:
        marks += [axes(lower), line(lower, rows.time_h, rows["soc"], "soc")]
    if other is not None:
        marks.append(line(upper, other.time_h, other["load_mw"], "pinned"))
        marks.append(line(lower, other.time_h, other["soc"], "pinned") if has_soc else "")
    lowest = lower if has_soc else upper
    entries = [("area", layer.ink, layer.label) for layer in feeding]
    entries += [
        ("line", "load", "load"),
        ("line", "demand", "demand before any cap"),
        ("line", "nameplate", "nameplate"),
    ]
    return key(entries, pinned) + sheet(WIDTH_PX, lowest.top + lowest.height + 40, "Site power by source", marks)


def _positive(rows: Rows, name: str) -> np.ndarray:
    return np.maximum(np.nan_to_num(rows[name]), 0.0)
