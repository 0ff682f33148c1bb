"""Satellite position, velocity and clock from broadcast ephemerides; range with earth rotation."""

from __future__ import annotations

import math

from rtkpos._numba.decorator import kernel
from rtkpos.constants import (
    GM_BEIDOU,
    GM_GALILEO,
    GM_GLONASS,
    GM_GPS,
    OMEGA_EARTH_BEIDOU,
    OMEGA_EARTH_GLONASS,
    OMEGA_EARTH_GPS,
    SPEED_OF_LIGHT_MPS,
)
from rtkpos.core.tables import (
    G_AX,
    G_GAMMA_N,
    G_TAU_N,
    G_X,
    ORBIT_GEO,
    P_A_DOT,
    P_AF0,
    P_AF1,
    P_AF2,
    P_CIC,
    P_CIS,
    P_CRC,
    P_CRS,
    P_CUC,
    P_CUS,
    P_DELTA_N,
    P_DELTA_N_DOT,
    P_ECC,
    P_I0,
    P_I_DOT,
    P_M0,
    P_OMEGA,
    P_OMEGA0,
    P_OMEGA_DOT,
    P_SQRT_A,
    P_TOE_SOW,
)

N_ORBIT_STATE = 8  # x, y, z [m], vx, vy, vz [m/s], clock [s], drift [s/s]
STATE_CLOCK, STATE_DRIFT = 6, 7
_GPS, _GLONASS, _GALILEO, _BEIDOU, _QZSS, _IRNSS, _SBAS = range(7)  # as in `gnss.systems`

# Oblate-earth term of the GLONASS equations of motion (ICD GLONASS 5.1, A.3.1.2, table A.1).
GLONASS_J2 = 1.0826257e-3
GLONASS_A_M = 6_378_136.0
GLONASS_STEP_S = 60.0

CARRY_MAX_S = 0.02  # `carry_state` serves over so long a step

GEO_TILT_RAD = -5.0 * math.pi / 180.0  # BDS-SIS-ICD-B1I-3.0, table 5-11
_GEO_SIN, _GEO_COS = math.sin(GEO_TILT_RAD), math.cos(GEO_TILT_RAD)


@kernel
def eccentric_anomaly(mean_anomaly_rad, ecc):
    """Solve Kepler's equation E - e sin E = M.

    mean_anomaly_rad : float      ecc : float, 0 <= e < 1
    Returns          : float E [rad], to 1e-14; NaN when it does not converge or an input is NaN

    Newton's method from E = M + e sin M (Vallado 2013, Fundamentals, algorithm 2).
    """
    anomaly = mean_anomaly_rad + ecc * math.sin(mean_anomaly_rad)
    for _ in range(30):
        step = (anomaly - ecc * math.sin(anomaly) - mean_anomaly_rad) / (
            1.0 - ecc * math.cos(anomaly)
        )
        anomaly -= step
        if abs(step) < 1.0e-14 * max(1.0, abs(anomaly)):
            return anomaly
    return math.nan


