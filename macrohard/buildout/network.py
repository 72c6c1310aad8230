"""The network of activities of a site: what there is to do, how long it takes, what must be done before."""

import math
from dataclasses import dataclass
from itertools import product

import networkx as nx

from macrohard.buildout.site import Site, days_per_crew_day
from macrohard.colossus.tables import Row, rows


@dataclass(frozen=True)
class Activity:
    """One box of the network. low, mode, high: calendar days with one crew. is_work: subject to the site's pace."""

    kind: str
    batch: int
    trade: str
    low: float
    mode: float
    high: float
    is_work: bool


def fit() -> dict[str, float]:
    """The fitted scales, by name."""
    return {row["parameter"]: float(row["value"]) for row in rows("buildout_fit")}


def network(site: Site, scales: dict[str, float] | None = None) -> nx.DiGraph:
    """A directed graph without circles: nodes bear an `activity`, arrows a `lag` in days. Batches count from 0."""
    scales = scales or fit()
    graph = nx.DiGraph()
    places: dict[str, list[str]] = {}
    for row in rows("buildout_activities"):
        if not _there(row, site):
            continue
        for batch in range(_count(row, site)):
            activity = _activity(row, site, scales, batch)
            _add(graph, places, activity)
    for milestone, batch in product(("energized", "serving"), range(site.n_batches)):
        _add(graph, places, Activity(milestone, batch, "", 0.0, 0.0, 0.0, False))
    for link in rows("buildout_links"):
        before, after = places.get(link["before"], []), places.get(link["after"], [])
        in_step = link["scope"] == "batch" and len(before) == len(after)
        for one, other in zip(before, after, strict=True) if in_step else product(before, after):
            graph.add_edge(one, other, lag=float(link["lag_days"]))
    for batch, name in enumerate(places["energized"]):
        for unit in _units_for(site, places, site.site_mw * (batch + 1) / site.n_batches):
            graph.add_edge(unit, name, lag=0.0)
    if not nx.is_directed_acyclic_graph(graph):
        raise ValueError("buildout_links: the activities wait for each other in a circle")
    return graph


def generating(site: Site) -> list[tuple[str, float]]:
    """The activity that ends with each generating unit and its MW, in the order they are counted on."""
    found, seen = [], dict.fromkeys((each.kind for each in site.sources), 0)
    for supply in site.sources:
        for _ in range(supply.n_units):
            kind = "grid_connection" if supply.kind == "grid" else supply.kind
            found.append((f"{kind}.{seen[supply.kind]}", supply.mw))
            seen[supply.kind] += 1
    return found


def _units_for(site: Site, places: dict[str, list[str]], need_mw: float) -> list[str]:
    """The generating units that carry so many MW; all of them where they fall short."""
    known = {name for names in places.values() for name in names}
    chosen, carried = [], 0.0
    for name, mw in generating(site):
        if carried >= need_mw - 1e-9:
            break
        chosen.append(name if name in known else f"{name.split('.')[0]}.0")
        carried += mw
    return chosen


def _there(row: Row, site: Site) -> bool:
    key, _, value = row["when"].partition("=")
    if key == "power":
        return any(each.kind == value for each in site.sources)
    if row["kind"].startswith("megapack"):
        return site.n_megapacks > 0
    return not key or getattr(site, key) == value


def _count(row: Row, site: Site) -> int:
    if row["per"] == "site":
        return 1
    if row["per"] == "unit":
        return sum(each.n_units for each in site.sources if each.kind == row["kind"])
    return site.n_batches


def _activity(row: Row, site: Site, scales: dict[str, float], batch: int) -> Activity:
    is_work = row["clock"] == "work"
    size = {
        "mw": site.cooling_mw / site.n_batches,
        "rack": math.ceil(site.n_gpus / site.gpus_per_rack) / site.n_batches,
        "units": site.n_megapacks / site.n_batches,
    }.get(row["per"], 1.0)
    size *= scales[row["fit"]] if row["fit"] else 1.0
    size *= days_per_crew_day(site.shift) if is_work else 1.0
    off = site.advance_days.get(row["advance"], 0.0) if row["advance"] else 0.0
    low, mode, high = (max(0.0, float(row[name]) * size - off) for name in ("low", "mode", "high"))
    return Activity(row["kind"], batch, row["trade"], low, mode, high, is_work)


def _add(graph: nx.DiGraph, places: dict[str, list[str]], activity: Activity) -> None:
    name = f"{activity.kind}.{activity.batch}"
    graph.add_node(name, activity=activity)
    places.setdefault(activity.kind, []).append(name)
