"""What a report knows of a run: its summary, series and tickets, asked for safely and thinned for drawing."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]
STAGES = ("plan", "design", "code", "test", "review")
ROLES = ("management", "design", "coding", "testing")
ROLE_OF_STAGE = {"plan": "management", "design": "design", "code": "coding", "test": "testing", "review": "management"}


class Result(Protocol):
    """The parts of a run's result that a report reads; `scenario` and `out` are looked up if there."""

    @property
    def summary(self) -> Mapping[str, object]:
        """Nested figures by section, as `summary.json`."""

    @property
    def series(self) -> pd.DataFrame:
        """One row per kept bin."""

    @property
    def tickets(self) -> pd.DataFrame:
        """One row per simulated ticket."""


@dataclass(frozen=True)
class Facts:
    """A run as the report sees it. What is absent reads as nan, an empty text or None, never as an error."""

    summary: Mapping[str, object]
    series: pd.DataFrame
    tickets: pd.DataFrame
    settings: Mapping[str, object] = field(default_factory=dict)
    command: str = ""
    folder: str = ""

    @staticmethod
    def of(result: Result) -> "Facts":
        """The facts of a finished run; its scenario may be a pydantic model, a mapping or absent."""
        scenario = getattr(result, "scenario", None)
        dump = getattr(scenario, "model_dump", None)
        settings = dump(mode="json") if callable(dump) else scenario
        out = getattr(result, "out", None)
        return Facts(
            summary=result.summary,
            series=result.series,
            tickets=result.tickets,
            settings=settings if isinstance(settings, Mapping) else {},
            command=str(getattr(result, "command", "") or ""),
            folder=str(Path(out)) if out else "",
        )

    def number(self, key: str) -> float:
        """A figure of the summary by its dotted key, nan where there is none; so are those of missing Megapacks."""
        if key.startswith(("power.soc_", "power.battery_")) and not self.has_megapacks:
            return math.nan
        return as_number(look_up(self.summary, key))

    def setting(self, key: str) -> float:
        """A number of the scenario by its dotted key, nan where there is none."""
        return as_number(look_up(self.settings, key))

    def text(self, key: str) -> str:
        """A text of the summary by its dotted key, empty where there is none."""
        value = look_up(self.summary, key)
        return "" if value is None else str(value)

    @property
    def roles(self) -> Sequence[str]:
        """Roles whose tokens are told apart; none in what older versions wrote."""
        found = look_up(self.summary, "tokens.by_role")
        return list(found) if isinstance(found, Mapping) else []

    @property
    def pools(self) -> Sequence[Mapping[str, object]]:
        """Of several LLMs in service the figures of each; none where one serves all."""
        return _mappings(look_up(self.summary, "gpu.pools"))

    @property
    def speed_law(self) -> Sequence[Mapping[str, object]]:
        """Of each LLM at work the curve of speed against streams; none in what older versions wrote."""
        return _mappings(look_up(self.summary, "gpu.speed_law"))

    def interval(self, key: str) -> tuple[float, float] | None:
        """The confidence interval of a work figure, if the run made one."""
        metric = key.rsplit(".", 1)[-1]
        ranges = look_up(self.summary, "work.ci")
        if not isinstance(ranges, Mapping):
            return None
        pair = ranges.get(metric, ranges.get(key))
        if not isinstance(pair, Sequence) or len(pair) != 2:
            return None
        low, high = as_number(pair[0]), as_number(pair[1])
        return (low, high) if math.isfinite(low) and math.isfinite(high) else None

    def column(self, name: str) -> Array | None:
        """A column of the series as floats, None where the series lacks it or holds nothing in it."""
        if name not in self.series.columns or self.series.empty or (name == "soc" and not self.has_megapacks):
            return None
        values = self.series[name].to_numpy(dtype=np.float64, na_value=np.nan)
        return None if np.isnan(values).all() else values

    def settled(self, name: str) -> Array | None:
        """A column without its warm-up; the whole column if the run is no longer than that."""
        values, time = self.column(name), self.column("time_h")
        if values is None or time is None:
            return values
        kept = values[time > self.warm_up_h + 1e-9]
        return kept if kept.size else values

    def settled_mean(self, name: str) -> float:
        """Mean of a column without the warm-up, nan where there is none."""
        values = self.settled(name)
        return math.nan if values is None or np.isnan(values).all() else float(np.nanmean(values))

    @property
    def name(self) -> str:
        """Name of the scenario."""
        return self.text("scenario.name") or "unnamed scenario"

    @property
    def since(self) -> str:
        """First day of the run, as axes of time name it."""
        return str(look_up(self.settings, "run.start") or "the start")[:10]

    @property
    def has_megapacks(self) -> bool:
        """Whether the site has any; yes if the scenario does not say."""
        return self.setting("power.megapack.n_units") != 0

    @property
    def warm_up_h(self) -> float:
        """Hours at the start that the averages leave out."""
        for value in (self.number("run.warmup_h"), self.setting("run.warmup_h")):
            if math.isfinite(value):
                return value
        return 0.0

    @property
    def hours(self) -> float:
        """Simulated hours, from the ticks or else from the series."""
        hours = self.number("run.ticks") * self.number("run.tick_s") / 3600
        time = self.column("time_h")
        return hours if math.isfinite(hours) or time is None else float(np.nanmax(time))

    @property
    def unserved_mwh(self) -> float:
        """Energy that was not served; what is no more than rounding of the load counts as none."""
        unserved, load = self.number("power.unserved_mwh"), self.number("power.load_mwh")
        return 0.0 if math.isnan(unserved) or (load > 0 and unserved < 1e-6 * load) else unserved

    @property
    def partial(self) -> bool:
        """Whether the run was stopped before its horizon."""
        return bool(look_up(self.summary, "run.partial"))

    @property
    def none_serves(self) -> bool:
        """Whether there were no GPUs at the end that serve: none at all, or all of them train."""
        return self.number("gpu.n_gpus") == 0 or self.setting("training.share") >= 1

    @property
    def agents(self) -> float:
        """Real agents that the simulated ones stand for."""
        weight = self.number("run.agent_weight")
        return self.number("run.agents_simulated") * (weight if math.isfinite(weight) else 1.0)

    def headcount(self, role: str) -> float:
        """Real agents of one role, nan where the scenario does not say."""
        weight = self.number("run.agent_weight")
        return self.setting(f"workforce.{role}") * (weight if math.isfinite(weight) else 1.0)

    def desk_time(self) -> dict[str, float]:
        """Shares of the desks' time (idle, unimpeded, gpus, power), adding to 1; empty if unknown."""
        given = look_up(self.summary, "desk_time")
        shares = {}
        for kind in ("idle", "unimpeded", "gpus", "power"):
            value = math.nan
            if isinstance(given, Mapping):
                value = as_number(given.get(kind, given.get(f"{kind}_share", given.get(f"desks_{kind}_share"))))
            shares[kind] = value if math.isfinite(value) else self.settled_mean(f"desks_{kind}_share")
        return shares if all(math.isfinite(share) for share in shares.values()) else {}


