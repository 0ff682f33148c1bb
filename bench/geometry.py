"""Names and geometry that several benchmarks share."""

from __future__ import annotations

import numpy as np

DUTCH = "network-netherlands-2021-001"  # data set of five stations 35 to 248 km apart


def enu_errors(ecef_m: np.ndarray, truth_ecef_m: np.ndarray) -> np.ndarray:
    """East, north, up errors (n, 3) [m] at the first true place."""
    from rtkpos.core.station.geodesy import ecef_to_geodetic, enu_rotation

    truth = np.atleast_2d(truth_ecef_m)
    llh, rotation = np.zeros(3), np.zeros((3, 3))
    ecef_to_geodetic(np.ascontiguousarray(truth[0]), llh)
    enu_rotation(llh[0], llh[1], rotation)
    errors: np.ndarray = (ecef_m - truth[: len(ecef_m)]) @ rotation.T
    return errors
