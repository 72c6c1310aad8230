"""Everything a run needs, from TOML to values checked at the door: keys, ranges, contradictions, sizes, origins."""

from macrohard.scenario.scenario import Scenario, bundled, source_text

__all__ = ["Scenario", "bundled", "source_text"]
