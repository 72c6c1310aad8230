"""What the power plant tells of one tick."""

from dataclasses import dataclass

import jax

from macrohard.colossus.units import Scalar


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class PlantReading:
    """MW of one tick, positive when it feeds the site.

    unit_mw: of each unit, shape (blocks, width). limit_mw: the load that supply could reach, battery above
    its reserve included. capped_mw: demand less load. surplus_mw: forced below minimum load or down-ramp.
    nox_raw: as if no unit had a catalyst. energy_usd: fuel, grid, and the rest is operation. grid_peak_mw: highest draw
    of this month so far. n_units_up, n_units_out, n_starts: machines that carry load, are out of order, begin to start.
    battery_binds_mw, battery_binds_mwh: 1 where load was held down although the battery gave all it may at full load:
    as much as its power, or its energy above the reserve, allowed.
    """

    load_mw: Scalar
    unit_mw: jax.Array
    grid_mw: Scalar
    turbine_mw: Scalar
    solar_mw: Scalar
    battery_mw: Scalar
    battery_loss_mw: Scalar
    unserved_mw: Scalar
    capped_mw: Scalar
    surplus_mw: Scalar
    curtailed_solar_mw: Scalar
    limit_mw: Scalar
    installed_mw: Scalar
    soc: Scalar
    residual_mw: Scalar
    fuel_mmbtu_per_h: Scalar
    co2_t_per_h: Scalar
    nox_kg_per_h: Scalar
    nox_raw_kg_per_h: Scalar
    fuel_usd_per_h: Scalar
    grid_usd_per_h: Scalar
    energy_usd_per_h: Scalar
    n_units_up: Scalar
    n_units_out: Scalar
    n_starts: Scalar
    grid_peak_mw: Scalar
    battery_binds_mw: Scalar
    battery_binds_mwh: Scalar
