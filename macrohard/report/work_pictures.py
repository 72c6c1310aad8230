"""Pictures of the work: how tickets flow, how long they take, and where their time goes."""

import math

import numpy as np
import pandas as pd

from macrohard.report.bars import Part, Row, columns, rows
from macrohard.report.chart import LETTER_PX, Layer, axes, legend, line, sheet, stack, text, upright, warm_up
from macrohard.report.facts import STAGES, Array, Facts
from macrohard.report.picture import ROOMY_PX, Picture, Rows, frame, highest, levels, means, time_axis
from macrohard.report.quantity import duration, human, percent
from macrohard.report.scale import elapsed, linear, shares, size_of

NAMES = {
    "roadmap": "Not planned yet",
    "plan": "Plan",
    "design": "Design",
    "code": "Code",
    "test": "Test",
    "review": "Review",
}
DESK_KINDS = (
    ("unimpeded", "unimpeded", "working at full speed"),
    ("gpus", "gpus", "lost to sharing GPUs"),
    ("power", "power", "lost to the power cap"),
    ("idle", "idle", "without a ticket"),
)
FLOW = ("tickets_created", "tickets_done", "tickets_given_up", "queue_roadmap")
STAGE_COLUMNS = tuple(f"{kind}_{stage}" for stage in STAGES for kind in ("queue", "at"))


def cumulative_flow(facts: Facts) -> Picture | None:
    """Tickets created so far, layered by how far they got."""
    rows_ = levels(facts, (*FLOW, *STAGE_COLUMNS), ("tickets_created", "tickets_done"))
    if rows_ is None or "tickets_created" not in rows_:
        return None
    created = highest(rows_["tickets_created"])
    caption = (
        "The upper edge is every ticket created so far, the lowest layer those done. How thick a layer is tells how "
        "many "
        "tickets stand at that stage; a layer that keeps growing is the bottleneck. Read level, the gap between edge "
        "and "
        "done is about a lead time."
    )
    if created > 0:
        caption += (
            f" Of {human(created)} tickets {percent(float(rows_['tickets_done'][-1]) / created)} were done at the end."
        )
    return Picture("flow", "Flow of tickets", caption, lambda width: _draw_flow(facts, rows_, width), True)


def _flow_layers(flow: Rows, scale: float) -> list[Layer]:
    layers = [
        Layer("Done", "done", np.nan_to_num(flow["tickets_done"])),
        Layer("Given up", "given-up", np.nan_to_num(flow["tickets_given_up"])),
    ]
    for stage in reversed(STAGES):
        standing = np.nan_to_num(flow[f"queue_{stage}"]) + np.nan_to_num(flow[f"at_{stage}"])
        layers.append(Layer(NAMES[stage], stage, standing))
    layers.append(Layer(NAMES["roadmap"], "roadmap", np.nan_to_num(flow["queue_roadmap"])))
    rest = np.nan_to_num(flow["tickets_created"]) - np.sum([layer.values for layer in layers], axis=0)
    layers.append(Layer("Waiting for other tickets", "waiting", np.maximum(rest, 0.0)))
    return [Layer(layer.label, layer.ink, layer.values / scale) for layer in layers]


def _draw_flow(facts: Facts, flow: Rows, width: int) -> str:
    roomy = width >= ROOMY_PX
    scale, size = size_of(highest(flow["tickets_created"]))
    layers = _flow_layers(flow, scale)
    total = np.sum([layer.values for layer in layers], axis=0)
    y = linear(0, highest(total), "tickets so far" + (f", {size}" if size else ""))
    box = frame(width, 320 if roomy else 260, time_axis(facts, width), y)
    pile, unnamed = stack(box, flow.time_h, layers, facts.warm_up_h)
    marks = [warm_up(box, facts.warm_up_h), axes(box), pile]
    marks.append(line(box, flow.time_h, flow["tickets_created"] / scale, "load"))
    keys = [("area", layer.ink, layer.label) for layer in reversed(unnamed)]
    return legend([*keys, ("line", "load", "created")]) + sheet(
        width, box.top + box.height + 40, "Flow of tickets", marks
    )


