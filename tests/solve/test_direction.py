"""Backward runs: flags that move to their neighbours, bases seen from behind, and equal quality."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from rtkpos.core.tables import EVENT_ANTENNA_MOVED, EVENT_MARK, EVENT_POWER_FAILURE
from rtkpos.processing.direction import mirrored
from rtkpos.processing.run import solve
from rtkpos.records.config import RtkConfig
from rtkpos.records.observations import ObsTable
from rtkpos.records.status import FixStatus, Reason
from tests.recordings import recording, window
from tests.solve.runs import FUJISAWA, NAGOYA, SECOND_NS, short, thinned

FIVE_CM = 0.05


def solved(name, n=60, **options):
    """Solution of the first epochs of a recording with options of the configuration."""
    rover, base, nav, place = short(name, n)
    return solve(rover, nav, base, place, RtkConfig.from_dict(options))


def little_table(phase, lli, event=None):
    """One signal of two satellites over the epochs of (n, 2) phases and flags."""
    phase, lli = np.array(phase, float), np.array(lli, np.uint8)
    n = len(phase)
    nothing = np.full(2 * n, np.nan)
    return ObsTable(
        time_ns=np.arange(n) * SECOND_NS,
        row_start=2 * np.arange(n + 1),
        event=np.zeros(n, np.uint8) if event is None else np.array(event, np.uint8),
        rx_clock_s=np.full(n, np.nan),
        sat=np.tile([3, 7], n).astype(np.int16),
        sig=np.zeros(2 * n, np.int16),
        code_m=nothing,
        phase_cycle=phase.ravel(),
        doppler_hz=nothing,
        cn0_dbhz=nothing,
        lli=lli.ravel(),
    )


def test_lost_lock_moves_to_the_observation_before():
    back = mirrored(little_table([[1, 1], [2, 2], [3, 3]], [[0, 0], [0, 0], [1, 0]]))
    assert back.time_ns.tolist() == [2 * SECOND_NS, SECOND_NS, 0]
    assert back.phase_cycle.tolist() == [3, 3, 2, 2, 1, 1]
    assert back.lli.tolist() == [0, 0, 1, 0, 0, 0]


def test_lost_lock_passes_over_rows_without_phase_and_ends_at_the_first():
    phases = [[1, 1], [np.nan, 2], [3, 3]]
    back = mirrored(little_table(phases, [[1, 0], [0, 0], [1, 0]]))
    assert back.lli.tolist() == [0, 0, 0, 0, 1, 0]


def test_half_cycle_bit_stays():
    back = mirrored(little_table([[1, 1], [2, 2]], [[0, 2], [0, 0]]))
    assert back.lli.tolist() == [0, 0, 0, 2]


def test_events_between_epochs_move_and_marks_stay():
    events = [0, EVENT_POWER_FAILURE | EVENT_MARK, 0, EVENT_ANTENNA_MOVED]
    back = mirrored(little_table(np.ones((4, 2)), np.zeros((4, 2)), events))
    assert back.event.tolist() == [0, EVENT_ANTENNA_MOVED, EVENT_MARK, EVENT_POWER_FAILURE]


@pytest.mark.compiled
def test_mirrored_twice_is_the_recording_but_for_flags_of_firsts():
    rover = window(recording(FUJISAWA)[0], 0, 50)
    again = mirrored(mirrored(rover))
    for name in ("time_ns", "row_start", "sat", "sig", "phase_cycle", "event"):
        assert np.array_equal(getattr(again, name), getattr(rover, name), equal_nan=name[0] == "p")
    changed = again.lli != rover.lli
    assert not (again.lli[changed] & 1).any()


@pytest.mark.compiled
@pytest.mark.parametrize("name", [NAGOYA, FUJISAWA])
def test_backward_fixes_as_well_and_at_the_same_places(name):
    forward, backward = solved(name), solved(name, direction="backward")
    assert np.array_equal(forward.time_ns, backward.time_ns)
    assert backward.fix_rate > 0.9
    both = (forward.status == FixStatus.FIXED) & (backward.status == FixStatus.FIXED)
    apart = np.linalg.norm(forward.ecef_m - backward.ecef_m, axis=1)[both]
    assert np.median(apart) < 0.01, f"{1e3 * np.median(apart):.1f} mm"
    assert apart.max() < 0.1, f"{1e3 * apart.max():.1f} mm"


@pytest.mark.compiled
def test_backward_uses_the_base_epoch_after_and_says_so_by_its_age():
    rover, base, nav, place = short(NAGOYA, 40)
    slow = thinned(base, lambda second: second % 10 == 0)
    config = RtkConfig(direction="backward")
    solution = solve(rover, nav, slow, place, config)
    with_base = np.isfinite(solution.age_s)
    late = solution.time_ns - solution.time_ns[0] > 30 * SECOND_NS
    assert (solution.age_s[with_base] <= 0.0).all()
    assert np.nanmin(solution.age_s) < -8.0
    assert (solution.reason[late] == Reason.NO_BASE_EPOCH).all()
    limited = RtkConfig.from_dict({"direction": "backward", "base": {"max_age_s": 5.0}})
    old = solve(rover, nav, slow, place, limited)
    too_old = old.reason == Reason.CORRECTION_TOO_OLD
    assert too_old.any()
    assert (old.age_s[too_old] < -5.0).all()


@pytest.mark.compiled
def test_a_slip_is_found_from_behind():
    rover, base, nav, place = short(NAGOYA, 40)
    sat = rover.sat[rover.row_start[20]]
    later = np.arange(rover.n_row) >= rover.row_start[20]
    phase, lli = rover.phase_cycle.copy(), rover.lli.copy()
    phase[later & (rover.sat == sat)] += 7.0
    at = later & (rover.sat == sat) & (np.arange(rover.n_row) < rover.row_start[21])
    lli[at] |= 1
    slipped = dataclasses.replace(rover, phase_cycle=phase, lli=lli)
    config = RtkConfig(direction="backward")
    clean = solve(rover, nav, base, place, config)
    solution = solve(slipped, nav, base, place, config)
    assert solution.diagnostics.totals["slip_lli"] > clean.diagnostics.totals["slip_lli"]
    assert solution.diagnostics.n_slip[19] >= 1
    truth = np.array(recording(NAGOYA)[3]["rover_xyz"])
    assert np.linalg.norm(solution.ecef_m - truth, axis=1).max() < FIVE_CM


@pytest.mark.compiled
@pytest.mark.parametrize("direction", ["backward", "combined"])
def test_single_positions_do_not_depend_on_the_direction(direction):
    forward = solved(NAGOYA, 20, mode="single")
    other = solved(NAGOYA, 20, mode="single", direction=direction)
    assert np.allclose(forward.ecef_m, other.ecef_m, atol=1e-3)
    assert np.allclose(forward.cov_ecef_m2, other.cov_ecef_m2, rtol=1e-3)


@pytest.mark.compiled
@pytest.mark.parametrize(("direction", "total"), [("backward", 20), ("combined", 40)])
def test_progress_counts_every_epoch_of_every_direction(direction, total):
    rover, base, nav, place = short(NAGOYA, 20)
    told = []
    config = RtkConfig(direction=direction)
    solution = solve(rover, nav, base, place, config, lambda *pair: told.append(pair))
    assert told[-1] == (total, total)
    assert solution.direction == direction
