"""Broadcast ionosphere models: Klobuchar (GPS and BeiDou B1I) and BDGIM, as slant delays."""

from __future__ import annotations

import math
from typing import NamedTuple

from rtkpos._arrays import FloatArray
from rtkpos._numba.decorator import kernel
from rtkpos.constants import NS_PER_DAY, NS_PER_S, NS_PER_WEEK, SPEED_OF_LIGHT_MPS
from rtkpos.core.atmosphere._bdgim_tables import (
    BACKGROUND,
    BACKGROUND_DEGREE,
    BACKGROUND_ORDER,
    BROADCAST_DEGREE,
    BROADCAST_ORDER,
    GEOMAGNETIC_POLE_LAT_RAD,
    GEOMAGNETIC_POLE_LON_RAD,
    PERIOD_DAY,
)

IONO_OFF, IONO_KLOBUCHAR, IONO_KLOBUCHAR_BEIDOU, IONO_BDGIM = range(4)
L1_HZ = 1575.42e6
B1I_HZ = 1561.098e6
METRE_HZ2_PER_TECU = 40.3e16  # IERS Conventions (2010), eq. 9.19, first order
BDT_LAG_NS = 14 * NS_PER_S
MJD_OF_GPS_EPOCH = 44244
SLOT_NS = 2 * 3600 * NS_PER_S  # the fixed part of BDGIM is constant over two hours
SLOTS_PER_DAY = 12
N_BACKGROUND = 17


class IonosphereModel(NamedTuple):
    """A broadcast model as kernels take it; built by `physics.atmosphere`.

    kind         : IONO_*
    coefficients : (9,) Klobuchar alpha 0-3 and beta 0-3, or BDGIM alpha 1-9
    first_slot   : two-hour slot since the GPS epoch (BDT) of row 0 of `background`
    background   : (n_slot, N_BACKGROUND) fixed part of BDGIM [TECU]; one row of zeros otherwise
    """

    kind: int
    coefficients: FloatArray
    first_slot: int
    background: FloatArray


@kernel
def delay_from_l1(iono_l1_m, frequency_hz):
    """Delay [m] at a frequency from the delay on L1: proportional to 1 / f^2."""
    return iono_l1_m * (L1_HZ / frequency_hz) ** 2


@kernel
def delay_from_tecu(tecu, frequency_hz):
    """Delay [m] of an electron content [TECU] at a frequency: 0.162 m per TECU on L1."""
    return METRE_HZ2_PER_TECU * tecu / (frequency_hz * frequency_hz)


@kernel
def thin_shell_factor(elevation_rad, radius_m, shell_m):
    """Slant over vertical delay of a thin shell: 1 / cos of the zenith angle at the shell."""
    ratio = radius_m / (radius_m + shell_m) * math.cos(elevation_rad)
    return 1.0 / math.sqrt(1.0 - ratio * ratio)


@kernel
def pierce_point(lat_rad, lon_rad, elevation_rad, azimuth_rad, radius_to_shell):
    """Latitude and longitude [rad] where the line of sight pierces a shell.

    radius_to_shell : earth radius / shell radius
    Source: BDS-SIS-ICD-B1C-1.0, section 7.8 (spherical earth).
    """
    angle = math.pi / 2.0 - elevation_rad
    angle -= math.asin(radius_to_shell * math.cos(elevation_rad))
    sin_lat = math.sin(lat_rad) * math.cos(angle)
    sin_lat += math.cos(lat_rad) * math.sin(angle) * math.cos(azimuth_rad)
    lat_ip = math.asin(max(-1.0, min(1.0, sin_lat)))
    east = math.sin(angle) * math.sin(azimuth_rad) * math.cos(lat_rad)
    north = math.cos(angle) - math.sin(lat_rad) * math.sin(lat_ip)
    return lat_ip, lon_rad + math.atan2(east, north)


@kernel
def klobuchar(coefficients, lat_rad, lon_rad, elevation_rad, azimuth_rad, tow_s):
    """Slant delay on GPS L1 [m] by the GPS single-frequency model.

    coefficients : (8 or more,) alpha 0-3 [s, s/semicircle ...], beta 0-3
    tow_s        : GPS time of week [s]; any elevation below 0 counts as 0
    Source: IS-GPS-200N, 20.3.3.5.2.5, figure 20-4.
    """
    e = max(elevation_rad, 0.0) / math.pi
    psi = 0.0137 / (e + 0.11) - 0.022
    lat_ip = lat_rad / math.pi + psi * math.cos(azimuth_rad)
    lat_ip = max(-0.416, min(0.416, lat_ip))
    lon_ip = lon_rad / math.pi + psi * math.sin(azimuth_rad) / math.cos(lat_ip * math.pi)
    lat_mag = lat_ip + 0.064 * math.cos((lon_ip - 1.617) * math.pi)
    local_s = (43200.0 * lon_ip + tow_s) % 86400.0
    slant = 1.0 + 16.0 * (0.53 - e) ** 3
    amplitude_s, period_s = 0.0, 0.0
    for n in range(3, -1, -1):
        amplitude_s = amplitude_s * lat_mag + coefficients[n]
        period_s = period_s * lat_mag + coefficients[4 + n]
    amplitude_s = max(amplitude_s, 0.0)
    phase = 2.0 * math.pi * (local_s - 50400.0) / max(period_s, 72000.0)
    vertical_s = 5.0e-9
    if abs(phase) < 1.57:
        vertical_s += amplitude_s * (1.0 - phase**2 / 2.0 + phase**4 / 24.0)
    return SPEED_OF_LIGHT_MPS * slant * vertical_s


