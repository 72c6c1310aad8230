"""The suite runs as users do in the reproducible mode: no fused multiply-add, set before JAX starts."""

import os

os.environ["XLA_FLAGS"] = " ".join(
    flag
    for flag in [*os.environ.get("XLA_FLAGS", "").split(), "--xla_cpu_max_isa=AVX"]
    if not flag.startswith("--xla_cpu_max_isa=") or flag.endswith("=AVX")
)
os.environ.pop("MACROHARD_FAST", None)

import macrohard  # noqa: E402, F401  the compile cache, too
