"""`macrohard sweep plan|run|status|merge`, `replay` and `export`: experiments of many runs."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from macrohard.guard import FAILED_RUNS, MISSED, say

app = typer.Typer(no_args_is_help=True, help="Run experiments of many runs; resumable, on many cores.")

ExperimentArgument = Annotated[Path, typer.Argument(help="An experiment: a TOML file.")]
OutOption = Annotated[Path | None, typer.Option(help="Folder of the sweep; runs/NAME if left out.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, nothing else there.")]
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
    fail_on: Annotated[list[str] | None, typer.Option(metavar="TEST", help="Exit 3 if it holds in any run.")] = None,
    json_: JsonOption = False,
) -> None:
    """Run what is missing of an experiment; killed at any moment, the same command goes on."""
    from macrohard.sweeps.execute import execute
    from macrohard.targets import target

    targets = [target(text) for text in fail_on or []]
    part = _shard(shard)
    design, folder = _design(experiment), _folder(experiment, out)
    chosen = None
    if engine == "ray":
        from macrohard.sweeps.ray_engine import RayEngine

        chosen = RayEngine(address, jobs)
    with _progress(design.experiment.name) as told:
        outcome = execute(
            design, folder, _version(), jobs=jobs, engine=chosen, shard=part, retry_failed=retry_failed, told=told
        )
    _page(outcome, part)
    _print(outcome.to_dict(), json_)
    if outcome.out_of_budget:
        say("the budget is spent; the same command goes on with what is left")
    missed = _missed(outcome.out, targets)
    for line in missed:
        say(line)
    if missed:
        raise typer.Exit(MISSED)
    if outcome.failed:
        say(f"{outcome.failed} runs failed: see {outcome.out / 'failed'}; --retry-failed tries them again")
        raise typer.Exit(FAILED_RUNS)


@app.command()
def status(experiment: ExperimentArgument, out: OutOption = None, json_: JsonOption = False) -> None:
    """Say how far a sweep has come; it may be running."""
    from macrohard.sweeps.storage import manifest, table

    folder = _folder(experiment, out)
    manifest(folder)
    rows = table(folder, ["wall_s"]).drop_duplicates("run_id")
    counts = {each: int((rows["status"] == each).sum()) for each in ("done", "failed", "missing")}
    failed = rows.loc[rows["status"] == "failed", "run_id"].tolist()
    errors = {each: json.loads((folder / "failed" / f"{each}.json").read_bytes())["error"] for each in failed}
    document = {"out": str(folder), "runs": len(rows), **counts, "cpu_s": float(rows["wall_s"].sum()), "errors": errors}
    _print(document, json_)


@app.command()
def merge(experiment: ExperimentArgument, out: OutOption = None, json_: JsonOption = False) -> None:
    """Bring the shards of a job array together."""
    from macrohard import reproducibility
    from macrohard.sweeps.merging import merge as merged

    outcome = merged(_design(experiment), _folder(experiment, out), _version(), reproducibility.mode())
    _page(outcome)
    _print(outcome.to_dict(), json_)
    if outcome.failed:
        raise typer.Exit(FAILED_RUNS)


def replay(
    run_id: Annotated[str, typer.Argument(help="A run of a sweep, as plan.parquet has it.")],
    folder: Annotated[Path, typer.Option("--in", help="The folder of the sweep.")],
    json_: JsonOption = False,
) -> None:
    """Run one run of a sweep again and compare its digest; exit 3 if it differs."""
    from macrohard.sweeps.merging import replay as replayed

    found = replayed(run_id, folder)
    _print(found, json_)
    if not found["equal"]:
        raise typer.Exit(MISSED)


def export(
    folder: Annotated[Path, typer.Argument(help="The folder of a sweep.")],
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    format_: Annotated[Literal["csv", "netcdf"], typer.Option("--format")] = "csv",
) -> None:
    """Write plan and results of a sweep as one CSV or netCDF file."""
    from macrohard.sweeps.merging import export as exported

    print(f"{file}: {exported(folder, file, format_)} runs")


def compare(
    a: Annotated[str, typer.Argument(help="A sweep's folder, or FOLDER#POINT.")],
    b: Annotated[str, typer.Argument(help="Another.")],
    metric: Annotated[
        list[str] | None, typer.Option(help="Figures to compare; those of the experiment if left out.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="PAGE.html", help="Write it as a page, too.")] = None,
    json_: JsonOption = False,
) -> None:
    """Compare two sweeps, or two points, run by run: differences with their intervals, in words or as a page."""
    from macrohard.sweeps.comparing import compare as compared

    found = compared(a, b, metric)
    if out is not None:
        from macrohard.sweeps.paging import write_comparison_page

        say(f"the page: {write_comparison_page(a, b, out, metric)}")
    if json_:
        print(json.dumps([each.to_dict() for each in found], indent=2))
    else:
        print("\n".join(str(each) for each in found))


def sensitivity(
    experiment: ExperimentArgument,
    method: Annotated[
        Literal["morris", "sobol"], typer.Option(help="Screening, or shares of the variance.")
    ] = "morris",
    n: Annotated[int, typer.Option("--n", min=2, max=100_000, help="Trajectories, or base points (a power of 2).")] = 8,
    out: OutOption = None,
    jobs: JobsOption = None,
    json_: JsonOption = False,
) -> None:
    """Run what an analysis of the experiment's ranges needs, and say which factors matter, with intervals."""
    from macrohard.report.paper import write_page
    from macrohard.report.study_page import study_page
    from macrohard.sweeps.design import lay_out
    from macrohard.sweeps.execute import execute
    from macrohard.sweeps.experiment import Experiment
    from macrohard.sweeps.paging import study_of
    from macrohard.sweeps.sensitivity import indices, sampled, tornado

    asked = Experiment.load(experiment)
    chosen = sampled(asked, method, n)
    folder = out or Path("runs", chosen.name)
    with _progress(chosen.name) as told:
        execute(lay_out(chosen, _version()), folder, _version(), jobs=jobs, told=told)
    found = indices(asked, folder, method, n)
    write_page(study_page(study_of(folder, indices=found, method=method)), folder / "report.html")
    if json_:
        print(json.dumps([each.to_dict() for each in found], indent=2))
    else:
        print("\n".join(tornado(found, metric) for metric in asked.metrics))


