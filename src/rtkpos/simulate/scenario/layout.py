"""Stations laid out by rule: on a grid, or at random with a least distance."""

from __future__ import annotations

import math
import zlib
from typing import Any

import numpy as np
from numpy.random import Generator

from rtkpos._arrays import FloatArray
from rtkpos.simulate.scenario.sections import Network

# Area per station over the square of the least distance: thrown at random, discs of that diameter
# jam at 1.44 (coverage 0.547; Feder 1980, J. Theor. Biol. 87:237), so that 2 is soon filled.
_ROOM = 2.0


def laid_out(given: Network) -> list[dict[str, Any]]:
    """The stations of a network as sections: NAME01, NAME02, ... with places and antennas."""
    rng = np.random.default_rng([given.seed, zlib.crc32(given.name.encode())])
    step_m = given.spacing_km * 1e3
    place = _grid(given.number) * step_m
    if given.layout == "random":
        place = _random(given.number, rng) * step_m
    up = given.height_scatter_m * rng.standard_normal(given.number)
    enu = np.column_stack([place, up]) + np.array(given.center_enu_m)
    digits = max(2, len(str(given.number)))
    return [
        {
            "name": f"{given.name}{k + 1:0{digits}d}",
            "enu_m": np.round(enu[k], 3).tolist(),
            "antenna_enu_m": list(given.antenna_enu_m),
            "interval_s": given.interval_s,
        }
        for k in range(given.number)
    ]


def _grid(n: int) -> FloatArray:
    """Places (n, 2) one apart, row by row from the south-west, around the origin."""
    side = math.ceil(math.sqrt(n))
    row, column = np.divmod(np.arange(n), side)
    middle = 0.5 * np.array([side - 1, math.ceil(n / side) - 1])
    return np.column_stack([column, row]) - middle


def _random(n: int, rng: Generator) -> FloatArray:
    """Places (n, 2) at least one apart, uniform in a square around the origin."""
    half = 0.5 * math.sqrt(_ROOM * n)
    out = np.empty((0, 2))
    while len(out) < n:
        one = rng.uniform(-half, half, 2)
        if not len(out) or np.hypot(*(out - one).T).min() >= 1.0:
            out = np.vstack([out, one])
    return out
