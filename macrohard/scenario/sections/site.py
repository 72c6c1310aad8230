"""The sections about the machine: serving, training, cluster, power plant and Megapacks.

Defaults are one 8-GPU server on a grid connection; (A) marks an assumption. The bundled sites have their
sources in their own files.
"""

from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le
from pydantic import BeforeValidator, StringConstraints

from macrohard import names
from macrohard.scenario.sections.section import (
    POOL_NAME,
    Absent,
    Amount,
    Day,
    Moment,
    Positive,
    Section,
    Share,
    Text,
    one_of,
    row_of,
    supply,
)

Gpus = Annotated[int, Ge(0), Le(100_000_000)]
Units = Annotated[int, Ge(0), Le(100_000)]
Megawatts = Annotated[float, Ge(0), Le(1e6)]


class Model(Section):
    """One of several LLMs in service, with a pool of GPUs of its own; in order from small to large.

    A ticket is worked on by the LLM of the role, and by the next in the list after each escalation. What is left out
    is as [serving] and [capability] have it.
    """

    name: Annotated[Text, StringConstraints(pattern=POOL_NAME)]
    """What results call the pool: small letters, digits and underscores."""
    llm: Annotated[str, row_of("llms", sized=True)]
    """A row of the table of LLMs, or a name that tells its size, 'Foo (120B-A12B)'."""
    share: Annotated[float, Gt(0), Le(1)]
    """Share of the serving GPUs; the shares of all entries add to 1."""
    roles: tuple[Annotated[str, one_of(names.ROLES)], ...] = ()
    """Roles it serves first; those named by no entry are served by the first one."""
    precision: Annotated[Annotated[str, one_of(names.PRECISIONS)] | None, Absent] = None
    """Format of the weights."""
    kv_precision: Annotated[Annotated[str, one_of(names.KV_PRECISIONS)] | None, Absent] = None
    """Format of the KV cache."""
    gpus_per_replica: Annotated[Annotated[int, Ge(1), Le(4096)] | None, Absent] = None
    """GPUs that hold one copy of the LLM together; left out: usual for this LLM on this GPU."""
    placement: Annotated[Literal["aggregated", "disaggregated"] | None, Absent] = None
    """Prefill and decode on the same GPUs, or apart."""
    prefill_share: Annotated[Annotated[float, Gt(0), Le(0.99)] | None, Absent] = None
    """Disaggregated: share of the pool's GPUs that prefill."""
    max_context_tokens: Annotated[Annotated[int, Ge(1), Le(100_000_000)] | None, Absent] = None
    """Longest context admitted, tokens."""
    horizon_min: Annotated[Annotated[float, Gt(0), Le(1e9)] | None, Absent] = None
    """Size of an ordinary ticket this LLM solves half of the time, human minutes."""
    beta: Annotated[Annotated[float, Gt(0), Le(5)] | None, Absent] = None
    """Slope per doubling of size; take horizon_min, beta and rho from one fit."""
    rho: Annotated[Annotated[float, Gt(0), Le(0.99)] | None, Absent] = None
    """Correlation of tries at one ticket by this LLM."""


class Serving(Section):
    """The LLM and how it is laid out on the GPUs."""

    llm: Annotated[str, row_of("llms", sized=True)] = "gpt-oss-120b"
    """A row of the table of LLMs, or a name that tells its size, 'Foo (120B-A12B)'."""
    precision: Annotated[str, one_of(names.PRECISIONS)] = "fp4"
    """Format of the weights."""
    kv_precision: Annotated[str, one_of(names.KV_PRECISIONS)] = "fp8"
    """Format of the KV cache."""
    max_context_tokens: Annotated[int, Ge(1), Le(100_000_000)] = 131_072
    """Longest context admitted, tokens; one stream of it must fit into a replica."""
    max_streams_per_gpu: Annotated[float, Gt(0), Le(1e6)] = 1024.0
    """Most requests in flight per serving GPU, where memory would hold more."""
    kv_held_in_tools: bool = True
    """Whether a stream keeps its KV cache while its tools run."""
    placement: Literal["aggregated", "disaggregated"] = "aggregated"
    """Prefill and decode on the same GPUs, or on pools of their own."""
    prefill_share: Annotated[float, Gt(0), Le(0.99)] = 0.5
    """Disaggregated: share of the serving GPUs that prefill."""
    gpus_per_replica: Annotated[Annotated[int, Ge(1), Le(4096)] | None, Absent] = None
    """GPUs that hold one copy of the LLM together; left out: usual for this LLM on this GPU."""
    models: tuple[Model, ...] = ()
    """Several LLMs at once, each with a pool of the GPUs; none: `llm` serves all. With entries `llm` is not used."""


class Training(Section):
    """The part of the cluster that trains instead of serving agents."""

    share: Share = 0.0
    """Share of the GPUs that train."""
    swing: Share = 0.3
    """Swing of the training GPUs' power in step with each other, share of IT power (A; 0.3-0.8 reported)."""
    defers: bool = False
    """Whether training waits for power: it then runs only on what grid, sun and units reach without the Megapacks."""
    below_usd_per_mwh: Annotated[Annotated[float, Gt(0), Le(1e6)] | None, Absent] = None
    """Training that defers also waits while the grid costs this or more; left out: at any price."""


