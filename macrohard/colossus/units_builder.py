"""Generating units from plain numbers and the table of machines: rows in merit order, and the blocks they form."""

import math
from collections.abc import Mapping, Sequence
from itertools import groupby

import jax.numpy as jnp
import numpy as np

from macrohard.colossus.emissions import KG_PER_LB
from macrohard.colossus.supply import Blocks, Units
from macrohard.colossus.tables import checked, numbers, row_named
from macrohard.colossus.units import H_PER_YEAR, MMBTU_PER_MWH_PER_BTU_PER_KWH

Source = Mapping[str, float | str | bool | None]
_MOST_UNITS = 64
_WIDTHS = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64)
_BLOCKS = (0, 1, 2, 3, 4, 6, 8, 12, 16)
NEVER_H = 1e9
MIN_PER_H = 60.0
_OWN = ("permit_from_h", "permit_until_h", "starts_per_year", "planned_outage", "gas_usd_per_mmbtu")


def units_of(sources: Sequence[Source], money: Mapping[str, float]) -> tuple[Units, Blocks]:
    """All units by block, in merit order, padded to a bucket; where they are too many, equal ones are lumped."""
    kinds = []
    for index, source in enumerate(sources):
        field = f"power.sources[{index}]"
        count = checked(f"{field}.n_units", number(source, "n_units", 1.0), 0, 1e5)
        if source.get("kind") != "solar" and count:
            kinds.append((_figures(source, field, money), int(count), index))
    lumps = [1] * len(kinds)
    while sum(math.ceil(count / lump) for (_, count, _), lump in zip(kinds, lumps, strict=True)) > _MOST_UNITS:
        most = max(range(len(kinds)), key=lambda place: math.ceil(kinds[place][1] / lumps[place]))
        lumps[most] *= 2
    columns: list[dict[str, float]] = []
    for (kind, count, index), lump in zip(kinds, lumps, strict=True):
        for first in range(0, count, lump):
            size = min(lump, count - first)
            scaled = {name: kind[name] * size for name in (*_SCALED, "n_machines")}
            columns.append(kind | scaled | {"key": index * 4096 + first} | _planned(kind, index, first))
    blocks = [list(equal) for _, equal in groupby(sorted(columns, key=_block_key), key=_block_key)]
    n_blocks = bucket(len(blocks), "power.sources", _BLOCKS)
    width = bucket(max(map(len, blocks), default=0), "power.sources", _WIDTHS)
    return _units(blocks, n_blocks, width), _blocks([equal[0] for equal in blocks], n_blocks)


def _block_key(unit: Mapping[str, float]) -> tuple[float, ...]:
    """Units that agree in this are equal; cheapest first."""
    return (round(unit["usd_per_mwh"], 3), *(round(unit[name], 6) for name in _FIELDS_OF_BLOCK))


def _units(blocks: Sequence[Sequence[Mapping[str, float]]], n_blocks: int, width: int) -> Units:
    arrays = {name: np.zeros((n_blocks, width), np.float32) for name in _FIELDS_OF_UNIT}
    arrays["mtbf_h"][:] = NEVER_H
    key = np.uint32(1 << 30) + np.arange(n_blocks * width, dtype=np.uint32).reshape(n_blocks, width)
    for row, equal in enumerate(blocks):
        key[row, : len(equal)] = [int(each["key"]) for each in equal]
        for name, array in arrays.items():
            array[row, : len(equal)] = [each[name] for each in equal]
    return Units(key=jnp.asarray(key), **{name: jnp.asarray(array) for name, array in arrays.items()})


def _blocks(firsts: Sequence[Mapping[str, float]], n_blocks: int) -> Blocks:
    arrays = {name: np.zeros(n_blocks, np.float32) for name in _FIELDS_OF_BLOCK}
    arrays["usd_per_mwh"][len(firsts) :] = 1e6
    for name, array in arrays.items():
        array[: len(firsts)] = [each[name] for each in firsts]
    return Blocks(**{name: jnp.asarray(array) for name, array in arrays.items()})


_FIELDS_OF_UNIT = tuple(name for name in Units.__dataclass_fields__ if name != "key")
_FIELDS_OF_BLOCK = tuple(Blocks.__dataclass_fields__)
_SCALED = ("p_nom_mw", "least_mw", "ramp_mw_per_h", "no_load_mmbtu_per_h")


