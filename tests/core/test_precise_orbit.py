"""Interpolation of precise orbits: exact at nodes, right on a circular orbit, honest at edges."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rtkpos.constants import GM_GPS, OMEGA_EARTH_GPS
from rtkpos.core.orbits.precise_orbit import (
    N_NODE,
    PRECISE_MISSING,
    PRECISE_OK,
    PRECISE_OUTSIDE,
    PRECISE_UNKNOWN,
    PreciseArrays,
    node_before,
    precise_clock,
    precise_position,
    window_start,
)
from rtkpos.gnss.systems import N_SAT

MILLIMETRE = 1e-3
NS = 10**9
START_NS = 1_400_000_000 * NS
SAT, OTHER = 6, 70


def circular_orbit(time_ns, radius_m=26_560_000.0):
    """ECEF position and velocity of a circular orbit inclined by 55 degrees."""
    rate = math.sqrt(GM_GPS / radius_m**3)
    t = (np.atleast_1d(time_ns) - START_NS) / NS
    u, inclination = rate * t, math.radians(55.0)
    x, y, z = np.cos(u), np.sin(u) * math.cos(inclination), np.sin(u) * math.sin(inclination)
    vx, vy, vz = (
        -np.sin(u) * rate,
        np.cos(u) * math.cos(inclination) * rate,
        np.cos(u) * math.sin(inclination) * rate,
    )
    c, s = np.cos(OMEGA_EARTH_GPS * t), np.sin(OMEGA_EARTH_GPS * t)
    position = np.stack([c * x + s * y, -s * x + c * y, z], axis=-1) * radius_m
    turned = np.stack([c * vx + s * vy, -s * vx + c * vy, vz], axis=-1) * radius_m
    turned[:, 0] += OMEGA_EARTH_GPS * position[:, 1]
    turned[:, 1] -= OMEGA_EARTH_GPS * position[:, 0]
    return position, turned


def table(step_s=900, n_epoch=97):
    time_ns = START_NS + np.arange(n_epoch, dtype=np.int64) * step_s * NS
    position = circular_orbit(time_ns)[0][:, None, :].copy()
    clock = (1e-5 + 1e-11 * (time_ns - START_NS) / NS)[:, None].copy()
    column = np.full(N_SAT, -1, dtype=np.int64)
    column[SAT] = 0
    return PreciseArrays(time_ns, column, position, clock)


def interpolate(t, when_ns, sat=SAT):
    position, velocity = np.empty(3), np.empty(3)
    status = precise_position(t, sat, when_ns, position, velocity)
    return status, position, velocity


@pytest.mark.parametrize("step_s", [300, 900])
def test_position_and_velocity_of_a_circular_orbit(step_s):
    t = table(step_s)
    rng = np.random.default_rng(1)
    inner = 5 * step_s
    for offset_s in rng.uniform(inner, 96 * step_s - inner, 60):
        when_ns = START_NS + int(offset_s * 1e9)
        status, position, velocity = interpolate(t, when_ns)
        want, want_velocity = circular_orbit(when_ns)
        assert status == PRECISE_OK
        assert np.linalg.norm(position - want[0]) < 0.1 * MILLIMETRE
        assert np.linalg.norm(velocity - want_velocity[0]) < 1e-5


def test_nodes_are_met_exactly():
    t = table()
    for row in (0, 1, 50, 95, 96):
        status, position, _ = interpolate(t, int(t.time_ns[row]))
        assert status == PRECISE_OK
        np.testing.assert_allclose(position, t.position_m[row, 0], atol=1e-7)


def test_error_at_the_edge_stays_below_five_centimetres():
    t = table()
    for offset_s in (300, 450, 600, 96 * 900 - 450):
        when_ns = START_NS + offset_s * NS
        _, position, _ = interpolate(t, when_ns)
        assert np.linalg.norm(position - circular_orbit(when_ns)[0][0]) < 50 * MILLIMETRE


@pytest.mark.parametrize("outside_ns", [-1, -NS, 96 * 900 * NS + 1, 10**18])
def test_outside_the_span_is_never_extrapolated(outside_ns):
    status, position, velocity = interpolate(table(), START_NS + outside_ns)
    assert status == PRECISE_OUTSIDE
    assert np.isnan(position).all()
    assert np.isnan(velocity).all()
    assert math.isnan(precise_clock(table(), SAT, START_NS + outside_ns))


def test_window_is_the_eleven_nodes_nearest_to_the_time():
    t = table(n_epoch=30)
    for when_s in (*np.arange(0.0, 29 * 900.0, 431.0), 29 * 900.0):
        when_ns = START_NS + int(when_s * NS)
        nearest = int(np.argmin(np.abs(t.time_ns - when_ns)))
        wanted = min(max(nearest - N_NODE // 2, 0), 30 - N_NODE)
        assert window_start(t, 0, when_ns) == wanted
    for when_ns in (START_NS - 1, START_NS + 29 * 900 * NS + 1):
        assert window_start(t, 0, when_ns) == -PRECISE_OUTSIDE
    t.position_m[20, 0, 0] = math.nan
    assert window_start(t, 0, START_NS + 14 * 900 * NS) == 9
    assert window_start(t, 0, START_NS + 15 * 900 * NS) == -PRECISE_MISSING


def test_window_with_nodes_too_far_apart_is_missing():
    for step_s, status in ((1800, 0), (1801, -PRECISE_MISSING)):
        assert window_start(table(step_s, N_NODE), 0, START_NS) == status


def test_short_table_is_outside():
    short = table(n_epoch=N_NODE - 1)
    assert interpolate(short, START_NS + 4000 * NS)[0] == PRECISE_OUTSIDE


def test_unknown_satellite():
    assert interpolate(table(), START_NS + 4000 * NS, OTHER)[0] == PRECISE_UNKNOWN
    assert math.isnan(precise_clock(table(), OTHER, START_NS))


def test_missing_node_is_missing_only_near_it():
    t = table()
    t.position_m[40] = np.nan
    assert interpolate(t, int(t.time_ns[42]) + NS)[0] == PRECISE_MISSING
    assert interpolate(t, int(t.time_ns[60]) + NS)[0] == PRECISE_OK


def test_gap_of_epochs_is_missing():
    t = table()
    keep = np.r_[0:30, 33:97]
    gap = PreciseArrays(
        t.time_ns[keep].copy(), t.column, t.position_m[keep].copy(), t.clock_s[keep].copy()
    )
    assert interpolate(gap, int(t.time_ns[31]))[0] == PRECISE_MISSING
    assert math.isnan(precise_clock(gap, SAT, int(t.time_ns[31])))
    assert interpolate(gap, int(t.time_ns[70]) + NS)[0] == PRECISE_OK


def test_clock_is_linear_and_missing_where_a_neighbour_is():
    t = table()
    t.clock_s[20] = np.nan
    assert precise_clock(t, SAT, START_NS + 450 * NS) == pytest.approx(1e-5 + 4.5e-9, abs=1e-16)
    assert precise_clock(t, SAT, int(t.time_ns[-1])) == t.clock_s[-1, 0]
    assert math.isnan(precise_clock(t, SAT, int(t.time_ns[20]) + NS))
    assert math.isnan(precise_clock(t, SAT, int(t.time_ns[20]) - NS))


def test_bisection_equals_searchsorted():
    t = table().time_ns
    for when_ns in np.r_[t, t + 1, t - 1]:
        assert node_before(t, when_ns) == np.searchsorted(t, when_ns, side="right") - 1


def plain(function):
    """The Python function behind a kernel; itself when numba is switched off."""
    return getattr(function, "py_func", function)


def test_compiled_equals_python():
    when_ns = START_NS + 12_345 * NS
    position, velocity = np.empty(3), np.empty(3)
    plain(precise_position)(table(), SAT, when_ns, position, velocity)
    np.testing.assert_allclose(interpolate(table(), when_ns)[1], position, rtol=1e-14)
