"""Generating units from plain numbers and the table of machines: rows in merit order, and the blocks they form."""

import math
from collections.abc import Mapping, Sequence

import jax.numpy as jnp
import numpy as np

from macrohard.colossus.emissions import KG_PER_LB
from macrohard.colossus.supply import Blocks, Units
from macrohard.colossus.tables import checked, numbers, row_named
from macrohard.colossus.units import H_PER_YEAR, MMBTU_PER_MWH_PER_BTU_PER_KWH

Source = Mapping[str, float | str | bool | None]
_ROWS = (8, 16, 24, 32, 48, 64)
_BLOCKS = (2, 4, 8, 16)
NEVER_H = 1e9
MIN_PER_H = 60.0
_OWN = ("permit_from_h", "permit_until_h", "starts_per_year", "planned_outage", "gas_usd_per_mmbtu")


def units_of(sources: Sequence[Source], money: Mapping[str, float]) -> tuple[Units, Blocks]:
    """All units in merit order, padded to a bucket; where there are more than fit, equal ones are lumped together."""
    kinds = []
    for index, source in enumerate(sources):
        field = f"power.sources[{index}]"
        count = checked(f"{field}.n_units", number(source, "n_units", 1.0), 0, 1e5)
        if source.get("kind") != "solar" and count:
            kinds.append((_figures(source, field, money), int(count), index))
    lumps = [1] * len(kinds)
    while sum(math.ceil(count / lump) for (_, count, _), lump in zip(kinds, lumps, strict=True)) > _ROWS[-1]:
        most = max(range(len(kinds)), key=lambda place: math.ceil(kinds[place][1] / lumps[place]))
        lumps[most] *= 2
    columns: list[dict[str, float]] = []
    for (kind, count, index), lump in zip(kinds, lumps, strict=True):
        for first in range(0, count, lump):
            size = min(lump, count - first)
            scaled = {name: kind[name] * size for name in (*_SCALED, "n_machines")}
            columns.append(kind | scaled | {"key": index * 4096 + first} | _planned(kind, index, first))
    columns.sort(key=_block_key)
    groups = sorted({_block_key(each) for each in columns})
    n_blocks = bucket(len(groups), "power.sources", _BLOCKS)
    n_rows = bucket(len(columns), "power.sources", _ROWS)
    place = [groups.index(_block_key(each)) for each in columns]
    first_of = [columns[place.index(block)] for block in range(len(groups))]
    return _rows(columns, place, n_rows), _blocks(first_of, place, n_blocks, n_rows)


def _block_key(unit: Mapping[str, float]) -> tuple[float, ...]:
    """Units that agree in this are equal; cheapest first."""
    return (round(unit["usd_per_mwh"], 3), *(round(unit[name], 6) for name in _FIELDS_OF_BLOCK))


def _rows(columns: Sequence[Mapping[str, float]], place: Sequence[int], n_rows: int) -> Units:
    arrays = {name: np.zeros(n_rows, np.float32) for name in _FIELDS_OF_UNIT}
    for name in arrays:
        arrays[name][: len(columns)] = [each[name] for each in columns]
    arrays["mtbf_h"][len(columns) :] = NEVER_H
    key = np.arange(n_rows, dtype=np.uint32) + np.uint32(1 << 30)
    key[: len(columns)] = [int(each["key"]) for each in columns]
    block = np.full(n_rows, -1, np.int32)
    block[: len(columns)] = place
    bit = _bits(np.eye(n_rows, dtype=bool))
    earlier = np.tril(np.ones((n_rows, n_rows), bool), -1) & (block[:, None] == block[None, :])
    floats = {name: jnp.asarray(array) for name, array in arrays.items()}
    return Units(
        key=jnp.asarray(key),
        block=jnp.asarray(block),
        bit=jnp.asarray(bit.T),
        ahead=jnp.asarray(_bits(earlier).T),
        **floats,
    )


def _blocks(firsts: Sequence[Mapping[str, float]], place: Sequence[int], n_blocks: int, n_rows: int) -> Blocks:
    arrays = {name: np.zeros(n_blocks, np.float32) for name in _FIELDS_OF_BLOCK}
    for name in arrays:
        arrays[name][: len(firsts)] = [each[name] for each in firsts]
    arrays["usd_per_mwh"][len(firsts) :] = 1e6
    belongs = np.zeros((n_blocks, n_rows), bool)
    for row, block in enumerate(place):
        belongs[block, row] = True
    floats = {name: jnp.asarray(array) for name, array in arrays.items()}
    return Blocks(members=jnp.asarray(_bits(belongs).T), **floats)


def _bits(flags: np.ndarray) -> np.ndarray:
    """Rows of flags as words of 32 bits, shape (rows, words)."""
    n_words = -(-flags.shape[1] // 32)
    padded = np.zeros((flags.shape[0], n_words * 32), np.uint64)
    padded[:, : flags.shape[1]] = flags
    weights = np.uint64(1) << np.arange(32, dtype=np.uint64)
    packed: np.ndarray = (padded.reshape(-1, n_words, 32) * weights).sum(axis=2).astype(np.uint32)
    return packed


_FIELDS_OF_UNIT = tuple(name for name in Units.__dataclass_fields__ if name not in ("key", "block", "bit", "ahead"))
_FIELDS_OF_BLOCK = tuple(name for name in Blocks.__dataclass_fields__ if name != "members")
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
