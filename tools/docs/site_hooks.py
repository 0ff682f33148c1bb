"""Hooks of the documentation site (mkdocs.yml): pages that lie elsewhere in the project.

README.md becomes the first page, CONTRIBUTING.md, CHANGELOG.md and the pages of bench/results
join, and links between all of them are rewritten. What has no page (code) is shown without a link.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESULTS = "bench/results"
_LINK = re.compile(r"(?<!\!)\[([^\]]*)\]\(([^)\s]+)\)")
_IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")


def site_paths() -> dict[str, str]:
    """Path in the site of every file that lies outside of docs, by its path in the project."""
    found = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md"}
    found["CHANGELOG.md"] = "changelog.md"
    for path in sorted((ROOT / RESULTS).iterdir()):
        if path.suffix in (".md", ".png"):
            found[f"{RESULTS}/{path.name}"] = f"results/{path.name}"
    return found


def on_files(files: Any, config: Any) -> Any:
    """Add the pages and pictures that lie outside of docs."""
    from mkdocs.structure.files import File

    for source, target in site_paths().items():
        path = ROOT / source
        content = path.read_text(encoding="utf-8") if path.suffix == ".md" else path.read_bytes()
        files.append(File.generated(config, target, content=content))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Rewrite the links of a page."""
    sources = {target: source for source, target in site_paths().items()}
    place = sources.get(page.file.src_uri, f"docs/{page.file.src_uri}")
    return rewritten(markdown, place, page.file.src_uri)


def rewritten(markdown: str, place: str, page: str) -> str:
    """Markdown of a file at a place of the project, with links as its page of the site needs."""

    def link(match: re.Match[str]) -> str:
        text, target = match.groups()
        found = site_link(target, place, page)
        return f"[{text}]({found})" if found else text

    def image(match: re.Match[str]) -> str:
        text, target = match.groups()
        return f"![{text}]({site_link(target, place, page) or target})"

    return _LINK.sub(link, _IMAGE.sub(image, markdown))


def site_link(target: str, place: str, page: str) -> str | None:
    """A link relative to the page; None when the file it leads to has no page."""
    if target.startswith(("http:", "https:", "mailto:", "#")):
        return target
    name, mark, anchor = target.partition("#")
    path = posixpath.normpath(posixpath.join(posixpath.dirname(place), name))
    if path in site_paths():
        path = site_paths()[path]
    elif path.startswith("docs/"):
        path = path.removeprefix("docs/")
    else:
        return None
    return posixpath.relpath(path, posixpath.dirname(page) or ".") + mark + anchor