class Climate(Section):
    """Outdoor temperature: mean, and half the swing over the year and over the day; Memphis (A, rounded normals)."""

    mean_c: Annotated[float, Ge(-60), Le(60)] = 17.0
    season_c: Annotated[float, Ge(0), Le(60)] = 11.5
    """Half the difference between July and January means, K."""
    day_c: Annotated[float, Ge(0), Le(40)] = 5.0
    """Half the difference between afternoon and night, K."""
    spread_c: Annotated[float, Ge(0), Le(30)] = 0.0
    """Spread between days, K, by dice; 0: every year is the mean year."""


class Build(Section):
    """A step of the build-out: from that day on, so many GPUs are installed."""

    date: Day
    n_gpus: Gpus


def _as_build(value: object) -> object:
    """[date, n_gpus] is accepted for {date, n_gpus}."""
    return {"date": value[0], "n_gpus": value[1]} if isinstance(value, tuple) and len(value) == 2 else value


class Cluster(Section):
    """The GPUs, what fails, and what it takes to feed and cool them."""

    gpu: Annotated[str, row_of("gpus")] = "H100"
    """A row of the table of GPUs."""
    n_gpus: Gpus = 8
    """GPUs installed (at the end of the build-out, if there is one)."""
    pue: Annotated[Annotated[float, Ge(1), Le(5)] | None, Absent] = None
    """Site power over IT power, fixed; left out: from the cooling law below."""
    overhead: Annotated[float, Ge(0), Le(2)] = 0.05
    """Network and storage, share of the power of the servers (A)."""
    cooling_share: Annotated[float, Ge(0), Le(2)] = 0.10
    """Pumps, fans and losses at full load, share of IT power; half of it is fixed (A)."""
    chiller_cop: Annotated[float, Gt(0), Le(100)] = 3.0
    """Heat moved per electricity by the chillers at 35 C (A)."""
    chiller_start_c: Annotated[float, Ge(-60), Le(60)] = 20.0
    """Below this outdoor temperature no chiller runs (A)."""
    chiller_full_c: Annotated[float, Ge(-60), Le(80)] = 35.0
    """From this outdoor temperature on all heat goes through chillers (A)."""
    cooling_limit_mw: Annotated[Annotated[float, Gt(0), Le(1e6)] | None, Absent] = None
    """Most IT heat that all chillers take away at 35 C, MW; left out: any."""
    n_chillers: Annotated[int, Ge(0), Le(100_000)] = 0
    """Chillers that share that limit and fail one by one; 0: none fails."""
    chiller_mtbf_h: Positive = 10_000.0
    """Mean time between failures of a chiller, h (A)."""
    chiller_mttr_h: Positive = 48.0
    """Mean time to repair a chiller, h (A)."""
    climate: Climate = Climate()
    gpu_mtbf_h: Positive = 50_000.0
    """Mean time between failures of a GPU, h (A)."""
    gpu_mttr_h: Amount = 24.0
    """Mean time until a spare stands in for a GPU, h (A)."""
    rack_mtbf_h: Positive = 50_000.0
    """Mean time between failures of a rack or server, h (A)."""
    rack_mttr_h: Amount = 24.0
    """Mean time until a rack or server is repaired or another stands in, h (A)."""
    gpu_spares: Annotated[Annotated[int, Ge(0), Le(100_000_000)] | None, Absent] = None
    """GPUs kept to stand in for failed ones; left out: never too few."""
    gpu_repair_h: Positive = 720.0
    """Mean time until a failed GPU is back on the shelf, repaired or replaced, h (A)."""
    rack_spares: Annotated[Annotated[int, Ge(0), Le(100_000_000)] | None, Absent] = None
    """Racks or servers kept to stand in; left out: never too few."""
    rack_repair_h: Positive = 720.0
    """Mean time until a failed rack or server is back on the shelf, h (A)."""
    build_out: tuple[Annotated[Build, BeforeValidator(_as_build)], ...] = ()
    """Steps in which the GPUs come, in order of date; none: all are there from the start."""


