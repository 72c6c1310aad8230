"""The command line: parses, calls one function of the package, prints. Heavy imports wait until they are needed."""

import atexit
import gc
import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from macrohard.commands import results, sweep_reading
from macrohard.commands import sweep as sweeps
from macrohard.commands.arguments import ExplainOption, JsonOption, ScenarioArgument, SetOption, figures
from macrohard.commands.build_out import build_out
from macrohard.commands.converge import converge
from macrohard.commands.dashboard import dashboard
from macrohard.commands.examples import epilog
from macrohard.commands.fit_roles import fit_roles
from macrohard.commands.headlines import headlines
from macrohard.commands.init import init
from macrohard.commands.reliability import reliability
from macrohard.commands.size import size
from macrohard.commands.swings import swings
from macrohard.commands.trace import trace
from macrohard.commands.validate import validate
from macrohard.guard import INTERRUPTED, MISSED, OUR_FAULT, Guarded, leave_at_once, say, stoppable
from macrohard.names import DEFAULT_SCENARIO

GARBAGE_EVERY = 50_000
"""New objects between looks for garbage: with Python's 700 a start spends a tenth of its time on looking in vain."""

app = typer.Typer(
    cls=Guarded,
    help="Simulate an AI software factory: tickets, agents, tokens, GPUs, megawatts.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command()(init)
app.command()(converge)
app.command()(dashboard)
app.command()(validate)
app.command()(trace)
app.command()(fit_roles)
app.command()(results.show)
app.command()(results.report)
app.add_typer(sweeps.app, name="sweep")
for _reading in (sweep_reading.replay, sweep_reading.export, sweep_reading.compare, sweep_reading.sensitivity):
    app.command()(_reading)
app.command("map")(sweep_reading.map_)
app.command()(sweep_reading.frontier)
app.command("build-out")(build_out)
app.command()(headlines)
app.command()(swings)
app.command()(reliability)
app.command()(size)


def main() -> None:
    """The command `macrohard`.

    It leaves when all exit functions have run: to take Python and JAX apart object by object costs half a second.
    """
    code = OUR_FAULT
    atexit.register(lambda: leave_at_once(code))  # the first to come is called last
    gc.set_threshold(GARBAGE_EVERY)
    try:
        app(prog_name="macrohard")
    except SystemExit as end:
        if end.code == INTERRUPTED:
            leave_at_once(INTERRUPTED)
        code = end.code if isinstance(end.code, int) else OUR_FAULT
        raise


@app.command()
def run(
    scenario: ScenarioArgument = DEFAULT_SCENARIO,
    set_: SetOption = None,
    hours: Annotated[float | None, typer.Option(help="Simulated hours (run.horizon_h).")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the dice (run.seed).")] = None,
    replicates: Annotated[int, typer.Option(min=1, max=10_000, help="Runs with seeds of their own.")] = 1,
    uncertain: Annotated[
        bool,
        typer.Option("--uncertain", help="Draw the parameters too, from their errors and ranges; 40 runs if not said."),
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for the results; runs/NAME-ID if left out.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace another run that --out holds.")] = False,
    json_: JsonOption = False,
    explain: ExplainOption = False,
    fast: Annotated[
        bool, typer.Option("--fast", help="15-40 % faster; results may differ in their last bits.")
    ] = False,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(metavar="TEST", help="Exit 3 if it holds, e.g. 'power.unserved_mwh>0'.", autocompletion=figures),
    ] = None,
) -> None:
    """Run one scenario: what gets done, on how many GPU-hours and megawatt-hours, and what held it back."""
    from macrohard import reproducibility
    from macrohard.targets import target

    if fast:
        reproducibility.allow_fused()
    targets = [target(text) for text in fail_on or []]
    chosen = _loaded(scenario, set_, hours, seed)
    if explain:
        _explain(chosen, to_stderr=json_)
    with stoppable():
        from macrohard import runs, store
        from macrohard.results.summary import RESULTS_VERSION

        folder = out if out or json_ else Path("runs", f"{chosen.name}-{store.run_id(RESULTS_VERSION, chosen)}")
        if folder is not None:
            store.check_out(folder)
            if not force:
                store.refuse_another(folder, RESULTS_VERSION, chosen)
        if targets:
            figures = runs.first_tick(chosen).summary  # so that a key nobody knows is refused before the run
            for each in targets:
                each.figure(figures)
        with _progress(chosen.name) as progress:
            result = runs.run(
                chosen,
                out=folder,
                replicates=replicates,
                uncertain=uncertain,
                progress=progress,
                notice=lambda words: say(f"{chosen.name} {words}"),
                command=_command(),
            )
    if json_:
        print(store.to_json(result.summary))
    else:
        from rich.console import Console

        from macrohard.report import print_summary

        print_summary(result, Console())
        if "replicates" in result.summary:
            from macrohard.report.spread import print_spread

            print_spread(result.summary["replicates"], Console())
        print(f"Next       macrohard show {folder}\n           macrohard init mine.toml --from-questions")
    if result.is_partial:
        say(f"interrupted; the result is that of the ticks done. The same command goes on from there: {_command()}")
        raise typer.Exit(INTERRUPTED)
    missed = [each for each in targets if each.is_missed(result.summary)]
    for each in missed:
        say(f"--fail-on {each}: the figure is {each.figure(result.summary):g}")
    if missed:
        raise typer.Exit(MISSED)


@app.command()
def scenarios(json_: JsonOption = False) -> None:
    """List the bundled scenarios."""
    from macrohard.scenario import bundled

    found = bundled()
    if json_:
        print(json.dumps(found, indent=2, ensure_ascii=False))
        return
    width = max(len(name) for name in found)
    for name, about in found.items():
        print(f"{name:{width}}  {about}{'  (default)' if name == DEFAULT_SCENARIO else ''}")


@app.command()
def check(
    file: ScenarioArgument, set_: SetOption = None, explain: ExplainOption = False, json_: JsonOption = False
) -> None:
    """Check a scenario: every fault in one go, and what a run of it will ask for."""
    chosen = _loaded(file, set_)
    from macrohard.results.outlook import outlook

    found = outlook(chosen)
    if json_:
        keys = {key: {"value": value, "origin": origin} for key, value, origin in chosen.explain()}
        print(json.dumps(found.document() | ({"keys": keys} if explain else {}), indent=2, ensure_ascii=False))
        return
    if explain:
        _explain(chosen, to_stderr=False)
    print("\n".join([f"{file}: in order", *found.lines()]))


@app.command()
def schema(
    markdown: Annotated[bool, typer.Option("--markdown", help="As a document for people.")] = False,
) -> None:
    """Print the JSON schema of a scenario file."""
    from macrohard.scenario import Scenario
    from macrohard.scenario.reference import markdown as reference

    if markdown:
        print(reference(), end="")
    else:
        print(json.dumps(Scenario.model_json_schema(), indent=2, ensure_ascii=False))


@app.command()
def doctor(json_: JsonOption = False) -> None:
    """Show versions, devices and caches, and what stands in the way of a run."""
    from macrohard.doctor import examine

    report = examine()
    problems = report["problems"]
    if json_:
        print(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        for name, value in report.items():
            text = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
            if name != "problems":
                print(f"{name:14}{', '.join(text) if isinstance(text, list) else text}")
        print(
            "\n".join(f"problem: {each}" for each in problems)
            if isinstance(problems, list) and problems
            else "all well"
        )
    if problems:
        raise typer.Exit(OUR_FAULT)


def _loaded(scenario: str, set_: list[str] | None, hours: float | None = None, seed: int | None = None) -> Any:
    from macrohard.scenario import Scenario
    from macrohard.scenario.settings import Setting

    flags = [("run.horizon_h", hours, "--hours"), ("run.seed", seed, "--seed")]
    settings = [Setting(key, str(value), origin) for key, value, origin in flags if value is not None]
    return Scenario.load(scenario, [*(set_ or []), *settings])


def _explain(scenario: Any, *, to_stderr: bool) -> None:
    rows = scenario.explain()
    width = max(len(key) for key, _, _ in rows)
    for key, value, origin in rows:
        print(f"{key:{width}}  {value}  ({origin})", file=sys.stderr if to_stderr else sys.stdout)


@contextmanager
def _progress(name: str) -> Iterator[Any]:
    """A function that takes the share done, behind a bar on standard error; None where that is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=1.0)
        yield lambda share: bar.update(task, completed=share)


def _command() -> str:
    """This command as it was typed."""
    return shlex.join(["macrohard", *sys.argv[1:]])


for _group, _before in ((app, ""), (sweeps.app, "sweep ")):
    for _info in _group.registered_commands:
        _name = _info.name or (_info.callback.__name__ if _info.callback else "")
        _info.epilog = epilog(_before + _name.replace("_", "-"))
