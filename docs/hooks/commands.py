"""Makes two pages of the reference: commands from the Typer app, public names from their docstrings."""

from collections.abc import Iterator
from typing import Any

from mkdocs.structure.files import File, Files
from typer.main import get_command

PYTHON = {
    "Run, sweep, look": (
        "macrohard.scenario.Scenario",
        "macrohard.runs.run",
        "macrohard.runs.Result",
        "macrohard.sweeps.sweep",
        "macrohard.sizing.size",
    ),
    "Step by step, with agents": ("macrohard.factory.Factory", "agents.worker.Worker", "agents.work"),
    "The machine beneath": (
        *("macrohard.colossus.serving", "macrohard.colossus.gpu_power", "macrohard.colossus.cluster"),
        *("macrohard.colossus.battery", "macrohard.colossus.powerplant", "macrohard.colossus.site"),
    ),
    "Errors": ("macrohard.faults",),
}


def on_files(files: Files, config: Any) -> Files:
    """The files of the site with both pages beside those of docs/."""
    files.append(File.generated(config, "reference/commands.md", content=commands()))
    files.append(File.generated(config, "reference/python.md", content=python()))
    return files


def commands() -> str:
    """Every command with its usage, arguments and options, as `--help` has them."""
    from macrohard.cli import app

    parts = [
        "# Commands",
        "Made from the program itself; `macrohard COMMAND --help` prints the same. Exit codes: 0 well; 1 our fault; 2 "
        "usage or scenario error; 3 a `--fail-on` target missed; 4 finished with failed runs; 5 store locked or "
        "incompatible; 130 interrupted, and what to type to go on.",
    ]
    for name, command, context in _walk(get_command(app), "macrohard", None):
        usage = " ".join(command.collect_usage_pieces(context))
        parts += [f"## {name}", (command.help or "").replace("\n", "\n\n"), f"```text\n{name} {usage}\n```"]
        rows = [record for each in command.params if (record := each.get_help_record(context)) is not None]
        if rows:
            lines = "".join(f"| `{_cell(left)}` | {_cell(right)} |\n" for left, right in rows)
            parts.append(f"| argument or option | |\n| --- | --- |\n{lines}")
        epilog = getattr(command, "epilog", None)
        if epilog:
            parts.append(f"```text\n{epilog.strip()}\n```")
    return "\n\n".join(parts) + "\n"


def _walk(command: Any, name: str, parent: Any) -> Iterator[tuple[str, Any, Any]]:
    """The commands that do something, depth first, with the context that their help is made in."""
    context = command.context_class(command, info_name=name.split()[-1], parent=parent)
    inner = getattr(command, "commands", None)
    if not inner:
        yield name, command, context
        return
    for each in sorted(inner):
        yield from _walk(inner[each], f"{name} {each}", context)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def python() -> str:
    """Directives for mkdocstrings, which reads the docstrings of the source."""
    parts = [
        "# Python",
        "From the docstrings of the source. Public are the names in `macrohard.__all__` and `agents`; others may move.",
    ]
    for title, names in PYTHON.items():
        parts.append(f"## {title}")
        parts += [f"::: {name}" for name in names]
    return "\n\n".join(parts) + "\n"
