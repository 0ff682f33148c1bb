"""The covariance of a fix against the truth: simulated epochs whose noise is the model's own."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from rtkpos.estimate.baseline.observation_noise import phase_variance
from rtkpos.gnss.signals import carrier_hz, sig_band
from rtkpos.physics.satellites import satellite_states
from rtkpos.processing.run import solve
from rtkpos.processing.settings import kernel_settings
from rtkpos.records.config import RtkConfig
from rtkpos.records.solution import FixStatus
from rtkpos.simulate.in_memory import simulate_in_memory
from rtkpos.simulate.medium.ellipsoid import local_axes, place_llh
from tests.simulate.scenes import QUIET, scene

LIGHT_MPS = 299_792_458.0
N_EPOCH = 100
CONFIG = RtkConfig.from_dict(
    {"ar": "instantaneous", "atmosphere": {"troposphere": "off", "ionosphere": "off"}}
)


def elevations(table, nav, place_m):
    """Elevation of each row [rad] at a place (3,) ECEF [m]."""
    times = table.time_ns[np.repeat(np.arange(table.n_epoch), np.diff(table.row_start))]
    line = satellite_states(nav, table.sat, times).ecef_m - place_m
    up = local_axes(place_llh(place_m[None])[0])[2]
    return np.arcsin(line @ up / np.linalg.norm(line, axis=1))


def with_white_noise(table, nav, place_m, random):
    """The table with Gaussian noise of just the variances the filter assumes."""
    settings = kernel_settings(CONFIG)
    rows = zip(elevations(table, nav, place_m), table.cn0_dbhz, strict=True)
    sigma_m = np.sqrt([phase_variance(float(e), float(c), settings) for e, c in rows])
    pairs = zip(table.sat, table.sig, strict=True)
    hertz = np.array([carrier_hz(int(s) >> 6, sig_band(int(g))) for s, g in pairs])
    noise = random.normal(size=(2, table.n_row)) * sigma_m
    return dataclasses.replace(
        table,
        phase_cycle=table.phase_cycle + noise[0] * hertz / LIGHT_MPS,
        code_m=table.code_m + settings.code_phase_ratio * noise[1],
    )


@pytest.mark.compiled
def test_covariance_of_a_fix_against_the_truth():
    """The sum of e' C^-1 e over 100 independent epochs.

    With noise as the model says, a fix errs by what its phases say; its covariance is stated 2.5
    times as large, for what an epoch does not show (docs/decisions/ellipses.md). So 2.5 times the
    sum over n fixes is near 3 n, with a deviation of sqrt(6 n): 9 % for 87 fixes. Robust weights
    and the scatter of a single epoch, which the covariance follows, cost a fifth of it.
    """
    run = {"interval_s": 30.0, "duration_s": 30.0 * (N_EPOCH - 1)}
    nav, made = simulate_in_memory(scene("GECJ", run=run, **QUIET))
    random = np.random.default_rng(17)
    base, rover = made["BASE"], made["CAR"]
    tables = [
        with_white_noise(one.table, nav, one.antenna_ecef[0], random) for one in (rover, base)
    ]
    solution = solve(tables[0], nav, tables[1], base.antenna_ecef[0], CONFIG)
    fixed = solution.status == FixStatus.FIXED
    assert fixed.mean() > 0.85, solution.reason_counts()
    error_m = (solution.ecef_m - rover.antenna_ecef)[fixed]
    pairs = zip(error_m, solution.cov_ecef_m2[fixed], strict=True)
    total = sum(error @ np.linalg.solve(cov, error) for error, cov in pairs)
    n = int(fixed.sum())
    share = 2.5 * total / (3.0 * n)
    assert 0.75 < share < 1.5, f"squared errors are {share:.2f} of what the covariance says"
