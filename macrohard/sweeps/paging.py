"""Pages of a sweep and of two compared, from their folders: what was planned and what came out, for `report`."""

import itertools
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from macrohard.report.comparison import Comparison
from macrohard.report.comparison_page import comparison_page
from macrohard.report.paper import write_page
from macrohard.report.quantity import plain
from macrohard.report.study import Study
from macrohard.report.study_page import study_page
from macrohard.results.summary import assumptions
from macrohard.scenario import Scenario
from macrohard.sweeps.comparing import compare, pairs_of, told_otherwise
from macrohard.sweeps.experiment import Experiment
from macrohard.sweeps.sensitivity import Index, Method
from macrohard.sweeps.stored import Done, digest_of, manifest, table
from macrohard.sweeps.two_factors import feasible_share, heat_map

CONDITIONS = ("power.unserved_mwh<=0", "power.capped_mwh<=0")
"""What a point is judged by if nothing else is asked: no load is shed, none is capped."""

MAX_PAIRS, MAX_MAPS = 3, 4


def write_sweep_page(folder: Path, out: Path | None = None, conditions: Iterable[str] = ()) -> Path:
    """Writes the page of a sweep that has run in part or whole; its path."""
    return write_page(study_page(study_of(folder, tuple(conditions))), out or folder / "report.html")


def write_comparison_page(a: str, b: str, out: Path, metrics: list[str] | None = None) -> Path:
    """Writes the page of B against A, each a sweep's folder or FOLDER#POINT; its path."""
    quoted = " ".join(f"'{each}'" if "#" in each else each for each in (a, b))
    told = {"Command": f"macrohard compare {quoted} --out {out}", "A": a, "B": b}
    found = Comparison(_short(a), _short(b), compare(a, b, metrics), pairs_of(a, b), told_otherwise(a, b), told)
    return write_page(comparison_page(found), out)


def _short(name: str) -> str:
    folder, _, point = name.partition("#")
    return Path(folder).name + (f", point {point}" if point else "")


def study_of(
    folder: Path,
    conditions: Sequence[str] = (),
    indices: Sequence[Index] = (),
    method: Method | None = None,
    command: str = "",
) -> Study:
    """What a page shows of the sweep in a folder, with the indices of a sensitivity analysis if there are any.

    `command` is what repeats it, if not `sweep run`.
    """
    told = manifest(folder) or {}
    experiment, base = Experiment.of(told["experiment"]), Scenario.parse(told["scenario"], "sweep", [])
    rows = _without_empty_batteries(table(folder), base)
    factors = tuple(factor for factor in told["factors"] if rows[factor].nunique() > 1) or tuple(told["factors"])
    metrics = tuple(metric for metric in experiment.metrics if metric in rows)
    judged = tuple(conditions) or tuple(each for each in CONDITIONS if each.partition("<")[0] in rows)
    pairs = [_wider_first(rows, pair) for pair in itertools.combinations(factors, 2)][:MAX_PAIRS]
    is_analysis = bool(indices)
    return Study(
        name=experiment.name,
        about=experiment.about,
        scenario=base.name,
        design=f"{method} analysis" if method else experiment.design,
        factors=factors,
        metrics=metrics,
        runs=rows,
        maps={}
        if is_analysis
        else {(m, *pair): heat_map(rows, m, *pair) for pair in pairs for m in metrics[:MAX_MAPS]},
        conditions=judged,
        feasible={} if is_analysis or not judged else {pair: feasible_share(rows, judged, *pair) for pair in pairs},
        indices=indices,
        method=method or "",
        failures=_failures(folder),
        assumptions=[(each["name"], plain(each["value"]), each["note"]) for each in assumptions(base)],
        hours=base.run.horizon_h,
        told=_repetition(folder, command, told["version"], told["mode"], rows),
    )


def _without_empty_batteries(rows: pd.DataFrame, base: Scenario) -> pd.DataFrame:
    """The charge of Megapacks that are not there is no figure."""
    n_units = rows.get("power.megapack.n_units", pd.Series(base.power.megapack.n_units, rows.index))
    charge = [str(name) for name in rows if str(name).startswith("power.soc_")]
    return rows.assign(**{name: rows[name].where(n_units > 0) for name in charge})


def _wider_first(rows: pd.DataFrame, pair: tuple[str, str]) -> tuple[str, str]:
    """The two with the factor of more levels first: it goes across."""
    x, y = sorted(pair, key=lambda factor: -rows[factor].nunique())
    return x, y


def _failures(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted((folder / "failed").glob("*.json")):
        found[path.stem] = str(json.loads(path.read_bytes()).get("error", ""))
    return found


def _repetition(folder: Path, command: str, version: str, mode: str, rows: pd.DataFrame) -> dict[str, str]:
    done = rows[rows["status"] == "done"]
    kept = {run: Done("done", digest, None) for run, digest in zip(done["run_id"], done["digest"], strict=True)}
    return {
        "Command": command or f"macrohard sweep run EXPERIMENT.toml --out {folder}",
        "Experiment": f"{folder / 'manifest.json'} holds it whole, with its scenario",
        "One run again": f"macrohard replay {done['run_id'].iloc[0]} --in {folder}" if len(done) else "",
        "Digest": digest_of(kept, kept) if kept else "",
        "Version": f"results {version}, {mode}",
        "Rows": f"{folder / 'runs'}: one a run, with every figure of its summary",
    }
