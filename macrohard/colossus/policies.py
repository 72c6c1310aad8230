"""Policies of the plant. Dispatch: what the battery may do beyond bridging, how much of the grid is used, what reserve
units hold. Deferral: when work that can wait does so.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp

from macrohard.colossus.units import Scalar


class View(NamedTuple):
    """What a policy is told. Battery figures are at the meter, in MW for this tick; above_mw is above its reserve.

    lasting_mw: what it can keep up for the time a bridge takes. refill_mw: charging that fills it from reserve in a few
    hours. grid_usd_per_mwh: now; cheap and dear: the price's lower and upper quartile over the day. largest_mw: the
    largest running unit. bridge_mw: what battery and idle grid can stand in for while a unit starts. peak_mw: grid draw
    to stay under.
    """

    load_mw: Scalar
    contract_mw: Scalar
    soc: Scalar
    reserve: Scalar
    above_mw: Scalar
    room_mw: Scalar
    lasting_mw: Scalar
    refill_mw: Scalar
    largest_mw: Scalar
    bridge_mw: Scalar
    grid_usd_per_mwh: Scalar
    cheap_usd_per_mwh: Scalar
    dear_usd_per_mwh: Scalar
    peak_mw: Scalar


class Orders(NamedTuple):
    """What a policy answers, MW: grid draw it allows while supply is not short, charging, discharge of its own accord,
    spinning reserve that running units must hold beside the load.
    """

    grid_mw: Scalar
    charge_mw: Scalar
    discharge_mw: Scalar
    spinning_mw: Scalar


Policy = Callable[[View], Orders]


def follow(view: View) -> Orders:
    """Sources follow the load; the battery bridges what they cannot reach, and refills from what they can spare."""
    urgent = jnp.where(view.soc < view.reserve, view.room_mw, view.refill_mw)
    return Orders(
        grid_mw=view.contract_mw,
        charge_mw=jnp.minimum(urgent, view.room_mw),
        discharge_mw=0.0 * view.soc,
        spinning_mw=jnp.maximum(view.largest_mw - view.bridge_mw, 0.0),
    )


def reserve(view: View) -> Orders:
    """The battery is kept full and counts for nothing: running units hold the loss of the largest of them."""
    return follow(view)._replace(charge_mw=view.room_mw, spinning_mw=view.largest_mw)


def peak_shave(view: View) -> Orders:
    """Grid draw stays under peak_mw: the battery gives what lies above, down to its reserve, and refills from below."""
    return follow(view)._replace(grid_mw=jnp.minimum(view.contract_mw, view.peak_mw))


def price_following(view: View) -> Orders:
    """The battery fills in the cheapest quarter of the day's prices and empties to its reserve in the dearest.

    Towards the reserve it gives ever less, so that the grid can take over within its ramp.
    """
    spread = view.dear_usd_per_mwh > view.cheap_usd_per_mwh
    cheap = spread & (view.grid_usd_per_mwh <= view.cheap_usd_per_mwh)
    dear = spread & (view.grid_usd_per_mwh >= view.dear_usd_per_mwh)
    usual = follow(view)
    waits = jnp.where(spread & (view.soc > view.reserve), 0.0, usual.charge_mw)
    return usual._replace(
        charge_mw=jnp.where(dear, 0.0, jnp.where(cheap, view.room_mw, waits)),
        discharge_mw=jnp.where(dear, jnp.minimum(view.lasting_mw, view.load_mw), 0.0),
    )


POLICIES: dict[str, Policy] = {
    "follow": follow,
    "reserve": reserve,
    "peak_shave": peak_shave,
    "price_following": price_following,
}


class Pinch(NamedTuple):
    """What a deferral is told of the tick that ends. power_share: of the demand that the cap left. battery_mw: what

    the Megapacks gave. full_mw: what they could, new. dear_usd_per_mwh: price from which the grid is dear.
    """

    power_share: Scalar
    soc: Scalar
    reserve: Scalar
    battery_mw: Scalar
    full_mw: Scalar
    grid_usd_per_mwh: Scalar
    dear_usd_per_mwh: Scalar


Deferral = Callable[[Pinch], Scalar]
"""1 where tickets of low priority shall wait in the next tick, else 0."""


def never(pinch: Pinch) -> Scalar:
    """All work is taken as it comes."""
    return jnp.zeros_like(jnp.asarray(pinch.power_share, jnp.float32))


def short(pinch: Pinch) -> Scalar:
    """Work waits while GPUs are capped, or Megapacks are down to their reserve."""
    empty = (pinch.full_mw > 0) & (pinch.soc <= pinch.reserve)
    return jnp.where((pinch.power_share < 1) | empty, 1.0, 0.0)


def battery(pinch: Pinch) -> Scalar:
    """Work waits as soon as Megapacks have to help: they keep their charge for what cannot wait."""
    helps = pinch.battery_mw > 1e-3 * pinch.full_mw
    return jnp.maximum(short(pinch), jnp.where(helps, 1.0, 0.0))


def dear(pinch: Pinch) -> Scalar:
    """Work waits while the grid costs the threshold or more."""
    return jnp.where(pinch.grid_usd_per_mwh >= pinch.dear_usd_per_mwh, 1.0, 0.0)


DEFERRALS: dict[str, Deferral] = {"never": never, "short": short, "battery": battery, "dear": dear}
