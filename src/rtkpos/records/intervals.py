"""The step between the epochs of a table."""

from __future__ import annotations

import numpy as np

from rtkpos.constants import NS_PER_S
from rtkpos.records.observations import ObsTable


def interval_s(table: ObsTable) -> float | None:
    """The usual step between epochs [s] (median, to 1 ms); None for fewer than two epochs."""
    if table.n_epoch < 2:
        return None
    return round(float(np.median(np.diff(table.time_ns))) / NS_PER_S, 3)
