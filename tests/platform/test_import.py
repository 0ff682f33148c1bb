"""`import rtkpos` is light: programs that only might need it do not pay for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

LIMIT_S = 0.3
HEAVY = (
    "numba",
    "llvmlite",
    "scipy",
    "georinex",
    "hatanaka",
    "pandas",
    "xarray",
    "pyproj",
    "matplotlib",
    "rich",
    "pooch",
)


def run(code: str) -> str:
    """Output of a fresh interpreter."""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    return result.stdout


def test_import_loads_nothing_heavy():
    loaded = run("import sys, rtkpos; print(*sys.modules)").split()
    assert [name for name in HEAVY if name in loaded] == []


def test_listing_the_public_words_loads_nothing_heavy():
    loaded = run("import sys, rtkpos; dir(rtkpos); rtkpos.__version__; print(*sys.modules)").split()
    assert [name for name in HEAVY if name in loaded] == []


def test_import_takes_less_than_the_limit():
    code = (
        "import time; start = time.process_time(); import rtkpos; "
        "print(time.process_time() - start)"
    )
    best_s = min(float(run(code)) for _ in range(3))
    assert best_s < LIMIT_S, f"import rtkpos took {best_s:.3f} s of processor time"


def test_public_words_exist():
    code = (
        "import rtkpos\n"
        "missing = [word for word in getattr(rtkpos, '__all__', []) if not hasattr(rtkpos, word)]\n"
        "print(missing)"
    )
    assert run(code).strip() == "[]"


def test_unknown_word_is_an_attribute_error():
    with pytest.raises(subprocess.CalledProcessError) as caught:
        run("import rtkpos; rtkpos.no_such_word")
    assert "AttributeError" in caught.value.stderr
