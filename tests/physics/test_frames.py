"""Degrees for people and frames of PROJ."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rtkpos.errors import ConfigError, DataError
from rtkpos.physics.coordinates import degrees_from_ecef, point_from_degrees, to_frame

TSUKUBA = np.array([-3957199.0, 3310205.0, 3737911.0])


def test_degrees_there_and_back():
    for place in ((36.1, 140.1, 70.0), (-89.99, -179.99, -400.0), (0.0, 180.0, 40_000.0)):
        back = degrees_from_ecef(point_from_degrees(*place))
        np.testing.assert_allclose(back, place, atol=1e-6)


def test_many_points_keep_their_shape_and_nan_stays_nan():
    points = np.array([TSUKUBA, [math.nan] * 3, [0.0, 0.0, 0.0]])
    out = degrees_from_ecef(points)
    assert out.shape == (3, 3)
    assert 36.0 < out[0, 0] < 36.2
    assert np.isnan(out[1:]).all()


@pytest.mark.parametrize("place", [(91.0, 0.0, 0.0), (math.nan, 0.0, 0.0), (0.0, math.inf, 0.0)])
def test_impossible_places_are_errors(place):
    with pytest.raises(DataError, match="latitude"):
        point_from_degrees(*place)


def test_wrong_shape_is_an_error():
    with pytest.raises(DataError, match=r"\(2,\)"):
        degrees_from_ecef([1.0, 2.0])


def test_itrf2014_to_itrf2020_is_millimetres():
    # IERS, ITRF2020 to ITRF2014: translations of 1 to 2 mm, scale 0.4 ppb at 2015.0.
    moved = to_frame(TSUKUBA, "EPSG:7789", "EPSG:9988", 2015.0)
    shift = np.linalg.norm(moved - TSUKUBA)
    assert 1e-4 < shift < 6e-3
    back = to_frame(moved, "EPSG:9988", "EPSG:7789", 2015.0)
    np.testing.assert_allclose(back, TSUKUBA, atol=1e-6)


def test_itrf_to_etrs_moves_with_the_plate():
    point = np.array([4027893.0, 307045.0, 4919475.0])  # Onsala class, northern Europe
    first = to_frame(point, "EPSG:7789", "EPSG:8401", 2010.0)
    second = to_frame(point, "EPSG:7789", "EPSG:8401", 2020.0)
    assert 0.15 < np.linalg.norm(second - first) < 0.35  # 2.5 cm a year


def test_frame_of_itself_and_nan():
    points = np.array([TSUKUBA, [math.nan] * 3])
    moved = to_frame(points, "EPSG:7789", "EPSG:7789", 2020.0)
    np.testing.assert_allclose(moved[0], TSUKUBA, atol=1e-9)
    assert np.isnan(moved[1]).all()


@pytest.mark.parametrize(
    ("source", "target", "text"),
    [
        ("EPSG:999999", "EPSG:7789", "no reference frame"),
        ("EPSG:7789", "nonsense", "no reference frame"),
        ("EPSG:4326", "EPSG:7789", "no geocentric"),
    ],
)
def test_unusable_frames_are_config_errors(source, target, text):
    with pytest.raises(ConfigError, match=text):
        to_frame(TSUKUBA, source, target)
