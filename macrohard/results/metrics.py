"""From what a run kept to what people read: the series, the table of tickets and the summary."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.special import stdtrit  # scipy.stats takes half a second to import

from agents.work import KINDS, WORK_STAGES, Stage
from macrohard.colossus.units import H_PER_MONTH, S_PER_H
from macrohard.floor.columns import unpack
from macrohard.floor.desks import TOKEN_KINDS
from macrohard.floor.readings import BINDING, MEANS, POOL_MEANS, TOTALS
from macrohard.floor.state import COUNTS, Params, Shop, State
from macrohard.floor.tally import as_int
from macrohard.floor.tick import last_names
from macrohard.floor.tickets import N_COLUMNS, Row

WORKING_DAYS_PER_YEAR, WORKING_H_PER_DAY = 240.0, 8.0  # assumed: one developer's year
DEVELOPER_MIN_PER_DAY = WORKING_DAYS_PER_YEAR / 365.0 * WORKING_H_PER_DAY * 60.0
"""What a human developer works a day of the calendar, min."""

_N_BATCHES = 10

Summary = dict[str, Any]


@dataclass(frozen=True)
class Kept:
    """A state brought to the host, with what is needed to read it."""

    shop: Shop
    params: Params
    state: State

    @classmethod
    def of(cls, shop: Shop, params: Params, state: State) -> "Kept":
        """Copies a state from the device."""
        params, state = jax.device_get((params, state))
        return cls(shop, params, state)

    @property
    def tick_h(self) -> float:
        """Hours per tick."""
        return float(self.params.tick_s) / S_PER_H

    @property
    def counts(self) -> dict[str, int]:
        """The counts by name, in simulated tickets."""
        return dict(zip(COUNTS, self.state.counts.tolist(), strict=True))

    @property
    def tokens(self) -> np.ndarray:
        """Tokens served by simulated workers, exactly, shape (llms, roles, TOKEN_KINDS)."""
        return as_int(self.state.record.tokens)

    @property
    def n_ticks(self) -> int:
        """Ticks that have passed."""
        return int(self.state.tick)


def series(kept: Kept) -> pd.DataFrame:
    """One row per bin that has begun: means over its ticks, counts at its end; weights applied."""
    record, weight = kept.state.record, float(kept.params.weight)
    n_bins = int(np.count_nonzero(record.ticks))
    ticks = np.asarray(record.ticks[:n_bins], np.float64)
    columns: dict[str, np.ndarray] = {"time_h": np.cumsum(ticks) * kept.tick_h}
    for place, name in enumerate(MEANS):
        columns[name] = np.asarray(record.means[:n_bins, place], np.float64) / ticks
    decoded = columns["decode_tok_s"]
    weighted = np.divide(columns["token_weighted_speed"], decoded, out=np.zeros_like(decoded), where=decoded > 0)
    columns["tok_s_per_stream"] = weighted  # 0 where nothing was decoded
    drawn, it = columns["load_mw"] - columns["unserved_mw"], columns["it_mw"]
    columns["pue"] = np.divide(drawn, it, out=np.full_like(it, np.nan), where=it > 0)
    for place, name in enumerate(last_names(kept.shop)):
        columns[name] = np.asarray(record.lasts[:n_bins, place], np.float64) * weight
    for place, pool in enumerate(kept.shop.pools):
        for number, name in enumerate(POOL_MEANS):
            columns[f"{pool}_{name}"] = np.asarray(record.pool_means[:n_bins, place, number], np.float64) / ticks
    return pd.DataFrame(columns)


def per_day(frame: pd.DataFrame, column: str, window_h: float) -> np.ndarray:
    """How much a count that began at 0 grew per day, over the window that ends with each row of the series.

    Shape (rows,). Before a whole window has passed, over what has.
    """
    time_h, count = (frame[name].to_numpy(np.float64) for name in ("time_h", column))
    before = np.interp(time_h - window_h, np.r_[0.0, time_h], np.r_[0.0, count])
    grown: np.ndarray = (count - before) / np.minimum(window_h, time_h) * 24.0
    return grown


def tickets(kept: Kept) -> pd.DataFrame:
    """One row per simulated ticket that has come in (epics apart), with its history; weights not applied.

    Of a closed ticket, closed_h - created_h = all wait_h_ and work_h_ + not_ready_h: the time in which its epic was not
    planned, or what it needs not done (of the second half of a split: the life of the whole until then). Tokens are
    those of attempts that have ended.
    """
    table, n_rows, now = kept.state.tickets, int(kept.state.n_rows), kept.n_ticks
    words = np.asarray(table.words)[:n_rows]
    row = unpack(Row, words, axis=-1)
    planned = (row.created_tick < 0) & ~row.is_bug  # rows of the backlog came in with their epic
    created = np.where(planned, row.created_tick[row.epic], row.created_tick)
    not_found = row.is_bug & (row.started_tick < 0)  # escaped; a half of a bug has been started
    not_found &= np.arange(n_rows) >= int(kept.state.bug_cursor)
    ids = np.flatnonzero(~row.is_epic & (created >= 0) & (created <= now) & ~not_found)
    words, created, hours = np.ascontiguousarray(words[ids].T), created[ids], kept.tick_h
    row = unpack(Row, words, axis=0)
    history = words[N_COLUMNS:].reshape(2, len(WORK_STAGES), len(ids)) * hours
    status = np.select([row.stage == Stage.DONE, row.stage == Stage.GIVEN_UP], [1, 2], 0)

    def when(column: Any) -> np.ndarray:
        ticks = np.asarray(column)
        return np.where(ticks >= 0, ticks * hours, np.nan)

    columns: dict[str, Any] = {
        "id": ids,
        "epic": row.epic,
        "kind": _named(row.kind, KINDS),
        "size_min": row.size_min,
        "priority": row.priority,
        "is_bug": row.is_bug,
        "status": _named(status, ("open", "done", "given_up")),
        "stage": _named(row.stage, [each.name.lower() for each in Stage]),
        "created_h": created * hours,
        "started_h": when(row.started_tick),
        "closed_h": when(row.closed_tick),
        "attempts": row.attempts,
        "failures": row.failures,
        "escalations": row.escalations,
        "escaped": row.escaped,
    }
    for place, what in enumerate(("wait", "work")):
        for each in WORK_STAGES[1:]:
            columns[f"{what}_h_{each.name.lower()}"] = history[place, each]
    columns["not_ready_h"] = columns["closed_h"] - columns["created_h"] - history.sum(axis=(0, 1))
    columns["input_tokens"] = row.input_tokens.view(np.uint32)
    columns["decode_tokens"] = row.decode_tokens
    return pd.DataFrame(columns)


def _named(numbers: Any, names: Sequence[str]) -> pd.Series:
    """Numbers as the names they stand for, by Arrow: as Python's strings they would take most of the table's time."""
    text = pa.DictionaryArray.from_arrays(
        pa.array(np.asarray(numbers, np.int32)), pa.array(list(names))
    ).dictionary_decode()
    named: pd.Series = text.cast(pa.large_string()).to_pandas()
    return named


def totals(kept: Kept) -> dict[str, float]:
    """The quantities of TOTALS over the whole run, in float64."""
    total = kept.state.record.totals
    return dict(zip(TOTALS, (total.sum.astype(np.float64) + total.lost.astype(np.float64)).tolist(), strict=True))


def demand_mw_months(kept: Kept) -> float:
    """Highest grid draws of the months, added up, MW months; a month that has not ended counts by its passed share."""
    plant = kept.state.site.plant
    passed = kept.n_ticks * kept.tick_h / H_PER_MONTH
    ahead = np.ceil(passed) - passed
    return float(plant.grid_peaks_mw) - float(plant.grid_peak_mw) * float(ahead)


def digest(kept: Kept) -> str:
    """A hash of the results alone: every ticket's history, the series and the totals, bit for bit."""
    hashed = hashlib.sha256()
    for leaf in jax.tree.leaves((kept.state.tickets, kept.state.counts, kept.state.record, kept.state.tick)):
        hashed.update(np.ascontiguousarray(leaf).tobytes())
    return hashed.hexdigest()[:16]


