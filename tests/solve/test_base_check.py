"""Base coordinates that cannot be right are refused, doubtful ones are told."""

from __future__ import annotations

import numpy as np
import pytest

from rtkpos.core.station.earth import is_on_earth
from rtkpos.core.station.geodesy import ecef_to_geodetic, geodetic_to_ecef
from rtkpos.errors import InputError
from rtkpos.physics.coordinates import point_from_degrees
from rtkpos.processing.base_check import checked_coordinate, hint
from rtkpos.processing.base_code import code_position_of
from rtkpos.processing.epoch import take_epochs
from rtkpos.processing.run import solve
from rtkpos.records.config import BaseLink, RtkConfig
from tests.solve.runs import NAGOYA, short

pytestmark = pytest.mark.compiled

TOKYO_M = np.array([-3_957_000.0, 3_310_000.0, 3_737_000.0])


def warnings_with(place, *, force=False):
    """Warnings of a run with these base coordinates."""
    rover, base, nav, _ = short(NAGOYA, 20)
    config = RtkConfig(base=BaseLink(force=force))
    return " ".join(solve(rover, nav, base, place, config).report.warnings)


def test_true_and_slightly_wrong_coordinates_pass_silently():
    place = short(NAGOYA, 20)[3]
    assert warnings_with(place) == ""
    assert warnings_with(place + np.array([1.0, 0.0, 0.0])) == ""


def test_a_hundred_metres_are_a_warning():
    place = short(NAGOYA, 20)[3]
    text = warnings_with(place + np.array([0.0, 100.0, 0.0]))
    assert "m from the code position" in text
    assert "shifted" in text


def mirrored(place):
    """Latitude and longitude exchanged."""
    llh, out = np.empty(3), np.empty(3)
    ecef_to_geodetic(np.ascontiguousarray(place), llh)
    geodetic_to_ecef(llh[1], llh[0], llh[2], out)
    return out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: p + np.array([0.0, 2000.0, 0.0]), "2.0 km"),
        (lambda p: p[[1, 0, 2]], "axes swapped"),
        (lambda p: p * np.array([-1.0, 1.0, 1.0]), "a sign is wrong"),
        (lambda p: TOKYO_M, "km from the code position"),
    ],
)
def test_another_place_is_an_error_unless_forced(change, words):
    place = change(short(NAGOYA, 20)[3])
    with pytest.raises(InputError, match=words):
        warnings_with(place)
    assert "shifted" in warnings_with(place, force=True)


def test_latitude_and_longitude_exchanged_are_recognised():
    place = point_from_degrees(48.0, 11.0, 500.0)
    assert "latitude and longitude" in hint(mirrored(place), place)
    assert hint(place + 5000.0, place) == ""


@pytest.mark.parametrize(
    "point",
    [
        (35.1347, 136.9776, 104.85),
        (0.0, 0.0, 0.0),
        (np.nan, 0.0, 6.4e6),
        (np.inf, 0.0, 0.0),
        (1.0, 2.0),
        ("a", "b", "c"),
        (6.4e9, 0.0, 0.0),
        5.0,
    ],
)
def test_impossible_coordinates_are_an_error(point):
    with pytest.raises(InputError):
        checked_coordinate(point)


def test_degrees_are_recognised_in_the_message():
    with pytest.raises(InputError, match="latitude, longitude, height"):
        checked_coordinate(np.array([35.1347, 136.9776, 104.85]))


@pytest.mark.parametrize(
    ("height_m", "answer"), [(-400.0, True), (40_000.0, True), (-2000.0, False), (2e5, False)]
)
@pytest.mark.parametrize("lat_deg", [90.0, -90.0, 0.0, 35.0])
def test_places_between_the_dead_sea_and_a_balloon_are_on_earth(lat_deg, height_m, answer):
    assert is_on_earth(point_from_degrees(lat_deg, 180.0, height_m)) == answer


def test_code_position_of_a_base_is_within_metres():
    _, base, nav, place = short(NAGOYA, 20)
    assert np.linalg.norm(code_position_of(base, nav) - place) < 5.0
    assert code_position_of(take_epochs(base, np.zeros(0, np.int64)), nav) is None
