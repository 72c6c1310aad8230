"""The documents build as a site, strictly, and the site needs nothing from elsewhere."""

import logging
import re
from pathlib import Path

import pytest

mkdocs = pytest.importorskip("mkdocs", reason="the extra `docs` is not installed")

ROOT = Path(__file__).parents[1]
LOADED = re.compile(r"<(?:script|img|iframe|source|link)\b[^>]*?\b(?:src|href)=\"?((?:https?:)?//[^\"\s>]+)", re.I)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the built site; what mkdocs warns of is an error."""
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    folder = tmp_path_factory.mktemp("site")
    said = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: said.append(record.getMessage())
    logging.getLogger("mkdocs").addHandler(handler)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        patch.setenv("NO_MKDOCS_2_WARNING", "1")
        config = load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder))
        config.plugins.on_startup(command="build", dirty=False)
        build(config)
    logging.getLogger("mkdocs").removeHandler(handler)
    assert not said, "\n".join(said)
    return folder


def test_every_page_of_docs_is_in_the_navigation(site):
    """No page of docs/ is left where nobody finds it."""
    entrance = (site / "index.html").read_text(encoding="utf-8")
    for page in (ROOT / "docs").rglob("*.md"):
        name = page.relative_to(ROOT / "docs").with_suffix(".html").as_posix()
        assert f'href="{name}"' in entrance, name


def test_the_site_loads_nothing_from_elsewhere(site):
    """No page asks another machine for a script, a font, a style or a picture."""
    pages = [*site.rglob("*.html")]
    assert len(pages) > 15
    for page in pages:
        assert LOADED.findall(page.read_text(encoding="utf-8")) == [], page.name
    for sheet in site.rglob("*.css"):
        assert not re.search(r"@import|url\([\"']?(https?:)?//", sheet.read_text(encoding="utf-8")), sheet.name


def test_the_reference_holds_every_command_and_public_name(site):
    """Commands come from the program and classes from their docstrings, so none can be missing."""
    import typer

    import macrohard
    from macrohard.cli import app

    commands = (site / "reference" / "commands.html").read_text(encoding="utf-8")
    for name in typer.main.get_command(app).commands:
        assert f"macrohard {name}" in commands
    python = (site / "reference" / "python.html").read_text(encoding="utf-8")
    for name in set(macrohard.__all__) - {"__version__"}:
        assert f"{name}</span>" in python or f">{name}<" in python, name


def test_equations_are_drawn(site):
    """Blocks of mathematics become pictures with their text beside them for readers who do not see them."""
    page = (site / "model.html").read_text(encoding="utf-8")
    assert page.count('<svg role="img" aria-label=') >= 5 and "```" not in page
