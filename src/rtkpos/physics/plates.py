"""Where the ground moves: velocities of the large plates in ITRF2020.

Source: Altamimi et al. (2023), ITRF2020 Plate Motion Model, Geophysical Research Letters 50,
tables 1 and 2. In deforming belts (Tibet, Yunnan, Japan) the ground departs from its plate by
centimetres a year.
"""

from __future__ import annotations

import math

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos.errors import ConfigError

_MAS = math.pi / 180.0 / 3_600_000.0  # milliarcseconds to radians

# Rotation about the x, y and z axes [mas/yr].
PLATES = {
    "AMUR": (-0.131, -0.551, 0.837),
    "ANTA": (-0.269, -0.312, 0.678),
    "ARAB": (1.129, -0.146, 1.438),
    "AUST": (1.487, 1.175, 1.223),
    "CARB": (0.207, -1.422, 0.726),
    "EURA": (-0.085, -0.519, 0.753),
    "INDI": (1.137, 0.013, 1.444),
    "NAZC": (-0.327, -1.561, 1.605),
    "NOAM": (0.045, -0.666, -0.098),
    "NUBI": (0.090, -0.585, 0.717),
    "PCFC": (-0.404, 1.021, -2.154),
    "SOAM": (-0.261, -0.282, -0.157),
    "SOMA": (-0.081, -0.719, 0.864),
}
# Rate of the origin the plates' rotations leave over; it belongs to every velocity [m/yr].
ORIGIN_RATE = (0.37e-3, 0.35e-3, 0.74e-3)


def plate_velocity(ecef_m: FloatArray, plate: str) -> FloatArray:
    """Velocity (n, 3) [m/yr] in ITRF2020 of points (n, 3) [m] that ride on a plate.

    Parameters
    ----------
    ecef_m : ndarray of float64
        (n, 3) points [m].
    plate : str
        Four letters of the plate in the model, "EURA" for Eurasia, "AMUR" for north-eastern China.

    Returns
    -------
    ndarray of float64
        (n, 3) velocities [m/yr].

    Raises
    ------
    ConfigError
        The plate is not known.
    """
    if plate not in PLATES:
        raise ConfigError(f"plate must be one of {', '.join(PLATES)}; got {plate!r}.")
    rotation = np.array(PLATES[plate]) * _MAS
    return np.asarray(np.cross(rotation, ecef_m) + np.array(ORIGIN_RATE), dtype=np.float64)
