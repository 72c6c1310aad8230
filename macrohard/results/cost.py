"""What a run costs: GPUs by the hour, energy as metered, and the plant written off over its life."""

from macrohard.results.metrics import Summary
from macrohard.scenario import Scenario
from macrohard.siting import plant_prices

HOURS_PER_YEAR = 8760.0


def annuity(rate: float, years: float) -> float:
    """Yearly payment that pays off 1 over some years at an interest rate."""
    return 1.0 / years if rate == 0 else rate / (1.0 - (1.0 + rate) ** -years)


def bill(
    scenario: Scenario, totals: dict[str, float], tickets_done: float, decode_tokens: float, hours: float
) -> Summary:
    """Costs and emissions of a run of so many hours; prices of the scenario's [economics].

    total = GPUs + energy (fuel, grid, operation) + site, turbines and Megapacks written off for the time of the run;
    the site's part holds its rent, if it is rented.
    """
    prices = scenario.economics
    gpu_usd = totals["gpu_h_available"] * prices.gpu_usd_per_h
    share_of_year = hours / HOURS_PER_YEAR
    plant = plant_prices(scenario)
    parts = {
        "gpu": gpu_usd,
        "energy": totals["energy_usd"],
        "site": (plant.site * annuity(prices.discount_rate, prices.site_life_years) + plant.rent_per_year)
        * share_of_year,
        "turbines": plant.turbines * annuity(prices.discount_rate, prices.turbine_life_years) * share_of_year,
        "megapacks": plant.megapacks * annuity(prices.discount_rate, prices.megapack_life_years) * share_of_year,
    }
    total_usd = sum(parts.values())
    served_mwh = totals["load_mwh"] - totals["unserved_mwh"]
    return {
        "total_usd": total_usd,
        "gpu_usd": gpu_usd,
        "energy_usd": totals["energy_usd"],
        "usd_per_ticket": total_usd / tickets_done if tickets_done else None,
        "usd_per_million_decode_tokens": total_usd / decode_tokens * 1e6 if decode_tokens else None,
        "kwh_per_ticket": served_mwh * 1e3 / tickets_done if tickets_done else None,
        "gpu_h_per_ticket": totals["gpu_h_available"] / tickets_done if tickets_done else None,
        "co2_t": totals["co2_t"],
        "nox_kg": totals["nox_kg"],
        "parts": parts,
    }
