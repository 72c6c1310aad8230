"""One LLM laid out on a group of GPUs: from the datasheets to the times of the roofline at peak. Host side only."""

import csv
import math
from functools import cache
from importlib.resources import files

from macrohard.colossus.hardware import BYTES, Gpu, Llm, gpu_named, llm_named
from macrohard.colossus.roofline import Serving, ServingFit

MEMORY_SHARE = 0.9
"""Share of HBM that an engine fills with weights and cache (engines' default)."""

RESERVED_GB = 4.0
"""Activations, graphs and buffers per GPU, GB  # assumed."""

UNLIMITED = 1e9


@cache
def serving_fit() -> ServingFit:
    """The fitted efficiencies and overheads of data/serving_fit.csv."""
    text = files("macrohard").joinpath("data", "serving_fit.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return ServingFit(**{row["parameter"]: float(row["value"]) for row in rows})


def weight_gb(llm: Llm, precision: str, outside_gpus: int, expert_gpus: int) -> float:
    """Weights per GPU, GB, with the part outside the experts spread over so many GPUs and the experts over so many."""
    outside = (llm.total_b - llm.expert_b) * _outside_bytes(llm, precision)
    return outside / outside_gpus + llm.expert_b * BYTES[precision] / expert_gpus


def replica_gpus(gpu: Gpu, llm: Llm, precision: str, wide: bool = True) -> int:
    """GPUs usual for one copy: wide expert parallelism takes the link domain, else weights fill <= 60 % of HBM."""
    if wide and llm.experts and llm.attention == "mla" and gpu.domain <= 72:
        return gpu.domain
    needed = weight_gb(llm, precision, 1, 1) / (0.6 * gpu.hbm_gb)
    return int(2 ** math.ceil(math.log2(max(needed, 1.0))))


def serving_of(
    gpu: Gpu | str,
    llm: Llm | str,
    precision: str = "fp8",
    kv_precision: str | None = None,
    *,
    gpus_per_replica: int | None = None,
    attention_ranks: int | None = None,
    placement: str = "aggregated",
    prefill_share: float = 0.5,
    prefill_gpus_per_replica: int | None = None,
    max_context_tokens: float = UNLIMITED,
    max_streams_per_gpu: float = UNLIMITED,
    kv_held_in_tools: bool = True,
    drafted: float = 0.0,
    accepted: float = 1.0,
    engine: str = "vllm",
    check: bool = True,
    fit: ServingFit | None = None,
) -> Serving:
    """The LLM on that GPU. Cache in fp8 under fp8 and fp4 weights, else bf16.

    attention_ranks: groups of GPUs that keep streams of their own (data-parallel attention); each GPU by itself for
    MLA, all together (tensor parallel) otherwise.

    ValueError if not even one stream of max_context_tokens fits, unless check is off.
    """
    gpu = gpu if isinstance(gpu, Gpu) else gpu_named(gpu)
    llm = llm if isinstance(llm, Llm) else llm_named(llm)
    n = gpus_per_replica or replica_gpus(gpu, llm, precision)
    ranks = attention_ranks or (n if llm.attention == "mla" else 1)
    kv_bytes = llm.kv_elements * BYTES[kv_precision or ("bf16" if precision == "bf16" else "fp8")]
    outside_gpus = max(1, n // ranks)
    copies = max(1.0, outside_gpus / llm.kv_heads)
    held_gb = weight_gb(llm, precision, outside_gpus, n)
    room_bytes = n * (MEMORY_SHARE * gpu.hbm_gb - held_gb - RESERVED_GB) * 1e9
    kv_tokens = room_bytes / (kv_bytes * copies) if kv_bytes else UNLIMITED
    full_share = 1 - llm.window_layers / llm.attention_layers if llm.attention_layers else 1.0
    if check:
        _refuse_if_too_big(gpu, llm, precision, n, kv_tokens, max_context_tokens, full_share)

    bandwidth = gpu.hbm_tb_s * 1e12
    outside_bytes, outside_b = _outside_bytes(llm, precision), llm.total_b - llm.expert_b
    outside_active_b = min(outside_b, llm.active_b)
    linear_s = 2e9 * (
        outside_active_b / gpu.peak_flop_s("fp8" if llm.experts and precision == "fp4" else precision)
        + (llm.active_b - outside_active_b) / gpu.peak_flop_s(precision)
    )
    bf16 = gpu.peak_flop_s("bf16")
    used_share = llm.experts_used / llm.experts if llm.experts else 0.0
    return Serving(
        fit=fit or serving_fit(),
        n_gpus=float(n),
        ranks=float(ranks),
        layers=float(llm.layers),
        is_moe=float(llm.experts > 0),
        is_fp8_moe=float(llm.experts > 0 and precision == "fp8"),
        is_trt=float(engine == "trt"),
        is_eager=float(engine == "eager"),
        dense_read_s=outside_b * 1e9 * outside_bytes / (outside_gpus * bandwidth),
        expert_read_s=llm.expert_b * 1e9 * BYTES[precision] / (n * bandwidth),
        log_missed=math.log1p(-used_share),
        linear_s=linear_s / n,
        link_s=_link_s(gpu, llm, n, ranks),
        kv_read_s=kv_bytes * copies / (n * bandwidth),
        attention_s=llm.attention_flop / (n * bf16),
        prefill_attention_s=llm.prefill_attention_flop / (n * bf16),
        full_share=full_share,
        window=float(llm.window),
        attends=float(llm.attends or UNLIMITED),
        kv_tokens=max(kv_tokens, 0.0),
        max_context_tokens=float(max_context_tokens),
        max_streams_per_gpu=float(max_streams_per_gpu),
        kv_held_in_tools=float(kv_held_in_tools),
        drafted=float(drafted),
        accepted=float(accepted),
        mixes=float(placement == "aggregated"),
        prefill_share=float(prefill_share),
        prefill_n_gpus=float(n if placement == "aggregated" else prefill_gpus_per_replica or n),
    )


def _outside_bytes(llm: Llm, precision: str) -> float:
    """Bytes per weight outside the experts, which fp4 checkpoints of mixtures leave in fp8."""
    return BYTES["fp8"] if llm.experts and precision == "fp4" else BYTES[precision]


def _link_s(gpu: Gpu, llm: Llm, n: int, ranks: int) -> float:
    """Link seconds per token: two bf16 all-reduces a layer, or experts' dispatch (fp8) and combine (bf16)."""
    per_s = (gpu.link_gb_s if n <= gpu.domain else gpu.nic_gb_s) * 1e9
    spread = (n - 1) / n
    if ranks > 1 and llm.experts:
        return llm.layers * min(llm.experts_used, n) * llm.hidden * 3 * spread / (n * per_s)
    return llm.layers * 2 * llm.hidden * 2 * 2 * spread / per_s


def _refuse_if_too_big(
    gpu: Gpu, llm: Llm, precision: str, n: int, kv_tokens: float, context: float, full_share: float
) -> None:
    if context >= UNLIMITED:
        context = 1024.0
    held = full_share * context + (1 - full_share) * min(context, llm.window)
    if kv_tokens < held:
        raise ValueError(
            f"serving: {llm.name} in {precision} on {n} x {gpu.name} has room for {max(kv_tokens, 0):,.0f} context "
            f"tokens, fewer than one stream of {context:,.0f}; use more GPUs per replica or a narrower precision"
        )
