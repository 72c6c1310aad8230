"""Claims about megawatts: what so many GPUs are rated for, and what they draw."""

from collections.abc import Mapping

from macrohard.headlines.headline import BOUND, INPUT, SCORED, Headline, claim
from macrohard.headlines.stages import STAGES, mean_load_mw
from macrohard.runs import Result
from macrohard.scenario import Scenario
from macrohard.siting import Nameplate, rated_mw


def of_power(ran: Mapping[str, Result], plates: Mapping[str, Nameplate]) -> list[Headline]:
    """110,000 GPUs at 200 MW, 550,000 at more than 1.1 GW, and a million."""
    phase1, full, million = (ran[name] for name in STAGES)
    mw, source = claim("phase1_mw")
    plate = plates["colossus2-phase1"]
    load = mean_load_mw(phase1)
    found = [
        Headline(
            "110,000 GB200 at 200 MW: what racks are rated to draw",
            source,
            mw,
            f"{plate.it_mw:.1f} MW IT",
            plate.it_mw,
            "MW",
            SCORED,
            "1,528 racks of 132 kW. The 200 MW are cooling, which is sized by the rating",
        ),
        Headline(
            "110,000 GB200 at 200 MW: what they draw at their limit",
            source,
            mw,
            f"{plate.build_up_it_mw:.0f} MW IT",
            plate.build_up_it_mw,
            "MW",
            SCORED,
            "component build-up; a rating is not a draw. Network and storage apart",
        ),
        Headline(
            "110,000 GB200 at 200 MW: what the site draws when all serve agents",
            source,
            mw,
            f"{load:.0f} MW",
            load,
            "MW",
            SCORED,
            "decode leaves arithmetic idle: GPUs draw less than their limit; cooling of a February day",
        ),
    ]
    mw, source = claim("plan_mw")
    big, draw = plates["colossus2-full"], mean_load_mw(full)
    found += [
        Headline(
            "550,000 GPUs and more than 1.1 GW: racks' rating",
            source,
            mw,
            f"{big.it_mw:,.0f} MW IT",
            big.it_mw,
            "MW",
            BOUND,
            "all taken as GB200; 1.1 GW over this is a PUE of 1.09, so 1.1 GW agrees as a site's rating",
        ),
        Headline(
            "550,000 GPUs and more than 1.1 GW: the site on a 35 C day at the GPUs' limit",
            source,
            mw,
            f"{big.site_mw:,.0f} MW",
            big.site_mw,
            "MW",
            BOUND,
            "chillers take a third of the heat in power then; a budget must cover it",
        ),
        Headline(
            "550,000 GPUs and more than 1.1 GW: the site serving",
            source,
            mw,
            f"{draw:,.0f} MW",
            draw,
            "MW",
            BOUND,
            "as above: agents do not load GPUs to their limit",
        ),
    ]
    gpus, source = claim("goal_gpus")
    supply = _supply_mw(million.scenario)
    far = plates["colossus2-1m"]
    found.append(
        Headline(
            "1,000,000 GPUs",
            source,
            gpus,
            f"takes {far.site_mw:,.0f} MW on a 35 C day, draws "
            f"{mean_load_mw(million):,.0f} MW serving; {supply:,.0f} MW of supply assumed",
            gpus,
            "GPU",
            INPUT,
            "the count is an input; what the model adds is its power. Supply beyond 1,254 MW is assumed",
        )
    )
    return found


def _supply_mw(scenario: Scenario) -> float:
    return scenario.power.grid_mw + sum(map(rated_mw, scenario.power.sources))
