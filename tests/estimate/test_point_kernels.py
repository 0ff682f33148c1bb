"""Steps of the code position: rows, models, variances, descent, dilution, results."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from rtkpos._arrays import record_of
from rtkpos.constants import SPEED_OF_LIGHT_MPS
from rtkpos.core.atmosphere.ionosphere import (
    IONO_KLOBUCHAR,
    delay_from_l1,
    slant_ionosphere_l1,
    thin_shell_factor,
)
from rtkpos.core.atmosphere.troposphere import N_TROP, prepare_troposphere, slant_troposphere
from rtkpos.core.linear.normal_equations import N_GROUP_MAX
from rtkpos.core.orbits.broadcast_orbit import satellite_state_offset
from rtkpos.core.orbits.group_delay import group_delay_s
from rtkpos.core.station.geodesy import geodetic_to_ecef
from rtkpos.core.tables import ORBIT_GEO, P_TGD1
from rtkpos.estimate.point.code_position import (
    POINT_CHI_SQUARE,
    POINT_FEW,
    POINT_GEOMETRY,
    POINT_NOT_CONVERGED,
    POINT_OK,
    PointSettings,
    _descend,
    _descend_robustly,
    _prepare_rows,
    point_work,
    position_dop,
)
from rtkpos.estimate.point.models import (
    SHELL_M,
    PointNoise,
    _load_satellite,
    _variances,
    load_rows,
    model_at_place,
    model_without_place,
    point_plan,
    point_rows,
)
from rtkpos.estimate.point.single_point import (
    SinglePointSettings,
    _finish_position,
    point_fix,
    single_point_work,
)
from rtkpos.estimate.point.velocity import _range_rate_rows, satellite_range_rate, velocity_work
from rtkpos.gnss.signals import sig_index
from rtkpos.gnss.systems import BEIDOU, GLONASS, GPS, SBAS
from rtkpos.physics.atmosphere import no_ionosphere
from tests.core.test_ionosphere import KLOBUCHAR_2023, model
from tests.core.test_orbits import NS, TOE_NS, ephemeris, kepler_param
from tests.estimate.sky import CLOCK_M, sky

pytestmark = pytest.mark.plain
L1_HZ, L2_HZ = 1575.42e6, 1227.60e6


def codes(n=12, n_group=2, seed=1):
    """Receiver and the arguments of the descent: satellites, codes, groups, work with rows set."""
    receiver, satellites, code, group = sky("middle", n, n_group, np.random.default_rng(seed))
    work = record_of(point_work(n))
    _prepare_rows(satellites, code, np.ones(n), group, n, work)
    return receiver, satellites, code, group, work


def test_usable_rows_have_the_inverse_variance_as_weight():
    _, satellites, code, group, work = codes(8)
    variance = np.array([4.0, 0.25, 1.0, 1.0, 0.0, -1.0, math.nan, math.inf])
    code[2], satellites[3, 1] = math.nan, math.nan
    assert _prepare_rows(satellites, code, variance, group, 8, work) == (2, 2)
    assert work.weight.tolist() == [0.25, 4.0] + [0.0] * 6
    group[0], group[1] = -1, N_GROUP_MAX
    assert _prepare_rows(satellites, code, variance, group, 8, work) == (0, 0)
    assert _prepare_rows(satellites, np.ones(8), np.ones(8), np.full(8, 3), 8, work) == (7, 1)


def test_descent_ends_at_the_truth():
    receiver, satellites, code, group, work = codes()
    position = receiver + np.array([3000.0, -2000.0, 500.0])
    assert _descend(satellites, code, work.weight, group, 12, work, position) == POINT_OK
    fit = work.robust.fit
    np.testing.assert_allclose(position + fit.x, receiver, atol=1e-4)
    np.testing.assert_allclose(fit.clock[:2], CLOCK_M[:2], atol=2e-4)


def test_descent_tells_a_plane_and_a_runaway():
    receiver, satellites, code, group, work = codes()
    satellites[:] = satellites[0]
    start = receiver.copy()
    assert _descend(satellites, code, work.weight, group, 12, work, start) == POINT_GEOMETRY
    receiver, satellites, code, group, work = codes()
    code *= np.random.default_rng(3).uniform(-1e4, 1e4, 12)
    status = _descend(satellites, code, work.weight, group, 12, work, receiver.copy())
    assert status == POINT_NOT_CONVERGED


@pytest.mark.parametrize("n_wrong", [0, 2])
def test_robust_descent_leaves_wrong_codes_out(n_wrong):
    receiver, satellites, code, group, work = codes(14)
    code[[4, 9][:n_wrong]] += 5000.0
    position = np.zeros(3)
    settings = PointSettings()
    status = _descend_robustly(satellites, code, group, 14, settings, work, position)
    assert status == POINT_OK
    np.testing.assert_allclose(position + work.robust.fit.x, receiver, atol=1e-3)
    assert np.flatnonzero(work.robust.weight == 0.0).tolist() == [4, 9][:n_wrong]


def test_codes_that_contradict_each_other_fail_the_chi_square():
    _, satellites, code, group, work = codes(16)
    code += np.random.default_rng(5).normal(0.0, 300.0, 16)
    status = _descend_robustly(satellites, code, group, 16, PointSettings(), work, np.zeros(3))
    assert status == POINT_CHI_SQUARE


def test_dilution_is_that_of_the_full_design_with_its_clocks():
    receiver, satellites, code, group, work = codes()
    _descend(satellites, code, work.weight, group, 12, work, receiver.copy())
    work.robust.weight[:12] = work.weight
    work.robust.weight[3] = 0.0
    full = np.hstack([work.design[:12], np.eye(2)[group]])
    full = np.delete(full, 3, axis=0)
    cofactor = np.linalg.inv(full.T @ full)[:3, :3]
    dop = position_dop(group, 12, work)
    assert dop == pytest.approx(math.sqrt(np.trace(cofactor)), rel=1e-9)
    np.testing.assert_allclose(work.dop, cofactor, rtol=1e-9, atol=1e-12)
    work.robust.weight[:12] *= 1e-8
    assert position_dop(group, 12, work) == dop, "weights of any size count alike"
    work.robust.weight[4:] = 0.0
    assert position_dop(group, 12, work) == math.inf


def observations():
    """One epoch: satellite 0 with codes on two signals and Doppler, 1 unwanted, 2 without orbit."""
    sig = [sig_index(GPS, code) for code in ("1C", "2W", "1C", "1C")]
    return SimpleNamespace(
        sat=np.array([0, 0, 1, 2], np.int16),
        sig=np.array(sig, np.int16),
        code_m=np.array([2.2e7, 2.2e7 + 3.0, 2.1e7, 2.3e7]),
        doppler_hz=np.array([math.nan, -700.0, 5.0, 6.0]),
        cn0_dbhz=np.array([47.0, 31.0, 50.0, 50.0]),
        row_start=np.array([0, 4]),
        time_ns=np.array([TOE_NS + 600 * NS]),
    )


def test_one_row_for_each_satellite_with_code_and_orbit():
    obs, eph, plan, rows = (
        observations(),
        ephemeris(kepler_param()),
        point_plan(),
        record_of(point_rows(9)),
    )
    plan.wanted[1] = False
    assert load_rows(obs, 0, eph, plan, rows) == rows.n_row == 1
    assert (rows.sat[0], rows.band[0], rows.group[0], rows.eph_row[0]) == (0, 1, 0, 0)
    assert (rows.code_m[0], rows.cn0_dbhz[0], rows.frequency_hz[0]) == (2.2e7, 47.0, L1_HZ)
    assert (rows.doppler_hz[0], rows.doppler_frequency_hz[0]) == (-700.0, L2_HZ)
    obs.code_m[0] = math.nan
    load_rows(obs, 0, eph, plan, rows)
    assert (rows.code_m[0], rows.band[0]) == (2.2e7 + 3.0, 2)
    obs.code_m[1] = math.nan
    assert load_rows(obs, 0, eph, plan, rows) == 0


def test_state_of_a_row_is_that_at_transmission():
    obs, eph, plan, rows = (
        observations(),
        ephemeris(kepler_param()),
        point_plan(),
        record_of(point_rows(9)),
    )
    assert _load_satellite(obs, 0, eph, plan, 0, -1, 4, rows) == 1
    assert math.isnan(rows.doppler_hz[4])
    # Reception less the code's travel time is in the satellite's clock.
    travel_s = 2.2e7 / SPEED_OF_LIGHT_MPS
    wanted = np.empty(8)
    satellite_state_offset(eph, 0, GPS, obs.time_ns[0], -travel_s - rows.sat_state[4, 6], wanted)
    np.testing.assert_allclose(rows.sat_state[4], wanted, rtol=1e-9)
    np.testing.assert_array_equal(rows.sat_ecef_m[4], rows.sat_state[4, :3])
    assert _load_satellite(obs, 0, eph, plan, 3, -1, 4, rows) == 0, "no ephemeris"


def placed(ionosphere, *, cn0=40.0, mask=0.1):
    """Rows of one satellite above a place on the earth below it, its models computed."""
    eph, rows = ephemeris(kepler_param()), record_of(point_rows(4))
    eph.param[0, P_TGD1] = -1.1e-8
    state, obs = np.empty(8), observations()
    satellite_state_offset(eph, 0, GPS, obs.time_ns[0], 0.0, state)
    lat = math.asin(state[2] / np.linalg.norm(state[:3])) + 0.3
    lon = math.atan2(state[1], state[0]) + 0.2
    place = np.empty(3)
    geodetic_to_ecef(lat, lon, 150.0, place)
    load_rows(obs, 0, eph, point_plan(), rows)
    rows.cn0_dbhz[0] = cn0
    settings = SinglePointSettings(mask_rad=mask, cn0_min_dbhz=35.0)
    status = model_at_place(place, obs.time_ns[0], eph, ionosphere, settings, rows)
    return status, rows, eph, (lat, lon, place, obs.time_ns[0])


@pytest.mark.parametrize("with_model", [False, True])
def test_corrected_code_is_free_of_clock_delay_and_atmosphere(with_model):
    kind = IONO_KLOBUCHAR
    ionosphere = model(kind, KLOBUCHAR_2023, TOE_NS) if with_model else no_ionosphere()
    status, rows, eph, (lat, lon, place, time_ns) = placed(ionosphere)
    assert status == 0
    line = rows.sat_ecef_m[0] - place
    turn = 7.2921151467e-5 * np.linalg.norm(line) / SPEED_OF_LIGHT_MPS
    seen = rows.sat_ecef_m[0].copy()
    seen[0] += turn * rows.sat_ecef_m[0, 1]
    seen[1] -= turn * rows.sat_ecef_m[0, 0]
    up = np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])
    elevation = math.asin((seen - place) @ up / np.linalg.norm(seen - place))
    assert rows.elevation_rad[0] == pytest.approx(elevation, abs=1e-7)
    coefficients = np.empty(N_TROP)
    prepare_troposphere(lat, lon, 150.0, time_ns, coefficients)
    trop_m, _ = slant_troposphere(coefficients, rows.elevation_rad[0])
    assert rows.trop_m[0] == pytest.approx(trop_m, rel=1e-6)
    azimuth = rows.azimuth_rad[0]
    iono_m = slant_ionosphere_l1(ionosphere, lat, lon, rows.elevation_rad[0], azimuth, time_ns)
    assert rows.iono_m[0] == pytest.approx(iono_m, rel=1e-6, abs=1e-12)
    clock_m = SPEED_OF_LIGHT_MPS * (rows.sat_state[0, 6] - group_delay_s(eph, 0, GPS, 1))
    wanted = rows.code_m[0] + clock_m - trop_m - iono_m
    assert rows.corrected_m[0] == pytest.approx(wanted, abs=1e-4)
    noise = PointNoise()
    sigma = noise.iono_part * iono_m
    if not with_model:
        sigma = noise.iono_zenith_m * thin_shell_factor(rows.elevation_rad[0], *SHELL_M)
    assert rows.sigma_iono_m[0] == pytest.approx(delay_from_l1(sigma, L1_HZ), rel=1e-6)
    assert rows.var_m2[0] > 0.0


def test_without_a_place_codes_lose_clock_and_group_delay_alone():
    obs, eph, rows = observations(), ephemeris(kepler_param()), record_of(point_rows(4))
    eph.param[0, P_TGD1] = -1.1e-8
    load_rows(obs, 0, eph, point_plan(), rows)
    rows.trop_m[0] = 9.0
    model_without_place(eph, rows)
    clock_m = SPEED_OF_LIGHT_MPS * (rows.sat_state[0, 6] - group_delay_s(eph, 0, GPS, 1))
    assert group_delay_s(eph, 0, GPS, 1) != 0.0
    assert rows.corrected_m[0] == pytest.approx(2.2e7 + clock_m, abs=1e-6)
    assert (rows.var_m2[0], rows.trop_m[0], rows.iono_m[0]) == (100.0, 0.0, 0.0)
    assert math.isnan(rows.elevation_rad[0])


def test_rows_below_the_limits_have_no_variance_and_no_place_no_models():
    assert math.isnan(placed(no_ionosphere(), cn0=34.0)[1].var_m2[0])
    assert math.isnan(placed(no_ionosphere(), mask=1.5)[1].var_m2[0])
    status = model_at_place(
        np.zeros(3), TOE_NS, ephemeris(kepler_param()), no_ionosphere(), SinglePointSettings(),
        record_of(point_rows(4)),
    )  # fmt: skip
    assert status == 1


@pytest.mark.parametrize(
    ("system", "orbit", "cn0", "ura", "factor", "orbit_m"),
    [
        (GPS, 0, 45.0, 2.0, 1.0, 1.0),
        (GPS, 0, 35.0, 2.0, 10.0, 1.0),
        (GPS, 0, 5.0, 2.0, 1000.0, 1.0),
        (GPS, 0, math.nan, math.nan, 1.0, 1.5),
        (GPS, 0, 50.0, 4000.0, 1.0, 15.0),
        (GLONASS, 0, 45.0, 2.0, 1.5**2, 1.0),
        (SBAS, 0, 45.0, 2.0, 2.0**2, 1.0),
        (BEIDOU, ORBIT_GEO, 45.0, 2.0, 2.0**2, 1.0),
        (BEIDOU, 0, 45.0, 2.0, 1.0, 1.0),
    ],
)
def test_variance_of_code_and_range_rate(system, orbit, cn0, ura, factor, orbit_m):
    noise, rows, eph = (
        PointNoise(),
        record_of(point_rows(2)),
        ephemeris(kepler_param(), orbit=orbit),
    )
    eph.accuracy_m[0] = ura
    rows.sat[1], rows.eph_row[1] = system * 64 + 3, 0
    rows.elevation_rad[1], rows.cn0_dbhz[1], rows.sigma_iono_m[1] = math.radians(30.0), cn0, 4.0
    _variances(1, eph, noise, rows)
    code = (noise.code_a_m**2 + (2.0 * noise.code_b_m) ** 2) * factor
    rest = orbit_m**2 + (0.3 * 4.0) ** 2 + (2.0 * noise.trop_zenith_m) ** 2
    assert rows.var_m2[1] == pytest.approx(code + rest, rel=1e-12)
    thermal = factor if system == GPS else 1.0
    rate = (noise.doppler_a_mps**2 + (2.0 * noise.doppler_b_mps) ** 2) * thermal
    assert rows.var_rate_m2[1] == pytest.approx(rate, rel=1e-12)


@pytest.mark.parametrize("status", [POINT_OK, POINT_CHI_SQUARE, POINT_FEW])
def test_results_are_counted_or_nan(status):
    work, fix = record_of(single_point_work(6)), record_of(point_fix())
    point = work.point
    point.used[:4] = [True, False, True, True]
    point.robust.sigma0, point.robust.chi_square, point.robust.n_free = 1.5, 7.0, 3
    point.pdop, point.residual_m[:] = 2.2, 0.5
    for column in (fix.position_m, fix.clock_m, fix.cov_m2):
        column[...] = 3.0
    _finish_position(6, status, point, fix)
    has_position = status != POINT_FEW
    assert fix.status == status
    assert (fix.n_used, fix.n_used_velocity) == (3 if has_position else 0, 0)
    for column in (fix.position_m, fix.clock_m, fix.cov_m2, point.residual_m):
        assert np.isnan(column).all() != has_position
    wanted = [1.5, 7.0, 3, 2.2] if has_position else [math.nan, math.nan, 0, math.nan]
    np.testing.assert_array_equal([fix.sigma0, fix.chi_square, fix.n_free, fix.pdop], wanted)


def test_range_rates_less_the_model_and_what_is_left_out():
    receiver, satellites, _, _ = sky("middle", 6, 1, np.random.default_rng(4))
    states = np.zeros((6, 8))
    states[:, :3] = satellites
    states[:, 3:6] = np.random.default_rng(5).normal(0.0, 2000.0, (6, 3))
    states[:, 7] = 2e-11
    doppler, hertz = np.linspace(-3000.0, 3000.0, 6), np.full(6, L1_HZ)
    variance = np.full(6, 0.04)
    doppler[1], hertz[2], variance[3], variance[4] = math.nan, math.nan, 0.0, math.inf
    work = record_of(velocity_work(6))
    assert _range_rate_rows(states, receiver, doppler, hertz, variance, 6, work) == 2
    assert work.weight.tolist() == [25.0, 0.0, 0.0, 0.0, 0.0, 25.0]
    for i in (0, 5):
        los = np.zeros(3)
        rate = satellite_range_rate(states[i], receiver, los)
        observed = -doppler[i] * SPEED_OF_LIGHT_MPS / L1_HZ
        wanted = observed + SPEED_OF_LIGHT_MPS * 2e-11 - rate
        assert work.value[i] == pytest.approx(wanted, rel=1e-12)
        np.testing.assert_array_equal(work.design[i], -los)
    assert not work.design[1:5].any()