@kernel
def _kepler_state(param, is_beidou_geo, gm, omega_earth, tk, clock_dt, out_state):
    """State of a Keplerian ephemeris; see `satellite_state`. tk = t - toe, clock_dt = t - toc [s].

    Source: IS-GPS-200N, table 20-IV (CNAV terms: table 30-II); velocity by differentiation.
    GEO of BeiDou: BDS-SIS-ICD-B1I-3.0, table 5-11.
    """
    sqrt_a0, ecc = param[P_SQRT_A], param[P_ECC]
    a0 = sqrt_a0 * sqrt_a0
    a_dot = param[P_A_DOT]
    a = a0 + a_dot * tk
    n0 = math.sqrt(gm) / (a0 * sqrt_a0)
    n_dot = param[P_DELTA_N_DOT]
    anomaly = eccentric_anomaly(param[P_M0] + (n0 + param[P_DELTA_N] + 0.5 * n_dot * tk) * tk, ecc)
    sin_e, cos_e = math.sin(anomaly), math.cos(anomaly)
    e_dot = (n0 + param[P_DELTA_N] + n_dot * tk) / (1.0 - ecc * cos_e)
    root = math.sqrt(1.0 - ecc * ecc)
    phi = math.atan2(root * sin_e, cos_e - ecc) + param[P_OMEGA]
    phi_dot = root * e_dot / (1.0 - ecc * cos_e)
    sin_2, cos_2 = math.sin(2.0 * phi), math.cos(2.0 * phi)

    u = phi + param[P_CUS] * sin_2 + param[P_CUC] * cos_2
    u_dot = phi_dot * (1.0 + 2.0 * (param[P_CUS] * cos_2 - param[P_CUC] * sin_2))
    r = a * (1.0 - ecc * cos_e) + param[P_CRS] * sin_2 + param[P_CRC] * cos_2
    r_dot = (
        a_dot * (1.0 - ecc * cos_e)
        + a * ecc * sin_e * e_dot
        + 2.0 * phi_dot * (param[P_CRS] * cos_2 - param[P_CRC] * sin_2)
    )
    inc = param[P_I0] + param[P_I_DOT] * tk + param[P_CIS] * sin_2 + param[P_CIC] * cos_2
    inc_dot = param[P_I_DOT] + 2.0 * phi_dot * (param[P_CIS] * cos_2 - param[P_CIC] * sin_2)
    node_dot = param[P_OMEGA_DOT] - (0.0 if is_beidou_geo else omega_earth)
    node = param[P_OMEGA0] + node_dot * tk - omega_earth * param[P_TOE_SOW]

    sin_u, cos_u = math.sin(u), math.cos(u)
    sin_i, cos_i = math.sin(inc), math.cos(inc)
    sin_o, cos_o = math.sin(node), math.cos(node)
    x_plane, y_plane = r * cos_u, r * sin_u
    vx_plane = r_dot * cos_u - r * u_dot * sin_u
    vy_plane = r_dot * sin_u + r * u_dot * cos_u
    x = x_plane * cos_o - y_plane * cos_i * sin_o
    y = x_plane * sin_o + y_plane * cos_i * cos_o
    out_state[0], out_state[1], out_state[2] = x, y, y_plane * sin_i
    v_tilt = vy_plane * cos_i - y_plane * sin_i * inc_dot
    out_state[3] = vx_plane * cos_o - v_tilt * sin_o - y * node_dot
    out_state[4] = vx_plane * sin_o + v_tilt * cos_o + x * node_dot
    out_state[5] = vy_plane * sin_i + y_plane * cos_i * inc_dot
    if is_beidou_geo:
        _rotate_beidou_geo(omega_earth, tk, out_state)

    # Relativistic eccentricity term, IS-GPS-200N 20.3.3.3.3.1.
    relativity = -2.0 * math.sqrt(gm * a) * ecc / SPEED_OF_LIGHT_MPS**2
    out_state[STATE_CLOCK] = (
        param[P_AF0] + (param[P_AF1] + param[P_AF2] * clock_dt) * clock_dt + relativity * sin_e
    )
    out_state[STATE_DRIFT] = (
        param[P_AF1] + 2.0 * param[P_AF2] * clock_dt + relativity * cos_e * e_dot
    )


@kernel
def _rotate_beidou_geo(omega_earth, tk, state):
    """Turn a BeiDou GEO state from its inertial tilted frame to ECEF: Rz(omega tk) Rx(-5 deg)."""
    angle = omega_earth * tk
    sin_z, cos_z = math.sin(angle), math.cos(angle)
    x, vx = state[0], state[3]
    y = state[1] * _GEO_COS + state[2] * _GEO_SIN
    z = -state[1] * _GEO_SIN + state[2] * _GEO_COS
    vy = state[4] * _GEO_COS + state[5] * _GEO_SIN
    vz = -state[4] * _GEO_SIN + state[5] * _GEO_COS
    state[0] = x * cos_z + y * sin_z
    state[1] = -x * sin_z + y * cos_z
    state[2] = z
    state[3] = vx * cos_z + vy * sin_z + omega_earth * state[1]
    state[4] = -vx * sin_z + vy * cos_z - omega_earth * state[0]
    state[5] = vz


