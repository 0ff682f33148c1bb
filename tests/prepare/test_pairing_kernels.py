"""Signal pairs and common satellites against a search over all pairs."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from rtkpos._arrays import record_of
from rtkpos.estimate.baseline.epoch_work import epoch_work
from rtkpos.prepare.common import pair_cost, pair_epoch, pair_signals

pytestmark = pytest.mark.plain
N_SIG, N_SLOT = 12, 3


def made_plan(random):
    """Signals 0-11 in bands at random, with ranks and families; every satellite wanted but 3."""
    wanted = np.ones(20, np.int8)
    wanted[3] = 0
    return SimpleNamespace(
        slot=random.integers(-1, N_SLOT, N_SIG).astype(np.int8),
        rank=random.permutation(N_SIG).astype(np.int8),
        family=random.integers(0, 4, N_SIG).astype(np.int8),
        wanted=wanted,
    )


def made_epoch(random, sats):
    """Observations of one epoch, sorted by satellite, with holes in code and phase."""
    sat = np.repeat(np.array(sats, np.int16), 4)
    sig = np.concatenate([np.sort(random.permutation(N_SIG)[:4]) for _ in sats]).astype(np.int16)
    hole = np.where(random.uniform(size=(2, len(sat))) < 0.25, math.nan, 1.0)
    return SimpleNamespace(
        sat=sat, sig=sig, phase_cycle=hole[0], code_m=hole[1], row_start=np.array([0, len(sat)])
    )


def best_pairs(rover, rows_rover, base, rows_base, plan):
    """(2, N_SLOT) rows of the best pair of each slot, by sorting all of them."""
    out = np.full((2, N_SLOT), -1)
    for slot in range(N_SLOT):
        pairs = [
            (
                bool(np.isnan(rover.phase_cycle[i] + base.phase_cycle[j])),
                bool(np.isnan(rover.code_m[i] + base.code_m[j])),
                pair_cost(rover.sig[i], base.sig[j], plan.rank, plan.family),
                i,
                j,
            )
            for i in range(*rows_rover)
            for j in range(*rows_base)
            if plan.slot[rover.sig[i]] == slot == plan.slot[base.sig[j]]
        ]
        if pairs:
            out[:, slot] = min(pairs, key=lambda pair: pair[:3])[3:]
    return out


@pytest.mark.parametrize("seed", range(8))
def test_pairs_of_one_satellite_are_the_best_of_all(seed):
    random = np.random.default_rng(seed)
    plan, rows = made_plan(random), (0, 4)
    rover, base = made_epoch(random, [5]), made_epoch(random, [5])
    out = np.zeros((2, N_SLOT), np.int64)
    n = pair_signals(rover, rows, base, rows, plan, out)
    np.testing.assert_array_equal(out, best_pairs(rover, rows, base, rows, plan))
    assert n == np.sum(out[0] >= 0)


@pytest.mark.parametrize("seed", range(4))
def test_satellites_of_an_epoch_are_the_wanted_common_ones_with_a_pair(seed):
    random = np.random.default_rng(100 + seed)
    plan = made_plan(random)
    rover, base = made_epoch(random, [1, 3, 4, 7, 9]), made_epoch(random, [0, 3, 4, 7, 8, 9, 11])
    work = record_of(epoch_work())
    n = pair_epoch(rover, 0, base, 0, plan, work)
    wanted = []
    for sat in (4, 7, 9):
        rows = [
            (int(found[0]), int(found[-1]) + 1)
            for found in (np.flatnonzero(obs.sat == sat) for obs in (rover, base))
        ]
        pairs = best_pairs(rover, rows[0], base, rows[1], plan)
        if pairs.max() >= 0:
            wanted.append((sat, pairs))
    assert work.sat[:n].tolist() == [sat for sat, _ in wanted]
    for i, (_, pairs) in enumerate(wanted):
        np.testing.assert_array_equal(work.row[:, i, :], pairs)
