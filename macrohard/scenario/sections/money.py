"""The section about money and emissions."""

from typing import Annotated

from annotated_types import Ge, Gt, Le

from macrohard.scenario.sections.section import Absent, Amount, Section

Years = Annotated[float, Gt(0), Le(100)]


class Economics(Section):
    """Prices and emission factors; USD of 2025."""

    gas_usd_per_mmbtu: Amount = 3.52
    """Natural gas at Henry Hub, EIA forecast for 2025 (STEO 2025-09)."""
    gas_delivery_usd_per_mmbtu: Amount = 0.50
    """From the hub to the site (A)."""
    grid_usd_per_mwh: Amount = 62.0
    """Industrial rate of MLGW, Memphis (Smart City Memphis, 2024-12)."""
    grid_usd_per_mwh_by_hour: tuple[Amount, ...] = ()
    """Price of grid energy in each of the 24 hours of the day, USD/MWh; empty: the flat one."""
    grid_demand_usd_per_kw_month: Amount = 0.0
    """Charge on the highest grid draw of a month; 0: the flat price is an average that has it inside (A)."""
    gpu_usd_per_h: Amount = 2.21
    """A GPU with its server, owned, per hour installed; 2.75-3.30 rented. A cloud's price holds site and power, too:
    then set site_musd_per_mw and grid_usd_per_mwh to 0, as the scenario cloud-1000 does."""
    site_musd_per_mw: Amount = 12.5
    """Building, cooling and electrical plant per MW of IT: 15 GUSD for Abilene's 1.2 GW (Compute Institute)."""
    site_rent_usd_per_kw_month: Amount = 0.0
    """Rent of hall, cooling and connection per kW of IT nameplate and month: a colocation, in place of building."""
    turbine_usd_per_kw: Amount = 1980.0
    """New gas turbines, installed (REopt, combustion turbine of 15-25 MW)."""
    turbine_lease_usd_per_kw_month: Amount = 46.0
    """Lease of turbines (SEC EDGAR, Solaris Q3 2025: 104.9 MUSD a quarter over 760 MW, the latter unverified)."""
    turbine_om_usd_per_mwh: Annotated[Amount | None, Absent] = None
    """Operation and maintenance of gas turbines; left out: as the table has it for the kind (11, REopt, the same)."""
    site_life_years: Years = 20.0
    """Over which the building is written off (A)."""
    turbine_life_years: Years = 20.0
    """Over which turbines are written off (A)."""
    megapack_life_years: Years = 20.0
    """Over which Megapacks are written off (A; Megablock is announced for 25)."""
    discount_rate: Annotated[float, Ge(0), Le(1)] = 0.08
    """Interest on what is written off (A)."""
    gas_co2_kg_per_mwh: Amount = 545.0
    """Gas turbines at 10,277 Btu/kWh: 117 lb/MMBtu (EIA Electric Power Annual, table A.3)."""
    grid_co2_kg_per_mwh: Amount = 283.5
    """TVA, 624.94 lb/MWh in 2023 (TVA, carbon dioxide)."""
    gas_nox_lb_per_mwh: Annotated[Amount | None, Absent] = None
    """Nitrogen oxides of gas turbines; left out: as the table has it for the kind. With
    catalytic reduction: the 87 short tons a year of Colossus 1's permit over 247 MW; about 1 without (A)."""