@kernel
def _glonass_acceleration(x, y, z, vx, vy):
    """Acceleration of a GLONASS satellite in PZ-90 without the luni-solar part: (ax, ay, az).

    Source: ICD GLONASS 5.1, A.3.1.2, equation 1.
    """
    r2 = x * x + y * y + z * z
    r = math.sqrt(r2)
    r3 = r2 * r
    oblate = 1.5 * GLONASS_J2 * GM_GLONASS * GLONASS_A_M**2 / (r2 * r3)
    z_part = 5.0 * z * z / r2
    omega2 = OMEGA_EARTH_GLONASS * OMEGA_EARTH_GLONASS
    central = -GM_GLONASS / r3 - oblate * (1.0 - z_part)
    ax = (central + omega2) * x + 2.0 * OMEGA_EARTH_GLONASS * vy
    ay = (central + omega2) * y - 2.0 * OMEGA_EARTH_GLONASS * vx
    az = (-GM_GLONASS / r3 - oblate * (3.0 - z_part)) * z
    return ax, ay, az


@kernel
def _glonass_step(x, y, z, vx, vy, vz, lx, ly, lz, h):
    """One classical Runge-Kutta step of h [s]; lx, ly, lz: constant luni-solar acceleration."""
    ax1, ay1, az1 = _glonass_acceleration(x, y, z, vx, vy)
    ax1, ay1, az1 = ax1 + lx, ay1 + ly, az1 + lz
    g = 0.5 * h
    vx2, vy2, vz2 = vx + g * ax1, vy + g * ay1, vz + g * az1
    ax2, ay2, az2 = _glonass_acceleration(x + g * vx, y + g * vy, z + g * vz, vx2, vy2)
    ax2, ay2, az2 = ax2 + lx, ay2 + ly, az2 + lz
    vx3, vy3, vz3 = vx + g * ax2, vy + g * ay2, vz + g * az2
    ax3, ay3, az3 = _glonass_acceleration(x + g * vx2, y + g * vy2, z + g * vz2, vx3, vy3)
    ax3, ay3, az3 = ax3 + lx, ay3 + ly, az3 + lz
    vx4, vy4, vz4 = vx + h * ax3, vy + h * ay3, vz + h * az3
    ax4, ay4, az4 = _glonass_acceleration(x + h * vx3, y + h * vy3, z + h * vz3, vx4, vy4)
    ax4, ay4, az4 = ax4 + lx, ay4 + ly, az4 + lz
    s = h / 6.0
    return (
        x + s * (vx + 2.0 * vx2 + 2.0 * vx3 + vx4),
        y + s * (vy + 2.0 * vy2 + 2.0 * vy3 + vy4),
        z + s * (vz + 2.0 * vz2 + 2.0 * vz3 + vz4),
        vx + s * (ax1 + 2.0 * ax2 + 2.0 * ax3 + ax4),
        vy + s * (ay1 + 2.0 * ay2 + 2.0 * ay3 + ay4),
        vz + s * (az1 + 2.0 * az2 + 2.0 * az3 + az4),
    )


@kernel
def _glonass_state(param, dt, out_state):
    """State of a GLONASS FDMA ephemeris dt [s] after tb, by Runge-Kutta steps of at most 60 s.

    Source: ICD GLONASS 5.1, A.3.1.2 (simplified algorithm) and 3.3.3 for the clock, whose
    relativistic part is in tau and gamma already. PZ-90.11 is taken as ITRF (they agree to cm).
    """
    n_step = max(1, int(math.ceil(abs(dt) / GLONASS_STEP_S)))
    h = dt / n_step
    x, y, z, vx, vy, vz = param[3], param[4], param[5], param[6], param[7], param[8]
    lx, ly, lz = param[G_AX], param[G_AX + 1], param[G_AX + 2]
    for _ in range(n_step):
        x, y, z, vx, vy, vz = _glonass_step(x, y, z, vx, vy, vz, lx, ly, lz, h)
    out_state[0], out_state[1], out_state[2] = x, y, z
    out_state[3], out_state[4], out_state[5] = vx, vy, vz
    out_state[STATE_CLOCK] = -param[G_TAU_N] + param[G_GAMMA_N] * dt
    out_state[STATE_DRIFT] = param[G_GAMMA_N]


