"""Weights around a point against scipy's hulls and triangulations, numpy's planes and solvers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial import Delaunay

from rtkpos.network.interpolation.field_covariance import Covariance, correlation
from rtkpos.network.interpolation.interpolate import (
    METHODS,
    interpolate_epoch,
    interpolate_epochs,
    weigh_stations,
)
from rtkpos.network.interpolation.kriging import weight_kriging
from rtkpos.network.interpolation.plane_weights import (
    _weight_on_line,
    weight_plane,
    weight_triangle,
)
from rtkpos.network.interpolation.station_geometry import (
    COLLINEAR,
    INSIDE,
    NO_STATION,
    OUTSIDE,
    SINGLE,
    around_work,
    gather_stations,
    line_direction,
    outside_distance,
)

pytestmark = pytest.mark.plain
KM = 1000.0
SMOOTH = Covariance(sill_m2=0.04, range_m=120.0 * KM, smoothness=2, nugget_m2=1e-4)


def stations(seed, n=7, centre=(0.0, 0.0)):
    """Places (n, 2) [m] at random within 60 km of a centre, and a work space with them."""
    places = np.random.default_rng(seed).uniform(-60.0, 60.0, (n, 2)) * KM + np.array(centre) * KM
    return places, gathered(places)


def gathered(places):
    work = around_work()
    assert gather_stations(places, (1 << len(places)) - 1, work) == len(places)
    return work


def hull_distance(places):
    """Distance of the origin from the convex hull, by its triangles and a fine walk on edges."""
    if Delaunay(places).find_simplex(np.zeros(2)) >= 0:
        return 0.0
    share = np.linspace(0.0, 1.0, 2_001)[:, None]
    return min(np.linalg.norm(a + share * (b - a), axis=1).min() for a in places for b in places)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("centre", [(0.0, 0.0), (90.0, 20.0), (-70.0, 80.0)])
def test_distance_from_the_hull(seed, centre):
    places, work = stations(seed, 7, centre)
    distance = outside_distance(7, work)
    assert distance == pytest.approx(hull_distance(places), abs=1.0)
    if distance > 0.0:
        i, j, share = work.edge_first, work.edge_second, work.edge_share
        nearest = places[i] + share * (places[j] - places[i])
        assert np.linalg.norm(nearest) == pytest.approx(distance, rel=1e-12)


@pytest.mark.parametrize("angle_deg", [0.0, 30.0, 90.0, 135.0])
def test_direction_of_a_line_and_whether_it_is_one(angle_deg):
    along = np.array([math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))])
    across = np.array([-along[1], along[0]])
    steps = np.array([-50.0, -10.0, 20.0, 60.0])[:, None] * KM
    for wobble, wanted in ((0.0, True), (0.5, True), (4.0, False)):
        side = np.array([1.0, -1.0, 1.0, -1.0])[:, None] * wobble * KM
        work = gathered(np.array([7.0, -3.0]) * KM + steps * along + side * across)
        is_line, east, north = line_direction(4, work)
        assert is_line == wanted
        assert abs(east * along[0] + north * along[1]) > 0.995


@pytest.mark.parametrize("seed", range(8))
def test_triangle_is_delaunays(seed):
    places, work = stations(seed, 9)
    outside = outside_distance(9, work)
    assert weight_triangle(9, work) == INSIDE
    weight = work.weight[:9]
    assert weight.sum() == pytest.approx(1.0, abs=1e-12)
    if outside > 0.0:
        assert np.linalg.norm(weight @ places) == pytest.approx(outside, rel=1e-9)
        return
    np.testing.assert_allclose(weight @ places, np.zeros(2), atol=1e-6)
    triangulation = Delaunay(places)
    corners = triangulation.simplices[triangulation.find_simplex(np.zeros(2))]
    assert set(np.flatnonzero(weight).tolist()) == set(corners.tolist())


def test_triangle_beyond_the_hull_and_on_a_line():
    work = gathered(np.array([[10.0, -10.0], [10.0, 30.0], [50.0, 0.0]]) * KM)
    outside_distance(3, work)
    assert weight_triangle(3, work) == INSIDE
    np.testing.assert_allclose(work.weight[:3], [0.75, 0.25, 0.0], atol=1e-12)
    work = gathered(np.array([[-10.0, 5.0], [30.0, 5.0], [70.0, 5.0]]) * KM)
    outside_distance(3, work)
    assert weight_triangle(3, work) == COLLINEAR
    np.testing.assert_allclose(work.weight[:3], [0.75, 0.25, 0.0], atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_plane_is_that_of_least_squares(seed):
    places, work = stations(seed, 6, (30.0, -20.0))
    assert weight_plane(6, work) == INSIDE
    design = np.hstack([np.ones((6, 1)), places / KM])
    np.testing.assert_allclose(work.weight[:6], np.linalg.pinv(design)[0], atol=1e-10)


@pytest.mark.parametrize("shift_km", [-100.0, 0.0, 25.0, 200.0])
def test_stations_on_a_line_give_a_line_between_the_outermost(shift_km):
    along = np.array([0.6, 0.8])
    steps = np.array([-40.0, -10.0, 30.0, 60.0]) + shift_km
    places = steps[:, None] * KM * along + np.array([-8.0, 6.0]) * KM
    foot = min(max(0.0, steps.min()), steps.max())
    design = np.stack([np.ones(4), steps], axis=1)
    wanted = np.array([1.0, foot]) @ np.linalg.pinv(design)
    work = gathered(places)
    assert _weight_on_line(4, *along, work) == COLLINEAR
    np.testing.assert_allclose(work.weight[:4], wanted, atol=1e-12)
    assert weight_plane(4, gathered(places)) == COLLINEAR


def kriging_by_solver(places, sill, length, smoothness, nugget):
    """Weights of ordinary kriging from its system with the multiplier."""
    n = len(places)
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    system = np.ones((n + 1, n + 1))
    cov = [[correlation(d, length, smoothness) for d in row] for row in apart]
    system[:n, :n] = sill * np.array(cov) + nugget * np.eye(n)
    system[n, n] = 0.0
    right = [sill * correlation(d, length, smoothness) for d in np.linalg.norm(places, axis=1)]
    return np.linalg.solve(system, [*right, 1.0])[:n]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("range_km", [30.0, 400.0])
def test_kriging_solves_its_system_with_a_range_of_two_spacings_at_least(seed, range_km):
    places, work = stations(seed, 6)
    covariance = SMOOTH._replace(range_m=range_km * KM)
    assert weight_kriging(6, covariance, work) == INSIDE
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    spacing = (apart + np.diag(np.full(6, np.inf))).min(axis=1).mean()
    sill, length = covariance.sill_m2, covariance.range_m
    if length < 2.0 * spacing:
        near = 1.0 - correlation(spacing, length, 2)
        length = 2.0 * spacing
        sill *= near / (1.0 - correlation(spacing, length, 2))
    wanted = kriging_by_solver(places, sill, length, 2, covariance.nugget_m2)
    np.testing.assert_allclose(work.weight[:6], wanted, atol=1e-8)
    field = [covariance.sill_m2 * correlation(d, covariance.range_m, 2) for d in apart[0, 1:]]
    np.testing.assert_allclose(work.matrix[0, 1:6], field, rtol=1e-9)


def expected_variance(places, weight, covariance):
    """Variance of the error of weights at the origin."""
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    form = np.vectorize(lambda d: correlation(d, covariance.range_m, covariance.smoothness))
    inner = covariance.sill_m2 * form(apart) + covariance.nugget_m2 * np.eye(len(places))
    cross = covariance.sill_m2 * form(np.linalg.norm(places, axis=1))
    return covariance.sill_m2 + weight @ inner @ weight - 2.0 * weight @ cross


@pytest.mark.parametrize("method", METHODS.values())
@pytest.mark.parametrize("centre", [(0.0, 0.0), (150.0, 0.0)])
def test_weights_of_a_set_of_stations_with_their_variance(method, centre):
    places, work = stations(5, 7, centre)
    mask = 0b1011101
    used = [k for k in range(7) if mask >> k & 1]
    weigh_stations(method, places, mask, SMOOTH, work, 3)
    weight = work.slot_weight[3, :7]
    assert weight[[1, 5]].tolist() == [0.0, 0.0]
    assert weight.sum() == pytest.approx(1.0, abs=1e-9)
    outside = hull_distance(places[used])
    assert work.slot_outside_m[3] == pytest.approx(outside, abs=1.0)
    assert work.slot_status[3] == (OUTSIDE if outside > 0.0 else INSIDE)
    wanted = expected_variance(places[used], weight[used], SMOOTH)
    assert work.slot_variance_m2[3] == pytest.approx(wanted, rel=1e-6)


def test_one_station_and_none():
    places, work = stations(5)
    weigh_stations(METHODS["kriging"], places, 0b100, SMOOTH, work, 0)
    assert work.slot_status[0] == SINGLE
    assert work.slot_weight[0, 2] == 1.0
    weigh_stations(METHODS["kriging"], places, 0, SMOOTH, work, 1)
    assert work.slot_status[1] == NO_STATION
    assert math.isnan(work.slot_variance_m2[1])


def test_values_of_an_epoch_are_weighted_sums_over_who_has_them():
    places, work = stations(2, 5)
    random = np.random.default_rng(3)
    value = random.normal(size=(5, 4))
    value[1, 1] = value[4, 1] = math.nan
    value[:, 3] = math.nan
    slant = np.array([1.0, 2.0, 1.5, 1.2])
    got, sigma, slot = np.zeros(4), np.zeros(4), np.zeros(4, np.int64)
    n = interpolate_epoch(4, places, value, slant, SMOOTH, work, got, sigma, slot)
    assert n == 3
    assert slot[0] == slot[2] != slot[1], "one set of weights for one set of stations"
    for s in range(3):
        used = ~np.isnan(value[:, s])
        weight = work.slot_weight[slot[s], :5]
        assert got[s] == pytest.approx(weight[used] @ value[used, s], rel=1e-12)
        variance = expected_variance(places[used], weight[used], SMOOTH)
        assert sigma[s] == pytest.approx(slant[s] * math.sqrt(variance), rel=1e-6)
    assert math.isnan(got[3])
    assert math.isnan(sigma[3])


def test_epochs_of_a_series_are_those_of_single_epochs():
    places, work = stations(4, 5)
    random = np.random.default_rng(6)
    value, slant = random.normal(size=(3, 5, 2)), random.uniform(1.0, 2.0, (3, 2))
    got, sigma = np.zeros((3, 2)), np.zeros((3, 2))
    slot = np.zeros(2, np.int64)
    interpolate_epochs(1, places, value, slant, SMOOTH, work, got, sigma, slot)
    for t in range(3):
        one, one_sigma = np.zeros(2), np.zeros(2)
        interpolate_epoch(1, places, value[t], slant[t], SMOOTH, work, one, one_sigma, slot)
        np.testing.assert_array_equal(got[t], one)
        np.testing.assert_array_equal(sigma[t], one_sigma)
