"""Solutions as a table of comma-separated values, one line per rover epoch."""

from __future__ import annotations

import numpy as np

from rtkpos.constants import NS_PER_S, NS_PER_WEEK
from rtkpos.gnss.time import iso_gpst
from rtkpos.records.solution import FixStatus, Reason, Solution

COLUMNS = (
    "time_gpst", "week", "tow_s", "status", "reason", "lat_deg", "lon_deg", "height_m",
    "ecef_x_m", "ecef_y_m", "ecef_z_m", "vel_east_mps", "vel_north_mps", "vel_up_mps",
    "sigma_east_m", "sigma_north_m", "sigma_up_m", "ratio", "age_s", "n_sat", "n_fixed",
)  # fmt: skip
_DECIMALS = (10, 10, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 3, 3)


def format_csv(solution: Solution) -> str:
    """Text of the table: the columns of `COLUMNS`, every epoch, empty where there is no value."""
    lines = [",".join(COLUMNS)]
    numbers = _numbers(solution)
    for k in range(solution.n_epoch):
        time_ns = int(solution.time_ns[k])
        week, tow_ns = divmod(time_ns, NS_PER_WEEK)
        words = [iso_gpst(time_ns), str(week), f"{tow_ns / NS_PER_S:.3f}"]
        words += [FixStatus(int(solution.status[k])).name, Reason(int(solution.reason[k])).name]
        values = zip(numbers[k], _DECIMALS, strict=True)
        words += [f"{value:.{digits}f}" if np.isfinite(value) else "" for value, digits in values]
        words += [str(int(solution.n_sat[k])), str(int(solution.n_fixed[k]))]
        lines.append(",".join(words))
    return "\n".join(lines) + "\n"


def velocity_enu_mps(solution: Solution) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Velocity east, north, up [m/s] at each position: (n, 3), NaN where there is none."""
    from rtkpos.core.station.geodesy import enu_rotation

    llh, rotation = solution.llh(), np.empty((3, 3))
    out = np.full((solution.n_epoch, 3), np.nan)
    for k in np.flatnonzero(np.isfinite(llh[:, 0])):
        enu_rotation(llh[k, 0], llh[k, 1], rotation)
        out[k] = rotation @ solution.velocity_mps[k]
    return out


def _numbers(solution: Solution) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The float columns from latitude to age: (n, 14)."""
    llh = solution.llh()
    return np.column_stack(
        [
            np.degrees(llh[:, :2]),
            llh[:, 2],
            solution.ecef_m,
            velocity_enu_mps(solution),
            solution.sigma_enu_m(),
            solution.ratio,
            solution.age_s,
        ]
    )
