"""Variograms from stations' differences: known covariances recovered, presets where pairs lack."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rtkpos.errors import ConfigError
from rtkpos.network.interpolation.field_covariance import (
    ACTIVE_IONOSPHERE,
    QUIET_IONOSPHERE,
    Covariance,
)
from rtkpos.network.interpolation.interpolate import interpolate
from rtkpos.network.interpolation.variogram import (
    BIN_WIDTH_M,
    LIMITS,
    add_differences,
    empirical_variogram,
    fit_variogram,
    forgetting,
    variogram_sums,
)
from tests.network.fields import direction, distances, gaussian_field, lattice, matern, waves

DISTANCES_M = np.array([30e3, 60e3, 100e3])


def collected(rng, place, truth, n_epoch=30, spoil=None):
    """Sums of independent epochs of a Gaussian field, 45 satellites at 1 to 3 times the zenith."""
    sums = variogram_sums()
    for _ in range(n_epoch):
        slant = rng.uniform(1.0, 3.0, 45)
        zenith = gaussian_field(rng, place, truth, 45)
        zenith += rng.normal(0.0, math.sqrt(truth.nugget_m2), zenith.shape)
        values = zenith * slant + rng.normal(0.0, 10.0, 45)  # a datum per satellite, of any size
        if spoil is not None:
            spoil(values)
        add_differences(values, slant, place, forgetting(30.0), sums)
    return sums


def half_variance(covariance):
    return covariance.nugget_m2 + covariance.sill_m2 - matern(DISTANCES_M, covariance)


@pytest.mark.compiled
@pytest.mark.parametrize(
    "truth",
    [
        Covariance(0.050**2, 100e3, 0.003**2, 1.5),
        Covariance(0.200**2, 120e3, 0.003**2, 1.5),
        Covariance(0.050**2, 60e3, 0.003**2, 1.5),
        Covariance(0.020**2, 150e3, 0.002**2, 0.5),
    ],
)
def test_known_covariances_are_recovered(truth):
    rng = np.random.default_rng(1)
    sums = collected(rng, lattice(rng, 50e3, 4), truth)
    fitted = fit_variogram(sums, truth.nugget_m2, truth.smoothness)
    assert fitted.sill_m2 == pytest.approx(truth.sill_m2, rel=0.2)
    assert fitted.range_m == pytest.approx(truth.range_m, rel=0.25)
    np.testing.assert_allclose(half_variance(fitted), half_variance(truth), rtol=0.15)


def test_bins_hold_what_numpy_finds():
    rng = np.random.default_rng(2)
    place, values = lattice(rng, 40e3, 4), rng.normal(size=(16, 9))
    values[3, 4] = values[9, 0] = math.nan
    slant, sums = rng.uniform(1.0, 3.0, 9), variogram_sums()
    n_added = add_differences(values, slant, place, 0.5, sums)
    pairs = np.triu_indices(16, 1)
    difference = np.abs(values[pairs[0]] - values[pairs[1]]) / slant
    distance = distances(place, place)[pairs]
    assert n_added == np.isfinite(difference).sum() == sums.n_pair.sum()
    for b in range(3, 10):
        inside = (distance // BIN_WIDTH_M == b)[:, None] & np.isfinite(difference)
        assert sums.n_pair[b] == inside.sum()
        assert sums.root[b] == pytest.approx(np.sqrt(difference[inside]).sum(), rel=1e-12)
    before = sums.n_pair.copy()
    add_differences(np.full((16, 9), math.nan), slant, place, 0.5, sums)
    np.testing.assert_allclose(sums.n_pair, before / 2.0)


@pytest.mark.compiled
def test_estimator_is_unbiased_for_normal_differences():
    rng = np.random.default_rng(3)
    sums = variogram_sums()
    add_differences(
        rng.normal(0.0, 0.02, (2, 40000)), np.ones(40000), np.diag([3e3, 0.0]), 1.0, sums
    )
    (half,) = empirical_variogram(sums).half_variance_m2
    assert half == pytest.approx(0.02**2, rel=0.03)


@pytest.mark.compiled
def test_a_few_wrong_values_do_not_set_the_variogram():
    rng = np.random.default_rng(4)
    truth, place = QUIET_IONOSPHERE, lattice(rng, 50e3, 4)

    def slip(values):
        values[5, :2] += 2.0  # two satellites of one station, some cycles off

    fitted = fit_variogram(collected(rng, place, truth, spoil=slip), truth.nugget_m2)
    assert 1.0 < half_variance(fitted)[1] / half_variance(truth)[1] < 1.3


@pytest.mark.compiled
def test_a_gradient_ends_at_the_bounds_and_is_still_reproduced():
    rng = np.random.default_rng(5)
    place, sums = lattice(rng, 50e3, 4), variogram_sums()
    for _ in range(30):
        slope = 4e-6 * direction(rng)
        values = place @ slope + rng.normal(0.0, 0.003, 16)
        add_differences(values[:, None] * np.ones(45), np.ones(45), place, 1.0, sums)
    fitted = fit_variogram(sums, 0.003**2)
    assert fitted.range_m == pytest.approx(LIMITS.range_max_m)
    at_point = interpolate(place @ slope, place, covariance=fitted)
    assert abs(at_point.value_m) < 0.002, "gradient of 200 mm between stations"


@pytest.mark.compiled
def test_waves_that_decorrelate_between_stations_are_still_interpolated():
    # The variogram of waves of 200 km ends within 80 km: a short range, though the field is smooth.
    rng = np.random.default_rng(7)
    nearest, kriging = [], []
    for _ in range(20):
        place, sums = lattice(rng, 70e3, 4), variogram_sums()
        point = np.vstack([place, rng.uniform(-35e3, 35e3, (1, 2))])
        field = waves(rng, point, 0.08, 200e3, 620)
        noisy = field[:-1] + rng.normal(0.0, 0.003, (16, 620))
        for epoch in np.split(noisy[:, 20:], 30, axis=1):
            add_differences(np.ascontiguousarray(epoch), np.ones(20), place, 1.0, sums)
        covariance = fit_variogram(sums, 0.003**2)
        assert covariance.range_m < 70e3
        for method, errors in (("nearest", nearest), ("kriging", kriging)):
            got = interpolate(noisy[:, :20], place - point[-1], method, covariance=covariance)
            errors.append(got.value_m - field[-1, :20])
    assert np.std(kriging) < 0.4 * np.std(nearest)


@pytest.mark.parametrize("preset", [QUIET_IONOSPHERE, ACTIVE_IONOSPHERE])
def test_few_pairs_choose_the_preset_of_their_size(preset):
    rng = np.random.default_rng(6)
    place = np.array([[0.0, 0.0], [40e3, 0.0]])
    sums = collected(rng, place, preset, n_epoch=5)
    assert fit_variogram(sums, 0.004**2) == preset._replace(nugget_m2=0.004**2)


def test_without_differences_the_active_preset_stands():
    assert fit_variogram(variogram_sums(), 0.003**2) == ACTIVE_IONOSPHERE


def test_a_window_must_be_positive():
    assert forgetting(0.0) == 1.0
    with pytest.raises(ConfigError, match="window_s"):
        forgetting(1.0, 0.0)
