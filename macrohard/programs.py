"""Compiled programs kept in memory: let go before a long session runs out of memory maps."""

import gc
from pathlib import Path

import jax

MANY_MAPS = 30_000
"""Linux lets a process have 65,530 memory maps (vm.max_map_count). A compiled tick takes some 2,000 of them, and XLA
aborts the process when there are none left: after some thirty layouts of a notebook, a dashboard or a search."""

_MAPS = Path("/proc/self/maps")


def make_room() -> None:
    """Drops all compiled programs if they are many; those still needed come back from the cache on disk."""
    if _MAPS.exists() and _MAPS.read_bytes().count(b"\n") > MANY_MAPS:
        jax.clear_caches()  # type: ignore[no-untyped-call]
        gc.collect()
