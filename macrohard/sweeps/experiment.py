"""An experiment: which scenario, which factors, how many replicates, which figures, and when to stop."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le
from pydantic import StringConstraints, ValidationError

from macrohard.faults import Fault, ScenarioError
from macrohard.names import nearest
from macrohard.scenario import Scenario, toml_text
from macrohard.scenario.fields import allowed, field_at, is_array, takes
from macrohard.scenario.sections.section import Section
from macrohard.sweeps.ranges import Range, of_table

BACKLOG = "backlog.file"
"""The key that names a file."""

MAX_RUNS = 1_000_000
"""An experiment of more runs is refused."""

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")]
Figure = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)+$")]


class Confidence(Section):
    """Stop replicating a point when the 95 % interval of a figure is narrow enough."""

    metric: Figure
    half_width: Annotated[float, Gt(0), Le(10)]
    """Half of the interval as a share of the mean."""
    min_replicates: Annotated[int, Ge(2), Le(10_000)] = 3


class Stop(Section):
    """When there is enough."""

    horizon_h: Annotated[float, Gt(0), Le(1e18)] | None = None
    """Simulated time of each run, h; the same as run.horizon_h."""
    confidence: Confidence | None = None
    budget_h: Annotated[float, Gt(0), Le(1e6)] | None = None
    """Time on the clock after which no run is begun, h; the same command goes on."""


class _Form(Section):
    name: Name
    scenario: Annotated[str, StringConstraints(min_length=1, max_length=4096)] = "laptop"
    about: Annotated[str, StringConstraints(max_length=1000)] = ""
    design: Literal["grid", "zip", "lhs", "sobol", "table"] = "grid"
    points: Annotated[int, Ge(1), Le(MAX_RUNS)] | None = None
    replicates: Annotated[int, Ge(1), Le(100_000)] = 10
    seed: Annotated[int, Ge(0), Le(2**32 - 1)] | None = None
    metrics: tuple[Figure, ...] = ("work.tickets_done",)
    series: bool = False
    stop: Stop = Stop()
    set: dict[str, Any] = {}
    factors: dict[str, Any] = {}
    table: tuple[dict[str, Any], ...] = ()


class Experiment(_Form):
    """What is to be run. Make one with `load`, `parse` or `of`: they refuse what cannot be run."""

    @classmethod
    def load(cls, path: str | Path) -> "Experiment":
        """An experiment from a TOML file; scenario and backlog files named in it lie beside it."""
        path = Path(path)
        tree = toml_text.read(path)
        stem = path.stem.replace("_", "-")
        if isinstance(tree, dict):
            _refuse_scenario(tree, path)
            tree.setdefault("name", stem if stem[:1].isalnum() else "experiment")
            named = tree.get("scenario")
            if isinstance(named, str) and named.endswith(".toml"):
                tree["scenario"] = _beside(path, named)
            _anchor_backlogs(tree, path)
        return cls.of(tree, str(path))

    @classmethod
    def parse(cls, text: str, place: str = "text") -> "Experiment":
        """An experiment from TOML text."""
        return cls.of(toml_text.parse(text.encode(errors="surrogateescape"), place), place)

    @classmethod
    def of(cls, tree: Mapping[str, Any], place: str = "experiment") -> "Experiment":
        """An experiment from a dictionary of the form of the file; ScenarioError names every fault."""
        try:
            made = cls.model_validate({key: tuple(v) if isinstance(v, list) else v for key, v in tree.items()})
        except ValidationError as error:
            raise ScenarioError([_fault(place, each) for each in error.errors(include_url=False)]) from None
        faults = [*_faults_of_keys(made, place), *_faults_of_design(made, place)]
        if faults:
            raise ScenarioError(faults)
        return made

    @property
    def ranges(self) -> dict[str, Range]:
        """The factors of a sampled design."""
        return {key: of_table(value) for key, value in self.factors.items() if isinstance(value, Mapping)}

    @property
    def levels(self) -> dict[str, tuple[Any, ...]]:
        """The factors that are lists, each with its values."""
        return {key: tuple(value) for key, value in self.factors.items() if isinstance(value, list | tuple)}

    def to_dict(self) -> dict[str, Any]:
        """All of it, as it can be kept and given to `of` again."""
        return self.model_dump(exclude_none=True)


def _beside(path: Path, named: Any) -> Any:
    """The absolute path of a file named in the file at `path`; anything else as it is."""
    return str(path.absolute().parent / named) if isinstance(named, str) and named and named.isprintable() else named


def _anchor_backlogs(tree: dict[str, Any], path: Path) -> None:
    rows = tree.get("table")
    for given in (tree.get("set"), tree.get("factors"), *(rows if isinstance(rows, list) else [])):
        if isinstance(given, dict) and BACKLOG in given:
            named = given[BACKLOG]
            given[BACKLOG] = (
                [_beside(path, each) for each in named] if isinstance(named, list) else _beside(path, named)
            )


def _refuse_scenario(tree: Mapping[str, Any], path: Path) -> None:
    own = [key for key in Scenario.model_fields if key in tree]
    if own:
        remedy = f"run it with `macrohard run {path}`, or name it in an experiment: scenario = {path.name!r}"
        told = "is a section of scenarios; allowed here: an experiment"
        raise ScenarioError([Fault(str(path), own[0], None, told, remedy, has_value=False)])


def takes_whole(key: str) -> bool:
    """Whether a scenario key takes whole numbers alone."""
    field = field_at(Scenario, _path(key))
    return field is not None and takes(field, int) and not takes(field, float)


def _path(key: str) -> tuple[str | int, ...]:
    return tuple(int(part) if part.isdecimal() and len(part) < 7 else part for part in key.split("."))


def _faults_of_keys(made: "Experiment", place: str) -> list[Fault]:
    """Keys that no scenario has; whether the values fit is seen when the scenarios are made."""
    faults = []
    rows = [("table", key) for row in made.table for key in row]
    for where, key in [("set", k) for k in made.set] + [("factors", k) for k in made.factors] + list(set(rows)):
        path = _path(key)
        field = field_at(Scenario, path) if len(path) > 1 and "" not in path else None
        if field is None:
            near = nearest(key, _known())
            meant = f"did you mean {near!r}?" if near else "see `macrohard schema`; dotted keys stand in quotes"
            faults.append(Fault(place, f"{where}.{key}", None, "no such key of a scenario", meant, has_value=False))
        elif key == "run.seed" and where != "set":
            remedy = "replicates draw their own seeds: set seed and replicates instead"
            faults.append(Fault(place, f"{where}.{key}", None, "is no factor", remedy, has_value=False))
        elif where == "factors" and key in made.set:
            faults.append(Fault(place, f"set.{key}", None, "is a factor too", "take one of them out", has_value=False))
    return faults


def _faults_of_design(made: "Experiment", place: str) -> list[Fault]:
    faults = []
    sampled = made.design in ("lhs", "sobol")
    for key, value in made.factors.items():
        if sampled:
            if not isinstance(value, Mapping) or (wrong := of_table(value).fault()) is not None:
                what = wrong if isinstance(value, Mapping) else "is no range"
                faults.append(
                    Fault(
                        place, f"factors.{key}", value, f"{what}; allowed: {{low = A, high = B, log = false}}", "A < B"
                    )
                )
            field = field_at(Scenario, _path(key))
            if field is not None and not (takes(field, float) or takes(field, int)):
                faults.append(Fault(place, f"factors.{key}", value, "is no number to draw", "use a grid or a table"))
        elif not isinstance(value, list | tuple) or not value:
            faults.append(Fault(place, f"factors.{key}", value, "allowed: a list of values", f"as {made.design} wants"))
    lengths = {key: len(values) for key, values in made.levels.items()}
    if made.design == "zip" and len(set(lengths.values())) > 1:
        faults.append(Fault(place, "factors", lengths, f"lists of equal length for zip, not {lengths}", "make them so"))
    if sampled and made.points is None:
        faults.append(Fault(place, "points", None, "is missing; how many are to be drawn", "add it", has_value=False))
    if made.points is not None and not sampled:
        what = f"is of lhs and sobol; {made.design} has the points of its lists"
        faults.append(Fault(place, "points", made.points, what, "take it out, or choose one of those designs"))
    if made.stop.horizon_h is not None and "run.horizon_h" in {
        *made.set,
        *made.factors,
        *(k for r in made.table for k in r),
    }:
        what = "is run.horizon_h, which is set, too"
        faults.append(Fault(place, "stop.horizon_h", made.stop.horizon_h, what, "take one of them out"))
    if (made.design == "table") != bool(made.table) or (made.table and made.factors):
        remedy = "give [[table]] rows and no [factors] with design = 'table', and only there"
        faults.append(Fault(place, "table", None, "does not fit the design", remedy, has_value=False))
    if len({frozenset(row) for row in made.table}) > 1:
        faults.append(Fault(place, "table", None, "rows of other keys", "give each the same keys", has_value=False))
    n_points = made.points or 1
    if made.design == "grid":
        n_points = 1
        for n in lengths.values():
            n_points *= n
    if n_points * made.replicates > MAX_RUNS:
        what = f"{n_points * made.replicates:.3g} runs; allowed: at most {MAX_RUNS:,}"
        faults.append(Fault(place, "factors", None, what, "use fewer levels or design = 'lhs'", has_value=False))
    return faults


def _known() -> list[str]:
    from macrohard.scenario.fields import dotted, leaves

    return [dotted(path) for path, field in leaves(Scenario) if not is_array(field)]


def _fault(place: str, error: Any) -> Fault:
    loc, kind = error["loc"], error["type"]
    key = ".".join(str(part) for part in loc)
    if kind == "extra_forbidden":
        near = nearest(str(loc[-1]), Experiment.model_fields)
        meant = f"did you mean {near}?" if near else "take it out"
        known = ", ".join(Experiment.model_fields)
        return Fault(place, key, error["input"], f"no such key; allowed: {known}", meant)
    if kind == "missing":
        return Fault(place, key, None, "is missing", "add it", has_value=False)
    if key == "name":
        what = "allowed: letters and digits, after the first '.', '_' and '-', too; at most 80"
        return Fault(place, key, error["input"], what, 'add a name = "..." like that; left out, it is that of the file')
    if loc[0] == "metrics" and len(loc) > 1:
        what = "is no figure; allowed: one of `macrohard run --json`"
        return Fault(place, "metrics", error["input"], what, "write it like work.tickets_done")
    field = field_at(Experiment, loc)
    words = error["msg"] if field is None else allowed(field)
    return Fault(place, key, error["input"], f"allowed: {words}", "write it as allowed")
