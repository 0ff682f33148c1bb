"""Kernels by numba's own `njit`: the way for a numba that `compiler` does not know.

Same sources, same results; the first run takes three times as long and a warm start a second more.
Chosen by RTKPOS_KERNELS=plain, and by itself, with a warning, where numba is newer than what was
tested or lacks something that `compiler` uses. RTKPOS_KERNELS=own insists on `compiler`.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import re
from pathlib import Path
from typing import Any

import numpy as np

from rtkpos._numba.cache_folder import kernel_folders, numba_version
from rtkpos._numba.disk.trusted import trusted_folder
from rtkpos.errors import ConfigError

VARIABLE = "RTKPOS_KERNELS"
NEWEST_TESTED = (0, 68)  # minor version of numba; pyproject.toml has the oldest
_log = logging.getLogger(__name__)
_reasons: list[str] = []  # why `compiler` does not serve in this process


def is_asked_for() -> bool:
    """Whether the user chose plain kernels; ConfigError when the choice is none."""
    chosen = os.environ.get(VARIABLE, "")
    if chosen not in ("", "own", "plain"):
        raise ConfigError(f"{VARIABLE}={chosen}: the kernels are `own` or `plain`.")
    return chosen == "plain"


def is_needed() -> bool:
    """Whether kernels that are not there yet are made by `njit`."""
    if not _reasons and not is_asked_for() and os.environ.get(VARIABLE) != "own":
        version = re.search(r'"version": "(\d+)\.(\d+)', numba_version())
        if version and (int(version[1]), int(version[2])) > NEWEST_TESTED:
            fall_back(f"numba {version[1]}.{version[2]} is newer than what rtkpos was tested with")
    return bool(_reasons) or is_asked_for()


def fall_back(reason: str) -> None:
    """Use plain kernels from now on, and say so once."""
    if not _reasons:
        _log.warning("%s: kernels are compiled in the plain, slower way (%s).", reason, VARIABLE)
    _reasons.append(reason)


def call(kernel: Any, arguments: tuple[Any, ...]) -> Any:
    """The result of a kernel; numbers have the types they have elsewhere, int64 and float64."""
    return dispatcher(kernel)(*map(_number, arguments))


def prepare(kernel: Any, arguments: tuple[Any, ...]) -> None:
    """Compile what a call with such arguments needs."""
    import numba

    dispatcher(kernel).compile(tuple(numba.typeof(_number(value)) for value in arguments))


def plain_type(kernel: Any) -> Any:
    """numba's type of a kernel that another one calls."""
    from numba.core import types

    return types.Dispatcher(dispatcher(kernel))


@functools.cache
def dispatcher(kernel: Any) -> Any:
    """What numba makes of a kernel's function; it keeps machine code in a folder of ours."""
    import numba

    own, config = kernel_folders().own, numba.config
    folder = None if own is None else _folder(own)
    before, config.CACHE_DIR = config.CACHE_DIR, str(folder or "")
    options = kernel.options | {"cache": folder is not None}
    try:
        return numba.njit(error_model="numpy", nogil=True, **options)(kernel.py_func)
    finally:
        config.CACHE_DIR = before


@functools.cache
def _folder(own: Path) -> Path | None:
    """Folder for these sources: numba looks at a kernel's file only, not at what it imports."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256(str(package).encode())
    for path in sorted(package.rglob("*.py")):
        digest.update(path.read_bytes())
    name = f"plain-{digest.hexdigest()[:16]}"
    try:
        return trusted_folder(own / name, make=True)
    except OSError:
        return None


def _number(value: Any) -> Any:
    """A number as Python's, but for uint64."""
    is_number = isinstance(value, np.number | np.bool_) and not isinstance(value, np.uint64)
    return value.item() if is_number else value
