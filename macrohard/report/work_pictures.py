"""Pictures of time: how long a ticket takes, where its time goes, and where that of the desks."""

import math

import numpy as np
import pandas as pd

from macrohard.report.bars import Part, Row, columns, rows
from macrohard.report.chart import LETTER_PX, Layer, axes, box, legend, sheet, stack, text, upright, warm_up
from macrohard.report.facts import STAGES, Array, Facts
from macrohard.report.picture import Picture, frame, means, time_axis
from macrohard.report.quantity import duration, percent
from macrohard.report.scale import Axis, Frame, decades, elapsed, linear, shares

DESK_KINDS = (
    ("unimpeded", "unimpeded", "working at full speed"),
    ("gpus", "gpus", "lost to sharing GPUs"),
    ("power", "power", "lost to the power cap"),
    ("idle", "idle", "without a ticket"),
)


def lead_time(facts: Facts) -> Picture | None:
    """How long done tickets took from creation to done."""
    times = _lead_times(_done(facts))
    if times is None or not times.size:
        return None
    half, most = (float(value) for value in np.quantile(times, (0.5, 0.9)))
    edge = max(float(np.quantile(times, 0.99)), 1e-3)
    beyond = float(np.mean(times > edge))
    n_open = facts.number("work.tickets_open")
    created = facts.number("work.tickets_created")
    caption = f"Half of the tickets that got done took up to {duration(half)}, nine of ten up to {duration(most)}."
    if beyond > 0:
        caption += f" The slowest {percent(beyond)} lie beyond the right edge."
    if created > 0 and n_open > 0:
        caption += f" {percent(n_open / created)} of all tickets are still open and not in here: true times are longer."

    def draw(width: int) -> str:
        unit, name = (1.0, "h") if edge > 3 else (1 / 60, "min")
        x = (
            linear(0, edge / unit, f"lead time, {name}", 6, round_up=False)
            if unit < 1 or edge <= 48
            else elapsed(edge, 7)
        )
        if unit == 1.0 and edge > 48:
            x = type(x)(x.low, x.high, x.ticks, "lead time, days")
        counts, edges = np.histogram(
            times / unit, bins=min(48, max(8, int(math.sqrt(times.size)))), range=(0, edge / unit)
        )
        share = counts / times.size
        area = frame(width, 210, x, shares("share of done tickets, %", high=float(share.max())))
        marks = [axes(area), columns(area, edges, share, "working")]
        marks += [upright(area, half / unit, "demand"), upright(area, most / unit, "demand")]
        named = ((half, f"half: {duration(half)}", 13), (most, f"90 %: {duration(most)}", 29))
        for at, words, lower in named:
            px = area.at(at / unit, 0.0)[0]
            left = px + len(words) * LETTER_PX > area.left + area.width
            marks.append(
                text(px - 5 if left else px + 5, area.top + lower, words, "label halo", "end" if left else "start")
            )
        return sheet(width, area.top + area.height + 40, "Lead time", marks)

    return Picture("lead-time", "How long a ticket takes", caption, draw)


def _done(facts: Facts) -> pd.DataFrame:
    """Tickets done after the warm-up; all done ones if none were; none if the table does not say."""
    tickets = facts.tickets
    if "status" not in tickets.columns:
        return tickets.iloc[:0]
    done = tickets[tickets["status"].astype(str) == "done"]
    late = done[done["closed_h"] > facts.warm_up_h] if "closed_h" in done.columns else done
    return late if len(late) else done


def _lead_times(done: pd.DataFrame) -> Array | None:
    if not {"created_h", "closed_h"} <= set(done.columns):
        return None
    times = (done["closed_h"] - done["created_h"]).to_numpy(dtype=np.float64, na_value=np.nan)
    return np.asarray(times[np.isfinite(times) & (times >= 0)], dtype=np.float64)


def stage_times(facts: Facts) -> Picture | None:
    """How long done tickets spend at each stage, waiting included: the middle 80 % of them, on a logarithmic axis."""
    done = _done(facts)
    found = [(stage, times) for stage in STAGES if (times := _at_stage(done, stage)) is not None]
    if not found:
        return None
    marks_of = {stage: np.quantile(times, (0.1, 0.5, 0.9, 0.99)) * 60 for stage, times in found}
    slowest = max(marks_of, key=lambda stage: float(marks_of[stage][2]))
    caption = (
        "Of the tickets done: the bar holds the middle 80 %, the ring is the median, the thin line reaches to the "
        "slowest 1 %. Retries and waiting are in it. The slowest tenth spends "
        f"{duration(float(marks_of[slowest][2]) / 60)} and more at {slowest}."
    )

    def draw(width: int) -> str:
        top = max(float(marks[3]) for marks in marks_of.values())
        low = max(min(float(marks[0]) for marks in marks_of.values()), top / 1e4, 1e-3)
        x = decades(low / 1.3, top * 1.3, "minutes at the stage (logarithmic)")
        area = Frame(70, 4, width - 94, len(found) * 34.0, x, Axis(0, 1, (), ""))
        marks = [axes(area)]
        for k, (stage, _) in enumerate(found):
            y = area.top + k * 34 + 19
            p10, p50, p90, p99 = (area.at(math.log10(max(float(v), low)), 0)[0] for v in marks_of[stage])
            marks.append(text(0, y + 4, stage, "label"))
            marks.append(f'<path class="whisker" d="M{p90:.1f} {y:.1f}H{p99:.1f}M{p99:.1f} {y - 4:.1f}v8"/>')
            marks.append(box("piece", p10, y - 8, max(p90 - p10, 1.0), 16, stage))
            marks.append(f'<circle class="spot hollow" cx="{p50:.1f}" cy="{y:.1f}" r="4.5"/>')
        return sheet(width, area.top + area.height + 40, "Time at each stage", marks)

    return Picture("stage-times", "How long each stage takes", caption, draw)


