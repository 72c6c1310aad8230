"""A block of Megapacks at the site's meter: what it can give and take, and what that does to its store.

Power is positive when it feeds the site. State of charge (soc) is a share of the present, faded energy.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from macrohard.colossus.tables import numbers, row_named
from macrohard.colossus.units import H_PER_YEAR, Scalar


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Battery:
    """Power each way and energy at the terminals when new; efficiencies are one way; fade per year of the new energy.

    reserve: below this soc it works only when supply is short; never below soc_min or above soc_max.
    auxiliary_mw: standing load of controls and thermal management, part of the site's demand.
    """

    power_mw: Scalar
    energy_mwh: Scalar
    efficiency_store: Scalar
    efficiency_dispatch: Scalar
    soc_start: Scalar
    soc_min: Scalar
    soc_max: Scalar
    reserve: Scalar
    fade_per_year: Scalar
    auxiliary_mw: Scalar


def battery_of(
    kind: str = "megapack2xl_4h",
    n_units: float = 0,
    *,
    soc_start: float = 0.90,
    soc_min: float = 0.10,
    soc_max: float = 0.95,
    reserve: float = 0.30,
    **changed: float,
) -> Battery:
    """n_units of a row of data/batteries.csv; changed: other figures of that row (power_mw, energy_mwh, ...)."""
    row = row_named("batteries", kind, "power.megapack.kind")
    figures = numbers(row, changed, "power.megapack")
    if not 0 <= n_units < 1e6:
        raise ValueError(f"power.megapack.n_units: {n_units!r} is not in 0..1e6; give the number of units")
    if not 0 <= soc_min <= soc_max <= 1:
        raise ValueError(f"power.megapack.soc_min: {soc_min!r} and soc_max {soc_max!r} must have 0 <= min <= max <= 1")
    for name, value in (("soc_start", soc_start), ("reserve", reserve)):
        if not soc_min <= value <= soc_max:
            raise ValueError(f"power.megapack.{name}: {value!r} is not in soc_min..soc_max ({soc_min!r}..{soc_max!r})")
    return _block(figures, float(n_units), soc_start, soc_min, soc_max, reserve)


def _block(
    figures: Mapping[str, float], n_units: float, start: float, least: float, most: float, reserve: float
) -> Battery:
    return Battery(
        power_mw=n_units * figures["power_mw"],
        energy_mwh=n_units * figures["energy_mwh"],
        efficiency_store=figures["efficiency_one_way"],
        efficiency_dispatch=figures["efficiency_one_way"],
        soc_start=start,
        soc_min=least,
        soc_max=most,
        reserve=reserve,
        fade_per_year=figures["fade_per_year"],
        auxiliary_mw=n_units * figures["power_mw"] * figures["auxiliary_share"],
    )


def capacity_mwh(battery: Battery, hour: Scalar) -> Scalar:
    """Energy between empty and full, so many hours after the start; fades on a straight line."""
    return battery.energy_mwh * jnp.maximum(1 - battery.fade_per_year * hour / H_PER_YEAR, 0.0)


def above_mwh(battery: Battery, soc: Scalar, floor: Scalar, energy_mwh: Scalar) -> Scalar:
    """What can be delivered at the meter before soc falls to the floor, MWh, at the present capacity."""
    return jnp.maximum(soc - floor, 0.0) * energy_mwh * battery.efficiency_dispatch


def room_mwh(battery: Battery, soc: Scalar, energy_mwh: Scalar) -> Scalar:
    """What can be taken at the meter before soc rises to soc_max, MWh."""
    return jnp.maximum(battery.soc_max - soc, 0.0) * energy_mwh / battery.efficiency_store


def store(battery: Battery, soc: Scalar, power_mw: Scalar, energy_mwh: Scalar, dt_h: Scalar) -> Scalar:
    """State of charge after carrying power_mw for dt_h, held within its bounds against rounding."""
    charge, discharge = jnp.maximum(-power_mw, 0.0), jnp.maximum(power_mw, 0.0)
    flow_mw = charge * battery.efficiency_store - discharge / battery.efficiency_dispatch
    moved = soc + flow_mw * dt_h / jnp.maximum(energy_mwh, 1e-9)
    return jnp.where(energy_mwh > 0, jnp.clip(moved, battery.soc_min, battery.soc_max), soc)


def loss_mw(battery: Battery, power_mw: Scalar) -> Scalar:
    """What conversion takes while power_mw flows at the meter."""
    charge, discharge = jnp.maximum(-power_mw, 0.0), jnp.maximum(power_mw, 0.0)
    return charge * (1 - battery.efficiency_store) + discharge * (1 / battery.efficiency_dispatch - 1)
