"""Broadcast orbits against independent formulations, and the exactness of their derivatives."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rtkpos.constants import (
    GM_BEIDOU,
    GM_GALILEO,
    GM_GLONASS,
    GM_GPS,
    OMEGA_EARTH_BEIDOU,
    OMEGA_EARTH_GPS,
    SPEED_OF_LIGHT_MPS,
)
from rtkpos.core import tables as t
from rtkpos.core.orbits.broadcast_orbit import (
    CARRY_MAX_S,
    _glonass_step,
    _kepler_state,
    carry_state,
    eccentric_anomaly,
    sagnac_range,
    satellite_state,
    satellite_state_offset,
    transmit_state,
)
from rtkpos.core.orbits.group_delay import group_delay_s
from rtkpos.gnss.systems import BEIDOU, GALILEO, GLONASS, GPS, IRNSS, N_SAT, QZSS, SBAS
from rtkpos.records.broadcast import Message

TOE_NS = (2320 * 604_800 + 122_400) * 1_000_000_000
NS = 1_000_000_000


def ephemeris(param, *, message=Message.LNAV, orbit=t.ORBIT_MEO, toe_ns=TOE_NS):
    """One record as `EphemerisArrays` (satellite 0)."""
    start = np.ones(N_SAT + 1, dtype=np.int64)
    start[0] = 0
    one_time = np.array([toe_ns], dtype=np.int64)
    return t.EphemerisArrays(
        start,
        np.array([message], dtype=np.int8),
        one_time,
        one_time.copy(),
        one_time.copy(),
        np.array([1], dtype=np.int64),
        np.ones(1, dtype=np.int8),
        np.array([orbit], dtype=np.int8),
        np.array([2.0]),
        np.ascontiguousarray(param.reshape(1, -1)),
    )


def kepler_param(sqrt_a=5153.62, inclination=0.97, ecc=0.0186):
    """Elements of the size of G07 on 2024-06-24, plus rates as CNAV sends them."""
    param = np.zeros(t.N_PARAM)
    param[t.P_AF0], param[t.P_AF1], param[t.P_AF2] = -8.49e-5, 9.2e-12, 1e-18
    param[t.P_SQRT_A], param[t.P_ECC], param[t.P_I0] = sqrt_a, ecc, inclination
    param[t.P_OMEGA0], param[t.P_OMEGA], param[t.P_M0] = -1.62, -2.2, -1.49
    param[t.P_DELTA_N], param[t.P_I_DOT], param[t.P_OMEGA_DOT] = 5.02e-9, 2.5e-10, -8.2e-9
    param[t.P_CUC], param[t.P_CUS], param[t.P_CRC] = 1.08e-6, 6.36e-6, 267.0
    param[t.P_CRS], param[t.P_CIC], param[t.P_CIS] = 15.8, 4.4e-7, 1.45e-7
    param[t.P_TOE_SOW] = 122_400.0
    return param


def glonass_param():
    """Position, velocity and acceleration of the size of a real record."""
    param = np.zeros(t.N_PARAM)
    param[t.G_TAU_N], param[t.G_GAMMA_N] = -8.9e-5, 1.8e-12
    param[t.G_X : t.G_X + 3] = 14220.12255859e3, -20433.43660156e3, 5539.755371094e3
    param[t.G_VX : t.G_VX + 3] = -493.8831329346, 593.394279480, 3461.606979370
    param[t.G_AX : t.G_AX + 3] = -9.3e-7, 9.3e-7, -1.8e-6
    return param


def rotation(axis, angle):
    """Rotation of the frame about axis 0 (x) or 2 (z)."""
    c, s = math.cos(angle), math.sin(angle)
    if axis == 0:
        return np.array([[1, 0, 0], [0, c, s], [0, -s, c]])
    return np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])


def naive_kepler(param, tk, gm, omega_earth, geo=False):
    """Textbook position by rotation matrices: perifocal frame, then node, then the earth."""
    a = param[t.P_SQRT_A] ** 2
    motion = math.sqrt(gm / a**3) + param[t.P_DELTA_N] + 0.5 * param[t.P_DELTA_N_DOT] * tk
    mean = param[t.P_M0] + motion * tk
    ecc, anomaly = param[t.P_ECC], mean
    for _ in range(200):
        anomaly = mean + ecc * math.sin(anomaly)
    true = 2.0 * math.atan(math.sqrt((1 + ecc) / (1 - ecc)) * math.tan(anomaly / 2.0))
    phi = true + param[t.P_OMEGA]
    wave = np.array([math.cos(2 * phi), math.sin(2 * phi)])
    u = phi + wave @ param[[t.P_CUC, t.P_CUS]]
    a_now = a + param[t.P_A_DOT] * tk
    r = a_now * (1 - ecc * math.cos(anomaly)) + wave @ param[[t.P_CRC, t.P_CRS]]
    inc = param[t.P_I0] + param[t.P_I_DOT] * tk + wave @ param[[t.P_CIC, t.P_CIS]]
    node = param[t.P_OMEGA0] + param[t.P_OMEGA_DOT] * tk - omega_earth * param[t.P_TOE_SOW]
    inertial = rotation(2, -node) @ rotation(0, -inc) @ rotation(2, -u) @ np.array([r, 0.0, 0.0])
    if geo:
        return rotation(2, omega_earth * tk) @ rotation(0, math.radians(-5.0)) @ inertial
    return rotation(2, omega_earth * tk) @ inertial


CASES = {
    "gps": (GPS, kepler_param(), t.ORBIT_MEO, GM_GPS, OMEGA_EARTH_GPS),
    "galileo": (
        GALILEO,
        kepler_param(5440.6, 0.98, 2e-4),
        t.ORBIT_MEO,
        GM_GALILEO,
        OMEGA_EARTH_GPS,
    ),
    "beidou_igso": (
        BEIDOU,
        kepler_param(6493.4, 0.96, 0.004),
        t.ORBIT_IGSO,
        GM_BEIDOU,
        OMEGA_EARTH_BEIDOU,
    ),
    "beidou_geo": (
        BEIDOU,
        kepler_param(6493.3, 0.09, 4.6e-4),
        t.ORBIT_GEO,
        GM_BEIDOU,
        OMEGA_EARTH_BEIDOU,
    ),
    "qzss_geo": (QZSS, kepler_param(6493.4, 0.002, 1e-4), t.ORBIT_GEO, GM_GPS, OMEGA_EARTH_GPS),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("tk", [-7200.0, 0.0, 1234.5, 7200.0])
def test_kepler_equals_the_rotation_matrix_twin(name, tk):
    system, param, orbit, gm, omega = CASES[name]
    out = np.empty(8)
    eph = ephemeris(param, orbit=orbit)
    assert satellite_state(eph, 0, system, TOE_NS + int(tk * NS), out) == 0
    geo = system == BEIDOU and orbit == t.ORBIT_GEO
    error_mm = np.abs(out[:3] - naive_kepler(param, tk, gm, omega, geo)).max() * 1e3
    assert error_mm < 1e-3, f"{name}: {error_mm} mm"


def test_place_and_clock_of_a_keplerian_set():
    param, out, dt = kepler_param(), np.empty(8), 700.0
    param[t.P_A_DOT] = 1.0e-2
    _kepler_state(param, False, GM_GPS, OMEGA_EARTH_GPS, 900.0, dt, out)
    assert np.abs(out[:3] - naive_kepler(param, 900.0, GM_GPS, OMEGA_EARTH_GPS)).max() < 1e-6
    # IS-GPS-200N 20.3.3.3.3.1: F e sqrt(A) sin E with F = -4.442807633e-10 s/sqrt(m).
    motion = math.sqrt(GM_GPS) / param[t.P_SQRT_A] ** 3 + param[t.P_DELTA_N]
    anomaly = eccentric_anomaly(param[t.P_M0] + 900.0 * motion, param[t.P_ECC])
    root = math.sqrt(param[t.P_SQRT_A] ** 2 + 900.0 * param[t.P_A_DOT])
    relativity = -4.442807633e-10 * param[t.P_ECC] * root * math.sin(anomaly)
    wanted = param[t.P_AF0] + param[t.P_AF1] * dt + param[t.P_AF2] * dt**2 + relativity
    assert out[6] == pytest.approx(wanted, abs=1e-17)


@pytest.mark.parametrize("name", CASES)
def test_rates_of_a_keplerian_set_are_the_slopes_of_its_place_and_clock(name):
    _, param, _, gm, omega = CASES[name]
    param = param.copy()
    param[t.P_ECC] = 0.02
    param[t.P_A_DOT], param[t.P_DELTA_N_DOT] = 0.05, -1.0e-13
    states, step, is_geo = np.empty((3, 8)), 0.5, name == "beidou_geo"
    for k in range(3):
        tk = 800.0 + (k - 1) * step
        _kepler_state(param, is_geo, gm, omega, tk, tk, states[k])
    slope = (states[2] - states[0]) / (2.0 * step)
    assert np.abs(slope[:3] - states[1, 3:6]).max() < 1e-4
    assert abs(slope[6] - states[1, 7]) < 1e-16


def test_cnav_rates_enter_as_in_the_interface_document():
    param = kepler_param()
    param[t.P_A_DOT], param[t.P_DELTA_N_DOT] = 1.0e-2, -1.0e-13
    out = np.empty(8)
    satellite_state(ephemeris(param, message=Message.CNAV), 0, GPS, TOE_NS + 5400 * NS, out)
    wanted = naive_kepler(param, 5400.0, GM_GPS, OMEGA_EARTH_GPS)
    assert np.abs(out[:3] - wanted).max() < 1e-6


@pytest.mark.parametrize("name", [*CASES, "glonass", "sbas"])
def test_velocity_and_drift_are_derivatives(name):
    if name in CASES:
        system, param, orbit, gm, omega = CASES[name]
        param = param.copy()
        param[t.P_A_DOT], param[t.P_DELTA_N_DOT] = 1.0e-2, -1.0e-13
    else:
        system, param, orbit = (GLONASS if name == "glonass" else SBAS), glonass_param(), 0
    eph, states, step = ephemeris(param, orbit=orbit), np.empty((3, 8)), 0.5
    for k, offset in enumerate((-step, 0.0, step)):
        satellite_state_offset(eph, 0, system, TOE_NS + 800 * NS, offset, states[k])
    if name in CASES:
        wanted = naive_kepler(param, 800.0, gm, omega, name == "beidou_geo")
        assert np.abs(states[1, :3] - wanted).max() < 1e-6
    numeric = (states[2] - states[0]) / (2 * step)
    assert np.abs(numeric[:3] - states[1, 3:6]).max() < 1e-4
    assert abs(numeric[6] - states[1, 7]) < 1e-16


def test_relativity_is_the_scalar_product_form():
    param = kepler_param()
    param[[t.P_CRC, t.P_CRS, t.P_CUC, t.P_CUS, t.P_CIC, t.P_CIS, t.P_AF0, t.P_AF1, t.P_AF2]] = 0.0
    param[t.P_DELTA_N] = 0.0
    out = np.empty(8)
    satellite_state(ephemeris(param), 0, GPS, TOE_NS + 3000 * NS, out)
    # -2 r.v / c^2 with the inertial velocity; the earth's rotation is orthogonal to r.
    expected = -2.0 * out[:3] @ out[3:6] / SPEED_OF_LIGHT_MPS**2
    assert abs(out[6] - expected) < 1e-14


def glonass_by_high_order(param, dt):
    """Position and velocity (6,) of a GLONASS record dt [s] later by scipy's DOP853."""
    from scipy.integrate import solve_ivp

    omega = 7.292115e-5

    def motion(_, y):
        x, v = y[:3], y[3:]
        r = np.linalg.norm(x)
        oblate = 1.5 * 1.0826257e-3 * GM_GLONASS * 6_378_136.0**2 / r**5
        a = -GM_GLONASS * x / r**3 - oblate * x * (np.array([1, 1, 3]) - 5 * x[2] ** 2 / r**2)
        spin = np.array([omega**2 * x[0] + 2 * omega * v[1], omega**2 * x[1] - 2 * omega * v[0], 0])
        return np.concatenate([v, a + spin + param[t.G_AX : t.G_AX + 3]])

    start = np.concatenate([param[t.G_X : t.G_X + 3], param[t.G_VX : t.G_VX + 3]])
    return solve_ivp(motion, (0.0, dt), start, method="DOP853", rtol=1e-12, atol=1e-6).y[:, -1]


