"""The suite runs as users do in the reproducible mode: no fused multiply-add, set before JAX starts."""

import os
import shutil
import signal
from collections.abc import Iterator

import pytest

os.environ["XLA_FLAGS"] = " ".join(
    flag
    for flag in [*os.environ.get("XLA_FLAGS", "").split(), "--xla_cpu_max_isa=AVX"]
    if not flag.startswith("--xla_cpu_max_isa=") or flag.endswith("=AVX")
)
os.environ.pop("MACROHARD_FAST", None)
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # a shell's background job has it so, and so would every child
    signal.signal(signal.SIGINT, signal.default_int_handler)

import macrohard  # noqa: E402, F401  the compile cache, too

LONG = ("test_docs.py", "test_notebooks.py", "test_sweeps.py", "test_dashboard.py", "test_sweep_machinery.py")
"""Files of a minute and more. They start first: begun last, one would keep a single process busy at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the long files first; the order within a file stays."""
    items.sort(key=lambda item: LONG.index(item.path.name) if item.path.name in LONG else len(LONG))


@pytest.fixture(scope="module")
def chromium() -> Iterator[object]:
    """A headless browser. Nothing is installed here: where there is none, the tests of pages say so and are skipped.

    One for each module that asks for it: while it is open, no other asyncio loop can run in this thread.
    """
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    path = next((found for name in names if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("no Chromium on the PATH, so pages are not clicked through; on Debian: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()
