"""The backlog: epics and tickets as a graph of what needs what, drawn or read from a file. Host side only, no JAX."""

from macrohard.backlog.drawn import generate, size_ratios
from macrohard.backlog.file import COLUMNS, read
from macrohard.backlog.of_scenario import backlog_of
from macrohard.backlog.rows import KINDS, Backlog, graph

__all__ = ["COLUMNS", "KINDS", "Backlog", "backlog_of", "generate", "graph", "read", "size_ratios"]
