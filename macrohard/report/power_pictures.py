"""Pictures of the megawatts: where they come from over time, how long they last, what the Megapacks do."""

import math

import numpy as np

from macrohard.report.bars import Part, Row, rows
from macrohard.report.chart import Layer, area, axes, gutter, legend, line, rule, sheet, stack, warm_up
from macrohard.report.facts import Array, Facts, thin
from macrohard.report.picture import ROOMY_PX, Picture, Rows, aligned, frame, highest, means, time_axis
from macrohard.report.quantity import duration, energy, percent, power
from macrohard.report.scale import Frame, megawatts, shares

SOURCES = (("grid_mw", "grid", "Grid"), ("turbine_mw", "turbine", "Turbines"), ("solar_mw", "solar", "Solar"))
COLUMNS = ("load_mw", "demand_mw", "limit_mw", "grid_mw", "turbine_mw", "solar_mw", "battery_mw", "unserved_mw", "soc")


def site_power(facts: Facts) -> Picture | None:
    """Site power by source with load, demand, what could be supplied and the nameplate; state of charge below."""
    rows = means(facts, COLUMNS, ("load_mw", "battery_mw"))
    if rows is None or "load_mw" not in rows:
        return None
    return Picture(
        "site-power", "Site power by source", _power_caption(facts), lambda width: _draw_power(facts, rows, width), True
    )


def _power_caption(facts: Facts) -> str:
    load, peak, nameplate = (
        facts.number(f"power.{key}") for key in ("load_mean_mw", "load_peak_mw", "nameplate_site_mw")
    )
    words = [
        "Coloured layers are what each source feeds to the site; the strong line is the load that was served or shed, "
        "the dashed line what the GPUs asked for before any cap."
    ]
    if facts.has_megapacks:
        words.append("Below zero the Megapacks charge.")
    if math.isfinite(load) and math.isfinite(nameplate) and nameplate > 0:
        words.append(
            f"The load averaged {power(load)} and peaked at {power(peak)}, {percent(peak / nameplate)} of the site's "
            f"nameplate of {power(nameplate)}: the nameplate is what the site is rated for, not what it draws."
        )
    capped = facts.number("power.capped_mwh")
    if capped > 0 or facts.unserved_mwh > 0:
        unserved = energy(facts.unserved_mwh) if facts.unserved_mwh > 0 else "none"
        words.append(f"{energy(capped)} of demand was capped away and {unserved} went unserved.")
    lowest, end = facts.number("power.soc_lowest"), facts.number("power.soc_end")
    if math.isfinite(lowest):
        words.append(
            f"The Megapacks held {percent(lowest)} of their charge at the lowest and {percent(end)} at the end."
        )
    return " ".join(words)


def _layers(rows: Rows) -> tuple[list[Layer], Array]:
    feeding = [
        Layer(label, ink, np.maximum(np.nan_to_num(rows[name]), 0.0)) for name, ink, label in SOURCES if name in rows
    ]
    battery = np.nan_to_num(rows["battery_mw"])
    feeding.append(Layer("Megapacks", "battery", np.maximum(battery, 0.0)))
    feeding.append(Layer("Unserved", "unserved", np.maximum(np.nan_to_num(rows["unserved_mw"]), 0.0)))
    return feeding, np.minimum(battery, 0.0)


def _draw_power(facts: Facts, rows: Rows, width: int) -> str:
    roomy = width >= ROOMY_PX
    feeding, charging = _layers(rows)
    nameplate = facts.number("power.nameplate_site_mw")
    total = np.sum([layer.values for layer in feeding], axis=0)
    top = highest(total, rows["load_mw"], rows["demand_mw"], 0.0 if math.isnan(nameplate) else nameplate)
    reach = np.where(rows["limit_mw"] <= 1.15 * top, rows["limit_mw"], np.nan)
    low = float(np.min(charging, initial=0.0))
    x = time_axis(facts, width)
    tall = 330 if roomy else 260
    upper = frame(
        width, tall, x, megawatts(low, max(top, highest(reach)), "site power", 8 if roomy else 5), gutter=True
    )
    battery_top = upper.top + tall + 6
    lower = frame(
        width, 100 if roomy else 80, x, shares("Megapack charge, %", n_ticks=2), top=battery_top + 16, gutter=True
    )
    has_soc = "soc" in rows
    upper, lower = aligned([upper, lower]) if has_soc else (upper, lower)
    pile, unnamed = stack(upper, rows.time_h, feeding, facts.warm_up_h)
    ends = [(rows["load_mw"][-1], "load"), (nameplate, f"nameplate {power(nameplate)}")]
    marks = [warm_up(upper, facts.warm_up_h), axes(upper, x_title=not has_soc), pile]
    marks += [area(upper, rows.time_h, charging, np.zeros_like(charging), "battery"), rule(upper, 0.0, "zero")]
    lines = [("line", "load", "load"), *_nameplate_key(nameplate)]
    if np.isfinite(reach).any():
        marks.append(line(upper, rows.time_h, reach, "limit"))
        lines.append(("line", "limit", "reach of supply within a tick, where low enough to be seen"))
        ends.append((reach[-1], "supply reach"))
    if "demand_mw" in rows:
        marks.append(line(upper, rows.time_h, rows["demand_mw"], "demand"))
        lines.append(("line", "demand", "demand before any cap"))
        if _apart(rows["demand_mw"][-1], rows["load_mw"][-1], upper):
            ends.append((rows["demand_mw"][-1], "demand"))
    marks += [line(upper, rows.time_h, rows["load_mw"], "load"), rule(upper, nameplate, "nameplate")]
    if roomy:
        marks.append(gutter(upper, ends))
    if has_soc:
        marks += _charge(facts, lower, rows, roomy)
    seen = [("area", layer.ink, layer.label) for layer in (unnamed if roomy else _shown(feeding))]
    if low < 0 and ("area", "battery", "Megapacks") not in seen:
        seen.append(("area", "battery", "Megapacks, charging below zero"))
    drawing = sheet(
        width,
        (lower if has_soc else upper).top + (lower if has_soc else upper).height + 40,
        "Site power by source",
        marks,
    )
    return legend(seen + lines) + drawing