@kernel
def _sbas_state(param, dt, out_state):
    """State of an SBAS ephemeris dt [s] after its time: a parabola (DO-229D, A.4.4.11)."""
    for k in range(3):
        speed, acceleration = param[G_X + 3 + k], param[G_AX + k]
        out_state[k] = param[G_X + k] + (speed + 0.5 * acceleration * dt) * dt
        out_state[3 + k] = speed + acceleration * dt
    out_state[STATE_CLOCK] = -param[G_TAU_N] + param[G_GAMMA_N] * dt
    out_state[STATE_DRIFT] = param[G_GAMMA_N]


@kernel
def satellite_state_offset(eph, row, system, time_ns, offset_s, out_state):
    """As `satellite_state`, at time_ns + offset_s, so that fractions of a nanosecond count.

    offset_s  : float [s], small: it is added to the exact integer difference to toe
    out_state : (8,) as `satellite_state`      Returns : int 0, or 1 (outputs NaN)
    """
    tk = (time_ns - eph.toe_ns[row]) * 1.0e-9 + offset_s
    # One day is far beyond every age limit; it also bounds the integration below.
    if not abs(tk) < 86_400.0:
        out_state[:] = math.nan
        return 1
    param = eph.param[row]
    if system == _GLONASS:
        _glonass_state(param, tk, out_state)
    elif system == _SBAS:
        _sbas_state(param, tk, out_state)
    else:
        clock_dt = (time_ns - eph.toc_ns[row]) * 1.0e-9 + offset_s
        gm, omega_earth, is_beidou_geo = GM_GPS, OMEGA_EARTH_GPS, False
        if system == _BEIDOU:
            gm, omega_earth = GM_BEIDOU, OMEGA_EARTH_BEIDOU
            is_beidou_geo = eph.orbit[row] == ORBIT_GEO
        elif system == _GALILEO:
            gm = GM_GALILEO
        _kepler_state(param, is_beidou_geo, gm, omega_earth, tk, clock_dt, out_state)
    if math.isnan(out_state[0] + out_state[1] + out_state[2] + out_state[STATE_CLOCK]):
        out_state[:] = math.nan
        return 1
    return 0


@kernel
def satellite_state(eph, row, system, time_ns, out_state):
    """Position, velocity and clock of a satellite at a GPST time, from one ephemeris.

    eph       : EphemerisArrays      row : int      system : int      time_ns : int GPST [ns]
    out_state : (8,) x, y, z [m], vx, vy, vz [m/s] in the earth-fixed frame of that very time;
                clock [s] with the relativistic eccentricity term, without group delay (see
                `core.orbits.group_delay`); clock drift [s/s]
    Returns   : int 0; 1 when the elements give no position or the time is more than a day from
                toe (outputs NaN). Freshness is judged by `core.orbits.ephemeris`.
    """
    return satellite_state_offset(eph, row, system, time_ns, 0.0, out_state)


@kernel
def _clock_polynomial(eph, row, system, time_ns, offset_s):
    """Broadcast clock [s] without the relativistic term at time_ns + offset_s."""
    param = eph.param[row]
    if system in (_GLONASS, _SBAS):
        dt = (time_ns - eph.toe_ns[row]) * 1.0e-9 + offset_s
        return -param[G_TAU_N] + param[G_GAMMA_N] * dt
    dt = (time_ns - eph.toc_ns[row]) * 1.0e-9 + offset_s
    return param[P_AF0] + (param[P_AF1] + param[P_AF2] * dt) * dt


