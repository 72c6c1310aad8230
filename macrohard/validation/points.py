"""One published operating point: a row of a points file as layout, demand and the value measured there."""

import re
from dataclasses import dataclass, replace

import pandas as pd

from macrohard.colossus.hardware import Gpu, Llm, gpu_named, llm_named, precision_named
from macrohard.colossus.layout import UNLIMITED, replica_gpus, serving_of
from macrohard.colossus.serving import Demand, Serving

PROMPT_TOKENS = {"LM-Arena": 150, "GPQA": 250, "CNN": 780, "OpenOrca": 290}
"""Mean prompt of a data set where the row leaves it blank  # assumed, from the data sets' cards."""

MLPERF_TOKENS = {
    "Llama-2-70B": (290, 290), "Llama-3.1-8B": (780, 73), "Mixtral-8x7B": (220, 145),
    "DeepSeek-R1": (800, 3770), "Llama-3.1-405B": (9400, 680),
}  # fmt: skip
"""Mean prompt and answer of the MLPerf Inference data sets, tokens (MLCommons data-set descriptions)."""

NARROWED = 0.9
"""Mean of InferenceX's uniform lengths, 0.8 to 1.0 of the nominal ones (README of the data)."""

DRAFTED, ACCEPTED = 2.0, 1.8
"""Multi-token prediction where a row does not say how many tokens are drafted and pass (fitted, see docs)."""

MAX_BATCH = 2048.0
"""Streams per rank that engines admit at maximum load  # assumed, the engines' usual setting."""


@dataclass(frozen=True)
class Point:
    """One measured operating point, ready for `serve`. measured: s per token, or tok/s per GPU where offline."""

    kind: str
    serving: Serving
    n_gpus: float
    demand: Demand
    measured: float


def kind_of(row: pd.Series) -> str:
    """What the row measured: aggregated, speculative, disaggregated, offline, or one pool alone."""
    notes = notes_of(row)
    if "pool only" in notes:
        return "prefill pool" if "prefill pool only" in notes else "decode pool"
    if "disaggregated" in notes:
        return "disaggregated speculative" if _speculates(notes) else "disaggregated"
    if not number(row, "tok_s_user") or not number(row, "concurrency"):
        return "offline"
    return "speculative" if _speculates(notes) else "aggregated"


def point_of(row: pd.Series) -> Point:
    """The row as layout, demand and measured value; ValueError says why it cannot be predicted."""
    point = layout_of(row)
    return replace(point, measured=_measured(row, point.kind))


def layout_of(row: pd.Series, usual_tokens: float | None = None) -> Point:
    """The same without the measured value, which is nan. usual_tokens: prompt and answer where a row has neither."""
    gpu, llm = gpu_named(str(row["hardware"])), llm_named(str(row["model"]))
    precision, kind, notes = precision_named(str(row["precision"])), kind_of(row), notes_of(row)
    n_gpus = number(row, "n_gpus") or refuse("n_gpus is missing")
    prompt, answer = _lengths(row, llm, usual_tokens)
    streams = number(row, "concurrency") or UNLIMITED
    speculates = _speculates(notes)
    serving = _layout(gpu, llm, precision, kind, int(n_gpus), notes, speculates, str(row.get("source", "")))
    only_decode = "ITL" in notes or kind == "decode pool"
    hits = re.search(r"hit rate (0?\.\d+)", notes)
    computed = prompt * (1 - float(hits[1])) if hits else prompt
    demand = Demand(streams, 1.0, answer, 0.0 if only_decode else computed, prompt, 0.0)
    return Point(kind, serving, n_gpus, demand, float("nan"))


def _measured(row: pd.Series, kind: str) -> float:
    if kind == "prefill pool":
        return number(row, "tok_s_per_gpu_total") or refuse("a prefill pool without tok_s_per_gpu_total")
    if kind in ("offline", "decode pool"):
        return number(row, "tok_s_per_gpu_out") or refuse("neither tok_s_user with concurrency nor tok_s_per_gpu_out")
    return 1 / (number(row, "tok_s_user") or refuse("tok_s_user is missing"))


