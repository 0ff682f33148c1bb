"""The code position of a base, and whether its coordinates agree with it."""

from __future__ import annotations

import math

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos.errors import InputError
from rtkpos.processing.base_check import CODE_IMPOSSIBLE_M, disagreement, hint, words_of
from rtkpos.processing.epoch import take_epochs
from rtkpos.processing.execute import RunTables, execute, in_order
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.records.config import RtkConfig
from rtkpos.records.observations import ObsTable
from rtkpos.records.report import ReadReport

N_CODE_EPOCH = 20


def code_position_of(table: ObsTable, nav: BroadcastTable) -> FloatArray | None:
    """Median code position (3,) [m] of some epochs spread over a table; None without any."""
    if table.n_epoch == 0:
        return None
    index = np.unique(np.linspace(0, table.n_epoch - 1, N_CODE_EPOCH).astype(np.int64))
    some = in_order(take_epochs(table, index), "base", ReadReport())
    tables = RunTables(some, None, np.full(3, np.nan), nav)
    config = RtkConfig(mode="single")
    try:
        points = execute(tables, config, ReadReport()).ecef_m
    except InputError:
        return None
    points = points[np.isfinite(points).all(axis=1)]
    return np.asarray(np.median(points, axis=0)) if len(points) else None


def compare_with_own_code(
    ecef_m: FloatArray, base: ObsTable, nav: BroadcastTable, force: bool, report: ReadReport
) -> None:
    """Compare the base coordinates (3,) [m] with the code positions of the base itself.

    More than 30 m apart is a warning in the report, more than 1 km InputError unless `force`.
    Without a code position there is nothing to compare with.
    """
    code_m = code_position_of(base, nav)
    if code_m is None:
        return
    text = disagreement(ecef_m, code_m)
    if not text:
        return
    if math.dist(ecef_m, code_m) > CODE_IMPOSSIBLE_M and not force:
        raise InputError(
            f"{text} ({words_of(np.round(code_m))} m){hint(ecef_m, code_m)}; "
            "correct base_ecef_m, or go on with config.base.force."
        )
    report.warn(f"{text}; the whole result is shifted if they are wrong.")