def work(kept: Kept, frame: pd.DataFrame, table: pd.DataFrame) -> Summary:
    """What became of the tickets. Counts are real (weight applied); lead times are of those done after the warm-up."""
    counts, weight = kept.counts, float(kept.params.weight)
    warm_h = float(kept.params.warmup_ticks) * kept.tick_h
    status, closed_h = table["status"].to_numpy(), table["closed_h"].to_numpy()
    late = (status == "done") & (closed_h > warm_h)
    lead_h = closed_h[late] - table["created_h"].to_numpy()[late]
    days = max((kept.n_ticks * kept.tick_h - warm_h) / 24.0, 1e-9)
    as_planned = late & ~table["is_bug"].to_numpy()
    planned_min = float(table["size_min"].to_numpy(np.float64)[as_planned].sum()) * weight
    n_open = int((status == "open").sum())
    n_done, intake = counts["done"], kept.params.intake
    _, _, decode, rework_decode = _by_kind(kept.tokens)
    return {
        "tickets_created": counts["created"] * weight,
        "tickets_done": n_done * weight,
        "tickets_given_up": counts["given_up"] * weight,
        "tickets_open": n_open * weight,
        "bug_tickets": counts["bugs"] * weight,
        "rework_share": _ratio(rework_decode, decode),
        "bad_shipped_share": _ratio(counts["bad_shipped"], n_done),
        "escaped_defects": counts["escaped"] * weight,
        "lead_time_h_p50": _quantile(lead_h, 0.5),
        "lead_time_h_p90": _quantile(lead_h, 0.9),
        "open_share": _ratio(n_open, len(table)),
        "tickets_per_day": len(lead_h) * weight / days,
        "change_failure_rate": _ratio(counts["with_escape"], n_done),
        "tickets_split": counts["splits"] * weight,
        "escalations": counts["escalations"] * weight,
        "code_attempts_per_ticket": _ratio(counts["code_attempts"], n_done + counts["given_up"]),
        "bugs_per_ticket": _ratio(counts["bugs"], counts["created"] - counts["bugs"]),
        "developers_equivalent": planned_min / days / DEVELOPER_MIN_PER_DAY,
        "backlog_ran_out": bool(intake.is_saturated) and int(kept.state.epic_cursor) >= int(intake.n_epics),
        "tickets_lost": counts["lost_rows"] * weight,
        "late_desk_share": _ratio(
            counts["late_handovers"] + counts["late_starts"],
            kept.n_ticks * sum(int(n) for n in kept.params.n_desks.values()),
        ),
        "ci": intervals(kept, frame),
    }


