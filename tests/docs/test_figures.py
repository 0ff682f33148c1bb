"""Figures of documents say whether they are real, simulated, cited or defined, and from where."""

from __future__ import annotations

import tomllib

import pytest

from tools.docs.figures import ROOT, blocks, faults, is_in, pages, unclassed

ALLOWED = tomllib.loads((ROOT / "docs" / "figures.toml").read_text(encoding="utf-8"))["allowed"]
SLACK = 4  # so many may go before the allowance must follow
NEVER = ("README.md", "docs/benchmarks.md", "CONTRIBUTING.md")
PAGES = [page.relative_to(ROOT).as_posix() for page in pages()]


@pytest.mark.parametrize("page", PAGES)
def test_marks_are_sound_and_figures_are_in_their_files(page):
    assert list(faults(ROOT / page)) == []


@pytest.mark.parametrize("page", PAGES)
def test_figures_without_a_source_only_become_fewer(page):
    found, allowed = unclassed(ROOT / page), ALLOWED.get(page, 0)
    assert len(found) <= allowed, "say where they come from:\n" + "\n".join(found)
    assert len(found) >= allowed - SLACK, (
        f"fewer: lower {page} to {len(found)} in docs/figures.toml"
    )


def test_allowances_are_of_pages_that_exist_and_not_of_the_first_ones():
    assert set(ALLOWED) <= set(PAGES)
    assert not set(ALLOWED) & set(NEVER)


def page_of(tmp_path, monkeypatch, text):
    """A page in a project of its own with one result."""
    monkeypatch.setattr("tools.docs.figures.ROOT", tmp_path)
    (tmp_path / "r.json").write_text('{"rate": 0.9938, "rms_m": [0.0051, 2], "part": {"s": 3.5}}')
    page = tmp_path / "page.md"
    page.write_text(text)
    return page


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("It takes 3.5 s.", 1),
        ("Errors are 5.1/2.0 mm, 99.4 % fixed.", 2),
        ("It moved by 1e-8 m.", 1),
        ("Version 3.04 of 2024, `10 ms`, see [x](a 3 mm).", 0),
        ("```\n5 ms\n```\n\nNothing.", 0),
        ("| what | share % |\n|---|---|\n| a | 5 |\n| b | 6.1 |", 2),
        ("It takes 3.5 s. <!-- figures: real r.json -->", 0),
        ("| a | mm |\n|---|---|\n| x | 5 |\n\n<!-- figures: cited Smith (1990) -->", 0),
        ("* one is 3 mm\n* two is 4 mm <!-- figures: defined, here -->", 1),
    ],
)
def test_figures_are_found_and_marks_cover_their_block(tmp_path, monkeypatch, text, n):
    assert len(unclassed(page_of(tmp_path, monkeypatch, text))) == n


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("99.4 % in 3.5 s, 5.1 mm <!-- figures: real r.json -->", None),
        ("3.5 s <!-- figures: simulated r.json#part -->", None),
        ("3.6 s <!-- figures: real r.json -->", "3.6 of"),
        ("5.1 mm <!-- figures: real r.json#part -->", "5.1 of"),
        ("3.5 s <!-- figures: real none.json -->", "there is no"),
        ("3.5 s <!-- figures: guessed, by me -->", "none of"),
    ],
)
def test_a_figure_that_is_not_in_its_file_is_found(tmp_path, monkeypatch, text, word):
    found = list(faults(page_of(tmp_path, monkeypatch, text)))
    assert [word in fault for fault in found] == ([True] if word else [])


def test_numbers_are_compared_as_rounded():
    source = "bench/results/performance.json#parts.threads"
    assert is_in("1.82", source)
    assert is_in("1.8", source)
    assert not is_in("1.83", source)
    assert is_in("1.8e0", source)
    assert not is_in("1.8e-7", source)


def test_items_of_a_list_are_blocks_of_their_own():
    found = list(blocks("# a\n\n* b\n  c\n* d\n\n| e |\n| f |\n"))
    assert [(block.line, block.text) for block in found] == [
        (1, "# a"), (3, "* b\n  c"), (5, "* d"), (7, "| e |\n| f |")
    ]  # fmt: skip
