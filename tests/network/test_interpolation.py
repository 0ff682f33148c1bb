"""Weights of every method: twins, exactness, invariants, and what they leave of an atmosphere."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rtkpos.errors import ConfigError, DataError
from rtkpos.network.interpolation.field_covariance import ACTIVE_IONOSPHERE, WET_DELAY, Covariance
from rtkpos.network.interpolation.interpolate import METHODS, interpolate
from rtkpos.network.interpolation.station_geometry import GeometryStatus, around_work
from tests.network.fields import (
    M_PER_TECU,
    around,
    direction,
    distances,
    gaussian_field,
    lattice,
    matern,
    waves,
)

WORK = around_work()
SMOOTH = Covariance(0.03**2, 125e3, 0.003**2, 1.5)
ROUGH = Covariance(0.02**2, 150e3, 0.002**2, 0.5)
LINEAR = ("triangle", "plane")


def ring(rng, n=9):
    """Stations all around the origin, 20 to 80 km away."""
    angle = np.arange(n) * 2.0 * np.pi / n + rng.uniform(-0.3, 0.3, n)
    radius = rng.uniform(20e3, 80e3, n)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def kriging_twin(place_m, covariance):
    """Weights and variance of ordinary kriging from its bordered system, by numpy."""
    n = len(place_m)
    system = np.ones((n + 1, n + 1))
    system[:n, :n] = matern(distances(place_m, place_m), covariance)
    system[:n, :n] += covariance.nugget_m2 * np.eye(n)
    system[n, n] = 0.0
    right = np.append(matern(np.hypot(*place_m.T), covariance), 1.0)
    solution = np.linalg.solve(system, right)
    return solution[:n], covariance.sill_m2 - solution @ right


def plane_twin(place_m):
    design = np.column_stack([np.ones(len(place_m)), place_m])
    return np.linalg.pinv(design)[0]


def triangle_twin(place_m):
    """Barycentric weights in scipy's Delaunay triangle around the origin."""
    from scipy.spatial import Delaunay

    triangles = Delaunay(place_m)
    found = int(triangles.find_simplex(np.zeros(2)))
    corners = triangles.simplices[found]
    weight = np.zeros(len(place_m))
    weight[corners] = np.linalg.solve(np.vstack([place_m[corners].T, np.ones(3)]), [0.0, 0.0, 1.0])
    return weight


@pytest.mark.parametrize("covariance", [SMOOTH, ROUGH])
def test_kriging_agrees_with_the_bordered_system(covariance):
    rng = np.random.default_rng(1)
    for _ in range(20):
        place = ring(rng)
        weight, variance = kriging_twin(place, covariance)
        got = interpolate(rng.normal(size=9), place, covariance=covariance, work=WORK)
        np.testing.assert_allclose(got.weight, weight, atol=1e-9)
        assert got.sigma_m**2 == pytest.approx(variance, rel=1e-8)


@pytest.mark.parametrize(("method", "twin"), [("plane", plane_twin), ("triangle", triangle_twin)])
def test_plane_methods_agree_with_their_twins(method, twin):
    rng = np.random.default_rng(2)
    for _ in range(20):
        place = ring(rng)
        got = interpolate(rng.normal(size=9), place, method, work=WORK)
        np.testing.assert_allclose(got.weight, twin(place), atol=1e-10)


def test_distance_methods_agree_with_their_twins():
    place = ring(np.random.default_rng(3))
    distance = np.hypot(*place.T)
    by_distance = interpolate(np.ones(9), place, "inverse-distance")
    np.testing.assert_allclose(by_distance.weight, distance**-2.0 / (distance**-2.0).sum())
    nearest = interpolate(np.ones(9), place, "nearest")
    assert nearest.weight.tolist() == [float(d == distance.min()) for d in distance]


