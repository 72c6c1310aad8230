"""Pictures of the flow of tickets: how many have come how far, and where the open ones stand."""

import math

import numpy as np

from macrohard.report.bars import Part, Row, rows
from macrohard.report.chart import Layer, axes, legend, line, sheet, stack, warm_up
from macrohard.report.facts import STAGES, Facts
from macrohard.report.picture import ROOMY_PX, Picture, Rows, frame, highest, levels, time_axis
from macrohard.report.quantity import human, percent
from macrohard.report.scale import linear, size_of

FLOW = ("tickets_created", "tickets_done", "tickets_given_up")
STAGE_COLUMNS = tuple(f"{kind}_{stage}" for stage in STAGES for kind in ("queue", "at"))


def cumulative_flow(facts: Facts) -> Picture | None:
    """Tickets created so far, layered by how far they got."""
    flow = levels(facts, (*FLOW, *STAGE_COLUMNS), ("tickets_created", "tickets_done"))
    if flow is None or "tickets_created" not in flow:
        return None
    created = highest(flow["tickets_created"])
    caption = (
        "The upper edge is every ticket created so far, the lowest layer those done. How thick a layer is tells how "
        "many tickets stand at that stage; one that keeps growing is the bottleneck. Not ready are those whose epic is "
        "not planned or that need others first. Read level, the gap between edge and done is about a lead time."
    )
    if created > 0:
        caption += (
            f" Of {human(created)} tickets {percent(float(flow['tickets_done'][-1]) / created)} were done at the end."
        )
    return Picture("flow", "Flow of tickets", caption, lambda width: _draw_flow(facts, flow, width), True)


def _flow_layers(flow: Rows, scale: float) -> list[Layer]:
    layers = [
        Layer("Done", "done", np.nan_to_num(flow["tickets_done"])),
        Layer("Given up", "given-up", np.nan_to_num(flow["tickets_given_up"])),
    ]
    for stage in reversed(STAGES):
        standing = np.nan_to_num(flow[f"queue_{stage}"]) + np.nan_to_num(flow[f"at_{stage}"])
        layers.append(Layer(stage.capitalize(), stage, standing))
    rest = np.nan_to_num(flow["tickets_created"]) - np.sum([layer.values for layer in layers], axis=0)
    layers.append(Layer("Not ready yet", "roadmap", np.maximum(rest, 0.0)))
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
        Row(
            stage.capitalize(),
            (Part("working", at), Part("waiting", queue)),
            f"{human(at)} worked · {human(queue)} waiting",
        )
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
