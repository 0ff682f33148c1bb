"""Phase-centre correction against its naive twin and its signs."""

from __future__ import annotations

import math

import numpy as np

from rtkpos.core.station.phase_centre import GRID_STEP_DEG, N_AZIMUTH, N_ZENITH, phase_centre

NO_PCV = np.zeros((N_AZIMUTH, N_ZENITH))


def rough_pcv(seed=5):
    """A pattern that closes at north."""
    pcv = np.random.default_rng(seed).normal(0.0, 0.01, (N_AZIMUTH, N_ZENITH))
    pcv[-1] = pcv[0]
    return pcv


def direction(elevation, azimuth):
    """Unit vector east, north, up."""
    level = math.cos(elevation)
    return np.array([level * math.sin(azimuth), level * math.cos(azimuth), math.sin(elevation)])


def centre(pco, pcv, elevation, azimuth):
    """The kernel with the direction given both ways."""
    return phase_centre(pco, pcv, elevation, azimuth, direction(elevation, azimuth))


def naive(pco, pcv, elevation, azimuth):
    """Interpolation by numpy, first in zenith angle, then in azimuth."""
    zenith = np.arange(N_ZENITH) * GRID_STEP_DEG
    rows = [np.interp(90.0 - math.degrees(elevation), zenith, row) for row in pcv]
    variation = np.interp(math.degrees(azimuth), np.arange(N_AZIMUTH) * GRID_STEP_DEG, rows)
    return variation - np.dot(pco, direction(elevation, azimuth))


def test_kernel_is_its_naive_twin():
    rng = np.random.default_rng(1)
    pcv, pco = rough_pcv(), np.array([0.01, -0.02, 0.16])
    for elevation, azimuth in zip(
        rng.uniform(-0.2, math.pi / 2, 200), rng.uniform(0.0, 2.0 * math.pi, 200), strict=True
    ):
        found = centre(pco, pcv, elevation, azimuth)
        assert abs(found - naive(pco, pcv, elevation, azimuth)) < 1e-14


def test_an_offset_towards_the_satellite_shortens_the_distance():
    up, north, east = np.eye(3)[2], np.eye(3)[1], np.eye(3)[0]
    assert centre(up, NO_PCV, math.pi / 2, 0.0) == -1.0
    assert abs(centre(north, NO_PCV, 0.0, 0.0) + 1.0) < 1e-15
    assert abs(centre(east, NO_PCV, 0.0, math.pi / 2) + 1.0) < 1e-15


def test_ends_of_the_grid_are_met_and_below_the_horizon_it_is_constant():
    pcv, none = rough_pcv(), np.zeros(3)
    assert centre(none, pcv, math.pi / 2, 0.0) == pcv[0, 0]
    assert abs(centre(none, pcv, 0.0, 2.0 * math.pi) - pcv[0, -1]) < 1e-15
    assert centre(none, pcv, -0.1, 0.0) == pcv[0, -1]