@pytest.mark.parametrize("dt", [-60.0, 1.0, 60.0])
def test_one_glonass_step(dt):
    param = glonass_param()
    state = [float(x) for x in param[[*range(t.G_X, t.G_X + 3), *range(t.G_VX, t.G_VX + 3)]]]
    sun_and_moon = [float(x) for x in param[t.G_AX : t.G_AX + 3]]
    got = _glonass_step(*state, *sun_and_moon, dt)
    wanted = glonass_by_high_order(param, dt)
    assert np.abs(got[:3] - wanted[:3]).max() < 1e-4
    assert np.abs(got[3:] - wanted[3:]).max() < 1e-6


@pytest.mark.parametrize("dt", [-1800.0, -0.25, 61.0, 900.0, 1800.0])
def test_glonass_integration_against_a_high_order_integrator(dt):
    param, out = glonass_param(), np.empty(8)
    wanted = glonass_by_high_order(param, dt)
    satellite_state(ephemeris(param), 0, GLONASS, TOE_NS + round(dt * NS), out)
    assert np.abs(out[:3] - wanted[:3]).max() < 1e-3
    assert np.abs(out[3:6] - wanted[3:]).max() < 1e-6
    assert out[6] == pytest.approx(8.9e-5 + 1.8e-12 * dt, abs=1e-18)


