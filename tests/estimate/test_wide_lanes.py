"""On a long line the most precise integer combinations are wide lanes, found without a cascade."""

from __future__ import annotations

import numpy as np

from rtkpos.estimate.step import run_block
from rtkpos.estimate.step_memory import step_memory, step_outputs
from rtkpos.processing.settings import run_inputs
from rtkpos.records.config import RtkConfig
from rtkpos.records.report import ReadReport
from tests.core.transformation import matrix_of
from tests.recordings import recording, window


def is_wide_lane(row, satellite, band):
    """Whether a combination takes as much of L1 as it gives of L2 at every satellite."""
    sums = [[row[(satellite == s) & (band == b)].sum() for b in (0, 1)] for s in set(satellite)]
    return all(first == -second for first, second in sums)


def test_the_first_fixed_combinations_are_wide_lanes():
    rover, base, nav, truth = recording("network-netherlands-2021-001")
    config = RtkConfig.from_dict({"selection": {"systems": "G"}})
    tables = window(rover, 0, 1), nav, window(base, 0, 1)
    inputs = run_inputs(*tables, np.array(truth["base_xyz"]), config, ReadReport())
    memory, out = step_memory(), step_outputs(1)
    run_block(inputs, np.arange(1), 0, 1, memory, out)
    amb = memory.ambiguity  # as the epoch's last attempt left it
    n = int(amb.candidate.sum() - (amb.reference >= 0).sum())
    rows = matrix_of(n, amb.search)
    wide = [is_wide_lane(row, amb.satellite[:n], amb.band[:n]) for row in rows]
    assert wide[-1]
    assert sum(wide[-6:]) >= 5
    # What the ionosphere blurs, single carriers and the rest, comes last.
    precise, loose = amb.search.cond_var[n - 6 : n], amb.search.cond_var[:6]
    assert precise.max() < 0.7 * loose.min()
