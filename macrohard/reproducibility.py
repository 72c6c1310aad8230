"""How JAX is started: the same bits on every path on a CPU, one thread, and a compile cache kept between runs.

Only the process environment is written, and only before JAX starts; what the user has set stays.
"""

import os
import sys
from importlib.metadata import version
from pathlib import Path

FAST = "MACROHARD_FAST"
"""Environment: 1 gives up equal bits for speed (fused multiply-add allowed)."""

_ISA = "--xla_cpu_max_isa"
_FLAG = f"{_ISA}=AVX"  # AVX has no fused multiply-add, which XLA places differently in a loop and in a batch

_EMITTERS = "--xla_cpu_use_fusion_emitters"
_QUICK = f"{_EMITTERS}=false"
"""XLA's older emitters give the same bits and compile a tick in 10 s of CPU instead of 16; the newer ones' code is
faster by a tenth in batches, by a quarter where there are many agents."""

_KNOW_QUICK = ("0.10.",)
"""Releases of jaxlib that have been seen to take the flag: one that does not know it would end the process."""

_CACHE = {
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}

_THREADS = "NPROC"
"""Environment: threads that XLA runs a program with. One: the hundreds of small operations of a tick gain nothing from
a second (2,000 agents: 0.65 ms of CPU a tick instead of 0.37), and lose much where others use the machine too.
Compiling uses threads of its own."""

WIDE_FROM_AGENTS = 50_000
"""From so many agents on every core helps: 100,000 in 9 ms a tick on two cores instead of 13 (benchmarks.floor)."""


_ours: set[str] = set()
"""Variables that this process has set, and may take back."""


def prepare() -> None:
    """Sets XLA's flags and the folder of its compile cache, unless JAX has started or the user has set them."""
    if _started():
        return
    flags = os.environ.get("XLA_FLAGS", "")
    if os.environ.get(FAST) != "1" and _ISA not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} {_FLAG}".strip()
    if _EMITTERS not in flags and version("jaxlib").startswith(_KNOW_QUICK):
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {_QUICK}".strip()
    if _THREADS not in os.environ:
        os.environ[_THREADS] = "1"
        _ours.add(_THREADS)
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        folder = cache_folder()
        if folder is None:
            return
        os.environ["JAX_COMPILATION_CACHE_DIR"] = str(folder)
    for name, value in _CACHE.items():
        os.environ.setdefault(name, value)


def fit(n_agents: int) -> None:
    """For a large factory every core and the faster code, unless the user has said otherwise or JAX has started."""
    if n_agents >= WIDE_FROM_AGENTS and not _started():
        for_batches()
        if _ours:
            os.environ.pop(_THREADS, None)
            _ours.clear()


def for_batches() -> None:
    """Lets XLA compile longer for faster code, in this process and its children; too late once JAX has started."""
    _take_back(_QUICK)


def allow_fused() -> None:
    """Takes the reproducible flag back (`--fast`), for this process and its children; too late once JAX has started."""
    os.environ[FAST] = "1"
    _take_back(_FLAG)


def _take_back(flag: str) -> None:
    left = [each for each in os.environ.get("XLA_FLAGS", "").split() if each != flag]
    if left:
        os.environ["XLA_FLAGS"] = " ".join(left)
    else:
        os.environ.pop("XLA_FLAGS", None)


def cache_folder() -> Path | None:
    """The folder of the user's compile cache, made if need be; None where none can be written."""
    if sys.platform == "darwin":
        root = Path("~/Library/Caches").expanduser()
    else:
        root = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    folder = root / "macrohard" / "xla"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder if os.access(folder, os.W_OK) else None


def mode() -> str:
    """How this process computes: "reproducible", "fast", or "as started" if JAX was set up by somebody else."""
    flags = os.environ.get("XLA_FLAGS", "")
    if _foreign:
        return "as started"
    if _FLAG in flags.split():
        return "reproducible"
    return "fast" if os.environ.get(FAST) == "1" else "as started"


def flags() -> str:
    """XLA's flags in force, as they belong into `run.versions` and into the key of a digest."""
    return os.environ.get("XLA_FLAGS", "")


def _started() -> bool:
    """Whether JAX has read its environment: its backends are up."""
    bridge = sys.modules.get("jax._src.xla_bridge")
    return bridge is not None and bool(bridge.backends_are_initialized())


_foreign = _started() and _FLAG not in flags().split()
