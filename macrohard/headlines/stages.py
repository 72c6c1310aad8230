"""The three stages of Colossus 2 that the claims are about."""

from macrohard.runs import Result
from macrohard.scenario import Scenario

STAGES = {"colossus2-phase1": "110,000 GPUs", "colossus2-full": "550,000 GPUs", "colossus2-1m": "1,000,000 GPUs"}
WARMUP_H = 24.0


def stage(name: str, hours: float) -> Scenario:
    """A bundled scenario over so many hours, at most the first half of them warm-up."""
    warmup = min(WARMUP_H, hours / 2)
    return Scenario.load(name, [f"run.horizon_h={hours}", f"run.warmup_h={warmup}"], environment={})


def mean_load_mw(result: Result) -> float:
    """What the site drew after the warm-up."""
    return float(result.summary["power"]["load_mean_mw"])
