"""The benchmark judges ours and peers alike, and keeps internal recordings unnamed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from bench.judge import height_step_mm, hourly_means, judge
from bench.parse import lengthen
from bench.peer import OLD_WORDS, as_solution
from bench.rows import ROWS
from bench.table import UNNAMED, markdown, misses, update_readme
from rtkpos.io.pos_file import PosTable
from rtkpos.io.rinex_obs import read_obs
from rtkpos.io.truth import Truth
from rtkpos.records.solution import FixStatus
from tests.data import dataset_path
from tests.io.made_solution import PLACE_ECEF_M, made_solution

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


def test_readme_gets_the_table_without_internal_recordings(tmp_path):
    internal = next(row for row in ROWS if row.name.startswith("monitor-a"))
    solution = fixed_track([(1, 2, 3)] * 3)
    report = report_of(entry_of(solution), entry_of(solution, internal))
    assert internal.label in markdown(report)
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- bench:start -->\nold\n<!-- bench:end -->\nafter\n")
    assert update_readme(report, readme)
    text = readme.read_text()
    assert STILL.label in text
    assert internal.label not in text
    assert "old" not in text
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    readme.write_text("no place")
    assert not update_readme(report, readme)


def test_missed_targets_are_named_with_both_numbers():
    words = misses(entry_of(fixed_track([(0, 0, 5)] * 9 + [(0, 0, 500)])))
    assert any("wrong 1 (10.00 %), wanted at most 0.0 %" in word for word in words)
    assert any(word.startswith("RMS U 158.") for word in words)
    assert misses(entry_of(fixed_track([(0, 0, 1)] * 9))) == []


def test_every_row_with_a_target_knows_the_words_of_both_peers():
    assert {bands for row in ROWS for bands in row.peer_bands} <= set(OLD_WORDS)
    assert len({row.name for row in ROWS}) == len(ROWS)


@pytest.mark.compiled
def test_one_row_runs_on_real_data(tmp_path):
    dataset_path("static-clas-fujisawa-2021-078", "SEPT078M1.21O.gz")
    from bench.measure import Bench, measure

    row = dataclasses.replace(next(r for r in ROWS if r.name == "fujisawa-078"), quick_s=20)
    (result,) = measure(row, Bench(tmp_path, [], repeats=1, quick=True))
    assert result["n_epoch"] == 21
    assert result["n_judged"] == 21
    assert result["fix_rate"] >= row.min_fix_rate
    assert result["us_per_epoch"] > 0
