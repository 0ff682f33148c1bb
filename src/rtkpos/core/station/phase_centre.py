"""Phase centre of a receiver's antenna: how far off the reference point a signal is received.

Signs: mean phase centre = reference point + offset (PCO); observed distance = distance to the mean
phase centre + variation (PCV). So what is added to the distance from the reference point is
PCV - PCO . e, with e the direction of the satellite: shorter for an offset towards it.

Source: Rothacher and Schmid (2010), ANTEX 1.4, section 3, "Definition of the antenna corrections".
"""

from __future__ import annotations

import math

from rtkpos._numba.decorator import kernel
from rtkpos.constants import DEG

# Every calibration is laid out on this grid, that of nearly all of them.
GRID_STEP_DEG = 5.0
N_AZIMUTH = 73  # 0 to 360 degrees
N_ZENITH = 19  # 0 to 90 degrees


@kernel
def phase_centre(pco_enu_m, pcv_m, elevation_rad, azimuth_rad, to_enu):
    """Correction to add to the modelled distance from the antenna reference point [m].

    pco_enu_m : (3,) offset east, north, up [m]      pcv_m : (N_AZIMUTH, N_ZENITH) variation [m]
    elevation_rad, azimuth_rad : of the satellite, azimuth from north over east
    to_enu : (3,) the same direction as a unit vector, which saves its sines to every carrier
    Returns : float [m]; the variation is interpolated bilinearly and constant below the horizon
    Source: ANTEX 1.4, section 3.
    """
    step = GRID_STEP_DEG * DEG
    z = min(max((0.5 * math.pi - elevation_rad) / step, 0.0), N_ZENITH - 1.0)
    a = min(max(azimuth_rad / step, 0.0), N_AZIMUTH - 1.0)
    i, j = min(int(z), N_ZENITH - 2), min(int(a), N_AZIMUTH - 2)
    z, a = z - i, a - j
    near = (1.0 - z) * pcv_m[j, i] + z * pcv_m[j, i + 1]
    far = (1.0 - z) * pcv_m[j + 1, i] + z * pcv_m[j + 1, i + 1]
    along = 0.0
    for k in range(3):
        along += pco_enu_m[k] * to_enu[k]
    return (1.0 - a) * near + a * far - along