def _lengths(row: pd.Series, llm: Llm, usual_tokens: float | None) -> tuple[float, float]:
    notes, prompt, answer = notes_of(row), number(row, "isl"), number(row, "osl")
    usual = MLPERF_TOKENS.get(llm.name) if "MLPerf" in str(row.get("source", "")) else None
    for dataset, tokens in PROMPT_TOKENS.items():
        if dataset in notes:
            prompt = prompt or float(tokens)
    if usual:
        prompt, answer = prompt or usual[0], answer or usual[1]
    if "pool only" in notes:
        answer = answer or 1000.0  # assumed, the blogs' usual 1k to 2k answers
    narrowed = NARROWED if re.search("InferenceX|aiconfigurator", str(row.get("source", ""))) else 1.0
    if "ML.ENERGY" in str(row.get("source", "")):
        prompt = prompt or 500.0  # assumed, data sets of unknown prompts
    prompt, answer = prompt or usual_tokens, answer or usual_tokens
    return (prompt or refuse("isl is missing")) * narrowed, (answer or refuse("osl is missing")) * narrowed


def _layout(
    gpu: Gpu, llm: Llm, precision: str, kind: str, n_gpus: int, notes: str, speculates: bool, source: str
) -> Serving:
    """The replica the notes tell of: TPn, DPn, DPA (attention data-parallel), pools and workers of each."""
    drafted, accepted = (DRAFTED, ACCEPTED) if speculates else (0.0, 1.0)
    n, prefill_n, prefill_share, aggregated = n_gpus, n_gpus, 0.0, True
    layout = notes
    pools = re.search(r"prefill_gpus=(\d+) \((\d+)x([^)]*)\); decode_gpus=(\d+) \((\d+)x([^)]*)\)", notes)
    if pools:
        aggregated, layout = False, pools[6]
        n, prefill_n = int(pools[4]) // int(pools[5]), int(pools[1]) // int(pools[2])
        prefill_share = int(pools[1]) / (int(pools[1]) + int(pools[4]))
    elif kind.startswith("disaggregated"):
        refuse("disaggregated without its prefill and decode GPUs")
    if kind == "offline" and "TP" not in notes:
        n = min(n_gpus, replica_gpus(gpu, llm, precision))
    ranks = 1 if "TP" in notes or llm.attention != "mla" else n
    parallel = re.search(r"DP(\d+)", layout)
    if "DPA" in layout or (kind == "decode pool"):
        ranks = n
    elif parallel and int(parallel[1]) > 1:
        ranks = int(parallel[1])
    stages_told = re.search(r"PP(\d+)", layout)
    stages = int(stages_told[1]) if stages_told and n % int(stages_told[1]) == 0 else 1

    def replica(gpus: int) -> Serving:
        return serving_of(
            gpu,
            llm,
            precision,
            gpus_per_replica=gpus,
            attention_ranks=min(ranks, gpus),
            prefill_gpus_per_replica=max(prefill_n // stages, 1),
            placement="aggregated" if aggregated else "disaggregated",
            prefill_share=prefill_share,
            drafted=drafted,
            accepted=accepted,
            engine=_engine(notes, source),
            check=False,
            max_streams_per_gpu=MAX_BATCH * ranks / n if kind == "offline" else UNLIMITED,
        )

    # a pipeline of k stages is as fast as k replicas of n / k GPUs each, with its cache shared among them;
    # a layout whose cache would not hold one stream by our reckoning was measured, so it did
    kv_tokens = replica(n).kv_tokens / stages
    return replace(replica(n // stages), kv_tokens=kv_tokens if kv_tokens > 1 else UNLIMITED)


def _engine(notes: str, source: str) -> str:
    """The engine the notes name; MLPerf and TensorRT-LLM sources run the latter, ML.ENERGY its own build of vLLM."""
    told = re.search(r"engine=([\w-]+)", notes)
    if "trt" in (told[1] if told else "") or re.search(r"TensorRT|_TRT", source + notes):
        return "trt"
    return "eager" if "ML.ENERGY" in source else "vllm"


def notes_of(row: pd.Series) -> str:
    """The notes of the row, empty if it has none."""
    return "" if pd.isna(row.get("notes")) else str(row["notes"])


def _speculates(notes: str) -> bool:
    told = re.search(r"spec_decode=(\w+)", notes)
    return told is not None and told[1].lower() != "none"


def number(row: pd.Series, column: str) -> float | None:
    """A positive figure of the row, None if it is blank, missing or no number."""
    try:
        value = float(row[column])
    except (KeyError, TypeError, ValueError):
        return None
    return value if 0 < value < UNLIMITED else None


def refuse(why: str) -> float:
    """Says why a row cannot be predicted."""
    raise ValueError(why)
