"""Lets `python -m macrohard` stand for the command."""

from macrohard.cli import main

main()
