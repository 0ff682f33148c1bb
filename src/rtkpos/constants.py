"""Physical constants and system parameters, each with its source."""

from __future__ import annotations

import math

SPEED_OF_LIGHT_MPS = 299_792_458.0  # exact (SI)

# WGS 84 ellipsoid (NIMA TR8350.2, table 3.1); GRS 80 differs by 0.1 mm in the semi-minor axis.
WGS84_A_M = 6_378_137.0
WGS84_F = 1.0 / 298.257223563
WGS84_E2 = WGS84_F * (2.0 - WGS84_F)

DEG = math.pi / 180.0
NS_PER_S = 1_000_000_000
NS_PER_HOUR = 3600 * NS_PER_S
NS_PER_DAY = 86_400 * NS_PER_S
NS_PER_WEEK = 7 * NS_PER_DAY

# Gravitational parameter [m^3/s^2] and earth rotation rate [rad/s] per ephemeris definition.
GM_GPS = 3.9860050e14  # IS-GPS-200N table 20-IV (QZSS: IS-QZSS-PNT; IRNSS: the same value)
GM_GLONASS = 3.986004418e14  # PZ-90.11, ICD GLONASS CDMA general description, table 3
GM_GALILEO = 3.986004418e14  # Galileo OS SIS ICD 2.1, table 66
GM_BEIDOU = 3.986004418e14  # BDS-SIS-ICD-B1I-3.0, 5.2.4.12
OMEGA_EARTH_GPS = 7.2921151467e-5  # IS-GPS-200N table 20-IV; Galileo OS SIS ICD table 66
OMEGA_EARTH_GLONASS = 7.292115e-5  # PZ-90.11
OMEGA_EARTH_BEIDOU = 7.2921150e-5  # BDS-SIS-ICD-B1I-3.0, 5.2.4.12 (CGCS2000)

BDT_MINUS_GPST_S = -14  # BDS-SIS-ICD-B1I-3.0, 3.3: BDT = GPST - 14 s
