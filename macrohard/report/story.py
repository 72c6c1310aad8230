"""The answer of a run in plain sentences: how much software, what it took, what limits it and what to change."""

import math

import numpy as np

from macrohard.report.facts import ROLE_OF_STAGE, ROLES, STAGES, Facts
from macrohard.report.quantity import duration, energy, human, in_words, percent, power, usd
from macrohard.report.wording import listed

LIMITS = ("backlog", "agents", "gpus", "power")


def answer(facts: Facts) -> tuple[str, str, str]:
    """Three sentences (each may be two): what came out, what it took, what limits it and what to change."""
    return output(facts), effort(facts), limit(facts)


def output(facts: Facts) -> str:
    """How much software came out."""
    done, created, days = facts.number("work.tickets_done"), facts.number("work.tickets_created"), facts.hours / 24
    who = _agents(facts)
    span = duration(facts.hours)
    if not created > 0:
        return f"No ticket arrived in {span}, so there was nothing to do."
    if not done > 0:
        if who == "no agents":
            return f"Nobody was there to work: 0 of {in_words(created)} tickets were finished in {span}."
        return f"In {span} {who} finished none of {in_words(created)} tickets: {_why_nothing(facts)}."
    rate = facts.number("work.tickets_per_day")
    rate = done / days if math.isnan(rate) else rate
    words = f"In {span} {who} finished {in_words(done)} of {in_words(created)} tickets, {in_words(rate)} a day"
    developers = facts.number("work.developers_equivalent")
    if developers > 0:
        words += f", as much as about {in_words(developers, 2)} human developers would"
    lead = facts.number("work.lead_time_h_p50")
    return words + (f"; half of those done took up to {duration(lead)}." if math.isfinite(lead) else ".")


def _agents(facts: Facts) -> str:
    simulated, real = facts.number("run.agents_simulated"), facts.agents
    if not math.isfinite(simulated):
        return "the agents"
    if simulated == 0:
        return "no agents"
    return f"{in_words(real)} agents" if real != 1 else "one agent"


def _why_nothing(facts: Facts) -> str:
    created, given_up = facts.number("work.tickets_created"), facts.number("work.tickets_given_up")
    if facts.setting("workforce.coding") == 0:
        return "nothing gets coded, as there are no coding agents (workforce.coding = 0)"
    missing = [role for role in ("management", "design", "testing") if facts.setting(f"workforce.{role}") == 0]
    if missing:
        role = missing[0]
        return f"there are no {role} agents (workforce.{role} = 0), and every ticket has to pass them"
    if facts.number("gpu.n_gpus") == 0:
        return "there are no GPUs (cluster.n_gpus = 0)"
    if facts.none_serves:
        return "there are no GPUs that serve, as all of them train (training.share = 1)"
    if given_up > 0 and given_up >= 0.999 * created:
        return (
            "every one was given up after repeated failures (capability.horizon_min is small for tickets of this size)"
        )
    if facts.unserved_mwh > 0.5 * facts.number("power.load_mwh"):
        return "most of the load could not be supplied with power"
    if given_up > 0:
        return f"{in_words(given_up)} were given up and the rest were still open at the end"
    return "all were still open at the end, so a longer run (run.horizon_h) is needed to see any done"


def effort(facts: Facts) -> str:
    """What it took in tokens, GPU-hours, energy and money."""
    tokens = facts.number("tokens.input_tokens") + facts.number("tokens.decode_tokens")
    hours, n_gpus = facts.number("gpu.gpu_h_busy"), facts.number("gpu.n_gpus")
    load, mean, peak = (facts.number(f"power.{key}") for key in ("load_mwh", "load_mean_mw", "load_peak_mw"))
    unserved = facts.unserved_mwh
    nameplate = facts.number("power.nameplate_site_mw")
    took = []
    if math.isfinite(tokens):
        took.append(f"{in_words(tokens)} tokens")
    if math.isfinite(hours):
        took.append(f"{in_words(hours)} busy GPU-hours" + (f" on {in_words(n_gpus)} GPUs" if n_gpus > 0 else ""))
    if math.isfinite(load):
        short = f" (of {energy(load)} asked for)" if unserved > 0 else ""
        took.append(f"{energy(load - max(unserved, 0.0))} of electricity{short}")
    if not took:
        return "The run did not record what it took."
    words = f"That took {listed(took)}"
    if math.isfinite(mean) and math.isfinite(peak):
        verb = "asked for" if unserved > 0 else "drawn"
        words += f", {verb} at {power(mean)} on average and {power(peak)} at peak after the warm-up"
        words += f" (nameplate {power(nameplate)})" if math.isfinite(nameplate) else ""
    each, kwh = facts.number("cost.usd_per_ticket"), facts.number("cost.kwh_per_ticket")
    if math.isfinite(each) and facts.number("work.tickets_done") > 0:
        words += f": {usd(each)}" + (f" and {human(kwh)} kWh" if math.isfinite(kwh) else "") + " for each ticket done"
    return words + "."


def limit(facts: Facts) -> str:
    """What held the work back most, and what to change."""
    held = {key: facts.number(f"binding.{key}") for key in LIMITS}
    known = {key: share for key, share in held.items() if math.isfinite(share)}
    if not known or max(known.values()) <= 0:
        said = facts.text("binding.in_words").strip().rstrip(".")
        return f"{said[0].upper()}{said[1:]}." if said else "Nothing held the work back for any length of time."
    first = max(known, key=lambda key: known[key])
    others = [f"{_named(key)} {percent(share)}" for key, share in known.items() if key != first and share >= 0.05]
    beside = f" (beside it: {listed(others)})" if others else ""
    advice = {"backlog": _backlog, "agents": _too_few, "gpus": _gpus, "power": _power}[first](facts)
    return f"{_named(first, start=True)} held the work back {_often(known[first])}{beside}: {advice}."


