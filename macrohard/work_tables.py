"""The fitted numbers of the work laws, from the tables that the scripts in `experiments/calibration` write."""

from dataclasses import dataclass
from functools import cache
from importlib import resources

import pandas as pd

from agents.attempt import AttemptLaw


@dataclass(frozen=True)
class SuccessFit:
    """The success law of METR's models together: what they share, each having a horizon of its own."""

    beta: float
    """Slope of the logit per halving of the task."""
    research_offset: float
    """Added to the logit for open-ended research engineering (RE-Bench)."""
    seconds_offset: float
    """Added to the logit for single decisions of seconds (SWAA)."""
    retry_at_32_min: float
    """Logit of rho for a horizon of 32 minutes."""
    retry_per_doubling: float
    """What it gains with every doubling of the horizon."""


@dataclass(frozen=True)
class Capability:
    """A model in three numbers of one fit."""

    horizon_min: float
    beta: float
    rho: float


@dataclass(frozen=True)
class RoleRatio:
    """Tokens (by cost) and wall time of one kind of work relative to coding by the same model."""

    tokens: float
    wall: float


@cache
def table(name: str) -> pd.DataFrame:
    """One of the package's tables; lines that start with # are comments."""
    with (resources.files("macrohard") / "data" / f"{name}.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file, comment="#")


def success_fit() -> SuccessFit:
    """The fit over all models of the calibration data."""
    values = table("success_fit").set_index("parameter")["value"]
    return SuccessFit(**{name: float(values[name]) for name in SuccessFit.__dataclass_fields__})


def horizons() -> dict[str, float]:
    """Horizon in minutes of each model under `success_fit`; of those with enough tasks only."""
    rows = table("capability")
    rows = rows[rows["fit"] == "shared"]
    return dict(zip(rows["model"].astype(str), rows["horizon_min"].astype(float), strict=True))


def capability(name: str = "frontier-2026") -> Capability:
    """A model by name."""
    rows = table("capability")
    known = {str(row["model"]): row for _, row in rows.iterrows()}
    if name not in known:
        raise ValueError(f"capability: no model {name!r}; choose from {', '.join(known)}")
    return Capability(*(float(known[name][column]) for column in ("horizon_min", "beta", "rho")))


def scaffolds() -> list[str]:
    """Names of the scaffolds with a law of their own."""
    return [str(name) for name in table("scaffolds")["scaffold"].unique()]


@cache
def attempt_law(scaffold: str = "codex", whole_benchmark: bool = False) -> AttemptLaw:
    """The law of an attempt by this scaffold; over a whole benchmark, whose tasks have no size, calls spread wider."""
    rows = table("scaffolds")
    rows = rows[rows["scaffold"] == scaffold]
    if rows.empty:
        raise ValueError(f"scaffold: no {scaffold!r}; choose from {', '.join(scaffolds())}")
    values = {str(k): float(v) for k, v in zip(rows["parameter"], rows["value"], strict=True)}
    total = values.pop("calls_sd_log_all_sizes")
    return AttemptLaw(**(values | {"calls_sd_log": total} if whole_benchmark else values))


@cache
def role_ratios() -> dict[str, RoleRatio]:
    """Ratios to coding by kind of work, see `roles.csv`."""
    rows = table("roles")
    return {str(row["role"]): RoleRatio(float(row["tokens"]), float(row["wall"])) for _, row in rows.iterrows()}
