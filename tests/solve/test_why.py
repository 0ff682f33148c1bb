"""Causes of spans without a fix: each reason explained, each cause able to win, altered data."""

from __future__ import annotations

import dataclasses
import json
import time

import numpy as np
import pytest

from rtkpos.diagnose import why
from rtkpos.diagnose.causes import CAUSES, EARLY, filled
from rtkpos.diagnose.spans import MERGE_EPOCHS, find_spans
from rtkpos.diagnose.why import MAX_SPANS, explain, ranked_causes
from rtkpos.gnss.systems import BEIDOU, GPS
from rtkpos.processing.epoch import take_epochs
from rtkpos.records.config import RtkConfig
from rtkpos.records.status import FixStatus, Reason
from tests.io.made_solution import made_solution
from tests.recordings import altered, recording, rows_of, run, window

NAGOYA, CAR = "static-nagoya-2024", "kinematic-fujisawa-2021-265"
FIXED, FLOAT = FixStatus.FIXED, FixStatus.FLOAT
SECOND_NS = 1_000_000_000


def status_of(text):
    """Statuses from letters: x fixed, anything else not."""
    return np.array([FIXED if letter == "x" else FLOAT for letter in text], np.int8)


def test_spans_merge_over_short_fixed_stretches_and_the_longest_comes_first():
    gap, parted = "x" * MERGE_EPOCHS, "x" * (MERGE_EPOCHS + 1)
    spans = find_spans(status_of(f"o{parted}oo{gap}o{parted}oo"))
    assert [(span.first, span.n_epoch, len(span.rows)) for span in spans] == [
        (7, 3 + MERGE_EPOCHS, 3), (21, 2, 2), (0, 1, 1),
    ]  # fmt: skip
    assert all((status_of(f"o{parted}oo{gap}o{parted}oo")[s.rows] == FLOAT).all() for s in spans)


@pytest.mark.parametrize("text", ["", "xxx", "o", "oxo", "xooox", "oxxxxxxo"])
def test_spans_hold_every_open_epoch_once(text):
    rows = np.concatenate([np.zeros(0, int), *(span.rows for span in find_spans(status_of(text)))])
    assert sorted(rows) == [k for k, letter in enumerate(text) if letter != "x"]


def made(reasons, status=None, **changes):
    """A made-up solution with these reasons (OK is fixed)."""
    reasons = np.array(reasons, np.int8)
    kinds = [FIXED if r == Reason.OK else FLOAT for r in reasons]
    changes = {"reason": reasons, **changes}
    return made_solution(tuple(status or kinds), **changes)


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason != Reason.OK])
def test_every_reason_is_explained_and_advised_without_inputs(reason):
    result = explain(made([Reason.OK] * 8 + [reason] * 3), RtkConfig())
    span = result.spans[0]
    assert (span.n_unfixed, span.reasons) == (3, {reason.name: 3})
    named = [cause for cause in CAUSES if reason in cause.named]
    assert named, f"add a row to CAUSES that names {reason!r}"
    told = [cause for cause in span.causes if cause.name in [cause.name for cause in named]]
    assert told
    assert all(cause.says and cause.helps and "nan" not in cause.says for cause in span.causes)


def test_a_reason_without_a_row_is_explained_by_its_text(monkeypatch):
    left = tuple(cause for cause in CAUSES if Reason.SEARCH_LIMIT not in cause.named)
    monkeypatch.setattr(why, "CAUSES", left)
    causes = ranked_causes({Reason.SEARCH_LIMIT: 1.0}, {"n_common": 20}, {})
    assert causes[0].name == "the integer search hit its bound"


