"""From the host to the device. A plain copy: `jnp.float32(1)` or `jnp.ones(3)` would each compile a program."""

import jax
import numpy as np


def on_device(values: np.ndarray | np.generic) -> jax.Array:
    """The same values as a device array."""
    array: jax.Array = jax.device_put(values)
    return array


def real(value: float) -> jax.Array:
    """A float32."""
    return on_device(np.float32(value))


def whole(value: int) -> jax.Array:
    """An int32."""
    return on_device(np.int32(value))
