"""Doppler velocity: truth recovered, outliers excluded, failures said."""

from __future__ import annotations

import numpy as np
import pytest

from rtkpos._arrays import record_of
from rtkpos.estimate.point.velocity import (
    VELOCITY_FEW,
    VELOCITY_OK,
    doppler_velocity,
    satellite_range_rate,
    velocity_work,
)
from rtkpos.estimate.robust import RobustSettings
from tests.estimate.sky import EARTH_RATE, LIGHT, sky, turned

FREQUENCY_HZ = 1561.098e6
DRIFT_MPS = 123.4
VELOCITY_MPS = np.array([15.0, -7.0, 3.0])


def exact_range(satellite, velocity, receiver, time_s):
    """Range at a reception time by iterating the light time, rotation done exactly."""
    tau = 0.08
    for _ in range(20):
        place = satellite + velocity * (time_s - tau)
        tau = np.linalg.norm(turned(place, -EARTH_RATE * tau) - receiver) / LIGHT
    return tau * LIGHT


def moving_sky(n, rng):
    """States (n, 8) at transmission and Dopplers (n,) of a receiver moving at VELOCITY_MPS."""
    receiver, satellites, _, _ = sky("middle", n, 1, rng)
    states, doppler = np.zeros((n, 8)), np.zeros(n)
    for i in range(n):
        speed = rng.normal(0.0, 1800.0, 3)
        tau = np.linalg.norm(satellites[i] - receiver) / LIGHT
        rates = [
            exact_range(satellites[i] + speed * tau, speed, receiver + VELOCITY_MPS * t, t)
            for t in (-0.5, 0.5)
        ]
        place_tau = exact_range(satellites[i] + speed * tau, speed, receiver, 0.0) / LIGHT
        states[i, :3] = satellites[i] + speed * (tau - place_tau)
        states[i, 3:6] = speed
        states[i, 7] = rng.normal(0.0, 1e-11)
        rate = rates[1] - rates[0] + DRIFT_MPS - LIGHT * states[i, 7]
        doppler[i] = -rate * FREQUENCY_HZ / LIGHT
    return receiver, states, doppler


def solve(receiver, states, doppler, sigma=0.05):
    n = len(doppler)
    work, velocity, cov = record_of(velocity_work()), np.zeros(4), np.zeros((3, 3))
    status = doppler_velocity(
        states, receiver, doppler, np.full(n, FREQUENCY_HZ), np.full(n, sigma**2), n,
        RobustSettings(), work, velocity, cov,
    )  # fmt: skip
    return status, velocity, cov, work.used[:n] > 0


def test_velocity_and_drift_of_a_moving_receiver_are_found():
    status, velocity, _, used = solve(*moving_sky(12, np.random.default_rng(1)))
    assert status == VELOCITY_OK
    assert np.abs(velocity[:3] - VELOCITY_MPS).max() < 1e-3
    assert abs(velocity[3] - DRIFT_MPS) < 1e-3
    assert used.all()


def test_range_rate_is_the_derivative_of_the_range():
    receiver, states, _ = moving_sky(6, np.random.default_rng(2))
    los = np.zeros(3)
    for state in states:
        tau = 0.08
        for _ in range(20):
            tau = np.linalg.norm(turned(state[:3], -EARTH_RATE * tau) - receiver) / LIGHT
        start = state[:3] + state[3:6] * tau
        numeric = exact_range(start, state[3:6], receiver, 0.5)
        numeric -= exact_range(start, state[3:6], receiver, -0.5)
        assert abs(satellite_range_rate(state, receiver, los) - numeric) < 2e-4


@pytest.mark.parametrize("n_outlier", [1, 2, 3])
def test_wrong_dopplers_are_excluded(n_outlier):
    rng = np.random.default_rng(10 + n_outlier)
    for _ in range(10):
        receiver, states, doppler = moving_sky(14, rng)
        doppler += rng.normal(0.0, 0.2, 14)
        bad = rng.choice(14, n_outlier, replace=False)
        doppler[bad] += rng.choice([-1.0, 1.0], n_outlier) * rng.uniform(10.0, 500.0, n_outlier)
        status, velocity, cov, used = solve(receiver, states, doppler)
        assert status == VELOCITY_OK
        error = np.linalg.norm(velocity[:3] - VELOCITY_MPS)
        assert error < 4.0 * np.sqrt(np.trace(cov))
        assert not used[bad].any()


def test_positive_doppler_means_approaching():
    receiver, states, doppler = moving_sky(8, np.random.default_rng(3))
    _, velocity, _, _ = solve(receiver, states, doppler + 100.0)
    assert velocity[3] == pytest.approx(DRIFT_MPS - 100.0 * LIGHT / FREQUENCY_HZ, abs=1e-3)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_fewer_than_four_dopplers_give_nothing(n):
    receiver, states, doppler = moving_sky(5, np.random.default_rng(4))
    doppler[n:] = np.nan
    status, velocity, cov, used = solve(receiver, states, doppler)
    assert status == VELOCITY_FEW
    assert np.isnan(velocity).all()
    assert np.isnan(cov).all()
    assert not used.any()


def test_unknown_position_gives_nothing():
    _, states, doppler = moving_sky(8, np.random.default_rng(5))
    status, velocity, _, _ = solve(np.full(3, np.nan), states, doppler)
    assert status == VELOCITY_FEW
    assert np.isnan(velocity).all()
