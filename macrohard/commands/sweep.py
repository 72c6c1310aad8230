"""`macrohard sweep plan|run|status|merge`: experiments of many runs."""

import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from macrohard.commands.arguments import JsonOption, figures
from macrohard.guard import FAILED_RUNS, MISSED, say

app = typer.Typer(no_args_is_help=True, help="Run experiments of many runs; resumable, on many cores.")

ExperimentArgument = Annotated[Path, typer.Argument(help="An experiment: a TOML file.")]
SweepArgument = Annotated[Path, typer.Argument(help="An experiment (a TOML file), or the folder of its sweep.")]
OutOption = Annotated[Path | None, typer.Option(help="Folder of the sweep; runs/NAME if left out.")]
JobsOption = Annotated[int | None, typer.Option(min=1, max=4096, help="Worker processes; one per core if left out.")]


@app.command()
def plan(experiment: ExperimentArgument, jobs: JobsOption = None, json_: JsonOption = False) -> None:
    """Say what an experiment needs, before anything starts: points, runs, time, memory and disk."""
    from macrohard.sweeps.estimate import estimate

    needs = estimate(_design(experiment), jobs)
    if json_:
        print(json.dumps(needs.to_dict(), indent=2))
    else:
        print(needs)


@app.command()
def run(
    experiment: ExperimentArgument,
    out: OutOption = None,
    jobs: JobsOption = None,
    engine: Annotated[Literal["local", "ray"], typer.Option(help="Where runs run.")] = "local",
    address: Annotated[str, typer.Option(help="Ray: address of a running cluster; none: a private one.")] = "",
    shard: Annotated[str, typer.Option(metavar="I/N", help="Only this part of the runs; then `sweep merge`.")] = "1/1",
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try runs that failed again.")] = False,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(metavar="TEST", help="Exit 3 if it holds in any run.", autocompletion=figures),
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Run what is missing of an experiment; killed at any moment, the same command goes on."""
    from macrohard.report.quantity import counted
    from macrohard.sweeps.execute import execute
    from macrohard.sweeps.progress import shown
    from macrohard.targets import target

    targets = [target(text) for text in fail_on or []]
    part = _shard(shard)
    design, folder = _design(experiment), _folder(experiment, out)
    chosen = None
    if address and engine != "ray":
        from macrohard.faults import Fault, ScenarioError

        raise ScenarioError([Fault("", "--address", address, "is of a Ray cluster", "add --engine ray")])
    if engine == "ray":
        from macrohard.sweeps.ray_engine import RayEngine

        chosen = RayEngine(address, jobs)
    with shown(design.experiment.name) as told:
        outcome = execute(
            design, folder, _version(), jobs=jobs, engine=chosen, shard=part, retry_failed=retry_failed,
            columns=[each.key for each in targets], told=told,
        )  # fmt: skip
    print_document(outcome.to_dict() | _page(outcome, part), json_)
    if outcome.out_of_budget:
        say(f"the budget is spent; the same command goes on with {counted(outcome.missing, 'run')} that are left")
    missed = _missed(outcome.out, targets)
    for line in missed:
        say(line)
    if missed:
        raise typer.Exit(MISSED)
    if outcome.failed:
        say(f"{counted(outcome.failed, 'run')} failed: see {outcome.out / 'failed'}; --retry-failed tries again")
        raise typer.Exit(FAILED_RUNS)


@app.command()
def status(experiment: SweepArgument, out: OutOption = None, json_: JsonOption = False) -> None:
    """Say how far a sweep has come, or the shards of a job array that are not merged yet; it may be running."""
    from macrohard.report.quantity import counted
    from macrohard.sweeps.standing import standing

    found = standing(experiment if experiment.is_dir() else _folder(experiment, out))
    errors = found.pop("errors")
    print_document(found | ({"errors": errors} if json_ else {}), json_)
    if not json_:
        for error, n in Counter(errors.values()).most_common():
            print(f"{counted(n, 'run')} failed: {error}")


@app.command()
def merge(experiment: ExperimentArgument, out: OutOption = None, json_: JsonOption = False) -> None:
    """Bring the shards of a job array together."""
    from macrohard import reproducibility
    from macrohard.report.quantity import counted
    from macrohard.sweeps.merging import merge as merged

    outcome = merged(_design(experiment), _folder(experiment, out), _version(), reproducibility.mode())
    print_document(outcome.to_dict() | _page(outcome), json_)
    if outcome.missing:
        of = f"{outcome.missing:,} of {counted(outcome.runs, 'run')}"
        say(f"{of} are missing: start the tasks again that were to run them")
    if outcome.failed:
        raise typer.Exit(FAILED_RUNS)


def _page(outcome: Any, shard: tuple[int, int] = (1, 1)) -> dict[str, str]:
    """Writes the page of a sweep beside its results, as far as it has come: where; a part of a job array gets none."""
    if shard != (1, 1):
        return {}
    from macrohard.sweeps.paging import write_sweep_page

    return {"page": str(write_sweep_page(outcome.out))}


def _design(experiment: Path) -> Any:
    from macrohard.sweeps.design import lay_out
    from macrohard.sweeps.experiment import Experiment

    return lay_out(Experiment.load(experiment), _version())


def _folder(experiment: Path, out: Path | None) -> Path:
    from macrohard.sweeps.experiment import Experiment

    return out or Path("runs", Experiment.load(experiment).name)


def _version() -> str:
    from macrohard.results.summary import RESULTS_VERSION

    return RESULTS_VERSION


def _shard(text: str) -> tuple[int, int]:
    from macrohard.faults import Fault, ScenarioError

    first, _, second = text.partition("/")
    if first.isdecimal() and second.isdecimal() and len(text) < 12 and 1 <= int(first) <= int(second):
        return int(first), int(second)
    raise ScenarioError([Fault("--shard", "I/N", text, "allowed: I/N with 1 <= I <= N", "write it like 3/16")])


def _missed(folder: Path, targets: list[Any]) -> list[str]:
    from macrohard.report.quantity import counted
    from macrohard.sweeps.stored import table

    if not targets:
        return []
    rows = table(folder)
    rows = rows[rows["status"] == "done"]
    lines = []
    for each in targets:
        if each.key not in rows:
            each.figure(dict.fromkeys(map(str, rows.columns), 0.0))  # says what was meant
        n, n_blank = sum(map(each.holds_for, rows[each.key])), int(rows[each.key].isna().sum())
        if n or n_blank:
            blank = f", and {n_blank:,} have no value, which counts as if it held" if n_blank else ""
            lines.append(f"--fail-on {each}: holds in {n:,} of {counted(len(rows), 'run')}{blank}")
    return lines


def print_document(document: dict[str, Any], json_: bool) -> None:
    """A line for each entry, or all of it as JSON."""
    if json_:
        print(json.dumps(document, indent=2))
        return
    for name, value in document.items():
        print(f"{name:14}{value:.4g}" if isinstance(value, float) else f"{name:14}{value}")
