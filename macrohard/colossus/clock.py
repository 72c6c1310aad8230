"""The time of a tick, as the physical layer reads it."""

from dataclasses import dataclass

import jax

from macrohard.colossus.units import Scalar


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Clock:
    """Hours since the start; hour_of_day [0, 24), day_of_year [0, 365), local; tick and seed key the dice."""

    hour: Scalar
    hour_of_day: Scalar
    day_of_year: Scalar
    tick: Scalar
    seed: Scalar
