"""What a run costs and emits: GPUs by the hour, energy as metered, and the plant written off over its life."""

from macrohard.colossus.emissions import KG_PER_LB
from macrohard.colossus.units import H_PER_MONTH, H_PER_YEAR, KW_PER_MW
from macrohard.results.metrics import Summary
from macrohard.scenario import Scenario
from macrohard.siting import plant_prices

KG_PER_SHORT_TON = 2000.0 * KG_PER_LB


def annuity(rate: float, years: float) -> float:
    """Yearly payment that pays off 1 over some years at an interest rate."""
    return 1.0 / years if rate == 0 else rate / (1.0 - (1.0 + rate) ** -years)


def bill(
    scenario: Scenario,
    totals: dict[str, float],
    demand_mw_months: float,
    *,
    it_mw: float,
    tickets_done: float,
    decode_tokens: float,
    hours: float,
) -> Summary:
    """Costs and emissions of a run of so many hours on a site of so much IT power; prices of [economics].

    Parts: GPUs; fuel, grid energy and operation, which are energy_usd; the demand charge on the months' highest draws;
    lease of turbines; site, turbines and Megapacks written off for the time of the run;
    the site's part holds its rent, if it is rented.
    """
    prices = scenario.economics
    served_mwh = totals["load_mwh"] - totals["unserved_mwh"]
    parts = {
        "gpu": totals["gpu_h_available"] * prices.gpu_usd_per_h,
        "fuel": totals["fuel_usd"],
        "grid": totals["grid_usd"],
        "operation": totals["energy_usd"] - totals["fuel_usd"] - totals["grid_usd"],
        "demand_charge": demand_mw_months * KW_PER_MW * prices.grid_demand_usd_per_kw_month,
        **_plant(scenario, it_mw, hours),
    }
    total_usd = sum(parts.values())
    power_usd = sum(value for name, value in parts.items() if name not in ("gpu", "site"))
    return {
        "total_usd": total_usd,
        "gpu_usd": parts["gpu"],
        "energy_usd": totals["energy_usd"],
        "power_usd": power_usd,
        "usd_per_ticket": _per(total_usd, tickets_done),
        "usd_per_million_decode_tokens": _per(total_usd * 1e6, decode_tokens),
        "usd_per_mwh_served": _per(power_usd, served_mwh),
        "kwh_per_ticket": _per(served_mwh * KW_PER_MW, tickets_done),
        "gpu_h_per_ticket": _per(totals["gpu_h_available"], tickets_done),
        "gpu_h_busy_per_ticket": _per(totals["gpu_h_busy"], tickets_done),
        **_emissions(scenario, totals, served_mwh, tickets_done, hours),
        "parts": parts,
    }


def _plant(scenario: Scenario, it_mw: float, hours: float) -> dict[str, float]:
    prices, plant = scenario.economics, plant_prices(scenario, it_mw)
    rate, share_of_year = prices.discount_rate, hours / H_PER_YEAR
    monthly = plant.leased_mw * KW_PER_MW * prices.turbine_lease_usd_per_kw_month
    return {
        "turbine_lease": monthly * hours / H_PER_MONTH,
        "site": (plant.site_usd * annuity(rate, prices.site_life_years) + plant.rent_usd_per_year) * share_of_year,
        "turbines": plant.turbines_usd * annuity(rate, prices.turbine_life_years) * share_of_year,
        "megapacks": plant.megapacks_usd * annuity(rate, prices.megapack_life_years) * share_of_year,
    }


def _emissions(
    scenario: Scenario, totals: dict[str, float], served_mwh: float, tickets_done: float, hours: float
) -> Summary:
    """Nitrogen oxides as emitted and as without a catalyst; a year at this rate, against the permit if one is set."""
    a_year = H_PER_YEAR / hours / KG_PER_SHORT_TON
    nox_a_year, permit = totals["nox_kg"] * a_year, scenario.power.nox_permit_short_tons
    return {
        "co2_t": totals["co2_t"],
        "co2_kg_per_ticket": _per(totals["co2_t"] * 1e3, tickets_done),
        "co2_kg_per_mwh": _per(totals["co2_t"] * 1e3, served_mwh),
        "nox_kg": totals["nox_kg"],
        "nox_without_scr_kg": totals["nox_raw_kg"],
        "nox_short_tons_per_year": nox_a_year,
        "nox_without_scr_short_tons_per_year": totals["nox_raw_kg"] * a_year,
        "nox_permit_share": nox_a_year / permit if permit else None,
        "water_m3": totals["water_m3"],
        "water_l_per_ticket": _per(totals["water_m3"] * 1e3, tickets_done),
    }


def _per(part: float, whole: float) -> float | None:
    return part / whole if whole else None
