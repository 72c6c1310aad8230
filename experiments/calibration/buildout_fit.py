"""Sets the two scales of macrohard/data/buildout_fit.csv: equipment work by Colossus 2, civil work by Abilene."""

import numpy as np

from macrohard.buildout.network import fit
from macrohard.buildout.outcome import planned, reached
from macrohard.buildout.site import site_named


def solved(site: str, milestone: str, name: str, scales: dict[str, float]) -> float:
    """The scale at which the median of a milestone is the published date, by bisection on the same throws."""
    place, low, high = site_named(site), 0.2, 5.0
    goal = next(each.days for each in place.known(milestone, whole=True) if each.fitted)
    for _ in range(18):
        middle = (low * high) ** 0.5
        found = np.median(reached(place, planned(place, 600, 1, scales=scales | {name: middle}), milestone))
        low, high = (middle, high) if found < goal else (low, middle)
    return round((low * high) ** 0.5, 3)


if __name__ == "__main__":
    scales = fit()
    scales["mep"] = solved("colossus2", "cooling", "mep", scales)
    scales["civil"] = solved("abilene", "energized", "civil", scales)
    print(scales)
    for name in ("colossus2", "abilene", "colossus1"):
        site = site_named(name)
        plan = planned(site, 600, 1, scales=scales)
        print(
            name,
            {
                each: np.quantile(reached(site, plan, each), (0.1, 0.5, 0.9)).round()
                for each in ("cooling", "energized", "serving")
            },
        )