def _figures(source: Source, field: str, money: Mapping[str, float]) -> dict[str, float]:
    """One unit of a source, in the units of Units."""
    row = row_named("turbines", str(source.get("kind")), f"{field}.kind")
    usual = {"nox_lb_per_mwh": money.get("gas_nox_lb_per_mwh"), "om_usd_per_mwh": money.get("turbine_om_usd_per_mwh")}
    own = {
        name: number(source, name, 0.0)
        for name, value in source.items()
        if name not in ("kind", "name", "n_units", *_OWN) and value is not None
    }
    table = numbers(row, {**{name: value for name, value in usual.items() if value is not None}, **own}, field)
    for name in ("min_load_share", "no_load_fuel_share", "forced_outage_share"):
        checked(f"{field}.{name}", table[name], 0.0, 1.0)
    for name in ("p_nom_mw", "ramp_share_per_min", "heat_rate_btu_per_kwh", "mttr_h"):
        checked(f"{field}.{name}", table[name], 1e-6)
    gas = money["gas_usd_per_mmbtu"] + money["gas_delivery_usd_per_mmbtu"]
    gas = number(source, "gas_usd_per_mmbtu", gas)
    heat = table["heat_rate_btu_per_kwh"] * MMBTU_PER_MWH_PER_BTU_PER_KWH
    out = table["forced_outage_share"]
    to_full_min = (1 - table["min_load_share"]) / table["ramp_share_per_min"]
    return {
        "n_machines": 1.0,
        "p_nom_mw": table["p_nom_mw"],
        "least_mw": table["min_load_share"] * table["p_nom_mw"],
        "ramp_mw_per_h": table["ramp_share_per_min"] * table["p_nom_mw"] * MIN_PER_H,
        "sync_h": max(table["start_min"] - to_full_min, 0.0) / MIN_PER_H,
        "min_up_h": table["min_up_min"] / MIN_PER_H,
        "min_down_h": table["min_down_min"] / MIN_PER_H,
        "derate_per_k": table["derate_per_k"],
        "full_mmbtu_per_mwh": heat,
        "mmbtu_per_mwh": heat * (1 - table["no_load_fuel_share"]),
        "no_load_mmbtu_per_h": heat * table["no_load_fuel_share"] * table["p_nom_mw"],
        "mtbf_h": table["mttr_h"] * (1 - out) / out if out > 0 else NEVER_H,
        "mttr_h": table["mttr_h"],
        "planned_h": table["planned_outage_h_per_year"] if source.get("planned_outage") else 0.0,
        "permit_from_h": number(source, "permit_from_h", -NEVER_H),
        "permit_until_h": number(source, "permit_until_h", NEVER_H),
        "starts_per_year": number(source, "starts_per_year", NEVER_H),
        "om_usd_per_mwh": table["om_usd_per_mwh"],
        "usd_per_mwh": heat * gas + table["om_usd_per_mwh"],
        "gas_usd_per_mmbtu": gas,
        "nox_kg_per_mwh": table["nox_lb_per_mwh"] * KG_PER_LB,
        "nox_raw_kg_per_mwh": table["nox_raw_lb_per_mwh"] * KG_PER_LB,
    }


def _planned(kind: Mapping[str, float], index: int, unit: int) -> dict[str, float]:
    """Maintenance spread over the year by the golden ratio, so that few units are out together."""
    return {"planned_from_h": (0.25 + 0.618034 * (unit + 7 * index)) % 1.0 * (H_PER_YEAR - kind["planned_h"])}


def number(source: Source, name: str, default: float) -> float:
    """A number of a source; the default where it is left out."""
    value = source.get(name)
    if value is None:
        return default
    if isinstance(value, str):
        raise ValueError(f"power.sources.{name}: {value!r} is no number; give a number")
    return checked(f"power.sources.{name}", float(value), -NEVER_H, NEVER_H)


def bucket(count: int, field: str, sizes: tuple[int, ...]) -> int:
    """The least of the sizes that holds so many."""
    for size in sizes:
        if count <= size:
            return size
    raise ValueError(f"{field}: {count} entries; at most {sizes[-1]} fit, leave some out")
