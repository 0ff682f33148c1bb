"""Room for live epochs: arrays allocated once, in the form the kernels read."""

from __future__ import annotations

from typing import Any

import numpy as np

from rtkpos.core.tables import EVENT_POWER_FAILURE, ObsArrays
from rtkpos.processing.epoch import ROW_COLUMNS, Epoch

BUFFER_COLUMNS = (*ROW_COLUMNS, "time_ns", "event", "row_start")


class EpochBuffer:
    """The latest epochs of one receiver in arrays that never move.

    obs : ObsArrays with room for `n_epoch` epochs and `n_row` rows      size : epochs held
    """

    def __init__(self, n_epoch: int, n_row: int) -> None:
        self.obs = ObsArrays(
            np.zeros(n_epoch, np.int64),
            np.zeros(n_epoch + 1, np.int64),
            np.zeros(n_epoch, np.uint8),
            np.zeros(n_row, np.int16),
            np.zeros(n_row, np.int16),
            np.full(n_row, np.nan),
            np.full(n_row, np.nan),
            np.full(n_row, np.nan),
            np.full(n_row, np.nan),
            np.zeros(n_row, np.uint8),
        )
        self.size = 0

    def append(self, epoch: Epoch) -> int:
        """Add an epoch behind the others. Returns how many of the oldest had to go for it."""
        n_row = int(self.obs.row_start[self.size])
        n_gone = 0
        while n_gone < self.size and (
            self.size - n_gone == len(self.obs.time_ns)
            or n_row - self.obs.row_start[n_gone] + epoch.n_row > len(self.obs.sat)
        ):
            n_gone += 1
        self.drop(n_gone)
        first = int(self.obs.row_start[self.size])
        for name in ROW_COLUMNS:
            getattr(self.obs, name)[first : first + epoch.n_row] = getattr(epoch, name)
        self.obs.time_ns[self.size] = epoch.time_ns
        self.obs.event[self.size] = epoch.event
        self.size += 1
        self.obs.row_start[self.size] = first + epoch.n_row
        return n_gone

    def drop(self, n: int) -> None:
        """Forget the oldest n epochs."""
        n = min(n, self.size)
        if n <= 0:
            return
        first, end = int(self.obs.row_start[n]), int(self.obs.row_start[self.size])
        for name in ROW_COLUMNS:
            column = getattr(self.obs, name)
            column[: end - first] = column[first:end]
        kept = self.size - n
        self.obs.time_ns[:kept] = self.obs.time_ns[n : self.size]
        self.obs.event[:kept] = self.obs.event[n : self.size]
        self.obs.row_start[: kept + 1] = self.obs.row_start[n : self.size + 1] - first
        self.size = kept

    def mark_lost(self, k: int) -> None:
        """Epochs before epoch k were lost unseen: every phase of the receiver counts as new."""
        self.obs.event[k] |= EVENT_POWER_FAILURE

    def columns(self) -> dict[str, Any]:
        """Copies of what is held, by the names of `BUFFER_COLUMNS`."""
        n_row = int(self.obs.row_start[self.size])
        found = {name: getattr(self.obs, name)[:n_row].copy() for name in ROW_COLUMNS}
        found["time_ns"] = self.obs.time_ns[: self.size].copy()
        found["event"] = self.obs.event[: self.size].copy()
        found["row_start"] = self.obs.row_start[: self.size + 1].copy()
        return found

    def load(self, columns: dict[str, Any]) -> None:
        """Hold what `columns` of another buffer gave."""
        self.size = len(columns["time_ns"])
        for name, values in columns.items():
            getattr(self.obs, name)[: len(values)] = values