class Source(Section):
    """A group of equal units that supply power. What is left out is as the table of turbines has it for the kind."""

    name: Annotated[Text, StringConstraints(max_length=80)] = ""
    """What results call it; the kind if left out."""
    kind: Annotated[str, supply()]
    """A machine, or solar; `gas_turbine` is one to be described by the keys below."""
    n_units: Units = 1
    p_nom_mw: Annotated[Annotated[float, Gt(0), Le(10_000)] | None, Absent] = None
    """Rating of one unit, at 15 C, MW; solar has none of its own."""
    min_load_share: Annotated[Annotated[float, Ge(0), Le(1)] | None, Absent] = None
    """Least stable output of a unit, share of its rating."""
    ramp_share_per_min: Annotated[Annotated[float, Gt(0), Le(100)] | None, Absent] = None
    """Change of output a minute, share of the rating."""
    start_min: Annotated[Annotated[float, Ge(0), Le(10_000)] | None, Absent] = None
    """From a cold start to full output, min."""
    min_up_min: Annotated[Annotated[float, Ge(0), Le(10_000)] | None, Absent] = None
    """Least time a unit runs once started, min."""
    min_down_min: Annotated[Annotated[float, Ge(0), Le(10_000)] | None, Absent] = None
    """Least time a unit rests once stopped, min."""
    starts_per_year: Annotated[Annotated[float, Ge(0), Le(1e6)] | None, Absent] = None
    """Starts a unit may make in a year; left out: any number."""
    derate_per_k: Annotated[Annotated[float, Ge(0), Le(0.1)] | None, Absent] = None
    """Loss of output per K above 15 C, share of the rating."""
    heat_rate_btu_per_kwh: Annotated[Annotated[float, Gt(3412), Le(100_000)] | None, Absent] = None
    """Fuel per electricity, higher heating value, Btu/kWh; above 3,412 since no machine is perfect."""
    no_load_fuel_share: Annotated[Share | None, Absent] = None
    """Fuel at no output, as a share of the fuel at full output."""
    gas_usd_per_mmbtu: Annotated[Annotated[float, Ge(0), Le(1e6)] | None, Absent] = None
    """Price of this source's gas, delivered, USD/MMBtu; left out: that of [economics]."""
    forced_outage_share: Annotated[Annotated[float, Ge(0), Le(1)] | None, Absent] = None
    """Share of the time a unit is out unplanned."""
    mttr_h: Annotated[Annotated[float, Gt(0), Le(10_000)] | None, Absent] = None
    """Mean time to repair a unit, h."""
    planned_outage: bool = False
    """Whether the units are taken out for maintenance."""
    leased: bool = False
    """Whether the units are leased by the month ([economics]) instead of bought and written off."""
    planned_outage_h_per_year: Annotated[Annotated[float, Ge(0), Le(8760)] | None, Absent] = None
    """Maintenance of a unit, h a year."""
    om_usd_per_mwh: Annotated[Annotated[float, Ge(0), Le(10_000)] | None, Absent] = None
    """Operation and maintenance, USD/MWh."""
    nox_lb_per_mwh: Annotated[Annotated[float, Ge(0), Le(1000)] | None, Absent] = None
    """Nitrogen oxides with catalytic reduction, lb/MWh."""
    nox_raw_lb_per_mwh: Annotated[Annotated[float, Ge(0), Le(1000)] | None, Absent] = None
    """Nitrogen oxides without it, lb/MWh."""
    permit_from: Annotated[Day | None, Absent] = None
    """First day the units may run."""
    permit_until: Annotated[Day | None, Absent] = None
    """First day the units may no longer run."""


class Call(Section):
    """A call of the utility to draw less from the grid."""

    date: Moment
    """When it begins, local time; a date alone is midnight."""
    hours: Annotated[float, Gt(0), Le(8760)]
    mw: Megawatts
    """Taken off the grid contract while it lasts, MW."""


class Megapack(Section):
    """The block of Megapacks. State of charge (soc) is a share of the rated energy."""

    kind: Annotated[str, row_of("batteries")] = "megapack2xl_4h"
    """A row of the table of batteries."""
    n_units: Units = 0
    soc_start: Share = 0.90
    """State of charge at the start (A)."""
    soc_min: Share = 0.10
    """Never discharged below."""
    soc_max: Share = 0.95
    """Never charged above."""
    reserve: Share = 0.30
    """Below this, discharged only when supply is short."""


class Power(Section):
    """What feeds the site, in the order of the list where running costs are equal."""

    grid_mw: Megawatts = 0.02
    """Grid contract, MW."""
    grid_ramp_mw_per_min: Annotated[Annotated[float, Gt(0), Le(1e6)] | None, Absent] = None
    """Change of the grid draw a minute, MW; left out: 10 % of the contract (A; no public value found)."""
    dispatch: Annotated[str, one_of(names.DISPATCH)] = "follow"
    """Rule that shares the load out."""
    peak_mw: Annotated[Annotated[float, Gt(0), Le(1e6)] | None, Absent] = None
    """Grid draw that `peak_shave` stays under, MW."""
    deferral: Annotated[str, one_of(names.DEFERRALS)] = "never"
    """When tickets of low priority wait: power is `short`, the `battery` has to help, or the grid is `dear`."""
    defer_from_priority: Annotated[int, Ge(1), Le(3)] = 2
    """Tickets of this priority and of later ones wait; 0 is first, 3 last."""
    defer_above_usd_per_mwh: Annotated[Annotated[float, Gt(0), Le(1e6)] | None, Absent] = None
    """Price of the grid from which it is `dear`, USD/MWh."""
    nox_permit_short_tons: Annotated[Annotated[float, Gt(0), Le(1e6)] | None, Absent] = None
    """Nitrogen oxides that the permit of all units allows in a year, short tons."""
    curtailment: tuple[Call, ...] = ()
    sources: tuple[Source, ...] = ()
    megapack: Megapack = Megapack()
