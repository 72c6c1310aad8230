"""The summary of a run: one nested dictionary, the same for people, for files and for sweeps."""

from typing import Any

import jax
import numpy as np
import pandas as pd

from macrohard import reproducibility
from macrohard.blueprint import Blueprint
from macrohard.colossus.supply import barred_h as barred_h_of
from macrohard.colossus.units import MMBTU_PER_MWH_PER_BTU_PER_KWH
from macrohard.results import metrics
from macrohard.results.cost import bill
from macrohard.results.metrics import Kept, Summary
from macrohard.results.speed_law import speed_law
from macrohard.scenario import Scenario
from macrohard.siting import Nameplate, nameplate

SCHEMA_VERSION = 1
RESULTS_VERSION = "6"
"""Changes when a changed law gives other results for the same scenario; noted in the CHANGELOG."""


def summary(
    plan: Blueprint, kept: Kept, frame: pd.DataFrame, table: pd.DataFrame, wall_s: float, compile_s: float
) -> Summary:
    """Everything of docs/results.md: what was done, what it took, what it cost and what held it back."""
    warm = metrics.after_warmup(kept, frame)
    totals = metrics.totals(kept)
    work = metrics.work(kept, frame, table)
    plate = nameplate(plan.scenario)
    tokens = metrics.tokens(kept)
    return {
        "schema_version": SCHEMA_VERSION,
        "scenario": {"name": plan.scenario.name, "sha256": plan.scenario.sha256, "seed": plan.scenario.run.seed},
        "work": work,
        "tokens": tokens,
        "gpu": _gpu(warm, totals)
        | {"by_role": {role: {"gpu_h_busy": hours} for role, hours in metrics.gpu_h_by_role(kept).items()}}
        | {"pools": _pools(plan, kept, warm), "speed_law": speed_law(plan, kept, frame)},
        "power": _power(plate, kept, frame, warm, totals),
        "cost": bill(
            plan.scenario,
            totals,
            metrics.demand_mw_months(kept),
            it_mw=plate.it_mw,
            tickets_done=work["tickets_done"],
            decode_tokens=tokens["decode_tokens"],
            hours=kept.n_ticks * kept.tick_h,
        ),
        "binding": metrics.binding(kept),
        "desk_time": {
            name: float(warm[f"desks_{name}_share"].mean()) for name in ("idle", "unimpeded", "gpus", "power")
        },
        "assumptions": assumptions(plan.scenario),
        "run": _run(plan, kept, wall_s, compile_s),
    }


def _gpu(warm: pd.DataFrame, totals: dict[str, float]) -> Summary:
    decode = warm["decode_tok_s"].sum()
    n_gpus = warm["n_gpus"].mean()
    return {
        "n_gpus": float(warm["n_gpus"].iloc[-1]),
        "streams_resident_mean": float(warm["streams_resident"].mean()),
        "gpu_h_available": totals["gpu_h_available"],
        "gpu_h_busy": totals["gpu_h_busy"],
        "gpu_h_training": totals["gpu_h_training"],
        "gpu_h_curtailed": totals["gpu_h_curtailed"],
        "utilization_mean": float(warm["utilization"].mean()),
        "streams_mean": float(warm["streams_active"].mean()),
        "tok_s_per_stream_mean": float(warm["token_weighted_speed"].sum() / decode) if decode > 0 else 0.0,
        "decode_tok_s_per_gpu_mean": float(warm["decode_tok_s"].mean() / n_gpus) if n_gpus > 0 else 0.0,
    }


def _pools(plan: Blueprint, kept: Kept, warm: pd.DataFrame) -> list[Summary]:
    """Of several LLMs in service what each did, with its LLM; none where one serves all."""
    models = {model.name: model.llm for model in plan.scenario.serving.models}
    return [{"llm": models[each["name"]], **each} for each in metrics.pools(kept, warm)]


def _power(plate: Nameplate, kept: Kept, frame: pd.DataFrame, warm: pd.DataFrame, totals: dict[str, float]) -> Summary:
    record = kept.state.record
    bin_h = np.diff(frame["time_h"], prepend=0.0)
    pue = warm["pue"].dropna()
    total_mwh = {name: value for name, value in totals.items() if name.endswith("_mwh")}
    balance = (
        totals["grid_mwh"]
        + totals["turbine_mwh"]
        + totals["solar_mwh"]
        + totals["battery_discharge_mwh"]
        - totals["battery_charge_mwh"]
        + totals["unserved_mwh"]
        - totals["load_mwh"]
    )
    return {
        "nameplate_it_mw": plate.it_mw,
        "nameplate_site_mw": plate.site_mw,
        "build_up_it_mw": plate.build_up_it_mw,
        **total_mwh,
        "served_mwh": totals["load_mwh"] - totals["unserved_mwh"],
        "load_mean_mw": float(warm["load_mw"].mean()),
        "load_peak_mw": float(record.load_peak_mw) or float(warm["load_mw"].max()),
        "loss_of_load_h": int(record.loss_of_load_ticks) * kept.tick_h,
        "soc_lowest": float(record.soc_lowest),
        "soc_end": float(warm["soc"].iloc[-1]),
        "grid_peak_mw": float(kept.state.site.plant.grid_peak_mw),
        "pue_mean": float(pue.mean()) if len(pue) else None,
        "pue_highest": float(pue.max()) if len(pue) else None,
        "swing_reserve_mw": float(warm["swing_reserve_mw"].mean()),
        "tickets_wait_h": float(frame["tickets_wait_share"] @ bin_h),
        "deferred_mwh": float(frame["deferred_mw"] @ bin_h),
        **_operation(kept, totals),
        "energy_residual_mwh": float(balance),
        "residual_share_worst": float(record.residual_share_worst),
    }