def _shown(layers: list[Layer]) -> list[Layer]:
    return [layer for layer in layers if highest(layer.values) > 0]


def _nameplate_key(nameplate_mw: float) -> list[tuple[str, str, str]]:
    return [("line", "nameplate", f"site nameplate {power(nameplate_mw)}")] if math.isfinite(nameplate_mw) else []


def _apart(a: float, b: float, box: Frame) -> bool:
    return abs(a - b) / (box.y.high - box.y.low) > 0.02


def _charge(facts: Facts, box: Frame, rows: Rows, roomy: bool) -> list[str]:
    marks = [warm_up(box, facts.warm_up_h, named=False), axes(box), line(box, rows.time_h, rows["soc"], "soc")]
    limits = [("reserve", "reserve"), ("soc_min", "minimum")]
    found = [(facts.setting(f"power.megapack.{key}"), words) for key, words in limits]
    marks += [rule(box, at, "limit") for at, _ in found]
    if roomy:
        named = [(at, f"{words} {percent(at)}") for at, words in found if math.isfinite(at)]
        marks.append(gutter(box, [*named, (rows["soc"][-1], "charge")]))
    return marks


def load_duration(facts: Facts) -> Picture | None:
    """Load and demand, highest first, over the share of time they were reached."""
    load, demand = facts.settled("load_mw"), facts.settled("demand_mw")
    if load is None:
        return None
    nameplate = facts.number("power.nameplate_site_mw")
    caption = f"Read: for half of the time the load was above {power(float(np.nanmedian(load)))}."
    if highest(load) > 0:
        caption += f" Mean over peak, the load factor, is {percent(float(np.nanmean(load)) / highest(load))}."
    caption += (
        " A wide gap between load and nameplate is paid for but not used; a gap between demand and load is work slowed "
        "by the cap."
    )

    def draw(width: int) -> str:
        top = highest(load, 0.0 if demand is None else demand, 0.0 if math.isnan(nameplate) else nameplate)
        box = frame(width, 210, shares("share of the time, %", n_ticks=5), megawatts(0, top, "site power"))
        served = _sorted(load)
        marks = [
            axes(box),
            area(box, served[0], np.zeros_like(served[0]), served[1], "idle"),
            line(box, *served, "load"),
        ]
        keys = [("line", "load", "load"), *_nameplate_key(nameplate)]
        if demand is not None:
            marks.append(line(box, *_sorted(demand), "demand"))
            keys.append(("line", "demand", "demand before any cap"))
        marks.append(rule(box, nameplate, "nameplate"))
        return legend(keys) + sheet(width, box.top + box.height + 40, "Load-duration curve", marks)

    return Picture("load-duration", "How long the load lasts", caption, draw)


def _sorted(values: Array) -> tuple[Array, Array]:
    """Share of time and value, highest value first, fit to draw."""
    falling = np.sort(values[np.isfinite(values)])[::-1]
    if len(falling) == 1:
        return np.array([0.0, 1.0]), np.repeat(falling, 2)
    share = np.linspace(0.0, 1.0, len(falling))
    kept = np.unique(np.r_[thin([share], 400), np.arange(min(20, len(share)))])
    return share[kept], falling[kept]


def energy_rows(facts: Facts) -> Picture | None:
    """Energy of the whole run by where it came from."""
    load = facts.number("power.load_mwh")
    known = [
        ("Grid", "grid", facts.number("power.grid_mwh")),
        ("Turbines", "turbine", facts.number("power.turbine_mwh")),
        ("Solar", "solar", _solar_mwh(facts)),
        ("Megapacks, discharged", "battery", facts.number("power.battery_discharge_mwh")),
        ("Unserved", "unserved", facts.unserved_mwh),
    ]
    shown = [entry for entry in known if entry[2] > 1e-6 * load]
    if not shown or not load > 0:
        return None
    bars = [
        Row(name, (Part(ink, value),), f"{energy(value)} · {percent(value / load)} of the load")
        for name, ink, value in shown
    ]
    lost = facts.number("power.battery_loss_mwh")
    caption = f"The site's load came to {energy(load)} over {duration(facts.hours)}, warm-up included."
    if lost > 0:
        caption += (
            f" Charging and discharging the Megapacks lost {energy(lost)}, so the sources "
            "add up to slightly more than the load."
        )
    return Picture("energy", "Where the energy came from", caption, lambda width: rows(width, "Energy by source", bars))


def _solar_mwh(facts: Facts) -> float:
    given = facts.number("power.solar_mwh")
    solar = facts.column("solar_mw")
    return given if math.isfinite(given) or solar is None else float(np.nanmean(solar)) * facts.hours