@pytest.mark.parametrize("method", METHODS)
def test_sigma_is_that_of_the_weights_and_kriging_has_the_least(method):
    rng = np.random.default_rng(4)
    for _ in range(10):
        place = ring(rng)
        got = interpolate(np.ones(9), place, method, covariance=SMOOTH, work=WORK)
        noisy = matern(distances(place, place), SMOOTH) + SMOOTH.nugget_m2 * np.eye(9)
        to_point = matern(np.hypot(*place.T), SMOOTH)
        w = got.weight
        variance = SMOOTH.sill_m2 + w @ noisy @ w - 2.0 * w @ to_point
        assert got.sigma_m == pytest.approx(math.sqrt(variance), rel=1e-9)
        least = interpolate(np.ones(9), place, covariance=SMOOTH, work=WORK)
        assert least.sigma_m <= got.sigma_m * (1.0 + 1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_a_common_level_passes_and_order_does_not_matter(method):
    rng = np.random.default_rng(5)
    place, values = ring(rng), rng.normal(size=(9, 4))
    values[2, 1] = values[7, 3] = math.nan
    got = interpolate(values, place, method)
    np.testing.assert_allclose(got.weight.sum(axis=1), 1.0, atol=1e-12)
    raised = interpolate(values + 7.0, place, method)
    np.testing.assert_allclose(raised.value_m, got.value_m + 7.0, atol=1e-11)
    order = rng.permutation(9)
    again = interpolate(values[order], place[order], method)
    np.testing.assert_allclose(again.value_m, got.value_m, atol=1e-11)
    np.testing.assert_allclose(again.sigma_m, got.sigma_m, rtol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_missing_values_are_as_if_the_station_were_not_there(method):
    rng = np.random.default_rng(6)
    place, values = ring(rng), rng.normal(size=(9, 40))
    values[rng.uniform(size=values.shape) < 0.3] = math.nan
    slant = rng.uniform(1.0, 3.0, 40)
    got = interpolate(values, place, method, slant_factor=slant)
    for s in range(40):
        there = ~np.isnan(values[:, s])
        alone = interpolate(values[there, s], place[there], method)
        assert got.value_m[s] == pytest.approx(float(alone.value_m), abs=1e-11)
        assert got.sigma_m[s] == pytest.approx(float(slant[s] * alone.sigma_m), rel=1e-9)
        assert (got.weight[s, ~there] == 0.0).all()


def test_without_noise_a_station_gives_its_own_value():
    rng = np.random.default_rng(7)
    place = ring(rng)
    values = rng.normal(0.0, 0.05, 9)
    for method in ("kriging", "nearest", "inverse-distance", "triangle"):
        quiet = SMOOTH._replace(nugget_m2=0.0)
        got = interpolate(values, place - place[4], method, covariance=quiet)
        assert got.value_m == pytest.approx(values[4], abs=1e-6), method
        assert got.sigma_m < 1e-5


@pytest.mark.parametrize("method", LINEAR)
def test_linear_fields_are_reproduced_inside(method):
    rng = np.random.default_rng(8)
    for _ in range(10):
        place, slope = ring(rng), direction(rng) * 2e-6
        got = interpolate(0.3 + place @ slope, place, method)
        assert got.value_m == pytest.approx(0.3, abs=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_beyond_the_stations_sigma_grows_and_it_is_said(method):
    place = ring(np.random.default_rng(9))
    sigma = []
    for away_m in (0.0, 100e3, 200e3, 400e3):
        got = interpolate(np.ones(9), place - [away_m, 0.0], method, covariance=SMOOTH)
        assert got.is_outside == (away_m > 0.0)
        assert got.status == (GeometryStatus.OUTSIDE if away_m else GeometryStatus.INSIDE)
        assert got.weight.sum() == pytest.approx(1.0, abs=1e-12)
        sigma.append(float(got.sigma_m))
    assert sigma == sorted(sigma)
    assert sigma[-1] > 2.0 * sigma[0]


def test_distance_outside_is_that_of_scipys_hull():
    from scipy.spatial import ConvexHull

    rng = np.random.default_rng(10)
    for _ in range(50):
        place = rng.uniform(-50e3, 50e3, (7, 2)) + rng.uniform(-60e3, 60e3, 2)
        corner = place[ConvexHull(place).vertices]
        following = np.roll(corner, -1, axis=0)
        edge = following - corner
        inside = (edge[:, 0] * -corner[:, 1] + edge[:, 1] * corner[:, 0] > 0.0).all()
        share = np.clip(-(corner * edge).sum(1) / (edge**2).sum(1), 0.0, 1.0)
        wanted = 0.0 if inside else np.hypot(*(corner + share[:, None] * edge).T).min()
        assert interpolate(np.ones(7), place).outside_m == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("method", LINEAR)
@pytest.mark.parametrize("n", [2, 5])
def test_stations_on_a_line_give_the_value_along_it(method, n):
    along = np.linspace(-40e3, 60e3, n)
    place = np.stack([along, np.full(n, 12e3)], axis=1)
    got = interpolate(1.0 + 1e-6 * along, place, method)
    assert got.status == GeometryStatus.COLLINEAR
    assert got.value_m == pytest.approx(1.0, abs=1e-12)
    assert got.outside_m == pytest.approx(12e3)


@pytest.mark.parametrize("method", METHODS)
def test_few_stations(method):
    two = interpolate([[1.0], [2.0]], [[-10e3, 0.0], [10e3, 0.0]], method)
    assert 1.0 <= two.value_m[0] <= 2.0
    same_place = interpolate([1.0, 2.0], [[5e3, 0.0], [5e3, 0.0]], method)
    assert 1.0 <= same_place.value_m <= 2.0
    one = interpolate([[1.0], [math.nan]], [[-10e3, 0.0], [10e3, 0.0]], method)
    assert one.value_m[0] == 1.0
    assert one.status[0] == GeometryStatus.SINGLE
    assert one.outside_m[0] == pytest.approx(10e3)
    none = interpolate([math.nan, math.nan], [[-10e3, 0.0], [10e3, 0.0]], method)
    assert np.isnan([none.value_m, none.sigma_m]).all()
    assert none.status == GeometryStatus.NONE
    assert not none.weight.any()


def test_a_matrix_that_is_all_but_singular_still_gives_weights():
    place = ring(np.random.default_rng(11))
    place[1] = place[0]
    for sill_m2, range_m in ((1.0, 1e12), (1e-30, 1e12), (1e-6, 1e7), (1.0, 1.0)):
        alike = Covariance(sill_m2, range_m, 0.0, 1.5)
        got = interpolate(np.arange(9.0), place, covariance=alike)
        assert np.isfinite([got.value_m, got.sigma_m]).all()
        assert got.weight.sum() == pytest.approx(1.0, abs=1e-9)
        assert abs(got.weight).max() < 10.0


def spacing_m(place_m):
    """Mean distance of neighbours."""
    apart = distances(place_m, place_m)
    np.fill_diagonal(apart, math.inf)
    return apart.min(axis=1).mean()


def test_a_short_range_gets_the_weights_of_two_spacings_and_its_own_variance():
    rng = np.random.default_rng(14)
    short = SMOOTH._replace(range_m=30e3)
    place = ring(rng)
    near = spacing_m(place)
    longer = short._replace(range_m=2.0 * near)

    def alike(covariance):
        return 1.0 - matern(near, covariance) / covariance.sill_m2

    longer = longer._replace(sill_m2=short.sill_m2 * alike(short) / alike(longer))
    weight, _ = kriging_twin(place, longer)
    got = interpolate(np.ones(9), place, covariance=short, work=WORK)
    np.testing.assert_allclose(got.weight, weight, atol=1e-9)
    noisy = matern(distances(place, place), short) + short.nugget_m2 * np.eye(9)
    variance = short.sill_m2 + weight @ noisy @ weight
    variance -= 2.0 * weight @ matern(np.hypot(*place.T), short)
    assert got.sigma_m**2 == pytest.approx(variance, rel=1e-8)


@pytest.mark.compiled
def test_a_field_of_short_range_loses_nothing_by_longer_weights():
    rng = np.random.default_rng(15)
    rough = Covariance(0.05**2, 40e3, 0.003**2, 1.5)
    ours, best = [], []
    for _ in range(30):
        place = np.vstack([lattice(rng, 50e3, 4), rng.uniform(-50e3, 50e3, (1, 2))])
        truth = gaussian_field(rng, place, rough, 40)
        values = truth[:-1] + rng.normal(0.0, 0.003, (16, 40))
        relative = place[:-1] - place[-1]
        got = interpolate(values, relative, covariance=rough, work=WORK)
        ours.append(got.value_m - truth[-1])
        best.append(kriging_twin(relative, rough)[0] @ values - truth[-1])
    assert np.std(ours) < 1.03 * np.std(best)


def spread(field, spacing_m, method, n_network=60):
    """RMS error [mm] of a method inside jittered lattices, 3 mm of noise at each station."""
    rng = np.random.default_rng(12)
    covariance = Covariance(0.03**2, 2.5 * spacing_m, 0.003**2, 1.5)
    errors = []
    for _ in range(n_network):
        place = lattice(rng, spacing_m)
        point = rng.uniform(-0.5, 0.5, 2) * spacing_m
        truth = field(rng, np.vstack([place, point]))
        near = around(place, point, 2.2 * spacing_m)
        values = truth[near] + rng.normal(0.0, 0.003, (len(near), truth.shape[1]))
        got = interpolate(values, place[near] - point, method, covariance=covariance, work=WORK)
        errors.append(got.value_m - truth[-1])
    return 1e3 * float(np.sqrt(np.mean(np.square(errors))))


def gradient(rng, place_m):
    return (2e-6 * place_m @ direction(rng))[:, None] * np.ones(20)


def disturbance(rng, place_m):
    return waves(rng, place_m, 0.5 * M_PER_TECU, 200e3, 20)


@pytest.mark.compiled
def test_kriging_halves_the_error_of_the_nearest_base_at_50_km():
    # An independent simulation of the same set-up found 33.7 / 1.6 / 2.1 mm for the gradient and
    # 31.6 / 15.8 / 50.2 / 4.7 mm for the waves (nearest / triangle / plane / kriging).
    slope = {method: spread(gradient, 50e3, method) for method in METHODS}
    wave = {method: spread(disturbance, 50e3, method) for method in METHODS}
    assert slope["kriging"] < 3.0 < slope["nearest"] / 2.0
    assert slope["triangle"] < 3.0
    assert wave["kriging"] < 6.0 < wave["nearest"] / 2.0
    assert wave["kriging"] < wave["triangle"] / 2.0
    assert wave["plane"] > wave["nearest"], "a plane over 200 km of waves is no help"


@pytest.mark.compiled
def test_kriging_gains_nothing_where_waves_fall_between_stations():
    wave = {method: spread(disturbance, 100e3, method) for method in ("nearest", "kriging")}
    assert wave["kriging"] > 0.5 * wave["nearest"]


@pytest.mark.compiled
@pytest.mark.parametrize("covariance", [ACTIVE_IONOSPHERE, WET_DELAY])
@pytest.mark.parametrize("method", METHODS)
def test_sigma_is_honest_when_the_covariance_is_true(covariance, method):
    rng = np.random.default_rng(13)
    normalised = []
    for _ in range(20):
        place = np.vstack([lattice(rng, 50e3, 4), rng.uniform(-70e3, 70e3, (1, 2))])
        truth = gaussian_field(rng, place, covariance, 40)
        values = truth + rng.normal(0.0, math.sqrt(covariance.nugget_m2), truth.shape)
        relative = place[:-1] - place[-1]
        master = values[5]  # the datum: whichever station, with its own error
        got = interpolate(values[:-1] - master, relative, method, covariance=covariance, work=WORK)
        normalised.append((got.value_m - (truth[-1] - master)) / got.sigma_m)
    assert 0.8 < np.var(normalised) < 1.2


@pytest.mark.parametrize(
    ("values", "place", "error", "text"),
    [
        (np.ones((3, 2)), np.ones((2, 2)), DataError, "n_station, 2"),
        (np.ones((17, 2)), np.ones((17, 2)), DataError, "nearest stations"),
        (np.ones((2, 97)), np.ones((2, 2)), DataError, "96 satellites"),
        (np.ones((2, 2)), [[0.0, math.nan], [1.0, 1.0]], DataError, "finite"),
        ([math.inf, 1.0], np.ones((2, 2)), DataError, "finite"),
    ],
)
def test_unusable_arrays_are_data_errors(values, place, error, text):
    with pytest.raises(error, match=text):
        interpolate(values, place)


def test_unknown_methods_and_covariances_are_config_errors():
    place = np.ones((2, 2))
    with pytest.raises(ConfigError, match="kriging"):
        interpolate([1.0, 2.0], place, "krigging")
    for wrong in ((0.0, 1e5, 0.0, 1.5), (1.0, math.nan, 0.0, 1.5), (1.0, 1e5, 0.0, 2.5)):
        with pytest.raises(ConfigError):
            interpolate([1.0, 2.0], place, covariance=Covariance(*wrong))
