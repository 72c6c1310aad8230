"""The inputs of a building site, from the table of sites or scaled to a scenario. Sources: data/buildout_*."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class Supply:
    """Equal units that feed the site, in the order in which they are counted on; mw is of one unit."""

    kind: str
    mw: float
    n_units: int = 1


@dataclass(frozen=True)
class Published:
    """A date in the press, in days from the start, by which a milestone was reached.

    fitted: a scale of the model was set by it. mw: of IT; 0: all.
    """

    milestone: str
    days: float
    fitted: bool
    source: str
    mw: float = 0.0


@dataclass(frozen=True)
class Site:
    """What is built, by whom and how. crews by trade; advance_days: ordered so long before the start."""

    name: str
    start: date
    shell: str
    cooling: str
    acceptance: str
    shift: str
    cooling_mw: float
    site_mw: float
    n_gpus: int
    gpus_per_rack: int
    n_megapacks: int
    n_batches: int
    sources: tuple[Supply, ...]
    crews: Mapping[str, int]
    advance_days: Mapping[str, float]
    published: tuple[Published, ...] = ()
    scenario: str = ""

    def known(self, milestone: str, *, whole: bool) -> tuple[Published, ...]:
        """What was published of a milestone: of the whole site, or of parts of it."""
        return tuple(each for each in self.published if each.milestone == milestone and (each.mw == 0) == whole)

    @property
    def source_mw(self) -> float:
        """All sources together, MW."""
        return sum(each.n_units * each.mw for each in self.sources)


@cache
def _document() -> dict[str, Any]:
    return tomllib.loads(files("macrohard").joinpath("data", "buildout_sites.toml").read_text(encoding="utf-8"))


def site_names() -> tuple[str, ...]:
    """The sites of the table."""
    return tuple(_document()["sites"])


def site_named(name: str) -> Site:
    """A site of the table, by its own name or that of its bundled scenario."""
    for key, row in _document()["sites"].items():
        if name in (key, row["scenario"]):
            rest = {each: row[each] for each in row if each not in ("sources", "published")}
            return Site(
                name=key,
                sources=tuple(Supply(**each) for each in row["sources"]),
                published=tuple(Published(**each) for each in row["published"]),
                **rest,
            )
    raise ValueError(f"site: no site {name!r}; choose from {', '.join(site_names())}")


def days_per_crew_day(shift: str) -> float:
    """Calendar days that a crew needs for 8 productive hours under a shift pattern."""
    shifts = _document()["shifts"]
    if shift not in shifts:
        raise ValueError(f"shift: no pattern {shift!r}; choose from {', '.join(shifts)}")
    return float(7 * 8 / (shifts[shift]["hours_per_week"] * shifts[shift]["productivity"]))


def resized(like: Site, name: str, start: date, n_gpus: int, it_mw: float, site_mw: float, gpus_per_rack: int,
            n_megapacks: int, sources: tuple[Supply, ...]) -> Site:  # fmt: skip
    """A site of another size, built the way that `like` is: same crews, shifts, shell and orders in advance."""
    return replace(
        like, name=name, start=start, n_gpus=n_gpus, cooling_mw=it_mw, site_mw=site_mw, gpus_per_rack=gpus_per_rack,
        n_megapacks=n_megapacks, sources=sources, published=(), scenario=name,
    )  # fmt: skip
