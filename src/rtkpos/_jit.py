"""The one place that imports numba: the `@kernel` decorator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function over floats and arrays: lazily, cached, without the GIL.

    Numbers in, numbers out, NaN is "not observed", division by zero follows IEEE 754.
    """
    return numba.njit(cache=True, error_model="numpy", nogil=True)(function)
