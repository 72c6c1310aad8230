"""A made-up result with the columns of a real one, for tests of reports; seeded, in the likeness of phase 1."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROLES = (("management", 0.14, 0.2), ("design", 0.1, 0.1), ("coding", 0.56, 0.35), ("testing", 0.2, 0.3))
"""Share of the tokens, and of these what is rework."""
STAGES = ("plan", "design", "code", "test", "review")


@dataclass
class FakeResult:
    summary: dict[str, Any]
    series: pd.DataFrame
    tickets: pd.DataFrame
    scenario: dict[str, object] = field(default_factory=dict)
    out: Path | None = None
    command: str = ""


def series(n_bins: int = 2016, hours: float = 168.0, short: bool = False, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    t = hours * (np.arange(n_bins) + 1) / n_bins
    warm = 1 - np.exp(-t / 6)
    day = np.sin((t - 9) / 24 * 2 * np.pi)
    demand = 72 + 96 * warm + 4 * day + rng.normal(0, 1.5, n_bins)
    curtailed = (t > 90) & (t < 96)
    grid_cap = np.where(curtailed, 0.0, 30.0)
    turbines = np.where((t > 90) & (t < 108), 105.0, 235.0) if not short else np.zeros(n_bins)
    grid_cap = grid_cap if not short else np.zeros(n_bins)
    solar = np.maximum(0, 6 * day)
    soc, battery, unserved, load, turbine_out = (np.zeros(n_bins) for _ in range(5))
    level, dt = 0.9, hours / n_bins
    for k in range(n_bins):
        supply = grid_cap[k] + turbines[k] + solar[k]
        battery_mw = min(164, max(0.0, level - 0.30) * 658 / dt)
        reach = supply + battery_mw
        load[k] = min(demand[k], max(reach, 45 if short else 0))
        gap = load[k] - supply
        battery[k] = min(gap, battery_mw) if gap > 0 else -min(-gap, 20.0, max(0.0, 0.95 - level) * 658 / dt)
        unserved[k] = max(0.0, gap - battery_mw)
        level -= battery[k] * dt / 658
        soc[k] = level
        turbine_out[k] = max(0.0, load[k] - unserved[k] - grid_cap[k] - solar[k] - battery[k])
    streams = 1.1e6 * warm + rng.normal(0, 1.2e4, n_bins)
    created = 2.0e6 + 27e6 * t / 24
    done = np.maximum(0, 24e6 * (t - 5) / 24)
    frame = pd.DataFrame(
        {
            "time_h": t,
            "temperature_c": 15 + 8 * day,
            "demand_mw": demand,
            "load_mw": load,
            "it_mw": load / 1.1,
            "limit_mw": grid_cap + turbines + solar + np.where(soc > 0.301, 164.0, 0.0),
            "grid_mw": np.minimum(grid_cap, load),
            "turbine_mw": turbine_out,
            "solar_mw": solar,
            "battery_mw": battery,
            "unserved_mw": unserved,
            "capped_mw": demand - load,
            "soc": soc,
            "power_share": load / demand,
            "performance": (load / demand) ** 0.4,
            "n_gpus": np.full(n_bins, 110_000.0),
            "utilization": 0.97 * warm,
            "streams_busy": streams * 1.4,
            "streams_active": streams,
            "streams_resident": streams * 1.2,
            "streams_waiting": np.maximum(0, streams * 0.2 - 1e5),
            "tok_s_per_stream": 22 / (0.25 + streams / 1.1e6) * (load / demand) ** 0.4,
            "ttft_s": 1.5 + rng.random(n_bins),
            "tickets_created": created,
            "tickets_done": done,
            "tickets_given_up": 0.03 * done,
            "queue_roadmap": np.full(n_bins, 4e5),
        }
    )
    frame["decode_tok_s"] = frame["tok_s_per_stream"] * frame["streams_active"]
    frame["prefill_tok_s"] = frame["decode_tok_s"] * 7
    rest = (created - done * 1.03 - 4e5).clip(0)
    for stage, share, waits in zip(STAGES, (0.05, 0.1, 0.5, 0.2, 0.1), (0.5, 0.3, 0.6, 0.2, 0.8), strict=True):
        frame[f"queue_{stage}"] = rest * share * waits
        frame[f"at_{stage}"] = rest * share * (1 - waits)
    for role, count in (("management", 1.8e5), ("design", 1.2e5), ("coding", 7.9e5), ("testing", 3.1e5)):
        frame[f"busy_{role}"] = count * warm
    idle = 0.08 + 0.5 * (1 - warm)
    power = (1 - idle) * (1 - frame["performance"])
    frame["desks_idle_share"] = idle
    frame["desks_power_share"] = power
    frame["desks_gpus_share"] = 0.55 * (1 - idle - power)
    frame["desks_unimpeded_share"] = 1 - idle - power - frame["desks_gpus_share"]
    return frame


def tickets(n: int = 5000, hours: float = 168.0, seed: int = 2) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    created = rng.uniform(0, hours, n)
    frame = pd.DataFrame({"id": np.arange(n), "epic": np.arange(n) // 10, "kind": rng.integers(0, 4, n)})
    frame["size_min"] = 120 * np.exp(0.73 * rng.normal(size=n))
    frame["priority"], frame["is_bug"], frame["stage"] = rng.integers(0, 4, n), rng.random(n) < 0.25, "done"
    total = np.zeros(n)
    for stage, work, wait in zip(STAGES, (0.2, 0.3, 1.5, 0.6, 0.3), (1.0, 0.5, 3.0, 0.7, 1.4), strict=True):
        frame[f"work_h_{stage}"] = work * np.exp(0.5 * rng.normal(size=n))
        frame[f"wait_h_{stage}"] = wait * rng.exponential(size=n)
        total += frame[f"work_h_{stage}"] + frame[f"wait_h_{stage}"]
    closed = created + total
    frame["created_h"], frame["started_h"] = created, created + frame["wait_h_plan"]
    frame["closed_h"] = np.where(closed <= hours, closed, np.nan)
    frame["status"] = np.where(closed > hours, "open", np.where(rng.random(n) < 0.03, "given_up", "done"))
    frame["attempts"], frame["failures"], frame["escalations"], frame["escaped"] = 2, 1, 0, 0
    frame["input_tokens"], frame["decode_tokens"] = 11.7e6, 84e3
    return frame


def summary(rows: pd.DataFrame) -> dict[str, Any]:
    hours = float(rows["time_h"].iloc[-1])
    dt = hours / len(rows)
    load, done = float(rows["load_mw"].sum() * dt), float(rows["tickets_done"].iloc[-1])
    return {
        "schema_version": 1,
        "scenario": {"name": "colossus2-phase1", "sha256": "9f2c" * 16, "seed": 1},
        "work": {
            "tickets_created": int(rows["tickets_created"].iloc[-1]),
            "tickets_done": int(done),
            "tickets_given_up": int(done * 0.03),
            "tickets_open": int(rows["tickets_created"].iloc[-1] - done * 1.03),
            "bug_tickets": int(done * 0.24),
            "rework_share": 0.31,
            "bad_shipped_share": 0.07,
            "escaped_defects": int(done * 0.26),
            "lead_time_h_p50": 8.4,
            "lead_time_h_p90": 15.2,
            "tickets_per_day": done / hours * 24,
            "change_failure_rate": 0.18,
            "developers_equivalent": done / hours * 24 * 0.5,
            "ci": {"tickets_per_day": [done / hours * 23.5, done / hours * 24.6]},
        },
        "tokens": {
            "input_tokens": int(done * 11.7e6),
            "cached_tokens": int(done * 11.04e6),
            "prefill_tokens": int(done * 0.66e6),
            "decode_tokens": int(done * 84e3),
            "tokens_per_ticket": 11.78e6,
            "by_role": {
                role: {"decode_tokens": share * done * 84e3, "rework_decode_tokens": share * rework * done * 84e3}
                for role, share, rework in ROLES
            },
        },
        "gpu": {
            "n_gpus": 110_000,
            "streams_resident_mean": 1.3e6,
            "gpu_h_available": 110_000 * hours * 0.985,
            "gpu_h_busy": 110_000 * hours * 0.93,
            "gpu_h_training": 0.0,
            "by_role": {role: {"gpu_h_busy": share * 110_000 * hours * 0.93} for role, share, _ in ROLES},
            "gpu_h_curtailed": 110_000 * hours * 0.011,
            "utilization_mean": 0.96,
            "streams_mean": 1.1e6,
            "tok_s_per_stream_mean": 17.4,
            "decode_tok_s_per_gpu_mean": 174.0,
            "speed_law": [
                {
                    "name": "deepseek-r1",
                    "llm": "deepseek-r1",
                    "streams_active": [4e3, 1e5, 5e5, 1.1e6, 1.6e6],
                    "tok_s_per_stream": [86.5, 64.5, 31.2, 17.6, 13.0],
                }
            ],
        },
        "power": {
            "nameplate_it_mw": 201.7,
            "nameplate_site_mw": 221.9,
            "load_mwh": load,
            "load_mean_mw": load / hours,
            "load_peak_mw": float(rows["load_mw"].max()),
            "grid_mwh": float(rows["grid_mw"].sum() * dt),
            "turbine_mwh": float(rows["turbine_mw"].sum() * dt),
            "battery_charge_mwh": float((-rows["battery_mw"]).clip(lower=0).sum() * dt),
            "battery_discharge_mwh": float(rows["battery_mw"].clip(lower=0).sum() * dt),
            "battery_loss_mwh": 31.0,
            "capped_mwh": float((rows["demand_mw"] - rows["load_mw"]).clip(lower=0).sum() * dt),
            "unserved_mwh": float(rows["unserved_mw"].sum() * dt),
            "loss_of_load_h": float((rows["unserved_mw"] > 0).sum() * dt),
            "soc_lowest": float(rows["soc"].min()),
            "soc_end": float(rows["soc"].iloc[-1]),
            "n_units": 7,
            "unit_starts": 4,
            "unit_h_up": 5.1 * hours,
            "unit_h_out": 31.0,
            "unit_h_barred": 24.0,
            "fuel_mmbtu": load * 9.9,
            "heat_rate_btu_per_kwh": 9_930.0,
            "megapack_power_binds_h": 0.5,
            "megapack_energy_binds_h": 1.5,
            "cooling_binds_h": 0.0,
            "chiller_h_out": 0.0,
            "energy_residual_mwh": 1.2e-5,
        },
        "cost": {
            "total_usd": 43.9e6,
            "gpu_usd": 40.8e6,
            "energy_usd": 1.1e6,
            "usd_per_ticket": 43.9e6 / max(done, 1),
            "usd_per_million_decode_tokens": 3.1,
            "kwh_per_ticket": load * 1000 / max(done, 1),
            "co2_t": load * 0.52,
            "co2_kg_per_mwh": 520.0,
            "nox_kg": load * 0.036,
            "nox_short_tons_per_year": 57.2,
            "nox_without_scr_short_tons_per_year": 714.0,
            "nox_permit_share": 0.657,
            "water_m3": load * 0.83,
            "water_l_per_ticket": 0.118,
        },
        "binding": {"backlog": 0.04, "agents": 0.11, "gpus": 0.77, "power": 0.08},
        "assumptions": [
            {
                "name": "backlog.size_median_min",
                "value": 120,
                "note": "median ticket in human minutes; no public figure for a whole company",
            },
            {
                "name": "quality.defects_per_kloc",
                "value": 5,
                "note": "set so that returning bugs give the 20-32 % bug share of real backlogs",
            },
            {"name": "cluster.overhead", "value": 0.05, "note": "network and storage beside the racks"},
            {"name": "economics.gas_delivery_usd_per_mmbtu", "value": 0.5, "note": "on top of the hub price"},
            {"name": "training.share", "value": 0.0, "note": "all GPUs serve agents"},
            {"name": "tokens.ratio.review", "value": 0.5, "note": "tokens of one review pass over those of coding"},
            {"name": "gpu_power.waiting", "value": 0.25, "note": "draw of a GPU that waits, share of its limit"},
        ],
        "run": {
            "ticks": int(hours * 60),
            "tick_s": 60,
            "agents_simulated": 2000,
            "agent_weight": 800.0,
            "warmup_h": 24.0,
            "wall_s": 9.4,
            "compile_s": 4.1,
            "device": "cpu",
            "digest": "5d1a0c9e" * 8,
            "versions": {"macrohard": "0.1.0", "jax": "0.10.2", "python": "3.11.2"},
        },
    }


def result(n_bins: int = 2016, hours: float = 168.0, short: bool = False, n_tickets: int = 5000) -> FakeResult:
    rows = series(n_bins, hours, short)
    settings = {
        "run": {"start": "2026-02-01", "horizon_h": hours, "warmup_h": 24.0},
        "workforce": {"coding": 1000, "design": 250, "testing": 500, "management": 250},
        "cluster": {"gpu": "GB200", "n_gpus": 110_000},
        "serving": {"llm": "deepseek-r1"},
        "power": {"grid_mw": 30.0, "megapack": {"soc_min": 0.10, "soc_max": 0.95, "reserve": 0.30}},
    }
    return FakeResult(summary(rows), rows, tickets(n_tickets, hours), settings)
