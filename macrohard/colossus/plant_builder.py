"""A power plant from plain numbers and the tables of machines. Host side; faults name field, value, remedy."""

import math
from collections.abc import Mapping, Sequence

import jax.numpy as jnp
import numpy as np

from macrohard.colossus.battery import battery_of
from macrohard.colossus.climate import Sun
from macrohard.colossus.emissions import BTU_PER_KWH_OF_CO2_FIGURE, KG_PER_LB, Prices
from macrohard.colossus.policies import POLICIES
from macrohard.colossus.powerplant import Plant, Rules
from macrohard.colossus.supply import BLOCKS, Grid, Solar, Units
from macrohard.colossus.tables import checked, numbers, row_named
from macrohard.colossus.units import H_PER_YEAR, MMBTU_PER_MWH_PER_BTU_PER_KWH

Source = Mapping[str, float | str | bool | None]
_BUCKETS = (8, 16, 32, 64)
_NEVER_H = 1e9
_MIN_PER_H = 60.0
_NOTICE_H = 0.5  # LPM 2024-11-10, TVA's agreement with xAI: 30 minutes
_OWN = ("permit_from_h", "permit_until_h", "starts_per_year", "planned_outage", "gas_usd_per_mmbtu")
_SOLAR_OM = 6.0  # USD/MWh; assumed: 15 USD/kW-year over 2,200 h

_ECONOMICS = {
    "gas_usd_per_mmbtu": 3.52,  # EIA STEO 2025-09
    "gas_delivery_usd_per_mmbtu": 0.50,  # assumed
    "gas_co2_kg_per_mwh": 545.0,  # at 10,277 Btu/kWh
    "grid_co2_kg_per_mwh": 283.5,  # TVA 2023
}


def plant_of(
    sources: Sequence[Source] = (),
    megapack: Mapping[str, float | str] | None = None,
    economics: Mapping[str, float] | None = None,
    *,
    grid_mw: float = 0.0,
    grid_ramp_mw_per_min: float | None = None,
    grid_usd_per_mwh: float | Sequence[float] | None = None,
    dispatch: str = "follow",
    curtailment: Sequence[tuple[float, float, float]] = (),
    peak_mw: float | None = None,
    rules: Rules | None = None,
    sun: Sun | None = None,
) -> Plant:
    """The plant. sources: tables of kind, n_units and any figure of data/turbines.csv to change (None: as there),
    permit_from_h, permit_until_h, starts_per_year, planned_outage (bool), gas_usd_per_mmbtu.

    economics: the keys of [economics]; those of other parts are ignored. Of two figures for NOx or O&M a source's own
    comes first, then gas_nox_lb_per_mwh or turbine_om_usd_per_mwh if given, then the table's.
    curtailment: (hour since start, hours, MW). Hours count from the start of the run.
    """
    if dispatch not in POLICIES:
        raise ValueError(f"power.dispatch: no policy {dispatch!r}; choose from {', '.join(POLICIES)}")
    money = {**_ECONOMICS, **(economics or {})}
    price = money.get("grid_usd_per_mwh", 62.0) if grid_usd_per_mwh is None else grid_usd_per_mwh
    prices = np.broadcast_to(np.asarray(price, np.float32), 24)
    contract = checked("power.grid_mw", grid_mw, 0.0, 1e7)
    units, block_usd = _units(sources, money)
    usual = rules or Rules()
    quartiles = np.quantile(prices, (0.25, 0.75))
    return Plant(
        units=units,
        grid=_grid(contract, grid_ramp_mw_per_min, prices, curtailment),
        solar=_solar(sources, sun),
        battery=battery_of(**(megapack or {})),  # type: ignore[arg-type]
        prices=Prices(
            gas_usd_per_mmbtu=money["gas_usd_per_mmbtu"] + money["gas_delivery_usd_per_mmbtu"],
            gas_co2_kg_per_mmbtu=money["gas_co2_kg_per_mwh"] / BTU_PER_KWH_OF_CO2_FIGURE * 1e3,
            grid_co2_kg_per_mwh=money["grid_co2_kg_per_mwh"],
        ),
        rules=Rules(
            margin_share=usual.margin_share,
            band_share=usual.band_share,
            bridge_h=usual.bridge_h,
            refill_h=usual.refill_h,
            peak_mw=usual.peak_mw if peak_mw is None else peak_mw,
            cheap_usd_per_mwh=float(quartiles[0]),
            dear_usd_per_mwh=float(quartiles[1]),
        ),
        block_usd_per_mwh=block_usd,
        dispatch=dispatch,
    )


