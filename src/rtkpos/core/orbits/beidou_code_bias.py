"""Elevation-dependent code bias of the BeiDou-2 IGSO and MEO satellites.

The bias arises in the satellite and grows with elevation, up to a metre on B1I. GEO satellites
cannot be calibrated from the ground (their elevation stands still); BeiDou-3 is free of it.
"""

from __future__ import annotations

import math

import numpy as np

from rtkpos._numba.decorator import kernel
from rtkpos.core.tables import ORBIT_GEO, ORBIT_IGSO

# Wanninger and Beer (2015), BeiDou satellite-induced code pseudorange variations: diagnosis and
# therapy, GPS Solutions 19, 639-648: what is added to the code [m] at elevations 0, 10
# ... 90 deg. Rows: B1I (band digit 2), B2I (7), B3I (6).
IGSO_M = np.array(
    [
        [-0.55, -0.40, -0.34, -0.23, -0.15, -0.04, 0.09, 0.19, 0.27, 0.35],
        [-0.71, -0.36, -0.33, -0.19, -0.14, -0.03, 0.08, 0.17, 0.24, 0.33],
        [-0.27, -0.23, -0.21, -0.15, -0.11, -0.04, 0.05, 0.14, 0.19, 0.32],
    ]
)
MEO_M = np.array(
    [
        [-0.47, -0.38, -0.32, -0.23, -0.11, 0.06, 0.34, 0.69, 0.97, 1.05],
        [-0.40, -0.31, -0.26, -0.18, -0.06, 0.09, 0.28, 0.48, 0.64, 0.69],
        [-0.22, -0.15, -0.13, -0.10, -0.04, 0.05, 0.14, 0.27, 0.36, 0.47],
    ]
)
STEP_RAD = math.radians(10.0)
# Slots of the regional constellation outside GEO; BeiDou-3 was numbered from C19 on. A slot that a
# BeiDou-3 satellite takes over has to be taken out here.
FIRST_PRN, LAST_PRN = 6, 16


@kernel
def beidou2_code_correction(prn, orbit, band_digit, elevation_rad):
    """Correction to add to the code of a BeiDou satellite [m]; 0 where none is known.

    prn : int 1..63      orbit : int ORBIT_* class of its ephemeris      band_digit : int RINEX band
    elevation_rad : float, clamped to 0..90 deg; NaN gives 0
    Returns : float [m], linear between the 10 deg nodes of the table
    """
    if prn < FIRST_PRN or prn > LAST_PRN or orbit == ORBIT_GEO or math.isnan(elevation_rad):
        return 0.0
    if band_digit == 2:
        row = 0
    elif band_digit == 7:
        row = 1
    elif band_digit == 6:
        row = 2
    else:
        return 0.0
    table = IGSO_M if orbit == ORBIT_IGSO else MEO_M
    place = min(max(elevation_rad / STEP_RAD, 0.0), 9.0)
    node = min(int(place), 8)
    part = place - node
    return (1.0 - part) * table[row, node] + part * table[row, node + 1]
