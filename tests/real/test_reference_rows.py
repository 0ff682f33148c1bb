"""Positions and status of known recordings stay what they are, to a micrometre.

A change of them is no error, but must be meant: run tools/make_reference_rows.py and say so.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from rtkpos.records.status import FixStatus
from tests.real.reference_rows import CASES, EVERY, UNIT_M, as_array, as_text, kept_rows, rows_of

LIMIT_M = 1e-6
# A float is a mean of integer candidates decimetres apart, whose weights turn a rounded orbit
# (4e-8 m, a hundred-thousandth of a phase's sigma) into micrometres.
FLOAT_LIMIT_M = 1e-5
FLOAT = str(int(FixStatus.FLOAT))


@pytest.mark.parametrize("name", CASES)
def test_rows_have_not_moved(name):
    status, rows = rows_of(name)
    kept_status, kept = kept_rows()[name]
    assert status == kept_status
    np.testing.assert_array_equal(np.isnan(rows), np.isnan(kept))
    apart_m = np.nan_to_num(np.abs(rows - kept)).max(axis=1) * UNIT_M
    is_float = np.array([digit == FLOAT for digit in status[::EVERY]])
    excess = apart_m / np.where(is_float, FLOAT_LIMIT_M, LIMIT_M)
    worst = int(excess.argmax())
    assert excess[worst] <= 1.0, f"row {worst} moved by {apart_m[worst] * 1e3:.4f} mm"


def test_the_file_gives_back_what_was_written():
    rows = np.array([[1.4, -2.0, 3.0], [np.nan] * 3])
    text = as_text({"a": ("50", rows)})
    status, values = json.loads(text)["a"]
    assert status == "50"
    np.testing.assert_array_equal(as_array(values), [[1.0, -2.0, 3.0], [np.nan] * 3])
