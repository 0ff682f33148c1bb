"""What a code position needs before it can be estimated: signals, satellites, models, noise."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rtkpos._arrays import BoolArray, FloatArray, IndexArray, SmallArray
from rtkpos._numba.decorator import kernel
from rtkpos.constants import SPEED_OF_LIGHT_MPS
from rtkpos.core.atmosphere.ionosphere import (
    IONO_OFF,
    delay_from_l1,
    slant_ionosphere_l1,
    thin_shell_factor,
)
from rtkpos.core.atmosphere.troposphere import N_TROP, prepare_troposphere, slant_troposphere
from rtkpos.core.orbits.beidou_code_bias import beidou2_code_correction
from rtkpos.core.orbits.broadcast_orbit import STATE_CLOCK, sagnac_range, transmit_state
from rtkpos.core.orbits.ephemeris import DEFAULT_MESSAGE_ORDER, select_ephemeris
from rtkpos.core.orbits.group_delay import group_delay_s
from rtkpos.core.station.geodesy import ecef_to_geodetic, elevation_azimuth, enu_rotation
from rtkpos.core.tables import G_CHANNEL, ORBIT_GEO
from rtkpos.gnss.signals import GLONASS_STEP_HZ, N_SIG, carrier_table, sig_index
from rtkpos.gnss.systems import (
    BEIDOU,
    GALILEO,
    GLONASS,
    GPS,
    IRNSS,
    N_SAT,
    PRN_PER_SYSTEM,
    QZSS,
    SBAS,
    system_of,
    systems_from_letters,
)

N_POINT = 80  # satellites of one epoch; further ones are left out
NO_RANK = 1000
SHELL_M = (6378.0e3, 350.0e3)  # earth radius and height of the ionospheric shell

# Signals for code positions by system, most wanted first (RINEX 4.02 codes). The first band is the
# one the broadcast group delays serve best; within a band the order is data, pilot, encrypted.
POINT_SIGNALS = {
    GPS: "1C 1W 1P 1X 1S 1L 1Y 1M 2W 2C 2X 2L 2S 2P 2Y 5X 5Q 5I",
    GLONASS: "1C 1P 2C 2P 4X 4A 4B 3X 3Q 3I",
    GALILEO: "1C 1X 1B 1Z 1A 5X 5Q 5I 7X 7Q 7I 8X 8Q 8I 6C 6X 6B",
    BEIDOU: "2I 2X 2Q 1X 1P 1D 6I 6X 6Q 7I 7X 7Q 7D 7P 5X 5P 5D 8X 8P 8D",
    QZSS: "1C 1X 1L 1S 1Z 1E 2X 2L 2S 5X 5Q 5I",
    IRNSS: "5A 5X 5B 5C 9A 9X 1D 1X",
    SBAS: "1C 5I 5X 5Q",
}
# QZSS is steered to GPS time and transmits GPS's signals (IS-QZSS-PNT): they share a clock.
SYSTEM_GROUP = np.array([0, 1, 2, 3, 0, 4, 5], dtype=np.int64)

_CARRIER_HZ = carrier_table()
_GLONASS_STEP_1, _GLONASS_STEP_2 = GLONASS_STEP_HZ[1], GLONASS_STEP_HZ[2]


class PointPlan(NamedTuple):
    """What may take part in a code position.

    rank : (N_SIG,) order of preference within a satellite, NO_RANK = not wanted
    wanted : (N_SAT,)      group : (N_SYSTEM,) receiver clock each system belongs to
    message_order : (N_SYSTEM, k) admitted navigation messages, see `core.orbits.ephemeris`
    """

    rank: IndexArray
    wanted: BoolArray
    group: IndexArray
    message_order: SmallArray


def point_plan(
    systems: str = "GRECJI",
    exclude: tuple[int, ...] = (),
    message_order: SmallArray = DEFAULT_MESSAGE_ORDER,
) -> PointPlan:
    """Plan for the systems of a string of RINEX letters, without the excluded satellites."""
    rank = np.full(N_SIG, NO_RANK, np.int64)
    wanted = np.zeros(N_SAT, np.bool_)
    for system in systems_from_letters(systems):
        wanted[system * PRN_PER_SYSTEM : (system + 1) * PRN_PER_SYSTEM] = True
        for order, code in enumerate(POINT_SIGNALS[system].split()):
            rank[sig_index(system, code)] = order
    for sat in exclude:
        wanted[sat] = False
    return PointPlan(rank, wanted, SYSTEM_GROUP.copy(), np.ascontiguousarray(message_order))


class PointNoise(NamedTuple):
    """Noise of code and Doppler: (a^2 + b^2 / sin^2 E) * 10^(dC/10), dC = reference - C/N0 >= 0.

    code_a_m, code_b_m [m]; doppler_a_mps, doppler_b_mps [m/s]; cn0_reference_dbhz [dB-Hz]
    glonass_factor, geo_factor : sigma of these codes over that of the others
    iono_part : sigma of the broadcast ionosphere as a part of its delay
    iono_zenith_m : sigma of the zenith delay on L1 where no model is in use
    iono_scatter : part of that sigma which differs from satellite to satellite (the rest errs
        alike for all and is no matter of weights)
    trop_zenith_m : sigma of the zenith troposphere      orbit_part : SIS sigma over the URA
    """

    code_a_m: float = 0.8
    code_b_m: float = 0.3
    doppler_a_mps: float = 0.05
    doppler_b_mps: float = 0.05
    cn0_reference_dbhz: float = 45.0
    glonass_factor: float = 1.5
    geo_factor: float = 2.0
    iono_part: float = 0.5
    iono_zenith_m: float = 5.0
    iono_scatter: float = 0.3
    trop_zenith_m: float = 0.1
    orbit_part: float = 0.5


class PointRows(NamedTuple):
    """The satellites of one epoch, one row each.

    n_row : rows in use      sat, band, eph_row, group : (N,) int64
    code_m, doppler_hz, cn0_dbhz : (N,) NaN = missing
    frequency_hz, doppler_frequency_hz : (N,) carrier of the code and of the Doppler
    sat_state : (N, 8) at transmission      sat_ecef_m : (N, 3) its position
    corrected_m : (N,) code + c sat_clock - delays      var_m2, var_rate_m2 : (N,) code, range rate
    elevation_rad, azimuth_rad : (N,)      trop_m, iono_m : (N,) modelled delays [m]
    sigma_iono_m : (N,) sigma of what the ionosphere model leaves, common to all satellites
    """

    n_row: int
    sat: IndexArray
    band: IndexArray
    eph_row: IndexArray
    group: IndexArray
    code_m: FloatArray
    doppler_hz: FloatArray
    cn0_dbhz: FloatArray
    frequency_hz: FloatArray
    doppler_frequency_hz: FloatArray
    sat_state: FloatArray
    sat_ecef_m: FloatArray
    corrected_m: FloatArray
    var_m2: FloatArray
    var_rate_m2: FloatArray
    elevation_rad: FloatArray
    azimuth_rad: FloatArray
    trop_m: FloatArray
    iono_m: FloatArray
    sigma_iono_m: FloatArray
    llh: FloatArray
    rotation: FloatArray
    los: FloatArray
    troposphere: FloatArray


def point_rows(n_max: int = N_POINT) -> PointRows:
    """Rows for up to `n_max` satellites."""
    return PointRows(
        n_row=0,
        sat=np.zeros(n_max, np.int64),
        band=np.zeros(n_max, np.int64),
        eph_row=np.zeros(n_max, np.int64),
        group=np.zeros(n_max, np.int64),
        code_m=np.full(n_max, np.nan),
        doppler_hz=np.full(n_max, np.nan),
        cn0_dbhz=np.full(n_max, np.nan),
        frequency_hz=np.full(n_max, np.nan),
        doppler_frequency_hz=np.full(n_max, np.nan),
        sat_state=np.full((n_max, 8), np.nan),
        sat_ecef_m=np.full((n_max, 3), np.nan),
        corrected_m=np.full(n_max, np.nan),
        var_m2=np.full(n_max, np.nan),
        var_rate_m2=np.full(n_max, np.nan),
        elevation_rad=np.full(n_max, np.nan),
        azimuth_rad=np.full(n_max, np.nan),
        trop_m=np.full(n_max, np.nan),
        iono_m=np.full(n_max, np.nan),
        sigma_iono_m=np.zeros(n_max),
        llh=np.zeros(3),
        rotation=np.zeros((3, 3)),
        los=np.zeros(3),
        troposphere=np.zeros(N_TROP),
    )


@kernel
def signal_frequency_hz(system, band, glonass_channel):
    """Carrier frequency [Hz] of a band; GLONASS FDMA with its channel; NaN when unknown."""
    frequency = _CARRIER_HZ[system, band]
    if system == GLONASS and band == 1:
        frequency += glonass_channel * _GLONASS_STEP_1
    elif system == GLONASS and band == 2:
        frequency += glonass_channel * _GLONASS_STEP_2
    return frequency


@kernel
def load_rows(obs, k, eph, plan, rows):
    """One row per wanted satellite of epoch k that has a code and an ephemeris, with its state.

    obs : ObsArrays      k : int      eph : EphemerisArrays      plan : PointPlan
    rows : PointRows      Returns : int, number of rows
    """
    n = 0
    first, end = obs.row_start[k], obs.row_start[k + 1]
    while first < end and n < rows.sat.shape[0]:
        sat = np.int64(obs.sat[first])
        code_row, doppler_row, last = -1, -1, first
        code_rank, doppler_rank = NO_RANK, NO_RANK
        while last < end and obs.sat[last] == sat:
            rank = plan.rank[obs.sig[last]]
            if rank < code_rank and math.isfinite(obs.code_m[last]):
                code_row, code_rank = last, rank
            if rank < doppler_rank and math.isfinite(obs.doppler_hz[last]):
                doppler_row, doppler_rank = last, rank
            last += 1
        first = last
        if code_row >= 0 and plan.wanted[sat]:
            n += _load_satellite(obs, k, eph, plan, code_row, doppler_row, n, rows)
    rows.n_row = n
    return n


@kernel
def _load_satellite(obs, k, eph, plan, code_row, doppler_row, i, rows):
    """Fill row i from the chosen observation rows; returns 1, or 0 without a satellite state."""
    sat = np.int64(obs.sat[code_row])
    system = system_of(sat)
    eph_row = select_ephemeris(eph, sat, obs.time_ns[k], plan.message_order)
    if eph_row < 0:
        return 0
    state = rows.sat_state[i]
    if transmit_state(eph, eph_row, system, obs.time_ns[k], obs.code_m[code_row], state) != 0:
        return 0
    channel = eph.param[eph_row, G_CHANNEL]
    rows.sat[i] = sat
    rows.eph_row[i] = eph_row
    rows.group[i] = plan.group[system]
    rows.band[i] = np.int64(obs.sig[code_row]) // 27 % 10
    rows.code_m[i] = obs.code_m[code_row]
    rows.cn0_dbhz[i] = obs.cn0_dbhz[code_row]
    rows.frequency_hz[i] = signal_frequency_hz(system, rows.band[i], channel)
    rows.doppler_hz[i] = math.nan
    rows.doppler_frequency_hz[i] = math.nan
    if doppler_row >= 0:
        band = np.int64(obs.sig[doppler_row]) // 27 % 10
        rows.doppler_hz[i] = obs.doppler_hz[doppler_row]
        rows.doppler_frequency_hz[i] = signal_frequency_hz(system, band, channel)
    for m in range(3):
        rows.sat_ecef_m[i, m] = state[m]
    return 1


@kernel
def model_without_place(eph, rows):
    """Corrected codes and flat variances while nothing is known of the receiver's place."""
    for i in range(rows.n_row):
        system = system_of(rows.sat[i])
        clock_s = rows.sat_state[i, STATE_CLOCK] - group_delay_s(
            eph, rows.eph_row[i], system, rows.band[i]
        )
        rows.corrected_m[i] = rows.code_m[i] + SPEED_OF_LIGHT_MPS * clock_s
        # Atmosphere and elevation are unknown: both reach some ten metres near the horizon.
        rows.var_m2[i] = 100.0
        rows.var_rate_m2[i] = math.nan
        rows.elevation_rad[i] = math.nan
        rows.azimuth_rad[i] = math.nan
        rows.trop_m[i] = 0.0
        rows.iono_m[i] = 0.0
        rows.sigma_iono_m[i] = 0.0
    return 0


