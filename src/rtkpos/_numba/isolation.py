"""Processes and imports without the current folder, where a file may be named like a module.

A `tempfile.py` beside the data is somebody's data, not the tempfile of Python.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_SAFE_PATH = "PYTHONSAFEPATH"
_PACKAGE_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def import_path() -> list[str]:
    """Folders this process imports from, without the current one under any name.

    The folder rtkpos lies in is always there; were it the current one, it comes last, where it
    shadows nothing.
    """
    found = _without_current(sys.path)
    return found if _PACKAGE_ROOT in found else [*found, _PACKAGE_ROOT]


def isolated_python(code: str, *words: str) -> tuple[list[str], dict[str, str]]:
    """Command and environment of a Python that imports nothing from the current folder.

    code : what it runs, with `words` as its arguments; it imports from the folders of this process
    """
    code = f"import sys; sys.path[:] = {import_path()!r}; {code}"
    environment = os.environ | {_SAFE_PATH: "1"}
    named = environment.pop("PYTHONPATH", "").split(os.pathsep)
    if kept := _without_current(named):  # left empty, it would name the current folder
        environment["PYTHONPATH"] = os.pathsep.join(kept)
    return [sys.executable, "-P", "-c", code, *words], environment


def _without_current(paths: list[str]) -> list[str]:
    """Absolute paths that are not the current folder."""
    here = os.path.realpath(os.curdir)
    return [path for path in paths if os.path.isabs(path) and os.path.realpath(path) != here]


@contextmanager
def isolated_children() -> Iterator[None]:
    """Within it, whatever starts a Python of its own starts one without the current folder."""
    before = os.environ.get(_SAFE_PATH)
    os.environ[_SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_SAFE_PATH]
        else:
            os.environ[_SAFE_PATH] = before