def tokens(kept: Kept) -> Summary:
    """Tokens of the whole run (real: weight applied), in all and by role; input = cached + prefill, exactly."""
    prefill, cached, decode, _ = _by_kind(kept.tokens)
    weight, by_role = float(kept.params.weight), {}
    for place, role in enumerate(kept.shop.roles):
        served = _by_kind(kept.tokens[:, place])
        by_role[role.role] = _named_tokens(served, weight) | {"rework_decode_tokens": served[-1] * weight}
    return {
        **_named_tokens((prefill, cached, decode), weight),
        "tokens_per_ticket": _ratio(prefill + cached + decode, kept.counts["done"]),
        "by_role": by_role,
    }


def _by_kind(counted: np.ndarray) -> tuple[int, ...]:
    """Sums by TOKEN_KINDS, the last axis, as Python's integers."""
    return tuple(int(count) for count in counted.reshape(-1, len(TOKEN_KINDS)).sum(axis=0))


def _named_tokens(served: Sequence[int], weight: float) -> Summary:
    prefill, cached, decode = served[:3]
    return {
        "input_tokens": (prefill + cached) * weight,
        "cached_tokens": cached * weight,
        "prefill_tokens": prefill * weight,
        "decode_tokens": decode * weight,
    }


def gpu_h_by_role(kept: Kept) -> dict[str, float]:
    """Hours of serving GPUs at work, by the role they worked for; adds up to all of them.

    Of each LLM the hours at work on prompts are shared out by the prompt tokens computed for each role, the others by
    the tokens written for it: beside one another on a replica, streams take equally long for a token.
    """
    spent, counted = kept.state.record.gpu_h, kept.tokens.astype(np.float64)
    gpu_h = np.asarray(spent.sum, np.float64) + np.asarray(spent.lost, np.float64)
    of_tokens = counted[..., [TOKEN_KINDS.index("prefill"), TOKEN_KINDS.index("decode")]]
    by_role = (gpu_h[:, None] * of_tokens / np.maximum(of_tokens.sum(axis=1, keepdims=True), 1.0)).sum(axis=(0, 2))
    return {role.role: float(hours) for role, hours in zip(kept.shop.roles, by_role, strict=True)}