OPEN_SKY = {
    "age_s": 0.5, "age_words": "0 to 1 s", "limit_age_s": 30.0, "limit_success": 0.99,
    "mask_deg": 10.0,
    "limit_postfit_mm": 50.0, "limit_sigma_mm": 50.0, "limit_search": 20000.0, "n_common": 18,
    "expected_code_m": 0.5, "start_s": 120.0, "n_rover": 20, "n_base": 20, "n_both": 18,
    "n_phase": 40, "n_band": 2.2, "lost_share": 0.0, "half_share": 0.0, "cn0_dbhz": 44.0,
    "no_ephemeris_share": 0.0, "pdop": 1.6, "rover_sees": "G9 E11", "base_sees": "G9 E11",
    "rover_signals": "G 1C", "base_signals": "G 5Q", "slip_share": 0.0, "n_slip": 0.0,
    "storm_share": 0.0, "storm_slips": 0.0, "code_factor": 1.0, "code_m": 0.5, "distance_km": 1.0,
    "distance_mm": 0.8, "ionosphere_words": "it is estimated", "base_offset_m": 2.0,
    "base_effect_mm": 0.0, "start_share": 0.0, "since_s": 900.0, "limit_pairs": 4.0,
    "ratio": 1.4, "ratio_needed": 2.5, "sigma_m": 0.3, "uncertain_m": 0.3, "static_spread_m": 0.2,
    "postfit_mm": 60.0, "jump_share": 1.0,
    "base_late_s": 40.0, "probability": 0.97, "limit_probability": 0.99,
}  # fmt: skip
RATIO = Reason.RATIO_LOW
WINNERS = {
    "age of the corrections": (RATIO, {"age_s": 24.0}),
    "no base epoch": (Reason.NO_BASE_EPOCH, {}),
    "rover satellites": (Reason.FEW_ROVER_SATELLITES, {"n_rover": 3}),
    "ephemerides": (Reason.NO_EPHEMERIS, {}),
    "code position": (Reason.CODE_POSITION_FAILED, {}),
    "common satellites": (Reason.FEW_COMMON_SATELLITES, {"n_common": 3}),
    "signal mismatch": (Reason.FEW_COMMON_SATELLITES, {"n_common": 3, "lost_share": 0.8}),
    "single band": (RATIO, {"n_band": 1.0}),
    "cycle slips": (RATIO, {"slip_share": 0.5}),
    "slips at the start": (RATIO, {"storm_share": 0.9}),
    "half cycles": (Reason.FEW_AMBIGUITIES, {"half_share": 0.9}),
    "code noise": (Reason.SUCCESS_RATE_LOW, {"code_factor": 4.0}),
    "weak signals": (RATIO, {"cn0_dbhz": 25.0}),
    "geometry": (RATIO, {"pdop": 9.0}),
    "distance": (RATIO, {"distance_km": 60.0}),
    "base coordinate": (RATIO, {"base_effect_mm": 60.0}),
    "start of the filter": (Reason.SUCCESS_RATE_LOW, {"start_share": 1.0}),
    "moving antenna": (Reason.POSITION_JUMP, {"static_spread_m": 60.0}),
    "success rate": (Reason.SUCCESS_RATE_LOW, {}),
    "ratio": (RATIO, {}),
    "probability": (Reason.LOW_PROBABILITY, {}),
    "uncertain position": (Reason.FLOAT_TOO_UNCERTAIN, {}),
    "post-fit residuals": (Reason.POSTFIT_LARGE, {}),
    "position jump": (Reason.POSITION_JUMP, {}),
    "fixing switched off": (Reason.AR_OFF, {}),
    "search limit": (Reason.SEARCH_LIMIT, {}),
    "moving base lost": (Reason.BASE_POSITION_FAILED, {}),
    "directions disagree": (Reason.DIRECTIONS_DISAGREE, {}),
    "numerics": (Reason.BAD_COVARIANCE, {}),
}


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.name)
def test_each_cause_can_win_and_says_its_numbers(cause):
    reason, changes = WINNERS[cause.name]
    first = ranked_causes({reason: 1.0}, OPEN_SKY | changes, {})[0]
    assert first.name == cause.name
    assert 0.3 < first.weight <= 1.0
    assert first.says == filled(cause.says, OPEN_SKY | changes)


def test_a_cause_that_fixed_epochs_share_counts_less():
    numbers = OPEN_SKY | {"code_factor": 2.6, "slip_share": 0.3, "n_slip": 12.0}
    like = ranked_causes({RATIO: 1.0}, numbers, {"code_factor": 2.5, "slip_share": 0.01})
    assert like[0].name == "cycle slips"
    alone = ranked_causes({RATIO: 1.0}, numbers, {"slip_share": 0.29, "n_slip": 11.0})
    assert alone[0].name == "code noise"
    assert "(where fixed: 11)" in next(c.says for c in alone if c.name == "cycle slips")