def _grid(
    contract_mw: float, ramp_mw_per_min: float | None, prices: np.ndarray, calls: Sequence[tuple[float, float, float]]
) -> Grid:
    ramp = 0.1 * contract_mw if ramp_mw_per_min is None else ramp_mw_per_min  # assumed; no public figure found
    rows = [(_NEVER_H, _NEVER_H, 0.0)] * (_bucket(len(calls), "power.curtailment", (4, 8, 16, 32, 64, 128, 256)))
    for index, (hour, hours, mw) in enumerate(calls):
        rows[index] = (hour, hour + hours, checked(f"power.curtailment[{index}].mw", mw))
    begins, ends, less = (jnp.asarray(column, jnp.float32) for column in zip(*rows, strict=True))
    ramp_mw_per_h = checked("power.grid_ramp_mw_per_min", ramp) * _MIN_PER_H
    return Grid(contract_mw, ramp_mw_per_h, jnp.asarray(prices), begins, ends, less, _NOTICE_H)


def _solar(sources: Sequence[Source], sun: Sun | None) -> Solar:
    fields = [(f"power.sources[{index}]", each) for index, each in enumerate(sources) if each.get("kind") == "solar"]
    for field, each in fields:
        if each.get("p_nom_mw") is None:
            raise ValueError(f"{field}.p_nom_mw: missing; give the rating of one unit of solar in MW")
    rating = sum(
        checked(f"{field}.p_nom_mw", _number(each, "p_nom_mw", 0.0)) * _number(each, "n_units", 1.0)
        for field, each in fields
    )
    return Solar(rating, sun or Sun(), _SOLAR_OM)


def _units(sources: Sequence[Source], money: Mapping[str, float]) -> tuple[Units, jnp.ndarray]:
    """All units in merit order, padded to a bucket; where there are more than fit, equal ones are lumped together."""
    kinds = []
    for index, source in enumerate(sources):
        if source.get("kind") == "solar":
            continue
        field = f"power.sources[{index}]"
        kind = _figures(source, field, money)
        count = checked(f"{field}.n_units", _number(source, "n_units", 1.0), 0, 1e5)
        if count:
            kinds.append((kind, int(count), index))
    lumps = [1] * len(kinds)
    while sum(math.ceil(count / lump) for (_, count, _), lump in zip(kinds, lumps, strict=True)) > _BUCKETS[-1]:
        most = max(range(len(kinds)), key=lambda place: math.ceil(kinds[place][1] / lumps[place]))
        lumps[most] *= 2
    columns: list[dict[str, float]] = []
    for (kind, count, index), lump in zip(kinds, lumps, strict=True):
        for first in range(0, count, lump):
            size = min(lump, count - first)
            scaled = {name: kind[name] * size for name in ("p_nom_mw", "ramp_mw_per_h", "n_machines")}
            columns.append(kind | scaled | {"key": index * 4096 + first} | _planned(kind, index, first))
    columns.sort(key=lambda each: each["usd_per_mwh"])
    costs = sorted({round(each["usd_per_mwh"], 3) for each in columns})
    n_rows = _bucket(len(columns), "power.sources", _BUCKETS)
    block = np.zeros((n_rows, BLOCKS), np.float32)
    block_usd = np.full(BLOCKS, 1e6, np.float32)
    for row, each in enumerate(columns):
        place = min(costs.index(round(each["usd_per_mwh"], 3)), BLOCKS - 1)
        block[row, place] = 1.0
        block_usd[place] = min(block_usd[place], each["usd_per_mwh"])
    arrays = {name: np.zeros(n_rows, np.float32) for name in _FIELDS}
    for name in arrays:
        arrays[name][: len(columns)] = [each[name] for each in columns]
    arrays["mtbf_h"][len(columns) :] = _NEVER_H
    key = np.arange(n_rows, dtype=np.uint32) + np.uint32(1 << 30)
    key[: len(columns)] = [int(each["key"]) for each in columns]
    floats = {name: jnp.asarray(array) for name, array in arrays.items()}
    return Units(key=jnp.asarray(key), block=jnp.asarray(block), **floats), jnp.asarray(block_usd)


