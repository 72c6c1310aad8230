"""The summary of a run on a terminal: three sentences, then figures by subject; 80 columns do, without colour too."""

import math

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from macrohard.report.appendix import assumptions
from macrohard.report.cautions import cautions
from macrohard.report.facts import Facts, Result, as_number
from macrohard.report.key_figures import nox_a_year
from macrohard.report.picture import highest
from macrohard.report.quantity import MISSING, duration, energy, gpu_time, human, mass, percent, power, usd
from macrohard.report.sparks import spark
from macrohard.report.story import answer

SPARK_WIDTH = 28
MAX_ASSUMPTIONS = 6
OVER_TIME = (("load", "load_mw", power), ("charge", "soc", percent), ("stream, tok/s", "tok_s_per_stream", human))
Line = tuple[str, str, str]  # what, figure, remark


def print_summary(result: Result, console: Console, *, report: str = "") -> None:
    """Print what came out of a run; `report` is where its page is, if not beside its results."""
    facts = Facts.of(result)
    ascii_only = not (console.encoding or "").lower().startswith("utf")
    console.print(
        Text.assemble(
            (facts.name, "bold"), f", {duration(facts.hours)}, seed {facts.text('scenario.seed') or 'unknown'}"
        )
    )
    console.print()
    for sentence in answer(facts):
        console.print(Text(sentence))
    for words in cautions(facts):
        console.print(Text.assemble(("Note: ", "bold yellow"), words))
    console.print()
    console.print(_figures(facts, ascii_only))
    rest = _assumptions(facts)
    if rest:
        console.print()
        console.print(Text.assemble(("Assumed, not measured: ", "bold"), rest))
    console.print()
    console.print(Padding(_provenance(facts, report), 0))


def _figures(facts: Facts, ascii_only: bool) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold", style="dim")
    sections = (
        ("Work", _work),
        ("Tokens", _tokens),
        ("GPUs", _gpus),
        ("Megawatts", _power),
        ("Megapack", _battery),
        ("Cost", _cost),
        ("Held back by", _binding),
    )
    for title, lines in sections:
        shown = [line for line in lines(facts) if MISSING not in line[1]]
        for k, (name, figure, remark) in enumerate(shown):
            table.add_row(title if k == 0 else "", name, figure, "" if MISSING in remark else remark)
    for k, (name, column, write) in enumerate(OVER_TIME):
        values = facts.column(column)
        if values is not None:
            drawn = spark(values, SPARK_WIDTH, low=0.0, plain=ascii_only)
            table.add_row("" if k else "Over time", name, f"to {write(highest(values))}", Text(drawn, no_wrap=True))
    return table


def _work(facts: Facts) -> list[Line]:
    number = facts.number
    interval = facts.interval("work.tickets_per_day")
    sure = f"95 % interval {human(interval[0])} to {human(interval[1])}" if interval else ""
    created = number("work.tickets_created")
    return [
        ("created", human(created), f"{human(number('work.bug_tickets'))} of them bugs that came back"),
        ("done", human(number("work.tickets_done")), _share(number("work.tickets_done"), created)),
        ("open", human(number("work.tickets_open")), _share(number("work.tickets_open"), created)),
        ("given up", human(number("work.tickets_given_up")), _share(number("work.tickets_given_up"), created)),
        ("a day", human(number("work.tickets_per_day")), sure),
        ("developers", human(number("work.developers_equivalent"), digits=2), "that many humans' worth"),
        (
            "lead time",
            duration(number("work.lead_time_h_p50")),
            f"half take less; 9 of 10 less than {duration(number('work.lead_time_h_p90'))}",
        ),
        ("rework", percent(number("work.rework_share")), "of the tokens written"),
        ("failed changes", percent(number("work.change_failure_rate")), "done, with a defect that escaped"),
    ]


def _share(part: float, whole: float) -> str:
    return percent(part / whole) if whole > 0 and math.isfinite(part) else ""


def _tokens(facts: Facts) -> list[Line]:
    number = facts.number
    return [
        ("read", human(number("tokens.input_tokens")), f"{human(number('tokens.cached_tokens'))} from cache"),
        ("computed", human(number("tokens.prefill_tokens")), "prompt tokens not in cache"),
        ("written", human(number("tokens.decode_tokens")), ""),
        ("per ticket", human(number("tokens.tokens_per_ticket")), ""),
    ]


def _gpus(facts: Facts) -> list[Line]:
    number = facts.number
    available = number("gpu.gpu_h_available")
    return [
        ("GPUs", human(number("gpu.n_gpus")), f"{percent(number('gpu.utilization_mean'))} busy"),
        ("busy", human(number("gpu.gpu_h_busy"), "GPU-h"), f"of {human(available)} there were"),
        (
            "per ticket",
            gpu_time(number("cost.gpu_h_busy_per_ticket")),
            f"busy; with idle ones {gpu_time(number('cost.gpu_h_per_ticket'))}",
        ),
        ("training", human(number("gpu.gpu_h_training"), "GPU-h"), ""),
        (
            "lost to cap",
            human(number("gpu.gpu_h_curtailed"), "GPU-h"),
            _share(number("gpu.gpu_h_curtailed"), available),
        ),
        (
            "streams",
            human(number("gpu.streams_mean")),
            f"at {human(number('gpu.tok_s_per_stream_mean'))} tokens a second each",
        ),
        *(
            (
                str(pool["name"])[:12],
                human(as_number(pool["streams_mean"])),
                f"at {human(as_number(pool['tok_s_per_stream_mean']))} tok/s on {pool['llm']}; "
                f"{human(as_number(pool['n_gpus']))} GPUs, {percent(as_number(pool['utilization_mean']))} busy",
            )
            for pool in facts.pools
        ),
    ]


