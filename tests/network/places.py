"""Networks for the tests: stations by local east and north, or by latitude and longitude."""

from __future__ import annotations

import numpy as np

from rtkpos.network.graph.graph import build_graph
from rtkpos.simulate.medium.ellipsoid import from_local, place_ecef

LUOYANG = np.array([np.radians(34.6), np.radians(112.4), 0.0])


def local(points_km, origin=LUOYANG):
    """ECEF (n, 3) [m] of points given as east, north [km] around a place."""
    points = np.asarray(points_km, float)
    heights = np.zeros(len(points))
    return from_local(np.column_stack([points * 1e3, heights]), origin)


def geographic(lat_lon_deg):
    """ECEF (n, 3) [m] of latitudes and longitudes in degrees."""
    points = np.radians(np.asarray(lat_lon_deg, float))
    return place_ecef(np.column_stack([points, np.zeros(len(points))]))


def named(n):
    return [f"S{k:04d}" for k in range(n)]


def network(points_km, **more):
    return build_graph(named(len(points_km)), local(points_km), **more)


def scattered(n, seed, extent_km=400.0):
    """Stations at random, none nearer to another than half the mean spacing: (n, 2) [km]."""
    rng = np.random.default_rng(seed)
    least_km, points = 0.5 * extent_km / np.sqrt(n), np.empty((0, 2))
    while len(points) < n:
        point = rng.uniform(-extent_km / 2, extent_km / 2, 2)
        if not len(points) or np.hypot(*(points - point).T).min() > least_km:
            points = np.vstack([points, point])
    return points


def lattice(n_side, spacing_km, seed):
    """Stations of a square lattice, each moved by up to 0.4 of the spacing: (n_side^2, 2) [km]."""
    axis = spacing_km * (np.arange(n_side) - (n_side - 1) / 2)
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    return points + np.random.default_rng(seed).uniform(-0.4, 0.4, points.shape) * spacing_km


def edge_names(graph):
    """Baselines as pairs of names."""
    return {frozenset(graph.names[k] for k in edge) for edge in graph.edges}


def triangle_names(graph):
    """Triangles as triples of names in their order."""
    return [tuple(graph.names[k] for k in corner) for corner in graph.triangles]
