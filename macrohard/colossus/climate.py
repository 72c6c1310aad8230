"""Outdoor temperature and sunshine by the clock: smooth yearly and daily swings, with a throw per day on top."""

from dataclasses import dataclass
from math import pi

import jax
import jax.numpy as jnp

from macrohard.colossus import dice
from macrohard.colossus.clock import Clock
from macrohard.colossus.once import once
from macrohard.colossus.units import Scalar

_WEATHER, _CLOUDS = 102, 103  # streams of the dice


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Climate:
    """Mean outdoor temperature, half its swing over the year and over the day, and the spread between days, C or K.

    Defaults: Memphis, rounded normals (assumed); day-to-day spread off.
    """

    mean_c: Scalar = 17.0
    season_c: Scalar = 11.5
    day_c: Scalar = 5.0
    spread_c: Scalar = 0.0


def temperature_c(climate: Climate, clock: Clock) -> Scalar:
    """Outdoor temperature: hottest on day 200 (19 July) and at 15 h; days differ by spread_c, midnight to midnight."""
    season = climate.season_c * jnp.cos(2 * pi / 365 * (clock.day_of_year - 200.0))
    day = climate.day_c * jnp.cos(2 * pi / 24 * (clock.hour_of_day - 15.0))
    passed = clock.hour_of_day / 24
    today, next_day = _odd(clock, _WEATHER, 0), _odd(clock, _WEATHER, 1)
    weather = climate.spread_c * (today + (next_day - today) * passed)
    return once(climate.mean_c + season + day + weather)


def _odd(clock: Clock, stream: int, days_on: int) -> jax.Array:
    """A throw of unit variance for the day, uniform: its extremes are what a hot or cold spell brings."""
    day = jnp.floor((clock.hour - clock.hour_of_day) / 24 + 0.5).astype(jnp.int32) + 1 + days_on
    return (dice.uniform(clock.seed, stream, day) - 0.5) * 12**0.5


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Sun:
    """Where the panels stand and how they see the sky.

    latitude_deg: Memphis. clearness and flatten are set so that a year averages 0.25 of the rating, usual for
    single-axis tracking at that latitude (assumed). cloud_share: how far a day's clouds may take off, uniform per day.
    """

    latitude_deg: Scalar = 35.1
    clearness: Scalar = 0.735
    flatten: Scalar = 0.5
    cloud_share: Scalar = 0.0


def sunshine(sun: Sun, clock: Clock) -> Scalar:
    """Output of panels as a share of their rating: clearness * sin(elevation)**flatten, less the day's clouds.

    Declination: Cooper's formula. Tracking makes the day broader than the sine of the elevation, hence the power.
    """
    declination = 23.45 * pi / 180 * jnp.sin(2 * pi / 365 * (clock.day_of_year + 285.0))
    latitude = sun.latitude_deg * pi / 180
    high = jnp.sin(latitude) * jnp.sin(declination)
    swing = jnp.cos(latitude) * jnp.cos(declination)
    elevation = high + swing * jnp.cos(pi / 12 * (clock.hour_of_day - 12.0))
    day = jnp.floor((clock.hour - clock.hour_of_day) / 24 + 0.5).astype(jnp.int32) + 1
    clouds = 1 - sun.cloud_share * dice.uniform(clock.seed, _CLOUDS, day)
    shape = jnp.exp(sun.flatten * jnp.log(jnp.maximum(elevation, 1e-6)))
    return jnp.where(elevation > 0, jnp.minimum(sun.clearness * shape * clouds, 1.0), 0.0)