@kernel
def transmit_state(eph, row, system, rx_time_ns, code_m, out_state):
    """State at transmission of the signal whose pseudorange was read at a receiver time.

    rx_time_ns : int [ns] receiver's own time tag      code_m : float pseudorange [m]
    out_state  : (8,) as `satellite_state`, at GPST = tag - code/c - sat_clock, in the earth-fixed
                 frame of transmission (earth rotation is in `sagnac_range`)
    Returns    : int 0; 1 when there is no state or the pseudorange is NaN (outputs NaN)

    The receiver clock cancels in tag - code/c (IS-GPS-200N, 20.3.3.3.3.1). The polynomial clock
    leads to within 0.1 us; the rest is a linear step along the velocity, exact below 1 um.
    """
    offset_s = -code_m / SPEED_OF_LIGHT_MPS
    clock_s = _clock_polynomial(eph, row, system, rx_time_ns, offset_s)
    status = satellite_state_offset(eph, row, system, rx_time_ns, offset_s - clock_s, out_state)
    if status != 0:
        return status
    rest_s = clock_s - out_state[STATE_CLOCK]
    for k in range(3):
        out_state[k] += out_state[3 + k] * rest_s
    out_state[STATE_CLOCK] += out_state[STATE_DRIFT] * rest_s
    return 0


@kernel
def carry_state(state, step_s, gm, out_state):
    """A state some milliseconds on: position to the second order, velocity and clock to the first.

    state, out_state : (8,) as `satellite_state`, may be one array      step_s : [s]
    gm : of the earth [m^3/s^2]      Returns : int 0
    Acceleration of a point mass in the turning frame (IS-GPS-200N, 20.3.3.4.3.2, rearranged); what
    it leaves out, above all the flattening with 5e-5 m/s^2, is 1e-8 m after CARRY_MAX_S.
    """
    x, y, z, vx, vy = state[0], state[1], state[2], state[3], state[4]
    distance2 = x * x + y * y + z * z
    central = -gm / (distance2 * math.sqrt(distance2))
    turn = OMEGA_EARTH_GPS
    ax = (central + turn * turn) * x + 2.0 * turn * vy
    ay = (central + turn * turn) * y - 2.0 * turn * vx
    az = central * z
    half = 0.5 * step_s * step_s
    out_state[0] = x + vx * step_s + ax * half
    out_state[1] = y + vy * step_s + ay * half
    out_state[2] = z + state[5] * step_s + az * half
    out_state[3] = vx + ax * step_s
    out_state[4] = vy + ay * step_s
    out_state[5] = state[5] + az * step_s
    out_state[STATE_CLOCK] = state[STATE_CLOCK] + state[STATE_DRIFT] * step_s
    out_state[STATE_DRIFT] = state[STATE_DRIFT]
    return 0


@kernel
def sagnac_range(sat_ecef_m, rx_ecef_m, out_los):
    """Geometric range with earth rotation during the flight, and the line of sight.

    sat_ecef_m : (>= 3,) satellite in the earth-fixed frame of transmission [m]
    rx_ecef_m  : (3,) receiver in the earth-fixed frame of reception [m]
    out_los    : (3,) unit vector receiver -> satellite, satellite turned to the frame of reception
    Returns    : float range [m]; NaN in, NaN out

    The satellite is turned by the light time, whose own Sagnac part counts (0.2 mm); below 1e-6 m
    of the iterated solution. Ashby (2003), Relativity in the Global Positioning System, eq. 24.
    """
    xs, ys, zs = sat_ecef_m[0], sat_ecef_m[1], sat_ecef_m[2]
    dx, dy, dz = xs - rx_ecef_m[0], ys - rx_ecef_m[1], zs - rx_ecef_m[2]
    rate = OMEGA_EARTH_GPS / SPEED_OF_LIGHT_MPS
    angle = rate * math.sqrt(dx * dx + dy * dy + dz * dz)
    angle += rate * rate * (xs * rx_ecef_m[1] - ys * rx_ecef_m[0])
    half_square = 0.5 * angle * angle
    dx += angle * ys - half_square * xs
    dy -= angle * xs + half_square * ys
    range_m = math.sqrt(dx * dx + dy * dy + dz * dz)
    out_los[0], out_los[1], out_los[2] = dx / range_m, dy / range_m, dz / range_m
    return range_m
