"""`macrohard init`: a commented scenario to start from, as one is or as six answers make it."""

import os
import re
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from macrohard.commands.arguments import SetOption, scenarios
from macrohard.guard import say


def init(
    file: Annotated[Path, typer.Argument(help="The TOML file to write.")],
    scenario: Annotated[
        str, typer.Option("--from", help="The scenario to start from.", autocompletion=scenarios)
    ] = "laptop",
    set_: SetOption = None,
    from_questions: Annotated[
        bool, typer.Option("--from-questions", help="Ask six questions; Enter takes what is proposed.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write a commented scenario with every key, to be changed."""
    from macrohard.scenario import Scenario
    from macrohard.scenario.reference import commented

    name = re.sub(r"[^A-Za-z0-9._-]", "-", file.stem)[:80].lstrip("._-") or "own"
    if os.path.lexists(file) and not force:
        raise _refused(file, "is there already")
    if not file.absolute().parent.is_dir():
        raise _refused(file, "No such folder")
    remarks: list[str] = []
    if from_questions:
        from macrohard import interview

        answers = interview.asked(*_desk())
        chosen = interview.scenario_of(answers, name)
        remarks = list(interview.remarks(answers, chosen))
        chosen = chosen.override(set_ or [])
    else:
        chosen = Scenario.load(scenario, [f"run.name='{name}'", *(set_ or [])], environment={})
    text = commented(chosen, file.name, remarks)
    try:
        with file.open("w" if force else "x", encoding="utf-8") as opened:
            opened.write(text)
    except OSError as error:
        raise _refused(file, error.strerror or "cannot be written") from None
    print("\n".join([f"{file}: written", *(f"  {remark}" for remark in remarks)]))
    print(f"Next: macrohard check {file}    (what a run will ask for)\n      macrohard run {file}")


def _desk() -> tuple[Any, Any]:
    """How a question is put and how an answer is refused: to a person again and again, to a pipe once."""
    if sys.stdin.isatty():
        return _typed, lambda error: say(str(error))
    return _piped, None


def _typed(prompt: str) -> str:
    try:
        return input(prompt)
    except EOFError:
        raise KeyboardInterrupt from None  # Ctrl-D leaves as Ctrl-C does


def _piped(prompt: str) -> str:
    answer = sys.stdin.readline()
    print(f"{prompt}{answer.strip()}")
    return answer


def _refused(file: Path, what: str) -> Exception:
    from macrohard.faults import Fault, ScenarioError

    remedy = "name another file, or replace it with --force" if file.is_file() else "check the folder and its rights"
    return ScenarioError([Fault(str(file), "", None, what, remedy, has_value=False)])
