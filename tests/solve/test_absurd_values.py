"""Values that no receiver can measure never become a position, and never a fix."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from rtkpos.estimate.output_row import PLACE_LIMIT_M, is_possible
from rtkpos.live.engine import RtkEngine
from rtkpos.processing import epoch as epoch_module
from rtkpos.processing.epoch import epochs
from rtkpos.processing.run import solve
from rtkpos.records.config import RtkConfig
from rtkpos.records.status import FixStatus
from tests.solve.runs import NAGOYA, short, solved

pytestmark = pytest.mark.compiled

ABSURD = (1e308, -1e308, 1e300, np.inf, 1e155, 1e20, 1e12)
COLUMNS = ("phase_cycle", "code_m", "doppler_hz")


def altered(table, column, value, share=1.0):
    """A table with some values of a column replaced."""
    values = getattr(table, column).copy()
    chosen = np.random.default_rng(3).random(len(values)) < share
    values[chosen & np.isfinite(values)] = value
    return dataclasses.replace(table, **{column: values})


def assert_sound(status, ecef_m, cov_m2):
    """Positions and covariances are finite wherever the status says that there are some."""
    has = np.asarray(status) > FixStatus.NONE
    assert np.isfinite(np.asarray(ecef_m)[has]).all()
    assert np.isfinite(np.asarray(cov_m2)[has]).all()
    assert (np.abs(np.asarray(ecef_m)[has]) < PLACE_LIMIT_M).all()


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("value", ABSURD)
@pytest.mark.parametrize("end", ["rover", "both"])
def test_absurd_values_never_fix(monkeypatch, column, value, end):
    """Also behind the door: the limits there are lifted, and the filter has to see to it."""
    rover, base, nav, place = short(NAGOYA, 4)
    rover = altered(rover, column, value)
    base = altered(base, column, value) if end == "both" else base
    for limits in (epoch_module._LIMITS, dict.fromkeys(epoch_module._LIMITS, np.inf)):
        monkeypatch.setattr(epoch_module, "_LIMITS", limits)
        for mode in ("kinematic", "static"):
            with np.errstate(all="ignore"):
                done = solve(rover, nav, base, place, RtkConfig(mode=mode))
            assert_sound(done.status, done.ecef_m, done.cov_ecef_m2)
            assert column == "doppler_hz" or not (done.status == FixStatus.FIXED).any()


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_some_absurd_values_cost_themselves(share):
    rover, base, nav, place = short(NAGOYA, 6)
    done = solve(altered(rover, "phase_cycle", 1e308, share), nav, base, place)
    assert_sound(done.status, done.ecef_m, done.cov_ecef_m2)
    apart_m = np.linalg.norm(done.ecef_m - solved(NAGOYA, 6).ecef_m, axis=1)
    assert (apart_m[done.status == FixStatus.FIXED] < 0.03).all()
    assert done.report.counts["absurd_value"] > 0
    assert any("beyond what a receiver can measure" in line for line in done.report.warnings)


def test_the_live_engine_goes_on_after_an_absurd_epoch():
    rover, base, nav, place = short(NAGOYA, 6)
    engine = RtkEngine(RtkConfig(), nav, place)
    for k, (one, other) in enumerate(zip(epochs(rover), epochs(base), strict=True)):
        given = dataclasses.replace(one, phase_cycle=np.full(one.n_row, 1e308)) if k == 2 else one
        fix = engine.update(given, other)
        assert fix.status == (FixStatus.FIXED if k != 2 else FixStatus.DGNSS)
        assert np.isfinite(fix.ecef_m).all()


@pytest.mark.parametrize(
    ("position", "variance", "possible"),
    [
        ((1.0, -2.0, 3.0), 1.0, True),
        ((np.nan, 0.0, 0.0), 1.0, False),
        ((0.0, np.inf, 0.0), 1.0, False),
        ((0.0, 0.0, -1e9), 1.0, False),
        ((0.0, 0.0, 0.0), np.nan, False),
        ((0.0, 0.0, 0.0), -1.0, False),
        ((0.0, 0.0, 0.0), np.inf, False),
    ],
)
def test_what_is_possible(position, variance, possible):
    assert is_possible(np.array(position), np.diag([1.0, 1.0, variance])) == possible


@pytest.mark.parametrize("covariance", [np.nan, np.inf, -np.inf])
def test_no_position_has_a_covariance_that_is_no_number(covariance):
    cov_m2 = np.eye(3)
    cov_m2[2, 0] = covariance
    assert not is_possible(np.zeros(3), cov_m2)
