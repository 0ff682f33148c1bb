"""Alignment: the base epoch that serves each rover epoch."""

from __future__ import annotations

import numpy as np

from rtkpos._arrays import IndexArray, TimeArray


def match_epochs(
    rover_ns: TimeArray, base_ns: TimeArray, tolerance_ns: int, max_age_ns: int
) -> IndexArray:
    """Index of the latest base epoch not after each rover epoch, -1 where it is too old.

    rover_ns : (n,) GPST [ns], any order      base_ns : (m,) GPST [ns], ascending
    tolerance_ns : a base epoch this much after the rover epoch still counts as the same
    """
    index = np.searchsorted(base_ns, rover_ns + tolerance_ns, side="right") - 1
    usable = index >= 0
    age = rover_ns[usable] - base_ns[index[usable]]
    index[usable] = np.where(age <= max_age_ns, index[usable], -1)
    return index.astype(np.int64)