_FIELDS = tuple(name for name in Units.__dataclass_fields__ if name not in ("key", "block"))


def _figures(source: Source, field: str, money: Mapping[str, float]) -> dict[str, float]:
    """One unit of a source, in the units of Units."""
    row = row_named("turbines", str(source.get("kind")), f"{field}.kind")
    usual = {"nox_lb_per_mwh": money.get("gas_nox_lb_per_mwh"), "om_usd_per_mwh": money.get("turbine_om_usd_per_mwh")}
    own = {
        name: _number(source, name, 0.0)
        for name, value in source.items()
        if name not in ("kind", "name", "n_units", *_OWN) and value is not None
    }
    table = numbers(row, {**{name: value for name, value in usual.items() if value is not None}, **own}, field)
    for name in ("min_load_share", "no_load_fuel_share", "forced_outage_share"):
        checked(f"{field}.{name}", table[name], 0.0, 1.0)
    for name in ("p_nom_mw", "ramp_share_per_min", "heat_rate_btu_per_kwh", "mttr_h"):
        checked(f"{field}.{name}", table[name], 1e-6)
    gas = money["gas_usd_per_mmbtu"] + money["gas_delivery_usd_per_mmbtu"]
    gas = _number(source, "gas_usd_per_mmbtu", gas)
    heat = table["heat_rate_btu_per_kwh"] * MMBTU_PER_MWH_PER_BTU_PER_KWH
    out = table["forced_outage_share"]
    to_full_min = (1 - table["min_load_share"]) / table["ramp_share_per_min"]
    return {
        "n_machines": 1.0,
        "p_nom_mw": table["p_nom_mw"],
        "min_share": table["min_load_share"],
        "ramp_mw_per_h": table["ramp_share_per_min"] * table["p_nom_mw"] * _MIN_PER_H,
        "sync_h": max(table["start_min"] - to_full_min, 0.0) / _MIN_PER_H,
        "min_up_h": table["min_up_min"] / _MIN_PER_H,
        "min_down_h": table["min_down_min"] / _MIN_PER_H,
        "derate_per_k": table["derate_per_k"],
        "mmbtu_per_mwh": heat,
        "no_load_share": table["no_load_fuel_share"],
        "mtbf_h": table["mttr_h"] * (1 - out) / out if out > 0 else _NEVER_H,
        "mttr_h": table["mttr_h"],
        "planned_h": table["planned_outage_h_per_year"] if source.get("planned_outage") else 0.0,
        "permit_from_h": _number(source, "permit_from_h", -_NEVER_H),
        "permit_until_h": _number(source, "permit_until_h", _NEVER_H),
        "starts_per_year": _number(source, "starts_per_year", _NEVER_H),
        "om_usd_per_mwh": table["om_usd_per_mwh"],
        "usd_per_mwh": heat * gas + table["om_usd_per_mwh"],
        "gas_extra_usd_per_mmbtu": gas - money["gas_usd_per_mmbtu"] - money["gas_delivery_usd_per_mmbtu"],
        "nox_kg_per_mwh": table["nox_lb_per_mwh"] * KG_PER_LB,
        "nox_raw_kg_per_mwh": table["nox_raw_lb_per_mwh"] * KG_PER_LB,
    }


def _planned(kind: Mapping[str, float], index: int, unit: int) -> dict[str, float]:
    """Maintenance spread over the year by the golden ratio, so that few units are out together."""
    return {"planned_from_h": (0.25 + 0.618034 * (unit + 7 * index)) % 1.0 * (H_PER_YEAR - kind["planned_h"])}


def _number(source: Source, name: str, default: float) -> float:
    value = source.get(name)
    if value is None:
        return default
    if isinstance(value, str):
        raise ValueError(f"power.sources.{name}: {value!r} is no number; give a number")
    return checked(f"power.sources.{name}", float(value), -_NEVER_H, _NEVER_H)


def _bucket(count: int, field: str, sizes: tuple[int, ...]) -> int:
    for size in sizes:
        if count <= size:
            return size
    raise ValueError(f"{field}: {count} entries; at most {sizes[-1]} fit, leave some out")
