"""A cluster from plain numbers and the tables of GPUs and racks. Host side; faults name field, value, remedy."""

from collections.abc import Mapping, Sequence

import jax.numpy as jnp

from macrohard.colossus.climate import Climate
from macrohard.colossus.cluster import Capping, Cluster, Rack
from macrohard.colossus.cooling import Cooling
from macrohard.colossus.gpu_power import gpu_power_of
from macrohard.colossus.hardware import Gpu, gpu_named
from macrohard.colossus.tables import checked, rows
from macrohard.colossus.units import KW_PER_MW

_BUCKETS = (4, 16, 64, 256)


def cluster_of(
    gpu: Gpu | str = "GB200",
    n_gpus: float = 0.0,
    *,
    pue: float | None = None,
    overhead: float = 0.05,
    cooling_share: float = 0.10,
    chiller_cop: float = 3.0,
    chiller_start_c: float = 20.0,
    chiller_full_c: float = 35.0,
    chiller_share: float = 1.0,
    cooling_limit_mw: float | None = None,
    n_chillers: float = 0.0,
    chiller_mtbf_h: float = 10_000.0,
    chiller_mttr_h: float = 48.0,
    climate: Mapping[str, float] | Climate | None = None,
    gpu_mtbf_h: float = 50_000.0,
    gpu_mttr_h: float = 24.0,
    rack_mtbf_h: float = 50_000.0,
    rack_mttr_h: float = 24.0,
    gpu_spares: float | None = None,
    gpu_repair_h: float = 720.0,
    rack_spares: float | None = None,
    rack_repair_h: float = 720.0,
    build_out: Sequence[tuple[float, float]] = (),
    training_share: float = 0.0,
    training_swing: float = 0.3,
    training_defers: bool = False,
    training_below_usd_per_mwh: float = 1e9,
    unallocated_share: float = 0.0,
    pool_share: Sequence[float] = (1.0,),
    capping: Capping | None = None,
) -> Cluster:
    """The cluster. build_out: (hours since start, GPUs from then on) in order of time; none: n_gpus from the start.

    A GPU is up unless it or its rack has failed and no spare stands in yet: mtbf / (mtbf + mttr) of each, where the
    wait for a spare adds to mttr if spares are counted.
    """
    known = gpu if isinstance(gpu, Gpu) else gpu_named(gpu)
    for name, share in (("overhead", overhead), ("cooling_share", cooling_share)):
        checked(f"cluster.{name}", share, 0.0, 10.0)
    for name, share in (("training.share", training_share), ("training.swing", training_swing)):
        checked(name, share, 0.0, 1.0)
    checked("cluster.unallocated_share", unallocated_share, 0.0, 1.0)
    checked("cluster.n_gpus", n_gpus, 0.0, 1e9)
    for name, hours in (("gpu_mtbf_h", gpu_mtbf_h), ("rack_mtbf_h", rack_mtbf_h)):
        checked(f"cluster.{name}", hours, 1e-6)
    for name, hours in (("gpu_mttr_h", gpu_mttr_h), ("rack_mttr_h", rack_mttr_h)):
        checked(f"cluster.{name}", hours)
    begins, added = _steps(n_gpus, build_out)
    rack = rack_of(known)
    gpu_out_h = gpu_mttr_h + wait_for_spare_h(n_gpus, gpu_mtbf_h, gpu_repair_h, gpu_spares)
    rack_out_h = rack_mttr_h + wait_for_spare_h(float(n_gpus / rack.n_gpus), rack_mtbf_h, rack_repair_h, rack_spares)
    return Cluster(
        gpu_power=gpu_power_of(known),
        rack=rack,
        cooling=Cooling(
            share=cooling_share,
            chiller_cop=checked("cluster.chiller_cop", chiller_cop, 1e-3),
            chiller_start_c=chiller_start_c,
            chiller_full_c=chiller_full_c,
            chiller_share=checked("cluster.chiller_share", chiller_share, 0.0, 1.0),
            limit_mw=1e9 if cooling_limit_mw is None else checked("cluster.cooling_limit_mw", cooling_limit_mw),
            n_chillers=checked("cluster.n_chillers", n_chillers, 0.0, 1e6),
            chiller_mtbf_h=checked("cluster.chiller_mtbf_h", chiller_mtbf_h, 1e-6),
            chiller_mttr_h=checked("cluster.chiller_mttr_h", chiller_mttr_h, 1e-6),
            pue=0.0 if pue is None else checked("cluster.pue", pue, 1.0, 5.0),
        ),
        climate=climate if isinstance(climate, Climate) else Climate(**(climate or {})),
        capping=capping or Capping(),
        build_from_h=jnp.asarray(begins, jnp.float32),
        build_added=jnp.asarray(added, jnp.float32),
        available_share=gpu_mtbf_h / (gpu_mtbf_h + gpu_out_h) * rack_mtbf_h / (rack_mtbf_h + rack_out_h),
        overhead=overhead,
        training_share=training_share,
        swing_share=training_swing,
        training_defers=1.0 if training_defers else 0.0,
        training_below_usd_per_mwh=training_below_usd_per_mwh,
        unallocated_share=unallocated_share,
        pool_share=jnp.asarray(pool_share, jnp.float32) if len(pool_share) > 1 else 1.0,
    )


def wait_for_spare_h(n_units: float, mtbf_h: float, repair_h: float, n_spares: float | None) -> float:
    """Mean time a failure waits for a spare, h; none counted: 0.

    Failed units in repair are Poisson with mean n_units / mtbf * repair (Palm); those beyond the spares are waited for,
    and Little's law turns their mean number into a time (Sherbrooke, "METRIC", Operations Research 16, 1968).
    """
    if n_spares is None or n_units <= 0:
        return 0.0
    from scipy.stats import poisson

    per_h = n_units / mtbf_h
    mean = per_h * repair_h
    missing = mean * float(poisson.sf(n_spares - 1, mean)) - n_spares * float(poisson.sf(n_spares, mean))
    return max(missing, 0.0) / per_h


def rack_of(gpu: Gpu | str) -> Rack:
    """The rack or server that holds that GPU (data/racks.csv)."""
    known = gpu if isinstance(gpu, Gpu) else gpu_named(gpu)
    table = rows("racks")
    row = next((row for row in table if known.name in row["gpus"].split("|")), table[-1])
    n_gpus, base_w, slope = int(row["gpus_per_rack"]), float(row["base_w"]), float(row["slope"])
    build_up_kw = n_gpus * (base_w + slope * known.limit_w) / KW_PER_MW
    return Rack(n_gpus, base_w, slope, float(row["rating_kw"]) if row["rating_kw"] else 1.3 * build_up_kw)


def _steps(n_gpus: float, build_out: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    """Hours and GPUs added then, padded to a bucket."""
    steps = list(build_out) or [(-1e9, n_gpus)]
    hours = [hour for hour, _ in steps]
    if hours != sorted(hours):
        raise ValueError(f"cluster.build_out: hours {hours!r} go back in time; give the steps in order")
    size = next((bucket for bucket in _BUCKETS if len(steps) <= bucket), None)
    if size is None:
        raise ValueError(f"cluster.build_out: {len(steps)} steps; at most {_BUCKETS[-1]} fit, merge some")
    counts = [checked("cluster.build_out", float(count), 0.0, 1e9) for _, count in steps]
    added = [count - before for before, count in zip([0.0, *counts], counts, strict=False)]
    padding = size - len(steps)
    return hours + [1e9] * padding, added + [0.0] * padding
