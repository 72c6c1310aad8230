"""How plant and cooling were run so far: what a run says of its units, and of what bound Megapacks and chillers.

Whole numbers of ticks, or of units times ticks, so that a year of them adds up exactly.
"""

from dataclasses import dataclass, fields

import jax
import jax.numpy as jnp

from macrohard.colossus.plant_reading import PlantReading
from macrohard.colossus.units import Scalar


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Operation:
    """Of generating units: starts, ticks carrying load, ticks out of order. Ticks in which the battery was asked for
    all it had and was held by its power or by its energy, and in which cooling held GPUs back. Ticks of chillers out.
    """

    n_starts: Scalar
    unit_ticks_up: Scalar
    unit_ticks_out: Scalar
    battery_ticks_mw: Scalar
    battery_ticks_mwh: Scalar
    cooling_ticks: Scalar
    chiller_ticks_out: Scalar


def none_yet() -> Operation:
    """Before the first tick."""
    return Operation(*[jnp.int32(0)] * len(fields(Operation)))


def noted(so_far: Operation, plant: PlantReading, cooling_binds: Scalar, n_chillers_out: Scalar) -> Operation:
    """With one tick more."""
    tick = Operation(
        n_starts=plant.n_starts,
        unit_ticks_up=plant.n_units_up,
        unit_ticks_out=plant.n_units_out,
        battery_ticks_mw=plant.battery_binds_mw,
        battery_ticks_mwh=plant.battery_binds_mwh,
        cooling_ticks=cooling_binds,
        chiller_ticks_out=n_chillers_out,
    )
    after: Operation = jax.tree.map(lambda sum_, each: sum_ + jnp.asarray(each).astype(jnp.int32), so_far, tick)
    return after