def test_what_was_measured_does_not_count_where_no_integer_was_tried():
    bad = OPEN_SKY | {"code_factor": 9.0, "slip_share": 0.9, "distance_km": 99.0}
    for reason in EARLY:
        assert ranked_causes({reason: 1.0}, bad, {})[0].name not in ("code noise", "cycle slips")


def test_two_causes_share_a_span_in_the_order_of_their_epochs():
    reasons = [Reason.CORRECTION_TOO_OLD] * 6 + [Reason.FEW_COMMON_SATELLITES] * 4
    causes = explain(made(reasons), RtkConfig()).spans[0].causes
    assert [cause.name for cause in causes] == ["age of the corrections", "common satellites"]


def test_everything_fixed_gives_margins():
    solution = made([Reason.OK] * 4)
    found = dataclasses.replace(
        solution.diagnostics,
        ratio_needed=np.array([2.0, 3.0, 6.0, 4.0]),
        success_rate=np.array([1.0, 0.998, 1.0, 1.0]),
    )
    result = explain(dataclasses.replace(solution, diagnostics=found), RtkConfig())
    assert (result.n_unfixed, result.spans) == (0, ())
    assert result.margins["ratio_over_needed_min"] == pytest.approx(12.3 / 6.0)
    assert result.margins["success_rate_min"] == 0.998


@pytest.mark.parametrize("mode", ["single", "dgnss"])
def test_modes_without_a_fix_say_what_a_fix_needs(mode):
    result = explain(made([Reason.OK] * 2, mode=mode), RtkConfig(mode=mode))
    assert "--mode kinematic" in result.wish or "--base" in result.wish
    assert result.spans == ()


def test_a_day_of_seconds_is_explained_in_no_time_and_the_list_is_capped():
    n = 86_400
    rng = np.random.default_rng(3)
    reasons = np.where(rng.random(n) < 0.02, int(RATIO), 0).astype(np.int8)
    solution = made(reasons)
    start = time.perf_counter()
    result = explain(solution, RtkConfig())
    assert time.perf_counter() - start < 1.0
    assert result.n_span > len(result.spans) == MAX_SPANS
    shown = sum(span.n_unfixed for span in result.spans)
    assert shown + sum(result.rest.values()) == result.n_unfixed == (reasons != 0).sum()
    again = explain(solution, RtkConfig()).to_dict()
    assert json.dumps(again, allow_nan=False) == json.dumps(result.to_dict(), allow_nan=False)


def explained(name, last=60, rover=None, base=None, place=None, **options):
    """The explanation of a run over altered tables."""
    from rtkpos.processing.run import solve

    full_rover, full_base, nav, truth = recording(name)
    rover = window(full_rover, 0, last) if rover is None else rover
    base = window(full_base, 0, last + 5) if base is None else base
    config = RtkConfig.from_dict(options)
    place = np.array(truth["base_xyz"]) if place is None else place
    return explain(solve(rover, nav, base, place, config), config, rover, base, nav)


def names(result):
    """Causes of the longest span."""
    return [cause.name for cause in result.spans[0].causes]


@pytest.mark.compiled
def test_a_good_recording_has_nothing_to_explain():
    result = explained(NAGOYA, 40)
    assert result.n_unfixed == 0
    assert result.margins["ratio_over_needed_min"] > 1.0


@pytest.mark.compiled
def test_a_base_that_stops_is_an_old_correction():
    base = take_epochs(recording(NAGOYA)[1], np.arange(10))
    result = explained(NAGOYA, 60, base=base)
    first = result.spans[0].causes[0]
    assert first.name == "age of the corrections"
    assert "limit 30 s" in first.says


@pytest.mark.compiled
def test_satellites_that_the_base_lacks_are_few_common_ones():
    base = window(recording(NAGOYA)[1], 0, 45)
    mine = np.isin(base.sat, np.unique(base.sat[(base.sat >> 6) == GPS])[:5])
    base = altered(
        base,
        code_m=lambda x: np.where(mine, x, np.nan),
        phase_cycle=lambda x: np.where(mine, x, np.nan),
    )
    base = without_empty_rows(base)
    result = explained(NAGOYA, 40, base=base)
    assert names(result)[0] == "common satellites"
    assert result.spans[0].numbers["n_base"] <= 5 < result.spans[0].numbers["n_rover"]


