"""Checkpoints of a long run: its state beside the folder of results, whole or not there, gone when the run is done."""

import os
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import jax
import numpy as np

from macrohard.floor.state import State
from macrohard.results.summary import RESULTS_VERSION
from macrohard.scenario import Scenario
from macrohard.store import run_id

EVERY_S = 30.0
"""A state is kept when the last one is this old."""


@dataclass
class Checkpoint:
    """Where the state of a run is kept between chunks."""

    path: Path
    run_id: str
    kept_at: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, out: Path, scenario: Scenario) -> "Checkpoint":
        """The checkpoint of the run that will be written to `out`."""
        return cls(out.parent / f".{out.name}.checkpoint.npz", run_id(RESULTS_VERSION, scenario))

    def keep(self, state: State, at_once: bool = False) -> None:
        """Writes the state if the last one kept is old enough, or at once."""
        if not at_once and time.monotonic() - self.kept_at < EVERY_S:
            return
        leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(state)]
        temporary = self.path.with_suffix(".part")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            np.savez(file, *leaves, run_id=np.array(self.run_id))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.path)
        self.kept_at = time.monotonic()

    def restored(self, opening: State) -> State:
        """The state last kept of this very run, else the opening."""
        leaves, tree = jax.tree.flatten(opening)
        try:
            with np.load(self.path, allow_pickle=False) as kept:
                if str(kept["run_id"]) != self.run_id:
                    return opening
                found = [kept[f"arr_{n}"] for n in range(len(leaves))]
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
            return opening
        if any(a.shape != b.shape or a.dtype != b.dtype for a, b in zip(found, leaves, strict=True)):
            return opening
        state: State = jax.tree.unflatten(tree, [jax.numpy.array(leaf) for leaf in found])
        return state

    def forget(self) -> None:
        """Removes what was kept: the run is done."""
        self.path.unlink(missing_ok=True)
