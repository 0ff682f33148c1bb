"""A country of reference stations that never existed, as large as a list of its size would be."""

from __future__ import annotations

import math

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos.errors import ConfigError
from rtkpos.simulate.medium.ellipsoid import place_ecef

AREA_KM2 = 9.6e6  # of China
EAST_SHARE = 0.7  # of the stations, in the eastern half of the area
_CENTRE_DEG = (35.0, 103.0)
_WIDTH_TO_HEIGHT = 1.6
_JITTER = 0.35  # of the spacing
_RADIUS_KM = 6371.0
_MAX_STATIONS = 100_000


def country_stations(n: int, seed: int = 1) -> tuple[tuple[str, ...], FloatArray]:
    """Names and coordinates (n, 3) [m] of n stations over a country of 9.6 million km2.

    70 % stand in the eastern half and 30 % in the western, on shaken lattices: 4,400 stations are
    39 km apart in the east and 60 km in the west. Fewer stations cover as many km2 each.
    """
    if not 1 <= n <= _MAX_STATIONS:
        raise ConfigError(
            f"the number of stations must lie between 1 and {_MAX_STATIONS}; got {n}."
        )
    rng = np.random.default_rng(seed)
    area_km2 = AREA_KM2 * n / 4400.0
    height_km = math.sqrt(area_km2 / _WIDTH_TO_HEIGHT)
    half_km = _WIDTH_TO_HEIGHT * height_km / 2.0
    n_east = round(EAST_SHARE * n)
    east = _shaken(n_east, half_km, height_km, rng) + np.array([0.0, -height_km / 2.0])
    west = _shaken(n - n_east, half_km, height_km, rng) - np.array([half_km, height_km / 2.0])
    names = tuple(f"{'E' if k < n_east else 'W'}{k + 1:05d}" for k in range(n))
    return names, _placed(np.concatenate([east, west]), rng)


def _shaken(n: int, width_km: float, height_km: float, rng: np.random.Generator) -> FloatArray:
    """n points (n, 2) [km] of a shaken lattice over a rectangle from its south-western corner."""
    if n == 0:
        return np.empty((0, 2))
    n_row = max(1, round(math.sqrt(n * height_km / width_km)))
    n_column = -(-n // n_row)
    row, column = np.divmod(np.arange(n_row * n_column), n_column)
    kept = np.sort(rng.choice(len(row), n, replace=False))
    grid = np.stack([column[kept], row[kept]], axis=1) + 0.5
    grid = grid + rng.uniform(-_JITTER, _JITTER, (n, 2))
    place: FloatArray = grid * np.array([width_km / n_column, height_km / n_row])
    return place


def _placed(east_north_km: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Earth-fixed places (n, 3) [m] of map coordinates: sinusoidal, so that areas stay.

    Source: Snyder (1987), Map projections - a working manual, p. 247.
    """
    lat = math.radians(_CENTRE_DEG[0]) + east_north_km[:, 1] / _RADIUS_KM
    lon = math.radians(_CENTRE_DEG[1]) + east_north_km[:, 0] / (_RADIUS_KM * np.cos(lat))
    height_m = rng.uniform(0.0, 1500.0, len(lat))
    return place_ecef(np.stack([lat, lon, height_m], axis=1))