def _operation(kept: Kept, totals: dict[str, float]) -> Summary:
    """How generating units were run, and for how long Megapacks and chillers were at their end."""
    plant, seen, tick_h = kept.params.site.plant, kept.state.site.operation, kept.tick_h
    machines = np.asarray(plant.blocks.n_machines, np.float64)[:, None]
    is_unit = np.asarray(plant.units.p_nom_mw) > 0
    barred_h = barred_h_of(plant.units, kept.n_ticks * tick_h)
    burnt, made_mwh = totals["fuel_mmbtu"], totals["turbine_mwh"]
    return {
        "n_units": int(round(float((is_unit * machines).sum()))),
        "unit_starts": int(seen.n_starts),
        "unit_h_up": int(seen.unit_ticks_up) * tick_h,
        "unit_h_out": int(seen.unit_ticks_out) * tick_h,
        "unit_h_barred": float((barred_h * machines).sum()),
        "fuel_mmbtu": burnt,
        "heat_rate_btu_per_kwh": burnt / made_mwh / MMBTU_PER_MWH_PER_BTU_PER_KWH if made_mwh > 0 else None,
        "megapack_power_binds_h": int(seen.battery_ticks_mw) * tick_h,
        "megapack_energy_binds_h": int(seen.battery_ticks_mwh) * tick_h,
        "cooling_binds_h": int(seen.cooling_ticks) * tick_h,
        "chiller_h_out": int(seen.chiller_ticks_out) * tick_h,
    }


def _run(plan: Blueprint, kept: Kept, wall_s: float, compile_s: float) -> Summary:
    scenario = plan.scenario
    return {
        "ticks": kept.n_ticks,
        "tick_s": scenario.run.tick_s,
        "warmup_h": scenario.run.warmup_h,
        "partial": kept.n_ticks < plan.n_ticks,
        "agents_simulated": scenario.n_agents,
        "agent_weight": scenario.workforce.weight,
        "wall_s": wall_s,
        "compile_s": compile_s,
        "device": jax.devices()[0].device_kind,
        "digest": metrics.digest(kept),
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """What results depend on besides scenario and seed."""
    import mesa

    from macrohard import __version__

    return {
        "macrohard": __version__,
        "results": RESULTS_VERSION,
        "jax": jax.__version__,
        "mesa": mesa.__version__,
        "numpy": np.__version__,
        "mode": reproducibility.mode(),
        "xla_flags": reproducibility.flags(),
    }


_ASSUMED: dict[str, str] = {
    "workforce.weight": "agents simulated apart stand for this many equal ones; noise is its square root too large",
    "backlog.size_median_min": "median size of a ticket; no public figure for what such a factory would be given",
    "quality.defects_per_kloc": "chosen so that bugs are 20-32 % of tickets, as in real backlogs",
    "quality.kloc_per_120_min": "lines changed per human minute, from the median size of resolved patches",
    "quality.rework_share": "cost of mending one found defect",
    "quality.conflict_rework_share": "cost of one merge conflict",
    "quality.bug_delay_h": "time until a shipped defect is found",
    "quality.bug_size_share": "size of a bug ticket",
    "tokens.ratio.design": "tokens of text design relative to coding",
    "tokens.ratio.review": "tokens of a review relative to coding",
    "cluster.overhead": "network and storage power",
    "cluster.cooling_share": "pumps, fans and losses",
    "cluster.chiller_cop": "efficiency of the chillers on a hot day",
    "economics.discount_rate": "interest on what is written off",
}


def assumptions(scenario: Scenario) -> list[dict[str, Any]]:
    """What a result rests on that no measurement backs: key, value in force, and why it is assumed."""
    found = []
    for key, note in _ASSUMED.items():
        value: Any = scenario
        for part in key.split("."):
            value = getattr(value, part)
        found.append({"name": key, "value": value, "note": note})
    return found