def test_kepler_equation_holds_up_to_high_eccentricity():
    for ecc in (0.0, 0.02, 0.17, 0.5, 0.9):
        for mean in np.linspace(-7.0, 7.0, 29):
            anomaly = eccentric_anomaly(mean, ecc)
            assert abs(anomaly - ecc * math.sin(anomaly) - mean) < 1e-13


@pytest.mark.parametrize("system", [GPS, GLONASS, SBAS])
def test_missing_numbers_and_absurd_times_give_nan_and_a_status(system):
    param, out = glonass_param() if system != GPS else kepler_param(), np.zeros(8)
    assert satellite_state(ephemeris(param), 0, system, TOE_NS + 86_401 * NS, out) == 1
    assert np.isnan(out).all()
    param[4] = math.nan
    assert satellite_state(ephemeris(param), 0, system, TOE_NS + NS, out) == 1
    assert np.isnan(out).all()
    assert transmit_state(ephemeris(kepler_param()), 0, GPS, TOE_NS, math.nan, out) == 1


@pytest.mark.parametrize("system", [GPS, GLONASS])
def test_transmit_state_solves_the_clock_equation(system):
    param = glonass_param() if system == GLONASS else kepler_param(ecc=0.08)
    if system == GPS:
        param[t.P_AF0] = 9.0e-4
    eph, code_m, out, twin = ephemeris(param), 22_345_678.9, np.empty(8), np.empty(8)
    assert transmit_state(eph, 0, system, TOE_NS + 700 * NS, code_m, out) == 0
    offset_s = -code_m / SPEED_OF_LIGHT_MPS
    clock_s = 0.0
    for _ in range(6):
        satellite_state_offset(eph, 0, system, TOE_NS + 700 * NS, offset_s - clock_s, twin)
        clock_s = twin[6]
    assert np.abs(out[:3] - twin[:3]).max() < 1e-6
    assert abs(out[6] - clock_s) < 1e-17