def _at_stage(done: pd.DataFrame, stage: str) -> Array | None:
    """Hours of each done ticket at a stage, of those that passed it; None if none did."""
    if not {f"work_h_{stage}", f"wait_h_{stage}"} <= set(done.columns):
        return None
    hours = (done[f"work_h_{stage}"] + done[f"wait_h_{stage}"]).to_numpy(dtype=np.float64, na_value=np.nan)
    there = hours[np.isfinite(hours) & (hours > 0)]
    return there if there.size else None


def ticket_time(facts: Facts) -> Picture | None:
    """Mean hours that a done ticket waits and is worked on, by stage."""
    done = _done(facts)
    found = [(stage, _mean_h(done, f"work_h_{stage}"), _mean_h(done, f"wait_h_{stage}")) for stage in STAGES]
    work, wait = sum(entry[1] for entry in found), sum(entry[2] for entry in found)
    if work + wait <= 0:
        return None
    lead = _lead_times(done)
    before = max(0.0, float(lead.mean()) - work - wait) if lead is not None and lead.size else 0.0
    first = Row("Not ready: epic unplanned, or others needed", (Part("roadmap", before),), duration(before))
    bars = [first] if before > 0.01 * (work + wait) else []
    bars += [
        Row(
            stage.capitalize(),
            (Part("working", at), Part("waiting", queue)),
            f"{duration(at)} worked · {duration(queue)} waiting",
        )
        for stage, at, queue in found
    ]
    caption = f"A done ticket was worked on for {duration(work)} on average and waited {duration(wait)} in queues"
    caption += f", after {duration(before)} before it could be started." if len(bars) > len(found) else "."
    caption += f" It was touched {percent(work / (work + wait + before))} of its time."
    keys = legend([("area", "working", "being worked"), ("area", "waiting", "waiting")])
    return Picture(
        "ticket-time", "Where a ticket's time goes", caption, lambda width: keys + rows(width, "A ticket's time", bars)
    )


def _mean_h(tickets: pd.DataFrame, name: str) -> float:
    if name not in tickets.columns or tickets.empty:
        return 0.0
    values = tickets[name].to_numpy(dtype=np.float64, na_value=np.nan)
    return 0.0 if np.isnan(values).all() else float(np.nanmean(values))


def desks(facts: Facts) -> Picture | None:
    """What the agents' desks spent their time on: shares adding to 1, over time and overall."""
    names = tuple(f"desks_{kind}_share" for kind, _, _ in DESK_KINDS)
    over_time = means(facts, names, ("desks_idle_share", "desks_gpus_share"))
    overall = facts.desk_time()
    if over_time is None and not overall:
        return None
    caption = (
        "A desk works as fast as its model allows, is slowed because streams share GPUs or power is short, or has "
        "nothing to do."
    )
    if overall:
        said = [f"{label} {percent(overall[kind])}" for kind, _, label in DESK_KINDS if overall[kind] > 0]
        caption += f" After the warm-up: {', '.join(said)}." if said else ""

    def draw(width: int) -> str:
        keys = legend([("area", ink, label) for _, ink, label in DESK_KINDS])
        if over_time is None:
            parts = tuple(Part(ink, overall[kind], percent(overall[kind])) for kind, ink, _ in DESK_KINDS)
            return keys + rows(width, "Desk time", [Row("All desks", parts)], 1.0)
        layers = [Layer(label, ink, over_time[f"desks_{kind}_share"]) for kind, ink, label in DESK_KINDS]
        area = frame(width, 220, time_axis(facts, width), shares("share of all desks' time, %"))
        pile, unnamed = stack(area, over_time.time_h, layers, facts.warm_up_h)
        shown = legend([("area", layer.ink, layer.label) for layer in unnamed])
        return shown + sheet(
            width, area.top + area.height + 40, "Desk time", [axes(area), pile, warm_up(area, facts.warm_up_h)]
        )

    return Picture("desks", "Where the desks' time goes", caption, draw, True)
