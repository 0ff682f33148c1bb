"""The coordinate of a static session in the summary: as facts (JSON) and as lines for people."""

from __future__ import annotations

from typing import Any

import numpy as np

from rtkpos.core.station.geodesy import ecef_to_geodetic, enu_rotation
from rtkpos.gnss.time import iso_gpst
from rtkpos.records.solution import Solution


def static_result(solution: Solution) -> dict[str, Any] | None:
    """The one coordinate of a static run with its standard deviations [m]; None otherwise.

    hourly : means of the clock hours and their repeatability; None below two hours
    """
    if not np.isfinite(solution.static_ecef_m).all():
        return None
    cov = solution.static_cov_m2
    sigma = np.sqrt(np.maximum(np.diag(cov), 0.0))
    known = np.isfinite(sigma).all()
    return {
        "ecef_m": solution.static_ecef_m.tolist(),
        "sigma_ecef_m": sigma.tolist() if known else None,
        "cov_ecef_m2": cov.tolist() if known else None,
        "sigma_enu_m": sigma_enu_m(solution).tolist() if known else None,
        "hourly": _hourly(solution),
    }


def sigma_enu_m(solution: Solution) -> Any:
    """Standard deviations (3,) east, north, up [m] of the static coordinate."""
    llh, rotation = np.empty(3), np.empty((3, 3))
    ecef_to_geodetic(np.ascontiguousarray(solution.static_ecef_m), llh)
    enu_rotation(llh[0], llh[1], rotation)
    local = rotation @ solution.static_cov_m2 @ rotation.T
    return np.sqrt(np.maximum(np.diag(local), 0.0))


def _hourly(solution: Solution) -> dict[str, Any] | None:
    """The hourly means as plain data."""
    hourly = solution.hourly
    if hourly is None:
        return None
    return {
        "std_enu_m": hourly.std_enu_m.tolist(),
        "start_gpst": [iso_gpst(int(t)) for t in hourly.start_ns],
        "ecef_m": hourly.ecef_m.tolist(),
        "n_epoch": hourly.n_epoch.tolist(),
    }


def static_lines(solution: Solution) -> list[str]:
    """Coordinate, its standard deviations, and how hourly means repeat; none if not static."""
    if not np.isfinite(solution.static_ecef_m).all():
        return []
    place = " ".join(f"{v:.4f}" for v in solution.static_ecef_m)
    lines = [f"static     {place} m (ECEF)"]
    sigma = _millimetres(sigma_enu_m(solution))
    lines.append(f"  sigma    {sigma} (E/N/U, lasting errors included)")
    if solution.hourly is not None:
        count = len(solution.hourly.start_ns)
        spread = _millimetres(solution.hourly.std_enu_m)
        lines.append(f"  hourly   {spread} (E/N/U, standard deviation of {count} hourly means)")
    return lines


def _millimetres(values_m: Any) -> str:
    """Three lengths in mm."""
    return "/".join(f"{1e3 * value:.1f}" for value in values_m) + " mm"
