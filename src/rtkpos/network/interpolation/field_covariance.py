"""How alike corrections are at two places: the covariance of an atmospheric field by distance.

Everything is in the zenith: the slant value of a satellite is its slant factor (a mapping function,
1 in the zenith) times the zenith value, its variance the square of the factor times the variance.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from rtkpos._numba.decorator import kernel
from rtkpos.errors import ConfigError

SMOOTH, ROUGH = 1.5, 0.5  # smoothness of the ionosphere's and of the wet delay's field


class Covariance(NamedTuple):
    """Stationary, isotropic covariance of a zenith delay; floats only, so that kernels take it.

    sill_m2 : variance of the field      range_m : length scale of the correlation
    nugget_m2 : variance of the noise of one station's value
    smoothness : 1.5 for Matern's function of that order, 0.5 for the exponential function
    """

    sill_m2: float
    range_m: float
    nugget_m2: float
    smoothness: float


# What stands in for a variogram until there is one. Differences of two stations 50 km apart, one
# sigma in the zenith: 24 mm (quiet ionosphere), 115 mm (as travelling disturbances of 0.5 TECU
# leave at most), 13 mm (wet delay).
QUIET_IONOSPHERE = Covariance(0.050**2, 150e3, 0.003**2, SMOOTH)
ACTIVE_IONOSPHERE = Covariance(0.200**2, 120e3, 0.003**2, SMOOTH)
WET_DELAY = Covariance(0.020**2, 150e3, 0.002**2, ROUGH)


def checked_covariance(covariance: Covariance) -> Covariance:
    """The covariance with all values as floats; ConfigError for one that describes no field."""
    sill_m2, range_m, nugget_m2, smoothness = map(float, covariance)
    finite = all(map(math.isfinite, (sill_m2, range_m, nugget_m2)))
    if not finite or sill_m2 <= 0.0 or range_m <= 0.0 or nugget_m2 < 0.0:
        raise ConfigError(
            "a covariance needs a positive sill and range and a nugget of zero or more; got "
            f"sill_m2 {sill_m2:g}, range_m {range_m:g}, nugget_m2 {nugget_m2:g}."
        )
    if smoothness not in (SMOOTH, ROUGH):
        raise ConfigError(f"covariance.smoothness must be {ROUGH} or {SMOOTH}; got {smoothness:g}.")
    return Covariance(sill_m2, range_m, nugget_m2, smoothness)


@kernel
def correlation(distance_m, range_m, smoothness):
    """Correlation of the field at two points: 1 at distance zero, falling to 0.

    Source: Matern (1960); Stein (1999), Interpolation of Spatial Data, ch. 2.7: orders 1/2, 3/2.
    """
    if smoothness < 1.0:
        return math.exp(-distance_m / range_m)
    scaled = 1.7320508075688772 * distance_m / range_m
    return (1.0 + scaled) * math.exp(-scaled)