def open_tickets(facts: Facts) -> Picture | None:
    """Tickets that are neither done nor given up over time, by stage: the upper part of the flow, enlarged."""
    flow = levels(facts, (*FLOW, *STAGE_COLUMNS), ("tickets_created", "queue_code"))
    if flow is None or "tickets_created" not in flow:
        return None
    layers = _flow_layers(flow, 1.0)[2:]
    total = np.sum([layer.values for layer in layers], axis=0)
    if highest(total) <= 0:
        return None
    caption = f"The upper part of the flow, enlarged: {human(float(total[-1]))} tickets were open at the end"
    caption += (
        f", at most {human(highest(total))} at any time." if highest(total) > total[-1] else ", more than ever before."
    )

    def draw(width: int) -> str:
        scale, size = size_of(highest(total))
        y = linear(0, highest(total) / scale, "open tickets" + (f", {size}" if size else ""), 4)
        box = frame(width, 190, time_axis(facts, width), y)
        scaled = [Layer(layer.label, layer.ink, layer.values / scale) for layer in layers]
        pile, unnamed = stack(box, flow.time_h, scaled, facts.warm_up_h)
        marks = [warm_up(box, facts.warm_up_h), axes(box), pile]
        keys = [("area", layer.ink, layer.label) for layer in reversed(unnamed)]
        return legend(keys) + sheet(width, box.top + box.height + 40, "Open tickets", marks)

    return Picture("open", "Open tickets by stage", caption, draw, True)


def standing(facts: Facts) -> Picture | None:
    """Tickets at each stage on average: being worked and waiting."""
    found = [(stage, facts.settled_mean(f"at_{stage}"), facts.settled_mean(f"queue_{stage}")) for stage in STAGES]
    found = [(stage, 0.0 if math.isnan(at) else at, 0.0 if math.isnan(queue) else queue) for stage, at, queue in found]
    if sum(at + queue for _, at, queue in found) <= 0:
        return None
    bars = [
        Row(NAMES[stage], (Part("working", at), Part("waiting", queue)), f"{human(at)} worked · {human(queue)} waiting")
        for stage, at, queue in found
    ]
    worst = max(found, key=lambda entry: entry[2])
    caption = "Mean numbers after the warm-up."
    if worst[2] > 0:
        caption += f" The longest queue, {human(worst[2])} tickets, stands before {worst[0]}."
    keys = legend([("area", "working", "being worked"), ("area", "waiting", "waiting")])
    return Picture(
        "standing", "Where open tickets stand", caption, lambda width: keys + rows(width, "Open tickets", bars)
    )


def lead_time(facts: Facts) -> Picture | None:
    """How long done tickets took from creation to done."""
    times = _lead_times(facts.tickets)
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


def _lead_times(tickets: pd.DataFrame) -> Array | None:
    if not {"status", "created_h", "closed_h"} <= set(tickets.columns):
        return None
    done = tickets[tickets["status"].astype(str) == "done"]
    times = (done["closed_h"] - done["created_h"]).to_numpy(dtype=np.float64, na_value=np.nan)
    return np.asarray(times[np.isfinite(times) & (times >= 0)], dtype=np.float64)


def ticket_time(facts: Facts) -> Picture | None:
    """Mean hours that a done ticket waits and is worked on, by stage."""
    tickets = facts.tickets
    if "status" not in tickets.columns:
        return None
    done = tickets[tickets["status"].astype(str) == "done"]
    found = [(stage, _mean_h(done, f"work_h_{stage}"), _mean_h(done, f"wait_h_{stage}")) for stage in STAGES]
    work, wait = sum(entry[1] for entry in found), sum(entry[2] for entry in found)
    if work + wait <= 0:
        return None
    bars = [
        Row(
            NAMES[stage],
            (Part("working", at), Part("waiting", queue)),
            f"{duration(at)} worked · {duration(queue)} waiting",
        )
        for stage, at, queue in found
    ]
    caption = (
        f"A done ticket was worked on for {duration(work)} and waited {duration(wait)} on average: it was touched "
        f"{percent(work / (work + wait))} of this time."
    )
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