@kernel
def klobuchar_beidou(coefficients, lat_rad, lon_rad, elevation_rad, azimuth_rad, sow_s):
    """Slant delay on BeiDou B1I [m] by the model of the D1 and D2 messages.

    coefficients : (8 or more,) alpha 0-3, beta 0-3, of geographic latitude in semicircles
    sow_s        : BDT second of week [s]; any elevation below 0 counts as 0
    Source: BDS-SIS-ICD-B1I-3.0, 5.2.4.7 (shell at 375 km, radius 6378 km).
    """
    e = max(elevation_rad, 0.0)
    lat_ip, lon_ip = pierce_point(lat_rad, lon_rad, e, azimuth_rad, 6378.0 / 6753.0)
    lat_semicircle = abs(lat_ip) / math.pi
    local_s = (sow_s + lon_ip * 43200.0 / math.pi) % 86400.0
    amplitude_s, period_s = 0.0, 0.0
    for n in range(3, -1, -1):
        amplitude_s = amplitude_s * lat_semicircle + coefficients[n]
        period_s = period_s * lat_semicircle + coefficients[4 + n]
    amplitude_s = max(amplitude_s, 0.0)
    period_s = max(72000.0, min(172800.0, period_s))
    vertical_s = 5.0e-9
    if abs(local_s - 50400.0) < period_s / 4.0:
        vertical_s += amplitude_s * math.cos(2.0 * math.pi * (local_s - 50400.0) / period_s)
    return SPEED_OF_LIGHT_MPS * vertical_s * thin_shell_factor(e, 6378.0e3, 375.0e3)


@kernel
def spherical_harmonic(degree, order, sin_lat, cos_lat, lon_rad):
    """Normalised surface harmonic; a negative order takes the sine of the longitude.

    Source: BDS-SIS-ICD-B1C-1.0, section 7.8; degrees 0 to 5.
    """
    m = abs(order)
    legendre, previous = 1.0, 0.0
    for k in range(1, m + 1):
        legendre *= (2 * k - 1) * cos_lat
    for n in range(m + 1, degree + 1):
        following = ((2 * n - 1) * sin_lat * legendre - (n + m - 1) * previous) / (n - m)
        previous, legendre = legendre, following
    norm = 2.0 * degree + 1.0
    if m > 0:
        norm *= 2.0
    for k in range(degree - m + 1, degree + m + 1):
        norm /= k
    angle = math.sin(m * lon_rad) if order < 0 else math.cos(m * lon_rad)
    return math.sqrt(norm) * legendre * angle


@kernel
def bdgim_slot(time_ns):
    """Two-hour slot since the GPS epoch, in BDT, of a GPST time [ns]."""
    return (time_ns - BDT_LAG_NS) // SLOT_NS


@kernel
def bdgim_background(slot, out_background):
    """Fixed (not broadcast) BDGIM coefficients of a two-hour slot.

    slot : from `bdgim_slot`      out_background : (N_BACKGROUND,) [TECU]      Returns : int 0
    Source: BDS-SIS-ICD-B1C-1.0, section 7.8, taken at the odd hours 1, 3 ... 23.
    """
    mjd = MJD_OF_GPS_EPOCH + (slot + 0.5) / SLOTS_PER_DAY
    for j in range(N_BACKGROUND):
        out_background[j] = BACKGROUND[j, 0]
    for k in range(PERIOD_DAY.shape[0]):
        phase = 2.0 * math.pi / PERIOD_DAY[k] * mjd
        cosine, sine = math.cos(phase), math.sin(phase)
        for j in range(N_BACKGROUND):
            out_background[j] += BACKGROUND[j, 1 + 2 * k] * cosine
            out_background[j] += BACKGROUND[j, 2 + 2 * k] * sine
    return 0


@kernel
def solar_geomagnetic(lat_rad, lon_rad, day_fraction):
    """Geomagnetic latitude and sun-fixed geomagnetic longitude [rad] of a point.

    day_fraction : time of day (BDT) over 86400 s
    Source: BDS-SIS-ICD-B1C-1.0, section 7.8.
    """
    sin_pole, cos_pole = math.sin(GEOMAGNETIC_POLE_LAT_RAD), math.cos(GEOMAGNETIC_POLE_LAT_RAD)
    east = lon_rad - GEOMAGNETIC_POLE_LON_RAD
    sin_lat = sin_pole * math.sin(lat_rad) + cos_pole * math.cos(lat_rad) * math.cos(east)
    lat_mag = math.asin(max(-1.0, min(1.0, sin_lat)))
    lon_mag = math.atan2(
        math.cos(lat_rad) * math.sin(east) * cos_pole, sin_pole * sin_lat - math.sin(lat_rad)
    )
    sun = math.pi * (1.0 - 2.0 * day_fraction) - GEOMAGNETIC_POLE_LON_RAD
    return lat_mag, lon_mag - math.atan2(math.sin(sun), sin_pole * math.cos(sun))


