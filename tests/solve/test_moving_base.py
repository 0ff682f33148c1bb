"""A base that moves, and an antenna that stands still before it drives."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pytest

from rtkpos.io.solutions.pos import format_pos
from rtkpos.live.engine import RtkEngine
from rtkpos.processing.run import solve
from rtkpos.records.config import RtkConfig
from rtkpos.records.status import FixStatus, Reason
from tests.recordings import moving, recording
from tests.solve.runs import NAGOYA, assert_same, feed, short, thinned

pytestmark = pytest.mark.compiled

MM = 1e-3
DRIVE_MPS = np.array([0.3, -0.5, 0.4])


@functools.cache
def true_vector():
    """(3,) from base to rover [m]."""
    truth = recording(NAGOYA)[3]
    return np.array(truth["rover_xyz"]) - np.array(truth["base_xyz"])


@functools.cache
def driving(n=40):
    """Rover and base on one vehicle: both move alike from where they stood."""
    rover, base, nav, place = short(NAGOYA, n)
    rover_place = place + true_vector()
    start = np.zeros(3)
    return (
        moving(rover, nav, start, DRIVE_MPS, rover_place),
        moving(base, nav, start, DRIVE_MPS, place),
        nav,
        place,
    )


def vector_error(solution):
    """Distance of each baseline from the true vector [m]."""
    return np.linalg.norm(solution.baseline_ecef_m - true_vector(), axis=1)


def test_the_vector_between_two_receivers_at_rest_is_exact():
    rover, base, nav, _ = short(NAGOYA, 60)
    solution = solve(rover, nav, base, None, RtkConfig(mode="moving_base"))
    assert (solution.status == FixStatus.FIXED).all()
    assert vector_error(solution).max() < 8 * MM, f"{1e3 * vector_error(solution).max():.1f} mm"
    assert "only the vector" in " ".join(solution.notes)
    assert np.linalg.norm(solution.base_ecef_m - short(NAGOYA, 60)[3]) < 10.0


@pytest.mark.parametrize("direction", ["forward", "combined"])
def test_the_vector_on_a_vehicle_is_exact_while_its_place_is_that_of_the_codes(direction):
    rover, base, nav, _ = driving()
    config = RtkConfig(mode="moving_base", direction=direction)
    solution = solve(rover, nav, base, None, config)
    assert (solution.status == FixStatus.FIXED).all()
    assert vector_error(solution).max() < 8 * MM, f"{1e3 * vector_error(solution).max():.1f} mm"
    went = solution.ecef_m[-1] - solution.ecef_m[0]
    assert np.linalg.norm(went - 39.0 * DRIVE_MPS) < 5.0
    sigma = np.sqrt(np.trace(solution.cov_ecef_m2[-1]))
    assert sigma < 0.02, "the covariance is that of the vector"


def test_the_engine_gives_the_same_numbers():
    rover, base, nav, _ = driving(20)
    config = RtkConfig(mode="moving_base")
    engine = RtkEngine.from_tables(rover, base, nav, None, config)
    assert_same(feed(engine, rover, base), solve(rover, nav, base, None, config))


def test_a_base_epoch_of_another_time_does_not_serve():
    rover, base, nav, _ = driving(20)
    slow = thinned(base, lambda second: second % 5 == 0)
    solution = solve(rover, nav, slow, None, RtkConfig(mode="moving_base"))
    old = solution.reason == Reason.CORRECTION_TOO_OLD
    assert old.sum() == 16
    assert np.isnan(solution.baseline_ecef_m[old]).all()


def test_a_base_without_a_code_position_says_so():
    rover, base, nav, _ = driving(20)
    keep = base.sat < base.sat[0] + 3
    code = np.where(keep, base.code_m, np.nan)
    poor = dataclasses.replace(base, code_m=code)
    solution = solve(rover, nav, poor, None, RtkConfig(mode="moving_base"))
    assert (solution.reason == Reason.BASE_POSITION_FAILED).all()
    assert (solution.status == FixStatus.SPP).all()


def test_the_pos_file_holds_the_vector_east_north_up():
    rover, base, nav, place = short(NAGOYA, 10)
    solution = solve(rover, nav, base, None, RtkConfig(mode="moving_base"))
    lines = format_pos(solution).splitlines()
    rows = [line.split() for line in lines if not line.startswith("%")]
    assert any("e-baseline(m)" in line for line in lines)
    assert len(rows) == 10
    east, north, up = (float(word) for word in rows[0][2:5])
    fixed = solve(rover, nav, base, place, RtkConfig())
    assert np.abs(np.array([east, north, up]) - fixed.enu_m(place)[0]).max() < MM
    assert rows[0][5] == "1"


def test_fixed_bases_give_the_vector_too():
    rover, base, nav, place = short(NAGOYA, 10)
    solution = solve(rover, nav, base, place, RtkConfig())
    assert np.array_equal(solution.baseline_ecef_m, solution.ecef_m - place)


def test_static_start_gives_its_mean_and_then_lets_go():
    rover, base, nav, place = short(NAGOYA, 40)
    config = RtkConfig(static_start_s=20.0)
    solution = solve(rover, nav, base, place, config)
    steps = np.linalg.norm(np.diff(solution.ecef_m, axis=0), axis=1)
    moving_run = solve(rover, nav, base, place, RtkConfig())
    loose = np.linalg.norm(np.diff(moving_run.ecef_m, axis=0), axis=1)
    assert steps[5:18].max() < 0.3 * loose[5:18].max()
    after = np.linalg.norm(solution.ecef_m - moving_run.ecef_m, axis=1)[21:]
    assert after.max() < 0.1 * MM, "the mean must not hold the antenna back"
    assert np.isnan(solution.static_ecef_m).all()


def test_static_start_backward_rests_at_the_end_of_the_run():
    rover, base, nav, place = short(NAGOYA, 40)
    config = RtkConfig(static_start_s=20.0, direction="backward")
    solution = solve(rover, nav, base, place, config)
    steps = np.linalg.norm(np.diff(solution.ecef_m, axis=0), axis=1)
    assert steps[:15].max() < steps[20:].max()
