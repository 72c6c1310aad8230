"""The named pictures of a run, in the order of the page: one line here adds a picture to every report."""

from collections.abc import Callable

from macrohard.report import (
    flow_pictures,
    money_pictures,
    power_pictures,
    sankey,
    serving_pictures,
    weight_pictures,
    work_pictures,
)
from macrohard.report.facts import Facts
from macrohard.report.picture import Picture

SECTIONS: dict[str, tuple[Callable[[Facts], Picture | None], ...]] = {
    "What held it back": (money_pictures.binding, flow_pictures.standing, work_pictures.desks),
    "Megawatts": (power_pictures.site_power, power_pictures.load_duration, power_pictures.energy_rows),
    "Tickets": (
        flow_pictures.cumulative_flow,
        flow_pictures.open_tickets,
        work_pictures.lead_time,
        work_pictures.stage_times,
        work_pictures.ticket_time,
    ),
    "Tokens and GPUs": (
        sankey.flows,
        serving_pictures.speed,
        serving_pictures.speed_against_streams,
        serving_pictures.gpu_hours,
    ),
    "Cost": (money_pictures.cost,),
    "What moves it": (weight_pictures.tickets, weight_pictures.cost),
}


def pictures(facts: Facts) -> dict[str, list[Picture]]:
    """The pictures that this run has the figures for, by section; sections without any are left out."""
    drawn = {
        section: [made for make in makers if (made := make(facts)) is not None] for section, makers in SECTIONS.items()
    }
    return {section: found for section, found in drawn.items() if found}
