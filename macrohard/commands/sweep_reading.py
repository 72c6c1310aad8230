"""`macrohard replay`, `export`, `compare`, `sensitivity`, `map` and `frontier`: what is in a sweep."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from macrohard.commands.arguments import JsonOption, figures, folders
from macrohard.commands.sweep import ExperimentArgument, JobsOption, OutOption, print_document
from macrohard.guard import FAILED_RUNS, MISSED, say

FolderArgument = Annotated[Path, typer.Argument(help="The folder of a sweep.")]
AcrossArgument = Annotated[str, typer.Argument(metavar="X", help="A factor: across.")]
UpArgument = Annotated[str, typer.Argument(metavar="Y", help="Another: down.")]


def replay(
    run_id: Annotated[str, typer.Argument(help="A run of a sweep, as plan.parquet has it.")],
    folder: Annotated[Path, typer.Option("--in", help="The folder of the sweep.")],
    json_: JsonOption = False,
) -> None:
    """Run one run of a sweep again and compare its digest; exit 3 if it differs."""
    from macrohard.sweeps.merging import replay as replayed

    found = replayed(run_id, folder)
    print_document(found, json_)
    if not found["equal"]:
        raise typer.Exit(MISSED)


EXPORTED = {".csv": "csv", ".nc": "netcdf"}
"""Formats by the ending of the file."""


def export(
    folder: FolderArgument,
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    format_: Annotated[
        Literal["csv", "netcdf"] | None, typer.Option("--format", help="That of the ending if left out.")
    ] = None,
) -> None:
    """Write plan and results of a sweep as one CSV or netCDF file."""
    from macrohard.faults import Fault, ScenarioError
    from macrohard.outbox import check_file
    from macrohard.report.quantity import counted
    from macrohard.sweeps.merging import export as exported

    check_file(file)
    kind = EXPORTED.get(file.suffix)
    allowed = [ending for ending, each in EXPORTED.items() if format_ in (None, each)]
    if kind is None or file.suffix not in allowed:
        fault = Fault("", str(file), None, f"allowed: {' or '.join(allowed)}", "choose that ending", has_value=False)
        raise ScenarioError([fault])
    print(f"{file}: {counted(exported(folder, file, kind), 'run')}")


def compare(
    a: Annotated[
        str, typer.Argument(help="The folder of a run or of a sweep, or FOLDER#POINT.", autocompletion=folders)
    ],
    b: Annotated[str, typer.Argument(help="Another.", autocompletion=folders)],
    metric: Annotated[
        list[str] | None,
        typer.Option(help="Figures to compare; the usual ones if left out.", autocompletion=figures),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="PAGE.html", help="Write it as a page, too.")] = None,
    json_: JsonOption = False,
) -> None:
    """Compare two runs, sweeps or points, run by run: differences with their intervals, in words or as a page."""
    from macrohard.outbox import check_file
    from macrohard.report.quantity import plain
    from macrohard.store import to_json
    from macrohard.sweeps.comparing import compare as compared
    from macrohard.sweeps.comparing import told_otherwise

    if out is not None:
        check_file(out)
    found = compared(a, b, metric)
    if out is not None:
        from macrohard.sweeps.paging import write_comparison_page

        say(f"the page: {write_comparison_page(a, b, out, metric)}")
    if json_:
        print(to_json([each.to_dict() for each in found]))
    else:
        for key, (of_a, of_b) in told_otherwise(a, b).items():
            print(f"{key}: {plain(of_a)} in A, {plain(of_b)} in B")
        print("\n".join(str(each) for each in found))
        if any(each.n == 1 for each in found):
            print("One pair of runs has no interval: chance and effect cannot be told apart; points of a sweep can be.")


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
    from macrohard.report.quantity import counted
    from macrohard.report.study_page import study_page
    from macrohard.results.summary import RESULTS_VERSION
    from macrohard.store import to_json
    from macrohard.sweeps.design import lay_out
    from macrohard.sweeps.execute import execute
    from macrohard.sweeps.experiment import Experiment
    from macrohard.sweeps.paging import study_of, write_sweep_page
    from macrohard.sweeps.progress import shown
    from macrohard.sweeps.sensitivity import indices, sampled, tornado

    asked = Experiment.load(experiment)
    chosen = sampled(asked, method, n)
    folder = out or Path("runs", chosen.name)
    with shown(chosen.name) as told:
        outcome = execute(lay_out(chosen, RESULTS_VERSION), folder, RESULTS_VERSION, jobs=jobs, told=told)
    if outcome.failed:
        page = write_sweep_page(folder)
        say(f"{counted(outcome.failed, 'run')} failed, and indices need them all: see {page}")
        raise typer.Exit(FAILED_RUNS)
    found = indices(asked, folder, method, n)
    command = f"macrohard sensitivity {experiment} --method {method} --n {n} --out {folder}"
    study = study_of(folder, indices=found, method=method, command=command)
    write_page(study_page(study), folder / "report.html")
    if json_:
        print(to_json([each.to_dict() for each in found]))
    else:
        print("\n".join(tornado(found, metric, method) for metric in asked.metrics))


def map_(
    folder: FolderArgument,
    x: AcrossArgument,
    y: UpArgument,
    metric: Annotated[list[str] | None, typer.Option(help="Figures; those of the experiment if left out.")] = None,
    json_: JsonOption = False,
) -> None:
    """Tabulate the mean of a figure over two factors of a sweep."""
    from macrohard.sweeps.stored import manifest, table
    from macrohard.sweeps.two_factors import heat_map

    names = metric or list((manifest(folder) or {})["experiment"]["metrics"])
    rows = table(folder)
    _tables({name: heat_map(rows, name, x, y) for name in names}, json_)


def frontier(
    folder: FolderArgument,
    x: AcrossArgument,
    y: UpArgument,
    hold: Annotated[list[str], typer.Option(metavar="TEST", help="What must hold, e.g. 'power.unserved_mwh<=0'.")],
    share: Annotated[float, typer.Option(min=0.0, max=1.0, help="In at least this share of a point's runs.")] = 1.0,
    json_: JsonOption = False,
) -> None:
    """Tabulate for each level of X from where to where in Y conditions hold."""
    from macrohard.sweeps.stored import table
    from macrohard.sweeps.two_factors import frontier as frontier_of

    _tables({f"{y} where {' and '.join(hold)}": frontier_of(table(folder), hold, x, y, least_share=share)}, json_)


def _tables(tables: dict[str, Any], json_: bool) -> None:
    if json_:
        print(json.dumps({name: json.loads(each.to_json(orient="split")) for name, each in tables.items()}, indent=2))
        return
    for name, each in tables.items():
        print(f"{name}\n{each.to_string(na_rep='-', float_format=lambda value: f'{value:,.4g}')}\n")
