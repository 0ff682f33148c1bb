"""The fault catalogue is complete, its tests exist, and its page is current."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import pytest

from tests.robustness.fault_table import SECTIONS, VERDICTS, as_markdown

ROOT = Path(__file__).resolve().parents[2]
ROWS = [row for _, faults in SECTIONS for row in faults]


@functools.cache
def functions_in(file: str) -> frozenset[str]:
    """Names of the test functions of a file."""
    tree = ast.parse((ROOT / file).read_text())
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    return frozenset(node.name for node in functions if node.name.startswith("test_"))


def test_every_row_is_there_once():
    assert sorted(row.number for row in ROWS) == [*range(1, 65), *range(71, 83)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"fault {row.number}")
def test_row_has_a_verdict_and_tests_that_exist(row):
    assert row.verdict.split()[0].rstrip(",") in VERDICTS
    assert row.tests
    missing = [f"{file}::{name}" for file, name in row.tests if name not in functions_in(file)]
    assert not missing


def test_page_is_current():
    text = (ROOT / "docs" / "reference" / "faults.md").read_text()
    assert text == as_markdown(), "run: python tools/docs/make_fault_table.py"
