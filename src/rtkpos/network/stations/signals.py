"""Signals of a network: bands that most stations have, one code per station and band."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from rtkpos._arrays import BoolArray, IndexArray
from rtkpos.core.tables import ObsArrays
from rtkpos.errors import InputError
from rtkpos.gnss.signals import N_SIG, SIG_PER_SYSTEM, sig_band
from rtkpos.gnss.systems import SYSTEM_LETTERS, systems_from_letters
from rtkpos.prepare.pairing import BAND_ORDER, MIN_BAND_COVERAGE, N_SLOT, band_coverage
from rtkpos.processing.epoch import ROW_COLUMNS, kernel_view
from rtkpos.records.config import Selection
from rtkpos.records.observations import ObsTable

LEAST_STATIONS = 2


def network_bands(tables: Sequence[ObsTable], selection: Selection) -> dict[int, tuple[int, ...]]:
    """Band digits by system: as configured, else the best that at least half the stations have.

    Raises InputError when no two stations share two bands of a system: the ionosphere between
    stations cannot be told from their clocks and distances then.
    """
    coverage = np.array([band_coverage(table) for table in tables])
    chosen: dict[int, tuple[int, ...]] = {}
    for system in systems_from_letters(selection.systems):
        named = selection.bands.get(SYSTEM_LETTERS[system])
        most = np.maximum(coverage[:, system].max(axis=1, keepdims=True), 1.0)
        n_have = np.sum(coverage[:, system] > MIN_BAND_COVERAGE * most, axis=0)
        enough = max(LEAST_STATIONS, (len(tables) + 1) // 2)
        order = [int(d) for d in (named or BAND_ORDER[system])]
        usable = [d for d in order if n_have[d] >= enough]
        if len(usable) >= 2:
            chosen[system] = tuple(usable[: min(selection.n_band_max, N_SLOT)])
    if not chosen:
        raise InputError(
            "no system has two carrier-phase bands that at least half of the stations observe, so "
            f"nothing can be interpolated between them (systems {selection.systems}); give "
            "stations with common signals, or name --systems and --bands."
        )
    return chosen


def one_code_per_band(table: ObsTable, bands: dict[int, tuple[int, ...]]) -> ObsTable:
    """The rows of the code that has most phases on each band in use; others are left out.

    A station must track the same code towards all its neighbours, or integers do not close.
    """
    counts = np.bincount(table.sig[np.isfinite(table.phase_cycle)], minlength=N_SIG)
    is_kept = np.zeros(N_SIG, np.bool_)
    sig = np.arange(N_SIG)
    for system, digits in bands.items():
        for digit in digits:
            mine = (sig // SIG_PER_SYSTEM == system) & (sig_band(sig) == digit)
            best = int(np.argmax(np.where(mine, counts, -1)))
            is_kept[best] = counts[best] > 0
    return take_rows(table, is_kept[table.sig])


def take_rows(table: ObsTable, is_kept: BoolArray) -> ObsTable:
    """The table with some of its rows.

    is_kept : (n_row,)
    """
    before = np.concatenate([[0], np.cumsum(is_kept)])
    columns: dict[str, Any] = {name: getattr(table, name)[is_kept] for name in ROW_COLUMNS}
    return dataclasses.replace(table, row_start=before[table.row_start].astype(np.int64), **columns)


def joint_observations(tables: Sequence[ObsTable]) -> tuple[ObsArrays, IndexArray]:
    """All stations' observations one after the other, and the first epoch of each (K,)."""
    parts = [table.arrays() for table in tables]
    n_row = np.cumsum([0, *[len(part.sat) for part in parts]])
    n_epoch = np.cumsum([0, *[len(part.time_ns) for part in parts]])
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ObsArrays._fields
        if name != "row_start"
    }
    starts = [part.row_start[:-1] + n_row[k] for k, part in enumerate(parts)]
    joint = ObsArrays(row_start=np.concatenate([*starts, n_row[-1:]]), **columns)
    return kernel_view(joint), n_epoch[:-1].astype(np.int64)
