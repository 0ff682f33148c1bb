"""Forward and backward rows made one: every rule, on made-up rows and on a recording."""

from __future__ import annotations

import numpy as np
import pytest

from rtkpos.estimate.step_memory import step_outputs
from rtkpos.processing.combine import TALLY_NAMES, combine, fuse
from rtkpos.processing.run import solve
from rtkpos.records.config import RtkConfig
from rtkpos.records.status import FixStatus, Reason
from tests.recordings import recording
from tests.solve.runs import NAGOYA, short, solved

PLACE = np.array([-3.8e6, 3.5e6, 3.6e6])
MM = 1e-3


def row(status, shift_m=(0.0, 0.0, 0.0), sigma_m=0.003, reason=Reason.OK):
    """One output row at PLACE + shift."""
    rows = step_outputs(1)
    rows["ecef_m"], rows["cov_ecef_m2"] = PLACE + np.array(shift_m), sigma_m**2 * np.eye(3)
    rows["status"], rows["reason"], rows["n_fixed"] = status, reason, 7
    return rows


def combined(forward, backward):
    """The combined row and the name of the rule that was counted, if any."""
    out, tally = combine(forward, backward)
    named = [name for name in TALLY_NAMES if tally[name]]
    return out[0], named[0] if named else None


def test_equal_fixes_agree_and_are_not_believed_more():
    out, rule = combined(row(FixStatus.FIXED), row(FixStatus.FIXED))
    assert (out["status"], rule) == (FixStatus.FIXED, "combined_agree")
    assert np.allclose(out["cov_ecef_m2"], 0.003**2 * np.eye(3))
    assert np.allclose(out["ecef_m"], PLACE)


def test_fixes_apart_are_demoted_and_the_sigma_covers_both():
    out, rule = combined(row(FixStatus.FIXED, (0.2, 0, 0)), row(FixStatus.FIXED))
    assert (out["status"], out["reason"]) == (FixStatus.FLOAT, Reason.DIRECTIONS_DISAGREE)
    assert rule == "combined_disagree"
    assert out["n_fixed"] == 0
    assert np.allclose(out["ecef_m"], PLACE + np.array([0.1, 0, 0]))
    assert np.sqrt(out["cov_ecef_m2"][0, 0]) == pytest.approx(0.1, rel=0.01)
    assert np.sqrt(out["cov_ecef_m2"][1, 1]) == pytest.approx(0.003)


@pytest.mark.parametrize(("apart_m", "agree"), [(0.03, True), (0.06, False)])
def test_the_limit_is_four_sigma_of_the_difference(apart_m, agree):
    # sigma of the difference: sqrt(2) 3 mm and the floor of 10 mm, 10.9 mm; four of it 43 mm.
    out, _ = combined(row(FixStatus.FIXED, (apart_m, 0, 0)), row(FixStatus.FIXED))
    assert (out["status"] == FixStatus.FIXED) == agree


def test_one_fix_stands_alone_when_the_float_knows_little():
    fix, rough = row(FixStatus.FIXED, (3.0, 0, 0)), row(FixStatus.FLOAT, sigma_m=0.9)
    for pair in ((fix, rough), (rough, fix)):
        out, rule = combined(*pair)
        assert (out["status"], rule) == (FixStatus.FIXED, "combined_one_fixed")
        assert np.allclose(out["ecef_m"], PLACE + np.array([3.0, 0, 0]))


def test_one_fix_is_demoted_by_a_precise_float_far_away():
    fix, sharp = row(FixStatus.FIXED, (1.0, 0, 0)), row(FixStatus.FLOAT, sigma_m=0.05)
    out, rule = combined(fix, sharp)
    assert (out["status"], out["reason"]) == (FixStatus.FLOAT, Reason.DIRECTIONS_DISAGREE)
    assert rule == "combined_float_disagrees"


def test_floats_are_weighted_by_information():
    near = row(FixStatus.FLOAT, (0.4, 0, 0), 0.1, Reason.RATIO_LOW)
    far = row(FixStatus.FLOAT, (0.0, 0, 0), 0.2, Reason.RATIO_LOW)
    out, rule = combined(far, near)
    assert (out["status"], out["reason"], rule) == (FixStatus.FLOAT, Reason.RATIO_LOW, None)
    assert out["ecef_m"][0] - PLACE[0] == pytest.approx(0.32)
    assert out["cov_ecef_m2"][0, 0] == pytest.approx(2.0 / (1 / 0.1**2 + 1 / 0.2**2))


def test_better_status_wins_and_nothing_stays_nothing():
    out, _ = combined(row(FixStatus.DGNSS, sigma_m=0.5), row(FixStatus.FLOAT, sigma_m=0.7))
    assert out["status"] == FixStatus.FLOAT
    nothing = step_outputs(1)
    out, _ = combined(nothing, row(FixStatus.SPP, sigma_m=3.0))
    assert out["status"] == FixStatus.SPP
    out, rule = combined(nothing, nothing)
    assert (out["status"], rule) == (FixStatus.NONE, None)
    assert np.isnan(out["ecef_m"]).all()


def test_fusion_is_symmetric_and_never_more_certain_than_the_average_information():
    rng = np.random.default_rng(5)
    rows = [step_outputs(20) for _ in range(2)]
    for one in rows:
        roots = rng.normal(size=(20, 3, 3))
        one["ecef_m"] = PLACE + rng.normal(size=(20, 3))
        one["cov_ecef_m2"] = roots @ roots.transpose(0, 2, 1) + 0.01 * np.eye(3)
    place, cov = fuse(*rows)
    other, other_cov = fuse(*rows[::-1])
    assert np.abs(place - other).max() < 1e-6
    assert np.allclose(cov, other_cov)
    information = sum(np.linalg.inv(one["cov_ecef_m2"]) for one in rows)
    assert np.allclose(np.linalg.inv(cov) * 2.0, information)


@pytest.mark.compiled
def test_a_combined_run_keeps_good_fixes():
    rover, base, nav, place = short(NAGOYA, 60)
    solution = solve(rover, nav, base, place, RtkConfig(direction="combined"))
    truth = np.array(recording(NAGOYA)[3]["rover_xyz"])
    assert (solution.status == FixStatus.FIXED).all()
    assert np.linalg.norm(solution.ecef_m - truth, axis=1).max() < 10 * MM
    assert solution.diagnostics.totals["combined_agree"] == 60
    forward = solved(NAGOYA, 60)
    assert (np.linalg.norm(solution.ecef_m - forward.ecef_m, axis=1) < MM).all()
    ratio = solution.cov_ecef_m2[:, 0, 0] / forward.cov_ecef_m2[:, 0, 0]
    assert ratio.min() > 0.9, "agreement must not halve the covariance"