def test_sagnac_range_is_the_light_time_solution():
    sat = np.array([14_220_122.6, -20_433_436.6, 5_539_755.4])
    rx = np.array([-3_817_000.0, 3_515_000.0, 3_695_000.0])
    range_m = 2.2e7
    for _ in range(20):
        turned = rotation(2, OMEGA_EARTH_GPS * range_m / SPEED_OF_LIGHT_MPS) @ sat
        range_m = np.linalg.norm(turned - rx)
    los = np.empty(3)
    assert abs(sagnac_range(sat, rx, los) - range_m) < 1e-6
    assert np.abs(los - (turned - rx) / range_m).max() < 1e-9
    assert np.linalg.norm(los) == pytest.approx(1.0, abs=1e-15)


def test_group_delays_follow_the_clock_definitions():
    gps = ephemeris(kepler_param())
    gps.param[0, t.P_TGD1] = 1e-8
    assert group_delay_s(gps, 0, GPS, 1) == 1e-8
    assert group_delay_s(gps, 0, GPS, 2) == pytest.approx((77 / 60) ** 2 * 1e-8)
    # The ionosphere-free pair of the clock has no delay, by definition of that clock.
    for message, pair, square in (
        (Message.INAV, 7, (1575.42 / 1207.14) ** 2),
        (Message.FNAV, 5, (1575.42 / 1176.45) ** 2),
    ):
        gal = ephemeris(kepler_param(), message=message)
        gal.param[0, [t.P_TGD1, t.P_TGD2]] = 3e-9, 4e-9
        one, two = group_delay_s(gal, 0, GALILEO, 1), group_delay_s(gal, 0, GALILEO, pair)
        assert square * one - two == pytest.approx(0.0, abs=1e-22)
    bds = ephemeris(kepler_param(), message=Message.D1)
    bds.param[0, [t.P_TGD1, t.P_TGD2]] = 5e-9, -6e-9
    assert [group_delay_s(bds, 0, BEIDOU, band) for band in (2, 7, 6, 1, 5)] == [
        5e-9,
        -6e-9,
        0.0,
        5e-9,
        -6e-9,
    ]
    glo = ephemeris(glonass_param(), message=Message.FDMA)
    glo.param[0, t.G_DTAU] = 2e-9
    assert [group_delay_s(glo, 0, GLONASS, band) for band in (1, 2)] == [0.0, 2e-9]
    assert group_delay_s(gps, 0, IRNSS, 9) == 1e-8


