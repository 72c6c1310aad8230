"""What the datasheets say: GPUs, LLM shapes, and the names both go by in published measurements."""

import csv
import math
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

BYTES = {"bf16": 2.0, "fp8": 1.0, "fp4": 0.5625}
"""Bytes per weight. fp4 carries one fp8 scale per 16 values (NVFP4)."""


@dataclass(frozen=True)
class Gpu:
    """One GPU as its datasheet has it. Peaks are dense; a format the GPU lacks is 0."""

    name: str
    hbm_tb_s: float
    hbm_gb: float
    bf16_pflop_s: float
    fp8_pflop_s: float
    fp4_pflop_s: float
    limit_w: float
    link_gb_s: float
    domain: int
    nic_gb_s: float
    source: str

    def peak_flop_s(self, precision: str) -> float:
        """Dense peak in that format, FLOP/s; weights in a format the tensor cores lack are computed in bf16."""
        peaks = {"bf16": self.bf16_pflop_s, "fp8": self.fp8_pflop_s, "fp4": self.fp4_pflop_s}
        return (peaks[precision] or self.bf16_pflop_s) * 1e15


@dataclass(frozen=True)
class Llm:
    """Shape of one LLM. See the head of llms.csv for the columns."""

    name: str
    total_b: float
    active_b: float
    layers: int
    hidden: int
    heads: int
    head_dim: int
    kv_heads: int
    attention: str
    attention_layers: int
    window_layers: int
    window: int
    attends: int
    experts: int
    experts_used: int
    source: str

    @property
    def expert_b(self) -> float:
        """Parameters in routed experts, 10^9: total - active = expert * (1 - used / experts)."""
        return (self.total_b - self.active_b) / (1 - self.experts_used / self.experts) if self.experts else 0.0

    @property
    def kv_elements(self) -> int:
        """Cached numbers per context token, over all layers that keep a cache."""
        per_layer = self.head_dim if self.attention == "mla" else 2 * self.kv_heads * self.head_dim
        return self.attention_layers * per_layer

    @property
    def attention_flop(self) -> float:
        """FLOP per output token and token attended to; MLA in its absorbed form, 2*L*heads*(2*512 + 64)."""
        per_head = 2 * (2 * 512 + 64) if self.attention == "mla" else 4 * self.head_dim
        return float(self.attention_layers * self.heads * per_head)

    @property
    def prefill_attention_flop(self) -> float:
        """The same per prompt token; MLA is expanded there, 2*L*heads*(192 + 128)."""
        per_head = 2 * (192 + 128) if self.attention == "mla" else 4 * self.head_dim
        return float(self.attention_layers * self.heads * per_head)


@cache
def _rows(table: str) -> tuple[dict[str, str], ...]:
    lines = files("macrohard").joinpath("data", table).read_text(encoding="utf-8").splitlines()
    return tuple(csv.DictReader(line for line in lines if not line.startswith("#")))


def _gpu(row: dict[str, str]) -> Gpu:
    figures = {key: float(row[key] or 0) for key in list(row)[2:-1] if key != "domain"}
    return Gpu(name=row["name"], domain=int(row["domain"]), source=row["source"], **figures)


def _llm(row: dict[str, str]) -> Llm:
    counts = {key: int(row[key]) for key in list(row)[4:-1] if key != "attention"}
    return Llm(
        name=row["name"],
        attention=row["attention"],
        source=row["source"],
        total_b=float(row["total_b"]),
        active_b=float(row["active_b"]),
        **counts,
    )


GPUS: dict[str, Gpu] = {row["name"]: _gpu(row) for row in _rows("gpus.csv")}
LLMS: dict[str, Llm] = {row["name"]: _llm(row) for row in _rows("llms.csv")}


def gpu_named(name: str) -> Gpu:
    """The GPU a measurement or a scenario names in its own words; ValueError if it is none of GPUS."""
    found = _matched(name, "gpus.csv")
    if found is None:
        raise ValueError(f"no GPU {name!r}; choose from {', '.join(GPUS)}")
    return GPUS[found]


def llm_named(name: str) -> Llm:
    """The LLM of that name; one not in LLMS but named with its size, as 'Foo (120B-A12B)', gets a typical shape."""
    found = _matched(name, "llms.csv")
    if found is not None:
        return LLMS[found]
    billions = _sizes(name)
    if billions is None:
        raise ValueError(f"no LLM {name!r} and no size in the name; name it like 'Foo (120B-A12B)' or add a row")
    return typical_llm(name, *billions)


