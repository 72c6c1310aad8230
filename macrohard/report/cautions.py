"""What a reader should know before relying on a run's figures, in plain sentences."""

import math

from macrohard.report.facts import Facts, look_up
from macrohard.report.quantity import duration, energy, human, in_words, percent

_LONG_TICK_S = 300.0
_MOSTLY = 0.5
"""Share of the finished work above which bad work is most of it."""


def cautions(facts: Facts) -> list[str]:
    """Sentences on what the figures leave out or cannot carry, gravest first; none for a run without such."""
    return [*_worth(facts), *_length(facts), *_power(facts), *_tickets(facts), *_scale(facts)]


def _worth(facts: Facts) -> list[str]:
    found = []
    bad, failed = facts.number("work.bad_shipped_share"), facts.number("work.change_failure_rate")
    if bad > _MOSTLY:
        found.append(
            f"{percent(bad)} of the tickets done were shipped with a patch that does not solve them: their number, and "
            "the developers' worth of it, is no measure of useful work."
        )
    elif failed > _MOSTLY:
        found.append(
            f"{percent(failed)} of the tickets done went out with a defect: their number, and the developers' worth of "
            "it, overstates the useful work."
        )
    fitted, start = look_up(facts.settings, "capability.as_of"), look_up(facts.settings, "run.start")
    if isinstance(fitted, str) and isinstance(start, str) and fitted > start:  # days as 2026-02-01
        found.append(
            f"The run starts on {start}, before the day of its LLM's horizon (capability.as_of = {fitted}): the "
            "horizon was extrapolated backwards."
        )
    return found


def _length(facts: Facts) -> list[str]:
    found = []
    horizon = facts.setting("run.horizon_h")
    if facts.partial:
        planned = f" of {duration(horizon)}" if math.isfinite(horizon) else ""
        found.append(f"The run was ended early, after {duration(facts.hours)}{planned}: totals are those of that part.")
    elif abs(facts.hours - horizon) > 0.001 * horizon:
        ticks, tick_s = facts.number("run.ticks"), facts.number("run.tick_s")
        count = f"{in_words(ticks)} ticks" if ticks != 1 else "one tick"
        found.append(
            f"The horizon of {duration(horizon)} is no multiple of the tick: it was rounded to {count} of "
            f"{human(tick_s)} s."
        )
    if facts.warm_up_h >= facts.hours > 0:
        found.append(
            f"The run is no longer than its warm-up of {duration(facts.warm_up_h)}: its averages are not those of a "
            "factory that has settled."
        )
    elif facts.warm_up_h > 0.1 * facts.hours:
        found.append(
            f"Averages, peaks, lead times and what held the work back are of the time after the warm-up of "
            f"{duration(facts.warm_up_h)}; totals are of the whole run."
        )
    return found


def _power(facts: Facts) -> list[str]:
    found = []
    unserved, outage = facts.unserved_mwh, facts.number("power.loss_of_load_h")
    if unserved > 0:
        took = f" in {duration(outage)}" if outage > 0 else ""
        found.append(f"{energy(unserved)} of load went unserved{took}: racks had to be switched off.")
    peak, nameplate = facts.number("power.load_peak_mw"), facts.number("power.nameplate_site_mw")
    if facts.has_megapacks and peak > nameplate:
        found.append("The auxiliaries of the Megapacks are in the load, but not in the nameplate: it can lie above.")
    sources = ("power.grid_mwh", "power.turbine_mwh", "power.solar_mwh")
    supply = sum(value for key in sources if (value := facts.number(key)) > 0)
    if supply == 0 and facts.number("power.load_mwh") > 0:
        found.append("There was no supply but what the Megapacks held at the start.")
    return found


def _tickets(facts: Facts) -> list[str]:
    found = []
    created, given_up = facts.number("work.tickets_created"), facts.number("work.tickets_given_up")
    if created > 0 and given_up > 0.1 * created:
        found.append(f"{percent(given_up / created)} of the tickets were given up unsolved.")
    left = facts.number("work.tickets_open")
    if created > 0 and left > 0.25 * created and facts.number("work.tickets_done") > 0:
        found.append(
            f"{percent(left / created)} of the tickets were still open at the end. Lead times count only those done "
            "and so look shorter than they are."
        )
    if look_up(facts.summary, "work.backlog_ran_out") is True:
        found.append(
            "The backlog that was to be endless ran out: the factory could have done more "
            "(backlog.n_epics = 0 draws as many epics as it can use)."
        )
    if facts.number("work.tickets_lost") > 0:
        lost = human(facts.number("work.tickets_lost"))
        found.append(f"{lost} bugs or halves of tickets found no room and were lost.")
    if facts.number("work.late_desk_share") > 0.01:
        found.append(
            f"{percent(facts.number('work.late_desk_share'))} of the desks' time went into waiting for the next tick: "
            "shorten run.tick_s."
        )
    if look_up(facts.settings, "backlog.mode") == "saturated":
        found.append(
            "The backlog was kept full on purpose: this is how much the factory could do, not a forecast of what it "
            "will."
        )
    return found


def _scale(facts: Facts) -> list[str]:
    tick_s, weight = facts.number("run.tick_s"), facts.number("run.agent_weight")
    if tick_s > _LONG_TICK_S:
        return [
            f"A tick of {human(tick_s)} s is longer than many attempts: shorten run.tick_s, see `macrohard converge`."
        ]
    if not weight > 1:
        return []
    return [
        f"Each simulated agent and ticket stands for {human(weight)} real ones. Means are not touched by this, but "
        f"random ups and downs, and so peaks and ramps, look {human(math.sqrt(weight), digits=2)} times as large as "
        "they would be."
    ]
