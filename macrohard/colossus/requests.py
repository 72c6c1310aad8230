"""Single requests through the replicas of an LLM: queueing, continuous batching and the same step times as `serve`.

One iteration of a replica computes up to BUDGET_TOKENS of waiting prompts, first come first served, and then takes one
decode step of all its streams, those that just joined included. Host side: events on a heap, no JAX in the loop; the
step time is a sum over streams, so tables of the law's own values carry it. Equations and checks: docs/requests.md.
"""

import heapq
from collections import deque
from dataclasses import dataclass, field
from math import ceil

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from macrohard.colossus.roofline import Serving, attended_tokens, decode_step, held_tokens, prefill_token_s

Array = NDArray[np.float64]

BUDGET_TOKENS = 8192.0
"""Prompt tokens that an iteration computes at most  # assumed, the engines' usual setting."""

MOST_STREAMS = 65536
"""Streams of one replica for which step times are laid out."""

_MANY = 1024.0


@dataclass(frozen=True)
class Requests:
    """A log: seconds at which requests come in (ascending), and the tokens of each. computed_tokens: not cached."""

    arrival_s: Array
    context_tokens: Array
    generated_tokens: Array
    computed_tokens: Array


@dataclass
class Stretches:
    """Stretches of time in which a replica works: from, to, and the seconds of peak bandwidth and arithmetic in it."""

    start_s: list[float] = field(default_factory=list)
    end_s: list[float] = field(default_factory=list)
    memory_s: list[float] = field(default_factory=list)
    flop_s: list[float] = field(default_factory=list)

    def add(self, start_s: float, end_s: float, memory_s: float, flop_s: float) -> None:
        """One more."""
        self.start_s.append(start_s)
        self.end_s.append(end_s)
        self.memory_s.append(memory_s)
        self.flop_s.append(flop_s)


@dataclass(frozen=True)
class Passed:
    """What became of each request (nan where it was refused), and what the replicas did.

    start_s: its prompt is begun; first_token_s, done_s: its first and last token are there. A request is refused that
    no replica has room for. prefill, decode: stretches of work; under aggregated serving by the same replicas.
    """

    start_s: Array
    first_token_s: Array
    done_s: Array
    refused: NDArray[np.bool_]
    prefill: Stretches
    decode: Stretches


class Pace:
    """The law of one replica as tables: a step takes step_s[B] plus cost_s of each of its B streams."""

    def __init__(self, serving: Serving, requests: Requests) -> None:
        """Evaluates the law for these requests, each with the context in the middle of its answer."""
        middle = requests.context_tokens + requests.generated_tokens / 2
        context = jnp.asarray(np.minimum(middle, float(serving.max_context_tokens)), jnp.float32)
        prompt = jnp.asarray(np.maximum(requests.context_tokens - requests.computed_tokens / 2, 0), jnp.float32)
        per_token = 1 / float(serving.accepted)
        most = float(serving.max_streams_per_gpu) * float(serving.n_gpus)
        streams = jnp.arange(int(min(most, MOST_STREAMS)) + 1, dtype=jnp.float32)
        alone = decode_step(serving, streams, 0.0)
        many, bare = decode_step(serving, _MANY, context), decode_step(serving, _MANY, 0.0)
        self.most_streams = len(streams) - 1
        self.step_s = (_host(alone.time_s) * per_token).tolist()
        self.memory_s = (_host(alone.memory_s) * per_token).tolist()
        self.cost_s = ((_host(many.time_s) - _host(bare.time_s)) / _MANY * per_token).tolist()
        self.cache_s = ((_host(many.memory_s) - _host(bare.memory_s)) / _MANY * per_token).tolist()
        self.flop_s = (_host(many.flop_s) / _MANY * per_token * np.ones(len(context))).tolist()
        self.prompt_token_s = (_host(prefill_token_s(serving, prompt)) * np.ones(len(context))).tolist()
        arithmetic = serving.linear_s + serving.prefill_attention_s * attended_tokens(serving, prompt)
        on_fewer = float(serving.n_gpus) / float(serving.prefill_n_gpus)
        self.prompt_flop_s = (_host(arithmetic) * on_fewer * np.ones(len(context))).tolist()
        self.held_tokens = (_host(held_tokens(serving, context)) * np.ones(len(context))).tolist()
        self.room_tokens = float(serving.kv_tokens)
        self.call_s = float(serving.fit.call_s)


