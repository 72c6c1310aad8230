"""A power plant from plain numbers and the tables of machines. Host side; faults name field, value, remedy."""

from collections.abc import Mapping, Sequence

import jax.numpy as jnp
import numpy as np

from macrohard.colossus.battery import battery_of
from macrohard.colossus.climate import Sun
from macrohard.colossus.emissions import BTU_PER_KWH_OF_CO2_FIGURE, Prices
from macrohard.colossus.policies import DEFERRALS, POLICIES
from macrohard.colossus.powerplant import Plant, Rules
from macrohard.colossus.supply import Grid, Solar
from macrohard.colossus.tables import checked
from macrohard.colossus.units_builder import MIN_PER_H, NEVER_H, Source, bucket, number, units_of

_NOTICE_H = 0.5  # LPM 2024-11-10, TVA's agreement with xAI: 30 minutes
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
    deferral: str = "never",
    defer_above_usd_per_mwh: float = 1e9,
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
    if deferral not in DEFERRALS:
        raise ValueError(f"power.deferral: no policy {deferral!r}; choose from {', '.join(DEFERRALS)}")
    money = {**_ECONOMICS, **(economics or {})}
    price = money.get("grid_usd_per_mwh", 62.0) if grid_usd_per_mwh is None else grid_usd_per_mwh
    prices = np.broadcast_to(np.asarray(price, np.float32), 24)
    contract = checked("power.grid_mw", grid_mw, 0.0, 1e7)
    units, blocks = units_of(sources, money)
    usual = rules or Rules()
    quartiles = np.quantile(prices, (0.25, 0.75))
    return Plant(
        units=units,
        blocks=blocks,
        grid=_grid(contract, grid_ramp_mw_per_min, prices, curtailment),
        solar=_solar(sources, sun),
        battery=battery_of(**(megapack or {})),  # type: ignore[arg-type]
        prices=Prices(
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
            defer_above_usd_per_mwh=defer_above_usd_per_mwh,
        ),
        dispatch=dispatch,
        deferral=deferral,
    )


def _grid(
    contract_mw: float, ramp_mw_per_min: float | None, prices: np.ndarray, calls: Sequence[tuple[float, float, float]]
) -> Grid:
    ramp = 0.1 * contract_mw if ramp_mw_per_min is None else ramp_mw_per_min  # assumed; no public figure found
    rows = [(NEVER_H, NEVER_H, 0.0)] * (bucket(len(calls), "power.curtailment", (0, 4, 8, 16, 32, 64, 128, 256)))
    for index, (hour, hours, mw) in enumerate(calls):
        rows[index] = (hour, hour + hours, checked(f"power.curtailment[{index}].mw", mw))
    begins, ends, less = jnp.asarray(np.asarray(rows, np.float32).reshape(-1, 3).T)
    ramp_mw_per_h = checked("power.grid_ramp_mw_per_min", ramp) * MIN_PER_H
    return Grid(contract_mw, ramp_mw_per_h, jnp.asarray(prices), begins, ends, less, _NOTICE_H)


def _solar(sources: Sequence[Source], sun: Sun | None) -> Solar | None:
    fields = [(f"power.sources[{index}]", each) for index, each in enumerate(sources) if each.get("kind") == "solar"]
    for field, each in fields:
        if each.get("p_nom_mw") is None:
            raise ValueError(f"{field}.p_nom_mw: missing; give the rating of one unit of solar in MW")
    rating = sum(
        checked(f"{field}.p_nom_mw", number(each, "p_nom_mw", 0.0)) * number(each, "n_units", 1.0)
        for field, each in fields
    )
    return Solar(rating, sun or Sun(), _SOLAR_OM) if rating else None
