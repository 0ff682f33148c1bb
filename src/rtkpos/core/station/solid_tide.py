"""Solid earth tide: how far the sun and the moon lift a point of the crust.

Step 1 of the IERS model: the in-phase displacement of degree 2 (sun and moon) and 3 (moon) with
nominal Love numbers that depend on latitude. Left out are the out-of-phase parts and step 2, the
frequency-dependent corrections: together up to 15 mm of up to 400 mm, all but the same at both ends
of a baseline (0.5 mm of difference over 200 km). The permanent part is not taken out, as is custom
("conventional tide free" coordinates).

Source: IERS Conventions (2010), TN 36, ch. 7.1.1, eqs. 7.2, 7.5 and 7.6. Sun and moon: Montenbruck
and Gill (2000), Satellite Orbits, sec. 3.3.2, to 1' and 5', worth 0.1 mm and 0.3 mm.
"""

from __future__ import annotations

import math

from rtkpos._numba.decorator import kernel
from rtkpos.constants import DEG, NS_PER_DAY

EARTH_RADIUS_M = 6_378_136.6  # IERS Conventions (2010), table 1.1
SUN_OVER_EARTH = 332_946.0482  # masses, IERS 2010, dehanttideinel
MOON_OVER_EARTH = 0.0123000371
J2000_NS = 7300 * NS_PER_DAY + NS_PER_DAY // 2  # from 1980-01-06 to 2000-01-01 12:00
TT_MINUS_GPST_S = 51.184  # IS-GPS-200N, 3.3.4: TAI - GPST = 19 s
# UT1 is taken as GPST - 18 s. Leap seconds off by 18 turn sun and moon by 0.08 deg: 0.5 mm of
# displacement, nothing in a difference.
GPST_MINUS_UT_S = 18.0
_ARCSEC = DEG / 3600.0
_CENTURY_S = 36525.0 * 86400.0


@kernel
def centuries(time_ns, offset_s):
    """Julian centuries since J2000 of GPST [ns] plus an offset [s].

    Source: IERS Conventions (2010), eq. 5.2.
    """
    return ((time_ns - J2000_NS) * 1e-9 + offset_s) / _CENTURY_S


@kernel
def sidereal_angle(time_ns):
    """Greenwich mean sidereal time [rad] at GPST [ns].

    Source: Aoki et al. (1982), the IAU 1982 expression; 86400 s of time are one turn.
    """
    t = centuries(time_ns, -GPST_MINUS_UT_S)
    seconds = 67310.54841 + (876600.0 * 3600.0 + 8640184.812866) * t + 0.093104 * t * t
    return (seconds % 86400.0) * (2.0 * math.pi / 86400.0)


@kernel
def place_body(lon_rad, lat_rad, distance_m, time_ns, out_ecef_m):
    """Ecliptic coordinates of date turned into the earth-fixed frame, without nutation.

    out_ecef_m : (3,) [m]      Source: Montenbruck and Gill (2000), eq. 3.46; obliquity IAU 1976.
    """
    t = centuries(time_ns, TT_MINUS_GPST_S)
    tilt = (23.43929111 - 0.0130042 * t) * DEG
    x = math.cos(lon_rad) * math.cos(lat_rad)
    y = math.sin(lon_rad) * math.cos(lat_rad)
    z = math.sin(lat_rad)
    y, z = math.cos(tilt) * y - math.sin(tilt) * z, math.sin(tilt) * y + math.cos(tilt) * z
    turn = sidereal_angle(time_ns)
    out_ecef_m[0] = distance_m * (math.cos(turn) * x + math.sin(turn) * y)
    out_ecef_m[1] = distance_m * (math.cos(turn) * y - math.sin(turn) * x)
    out_ecef_m[2] = distance_m * z
    return 0


@kernel
def sun_position(time_ns, out_ecef_m):
    """Geocentric position of the sun, earth-fixed, to about 1'.

    time_ns : GPST [ns]      out_ecef_m : (3,) [m]      Returns : int 0
    Source: Montenbruck and Gill (2000), eqs. 3.43 to 3.45, referred to the equinox of date.
    """
    t = centuries(time_ns, TT_MINUS_GPST_S)
    m = (357.5256 + 35999.049 * t) * DEG
    lon = (282.9400 + 1.3972 * t) * DEG + m
    lon += (6892.0 * math.sin(m) + 72.0 * math.sin(2.0 * m)) * _ARCSEC
    distance_m = (149.619 - 2.499 * math.cos(m) - 0.021 * math.cos(2.0 * m)) * 1e9
    return place_body(lon, 0.0, distance_m, time_ns, out_ecef_m)