class Replica:
    """One replica: who waits, who decodes, and the iteration or run of steps it is in."""

    __slots__ = ("waiting", "left", "ends", "step", "cost", "cache", "flop", "held", "plan", "version")

    def __init__(self) -> None:
        """Empty."""
        self.waiting: deque[int] = deque()
        self.left = 0.0
        """Prompt tokens of the first in the queue that are still to be computed; 0 before it is begun."""
        self.ends: list[tuple[int, int]] = []
        """Heap of (step after which it is done, request)."""
        self.step = 0
        self.cost = self.cache = self.flop = self.held = 0.0
        self.plan: tuple[float, float, float, float, int, list[int]] | None = None
        """In work: from, seconds and arithmetic of prompts, seconds of a step, steps, who joins."""
        self.version = 0


def pass_through(serving: Serving, n_replicas: int, n_prefill: int, requests: Requests) -> Passed:
    """Sends the requests through n_replicas; disaggregated, their prompts through n_prefill servers before that.

    Each goes to the replica with the fewest requests. All are followed to their end.
    """
    pace, n = Pace(serving, requests), len(requests.arrival_s)
    whole = requests.context_tokens + requests.generated_tokens
    refused = (whole > float(serving.max_context_tokens)) | (np.array(pace.held_tokens) > pace.room_tokens)
    passed = Passed(np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan), refused, Stretches(), Stretches())
    enters = requests.arrival_s + pace.call_s
    prompts = requests.computed_tokens.astype(float)
    if not float(serving.mixes):
        enters = _prefilled(pace, n_prefill, enters, prompts, passed)
        prompts = np.zeros(n)
    order = np.argsort(enters, kind="stable")
    order = order[~refused[order]]
    _Floor(pace, n_replicas, enters, prompts, requests.generated_tokens, passed).run(order.tolist())
    return passed


