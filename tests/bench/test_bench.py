"""The benchmark judges ours and peers alike, and keeps internal recordings unnamed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from bench import epoch_cost
from bench.accuracy.judge import height_step_mm, hourly_means, judge
from bench.accuracy.peer import OLD_WORDS, as_solution
from bench.accuracy.pooled import (
    ALL,
    calibration_lines,
    calibrations,
    pooled_checks,
    profile_lines,
    profiles,
)
from bench.accuracy.rows import ROWS
from bench.accuracy.table import UNNAMED, markdown, misses, target_lines
from bench.accuracy.targets import Target, checks
from bench.epoch_cost import cost_lines
from bench.speed.parse import lengthen
from rtkpos.io.rinex.read_observations import read_obs
from rtkpos.io.solutions.pos import PosTable
from rtkpos.io.solutions.reference_track import Truth
from rtkpos.records.status import FixStatus
from tests.data import dataset_path
from tests.io.made_solution import PLACE_ECEF_M, made_solution
from tests.recordings import recording

INTERNAL = ("bdsonly", "shanghai", "herstmonceux", "ubx-m8p", "hers0", "hert0")
POINT = Truth(ecef_m=PLACE_ECEF_M)
STILL, MOVING = ROWS[0], next(row for row in ROWS if row.is_moving)


def fixed_track(error_mm: list[tuple[float, float, float]]):
    """Fixed epochs with these east, north, up errors, one a second."""
    error_m = np.array(error_mm, dtype=np.float64) / 1e3
    return made_solution((FixStatus.FIXED,) * len(error_mm), error_m)


def entry_of(solution, row=STILL, **changes):
    common = {"row": row.name, "label": row.label, "how": row.how, "truth": "point"}
    named = {"program": "rtkpos", "is_peer": False, "bands": "default"}
    return common | named | judge(solution, POINT, row) | changes


def test_a_wrong_fix_depends_on_whether_the_antenna_moved():
    solution = fixed_track([(0, 0, 150)] * 3 + [(0, 0, 250)])
    assert judge(solution, POINT, STILL)["n_wrong"] == 4
    assert judge(solution, POINT, MOVING)["n_wrong"] == 1


def test_median_error_is_taken_away_where_a_row_says_so():
    row = dataclasses.replace(STILL, without_offset=True)
    figures = judge(fixed_track([(10, -20, 800), (12, -20, 800), (8, -20, 800)]), POINT, row)
    assert figures["offset_enu_mm"] == pytest.approx([10, -20, 800], abs=0.02)
    assert figures["n_wrong"] == 0
    assert figures["fixed_max_3d_mm"] == pytest.approx(2.0, abs=0.02)


def test_height_step_counts_neighbouring_fixed_epochs_only():
    solution = fixed_track([(0, 0, 0), (0, 0, 30), (0, 0, 900), (0, 0, 40)])
    solution.status[2] = FixStatus.FLOAT
    assert height_step_mm(solution) == pytest.approx(30.0, abs=0.1)


def test_hourly_means_repeat_by_the_standard_deviation_of_the_hours():
    solution = fixed_track([(0, 0, 0)] * 30 + [(2, 0, 4)] * 30)
    late = solution.time_ns + np.repeat([0, 3_600_000_000_000], 30)
    hours = hourly_means(dataclasses.replace(solution, time_ns=late), POINT.at(late))
    assert hours["n_hour"] == 2
    assert hours["std_enu_mm"] == pytest.approx([2**0.5, 0.0, 8**0.5], abs=0.01)


def test_peer_positions_are_put_on_our_epochs_and_judged_by_the_same_code():
    like = fixed_track([(0, 0, 0)] * 3)
    table = PosTable(
        time_ns=like.time_ns[[0, 2]] + 4_000_000,
        ecef_m=like.ecef_m[[0, 2]],
        quality=np.array([1, 2]),
        n_sat=np.array([9, 9]),
        sigma_neu_m=np.full((2, 3), np.nan),
        age_s=np.zeros(2),
        ratio=np.zeros(2),
    )
    peer = as_solution(table, like)
    assert peer.status.tolist() == [FixStatus.FIXED, FixStatus.NONE, FixStatus.FLOAT]
    assert judge(peer, POINT, STILL)["fix_rate"] == pytest.approx(1 / 3, abs=1e-4)


def test_long_file_repeats_the_recording_with_advancing_time(tmp_path):
    epochs = "".join(
        f"> 2024 06 24 08 20 {second:10.7f}  0  1\nG01  20000000.000\n" for second in (58, 59)
    )
    head = (
        f"{'     3.04           OBSERVATION DATA    M':<60}RINEX VERSION / TYPE\n"
        f"{'G    1 C1C':<60}SYS / # / OBS TYPES\n{'':<60}END OF HEADER\n"
    )
    (tmp_path / "a.obs").write_text(head + epochs)
    n_epoch = lengthen(tmp_path / "a.obs", tmp_path / "b.obs", 500)
    table = read_obs(tmp_path / "b.obs")
    assert table.n_epoch == n_epoch > 2
    assert set(np.diff(table.time_ns)) == {1_000_000_000}


def test_internal_recordings_are_named_in_no_result():
    for row in ROWS:
        if any(word in row.dataset for word in INTERNAL):
            assert row.name.startswith(UNNAMED)
            assert not any(word in f"{row.label} {row.note}".lower() for word in INTERNAL)
        else:
            assert not row.name.startswith(UNNAMED)


def report_of(*entries):
    made = dict.fromkeys(("rtkpos", "commit", "date", "cpu", "python", "numba", "numpy"), "x")
    return {"made": made | {"repeats": 3}, "rows": list(entries)}


def test_whole_report_has_every_recording():
    internal = next(row for row in ROWS if row.name.startswith("monitor-a"))
    solution = fixed_track([(1, 2, 3)] * 3)
    report = report_of(entry_of(solution), entry_of(solution, internal))
    assert internal.label in markdown(report)
    assert STILL.label in markdown(report)


def test_missed_targets_are_named_with_both_numbers():
    words = misses([entry_of(fixed_track([(0, 0, 5)] * 9 + [(0, 0, 500)]))])
    assert any("wrong fixes 10.00 %, wanted <= 0 %" in word for word in words)
    assert any("RMS U 158." in word for word in words)
    assert misses([entry_of(fixed_track([(0, 0, 1)] * 9))]) == []


def test_targets_stand_beside_the_best_of_rtklib_ex():
    good, bad = fixed_track([(0, 0, 1)] * 9), fixed_track([(0, 0, 4)] * 9)
    peers = [
        entry_of(solution, program="RTKLIB EX", is_peer=True, bands=bands)
        for solution, bands in ((bad, "l1"), (good, "l1+l2"))
    ]
    lines = target_lines([entry_of(bad), *peers])
    (up,) = [line for line in lines if line[2] == "RMS U"]
    assert up[3:] == ["<= 1.5 mm", "4.00 mm", "1.00 mm", "**missed**"]


def test_a_target_without_a_figure_is_missed():
    target = Target(first_fix_s=10.0, cold_start_s=10.0, final_enu_mm=(1.0, None, 6.0))
    found = checks(target, {"first_fix_s": None, "final_enu_mm": [-2.0, 9.0, 5.0]}, [])
    assert [(c.got, c.is_met) for c in found] == [
        (None, False), (None, False), (2.0, False), (5.0, True)
    ]  # fmt: skip


def test_calibration_counts_the_truth_within_ellipse_and_interval():
    solution = fixed_track([(0, 0, 0), (24, 0, 0), (25, 0, 0), (0, 0, 19), (0, 0, 20)])
    solution = dataclasses.replace(solution, cov_ecef_m2=np.tile(np.eye(3) * 1e-4, (5, 1, 1)))
    counts = judge(solution, POINT, STILL)["calibration"]
    assert counts["fixed"] == {"n": 5, "n_horizontal": 4, "n_vertical": 4}
    assert counts["float"]["n"] == 0


def test_wrong_fixes_and_calibration_are_pooled_over_recordings():
    names = ("n_epoch", "n_fixed", "n_fixed_judged", "n_wrong", "calibration")
    entries = []
    for row, error_mm in ((STILL, 500), (MOVING, 0)):
        entry = entry_of(fixed_track([(0, 0, error_mm)] * 4), row)
        few = {name: entry[name] for name in names} | {"n_wrong": 0}
        entry["variants"] = dict.fromkeys(("safe", "available", "off"), few)
        entries.append(entry)
    pooled = profiles(entries)[ALL]
    assert (pooled["safe"]["n_wrong"], pooled["balanced"]["n_wrong"]) == (0, 4)
    assert pooled["balanced"]["n_fixed_judged"] == 8
    met = {c.what: c.is_met for c in pooled_checks(entries)}
    assert met["wrong fixes, profile safe"]
    assert not met["wrong fixes, profile balanced"]
    # The truth of the moving row is no better than a fix: its fixed epochs stay out.
    assert calibrations(entries)[ALL, "all modes"]["fixed"]["n"] == 4
    assert not met["truth within the 95 % up of fixed epochs, all modes"]
    assert len(profile_lines(entries)) == len(calibration_lines(entries)) - 1 == 4


def test_every_row_with_a_target_knows_the_words_of_both_peers():
    assert {bands for row in ROWS for bands in row.peer_bands} <= set(OLD_WORDS)
    assert len({row.name for row in ROWS}) == len(ROWS)


@pytest.mark.compiled
def test_one_row_runs_on_real_data(tmp_path):
    dataset_path("static-clas-fujisawa-2021-078", "SEPT078M1.21O.gz")
    from bench.accuracy.measure import Bench, measure

    row = dataclasses.replace(next(r for r in ROWS if r.name == "fujisawa-078"), quick_s=20)
    (result,) = measure(row, Bench(tmp_path, [], repeats=1, quick=True))
    assert result["n_epoch"] == 21
    assert result["n_judged"] == 21
    assert result["fix_rate"] >= row.min_fix_rate
    assert result["us_per_epoch"] > 0
    assert result["cold_starts"]["n"] > 0
    assert result["variants"]["off"]["n_fixed"] == 0


def test_epoch_cost_table_names_programs_and_ratios():
    entry = {"label": "a", "how": "static, hold", "bands": "l1+l2", "n_epoch": 300}
    entry |= {"us": {"rtkpos": 100.4, "EX": 1005.0}, "ratio": {"EX": 10.0}}
    head, line = cost_lines([entry])
    assert head[-3:] == ["rtkpos µs", "EX µs", "ratio"]
    assert line == ["a", "static, hold", "l1+l2", "300", "100", "1005", "10.0"]


def test_an_epoch_costs_what_a_whole_run_takes_more_than_its_first_epoch(tmp_path, monkeypatch):
    times = iter([5.0, 0.5, 4.3, 0.3])  # whole and first, twice
    monkeypatch.setattr(epoch_cost, "time_ours", lambda *_: next(times))
    monkeypatch.setattr(epoch_cost, "solve_case", lambda *_, **__: None)
    recording("static-nagoya-2024")  # skips where it is missing
    found = epoch_cost.measure_case(epoch_cost.CASES[0], tmp_path, [], 2)
    assert found["us"]["rtkpos"] == pytest.approx(4.0 / 300 * 1e6, abs=0.06)
