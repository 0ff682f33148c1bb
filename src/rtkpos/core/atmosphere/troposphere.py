"""Troposphere: standard atmosphere, Saastamoinen zenith delays, Global Mapping Function.

What depends on place and time is computed once by `prepare_troposphere`; a satellite then costs
two continued fractions in `slant_troposphere`.
"""

from __future__ import annotations

import math

from rtkpos._numba.decorator import kernel
from rtkpos.constants import NS_PER_DAY
from rtkpos.core.atmosphere._gmf_tables import (
    AH_AMP,
    AH_MEAN,
    AW_AMP,
    AW_MEAN,
    BH_AMP,
    BH_MEAN,
    BW_AMP,
    BW_MEAN,
)

RELATIVE_HUMIDITY = 0.7  # a zenith wet delay of 12 cm at sea level, typical of middle latitudes
MIN_ELEVATION_RAD = math.radians(3.0)
MIN_HEIGHT_M, MAX_HEIGHT_M = -1000.0, 50_000.0
GMF_DEGREE = 9

# Coefficients of a place and day, filled by `prepare_troposphere`.
T_ZHD_M, T_ZWD_M, T_A_HYD, T_B_HYD, T_C_HYD, T_A_WET, T_B_WET, T_C_WET, T_HEIGHT_KM = range(9)
N_TROP = 9

# Boehm et al. (2006): fixed second and third coefficients.
B_HYD, B_WET, C_WET = 0.0029, 0.00146, 0.04391
# Niell (1996), table 3: height correction.
A_HEIGHT, B_HEIGHT, C_HEIGHT = 2.53e-5, 5.49e-3, 1.14e-3


@kernel
def standard_atmosphere(height_m):
    """Pressure [hPa] and temperature [K] of the standard atmosphere at a height.

    Heights are limited to -1 .. 50 km; isothermal above 11 km. NaN in, NaN out.
    Source: ICAO Doc 7488 (1993), ISO 2533.
    """
    if height_m < MIN_HEIGHT_M:
        height_m = MIN_HEIGHT_M
    if height_m > MAX_HEIGHT_M:
        height_m = MAX_HEIGHT_M
    if height_m > 11_000.0:
        return 226.32 * math.exp(-(height_m - 11_000.0) / 6341.62), 216.65
    temperature_k = 288.15 - 0.0065 * height_m
    return 1013.25 * (temperature_k / 288.15) ** 5.25588, temperature_k


@kernel
def gravity_factor(lat_rad, height_m):
    """Mean gravity of the air column over 9.784 m/s^2. Source: IERS Conventions (2010), eq. 9.4."""
    return 1.0 - 0.00266 * math.cos(2.0 * lat_rad) - 2.8e-7 * height_m


@kernel
def zenith_hydrostatic_delay(pressure_hpa, lat_rad, height_m):
    """Zenith hydrostatic delay by Saastamoinen's model.

    pressure_hpa : float   surface pressure [hPa]
    lat_rad      : float   geodetic latitude [rad]
    height_m     : float   height of the point [m]
    Returns      : float   delay [m]; NaN in, NaN out. 2.307 m at 1013.25 hPa, 45 deg, 0 m.

    Source: IERS Conventions (2010), ch. 9, eq. 9.4; formal error below 1 mm.
    """
    return 0.0022768 * pressure_hpa / gravity_factor(lat_rad, height_m)


@kernel
def zenith_wet_delay(temperature_k, relative_humidity, lat_rad, height_m):
    """Zenith wet delay by Saastamoinen's model from surface temperature and humidity.

    temperature_k : float [K]      relative_humidity : float 0..1
    Returns       : float delay [m]; NaN in, NaN out. 0.12 m at 288.15 K, 0.7, 45 deg, 0 m.

    Source: Saastamoinen (1972), AGU Monograph 15, 247-251; vapour pressure over water as there.
    """
    exponent = (17.15 * temperature_k - 4684.0) / (temperature_k - 38.45)
    vapour_hpa = 6.108 * relative_humidity * math.exp(exponent)
    wet_m = 0.0022768 * (1255.0 / temperature_k + 0.05) * vapour_hpa
    return wet_m / gravity_factor(lat_rad, height_m)


@kernel
def gmf_leading_coefficients(lat_rad, lon_rad, season):
    """First coefficients (hydrostatic, wet) of the Global Mapping Function.

    season : cosine of the annual phase, 1 on 28 January
    Source: Boehm et al. (2006), eq. 3, spherical harmonics of degree and order 9.
    """
    x = math.cos(lat_rad) * math.cos(lon_rad)
    y = math.cos(lat_rad) * math.sin(lon_rad)
    z = math.sin(lat_rad)
    hydrostatic, wet = 0.0, 0.0
    cos_mm, sin_mm = 1.0, 0.0  # P_mm times cos(m lon) and sin(m lon)
    for m in range(GMF_DEGREE + 1):
        if m > 0:
            factor = 2.0 * m - 1.0
            cos_mm, sin_mm = (
                factor * (x * cos_mm - y * sin_mm),
                factor * (x * sin_mm + y * cos_mm),
            )
        legendre, previous = 1.0, 0.0  # P_nm / P_mm and the one of degree n - 1
        for n in range(m, GMF_DEGREE + 1):
            if n > m:
                following = ((2 * n - 1) * z * legendre - (n + m - 1) * previous) / (n - m)
                previous, legendre = legendre, following
            i = n * (n + 1) // 2 + m
            c, s = legendre * cos_mm, legendre * sin_mm
            hydrostatic += (AH_MEAN[i] + AH_AMP[i] * season) * c
            hydrostatic += (BH_MEAN[i] + BH_AMP[i] * season) * s
            wet += (AW_MEAN[i] + AW_AMP[i] * season) * c
            wet += (BW_MEAN[i] + BW_AMP[i] * season) * s
    return hydrostatic * 1e-5, wet * 1e-5