def _power(facts: Facts) -> list[Line]:
    number = facts.number
    nameplate = number("power.nameplate_site_mw")
    return [
        ("nameplate", power(nameplate), f"rating, not draw; computers {power(number('power.nameplate_it_mw'))}"),
        (
            "load, mean",
            power(number("power.load_mean_mw")),
            f"{percent(number('power.load_mean_mw') / nameplate)} of nameplate" if nameplate > 0 else "",
        ),
        (
            "load, peak",
            power(number("power.load_peak_mw")),
            f"{percent(number('power.load_peak_mw') / nameplate)} of nameplate" if nameplate > 0 else "",
        ),
        (
            "load",
            energy(number("power.load_mwh")),
            f"grid {energy(number('power.grid_mwh'))}, turbines {energy(number('power.turbine_mwh'))}",
        ),
        *_units(facts),
        ("capped away", energy(number("power.capped_mwh")), _capped(facts)),
        (
            "unserved",
            energy(facts.unserved_mwh),
            f"in {duration(number('power.loss_of_load_h'))}" if facts.unserved_mwh > 0 else "",
        ),
    ]


def _units(facts: Facts) -> list[Line]:
    """How the generating units ran; nothing where there are none."""
    number = facts.number
    if not number("power.n_units") > 0:
        return []
    out, barred = number("power.unit_h_out"), number("power.unit_h_barred")
    away = [f"{human(out)} unit-hours out of order"] if out > 0 else ["none out of order"]
    away += [f"{human(barred)} in maintenance or without permit"] if barred > 0 else []
    running = number("power.unit_h_up") / facts.hours
    return [
        (
            "units running",
            human(running, digits=2),
            f"of {human(number('power.n_units'))}; {human(number('power.unit_starts'))} starts, {', '.join(away)}",
        ),
        (
            "heat rate",
            human(number("power.heat_rate_btu_per_kwh"), digits=4),
            "Btu/kWh (HHV), with part load and starts",
        ),
    ]


def _capped(facts: Facts) -> str:
    hot = facts.number("power.cooling_binds_h")
    return f"too warm for the chillers in {duration(hot)}" if hot > 0 else "demand the supply could not follow"


def _battery(facts: Facts) -> list[Line]:
    number = facts.number
    return [
        ("lowest charge", percent(number("power.soc_lowest")), f"at the end {percent(number('power.soc_end'))}"),
        (
            "discharged",
            energy(number("power.battery_discharge_mwh")),
            f"{energy(number('power.battery_loss_mwh'))} lost on the way",
        ),
        *_bound(facts),
    ]


def _bound(facts: Facts) -> list[Line]:
    """What the Megapacks ran out of while power was short; nothing where they never did."""
    by_power, by_energy = facts.number("power.megapack_power_binds_h"), facts.number("power.megapack_energy_binds_h")
    if not (facts.has_megapacks and by_power + by_energy > 0):
        return []
    return [("gave all", duration(by_power + by_energy), f"held by MW in {duration(by_power)}, by MWh in the rest")]


def _cost(facts: Facts) -> list[Line]:
    number = facts.number
    return [
        (
            "total",
            usd(number("cost.total_usd")),
            f"GPUs {usd(number('cost.gpu_usd'))}, energy {usd(number('cost.energy_usd'))}",
        ),
        ("per ticket", usd(number("cost.usd_per_ticket")), f"and {human(number('cost.kwh_per_ticket'))} kWh"),
        ("per 1M written", usd(number("cost.usd_per_million_decode_tokens")), ""),
        ("per MWh served", usd(number("cost.usd_per_mwh_served")), "fuel, grid, operation, lease, written-off plant"),
        ("CO2", mass(number("cost.co2_t")), f"{human(number('cost.co2_kg_per_mwh'))} kg/MWh"),
        ("NOx", mass(number("cost.nox_kg") / 1000), nox_a_year(facts)),
        ("water", f"{human(number('cost.water_m3'))} m3", f"{human(number('cost.water_l_per_ticket'))} l a ticket"),
    ]


def _binding(facts: Facts) -> list[Line]:
    names = (
        ("backlog", "too few tickets"),
        ("agents", "too few desks"),
        ("gpus", "streams share them"),
        ("power", "supply capped the GPUs"),
    )
    return [("GPUs" if key == "gpus" else key, percent(facts.number(f"binding.{key}")), words) for key, words in names]


def _assumptions(facts: Facts) -> str:
    named = [f"{name} = {value}" for name, value, _ in assumptions(facts)]
    more = len(named) - MAX_ASSUMPTIONS
    return ", ".join(named[:MAX_ASSUMPTIONS]) + (
        f" and {more} more, all in the report." if more > 0 else "." if named else ""
    )


def _provenance(facts: Facts, report: str) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    weight = facts.number("run.agent_weight")
    simulated = human(facts.number("run.agents_simulated"))
    stands = (
        f"{simulated} agents, each for {human(weight)} real ones"
        if weight != 1 and math.isfinite(weight)
        else f"{simulated} agents"
    )
    ticks = f"{human(facts.number('run.ticks'))} ticks of {human(facts.number('run.tick_s'))} s"
    took = f"{duration(facts.number('run.wall_s') / 3600)} for {ticks}"
    where = report or (f"{facts.folder}/report.html" if facts.folder else "")
    for name, words in (("Simulated", stands), ("Took", took), ("Digest", facts.text("run.digest")), ("Report", where)):
        if words and MISSING not in words:
            table.add_row(name, Text(words))
    return table
