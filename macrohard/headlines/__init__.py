"""The claims about Macrohard and Colossus 2 against what the model makes of them from its parts."""

from collections.abc import Callable, Mapping

from macrohard.headlines.dates import of_dates
from macrohard.headlines.headline import BOUND, FITTED, INPUT, NOT_SCORED, SCORED, Headline
from macrohard.headlines.leases import of_leases
from macrohard.headlines.site_power import of_power
from macrohard.headlines.stages import STAGES, stage
from macrohard.headlines.work import Doubt, doubted, of_work
from macrohard.runs import Result, run
from macrohard.siting import nameplate

__all__ = [
    "BOUND", "FITTED", "INPUT", "NOT_SCORED", "SCORED", "STAGES", "Headline", "compared", "headlines", "stage",
]  # fmt: skip


def headlines(
    hours: float = 36.0, replicates: int = 1000, progress: Callable[[float], None] | None = None
) -> list[Headline]:
    """Runs the three stages of Colossus 2 for so many hours, throws the build-outs, and sets all claims beside them."""
    ran: dict[str, Result] = {}
    told = progress or (lambda share: None)
    n = len(STAGES) + 2
    for k, name in enumerate(STAGES):
        ran[name] = run(stage(name, hours))
        told((k + 1) / n)
    doubt = doubted(stage(next(iter(STAGES)), hours))
    told((n - 1) / n)
    return compared(ran, doubt, replicates)


def compared(ran: Mapping[str, Result], doubt: Doubt, replicates: int) -> list[Headline]:
    """All claims beside runs of the three stages, how far their work is in doubt, and throws of the build-outs."""
    plates = {name: nameplate(result.scenario) for name, result in ran.items()}
    return [*of_power(ran, plates), *of_dates(replicates), *of_leases(ran, plates), *of_work(ran, doubt)]
