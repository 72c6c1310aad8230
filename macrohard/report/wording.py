"""Keys of scenarios and summaries as people say them: a name, a unit, which way is better, a value with its unit."""

import math
import re
from collections.abc import Callable, Sequence

from macrohard.report.quantity import duration, energy, human, mass, percent, power, usd
from macrohard.report.scale import size_of

NAMES = {
    "work.tickets_done": "tickets done",
    "work.tickets_per_day": "tickets a day",
    "work.tickets_open": "tickets open at the end",
    "work.tickets_given_up": "tickets given up",
    "work.lead_time_h_p50": "median lead time",
    "work.lead_time_h_p90": "lead time of 9 in 10",
    "work.rework_share": "share of tokens that is rework",
    "work.change_failure_rate": "share of changes that fail",
    "work.developers_equivalent": "developers' equivalent",
    "tokens.tokens_per_ticket": "tokens a ticket",
    "gpu.tok_s_per_stream_mean": "tokens a second of one stream",
    "gpu.utilization_mean": "share of GPU time in use",
    "gpu.streams_mean": "streams decoding",
    "power.load_mwh": "energy used",
    "power.load_mean_mw": "mean load",
    "power.load_peak_mw": "peak load",
    "power.capped_mwh": "energy capped away",
    "power.unserved_mwh": "energy unserved",
    "power.loss_of_load_h": "hours with load shed",
    "power.soc_lowest": "lowest Megapack charge",
    "power.grid_mwh": "energy from the grid",
    "power.turbine_mwh": "energy from turbines",
    "cost.total_usd": "total cost",
    "cost.usd_per_ticket": "cost of a ticket",
    "cost.usd_per_million_decode_tokens": "cost of a million tokens written",
    "cost.kwh_per_ticket": "kWh a ticket",
    "cost.gpu_h_per_ticket": "GPU-hours a ticket, idle ones included",
    "cost.gpu_h_busy_per_ticket": "busy GPU-hours a ticket",
    "cost.co2_t": "CO2",
    "power.megapack.n_units": "Megapacks",
    "power.megapack.reserve": "Megapack reserve",
    "power.grid_mw": "grid contract",
    "power.dispatch": "dispatch policy",
    "cluster.n_gpus": "GPUs",
    "cluster.gpu": "GPU",
    "cluster.pue": "PUE",
    "serving.llm": "LLM",
    "training.share": "share of GPUs that train",
    "workforce.coding": "coding agents",
    "workforce.design": "design agents",
    "workforce.testing": "testing agents",
    "workforce.management": "managers",
    "workforce.topology": "team topology",
    "capability.horizon_min": "horizon of the model",
    "backlog.size_median_min": "median size of a ticket",
    "backlog.arrivals_per_day": "epics arriving a day",
}
FEWER_IS_BETTER = ("cost.", "power.unserved", "power.capped", "power.loss_of_load", "work.lead_time", "work.rework")
FEWER_TOO = ("work.tickets_open", "work.tickets_given_up", "work.change_failure_rate", "work.bad_shipped_share")
MORE_IS_BETTER = ("work.tickets_done", "work.tickets_per_day", "gpu.tok_s", "power.soc_lowest", "work.developers")
SHARES = ("_share", "_rate", "soc_lowest", "soc_end", "utilization_mean", ".share", ".reserve")
SMALL_UNITS = {"_mwh": "kWh", "_mw": "kW"}
SIGNS = {"<=": "\u2264", ">=": "\u2265", "!=": "\u2260"}
WRITTEN: tuple[tuple[tuple[str, ...], Callable[[float], str], str], ...] = (
    (("_mwh",), energy, "MWh"),
    (("_mw", "_mean_mw", "_peak_mw"), power, "MW"),
    (("_usd", "usd_per_ticket", "usd_per_million_decode_tokens"), usd, "USD"),
    (("_h", "_h_p50", "_h_p90"), duration, "h"),
    (("_min",), lambda minutes: human(minutes, "min"), "min"),
    (("co2_t",), mass, "t"),
    (SHARES, percent, ""),
)


def called(key: str) -> str:
    """The name of a figure or factor; its last words where nobody gave it one."""
    return NAMES.get(key) or key.rsplit(".", 1)[-1].replace("_", " ")


def titled(key: str) -> str:
    """The name with the unit its numbers bear on an axis."""
    unit = next((unit for ends, _, unit in WRITTEN if unit and key.endswith(ends)), "")
    name = called(key)
    return f"{name}, {unit}" if unit and "," not in name else name


def on_axis(key: str, highest: float) -> tuple[float, str]:
    """What values of a figure are divided by on an axis, and the title that then holds: shares stand in per cent."""
    if any(key.endswith(ends) for ends in SHARES):
        return 0.01, f"{called(key)}, %"
    small = next((unit for ends, unit in SMALL_UNITS.items() if key.endswith(ends)), "")
    if small and 0 < highest < 2:
        return 1e-3, f"{called(key)}, {small}"
    size, word = size_of(highest)
    return size, titled(key) + (f", {word}" if word else "")


def condition(text: str) -> str:
    """A condition as people say it: 'power.capped_mwh<=0' reads 'no energy capped away'."""
    key, test, bound = re.split("(>=|<=|==|!=|>|<)", text.replace(" ", ""))
    if test in ("<=", "==") and float(bound) == 0:
        return f"no {called(key)}"
    return f"{called(key)} {SIGNS.get(test, test)} {written(key, float(bound))}"


def written(key: str, value: object) -> str:
    """A value with its unit."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if not math.isfinite(value):
        return "n/a"
    write = next((write for ends, write, _ in WRITTEN if key.endswith(ends)), human)
    return write(float(value))


def better(key: str) -> int:
    """1 where more of it is better, -1 where less is, 0 where nobody can say."""
    if key.startswith(MORE_IS_BETTER):
        return 1
    return -1 if key.startswith((*FEWER_IS_BETTER, *FEWER_TOO)) else 0


def capital(words: str) -> str:
    """The words with a capital at their start."""
    return words[:1].upper() + words[1:]


def listed(items: Sequence[str]) -> str:
    """'a', 'a and b', 'a, b and c'; 'nothing' of none."""
    if not items:
        return "nothing"
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]
