"""Rates and percentiles of a solution against hand-computed values."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from rtkpos.errors import DataError
from rtkpos.physics.accuracy import accuracy, error_statistics, outages
from rtkpos.records.status import FixStatus
from tests.io.made_solution import PLACE_ECEF_M, made_solution

F, L, N = FixStatus.FIXED, FixStatus.FLOAT, FixStatus.NONE
NANOMETRE_M = 1e-9


def test_rates_count_all_epochs() -> None:
    error = np.array([[0.01, 0, 0], [0, 0.15, 0], [0.3, 0, 0.4], [0, 0, 0]])
    result = accuracy(made_solution((L, F, F, N), error), PLACE_ECEF_M, 0.10)
    assert (result.n_epoch, result.n_compared, result.n_without_position) == (4, 3, 1)
    assert result.fix_rate == 0.5
    assert (result.n_wrong, result.wrong_rate) == (2, 1.0)
    assert result.within_10cm == 0.25
    assert result.within_50cm == 0.75
    assert result.first_fix_s == 1.0
    assert np.isnan(result.first_right_fix_s)
    assert result.fixed.n == 2


def test_statistics_by_hand() -> None:
    # errors of (3, 4, 12) cm: horizontal 5 cm, 3D 13 cm
    stats = error_statistics(np.array([[0.03, -0.04, 0.12], [0.03, -0.04, -0.12]]))
    assert stats.rms_enu_m == pytest.approx([0.03, 0.04, 0.12])
    assert stats.mean_enu_m == pytest.approx([0.03, -0.04, 0.0])
    assert stats.rms_horizontal_m == pytest.approx(0.05)
    assert stats.three_d_m[95] == pytest.approx(0.13)
    assert stats.up_m[50] == pytest.approx(0.12)


def test_errors_are_east_north_up_at_the_truth() -> None:
    error = np.array([[0.01, 0.02, 0.03]])
    result = accuracy(made_solution((F,), error), np.tile(PLACE_ECEF_M, (1, 1)), 0.1)
    assert np.abs(result.all.mean_enu_m - error[0]).max() < NANOMETRE_M


def test_epochs_without_truth_are_not_judged() -> None:
    truth = np.tile(PLACE_ECEF_M, (3, 1))
    truth[1] = np.nan
    result = accuracy(made_solution((F, F, N)), truth, 0.1)
    assert (result.n_compared, result.n_without_truth) == (1, 1)
    assert result.within_10cm == 0.5


def test_empty_groups_are_nan_and_none_in_json() -> None:
    result = accuracy(made_solution((N, N)), PLACE_ECEF_M, 0.1)
    assert result.all.n == 0
    assert np.isnan(result.all.rms_3d_m)
    plain = result.to_dict()
    assert plain["all"]["rms_3d_m"] is None
    assert plain["fixed"]["three_d_m"]["p95"] is None


def test_wrong_shape_is_refused() -> None:
    with pytest.raises(DataError, match="shape"):
        accuracy(made_solution(), np.zeros((2, 3)), 0.1)


def test_outages_last_from_fix_to_fix() -> None:
    """Float for 2 s and for 1 s, a gap of 10 s in the recording, and no fix at the end."""
    status = (L, F, L, L, F, F, L, F, F, L)
    solution = made_solution(status, np.zeros((10, 3)))
    later = np.where(np.arange(10) >= 8, 10_000_000_000, 0)
    lost = outages(dataclasses.replace(solution, time_ns=solution.time_ns + later))
    assert lost.n == 3
    assert (lost.longest_s, lost.median_s, lost.open_s) == (11.0, 3.0, 1.0)
    never = outages(made_solution((L, N), np.zeros((2, 3)))).to_dict()
    assert never == {"n": 0, "longest_s": None, "median_s": None, "open_s": 0.0}