@kernel
def moon_position(time_ns, out_ecef_m):
    """Geocentric position of the moon, earth-fixed, to about 5' and 500 km.

    time_ns : GPST [ns]      out_ecef_m : (3,) [m]      Returns : int 0
    Legend: l, s mean anomalies of moon and sun, f distance from the node, d from the sun.
    Source: Montenbruck and Gill (2000), eqs. 3.47 to 3.50, referred to the equinox of date.
    """
    t = centuries(time_ns, TT_MINUS_GPST_S)
    l0 = (218.31617 + 481267.88088 * t) * DEG
    l = (134.96292 + 477198.86753 * t) * DEG  # noqa: E741 the symbol of the source
    s = (357.52543 + 35999.04944 * t) * DEG
    f = (93.27283 + 483202.01873 * t) * DEG
    d = (297.85027 + 445267.11135 * t) * DEG
    lon = 22640.0 * math.sin(l) + 769.0 * math.sin(2.0 * l) - 4586.0 * math.sin(l - 2.0 * d)
    lon += 2370.0 * math.sin(2.0 * d) - 668.0 * math.sin(s) - 412.0 * math.sin(2.0 * f)
    lon -= 212.0 * math.sin(2.0 * (l - d)) + 206.0 * math.sin(l + s - 2.0 * d)
    lon += 192.0 * math.sin(l + 2.0 * d) - 165.0 * math.sin(s - 2.0 * d)
    lon += 148.0 * math.sin(l - s) - 125.0 * math.sin(d) - 110.0 * math.sin(l + s)
    lon -= 55.0 * math.sin(2.0 * (f - d))
    arc = f + (lon + 412.0 * math.sin(2.0 * f) + 541.0 * math.sin(s)) * _ARCSEC
    lat = 18520.0 * math.sin(arc) - 526.0 * math.sin(f - 2.0 * d)
    lat += 44.0 * math.sin(l + f - 2.0 * d) - 31.0 * math.sin(f - l - 2.0 * d)
    lat += 21.0 * math.sin(f - l) - 25.0 * math.sin(f - 2.0 * l)
    lat += 11.0 * math.sin(f - s - 2.0 * d) - 23.0 * math.sin(s + f - 2.0 * d)
    r = 385000.0 - 20905.0 * math.cos(l) - 3699.0 * math.cos(2.0 * d - l)
    r -= 2956.0 * math.cos(2.0 * d) + 570.0 * math.cos(2.0 * l)
    r += 246.0 * math.cos(2.0 * (l - d)) - 205.0 * math.cos(s - 2.0 * d)
    r -= 171.0 * math.cos(l + 2.0 * d) + 152.0 * math.cos(l + s - 2.0 * d)
    return place_body(l0 + lon * _ARCSEC, lat * _ARCSEC, r * 1e3, time_ns, out_ecef_m)


@kernel
def add_body_tide(position_m, body_m, mass_ratio, with_degree_3, out_m):
    """Add the displacement one body causes to out_m.

    position_m, body_m : (3,) ECEF [m]      mass_ratio : body over earth      out_m : (3,) [m]
    Source: IERS Conventions (2010), eqs. 7.2 (Love numbers), 7.5 (degree 2), 7.6 (degree 3).
    """
    r2, b2, dot = 0.0, 0.0, 0.0
    for k in range(3):
        r2 += position_m[k] * position_m[k]
        b2 += body_m[k] * body_m[k]
        dot += position_m[k] * body_m[k]
    r, b = math.sqrt(r2), math.sqrt(b2)
    c = dot / (r * b)
    sin2 = position_m[2] * position_m[2] / r2
    bend = 0.5 * (3.0 * sin2 - 1.0)
    h2, l2 = 0.6078 - 0.0006 * bend, 0.0847 + 0.0002 * bend
    size = mass_ratio * EARTH_RADIUS_M * (EARTH_RADIUS_M / b) ** 3
    radial = size * h2 * (1.5 * c * c - 0.5)
    along = size * 3.0 * l2 * c
    if with_degree_3:
        size *= EARTH_RADIUS_M / b
        radial += size * 0.292 * (2.5 * c * c * c - 1.5 * c)
        along += size * 0.015 * (7.5 * c * c - 1.5)
    for k in range(3):
        up = position_m[k] / r
        out_m[k] += radial * up + along * (body_m[k] / b - c * up)
    return 0


@kernel
def solid_tide(position_m, time_ns, body_m, out_m):
    """Displacement of a point of the crust by the solid earth tide.

    position_m : (3,) ECEF [m]      time_ns : GPST [ns]      body_m : (3,) scratch
    out_m : (3,) displacement, ECEF [m], up to 0.4 m      Returns : int 0
    Source: IERS Conventions (2010), ch. 7.1.1, step 1 in phase.
    """
    out_m[:] = 0.0
    sun_position(time_ns, body_m)
    add_body_tide(position_m, body_m, SUN_OVER_EARTH, False, out_m)
    moon_position(time_ns, body_m)
    return add_body_tide(position_m, body_m, MOON_OVER_EARTH, True, out_m)
