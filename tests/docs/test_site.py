"""Pages: links lead somewhere, the index of decisions is whole, drawings and site are current."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.modules import package_modules
from tools.docs.draw_layers import OUTPUT, drawing, reduced
from tools.docs.figures import pages
from tools.docs.site_hooks import rewritten, site_link, site_paths

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SITE = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)\s#]+)")


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = _LINK.findall(text)
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_index_of_decisions_is_whole():
    text = (DOCS / "decisions" / "index.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("| ")][1:]
    listed = [re.search(r"\(([\w-]+\.md)\)", row[1]).group(1) for row in rows]
    files = {path.name for path in (DOCS / "decisions").glob("*.md")} - {"index.md"}
    assert sorted(listed) == sorted(files)
    for question, _, date, status in rows:
        assert question.strip().endswith("?")
        assert re.fullmatch(r" \d{4}-\d\d-\d\d ", date)
        assert status.strip()


def test_every_page_is_in_the_navigation_once():
    nav = re.findall(r"[\w/-]+\.md", SITE.split("\nnav:")[1])
    pages_of_site = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    outside = {target for target in site_paths().values() if target.endswith(".md")}
    assert sorted(nav) == sorted(pages_of_site | outside)


def test_site_loads_nothing_from_other_hosts():
    assert "font: false" in SITE
    assert "http" not in SITE


def test_drawing_of_layers_is_current():
    assert OUTPUT.read_text(encoding="utf-8") == drawing(package_modules()), (
        "run: python -m tools.docs.draw_layers"
    )


def test_arrows_that_others_imply_are_left_out():
    graph = {"a": {"b", "c", "d"}, "b": {"c"}, "c": set(), "d": {"c"}}
    assert reduced(graph) == {"a": {"b", "d"}, "b": {"c"}, "c": set(), "d": {"c"}}


@pytest.mark.parametrize(
    ("target", "place", "page", "link"),
    [
        ("docs/glossary.md", "README.md", "index.md", "glossary.md"),
        ("CONTRIBUTING.md", "README.md", "index.md", "contributing.md"),
        ("docs/images/demo.png", "README.md", "index.md", "images/demo.png"),
        ("../benchmarks.md#a", "docs/explain/trust.md", "explain/trust.md", "../benchmarks.md#a"),
        ("../../README.md", "docs/how-to/batch.md", "how-to/batch.md", "../index.md"),
        ("../../bench/results/full.md", "docs/how-to/a.md", "how-to/a.md", "../results/full.md"),
        ("../src/rtkpos/api.py", "docs/architecture.md", "architecture.md", None),
        ("https://numba.pydata.org", "README.md", "index.md", "https://numba.pydata.org"),
        ("#signs", "docs/architecture.md", "architecture.md", "#signs"),
    ],
)
def test_links_are_rewritten_for_the_site(target, place, page, link):
    assert site_link(target, place, page) == link


def test_a_link_to_code_becomes_its_words():
    text = "see [the code](src/rtkpos/api.py) and ![a](docs/images/demo.png)"
    assert rewritten(text, "README.md", "index.md") == "see the code and ![a](images/demo.png)"
