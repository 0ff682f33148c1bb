"""Observation noise: variances by elevation, carrier-to-noise density and kind of orbit."""

from __future__ import annotations

import math

from rtkpos._numba.decorator import kernel


@kernel
def phase_variance(elevation_rad, cn0_dbhz, settings):
    """Variance of one receiver's phase [m^2]; NaN or zero C/N0 counts as the reference value.

    settings : Settings with phase_a_m, phase_b_m [m], cn0_reference_dbhz [dB-Hz]
    Source: a^2 + b^2 / sin^2 E as in Takasu & Yasuda (2009); the factor 10^(dC/10) below the
    reference is thermal noise, sigma^2 ~ 1 / (C/N0) (Kaplan & Hegarty 2017, eq. 8.98).
    """
    sin_e = max(math.sin(elevation_rad), 0.05)
    b = settings.phase_b_m / sin_e
    variance = settings.phase_a_m * settings.phase_a_m + b * b
    short_db = settings.cn0_reference_dbhz - cn0_dbhz
    if short_db > 0.0 and cn0_dbhz > 0.0:
        variance *= 10.0 ** (0.1 * min(short_db, 30.0))
    return variance
