"""Solutions as a table of comma-separated values, one line per rover epoch."""

from __future__ import annotations

from typing import Any

import numpy as np

from rtkpos._arrays import BoolArray, FloatArray
from rtkpos.constants import NS_PER_S, NS_PER_WEEK
from rtkpos.core.station.many_points import frames_of, sigma_of
from rtkpos.gnss.time import iso_gpst
from rtkpos.records.shown import names_of
from rtkpos.records.solution import Solution
from rtkpos.records.status import FixStatus, Reason

COLUMNS = (
    "time_gpst", "week", "tow_s", "status", "reason", "lat_deg", "lon_deg", "height_m",
    "ecef_x_m", "ecef_y_m", "ecef_z_m", "vel_east_mps", "vel_north_mps", "vel_up_mps",
    "sigma_east_m", "sigma_north_m", "sigma_up_m", "ratio", "age_s", "n_sat", "n_fixed",
)  # fmt: skip
_DECIMALS = (10, 10, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 3, 3)
_ROW = ",".join(f"%.{digits}f" for digits in _DECIMALS)


def format_csv(solution: Solution) -> str:
    """Text of the table: the columns of `COLUMNS`, every epoch, empty where there is no value.

    Parameters
    ----------
    solution : Solution
        The result of a run.

    Returns
    -------
    str
        The text.
    """
    lines = [",".join(COLUMNS)]
    numbers = _numbers(solution)
    known = np.isfinite(numbers)
    columns: Any = (
        solution.time_ns.tolist(),
        names_of(FixStatus, solution.status),
        names_of(Reason, solution.reason),
        numbers.tolist(),
        known.all(axis=1).tolist(),
        solution.n_sat.tolist(),
        solution.n_fixed.tolist(),
    )
    for k, (time_ns, status, reason, row, is_whole, n_sat, n_fixed) in enumerate(
        zip(*columns, strict=True)
    ):
        week, tow_ns = divmod(time_ns, NS_PER_WEEK)
        values = _ROW % tuple(row) if is_whole else _with_gaps(row, known[k])
        lines.append(
            f"{iso_gpst(time_ns)},{week},{tow_ns / NS_PER_S:.3f},{status},{reason},{values},"
            f"{n_sat},{n_fixed}"
        )
    return "\n".join(lines) + "\n"


def _with_gaps(row: list[float], known: BoolArray) -> str:
    """The numbers of a row, nothing between the commas where there is no value."""
    values = zip(row, _DECIMALS, known, strict=True)
    return ",".join(f"{value:.{digits}f}" if is_known else "" for value, digits, is_known in values)


def _numbers(solution: Solution) -> FloatArray:
    """The float columns from latitude to age: (n, 14)."""
    llh, rotation = frames_of(solution.ecef_m)
    velocity_enu_mps = (rotation @ solution.velocity_mps[:, :, np.newaxis])[:, :, 0]
    return np.column_stack(
        [
            np.degrees(llh[:, :2]),
            llh[:, 2],
            solution.ecef_m,
            velocity_enu_mps,
            sigma_of(solution.cov_ecef_m2, rotation),
            solution.ratio,
            solution.age_s,
        ]
    )