def _often(share: float) -> str:
    if share > 0.995:
        return "all the time" if share == 1 else "nearly all the time"
    return f"{percent(share)} of the time"


def _named(key: str, *, start: bool = False) -> str:
    name = {"backlog": "the backlog", "agents": "the number of agents", "gpus": "the GPUs", "power": "power"}[key]
    return name[0].upper() + name[1:] if start else name


def _backlog(facts: Facts) -> str:
    return (
        "agents stood idle for want of tickets that were ready to work on, so more agents, GPUs or power would change "
        "little; bring more tickets (backlog.arrivals_per_day), fewer dependencies (backlog.blocked_share), or ask "
        'what the factory could do with backlog.mode = "saturated" and backlog.n_epics = 0'
    )


def longest_queue(facts: Facts) -> tuple[str, float]:
    """The stage with the most tickets waiting after the warm-up, and how many; an empty name if none wait."""
    queues = {stage: facts.settled_mean(f"queue_{stage}") for stage in STAGES}
    known = {stage: mean for stage, mean in queues.items() if mean > 0}
    if not known:
        return "", 0.0
    stage = max(known, key=lambda key: known[key])
    return stage, known[stage]


_ALWAYS_BUSY = 0.85
"""A role busier than this is what holds the work back all the time; below, it does so in bursts."""


def busiest_role(facts: Facts) -> tuple[str, float]:
    """The role whose desks were busiest after the warm-up, and their busy share; an empty name if unknown."""
    shares = {role: facts.settled_mean(f"busy_{role}") / facts.headcount(role) for role in ROLES if _hired(facts, role)}
    known = {role: share for role, share in shares.items() if math.isfinite(share)}
    if not known:
        return "", math.nan
    role = max(known, key=lambda key: known[key])
    return role, known[role]


def _hired(facts: Facts, role: str) -> bool:
    return facts.headcount(role) > 0


def _too_few(facts: Facts) -> str:
    for role in ROLES:
        if facts.headcount(role) == 0:
            return f"there are no {role} agents to take the tickets that wait for them; add some (workforce.{role})"
    use = facts.number("gpu.utilization_mean")
    spare = f"the GPUs had work {percent(use)} of the time" if math.isfinite(use) else "the GPUs had room"
    (stage, waiting), (role, busy) = longest_queue(facts), busiest_role(facts)
    if role:
        why = f"{role} agents were busy {percent(min(busy, 1.0))} of their time while {spare}"
        if busy < _ALWAYS_BUSY:
            why += "; work came in bursts, in which tickets waited for them"
    elif stage:
        why = f"{spare} while {in_words(waiting, 2)} tickets waited on average before {stage}"
        role = ROLE_OF_STAGE[stage]
    else:
        why, role = spare, "coding"
    sharing = facts.desk_time().get("gpus", 0.0)
    also = f" (sharing GPUs takes {percent(sharing)} of the desks' time as well)" if sharing >= 0.1 else ""
    return f"{why}{also}; add {role} agents (workforce.{role})"


def _gpus(facts: Facts) -> str:
    if facts.none_serves:
        return "there were no GPUs that serve; add some (cluster.n_gpus) or train on fewer (training.share)"
    rate = facts.number("gpu.tok_s_per_stream_mean")
    slow = (
        f"so many agents share them that a stream writes {human(rate)} tokens a second"
        if math.isfinite(rate)
        else "too many agents share them"
    )
    waiting = facts.settled_mean("streams_waiting")
    full = f" and {in_words(waiting, 2)} wait for memory" if waiting >= 1 else ""
    return (
        f"{slow}{full}; more agents would only slow each other down, so add GPUs (cluster.n_gpus), a lighter model "
        "(serving.llm, serving.precision) or shorter contexts (tokens.context_growth_tokens)"
    )


def shortage_mw(facts: Facts) -> float:
    """By how much demand exceeded what could be supplied at the worst, nan if unknown, 0 if never."""
    demand, reach = facts.settled("demand_mw"), facts.settled("limit_mw")
    if demand is None or reach is None:
        return math.nan
    gaps = demand - reach
    return float(gaps[np.isfinite(gaps)].max(initial=0.0))


def _power(facts: Facts) -> str:
    capped, short, hot_h = facts.number("power.capped_mwh"), shortage_mw(facts), facts.number("power.cooling_binds_h")
    if hot_h > 0.5 * facts.number("binding.power") * facts.hours:
        return (
            f"not supply but chillers that could not take more heat away, in {duration(hot_h)}; {energy(capped)} were "
            "capped away; add cooling (cluster.cooling_limit_mw, cluster.n_chillers)"
        )
    took = (
        f"supply could not follow demand and {energy(capped)} were capped away"
        if capped > 0
        else "supply could not follow demand"
    )
    if short > 0:
        return (
            f"{took}; {power(short)} more supply (power.grid_mw, power.sources), or Megapacks enough to bridge the "
            "shortage (power.megapack.n_units), would lift the cap"
        )
    return f"{took}; add supply (power.grid_mw, power.sources) or Megapacks (power.megapack.n_units)"
