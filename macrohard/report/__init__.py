"""Pictures and words of a finished run: the HTML page, the terminal summary, the story."""

from macrohard.report.cautions import cautions
from macrohard.report.facts import Facts, Result
from macrohard.report.page import page, write_report
from macrohard.report.show import show
from macrohard.report.story import answer
from macrohard.report.terminal import print_summary

__all__ = ["Facts", "Result", "answer", "cautions", "page", "print_summary", "show", "write_report"]