def look_up(mapping: Mapping[str, object], key: str) -> object:
    """The value under a dotted key, None where a step is missing."""
    value: object = mapping
    for part in key.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return value


def _mappings(value: object) -> list[Mapping[str, object]]:
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def as_number(value: object) -> float:
    """The value as a finite float, else nan: None, texts, infinities and truth values are no figures."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        return math.nan
    number = float(value)
    return number if math.isfinite(number) else math.nan


def thin(guides: Sequence[Array], n_points: int) -> NDArray[np.intp]:
    """Rows to draw of a long series: in each stretch those where a guide is lowest or highest, in order of time.

    Whole rows are kept, so that stacked columns still add up and peaks survive.
    """
    n_rows = len(guides[0])
    if n_rows <= n_points:
        return np.arange(n_rows)
    n_bins = max(1, (n_points - 2) // (2 * len(guides)))
    edges = np.linspace(0, n_rows, n_bins + 1).astype(np.intp)
    kept = {0, n_rows - 1}
    for guide in guides:
        values = np.nan_to_num(guide)
        for start, end in zip(edges[:-1], edges[1:], strict=True):
            if end > start:
                stretch = values[start:end]
                kept.update((start + int(stretch.argmin()), start + int(stretch.argmax())))
    return np.array(sorted(kept), dtype=np.intp)
