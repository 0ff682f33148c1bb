"""Leave-one-out residuals, and sigmas that are true also when the covariance is not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rtkpos.network.corrections.uncertainty import (
    add_residuals,
    loo_sums,
    point_riu_m,
    sigma_factor,
    station_riu_m,
)
from rtkpos.network.interpolation.field_covariance import Covariance
from rtkpos.network.interpolation.interpolate import METHODS, interpolate, leave_one_out
from rtkpos.network.interpolation.station_geometry import around_work
from rtkpos.network.interpolation.variogram import forgetting
from tests.network.fields import gaussian_field, lattice

WORK = around_work()
MODEL = Covariance(0.05**2, 120e3, 0.003**2, 1.5)
SLANT = np.linspace(1.0, 2.5, 30)


def left_out(values, place, method="kriging", model=MODEL, slant=SLANT):
    residual, sigma = np.empty(values.shape), np.empty(values.shape)
    leave_one_out(METHODS[method], place, values, slant, model, WORK, residual, sigma)
    return residual, sigma


@pytest.mark.parametrize("method", METHODS)
def test_residuals_are_those_of_interpolation_without_the_station(method):
    rng = np.random.default_rng(1)
    place, values = lattice(rng, 50e3, 3), rng.normal(size=(9, 30))
    values[rng.uniform(size=values.shape) < 0.2] = math.nan
    values[:, 7], values[3, 7] = math.nan, 1.0  # one station alone: nobody to compare with
    residual, sigma = left_out(values, place, method)
    for k in range(9):
        others = np.delete(np.arange(9), k)
        got = interpolate(
            values[others], place[others] - place[k], method, covariance=MODEL, slant_factor=SLANT
        )
        np.testing.assert_allclose(residual[k], values[k] - got.value_m, atol=1e-11)
        there = np.isfinite(residual[k])
        wanted = np.sqrt(got.sigma_m**2 + SLANT**2 * MODEL.nugget_m2)
        np.testing.assert_allclose(sigma[k, there], wanted[there], rtol=1e-9)
    assert np.isnan(residual[:, 7]).all()


def normalised_errors(rng, truth_scale, n_network=12):
    """Errors over sigma (n, n_sat), with the factor and without, and the factors.

    truth_scale : (n_sat,) by which each satellite's field exceeds the model's
    """
    plain, scaled, factors = [], [], []
    for _ in range(n_network):
        place = np.vstack([lattice(rng, 50e3, 4), rng.uniform(-60e3, 60e3, (1, 2))])
        sums, factor = loo_sums(), np.empty(30)
        for _ in range(4):  # as many independent skies as 5 minutes may hold
            truth = gaussian_field(rng, place, MODEL, 30) * truth_scale * SLANT
            values = truth[:-1] + rng.normal(0.0, 0.003, (16, 30)) * SLANT
            add_residuals(*left_out(values, place[:-1]), forgetting(60.0, 300.0), sums)
            got = interpolate(values, place[:-1] - place[-1], covariance=MODEL, slant_factor=SLANT)
            sigma_factor(sums, factor)
            plain.append((got.value_m - truth[-1]) / got.sigma_m)
            scaled.append(plain[-1] / factor)
            factors.append(factor.copy())
    return np.array(plain), np.array(scaled), np.array(factors)


@pytest.mark.compiled
def test_factor_is_one_where_the_covariance_is_true():
    _, scaled, factors = normalised_errors(np.random.default_rng(2), np.ones(30))
    assert 0.8 < np.var(scaled) < 1.2
    assert abs(factors.mean() - 1.0) < 0.05


@pytest.mark.compiled
def test_sigmas_become_true_where_the_field_is_three_times_the_model():
    plain, scaled, _ = normalised_errors(np.random.default_rng(3), np.full(30, 3.0))
    assert np.var(plain) > 4.0
    assert 0.8 < np.var(scaled) < 1.2


@pytest.mark.compiled
def test_one_disturbed_satellite_is_told_from_the_others():
    scale = np.ones(30)
    scale[11] = 4.0
    _, _, factors = normalised_errors(np.random.default_rng(4), scale)
    assert np.median(factors[:, 11]) > 2.0
    assert np.median(np.delete(factors, 11, axis=1)) < 1.2


def test_factor_is_one_before_anything_is_known():
    factor = np.empty(3)
    sigma_factor(loo_sums(), factor)
    assert factor.tolist() == [1.0, 1.0, 1.0]


def test_riu_is_the_faded_rms_of_a_station():
    sums = loo_sums()
    assert np.isnan(station_riu_m(sums, 2)).all()
    assert math.isnan(point_riu_m(sums, np.array([0.5, 0.5])))
    first = np.array([[0.01, -0.01], [0.04, math.nan]])
    second = np.array([[0.03, 0.03], [math.nan, math.nan]])
    add_residuals(first, np.full((2, 2), 0.01), 1.0, sums)
    add_residuals(second, np.full((2, 2), 0.01), 0.5, sums)
    wanted = [math.sqrt((1e-4 + 2 * 9e-4) / 3.0), 0.04]
    np.testing.assert_allclose(station_riu_m(sums, 2), wanted)
    at_point = math.sqrt(0.25 * wanted[0] ** 2 + 0.75 * wanted[1] ** 2)
    assert point_riu_m(sums, np.array([-0.25, 0.75])) == pytest.approx(at_point)