class _Floor:
    """All replicas and the events to come."""

    def __init__(
        self, pace: Pace, n_replicas: int, enters: Array, prompts: Array, generated: Array, passed: Passed
    ) -> None:
        self.pace, self.passed = pace, passed
        self.enters, self.prompts = enters.tolist(), prompts.tolist()
        self.tokens = np.maximum(np.rint(generated), 1).astype(int).tolist()
        self.replicas = [Replica() for _ in range(n_replicas)]
        self.loads = np.zeros(n_replicas, np.int64)
        self.events: list[tuple[float, int, int]] = []

    def run(self, order: list[int]) -> None:
        """Takes arrivals and events in order of time until nothing is left."""
        turn = 0
        for request in order:
            now = self.enters[request]
            while self.events and self.events[0][0] <= now:
                self._happen()
            least = np.flatnonzero(self.loads == self.loads.min())
            at = int(least[turn % len(least)])
            turn += 1
            self.loads[at] += 1
            self._enter(at, request, now)
        while self.events:
            self._happen()

    def _enter(self, at: int, request: int, now: float) -> None:
        replica = self.replicas[at]
        replica.waiting.append(request)
        if replica.plan is None:
            self._begin(at, now)
            return
        start_s, prompt_s, flop_s, step_s, steps, joins = replica.plan
        if steps > 1 and self._has_room(replica, len(replica.ends), replica.waiting[0]):
            cut = max(1, ceil((now - start_s) / step_s))
            if cut < steps:
                replica.plan = (start_s, prompt_s, flop_s, step_s, cut, joins)
                self._await(at, start_s + cut * step_s)

    def _has_room(self, replica: Replica, streams: int, request: int) -> bool:
        room = self.pace.room_tokens * (1 + 1e-9)
        return replica.held + self.pace.held_tokens[request] <= room and streams < self.pace.most_streams

    def _begin(self, at: int, now: float) -> None:
        """The next iteration: prompts that wait, within the budget, then a step; without prompts a run of steps."""
        pace, replica = self.pace, self.replicas[at]
        joins: list[int] = []
        budget, prompt_s, flop_s = BUDGET_TOKENS, 0.0, 0.0
        while replica.waiting and budget > 0:
            first = replica.waiting[0]
            if replica.left <= 0:
                if not self._has_room(replica, len(replica.ends) + len(joins), first):
                    break
                replica.held += pace.held_tokens[first]
                replica.left = self.prompts[first]
                if self.passed.start_s[first] != self.passed.start_s[first]:  # not begun on a prefill server
                    self.passed.start_s[first] = now + prompt_s
            taken = min(replica.left, budget)
            budget -= taken
            replica.left -= taken
            prompt_s += taken * pace.prompt_token_s[first]
            flop_s += taken * pace.prompt_flop_s[first]
            if replica.left > 0:
                break
            replica.waiting.popleft()
            joins.append(first)
        for each in joins:
            replica.cost += pace.cost_s[each]
            replica.cache += pace.cache_s[each]
            replica.flop += pace.flop_s[each]
        streams = len(replica.ends) + len(joins)
        step_s = pace.step_s[streams] + replica.cost if streams else 0.0
        steps = 1 if prompt_s or joins or not streams else replica.ends[0][0] - replica.step
        if not streams and not prompt_s:
            replica.plan = None
            return
        replica.plan = (now, prompt_s, flop_s, step_s, steps, joins)
        self._await(at, now + prompt_s + steps * step_s)

    def _await(self, at: int, when: float) -> None:
        self.replicas[at].version += 1
        heapq.heappush(self.events, (when, at, self.replicas[at].version))

    def _happen(self) -> None:
        """The next event: an iteration or run has ended; who has his last token leaves."""
        now, at, version = heapq.heappop(self.events)
        replica = self.replicas[at]
        if version != replica.version or replica.plan is None:
            return
        start_s, prompt_s, flop_s, step_s, steps, joins = replica.plan
        if prompt_s:
            self.passed.prefill.add(start_s, start_s + prompt_s, 0.0, flop_s)
        streams = len(replica.ends) + len(joins)
        if streams:
            memory_s = steps * (self.pace.memory_s[streams] + replica.cache)
            self.passed.decode.add(start_s + prompt_s, now, memory_s, steps * replica.flop)
            replica.step += steps
        for each in joins:
            self.passed.first_token_s[each] = now
            heapq.heappush(replica.ends, (replica.step + self.tokens[each] - 1, each))
        while replica.ends and replica.ends[0][0] <= replica.step:
            self._leave(at, replica, heapq.heappop(replica.ends)[1], now)
        self._begin(at, now)

    def _leave(self, at: int, replica: Replica, request: int, now: float) -> None:
        pace = self.pace
        self.passed.done_s[request] = now
        self.loads[at] -= 1
        replica.held -= pace.held_tokens[request]
        replica.cost -= pace.cost_s[request]
        replica.cache -= pace.cache_s[request]
        replica.flop -= pace.flop_s[request]
        if not replica.ends:  # rounding of the sums does not add up over days
            replica.cost = replica.cache = replica.flop = 0.0


def _prefilled(pace: Pace, n_servers: int, enters: Array, prompts: Array, passed: Passed) -> Array:
    """When each prompt is computed: n_servers, first come first served."""
    free = [0.0] * n_servers
    done = enters.copy()
    for request in np.argsort(enters, kind="stable").tolist():
        if passed.refused[request]:
            continue
        start_s = max(float(enters[request]), heapq.heappop(free))
        end_s = start_s + prompts[request] * pace.prompt_token_s[request]
        passed.start_s[request] = start_s
        passed.prefill.add(start_s, end_s, 0.0, prompts[request] * pace.prompt_flop_s[request])
        heapq.heappush(free, end_s)
        done[request] = end_s
    return done


def over_time(stretches: Stretches, values: list[float], edges_s: Array) -> Array:
    """What falls between the edges, each stretch's value spread evenly over it, shape (edges - 1,)."""
    start, end, value = (np.asarray(column, float) for column in (stretches.start_s, stretches.end_s, values))
    kept = end > start
    start, end, value = start[kept], end[kept], value[kept]
    if not len(start):
        return np.zeros(len(edges_s) - 1)
    rate = value / (end - start)
    times = np.concatenate([start, end])
    order = np.argsort(times, kind="stable")
    times, change = times[order], np.concatenate([rate, -rate])[order]
    whole = np.concatenate([[0.0], np.cumsum(np.cumsum(change)[:-1] * np.diff(times))])
    return np.diff(np.interp(edges_s, times, whole))


def _host(values: object) -> Array:
    return np.asarray(values, np.float64)
