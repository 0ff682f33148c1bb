"""Frames with epochs: the recipe for CGCS2000, plate motion, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rtkpos.errors import ConfigError, DataError
from rtkpos.physics.coordinates import point_from_degrees, to_frame
from rtkpos.physics.plates import PLATES, plate_velocity
from rtkpos.physics.reference_frames import FRAMES, Frame, common_frame, convert_frame

LAT, LON = 39.9, 116.4
BEIJING = point_from_degrees(LAT, LON, 50.0)
TODAY = Frame("ITRF2020", 2024.5)
HALF_MM = 0.5e-3


def enu_mm(shift_m):
    """East, north, up [mm] at Beijing."""
    lat, lon = math.radians(LAT), math.radians(LON)
    east = [-math.sin(lon), math.cos(lon), 0.0]
    north = [-math.sin(lat) * math.cos(lon), -math.sin(lat) * math.sin(lon), math.cos(lat)]
    return 1e3 * np.array([east, north, np.cross(east, north)]) @ shift_m


def test_itrf2020_to_itrf97_at_beijing():
    # Pinned by the EPSG route of PROJ 9.5.1, whose file "ITRF2014" would be 2 cm off.
    shift = convert_frame(BEIJING, Frame("ITRF2020", 2000.0), Frame("ITRF97", 2000.0)) - BEIJING
    np.testing.assert_allclose(enu_mm(shift), [-5.3, -25.6, -4.5], atol=0.1)
    later = convert_frame(BEIJING, Frame("ITRF2020", 2026.9), Frame("ITRF97", 2026.9)) - BEIJING
    np.testing.assert_allclose(enu_mm(later), [12.2, -79.6, -49.4], atol=0.1)


@pytest.mark.parametrize("plate", sorted(PLATES))
def test_plate_motion_is_that_of_projs_model(plate):
    import pyproj

    # PROJ ships the model's rotations and origin rate as its own rows in the file "ITRF2020".
    try:
        pipeline = pyproj.Transformer.from_pipeline(f"+init=ITRF2020:{plate}_T +t_epoch=2000")
    except pyproj.exceptions.ProjError:
        pytest.skip("this PROJ has no plates")
    moved = np.array(pipeline.transform(*BEIJING, 2024.5)[:3])
    ours = BEIJING + 24.5 * plate_velocity(BEIJING, plate)
    np.testing.assert_allclose(ours, moved, atol=1e-6)


def test_beijing_moves_two_thirds_of_a_metre_in_24_years():
    back = convert_frame(BEIJING, TODAY, Frame("ITRF2020", 2000.0), plate="EURA")
    np.testing.assert_allclose(enu_mm(BEIJING - back), [633.0, -221.0, 14.0], atol=1.0)


def test_cgcs2000_is_the_ground_of_2000_in_itrf97():
    by_hand = BEIJING - 24.5 * plate_velocity(BEIJING, "EURA")
    by_hand = to_frame(by_hand, "EPSG:9988", "EPSG:4918", 2000.0)
    ours = convert_frame(BEIJING, TODAY, Frame("CGCS2000"), plate="EURA")
    np.testing.assert_allclose(ours, by_hand, atol=1e-4)
    np.testing.assert_allclose(
        enu_mm(ours - BEIJING), [-633.0 - 5.3, 221.0 - 25.6, -14.0 - 4.5], atol=1.0
    )
    wrong_order = to_frame(BEIJING, "EPSG:9988", "EPSG:4918", 2024.5)
    wrong_order = wrong_order - 24.5 * plate_velocity(BEIJING, "EURA")
    assert np.linalg.norm(wrong_order - ours) > 0.05, "the order of the steps matters"
    back = convert_frame(ours, Frame("CGCS2000"), TODAY, plate="EURA")
    np.testing.assert_allclose(back, BEIJING, atol=HALF_MM)


def test_a_given_velocity_is_used_as_it_is():
    velocity = plate_velocity(BEIJING, "AMUR")
    by_plate = convert_frame(BEIJING, TODAY, Frame("CGCS2000"), plate="AMUR")
    by_hand = convert_frame(BEIJING, TODAY, Frame("CGCS2000"), velocity_mpy=velocity)
    np.testing.assert_allclose(by_hand, by_plate, atol=1e-4)


@pytest.mark.parametrize("name", sorted(FRAMES))
def test_every_frame_is_reached_and_left(name):
    import pyproj

    try:
        pyproj.CRS.from_user_input(FRAMES[name])
    except pyproj.exceptions.CRSError:
        pytest.skip(f"this PROJ does not know {name} yet")
    frame = Frame(name, 2000.0)
    points = np.array([BEIJING, [math.nan] * 3])
    there = convert_frame(points, TODAY, frame, plate="EURA")
    back = convert_frame(there, frame, TODAY, plate="EURA")
    np.testing.assert_allclose(back[0], BEIJING, atol=HALF_MM)
    assert np.isnan(there[1]).all()
    assert np.linalg.norm(there[0] - BEIJING) < 1.5


def test_plate_fixed_frames_move_with_the_plate():
    onsala = np.array([3370658.0, 711877.0, 5349787.0])
    early = convert_frame(
        onsala, Frame("ETRF2014", 2010.0), Frame("ETRF2014", 2020.0), plate="EURA"
    )
    assert np.linalg.norm(early - onsala) < 0.02  # 0.2 m in ITRF


@pytest.mark.parametrize(
    ("name", "epoch", "text"),
    [
        ("WGS84", 2020.0, "realisations"),
        ("JGD2011", 2020.0, "one of ITRF97"),
        ("ITRF2020", 20.5, "decimal year"),
        ("ITRF2020", math.nan, "decimal year"),
        ("CGCS2000", 2020.0, "epoch 2000.0"),
    ],
)
def test_frames_without_meaning_are_refused(name, epoch, text):
    with pytest.raises(ConfigError, match=text):
        Frame(name, epoch)


def test_what_is_not_known_is_asked_for():
    with pytest.raises(ConfigError, match="epochs of the coordinates"):
        convert_frame(BEIJING, Frame("ITRF2014"), TODAY)
    for both in ({}, {"plate": "EURA", "velocity_mpy": np.zeros(3)}):
        with pytest.raises(ConfigError, match="either the plate"):
            convert_frame(BEIJING, TODAY, Frame("CGCS2000"), **both)
    with pytest.raises(ConfigError, match="EURA"):
        convert_frame(BEIJING, TODAY, Frame("CGCS2000"), plate="Eurasia")
    with pytest.raises(DataError, match=r"\(2,\)"):
        convert_frame(BEIJING, TODAY, Frame("CGCS2000"), velocity_mpy=[0.0, 0.0])


def test_the_same_frame_leaves_coordinates_alone():
    unknown = Frame("ITRF2014")
    np.testing.assert_array_equal(convert_frame(BEIJING, unknown, unknown), BEIJING)
    near = convert_frame(BEIJING, TODAY, Frame("ITRF2020", 2024.51))
    np.testing.assert_array_equal(near, BEIJING)


def test_stations_of_a_network_share_a_frame():
    assert common_frame({"A": TODAY, "B": Frame("ITRF2020", 2024.505)}) == TODAY
    with pytest.raises(ConfigError, match=r"station A .* ITRF2020 at 2024.50, station C .* 2010"):
        common_frame({"A": TODAY, "B": TODAY, "C": Frame("ITRF2020", 2010.0)})
    with pytest.raises(ConfigError, match="CGCS2000"):
        common_frame({"A": TODAY, "B": Frame("CGCS2000")})
    with pytest.raises(ConfigError, match="unknown epoch"):
        common_frame({"A": TODAY, "B": Frame("ITRF2020")})
    with pytest.raises(DataError):
        common_frame({})
