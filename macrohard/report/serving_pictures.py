"""Pictures of tokens and GPUs: how fast the streams ran, and what became of the GPU-hours."""

import math
from dataclasses import dataclass

import numpy as np

from macrohard.report.bars import Part, Row, rows
from macrohard.report.chart import LETTER_PX, axes, gutter, legend, line, sheet, text, warm_up
from macrohard.report.facts import Array, Facts, thin
from macrohard.report.picture import ROOMY_PX, Picture, Rows, aligned, frame, highest, means, time_axis
from macrohard.report.quantity import gpu_time, human, percent
from macrohard.report.scale import Frame, linear, size_of

STREAM_LINES = (
    ("streams_busy", "demand", "busy with a ticket"),
    ("streams_resident", "limit", "holding GPU memory"),
    ("streams_active", "load", "decoding"),
)


def speed(facts: Facts) -> Picture | None:
    """Tokens per second of the fleet, speed of one stream and number of streams, over time."""
    names = ("decode_tok_s", "prefill_tok_s", "tok_s_per_stream", *(name for name, _, _ in STREAM_LINES))
    rows = means(facts, names, ("tok_s_per_stream", "decode_tok_s"))
    if rows is None or "tok_s_per_stream" not in rows:
        return None
    mean = facts.number("gpu.tok_s_per_stream_mean")
    caption = (
        f"Each stream wrote {human(mean)} tokens a second on average (weighted by tokens). All streams share the GPUs: "
        "when more of them decode at once the fleet as a whole yields more and each single one gets slower."
    )
    return Picture("speed", "Tokens and speed over time", caption, lambda width: _draw_speed(facts, rows, width), True)


def _draw_speed(facts: Facts, rows: Rows, width: int) -> str:
    roomy, x = width >= ROOMY_PX, time_axis(facts, width)
    tall = 110 if roomy else 90
    panels = [
        (
            "tokens a second, all GPUs",
            (("decode_tok_s", "load", "decoded"), ("prefill_tok_s", "demand", "prompt, computed")),
        ),
        ("tokens a second of one stream", (("tok_s_per_stream", "load", "one stream"),)),
        ("streams", STREAM_LINES),
    ]
    boxes: list[Frame] = []
    drawn = []
    for title, lines in panels:
        present = [entry for entry in lines if entry[0] in rows]
        if not present:
            continue
        scale, size = size_of(highest(*(rows[name] for name, _, _ in present)))
        y = linear(
            0, highest(*(rows[name] for name, _, _ in present)) / scale, title + (f", {size}" if size else ""), 3
        )
        boxes.append(frame(width, tall, x, y, top=len(boxes) * (tall + 44), gutter=True))
        drawn.append((scale, present))
    marks, keys = [], []
    for k, (box, (scale, present)) in enumerate(zip(aligned(boxes), drawn, strict=True)):
        marks += [warm_up(box, facts.warm_up_h, named=k == 0), axes(box, x_title=k == len(boxes) - 1)]
        marks += [line(box, rows.time_h, rows[name] / scale, style) for name, style, _ in present]
        if roomy:
            marks.append(gutter(box, [(rows[name][-1] / scale, words) for name, _, words in present]))
        elif len(present) > 1:
            keys += [("line", style, words) for _, style, words in present]
    last = boxes[-1]
    return legend(keys) + sheet(width, last.top + last.height + 40, "Tokens and speed over time", marks)


@dataclass(frozen=True)
class Crowd:
    """Streams of one LLM that decode at once and the speed of each: stretches of the run, their mean, and the law."""

    name: str
    streams: Array
    speed: Array
    point: tuple[float, float]
    law: tuple[Array, Array]


def speed_against_streams(facts: Facts) -> Picture | None:
    """Speed of one stream against the streams that decode at once, with the operating point; a panel for each LLM."""
    crowds = _crowds(facts)
    if not crowds:
        return None
    caption = "Each dot is a stretch of the run, warm-up included; the ring is the operating point: "
    caption += "; ".join(
        f"{crowd.name + ': ' if len(crowds) > 1 else ''}{human(crowd.point[0])} streams decoding at "
        f"{human(crowd.point[1])} tokens a second each"
        for crowd in crowds
    )
    n_gpus = facts.number("gpu.n_gpus")
    if n_gpus > 0 and len(crowds) == 1:
        caption += f", {human(crowds[0].point[0] / n_gpus)} streams a GPU"
    caption += "."
    if any(crowd.law[0].size for crowd in crowds):
        caption += (
            " The line is the law of serving at full power, for the GPUs and the work at the end of the run: dots below"
            " it had less power, fewer GPUs or longer contexts. The ring is the mean of the dots: where they spread"
            " along the bend, or had other work than at the end, it stands a little beside the line."
        )
    caption += " Along a dotted curve all GPUs together yield the same."

    def draw(width: int) -> str:
        boxes: list[Frame] = []
        marks: list[str] = []
        for crowd in crowds:
            scale, size = size_of(highest(crowd.streams))
            words = f"streams decoding at once{', ' + size if size else ''}"
            x = linear(0, highest(crowd.streams) * 1.08 / scale, words, 4)
            title = f"tokens a second of one stream{', ' + crowd.name if len(crowds) > 1 else ''}"
            y = linear(0, highest(crowd.speed, crowd.law[1]) * 1.04, title, 4)
            boxes.append(frame(width, 210, x, y, top=len(boxes) * 286))
            marks += _panel(boxes[-1], crowd, scale)
        keys = [("line", "load", "the law at full power")] if any(crowd.law[0].size for crowd in crowds) else []
        return legend(keys) + sheet(width, boxes[-1].top + boxes[-1].height + 40, "Speed against streams", marks)

    return Picture("operating-point", "Speed against concurrency", caption, draw)