@kernel
def continued_fraction(sin_elevation, a, b, c):
    """Mapping factor of three coefficients, 1 at the zenith. Source: Herring (1992)."""
    zenith = 1.0 + a / (1.0 + b / (1.0 + c))
    return zenith / (sin_elevation + a / (sin_elevation + b / (sin_elevation + c)))


@kernel
def prepare_troposphere(lat_rad, lon_rad, height_m, time_ns, out_coefficients):
    """Zenith delays and mapping coefficients of a place and a time.

    lat_rad, lon_rad, height_m : geodetic [rad], [m]; the ellipsoidal height stands for the height
        above sea level: 30 m of geoid change the zenith delay by 8 mm, alike at rover and base
    time_ns          : GPST [ns]; changes matter from day to day only
    out_coefficients : (N_TROP,) T_* of this module; NaN where the place is NaN
    Returns          : int 0; 1 when the place is NaN

    Source: Saastamoinen on the standard atmosphere; Boehm et al. (2006) for the mapping.
    """
    pressure_hpa, temperature_k = standard_atmosphere(height_m)
    limited_m = min(max(height_m, MIN_HEIGHT_M), MAX_HEIGHT_M)
    # Days since 28 January 1980, as the coefficients were adjusted; 1980-01-06 is day 5.
    season_phase = 2.0 * math.pi * (time_ns / NS_PER_DAY + 5.0 + 1.0 - 28.0) / 365.25
    season = math.cos(season_phase)
    a_hydrostatic, a_wet = gmf_leading_coefficients(lat_rad, lon_rad, season)
    if lat_rad < 0.0:
        seasonal, constant = 0.007 * (1.0 - season) / 2.0, 0.002
    else:
        seasonal, constant = 0.005 * (1.0 + season) / 2.0, 0.001
    out_coefficients[T_ZHD_M] = zenith_hydrostatic_delay(pressure_hpa, lat_rad, limited_m)
    out_coefficients[T_ZWD_M] = zenith_wet_delay(
        temperature_k, RELATIVE_HUMIDITY, lat_rad, limited_m
    )
    if limited_m > 11_000.0:
        out_coefficients[T_ZWD_M] = 0.0
    out_coefficients[T_A_HYD] = a_hydrostatic
    out_coefficients[T_B_HYD] = B_HYD
    out_coefficients[T_C_HYD] = 0.062 + (seasonal + constant) * (1.0 - math.cos(lat_rad))
    out_coefficients[T_A_WET] = a_wet
    out_coefficients[T_B_WET] = B_WET
    out_coefficients[T_C_WET] = C_WET
    out_coefficients[T_HEIGHT_KM] = limited_m / 1000.0
    if not math.isfinite(lat_rad + lon_rad + height_m):
        out_coefficients[:] = math.nan
        return 1
    return 0


@kernel
def mapping_gmf_boehm2006(coefficients, elevation_rad):
    """Hydrostatic and wet mapping factors of a prepared place.

    coefficients : (N_TROP,) from `prepare_troposphere`
    elevation_rad: below 3 deg the value at 3 deg; the hydrostatic factor never exceeds 1 / sin E
    Returns      : (hydrostatic, wet)

    Source: Boehm et al. (2006); height correction Niell (1996), eq. 6.
    """
    if elevation_rad < MIN_ELEVATION_RAD:
        elevation_rad = MIN_ELEVATION_RAD
    sin_e = math.sin(elevation_rad)
    hydrostatic = continued_fraction(
        sin_e, coefficients[T_A_HYD], coefficients[T_B_HYD], coefficients[T_C_HYD]
    )
    per_km = 1.0 / sin_e - continued_fraction(sin_e, A_HEIGHT, B_HEIGHT, C_HEIGHT)
    hydrostatic += per_km * coefficients[T_HEIGHT_KM]
    if hydrostatic > 1.0 / sin_e:
        hydrostatic = 1.0 / sin_e
    wet = continued_fraction(
        sin_e, coefficients[T_A_WET], coefficients[T_B_WET], coefficients[T_C_WET]
    )
    return hydrostatic, wet


@kernel
def slant_troposphere(coefficients, elevation_rad):
    """Slant delay of the prepared atmosphere and the factor of a zenith wet delay beside it.

    coefficients : (N_TROP,) from `prepare_troposphere`      elevation_rad : clamped at 3 deg
    Returns      : (trop_m, wet_mapping); NaN where the place or the elevation is NaN
    """
    hydrostatic, wet = mapping_gmf_boehm2006(coefficients, elevation_rad)
    trop_m = coefficients[T_ZHD_M] * hydrostatic + coefficients[T_ZWD_M] * wet
    return trop_m, wet
