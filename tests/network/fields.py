"""Networks and atmospheres of the tests: jittered lattices, gradients, waves, Gaussian fields."""

from __future__ import annotations

import numpy as np

M_PER_TECU = 0.16237  # 40.3e16 / f1^2 at 1575.42 MHz


def lattice(rng, spacing_m, n_side=9):
    """Stations (n_side^2, 2) [m] on a square lattice, each moved by up to a quarter spacing."""
    line = (np.arange(n_side) - (n_side - 1) / 2) * spacing_m
    grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    return grid + rng.uniform(-0.25, 0.25, grid.shape) * spacing_m


def around(east_north_m, point_m, radius_m, n_max=16):
    """Indices of the up to n_max nearest stations within the radius."""
    distance = np.hypot(*(east_north_m - point_m).T)
    near = np.argsort(distance)[:n_max]
    return near[distance[near] < radius_m]


def direction(rng):
    angle = rng.uniform(0.0, 2.0 * np.pi)
    return np.array([np.cos(angle), np.sin(angle)])


def waves(rng, place_m, amplitude_m, length_m, n_phase):
    """A plane wave at places (n, 2) for random phases: (n, n_phase) [m]."""
    along = place_m @ direction(rng)
    phase = rng.uniform(0.0, 2.0 * np.pi, n_phase)
    return amplitude_m * np.sin(2.0 * np.pi * along[:, None] / length_m + phase)


def matern(distance_m, covariance):
    """Covariance of the field at distances, written for arrays."""
    if covariance.smoothness == 0.5:
        return covariance.sill_m2 * np.exp(-distance_m / covariance.range_m)
    scaled = np.sqrt(3.0) * distance_m / covariance.range_m
    return covariance.sill_m2 * (1.0 + scaled) * np.exp(-scaled)


def distances(a_m, b_m):
    return np.linalg.norm(a_m[:, None] - b_m[None, :], axis=-1)


def gaussian_field(rng, place_m, covariance, n_draw):
    """Draws (n, n_draw) of a Gaussian field of the covariance, without noise."""
    matrix = matern(distances(place_m, place_m), covariance)
    factor = np.linalg.cholesky(matrix + 1e-10 * covariance.sill_m2 * np.eye(len(place_m)))
    return factor @ rng.normal(size=(len(place_m), n_draw))
