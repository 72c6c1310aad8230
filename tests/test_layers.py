"""Who may import whom: rooms on floors, imports run downwards only. Adding a room means adding it here, on purpose."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

FLOORS = [floor.split() for floor in """
    agents agents.attempt agents.capability agents.teams
    agents.work
    agents.worker
    agents.coding agents.design agents.management agents.testing
    agents.roster
    macrohard.colossus macrohard.colossus.device macrohard.colossus.hardware macrohard.colossus.tables
    macrohard.colossus.units
    macrohard.colossus.battery macrohard.colossus.clock macrohard.colossus.dice macrohard.colossus.once
    macrohard.colossus.gpu_power macrohard.colossus.policies macrohard.colossus.roofline
    macrohard.colossus.climate macrohard.colossus.cooling macrohard.colossus.layout macrohard.colossus.swings
    macrohard.colossus.pools macrohard.colossus.serving macrohard.colossus.supply
    macrohard.colossus.cluster macrohard.colossus.outage
    macrohard.colossus.cluster_builder macrohard.colossus.commitment macrohard.colossus.plant_reading
    macrohard.colossus.requests macrohard.colossus.operation
    macrohard.colossus.dispatch macrohard.colossus.emissions
    macrohard.colossus.units_builder macrohard.colossus.powerplant
    macrohard.colossus.plant_builder macrohard.colossus.reliability macrohard.colossus.site
    macrohard.reproducibility macrohard.names macrohard.faults macrohard.guard macrohard.seeds
    macrohard macrohard.targets
    macrohard.doctor macrohard.scenario
    macrohard.store
    macrohard.work_tables macrohard.backlog macrohard.outbox macrohard.locked
    macrohard.habits macrohard.programs macrohard.validation macrohard.floor macrohard.siting
    macrohard.blueprint macrohard.buildout macrohard.swings macrohard.reliability macrohard.logs
    macrohard.uncertainty
    macrohard.results
    macrohard.checkpoint macrohard.interview macrohard.report
    macrohard.runs
    macrohard.factory macrohard.convergence macrohard.sweeps
    macrohard.dashboard macrohard.headlines macrohard.yardsticks
    macrohard.sizing
    macrohard.commands
    macrohard.cli
    macrohard.__main__
""".strip().splitlines()]  # fmt: skip
"""From the ground up. A room imports from the floors below it; a package (report, floor ...) is one room."""

HEIGHT = {room: height for height, floor in enumerate(FLOORS) for room in floor}

PACKAGES = (
    "backlog", "buildout", "commands", "dashboard", "floor", "headlines", "logs", "report", "results", "scenario",
    "sweeps", "validation",
)  # fmt: skip

LIGHT = ("names", "faults", "targets", "guard", "reproducibility", "scenario")
"""Rooms that check and explain a scenario at once: no JAX, no tables library."""


def modules() -> dict[str, Path]:
    """Every module of the two packages by its dotted name."""
    found = {}
    for top in ("agents", "macrohard"):
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports(path: Path) -> set[str]:
    """What a module imports, anywhere in it, as dotted names of modules."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write imports whole, from the package's name"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (inner & MODULES.keys()) or {str(node.module)}
    return found


def room(module: str) -> str:
    """The room a module belongs to: itself, or its package where that is one room."""
    parts = module.split(".")
    return ".".join(parts[:2]) if len(parts) > 1 and parts[1] in PACKAGES else module


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_downwards(module):
    """No room imports from its own floor or from above; so there are no cycles between rooms."""
    own = room(module)
    assert own in HEIGHT, f"{own} is on no floor: put it on one in {Path(__file__).name}"
    for other in imports(MODULES[module]):
        if other.split(".")[0] in ("agents", "macrohard") and room(other) != own:
            assert HEIGHT[room(other)] < HEIGHT[own], f"{module} must not import {other}"


@pytest.mark.parametrize("module", MODULES)
def test_what_each_part_does_not_know(module):
    """Agents know no machine and no files; the machine knows no agents; reports and checks need no JAX."""
    known = imports(MODULES[module])
    tops = {name.split(".")[0] for name in known}
    inner = {name.split(".")[1] for name in known if name.startswith("macrohard.")}
    if module.startswith("agents"):
        assert "macrohard" not in tops, "imports run macrohard -> agents, never back"
    if module.startswith("macrohard.colossus"):
        assert not tops & {"agents", "mesa", "networkx", "pandas", "pydantic"} and inner <= {"colossus"}
    if module.startswith("macrohard.report"):
        assert not tops & {"agents", "jax", "mesa"} and inner <= {"report", "outbox"}
    if room(module).removeprefix("macrohard.") in LIGHT:
        assert not tops & {"agents", "jax", "mesa", "networkx", "numpy", "pandas", "scipy"}
    assert "TYPE_CHECKING" not in MODULES[module].read_text(encoding="utf-8")
    assert "pickle" not in tops


def test_packages_have_no_cycles_within():
    """Modules of one room may import each other, but not in a circle."""
    arrows = {module: imports(path) & MODULES.keys() for module, path in MODULES.items()}

    def walk(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " -> ".join((*way, module))
        if module not in seen:
            for other in arrows[module] - {module}:
                walk(other, (*way, module))
            seen.add(module)

    seen: set[str] = set()
    for module in arrows:
        walk(module, ())


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import macrohard", ("jax", "numpy", "pydantic", "typer")),
        ("import macrohard.cli", ("jax", "numpy", "pandas", "pydantic", "mesa", "networkx")),
        ("from macrohard import Scenario; Scenario.load('laptop')", ("jax", "numpy", "pandas", "mesa", "networkx")),
    ],
)
def test_what_starts_fast_stays_light(statement, absent):
    """Nothing heavy is loaded by the face, by --help or by a check of types and ranges."""
    code = f"import sys; {statement}; print(*sorted({{name.split('.')[0] for name in sys.modules}} & {set(absent)}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == ""
