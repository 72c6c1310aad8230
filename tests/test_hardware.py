"""Datasheets: every name met in measurements is found, and derived shapes agree with published figures."""

import pytest

from macrohard.colossus.hardware import GPUS, LLMS, gpu_named, llm_named, precision_named


@pytest.mark.parametrize(
    ("name", "gpu"),
    [
        ("GB200 NVL72", "GB200"),
        ("H100 SXM", "H100"),
        ("NVIDIA H100 80GB HBM3", "H100"),
        ("8xH200", "H200"),
        ("GB300 NVL72", "GB300"),
        ("B300 (HGX)", "B300"),
        ("A100-SXM4-80GB", "A100"),
        ("AMD Instinct MI300X", "MI300X"),
        ("H100 PCIe", "H100 PCIe"),
        ("L40S", "L40S"),
        ("RTX 6000 Ada", "RTX 6000 Ada"),
        ("RTX PRO 6000 Blackwell Server Edition", "RTX PRO 6000"),
        ("NVIDIA RTX A6000", "RTX A6000"),
        ("AWS Trainium 2", "Trainium2"),
        ("TPU v6e (Trillium)", "TPU v6e"),
        ("Intel Gaudi 3", "Gaudi 3"),
        ("AMD Instinct MI355X", "MI355X"),
        ("NVIDIA B300 SXM6 AC", "B300"),
    ],
)
def test_a_gpu_is_found_by_the_names_measurements_use(name, gpu):
    assert gpu_named(name).name == gpu


def test_an_unknown_gpu_is_refused_by_name():
    with pytest.raises(ValueError, match="no GPU 'FooChip 9'"):
        gpu_named("FooChip 9")


@pytest.mark.parametrize(
    ("name", "llm"),
    [
        ("DeepSeek-R1-0528 (671B-A37B)", "DeepSeek-R1"),
        ("DeepSeek-V3/R1 (671B-A37B)", "DeepSeek-R1"),
        ("DeepSeek-V3.2-Exp", "DeepSeek-V3.2"),
        ("meta-llama/Llama-3.1-70B-Instruct", "Llama-3.3-70B"),
        ("Llama-2-70B", "Llama-2-70B"),
        ("Qwen3-Coder-480B-A35B-Instruct-FP8", "Qwen3-Coder-480B-A35B"),
        ("Qwen3-VL-235B-A22B", "Qwen3-235B-A22B"),
        ("MiniMax-M2.5 (230B-A10B)", "MiniMax-M2"),
        ("Kimi-K2.5 (1T-A32B)", "Kimi-K2"),
        ("openai/gpt-oss-20b", "gpt-oss-20b"),
        ("Mixtral-8x7B", "Mixtral-8x7B"),
        ("GLM-4.6 (355B total, 32B active)", "GLM-4.5"),
        ("Qwen3-Next-80B-A3B", "Qwen3-Next-80B-A3B"),
        ("Mistral-Large 123B", "Mistral-Large-2"),
        ("DeepSeek-V3-0324", "DeepSeek-R1"),
        ("Qwen3-235B-A22B-Thinking-2507", "Qwen3-235B-A22B"),
    ],
)
def test_an_llm_is_found_by_the_names_measurements_use(name, llm):
    assert llm_named(name).name == llm


def test_a_size_in_the_name_overrules_a_family_name():
    """R1-Distill-Llama-70B is a 70B dense LLM, not the 671B mixture whose name it bears."""
    assert llm_named("DeepSeek-R1-Distill-Llama-70B").total_b == pytest.approx(70, rel=0.02)


@pytest.mark.parametrize(
    ("name", "sizes"), [("Foo (120B-A12B)", (120, 12)), ("Bar-9B", (9, 9)), ("Baz 1T-A50B", (1000, 50))]
)
def test_an_llm_known_by_its_size_alone_gets_a_plausible_shape(name, sizes):
    llm = llm_named(name)
    assert (llm.total_b, llm.active_b) == sizes
    assert 20 <= llm.layers <= 130
    assert 1024 <= llm.hidden <= 16384
    assert 5_000 <= llm.kv_elements <= 400_000
    assert llm.expert_b < llm.total_b


def test_an_llm_without_a_size_is_refused():
    with pytest.raises(ValueError, match="no size in the name"):
        llm_named("Mystery")


def test_shapes_give_the_figures_of_the_model_document():
    """docs/serving.md: KV elements per token, dense part of R1 about 17B, a_d of R1 17.0M and a_p 5.0M FLOP."""
    elements = {name: LLMS[name].kv_elements for name in ("DeepSeek-R1", "gpt-oss-120b", "Qwen3-235B-A22B")}
    assert elements == {"DeepSeek-R1": 35_136, "gpt-oss-120b": 36_864, "Qwen3-235B-A22B": 96_256}
    assert LLMS["Qwen3-Coder-480B-A35B"].kv_elements == 126_976
    assert LLMS["Llama-3.1-405B"].kv_elements == 258_048
    r1 = LLMS["DeepSeek-R1"]
    assert r1.total_b - r1.expert_b == pytest.approx(17, abs=0.6)
    assert r1.attention_flop == pytest.approx(17.0e6, rel=0.01)
    assert r1.prefill_attention_flop == pytest.approx(5.0e6, rel=0.01)


def test_every_row_is_sane_and_has_a_source():
    for gpu in GPUS.values():
        assert gpu.source and 0.1 < gpu.hbm_tb_s < 10 and gpu.bf16_pflop_s > 0 and gpu.limit_w > 50
    for llm in LLMS.values():
        assert (
            llm.source and 0 < llm.active_b <= llm.total_b and llm.window_layers <= llm.attention_layers <= llm.layers
        )
        assert -0.01 <= llm.total_b - llm.expert_b <= llm.total_b


@pytest.mark.parametrize(
    ("text", "precision"),
    [("fp8 attention + nvfp4 MoE", "fp4"), ("bf16 attention + fp8 MoE", "fp8"), ("BF16", "bf16"), ("mxfp4", "fp4")],
)
def test_the_narrowest_format_named_is_the_precision(text, precision):
    assert precision_named(text) == precision