def precision_named(text: str) -> str:
    """The weight format: the narrowest one that the text names; int8 counts as fp8 and int4 as fp4."""
    words = text.lower()
    if any(word in words for word in ("fp4", "int4", "awq", "gptq", "w4a")):
        return "fp4"
    if any(word in words for word in ("fp8", "int8", "w8a8")):
        return "fp8"
    if any(word in words for word in ("bf16", "fp16", "16")):
        return "bf16"
    raise ValueError(f"no weight precision {text!r}; choose from {', '.join(BYTES)}")


def typical_llm(name: str, total_b: float, active_b: float) -> Llm:
    """The shape usual for its size: log layers, hidden and kv elements regressed on log parameters over LLMS.

    Mixture of experts: the part outside the routed experts is the median share of the active parameters, which
    gives the share of experts a token uses; 128 experts of which that share is used.
    """
    moe = total_b > 1.2 * active_b
    logs = _shape_law(moe) @ [1.0, math.log(total_b), math.log(active_b)]
    layers, hidden, kv_elements = (math.exp(log) for log in logs)
    expert_active_b = (1 - _outside_share()) * active_b
    used = max(1, round(128 * expert_active_b / (total_b - active_b + expert_active_b))) if moe else 0
    heads = max(8, round(hidden / 128))
    kv_heads = 2 ** max(0, round(math.log2(kv_elements / (2 * 128 * round(layers)))))
    return Llm(
        name, total_b, active_b, round(layers), round(hidden), heads, 128, kv_heads, "gqa", round(layers), 0, 0, 0,
        128 if moe else 0, used, "typical shape for its size",
    )  # fmt: skip


@cache
def _shape_law(moe: bool) -> np.ndarray:
    """Coefficients, shape (3 properties, 3 regressors), of the typical shape."""
    kin = [llm for llm in LLMS.values() if bool(llm.experts) == moe and llm.attention == "gqa"]
    sizes = np.array([[1.0, math.log(llm.total_b), math.log(llm.active_b)] for llm in kin])
    shapes = np.log([[llm.layers, llm.hidden, llm.kv_elements] for llm in kin])
    return np.asarray(np.linalg.lstsq(sizes, shapes, rcond=None)[0].T)


@cache
def _outside_share() -> float:
    shares = [(llm.total_b - llm.expert_b) / llm.active_b for llm in LLMS.values() if llm.experts]
    return float(np.median(shares))


def _words(name: str) -> set[str]:
    text = re.sub(r"([a-z])x([a-z]?)(?=\d)", r"\1x\2", name.lower())
    text = re.sub(r"\b\d+x(?=[a-z])", " ", text)  # 8xH100
    text = re.sub(r"\bllama(?=\d)", "llama ", text)
    text = re.sub(r"\b(sxm|hbm)\d\w*", r"\1", text)
    return {word.strip(".") for word in re.findall(r"[a-z0-9.]+", text)}


@cache
def _matched(name: str, table: str) -> str | None:
    """The row whose alias has all its words in the name and no other size than the name's; the longest alias wins."""
    words, best, found = _words(name), 0, None
    for row in _rows(table):
        if "total_b" in row and not _same_size(name, float(row["total_b"]), float(row["active_b"])):
            continue
        for alias in row["aliases"].split("|") + [row["name"]]:
            needed = _words(alias)
            if needed <= words and len(needed) > best:
                best, found = len(needed), row["name"]
    return found


def _same_size(name: str, total_b: float, active_b: float) -> bool:
    """Whether a name that tells its size ('R1-Distill-Llama-70B') can be of that many parameters."""
    told = None if re.search(r"\dx\d", name.lower()) else _sizes(name)
    return told is None or any(abs(math.log(told[0] / own)) < 0.25 for own in (total_b, active_b))


def _sizes(name: str) -> tuple[float, float] | None:
    text = name.lower().replace("_", "-")
    pair = re.search(r"(\d+(?:\.\d+)?)\s*([bt])\s*(?:-|/|\s|total|,)*\s*a?(\d+(?:\.\d+)?)\s*b", text)
    if pair:
        total = float(pair[1]) * (1000 if pair[2] == "t" else 1)
        return (total, float(pair[3])) if float(pair[3]) <= total else None
    one = re.search(r"(\d+(?:\.\d+)?)\s*([bt])(?![a-z])", text)
    if one is None:
        return None
    total = float(one[1]) * (1000 if one[2] == "t" else 1)
    return total, total
