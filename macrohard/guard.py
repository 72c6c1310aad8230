"""What went wrong in a command, as a line for people on standard error and an exit code for scripts."""

import os
import shlex
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

OUR_FAULT, USAGE, MISSED, FAILED_RUNS, STORE, INTERRUPTED = 1, 2, 3, 4, 5, 130
"""Exit codes beside 0."""


FIRST = ("run", "scenarios", "init", "check", "show", "report", "sweep")
"""Commands that --help lists first: those of the first hour."""


class Guarded(TyperGroup):
    """Turns what went wrong into a line for people and an exit code for scripts."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of the commands, those of the first hour first."""
        return sorted(super().list_commands(ctx), key=lambda name: (*FIRST, name).index(name))

    def invoke(self, ctx: Any) -> Any:
        """Runs the command; a scenario's faults exit with 2, the store's with 5, Ctrl-C with 130, our own with 1."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            say(f"interrupted; to run it again: macrohard {shlex.join(sys.argv[1:])}")
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(OUR_FAULT) from None
        except ImportError as error:
            say(f"a package is missing: {error}; `macrohard doctor` says more")
            raise typer.Exit(OUR_FAULT) from error
        except Exception as error:
            code = _exit_code(error)
            if code is None:
                raise
            say(str(error) if code != OUR_FAULT else _confession(error))
            raise typer.Exit(code) from None


def say(text: str) -> None:
    """A line for people, on standard error."""
    print(text, file=sys.stderr)


@contextmanager
def stoppable() -> Iterator[None]:
    """While open, Ctrl-C ends the process there and then: raised in an import or a compilation it may be swallowed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        say(f"interrupted; to run it again: macrohard {shlex.join(sys.argv[1:])}")
        leave_at_once(INTERRUPTED)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def leave_at_once(code: int) -> None:
    """Ends the process without tearing it down: JAX's threads, interrupted while they compile, may crash in that."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # closed, or never there
            stream.flush()
    os._exit(code)


def _exit_code(error: Exception) -> int | None:
    """The code of an error by its kind; None for those of the command line's own parser."""
    kinds = {each.__name__ for each in type(error).__mro__}
    if "ScenarioError" in kinds:
        return USAGE
    if "StoreError" in kinds:
        return STORE
    return None if {"ClickException", "Exit", "Abort"} & kinds else OUR_FAULT


def _confession(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(last.filename).name}:{last.lineno}"
    if os.environ.get("MACROHARD_DEBUG") == "1":
        return "".join(traceback.format_exception(error))
    return f"our fault: {type(error).__name__}: {error} ({where}); MACROHARD_DEBUG=1 tells the whole story"
