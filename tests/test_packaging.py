"""What is installed: locked by hash, without addresses, one set of versions, and a wheel that has everything in it."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

import macrohard
from macrohard import reproducibility

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = ("requirements.lock", "requirements-test.lock")


def pins(name: str) -> dict[str, str]:
    """Versions by distribution, as a lock or the constraints have them."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9][a-z0-9.-]*)==([^ ;\\\n]+)", text, re.M))


@pytest.mark.parametrize("name", [*LOCKS, "constraints.txt"])
def test_no_lock_names_an_address(name):
    """Neither a registry nor a file."""
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.search(r"://|@|--(extra-)?index|--find-links|\bfile:", text)


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_hashes(name):
    """As pip demands with --require-hashes."""
    entries = re.split(r"\n(?=\S)", (ROOT / name).read_text(encoding="utf-8").strip())
    assert len(entries) == len(pins(name)) > 30
    for entry in entries:
        assert re.match(r"[a-z0-9.-]+==\S+( ; [^\\]+)? \\\n    --hash=sha256:[0-9a-f]{64}", entry), entry[:80]


def test_the_locks_and_the_constraints_have_the_same_versions():
    """The test lock adds to the lock; the constraints are the test lock without hashes."""
    lock, test_lock, constraints = (pins(name) for name in (*LOCKS, "constraints.txt"))
    assert lock.items() <= test_lock.items()
    assert test_lock == constraints


def test_what_the_project_needs_is_locked():
    """Each dependency by name, and what builds it."""
    needs = PROJECT["project"]["dependencies"] + PROJECT["build-system"]["requires"]
    names = {re.split(r"[^A-Za-z0-9_.-]", need)[0].lower() for need in needs}
    assert names <= pins("requirements.lock").keys()


def test_the_version_is_said_once_more_and_equal():
    """In the project file and in the package."""
    assert PROJECT["project"]["version"] == macrohard.__version__


def test_a_wheel_has_both_packages_and_their_data(tmp_path):
    """Built by the locked backend, from a copy of nothing but what is there."""
    code = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    with zipfile.ZipFile(tmp_path / done.stdout.strip().splitlines()[-1]) as wheel:
        held = set(wheel.namelist())
        entry = next(name for name in held if name.endswith("entry_points.txt"))
        assert "macrohard = macrohard.cli:main" in wheel.read(entry).decode()
    for folder in ("agents", "macrohard"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".pyi", ".toml", ".csv", ".css") and "__pycache__" not in path.parts:
                assert path.relative_to(ROOT).as_posix() in held
    assert not any(name.startswith(("tests/", "docs/", "experiments/")) for name in held)


def test_the_public_names_are_there():
    """Each name of the face can be imported; another one is an AttributeError."""
    for name in macrohard.__all__:
        assert getattr(macrohard, name) is not None
        assert name in dir(macrohard)
    with pytest.raises(AttributeError):
        macrohard.nothing  # noqa: B018  that it raises is the point


def started(code: str, **environment: str) -> str:
    """What a fresh Python prints that imports the package in an environment of its own."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("XLA_", "JAX_", "MACROHARD_", "XDG_CACHE"))
    }
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=clean | environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


QUICK = "--xla_cpu_use_fusion_emitters=false"
SHOW = "import os, macrohard; from macrohard import reproducibility as r; print(r.mode(), os.environ.get('XLA_FLAGS'))"


def test_jax_starts_without_fused_multiply_add(tmp_path):
    """Unless the user asked for speed, or set the flag otherwise; other flags stay."""
    assert started(SHOW) == f"reproducible --xla_cpu_max_isa=AVX {QUICK}"
    assert started(SHOW, XLA_FLAGS="--xla_a=1") == f"reproducible --xla_a=1 --xla_cpu_max_isa=AVX {QUICK}"
    assert started(SHOW, MACROHARD_FAST="1") == f"fast {QUICK}"
    assert started(SHOW, XLA_FLAGS="--xla_cpu_max_isa=AVX2") == f"as started --xla_cpu_max_isa=AVX2 {QUICK}"
    undone = "import macrohard; from macrohard import reproducibility as r; r.allow_fused(); print(r.mode(), r.flags())"
    assert started(undone) == f"fast {QUICK}"


def test_large_factories_and_batches_get_the_faster_code():
    """It takes longer to compile; what the user has set stays."""
    show = "import macrohard; from macrohard import reproducibility as r; r.{}; print(r.flags())"
    assert started(show.format("fit(49_999)")) == f"--xla_cpu_max_isa=AVX {QUICK}"
    assert started(show.format("fit(50_000)")) == started(show.format("for_batches()")) == "--xla_cpu_max_isa=AVX"
    users = "--xla_cpu_use_fusion_emitters=true"
    assert started(show.format("fit(2_000)"), XLA_FLAGS=users) == f"{users} --xla_cpu_max_isa=AVX"


def test_a_jax_that_runs_already_is_noticed():
    """Its results are marked."""
    assert started(f"import jax; jax.devices(); {SHOW}") == "as started None"
    assert started(f"import jax; {SHOW}") == f"reproducible --xla_cpu_max_isa=AVX {QUICK}"


def test_the_compile_cache_is_the_users_own(tmp_path):
    """In the cache folder, closed to others; one that is set stays; none where none can be written."""
    show = "import os, macrohard; print(os.environ.get('JAX_COMPILATION_CACHE_DIR'))"
    assert started(show, XDG_CACHE_HOME=str(tmp_path)) == str(tmp_path / "macrohard" / "xla")
    assert (tmp_path / "macrohard" / "xla").stat().st_mode & 0o077 == 0
    assert started(show, JAX_COMPILATION_CACHE_DIR="elsewhere") == "elsewhere"
    (tmp_path / "file").write_text("")
    assert started(show, XDG_CACHE_HOME=str(tmp_path / "file")) == "None"


def test_this_suite_runs_in_the_reproducible_mode():
    """On the locked version of JAX, if the suite runs in the project's own environment."""
    assert reproducibility.mode() == "reproducible"
    if Path(sys.prefix) == ROOT / ".venv":
        assert {name: version(name) for name in ("jax", "mesa")} == {
            name: pins("requirements.lock")[name] for name in ("jax", "mesa")
        }


def test_what_ci_runs_is_make_test():
    """And nothing else; make names no machine's paths."""
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK) and script.read_text().strip().endswith("exec make test")
    assert not re.search(r"/(home|root|work|opt)/", (ROOT / "Makefile").read_text())


def test_a_command_leaves_quietly_without_an_output():
    """Standard output closed by the shell: the code of the command, and no word of ours about it."""
    done = subprocess.run(
        f"{sys.executable} -m macrohard check laptop --set workforce.coding=-1 >&-",
        shell=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2 and "workforce.coding" in done.stderr and "Traceback" not in done.stderr