def test_compiled_state_equals_its_python_source():
    out, twin = np.empty(8), np.empty(8)
    eph = ephemeris(kepler_param())
    satellite_state_offset(eph, 0, GPS, TOE_NS + 100 * NS, 0.25, out)
    source = getattr(satellite_state_offset, "py_func", satellite_state_offset)
    source(eph, 0, GPS, TOE_NS + 100 * NS, 0.25, twin)
    assert np.abs(out - twin)[:3].max() < 1e-7


@pytest.mark.parametrize("system", [GPS, GALILEO, BEIDOU])
@pytest.mark.parametrize("step_s", [-CARRY_MAX_S, -1e-3, 1e-6, CARRY_MAX_S])
def test_carried_state_is_the_state_at_the_other_time(system, step_s):
    eph = ephemeris(kepler_param(), message=Message.LNAV)
    state, expected, carried = np.zeros(8), np.zeros(8), np.zeros(8)
    for tk_s in (-7000, 0, 1800, 6900):
        time_ns = TOE_NS + tk_s * NS
        assert satellite_state_offset(eph, 0, system, time_ns, 0.0, state) == 0
        assert satellite_state_offset(eph, 0, system, time_ns, step_s, expected) == 0
        carry_state(state, step_s, GM_GPS, carried)
        # 1e-8 m of the method, and the angles of both orbits are rounded to 4e-8 m (1.5e-15 rad).
        assert np.abs(carried[:3] - expected[:3]).max() < 1e-7
        assert np.abs(carried[3:6] - expected[3:6]).max() < 5e-6
        assert abs(carried[6] - expected[6]) * SPEED_OF_LIGHT_MPS < 1e-7


def test_a_state_may_be_carried_in_place():
    state = np.array([2.0e7, 1.0e7, 1.4e7, 1e3, -2e3, 1.5e3, 1e-4, 1e-11])
    carried = np.zeros(8)
    carry_state(state, 0.01, GM_GPS, carried)
    carry_state(state, 0.01, GM_GPS, state)
    np.testing.assert_array_equal(state, carried)