def _page(outcome: Any, shard: tuple[int, int] = (1, 1)) -> None:
    """The page of a sweep beside its results, as far as it has come; a part of a job array gets none."""
    if shard == (1, 1):
        from macrohard.sweeps.paging import write_sweep_page

        say(f"the page: {write_sweep_page(outcome.out)}")


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
    from macrohard.sweeps.storage import table

    if not targets:
        return []
    rows = table(folder)
    rows = rows[rows["status"] == "done"]
    lines = []
    for each in targets:
        figures = [{each.key: row} for row in rows[each.key]] if each.key in rows else [{}][: len(rows)]
        n = sum(each.is_missed(figure) for figure in figures)
        if n:
            lines.append(f"--fail-on {each}: holds in {n} of {len(rows)} runs")
    return lines


def _print(document: dict[str, Any], json_: bool) -> None:
    if json_:
        print(json.dumps(document, indent=2))
        return
    for name, value in document.items():
        print(f"{name:14}{value}")


@contextmanager
def _progress(name: str) -> Iterator[Callable[[Any], None]]:
    """A bar with the time left on a terminal, a JSON line per report elsewhere; both on standard error."""
    if not sys.stderr.isatty():

        def line(at: Any) -> None:
            told = {"done": at.done, "failed": at.failed, "runs": at.runs, "eta_s": at.eta_s, "error": at.error}
            print(json.dumps({"time": round(time.time(), 1)} | told), file=sys.stderr, flush=True)

        yield line
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[left]}"))
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=None, left="")

        def update(at: Any) -> None:
            left = "" if at.eta_s is None else f"about {at.eta_s / 60:.0f} min left"
            bar.update(task, total=at.runs, completed=at.done + at.failed, left=left)
            if at.error:
                bar.console.print(f"failed: {at.error}", markup=False)

        yield update