@kernel
def model_at_place(position_m, time_ns, eph, ionosphere, settings, rows):
    """Elevations, delays, corrected codes and variances at a place.

    position_m : (3,) ECEF [m]      time_ns : GPST [ns]      ionosphere : IonosphereModel
    settings : SinglePointSettings      rows : PointRows
    Returns : int 0; 1 when the place is no place on earth. Rows below the mask or the C/N0 limit
              get a NaN variance.
    """
    if ecef_to_geodetic(position_m, rows.llh) != 0:
        return 1
    lat, lon = rows.llh[0], rows.llh[1]
    enu_rotation(lat, lon, rows.rotation)
    prepare_troposphere(lat, lon, rows.llh[2], time_ns, rows.troposphere)
    for i in range(rows.n_row):
        sat, row, band = rows.sat[i], rows.eph_row[i], rows.band[i]
        sagnac_range(rows.sat_ecef_m[i], position_m, rows.los)
        elevation, azimuth = elevation_azimuth(rows.los, rows.rotation)
        rows.elevation_rad[i] = elevation
        rows.azimuth_rad[i] = azimuth
        rows.var_m2[i] = math.nan
        rows.var_rate_m2[i] = math.nan
        if elevation < settings.mask_rad or rows.cn0_dbhz[i] < settings.cn0_min_dbhz:
            continue
        trop_m, _ = slant_troposphere(rows.troposphere, elevation)
        iono_l1_m = slant_ionosphere_l1(ionosphere, lat, lon, elevation, azimuth, time_ns)
        iono_m = delay_from_l1(iono_l1_m, rows.frequency_hz[i])
        rows.trop_m[i], rows.iono_m[i] = trop_m, iono_m
        clock_s = rows.sat_state[i, STATE_CLOCK] - group_delay_s(eph, row, system_of(sat), band)
        code_m = rows.code_m[i]
        if system_of(sat) == BEIDOU:
            code_m += beidou2_code_correction((sat & 63) + 1, eph.orbit[row], band, elevation)
        rows.corrected_m[i] = code_m + SPEED_OF_LIGHT_MPS * clock_s - trop_m - iono_m
        sigma_l1_m = settings.noise.iono_part * iono_l1_m
        if ionosphere.kind == IONO_OFF:
            sigma_l1_m = settings.noise.iono_zenith_m * thin_shell_factor(elevation, *SHELL_M)
        rows.sigma_iono_m[i] = delay_from_l1(sigma_l1_m, rows.frequency_hz[i])
        _variances(i, eph, settings.noise, rows)
    return 0


