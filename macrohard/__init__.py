"""An AI software factory simulated from tickets to megawatts: the face of the package.

Public names are imported when first used, so that `import macrohard` costs nothing and JAX starts as it should.
"""

from importlib import import_module

from macrohard import reproducibility

__version__ = "0.1.0"

_PLACES = {
    "Scenario": "macrohard.scenario",
    "ScenarioError": "macrohard.faults",
    "Factory": "macrohard.factory",
    "run": "macrohard.runs",
    "size": "macrohard.sizing",
    "sweep": "macrohard.sweeps",
}

__all__ = ["Factory", "Scenario", "ScenarioError", "__version__", "run", "size", "sweep"]

reproducibility.prepare()


def __getattr__(name: str) -> object:
    """A public name, imported when it is first asked for."""
    if name not in _PLACES:
        raise AttributeError(f"module 'macrohard' has no attribute {name!r}")
    value = getattr(import_module(_PLACES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})