@kernel
def bdgim_vtec(coefficients, background, lat_ip_rad, lon_ip_rad, time_ns):
    """Vertical electron content [TECU] over a pierce point by BDGIM.

    coefficients : (9,) broadcast [TECU]      background : (N_BACKGROUND,) of the slot of time_ns
    Returns      : VTEC, never below a floor of 1/10 to 1/4 of the first coefficient

    Source: BDS-SIS-ICD-B1C-1.0, section 7.8; the floor, which keeps the sum from turning
    negative at night, from the program of the model's authors (see `_bdgim_tables`).
    """
    day_fraction = ((time_ns - BDT_LAG_NS) % NS_PER_DAY) / NS_PER_DAY
    lat, lon = solar_geomagnetic(lat_ip_rad, lon_ip_rad, day_fraction)
    sin_lat, cos_lat = math.sin(lat), math.cos(lat)
    vtec = 0.0
    for j in range(BROADCAST_DEGREE.shape[0]):
        vtec += coefficients[j] * spherical_harmonic(
            BROADCAST_DEGREE[j], BROADCAST_ORDER[j], sin_lat, cos_lat, lon
        )
    for j in range(N_BACKGROUND):
        vtec += background[j] * spherical_harmonic(
            BACKGROUND_DEGREE[j], BACKGROUND_ORDER[j], sin_lat, cos_lat, lon
        )
    mean = coefficients[0]
    divisor = 10.0 if mean > 35.0 else 8.0 if mean > 20.0 else 6.0 if mean > 12.0 else 4.0
    return max(vtec, mean / divisor)


@kernel
def bdgim(coefficients, background, lat_rad, lon_rad, elevation_rad, azimuth_rad, time_ns):
    """Slant electron content [TECU] by the BeiDou global ionospheric model.

    Arguments as in `bdgim_vtec`, with the receiver's place and the direction; elevations below 0
    count as 0. Source: BDS-SIS-ICD-B1C-1.0, section 7.8 (shell at 400 km, radius 6378 km).
    """
    e = max(elevation_rad, 0.0)
    lat_ip, lon_ip = pierce_point(lat_rad, lon_rad, e, azimuth_rad, 6378.0 / 6778.0)
    vtec = bdgim_vtec(coefficients, background, lat_ip, lon_ip, time_ns)
    return vtec * thin_shell_factor(e, 6378.0e3, 400.0e3)


@kernel
def background_row(model, time_ns):
    """Row of `model.background` for a time; a time outside falls on the nearest day it holds."""
    n_slot = model.background.shape[0]
    row = bdgim_slot(time_ns) - model.first_slot
    if row < 0:
        row %= SLOTS_PER_DAY
    elif row >= n_slot:
        row -= (row - n_slot + SLOTS_PER_DAY) // SLOTS_PER_DAY * SLOTS_PER_DAY
    return max(0, min(n_slot - 1, row))


@kernel
def slant_ionosphere_l1(model, lat_rad, lon_rad, elevation_rad, azimuth_rad, time_ns):
    """Slant delay on L1 (1575.42 MHz) [m] by the model of a run; 0 when there is none.

    model   : IonosphereModel      time_ns : GPST [ns]
    Outside the span of `model.background` the same time of the nearest day in it is taken.
    NaN in place or direction gives NaN.
    """
    if model.kind != IONO_OFF and math.isnan(lat_rad + lon_rad + elevation_rad + azimuth_rad):
        return math.nan
    if model.kind == IONO_KLOBUCHAR:
        tow_s = (time_ns % NS_PER_WEEK) / NS_PER_S
        return klobuchar(model.coefficients, lat_rad, lon_rad, elevation_rad, azimuth_rad, tow_s)
    if model.kind == IONO_KLOBUCHAR_BEIDOU:
        sow_s = ((time_ns - BDT_LAG_NS) % NS_PER_WEEK) / NS_PER_S
        delay_m = klobuchar_beidou(
            model.coefficients, lat_rad, lon_rad, elevation_rad, azimuth_rad, sow_s
        )
        return delay_m * (B1I_HZ / L1_HZ) ** 2
    if model.kind == IONO_BDGIM:
        row = background_row(model, time_ns)
        stec = bdgim(
            model.coefficients,
            model.background[row],
            lat_rad,
            lon_rad,
            elevation_rad,
            azimuth_rad,
            time_ns,
        )
        return delay_from_tecu(stec, L1_HZ)
    return 0.0