def _panel(box: Frame, crowd: Crowd, scale: float) -> list[str]:
    marks = [axes(box), *_contours(box, scale, crowd.point[0] * crowd.point[1])]
    kept = thin([crowd.streams], 400)
    px, py = box.px(crowd.streams[kept] / scale), box.py(crowd.speed[kept])
    marks += [f'<circle class="dot" cx="{a:.1f}" cy="{b:.1f}" r="2.5"/>' for a, b in zip(px, py, strict=True)]
    streams, speed = crowd.law[0] / scale, crowd.law[1]
    if streams.size:
        end = min(box.x.high, float(streams[-1]))
        inside = streams < end
        marks.append(
            line(box, np.r_[streams[inside], end], np.r_[speed[inside], np.interp(end, streams, speed)], "load")
        )
    a, b = box.at(crowd.point[0] / scale, crowd.point[1])
    marks.append(f'<circle class="ring" cx="{a:.1f}" cy="{b:.1f}" r="8"/>')
    half = 8 * LETTER_PX
    middle = min(max(a, box.left + half), box.left + box.width - half)
    marks.append(text(middle, max(b - 17, box.top + 12), "operating point", "strong", "middle"))
    return marks


def _crowds(facts: Facts) -> list[Crowd]:
    """What is known of each LLM that decoded anything."""
    laws = {str(law["name"]): law for law in facts.speed_law}
    if facts.pools:
        names = [str(pool["name"]) for pool in facts.pools]
        lanes = [(name, facts.column(f"{name}_streams_active"), _speed_of(facts, name)) for name in names]
    else:
        name = next(iter(laws), "")
        lanes = [(name, facts.column("streams_active"), facts.column("tok_s_per_stream"))]
    found, time = [], facts.column("time_h")
    for name, streams, speed in lanes:
        if streams is None or speed is None or time is None:
            continue
        used = np.isfinite(streams) & np.isfinite(speed) & (streams > 0) & (speed > 0)
        late = used & (time > facts.warm_up_h + 1e-9)
        if not used.any():
            continue
        mean = late if late.any() else used
        point = float(np.mean(streams[mean])), float(np.average(speed[mean], weights=(streams * speed)[mean]))
        law = [np.array(laws.get(name, {}).get(key, ()), np.float64) for key in ("streams_active", "tok_s_per_stream")]
        found.append(Crowd(name, streams[used], speed[used], point, (law[0], law[1])))
    return found


def _speed_of(facts: Facts, pool: str) -> Array | None:
    """Speed of one stream of a pool, nan where it decoded nothing."""
    weighted, decoded = facts.column(f"{pool}_token_weighted_speed"), facts.column(f"{pool}_decode_tok_s")
    if weighted is None or decoded is None:
        return None
    return np.divide(weighted, decoded, out=np.full_like(weighted, np.nan), where=decoded > 0)


def _contours(box: Frame, scale: float, yield_tok_s: float) -> list[str]:
    """Curves of equal yield of the whole fleet at half, once and twice the operating point's."""
    marks = []
    x = np.linspace(max(box.x.high / 200, 1e-12), box.x.high, 120)
    for k, factor in enumerate((0.5, 1.0, 2.0)):
        y = yield_tok_s * factor / (x * scale)
        inside = y <= box.y.high
        if inside.sum() < 2:
            continue
        marks.append(line(box, x[inside], y[inside], "contour"))
        if factor == 1.0:
            continue  # the operating point names this one
        drop = 11 + 15 * k  # each label a line lower than the last, beside its own curve
        at = box.at(yield_tok_s * factor / (scale * box.y.high * (1 - drop / box.height)), 0.0)[0]
        marks.append(text(at + 6, box.top + drop, human(yield_tok_s * factor, "tok/s", 2), "note halo"))
    return marks


def gpu_hours(facts: Facts) -> Picture | None:
    """What became of the GPU-hours there were."""
    available = facts.number("gpu.gpu_h_available")
    if not available > 0:
        return None
    busy, training, curtailed = (facts.number(f"gpu.gpu_h_{kind}") for kind in ("busy", "training", "curtailed"))
    busy, training, curtailed = (0.0 if math.isnan(value) else value for value in (busy, training, curtailed))
    serving = max(0.0, busy - training)
    parts = [("Serving agents", "gpus", serving), ("Training", "training", training)]
    parts.append(("Waiting for work or down", "idle", max(0.0, available - busy)))
    bars = [
        Row(name, (Part(ink, value),), f"{human(value)} · {percent(value / available)}")
        for name, ink, value in parts
        if value > 0
    ]
    if curtailed > 0:
        bars.append(
            Row(
                "Lost to the power cap (slower, not idle)",
                (Part("power", curtailed),),
                f"{human(curtailed)} · {percent(curtailed / available)}",
            )
        )
    caption = f"{human(available)} GPU-hours were there to be used; {percent(busy / available)} of them had work."
    done = facts.number("work.tickets_done")
    if done > 0:
        caption += f" For each ticket done that is {gpu_time(available / done)}, {gpu_time(busy / done)} of it busy."
    if curtailed > 0:
        caption += " What the cap took is speed of busy GPUs, counted as the GPU-hours that the lost speed equals."
    return Picture(
        "gpu-hours", "Where the GPU-hours went", caption, lambda width: rows(width, "GPU-hours", bars, available)
    )
