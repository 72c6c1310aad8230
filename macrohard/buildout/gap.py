"""Why one site took longer than another: the difference of two schedules shared out over the inputs that differ.

Shapley value: the mean, over all orders in which inputs can be exchanged one at a time, of what each exchange changes.
The shares add up to the whole gap whatever the order, which one-at-a-time differences from either end do not.
"""

from dataclasses import dataclass, replace
from itertools import combinations
from math import factorial

from macrohard.buildout.outcome import planned, reached
from macrohard.buildout.site import Site

FACTORS: dict[str, tuple[str, ...]] = {
    "existing shell or green field": ("shell",),
    "shift pattern": ("shift",),
    "crews": ("crews",),
    "packaged chillers or a central plant": ("cooling",),
    "turbines on site or grid and substation": ("sources", "site_mw", "n_megapacks"),
    "ordered before the start": ("advance_days",),
    "handed over to a tenant": ("acceptance",),
    "size": ("cooling_mw", "n_gpus", "gpus_per_rack"),
}


@dataclass(frozen=True)
class Gap:
    """Days of both sites, and each factor's share in the gap. alone: exchanged first, at the faster site."""

    milestone: str
    fast_days: float
    slow_days: float
    shares: dict[str, float]
    alone: dict[str, float]


def explained(fast: Site, slow: Site, milestone: str, replicates: int = 200, seed: int = 1) -> Gap:
    """Mean days of both sites to a milestone, and the Shapley share of each input in the difference."""
    factors = [name for name, keys in FACTORS.items() if any(getattr(fast, k) != getattr(slow, k) for k in keys)]
    found: dict[frozenset[str], float] = {}

    def days(chosen: frozenset[str]) -> float:
        if chosen not in found:
            changed = {key: getattr(slow, key) for name in chosen for key in FACTORS[name]}
            if "crews" in changed or "sources" in changed or "shell" in changed:
                known = {**slow.crews, **fast.crews} if "crews" not in changed else {**fast.crews, **slow.crews}
                changed["crews"] = known
            changed["advance_days"] = {
                **(fast if "ordered before the start" in chosen else slow).advance_days,
                **(slow if "ordered before the start" in chosen else fast).advance_days,
            }
            site = replace(fast, **changed)
            found[chosen] = float(reached(site, planned(site, replicates, seed), milestone).mean())
        return found[chosen]

    n = len(factors)
    shares = {}
    for name in factors:
        others = [other for other in factors if other != name]
        shares[name] = sum(
            factorial(size) * factorial(n - 1 - size) / factorial(n)
            * (days(frozenset({*chosen, name})) - days(frozenset(chosen)))
            for size in range(n)
            for chosen in combinations(others, size)
        )  # fmt: skip
    nothing, everything = days(frozenset()), days(frozenset(factors))
    alone = {name: days(frozenset({name})) - nothing for name in factors}
    return Gap(milestone, nothing, everything, shares, alone)
