"""The sections of a scenario: every key with its type, range, default and meaning."""

from macrohard.scenario.sections.money import Economics
from macrohard.scenario.sections.section import Section
from macrohard.scenario.sections.site import Build, Call, Cluster, Megapack, Model, Power, Serving, Source, Training
from macrohard.scenario.sections.work import (
    Backlog,
    Capability,
    Kinds,
    Quality,
    Ratios,
    Run,
    Tokens,
    WallRatios,
    Workforce,
)

__all__ = [
    "Backlog",
    "Build",
    "Call",
    "Capability",
    "Cluster",
    "Economics",
    "Kinds",
    "Megapack",
    "Model",
    "Power",
    "Quality",
    "Ratios",
    "Run",
    "Section",
    "Serving",
    "Source",
    "Tokens",
    "Training",
    "WallRatios",
    "Workforce",
]