def without_empty_rows(table):
    """The table without rows that hold neither code nor phase."""
    keep = np.isfinite(table.code_m) | np.isfinite(table.phase_cycle)
    epoch = np.repeat(np.arange(table.n_epoch), np.diff(table.row_start))
    counts = np.bincount(epoch[keep], minlength=table.n_epoch)
    fields = ("sat", "sig", "code_m", "phase_cycle", "doppler_hz", "cn0_dbhz", "lli")
    return dataclasses.replace(
        table,
        row_start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        **{name: getattr(table, name)[keep] for name in fields},
    )


@pytest.mark.compiled
def test_noisy_codes_are_named_with_their_scatter():
    rover = window(recording(CAR)[0], 0, 60)
    rng = np.random.default_rng(5)
    noisy = altered(rover, code_m=lambda x: x + rng.normal(0.0, 8.0, len(x)))
    result = explained(CAR, rover=noisy, ar="instantaneous", selection={"systems": "G"})
    assert names(result)[0] == "code noise"
    assert result.spans[0].numbers["code_m"] == pytest.approx(8.0, rel=0.4)


@pytest.mark.compiled
def test_phases_that_slip_all_the_time_are_named():
    rover = window(recording(CAR)[0], 0, 60)
    rng = np.random.default_rng(6)
    slips = rng.random(rover.n_row) < 0.7
    slipping = altered(rover, lli=lambda x: x | slips.astype(x.dtype))
    result = explained(CAR, rover=slipping, selection={"bands": {"G": "1"}, "systems": "G"})
    assert names(result)[0] == "cycle slips"


@pytest.mark.compiled
def test_half_cycles_are_named():
    rover = window(recording(NAGOYA)[0], 0, 20)
    result = explained(NAGOYA, 20, rover=altered(rover, lli=lambda x: x | 2))
    assert names(result)[0] == "half cycles"


@pytest.mark.compiled
def test_bands_without_a_partner_are_named():
    rover, base = (window(table, 0, 30) for table in recording(NAGOYA)[:2])
    few = np.unique(rover.sat[(rover.sat >> 6) == BEIDOU])[:4]
    alone = ~np.isin(rover.sat, few)
    rover = altered(rover, phase_cycle=lambda x: np.where(alone, np.nan, x))
    result = explained(NAGOYA, rover=rover, base=base, selection={"systems": "GC"})
    assert names(result)[0] == "signal mismatch"
    assert "the rover has no phases" in result.spans[0].causes[0].says


@pytest.mark.compiled
def test_a_wrong_base_coordinate_is_named_where_it_matters():
    place = np.array(recording(CAR)[3]["base_xyz"]) + np.array([400.0, 500.0, -600.0])
    result = explained(CAR, 60, place=place)
    assert names(result)[0] == "base coordinate"
    assert "--base-xyz" in result.spans[0].causes[0].helps


@pytest.mark.compiled
def test_static_mode_for_a_moving_antenna_is_named():
    result = explained(CAR, 240, mode="static")
    assert names(result)[0] == "moving antenna"
    assert result.spans[0].causes[0].helps == "--mode kinematic"


@pytest.mark.compiled
def test_fixing_switched_off_and_first_epochs_without_a_base():
    assert names(explained(NAGOYA, 10, ar="off"))[0] == "fixing switched off"
    late = take_epochs(recording(NAGOYA)[1], np.arange(20, 40))
    first = explained(NAGOYA, 30, base=late).spans[0].causes[0]
    assert first.name == "no base epoch"
    assert "1 s after" in first.says


@pytest.mark.compiled
def test_code_residuals_and_rejected_codes_are_what_they_say():
    solution, _ = run(CAR, last=60)
    found = solution.diagnostics
    assert 0.1 < np.median(found.prefit_code_m) < 0.8
    assert found.n_code_rejected.sum() == found.totals["code_rejected"]
    rover = window(recording(CAR)[0], 0, 20)
    sat = rover.sat[rover.row_start[5]]
    far = rows_of(rover, 5, sat=sat)
    broken = altered(rover, code_m=lambda x: x + np.where(far, 80.0, 0.0))
    worse, _ = run(CAR, last=20, rover=broken)
    assert (worse.diagnostics.n_code_rejected[5:] > 0).all()
    assert np.median(worse.diagnostics.prefit_code_m) < 0.8, "outliers are left out"
