"""Seeds of further runs of one scenario: every way of repeating a run meets the same luck."""

import numpy as np


def replicate_seed(seed: int, replicate: int) -> int:
    """Seed of a replicate, equal at all points of a sweep: the scenario's own for the first, else spawned."""
    if replicate == 0:
        return seed
    return int(np.random.SeedSequence([seed, replicate]).generate_state(1)[0])
