"""Pieces of licensed recordings that the repository carries: solved on any machine.

Positions against the truth, and against rows written by an earlier version (piece_rows.json, see
make_rows below): a change of them is no error, but must be meant.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path

import numpy as np
import pytest

from rtkpos.io.rinex.read_navigation import read_nav
from rtkpos.io.rinex.read_observations import read_obs
from rtkpos.processing.run import solve
from rtkpos.records.config import RtkConfig
from rtkpos.records.solution import FixStatus
from tests.real.reference_rows import EVERY, UNIT_M, as_array, as_text

FOLDER = Path(__file__).parent
ROWS = FOLDER / "piece_rows.json"
LIMIT_M, FLOAT_LIMIT_M = 1e-6, 1e-5  # as in tests/real
# Base and rover ECEF [m] and how far the truth can be trusted; the car's is its first epoch.
# nagoya: mean of 301 fixed epochs by RTKLIB 2.4.3 b34; fujisawa: start point of the source's
# samples; geonet: mean of 115 fixed epochs by RTKLIB with the base of its tests.
TRUTH = {
    "nagoya": (
        (-3817681.1213, 3562839.4311, 3650159.1593),
        (-3817681.38, 3562839.9785, 3650158.3756),
        0.002,
    ),
    "fujisawa": (
        (-3959400.631, 3385704.533, 3667523.111),
        (-3961953.0189, 3381199.0224, 3668915.417),
        0.05,
    ),
    "geonet": (
        (-3978241.958, 3382840.234, 3649900.853),
        (-3976219.1875, 3382371.6044, 3652511.1414),
        0.01,
    ),
}
# name: (piece, options, least share of fixes).
CASES = {
    "metre baseline": ("nagoya", {}, 0.98),
    "metre baseline, single epochs": ("nagoya", {"ar": "instantaneous"}, 0.98),
    "metre baseline, BeiDou, static": (
        "nagoya",
        {"mode": "static", "selection": {"systems": "C"}},
        0.9,
    ),
    "car": ("fujisawa", {}, 0.9),
    "GPS of 2005": ("geonet", {}, 0.9),
}


@functools.cache
def piece(name):
    """(rover, base, nav) of a piece."""
    navigation = sorted(FOLDER.glob(f"{name}-?.nav.gz"))
    rover, base = (read_obs(FOLDER / f"{name}-{role}.crx.gz") for role in ("rover", "base"))
    return rover, base, read_nav(navigation)


@functools.cache
def solved(case):
    """The solution of a case."""
    name, options, _ = CASES[case]
    rover, base, nav = piece(name)
    return solve(rover, nav, base, np.array(TRUTH[name][0]), RtkConfig.from_dict(options))


def rows_of(case):
    """(status of each epoch as digits, positions relative to the base in UNIT_M)."""
    solution = solved(case)
    status = "".join(str(int(s)) for s in solution.status)
    return status, (solution.ecef_m[::EVERY] - np.array(TRUTH[CASES[case][0]][0])) / UNIT_M


def make_rows():
    """Write piece_rows.json, from the root of the repository:

    python -c "from tests.pieces.test_pieces import make_rows; make_rows()"
    """
    ROWS.write_text(as_text({case: rows_of(case) for case in CASES}), encoding="ascii")


@pytest.mark.compiled
@pytest.mark.parametrize("case", CASES)
def test_a_piece_is_fixed_at_the_truth(case):
    name, _, share = CASES[case]
    solution = solved(case)
    assert len(solution.status) == 60
    fixed = solution.status == FixStatus.FIXED
    assert fixed.mean() >= share, solution.reason_counts()
    _, rover_m, sigma_m = TRUTH[name]
    error_m = np.linalg.norm(solution.ecef_m - np.array(rover_m), axis=1)
    still = fixed & (np.arange(60) < (1 if name == "fujisawa" else 60))
    worst_mm = 1e3 * error_m[still].max(initial=0.0)
    assert worst_mm < 1e3 * (3.0 * sigma_m + 0.02), f"{worst_mm:.1f} mm"


@pytest.mark.compiled
@pytest.mark.parametrize("case", CASES)
def test_rows_of_a_piece_have_not_moved(case):
    status, rows = rows_of(case)
    kept_status, kept = json.loads(ROWS.read_text(encoding="ascii"))[case]
    assert status == kept_status
    kept = as_array(kept)
    np.testing.assert_array_equal(np.isnan(rows), np.isnan(kept))
    apart_m = np.nan_to_num(np.abs(rows - kept)).max(axis=1) * UNIT_M
    is_float = np.array([digit == str(int(FixStatus.FLOAT)) for digit in status[::EVERY]])
    assert np.all(apart_m <= np.where(is_float, FLOAT_LIMIT_M, LIMIT_M)), f"{apart_m.max()} m"


def test_pieces_are_small_and_their_licences_named():
    files = [path for path in FOLDER.iterdir() if path.name.endswith(".gz")]
    assert sum(path.stat().st_size for path in files) < 1_000_000
    text = (FOLDER / "LICENCES.md").read_text(encoding="utf-8")
    for path in files:
        assert f"| {path.name.partition('-')[0]} |" in text
