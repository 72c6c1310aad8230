"""Pictures of time: how long a ticket takes, where its time goes, and where that of the desks."""

import math

import numpy as np
import pandas as pd

from macrohard.report.bars import Part, Row, columns, rows
from macrohard.report.chart import LETTER_PX, Layer, axes, legend, sheet, stack, text, upright, warm_up
from macrohard.report.facts import STAGES, Array, Facts
from macrohard.report.picture import Picture, frame, means, time_axis
from macrohard.report.quantity import duration, percent
from macrohard.report.scale import elapsed, linear, shares

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
        box = frame(width, 210, x, shares("share of done tickets, %", high=float(share.max())))
        marks = [axes(box), columns(box, edges, share, "working")]
        marks += [upright(box, half / unit, "demand"), upright(box, most / unit, "demand")]
        named = ((half, f"half: {duration(half)}", 13), (most, f"90 %: {duration(most)}", 29))
        for at, words, lower in named:
            px = box.at(at / unit, 0.0)[0]
            left = px + len(words) * LETTER_PX > box.left + box.width
            marks.append(
                text(px - 5 if left else px + 5, box.top + lower, words, "label halo", "end" if left else "start")
            )
        return sheet(width, box.top + box.height + 40, "Lead time", marks)

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
        box = frame(width, 220, time_axis(facts, width), shares("share of all desks' time, %"))
        pile, unnamed = stack(box, over_time.time_h, layers, facts.warm_up_h)
        shown = legend([("area", layer.ink, layer.label) for layer in unnamed])
        return shown + sheet(
            width, box.top + box.height + 40, "Desk time", [axes(box), pile, warm_up(box, facts.warm_up_h)]
        )

    return Picture("desks", "Where the desks' time goes", caption, draw, True)
