"""What this machine and installation have: versions, devices, caches, and what stands in the way of a run."""

import os
import platform
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from macrohard import __version__, reproducibility

_NEEDED = ("jax", "jaxlib", "mesa", "networkx", "numpy", "pandas", "pyarrow", "pydantic", "rich", "scipy", "typer")

_EXTRAS = {
    "ray": "ray", "sensitivity": "SALib", "viz": "solara", "notebooks": "nbclient", "docs": "mkdocs-material",
}  # fmt: skip
"""A package of each extra that stands for it."""

Report = dict[str, str | int | float | list[str] | dict[str, str]]


def examine() -> Report:
    """Versions, devices, memory and caches of this process, and a list of problems; starts JAX."""
    problems = _problems()
    devices: list[str] = []
    try:
        import jax

        devices = [f"{device.platform}:{device.id} {device.device_kind}" for device in jax.devices()]
    except (ImportError, RuntimeError) as error:
        problems.append(f"JAX does not start: {error}")
    folder = reproducibility.cache_folder()
    if folder is None:
        problems.append("no folder for the compile cache can be written: each run compiles anew; set XDG_CACHE_HOME")
    return {
        "version": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: _version(name) for name in _NEEDED},
        "extras": {extra: _version(name) or "not installed" for extra, name in _EXTRAS.items()},
        "devices": devices,
        "cores": os.cpu_count() or 0,
        "memory_gb": round(_memory_gb(), 1),
        "mode": reproducibility.mode(),
        "xla_flags": reproducibility.flags(),
        "cache": str(folder or ""),
        "cache_mb": round(_size_mb(folder), 1) if folder else 0.0,
        "free_disk_gb": round(shutil.disk_usage(Path.cwd()).free / 1e9, 1),
        "problems": problems,
    }


def _problems() -> list[str]:
    found = [f"{name} is not installed; install from requirements.lock" for name in _NEEDED if not _version(name)]
    try:
        import agents

        if not Path(agents.__file__ or "").with_name("work.py").exists():
            found.append("`agents` is another package (openai-agents?); it needs an environment of its own")
    except ImportError:
        found.append("the package `agents` is missing; install macrohard again")
    return found


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _memory_gb() -> float:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (AttributeError, OSError, ValueError):
        return 0.0


def _size_mb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
