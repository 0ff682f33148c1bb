"""The coordinate of a static session: outliers, lasting errors, hourly means."""

from __future__ import annotations

import numpy as np
import pytest

from rtkpos.core.tables import EVENT_ANTENNA_MOVED
from rtkpos.estimate.step_memory import step_outputs
from rtkpos.processing.run import solve
from rtkpos.processing.static_session import HOUR_NS, lasting_mean, static_session, variance_left
from rtkpos.records.config import RtkConfig
from rtkpos.records.status import FixStatus
from tests.recordings import recording, window
from tests.solve.runs import NAGOYA, SECOND_NS, short

FIVE_KM = "static-clas-fujisawa-2021-078"
PLACE = np.array([-3.8e6, 3.5e6, 3.6e6])
PHASES_M2 = np.diag([0.003, 0.003, 0.006]) ** 2


def lasting_noise(rng, n, step_s, time_s):
    """(n, 3) first-order Gauss-Markov noise of variance 1."""
    rho = np.exp(-step_s / time_s)
    out = rng.normal(size=(n, 3))
    for k in range(1, n):
        out[k] = rho * out[k - 1] + np.sqrt(1.0 - rho**2) * out[k]
    return out


def rows_of(position_m):
    """Fixed rows at these positions."""
    out = step_outputs(len(position_m))
    out["status"] = FixStatus.FIXED
    out["own_ecef_m"], out["own_cov_m2"] = position_m, PHASES_M2
    out["ecef_m"], out["cov_ecef_m2"] = position_m, PHASES_M2
    return out


def session_of(position_m, step_s=30, first_ns=0, fill=False):
    """The session of fixed rows at these positions."""
    time_ns = first_ns + np.arange(len(position_m)) * step_s * SECOND_NS
    return static_session(time_ns, rows_of(position_m), fill)


def test_variance_left_has_its_limits():
    assert variance_left(0.0, 100.0) == 1.0
    assert variance_left(1.0, 100.0) == pytest.approx(1.0, abs=0.01)
    assert variance_left(1e6, 100.0) == pytest.approx(2e-4, rel=0.01)


@pytest.mark.parametrize("time_s", [1.0, 100.0, 600.0])
def test_the_covariance_covers_the_truth_whatever_lasts(time_s):
    rng = np.random.default_rng(11)
    n, step_s, covered = 60, 30.0, 0
    times = (np.arange(n) * step_s * SECOND_NS).astype(np.int64)
    for _ in range(60):
        error = lasting_noise(rng, n, step_s, time_s) * np.sqrt(np.diag(PHASES_M2))
        mean, cov = lasting_mean(times, PLACE + error, PHASES_M2)
        apart = (mean - PLACE)[:2]
        covered += apart @ np.linalg.solve(cov[:2, :2], apart) < 5.991
    assert covered >= 54, f"the 95 % ellipse covered {covered} of 60"


def test_more_of_the_same_is_not_more_certain():
    rng = np.random.default_rng(3)
    error = 0.003 * lasting_noise(rng, 1200, 1.0, 300.0)
    fast = session_of(PLACE + error, step_s=1)
    thin = session_of(PLACE + error[::30], step_s=30)
    assert np.sqrt(fast.cov_m2[0, 0] / thin.cov_m2[0, 0]) > 0.6


def test_one_epoch_has_the_covariance_of_its_phases_and_more():
    session = session_of(PLACE[None, :])
    assert np.array_equal(session.ecef_m, PLACE)
    assert (np.diag(session.cov_m2) > np.diag(PHASES_M2)).all()


def test_wrong_fixes_do_not_pull_the_coordinate():
    rng = np.random.default_rng(8)
    position = PLACE + 0.002 * rng.normal(size=(200, 3))
    position[60:80] += 0.4
    assert np.linalg.norm(session_of(position).ecef_m - PLACE) < 0.002


def test_only_what_follows_the_last_move_counts():
    position = np.repeat([PLACE, PLACE + 5.0], 40, axis=0)
    out = rows_of(position)
    out["event"][40] = EVENT_ANTENNA_MOVED
    session = static_session(np.arange(80) * SECOND_NS, out, True)
    assert np.allclose(session.ecef_m, PLACE + 5.0)
    assert np.allclose(out["ecef_m"][:40], PLACE)
    assert np.allclose(out["cov_ecef_m2"][40:], session.cov_m2)


def test_no_fix_no_coordinate():
    session = static_session(np.arange(5) * SECOND_NS, step_outputs(5), False)
    assert np.isnan(session.ecef_m).all()
    assert session.hourly is None


def test_hourly_means_need_two_hours_and_show_their_spread():
    position = np.tile(PLACE, (240, 1))
    assert session_of(position[:200]).hourly is None
    position[120:] += 0.004
    hourly = session_of(position, step_s=60).hourly
    assert hourly.n_epoch.tolist() == [60, 60, 60, 60]
    assert hourly.start_ns.tolist() == [0, HOUR_NS, 2 * HOUR_NS, 3 * HOUR_NS]
    assert np.allclose(hourly.ecef_m[3] - hourly.ecef_m[0], 0.004)
    total = 0.004 * np.sqrt(3.0) * np.sqrt(1.0 / 3.0)
    assert np.linalg.norm(hourly.std_enu_m) == pytest.approx(total)


@pytest.mark.compiled
def test_a_combined_static_run_gives_one_coordinate_to_all_epochs():
    rover, base, nav, place = short(NAGOYA, 60)
    config = RtkConfig(mode="static", direction="combined")
    solution = solve(rover, nav, base, place, config)
    truth = np.array(recording(NAGOYA)[3]["rover_xyz"])
    assert (solution.status == FixStatus.FIXED).all()
    assert np.ptp(solution.ecef_m, axis=0).max() == 0.0
    assert np.array_equal(solution.ecef_m[0], solution.static_ecef_m)
    error_m = np.linalg.norm(solution.static_ecef_m - truth)
    sigma_m = np.sqrt(np.trace(solution.static_cov_m2))
    assert error_m < 0.002
    assert error_m < 2.0 * sigma_m < 0.02


@pytest.mark.compiled
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_static_runs_of_both_directions_give_the_same_coordinate(direction):
    rover, base, nav, place = short(NAGOYA, 60)
    config = RtkConfig(mode="static", direction=direction)
    solution = solve(rover, nav, base, place, config)
    truth = np.array(recording(NAGOYA)[3]["rover_xyz"])
    assert np.linalg.norm(solution.static_ecef_m - truth) < 0.002


@pytest.mark.compiled
def test_a_part_of_the_integers_fixes_before_the_mean_begins():
    rover, base, nav, truth = recording(FIVE_KM)
    config = RtkConfig(mode="static")
    place = np.array(truth["base_xyz"])
    solution = solve(window(rover, 0, 15), nav, window(base, 0, 15), place, config)
    assert (solution.status == FixStatus.FIXED).all()
    spread_m = np.linalg.norm(solution.ecef_m - solution.ecef_m[-1], axis=1)
    assert spread_m.max() < 0.03, f"{1e3 * spread_m.max():.1f} mm"
    assert np.isfinite(solution.static_ecef_m).all()
