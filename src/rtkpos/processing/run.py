"""A run over two files: inputs checked, then executed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from rtkpos._arrays import FloatArray
from rtkpos.errors import InputError
from rtkpos.processing.base_check import checked_coordinate
from rtkpos.processing.base_code import compare_with_own_code
from rtkpos.processing.epoch import within_limits
from rtkpos.processing.execute import RunTables, execute, in_order
from rtkpos.processing.explain import say_what_does_not_fit
from rtkpos.processing.settings import config_of
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.records.config import RtkConfig
from rtkpos.records.observations import ObsTable
from rtkpos.records.report import ReadReport
from rtkpos.records.solution import Solution


def solve(
    rover: ObsTable,
    nav: BroadcastTable,
    base: ObsTable | None = None,
    base_ecef_m: ArrayLike | None = None,
    config: RtkConfig | None = None,
    on_epoch: Callable[[int, int], Any] | None = None,
) -> Solution:
    """Positions of a rover, epoch by epoch.

    rover, base : observations      nav : broadcast ephemerides
    base_ecef_m : (3,) coordinate of the base's marker [m]; the result is that of the rover's, see
        `config.antenna` for offsets and calibrations; not used in mode moving_base
    on_epoch    : called as on_epoch(done, total) every few hundred epochs, those of both
        directions in a combined run
    Raises InputError when the rover is empty, when the base or its coordinate is missing for a
    differential mode, and when the coordinate is not that of the base (more than 1 km from its
    own code position, unless `config.base.force`). A base without epochs gives single positions.
    What does not fit is told in the solution's report.
    """
    config = config_of(config)
    report = ReadReport()
    refuse_empty(rover)
    rover = in_order(within_limits(rover, "rover", report), "rover", report)
    base, coordinate = usable_base(base, base_ecef_m, config, report)
    if base is not None:
        base = in_order(within_limits(base, "base", report), "base", report)
        if config.mode != "moving_base":
            compare_with_own_code(coordinate, base, nav, config.base.force, report)
    say_what_does_not_fit(rover, base, nav, report)
    return execute(RunTables(rover, base, coordinate, nav), config, report, on_epoch)


def refuse_empty(rover: ObsTable) -> None:
    """InputError for a rover without epochs."""
    if rover.n_epoch == 0:
        raise InputError("the rover has no epochs; give an observation file with data.")


def usable_base(
    base: ObsTable | None,
    base_ecef_m: ArrayLike | None,
    config: RtkConfig,
    report: ReadReport,
) -> tuple[ObsTable | None, FloatArray]:
    """The base a run uses, None for single positioning, and its coordinate (3,), NaN then."""
    if config.mode == "single":
        return None, np.full(3, np.nan)
    if base is None:
        raise InputError(f"mode {config.mode} needs base observations; give a base or use single.")
    moves = config.mode == "moving_base"
    coordinate = np.full(3, np.nan) if moves else checked_coordinate(base_ecef_m)
    if base.n_epoch == 0:
        report.warn("the base has no epochs; only single positions are computed.")
        return None, coordinate
    return base, coordinate
