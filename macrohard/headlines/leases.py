"""Claims about leased turbines: how many megawatts, for how much, and under which permit."""

from collections.abc import Mapping

from macrohard.colossus.units import H_PER_YEAR
from macrohard.headlines.headline import INPUT, NOT_SCORED, Headline, claim
from macrohard.headlines.stages import mean_load_mw
from macrohard.runs import Result
from macrohard.siting import Nameplate, unit_mw

HOT_DERATE = 0.14  # 0.7 % a K from 15 to 35 C (A), as the table of turbines has it


def of_leases(ran: Mapping[str, Result], plates: Mapping[str, Nameplate]) -> list[Headline]:
    """400 MW or 1,140 MW, 112 MUSD against new build and against lease, twelve months without a permit."""
    phase1 = ran["colossus2-phase1"]
    power, prices = phase1.scenario.power, phase1.scenario.economics
    unit = max(map(unit_mw, power.sources))
    hot = plates["colossus2-phase1"].site_mw
    need = (hot - power.grid_mw) / (1 - HOT_DERATE) + unit
    leased, source = claim("leased_mw")
    other, other_source = claim("leased_mw", 1)
    paid, paid_source = claim("leased_musd")
    rate, rate_source = claim("lease_usd_per_mw_month")
    new = leased * 1e3 * prices.turbine_usd_per_kw / 1e6
    months = paid * 1e6 / (leased * rate)
    permit, permit_source = claim("permit_months")
    load = mean_load_mw(phase1)
    nox_t = float(phase1.summary["cost"]["nox_kg"]) / float(phase1.scenario.run.horizon_h) * H_PER_YEAR / 1e3
    why = (
        "turbines for phase 1 at rating on a 35 C day (14 % derated, grid off), one unit spare; the rest is for growth"
    )
    return [
        Headline(
            "400 MW of turbines leased", source, leased, f"phase 1 needs {need:.0f} MW", need, "MW", NOT_SCORED, why
        ),
        Headline(
            "1,140 MW of turbines leased",
            other_source,
            other,
            f"phase 1 needs {need:.0f} MW",
            need,
            "MW",
            NOT_SCORED,
            "disagrees with 400 MW, both stand: the share of the order book to 2027, for the plan of 1.1 GW",
        ),
        Headline(
            "112 MUSD for them, against new build",
            paid_source,
            paid,
            f"{new:,.0f} MUSD",
            new,
            "MUSD",
            NOT_SCORED,
            f"unconfirmed. {prices.turbine_usd_per_kw:,.0f} USD/kW: 112 MUSD would be {paid / new:.0%} of it",
        ),
        Headline(
            "112 MUSD for them, against lease",
            f"{paid_source}; {rate_source}",
            paid,
            f"{leased * rate * 12 / 1e6:,.0f} MUSD a year",
            leased * rate * 12 / 1e6,
            "MUSD",
            NOT_SCORED,
            f"unconfirmed. It would be {months:.1f} months of lease",
        ),
        Headline(
            "turbines for 12 months without a permit",
            permit_source,
            permit,
            f"without them {power.grid_mw:g} of {load:.0f} MW are left, {power.grid_mw / load:.0%}",
            permit,
            "month",
            INPUT,
            f"a term is a rule, not a result. They emit {nox_t:.0f} t of NOx a year with catalytic reduction",
        ),
    ]
