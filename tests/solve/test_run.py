"""A run on real recordings: all modes, gaps, slow bases, and inputs that do not fit together."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from rtkpos.core.tables import G_CHANNEL
from rtkpos.errors import InputError
from rtkpos.gnss.systems import GLONASS
from rtkpos.live.navigation import empty_nav
from rtkpos.prepare.pairing import known_channels, make_plan
from rtkpos.processing.epoch import take_epochs
from rtkpos.processing.run import solve
from rtkpos.records.config import AR_MODES, MODES, RtkConfig
from rtkpos.records.observations import UNKNOWN_CHANNEL
from rtkpos.records.status import FixStatus, Reason
from tests.recordings import recording
from tests.solve.runs import FUJISAWA, NAGOYA, SECOND_NS, short, solved, thinned

pytestmark = pytest.mark.compiled

BEST = {
    "single": FixStatus.SPP,
    "dgnss": FixStatus.DGNSS,
    "kinematic": FixStatus.FIXED,
    "static": FixStatus.FIXED,
    "moving_base": FixStatus.FIXED,
}
HOUR_NS = 3600 * SECOND_NS
AGREE_M = 0.02


def run(rover, base, nav, place, **options):
    """A solution with options of the configuration."""
    return solve(rover, nav, base, place, RtkConfig.from_dict(options))


def shifted(table, shift_ns):
    """The same observations at another time."""
    return dataclasses.replace(table, time_ns=table.time_ns + shift_ns)


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_reaches_its_best_status(mode):
    solution = solved(NAGOYA, 20, mode)
    assert (solution.status == BEST[mode]).all()
    assert np.isfinite(solution.ecef_m).all()
    assert np.isfinite(solution.static_ecef_m).all() == (mode == "static")


@pytest.mark.parametrize("ar", AR_MODES)
def test_each_way_of_fixing_is_right_or_says_why_not(ar):
    solution = solved(NAGOYA, 20, "kinematic", ar)
    truth = np.array(recording(NAGOYA)[3]["rover_xyz"])
    error_m = np.linalg.norm(solution.ecef_m - truth, axis=1)
    if ar == "off":
        assert (solution.status == FixStatus.FLOAT).all()
        assert (solution.reason == Reason.AR_OFF).all()
        assert error_m.max() < 1.0
    else:
        assert (solution.status == FixStatus.FIXED).all()
        assert error_m.max() < AGREE_M, f"{1e3 * error_m.max():.1f} mm"


def test_static_result_is_near_the_last_fix_and_true():
    solution = solved(NAGOYA, 60, "static")
    truth = np.array(recording(NAGOYA)[3]["rover_xyz"])
    assert np.linalg.norm(solution.static_ecef_m - solution.ecef_m[-1]) < 0.003
    assert np.linalg.norm(solution.static_ecef_m - truth) < 0.005


def test_notes_name_frame_and_antenna_models():
    text = " ".join(solved(NAGOYA, 20).notes)
    assert "as given" in text
    assert "no PCO/PCV" in text


def test_base_every_30_s_serves_until_the_next_one():
    rover, base, nav, _ = recording(FUJISAWA)
    place = short(FUJISAWA)[3]
    head = np.arange(120)
    rover = take_epochs(rover, head)
    full = run(rover, take_epochs(base, head), nav, place)
    slow = run(rover, thinned(base, lambda s: s % 30 == 0), nav, place)
    assert np.allclose(slow.age_s, np.arange(120) % 30)
    assert (slow.status >= FixStatus.DGNSS).all()
    fixed = slow.status == FixStatus.FIXED
    assert fixed.sum() > 60
    apart_m = np.linalg.norm(slow.ecef_m - full.ecef_m, axis=1)[fixed]
    assert apart_m.max() < 0.15, f"{apart_m.max():.3f} m at ages up to 30 s"
    assert np.median(apart_m) < 0.03


def test_base_gap_of_a_minute_gives_single_positions_and_a_new_fix():
    rover, base, nav, _ = recording(NAGOYA)
    place = short(NAGOYA)[3]
    head = np.arange(150)
    gap = thinned(take_epochs(base, head), lambda s: (s < 30) | (s >= 90))
    solution = run(take_epochs(rover, head), gap, nav, place)
    age_s = np.where(head < 30, 0, np.where(head < 90, head - 29, 0))
    assert np.allclose(solution.age_s, age_s)
    too_old = age_s > 30
    assert (solution.status[too_old] == FixStatus.SPP).all()
    assert (solution.reason[too_old] == Reason.CORRECTION_TOO_OLD).all()
    assert (solution.status[~too_old & (head < 90)] >= FixStatus.DGNSS).all()
    refix_s = np.flatnonzero(solution.status[90:] == FixStatus.FIXED)[0]
    assert refix_s <= 5, f"{refix_s} s after the base came back"
    assert (solution.status[95:] == FixStatus.FIXED).all()
    truth = np.array(recording(NAGOYA)[3]["rover_xyz"])
    fixed = solution.status == FixStatus.FIXED
    error_m = np.linalg.norm(solution.ecef_m[fixed] - truth, axis=1)
    assert error_m.max() < 0.1, f"{1e3 * error_m.max():.0f} mm"


def test_rover_before_the_base_has_no_base_epoch():
    rover, base, nav, place = short(NAGOYA, 20)
    solution = run(rover, take_epochs(base, np.arange(10, 20)), nav, place)
    assert (solution.reason[:10] == Reason.NO_BASE_EPOCH).all()
    assert (solution.status[:10] == FixStatus.SPP).all()
    assert (solution.status[10:] == FixStatus.FIXED).all()


def test_files_of_different_times_are_told():
    rover, base, nav, place = short(NAGOYA, 20)
    solution = run(rover, shifted(base, HOUR_NS), nav, place)
    assert "do not overlap" in " ".join(solution.report.warnings)
    assert "exactly" not in " ".join(solution.report.warnings)
    assert (solution.reason == Reason.NO_BASE_EPOCH).all()
    earlier = run(rover, shifted(base, -HOUR_NS), nav, place)
    assert (earlier.reason == Reason.CORRECTION_TOO_OLD).all()


@pytest.mark.parametrize(
    ("weeks", "said"),
    [
        (1, "exactly 7 days apart"),
        (-1, "exactly 7 days"),
        (1024, "exactly 7168 days (1024 weeks) apart"),
    ],
)
def test_files_whole_weeks_apart_are_told(weeks, said):
    rover, base, nav, place = short(NAGOYA, 5)
    solution = run(rover, shifted(base, 168 * weeks * HOUR_NS), nav, place)
    assert said in " ".join(solution.report.warnings)
    late = run(shifted(rover, -168 * weeks * HOUR_NS), base, nav, place)
    assert sum(said in line for line in late.report.warnings) == 2


@pytest.mark.parametrize("mode", ["single", "kinematic"])
def test_navigation_data_of_another_day_are_told(mode):
    rover, base, nav, place = short(NAGOYA, 20)
    day_ns = 24 * HOUR_NS
    solution = run(shifted(rover, day_ns), shifted(base, day_ns), nav, place, mode=mode)
    assert "do not cover the rover" in " ".join(solution.report.warnings)
    assert (solution.reason == Reason.NO_EPHEMERIS).all()
    assert np.isnan(solution.ecef_m).all()
    none = run(rover, base, empty_nav(), place, mode=mode)
    assert "no ephemeris" in " ".join(none.report.warnings)
    assert (none.reason == Reason.NO_EPHEMERIS).all()


def test_three_satellites_are_few_satellites_and_never_a_fix():
    rover, base, nav, place = short(NAGOYA, 10)
    rover = dataclasses.replace(rover, code_m=rover.code_m.copy())
    few = np.isin(rover.sat, np.unique(rover.sat)[:3])
    rover.code_m[~few] = np.nan
    rover.phase_cycle[~few] = np.nan
    solution = run(rover, base, nav, place)
    assert (solution.status == FixStatus.NONE).all()
    assert (solution.reason == Reason.FEW_ROVER_SATELLITES).all()


@pytest.mark.parametrize("n_common", [1, 3, 4])
def test_few_common_satellites_degrade_and_never_extrapolate_a_fix(n_common):
    rover, base, nav, place = short(NAGOYA, 20)
    chosen = np.unique(base.sat)[:n_common]
    late = np.repeat(np.arange(20), np.diff(base.row_start)) >= 10
    lost = late & ~np.isin(base.sat, chosen)
    code_m, phase_cycle = base.code_m.copy(), base.phase_cycle.copy()
    code_m[lost] = phase_cycle[lost] = np.nan
    base = dataclasses.replace(base, code_m=code_m, phase_cycle=phase_cycle)
    solution = run(rover, base, nav, place)
    assert (solution.status[:10] == FixStatus.FIXED).all()
    assert (solution.status[10:] < FixStatus.FIXED).all()
    assert (solution.status[10:] >= FixStatus.SPP).all()
    assert (solution.reason[10:] != Reason.OK).all()


def test_lost_constellation_does_not_stop_the_others():
    rover, base, nav, place = short(NAGOYA, 20)
    late = np.repeat(np.arange(20), np.diff(rover.row_start)) >= 10
    code_m, phase_cycle = rover.code_m.copy(), rover.phase_cycle.copy()
    code_m[late & (rover.sat < 64)] = phase_cycle[late & (rover.sat < 64)] = np.nan
    rover = dataclasses.replace(rover, code_m=code_m, phase_cycle=phase_cycle)
    assert (run(rover, base, nav, place).status == FixStatus.FIXED).all()


def test_missing_signal_strengths_do_not_matter():
    rover, base, nav, place = short(NAGOYA, 20)
    silent = dataclasses.replace(rover, cn0_dbhz=np.full(rover.n_row, np.nan))
    assert (run(silent, base, nav, place).status == FixStatus.FIXED).all()


def test_single_epoch_and_empty_epochs():
    rover, base, nav, place = short(NAGOYA, 20)
    one = run(take_epochs(rover, np.array([3])), base, nav, place)
    assert one.n_epoch == 1
    assert one.status[0] == FixStatus.FIXED
    row_start = rover.row_start.copy()
    row_start[5:8] = row_start[8]  # epochs 5, 6, 7 lose their rows to epoch 4
    row_start[5:8] = row_start[4]
    holes = dataclasses.replace(rover, row_start=row_start)
    holes.row_start[8:] = rover.row_start[8:]
    found = run(holes, base, nav, place)
    assert (found.status[4:7] == FixStatus.NONE).all()
    assert (found.reason[4:7] == Reason.FEW_ROVER_SATELLITES).all()
    assert found.status[10:].min() == FixStatus.FIXED


def test_no_rover_epochs_are_an_error_and_no_base_epochs_a_warning():
    rover, base, nav, place = short(NAGOYA, 20)
    nothing = np.zeros(0, np.int64)
    with pytest.raises(InputError, match="no epochs"):
        run(take_epochs(rover, nothing), base, nav, place)
    solution = run(rover, take_epochs(base, nothing), nav, place)
    assert "base has no epochs" in " ".join(solution.report.warnings)
    assert (solution.status == FixStatus.SPP).all()
    assert (solution.reason == Reason.NO_BASE_EPOCH).all()


def test_base_and_its_coordinate_are_needed():
    rover, base, nav, place = short(NAGOYA, 20)
    with pytest.raises(InputError, match="needs base observations"):
        run(rover, None, nav, place)
    with pytest.raises(InputError, match="coordinate is missing"):
        run(rover, base, nav, None)


def test_epochs_out_of_order_are_sorted_with_a_warning():
    rover, base, nav, place = short(NAGOYA, 20)
    mixed = np.random.default_rng(3).permutation(20)
    solution = run(take_epochs(rover, np.append(mixed, 7)), take_epochs(base, mixed), nav, place)
    assert np.array_equal(solution.ecef_m, solved(NAGOYA, 20).ecef_m)
    assert len(solution.report.warnings) == 2


def test_layout_of_the_arrays_does_not_matter():
    rover, base, nav, place = short(NAGOYA, 20)
    code_m = np.repeat(rover.code_m, 2)[::2]
    time_ns = rover.time_ns.copy()
    time_ns.flags.writeable = False
    odd = dataclasses.replace(rover, code_m=code_m, time_ns=time_ns)
    solution = run(odd, base, nav, place)
    assert np.array_equal(solution.ecef_m, solved(NAGOYA, 20).ecef_m)


def test_progress_is_told_to_the_end():
    rover, base, nav, place = short(NAGOYA, 20)
    calls = []
    solve(rover, nav, base, place, on_epoch=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (20, 20)


def test_glonass_channels_come_from_headers_and_ephemerides():
    rover, base, nav, _ = short(NAGOYA, 20)
    silent = np.full(64, UNKNOWN_CHANNEL, np.int8)
    sent = known_channels([silent], nav)
    from_header = known_channels([rover.glonass_channel], None)
    both = (sent != UNKNOWN_CHANNEL) & (from_header != UNKNOWN_CHANNEL)
    assert (sent != UNKNOWN_CHANNEL).sum() >= 8
    assert np.array_equal(sent[both], from_header[both])
    slot = int(np.flatnonzero(sent != UNKNOWN_CHANNEL)[0])
    liar = silent.copy()
    liar[slot] = sent[slot] + 1
    assert known_channels([liar], nav)[slot] == UNKNOWN_CHANNEL
    bare = dataclasses.replace(rover, glonass_channel=silent)
    plan = make_plan(bare, dataclasses.replace(base, glonass_channel=silent), RtkConfig(), nav)
    row = np.flatnonzero(nav.sat == GLONASS * 64 + slot)[0]
    wanted_hz = 1602.0e6 + 0.5625e6 * nav.param[row, G_CHANNEL]
    assert plan.carrier_hz[GLONASS * 64 + slot, 0] == wanted_hz
