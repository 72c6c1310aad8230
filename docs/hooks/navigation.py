"""Puts pages that mkdocs.yml does not list into its navigation: those of a folder into the section of that folder."""

from pathlib import Path
from typing import Any

SECTION_OF = {"": "The model", "how-to": "How to"}


def on_config(config: Any) -> Any:
    """The navigation as listed, then what else is there, by name of file."""
    docs = Path(config["docs_dir"])
    listed = {page for section in config["nav"] for pages in section.values() for page in pages}
    for folder, title in SECTION_OF.items():
        section = next(section for section in config["nav"] if title in section)
        found = sorted(path.relative_to(docs).as_posix() for path in (docs / folder).glob("*.md"))
        section[title] += [page for page in found if page not in listed]
    return config