@kernel
def _variances(i, eph, noise, rows):
    """Variances of the corrected code [m^2] and of the range rate [m^2/s^2] of row i.

    sigma^2 ~ 1 / (C/N0) below the reference (thermal noise of a tracking loop); a C/N0 that is
    not given counts as the reference. The ephemeris' URA of NaN counts as 3 m.
    """
    system = system_of(rows.sat[i])
    inverse_sin = 1.0 / max(math.sin(rows.elevation_rad[i]), 0.05)
    short_db = noise.cn0_reference_dbhz - rows.cn0_dbhz[i]
    factor = 1.0
    if short_db > 0.0:
        factor = 10.0 ** (0.1 * min(short_db, 30.0))
    b = noise.code_b_m * inverse_sin
    code = (noise.code_a_m * noise.code_a_m + b * b) * factor
    if system == GLONASS:
        code *= noise.glonass_factor * noise.glonass_factor
    if system == SBAS or (system == BEIDOU and eph.orbit[rows.eph_row[i]] == ORBIT_GEO):
        code *= noise.geo_factor * noise.geo_factor
    accuracy = eph.accuracy_m[rows.eph_row[i]]
    orbit = noise.orbit_part * (min(accuracy, 30.0) if accuracy > 0.0 else 3.0)
    iono = noise.iono_scatter * rows.sigma_iono_m[i]
    trop = noise.trop_zenith_m * inverse_sin
    rows.var_m2[i] = code + orbit * orbit + iono * iono + trop * trop
    d = noise.doppler_b_mps * inverse_sin
    rows.var_rate_m2[i] = (noise.doppler_a_mps * noise.doppler_a_mps + d * d) * factor
