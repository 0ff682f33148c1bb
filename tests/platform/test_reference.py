"""The pages made from the code are those of the code."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def made_pages():
    spec = importlib.util.spec_from_file_location("tool", ROOT / "tools" / "make_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.pages()


@pytest.mark.parametrize("path", sorted(made_pages()), ids=lambda path: path.name)
def test_page_is_current(path):
    assert path.read_text(encoding="utf-8") == made_pages()[path], (
        "run python tools/make_reference.py"
    )


def test_manual_page_is_clean_roff():
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed")
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-P-cbou", str(ROOT / "data" / "man" / "rtkpos.1")],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    assert "EXIT STATUS" in done.stdout
