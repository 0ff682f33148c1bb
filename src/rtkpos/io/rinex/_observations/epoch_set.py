"""Scanned epochs with their rows: select some, put several sets behind each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtkpos._arrays import FlagArray, FloatArray, IndexArray, TimeArray
from rtkpos.io.rinex._observations.lines import ObsRows


@dataclass
class EpochSet:
    """Epochs in file order with their rows; rows of epoch k are row_start[k]:row_start[k + 1]."""

    time_ns: TimeArray
    event: FlagArray
    rx_clock_s: FloatArray
    row_start: IndexArray
    rows: ObsRows


def select_epochs(epochs: EpochSet, index: IndexArray) -> EpochSet:
    """The epochs at `index`, in that order, with their rows."""
    counts = np.diff(epochs.row_start)[index]
    row_start = np.concatenate([[0], np.cumsum(counts)])
    shift = np.repeat(epochs.row_start[index] - row_start[:-1], counts)
    row = np.arange(row_start[-1]) + shift
    return EpochSet(
        epochs.time_ns[index],
        epochs.event[index],
        epochs.rx_clock_s[index],
        row_start,
        ObsRows(*(column[row] for column in epochs.rows)),
    )


def join_epochs(parts: list[EpochSet]) -> EpochSet:
    """Several epoch sets behind each other; the parts are given up on the way."""
    if len(parts) == 1:
        return parts[0]
    counts = np.concatenate([np.diff(part.row_start) for part in parts])
    row_start = np.concatenate([[0], np.cumsum(counts)])
    columns = [
        np.concatenate([part.rows[k] for part in parts]) for k in range(len(ObsRows._fields))
    ]
    return EpochSet(
        np.concatenate([part.time_ns for part in parts]),
        np.concatenate([part.event for part in parts]),
        np.concatenate([part.rx_clock_s for part in parts]),
        row_start,
        ObsRows(*columns),
    )
