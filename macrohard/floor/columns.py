"""Tables as one matrix of 32-bit words: a table's row is read or written in one gather or scatter, not in thirty.

A table is a dataclass whose fields are its columns and whose field types say how a word is read: float, int or bool.
"""

from dataclasses import fields
from typing import TypeVar

import jax
import jax.numpy as jnp
import numpy as np

T = TypeVar("T")

Real = jax.Array
"""A column of float32."""
Whole = jax.Array
"""A column of int32."""
Flag = jax.Array
"""A column of booleans."""


def kinds(table: type[T]) -> dict[str, str]:
    """Kind of word of each column ("Real", "Whole" or "Flag"), in order."""
    return {field.name: str(field.type) for field in fields(table)}  # type: ignore[arg-type]


def place(table: type[T], name: str) -> int:
    """Number of a column."""
    return list(kinds(table)).index(name)


def pack(row: object, axis: int) -> jax.Array:
    """The columns of a table as words, stacked along an axis; columns have or broadcast to one shape."""
    words = {name: _to_word(getattr(row, name), kind) for name, kind in kinds(type(row)).items()}
    shape = jnp.broadcast_shapes(*(word.shape for word in words.values()))
    return jnp.stack([jnp.broadcast_to(word, shape) for word in words.values()], axis=axis)


def unpack(table: type[T], words: jax.Array | np.ndarray, axis: int) -> T:
    """The columns of a matrix of words, which lie along an axis (0 or -1)."""
    of_kind = kinds(table)
    columns = {
        name: _from_word(words[number] if axis == 0 else words[..., number], kind)
        for number, (name, kind) in enumerate(of_kind.items())
    }
    return table(**columns)


def _to_word(column: jax.Array, kind: str) -> jax.Array:
    if kind == "Real":
        return jax.lax.bitcast_convert_type(jnp.asarray(column, jnp.float32), jnp.int32)
    return jnp.asarray(column).astype(jnp.int32)


def _from_word(word: jax.Array | np.ndarray, kind: str) -> jax.Array | np.ndarray:
    if isinstance(word, np.ndarray):  # on the host, where a whole table is read after a run
        return word.view(np.float32) if kind == "Real" else word.astype(bool) if kind == "Flag" else word
    if kind == "Real":
        return jax.lax.bitcast_convert_type(word, jnp.float32)
    return word != 0 if kind == "Flag" else word
