"""Real recordings with bounds: fix rate, wrong fixes and errors, one default configuration.

Errors are judged against each set's truth.json; a fix is wrong when it is off by more than 0.10 m.
"""

from __future__ import annotations

import numpy as np
import pytest

from rtkpos.processing.run import solve
from rtkpos.records.config import RtkConfig
from rtkpos.records.status import FixStatus, Reason
from tests.recordings import moved_epoch, recording, run, window

WRONG_M = 0.10


def rates(solution, error):
    """(share of epochs fixed, number of wrong fixes, RMS error of the fixed [m])."""
    fixed = solution.status == FixStatus.FIXED
    wrong = int(np.sum(error[fixed] > WRONG_M))
    return fixed.mean(), wrong, np.sqrt(np.mean(error[fixed] ** 2))


@pytest.mark.parametrize(
    ("systems", "ar", "fixed_min", "rms_max_m"),
    [
        ("GRECJI", "instantaneous", 0.99, 0.0022),
        ("GRECJI", "continuous", 0.99, 0.0022),
        ("C", "instantaneous", 0.97, 0.004),
        ("G", "instantaneous", 0.97, 0.008),
        ("E", "instantaneous", 0.97, 0.010),
    ],
)
def test_one_metre_baseline_fixes_at_once_and_right(systems, ar, fixed_min, rms_max_m):
    options = {"ar": ar, "selection": {"systems": systems}}
    solution, error = run("static-nagoya-2024", last=120, **options)
    share, wrong, rms = rates(solution, error)
    assert share >= fixed_min
    assert wrong == 0
    assert rms <= rms_max_m, f"3D RMS {rms * 1e3:.1f} mm"
    assert solution.status[0] == FixStatus.FIXED


def test_static_mean_is_better_than_single_epochs():
    _, error_moving = run("static-nagoya-2024", last=120)
    still, error_still = run("static-nagoya-2024", last=120, mode="static")
    assert np.mean(still.status == FixStatus.FIXED) >= 0.99
    assert error_still[-1] < 0.0015
    assert np.median(error_still) < np.median(error_moving)
    assert np.all(np.isfinite(still.static_ecef_m))


def test_gps_pair_of_2005_fixes_every_epoch():
    solution, error = run("static-geonet-2005", last=120)
    share, wrong, rms = rates(solution, error)
    assert share * 120 >= 115
    assert wrong == 0
    assert rms < 0.015


def test_five_kilometres_three_bands_without_a_wrong_fix():
    solution, error = run("static-clas-fujisawa-2021-078", last=60)
    share, wrong, rms = rates(solution, error)
    assert share == 1.0
    assert wrong == 0
    assert rms < 0.03, "truth is trusted to 2 cm there"


def test_moving_car_fixes_without_height_steps():
    solution, _ = run("kinematic-fujisawa-2021-265", last=360)
    fixed = np.flatnonzero(solution.status == FixStatus.FIXED)
    assert len(fixed) >= 0.99 * 360
    assert np.abs(np.diff(solution.llh()[fixed, 2])).max() < 0.15


def test_moving_car_fixes_most_epochs_by_themselves():
    solution, _ = run("kinematic-fujisawa-2021-265", last=360, ar="instantaneous")
    assert np.mean(solution.status == FixStatus.FIXED) >= 0.83


def test_virtual_station_and_low_cost_receiver():
    solution, error = run("vrs-static-shanghai-2023", last=300)
    share, wrong, _ = rates(solution, error)
    assert share >= 0.92
    assert wrong == 0


@pytest.mark.parametrize("mode", ["kinematic", "static"])
def test_beidou_alone_over_two_hours(mode):
    options = {"mode": mode, "selection": {"systems": "C"}}
    solution, error = run("bdsonly-monitoring-24h", last=480, **options)
    share, wrong, _ = rates(solution, error)
    assert share >= 0.97
    assert wrong <= 0.01 * 480


@pytest.mark.slow
def test_beidou_alone_over_a_day_repeats_hourly():
    rover, base, nav, truth = recording("bdsonly-monitoring-24h")
    config = RtkConfig.from_dict({"mode": "static", "selection": {"systems": "C"}})
    hours = []
    for hour in range(24):
        part = window(rover, hour * 240, (hour + 1) * 240)
        if part.n_epoch < 120:
            continue
        solution = solve(part, nav, base, np.array(truth["base_xyz"]), config)
        hours.append(solution.enu_m(np.array(truth["rover_xyz"]))[-1])
    east, north, _ = np.std(np.array(hours), axis=0)
    assert max(east, north) < 0.008, "single hours; daily multipath is what remains"


def test_without_a_base_epoch_the_answer_is_single_with_the_reason():
    rover, base, _, _ = recording("static-nagoya-2024")
    solution, _ = run("static-nagoya-2024", rover=window(rover, 100, 110), base=window(base, 0, 20))
    assert np.all(solution.status == FixStatus.SPP)
    assert all("base" in reason for reason in solution.reason_counts())


@pytest.mark.parametrize("ar", ["instantaneous", "continuous"])
def test_a_jump_no_antenna_can_make_is_not_called_fixed(ar):
    """One epoch seen from 10 m away, consistent in code and phase: its integers are right and its
    position is where the antenna seemed to be, but it cannot have gone there and back.
    """
    rover, base, nav, truth = recording("static-nagoya-2024")
    place = np.array(truth["rover_xyz"])
    part = moved_epoch(window(rover, 0, 30), nav, 15, np.array([6.0, -7.0, 4.0]), place)
    config = RtkConfig.from_dict({"ar": ar, "selection": {"systems": "GEC"}})
    solution = solve(part, nav, window(base, 0, 30), np.array(truth["base_xyz"]), config)
    fixed = solution.status == FixStatus.FIXED
    assert not fixed[15]
    assert solution.reason[16] == Reason.POSITION_JUMP or fixed[16]
    assert fixed[:15].all()
    assert fixed[18:].all()
    error = np.linalg.norm(solution.ecef_m - place, axis=1)
    assert error[fixed].max() < 0.02