def pools(kept: Kept, warm: pd.DataFrame) -> list[Summary]:
    """What each of several LLMs served: means after the warm-up, tokens of the whole run (real: weight applied)."""
    weight, cluster = float(kept.params.weight), kept.params.site.cluster
    n_serving = float(warm["n_gpus"].iloc[-1]) * (1.0 - float(cluster.training_share))
    shares = np.ravel(np.asarray(cluster.pool_share, np.float64))
    found = []
    for place, pool in enumerate(kept.shop.pools):
        of = {name: warm[f"{pool}_{name}"] for name in POOL_MEANS}
        prefill, _, decode, _ = _by_kind(kept.tokens[place])
        found.append(
            {
                "name": pool,
                "n_gpus": n_serving * shares[place],
                "utilization_mean": float(of["utilization"].mean()),
                "streams_mean": float(of["streams_active"].mean()),
                "streams_waiting_mean": float(of["streams_waiting"].mean()),
                "agents_mean": float(of["streams"].mean()),
                "tok_s_per_stream_mean": _ratio(
                    float(of["token_weighted_speed"].sum()), float(of["decode_tok_s"].sum())
                ),
                "prefill_tokens": prefill * weight,
                "decode_tokens": decode * weight,
            }
        )
    return found


def binding(kept: Kept) -> Summary:
    """Share of the ticks after the warm-up in which each cause held the work back, and the same in words."""
    ticks = np.asarray(kept.state.record.binding, np.float64)
    shares = ticks / max(ticks.sum(), 1.0)
    words = {
        "backlog": "there was not enough work",
        "agents": "there were not enough agents",
        "gpus": "agents waited for GPUs that they share",
        "power": "power was short and GPUs were slowed down",
    }
    if 2 * int(kept.state.site.operation.cooling_ticks) > ticks[BINDING.index("power")] > 0:
        words["power"] = "chillers could not take the heat away and GPUs were slowed down"
    there = np.asarray(kept.state.record.means)[:, MEANS.index("n_gpus")].sum()
    if there * (1.0 - float(kept.params.site.cluster.training_share)) == 0:
        words["gpus"] = "there were no GPUs that serve"
    found: Summary = dict(zip(BINDING, shares.tolist(), strict=True))
    first = BINDING[int(np.argmax(shares))]
    found["in_words"] = (
        f"{first}: {words[first]} ({shares.max():.0%} of the time)" if ticks.sum() else "the run ended in its warm-up"
    )
    return found


def intervals(kept: Kept, frame: pd.DataFrame) -> dict[str, list[float]]:
    """95 % intervals of averages after the warm-up, by batch means over ten stretches of the run."""
    warm = frame[frame["time_h"] > float(kept.params.warmup_ticks) * kept.tick_h]
    found: dict[str, list[float]] = {}
    if len(warm) < 2 * _N_BATCHES:
        return found
    batches = np.array_split(np.arange(len(warm)), _N_BATCHES)
    ends = warm[["time_h", "tickets_done"]].to_numpy()
    rates = []
    for batch in batches[1:]:
        first, last = ends[batch[0] - 1], ends[batch[-1]]
        rates.append((last[1] - first[1]) / max(last[0] - first[0], 1e-9) * 24.0)
    found["tickets_per_day"] = _interval(np.asarray(rates))
    speed, decoded = (warm[name].to_numpy() for name in ("token_weighted_speed", "decode_tok_s"))
    if all(decoded[batch].sum() > 0 for batch in batches):
        found["tok_s_per_stream"] = _interval(
            np.asarray([speed[batch].sum() / decoded[batch].sum() for batch in batches])
        )
    for name in ("load_mw", "utilization", "streams_active"):
        values = warm[name].to_numpy()
        means = np.asarray([values[batch].mean() for batch in batches])
        found[name] = _interval(means, most=1.0 if name == "utilization" else np.inf)
    return found


def after_warmup(kept: Kept, frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of the series after the warm-up; all of them if the run ended before."""
    warm = frame[frame["time_h"] > float(kept.params.warmup_ticks) * kept.tick_h]
    return warm if len(warm) else frame


def _interval(values: np.ndarray, most: float = np.inf) -> list[float]:
    half = float(stdtrit(len(values) - 1, 0.975)) * values.std(ddof=1) / np.sqrt(len(values))
    low, high = float(values.mean() - half), float(values.mean() + half)
    return [max(0.0, low), min(most, high)]  # none of them can be negative, no share above 1


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _quantile(values: np.ndarray, share: float) -> float | None:
    return float(np.quantile(values, share)) if len(values) else None
