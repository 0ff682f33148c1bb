"""Integers taken over from two sides of a triangle, and refused where they do not fit."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from rtkpos.network.ambiguity import transfer
from rtkpos.network.network_memory import COUNT_TRANSFERRED
from tests.network.scenes import Watch, scene


@pytest.fixture(scope="module")
def stepped():
    """The network after five minutes of a quiet day: everything is held."""
    engine = scene("calm").engine(passes=1)
    assert len(list(engine.steps(1))) == 151
    return engine


@pytest.fixture
def memory(stepped):
    old = stepped.memory
    return old._replace(
        edge=copy.deepcopy(old.edge), closed=old.closed.copy(), tally=np.zeros_like(old.tally)
    )


def let_go(memory, t, side, number):
    """Take the integers of a triangle's side and its number-th satellite, leaving the filter alone.

    Returns : (baseline, satellite, bands, integers that were held)
    """
    e = int(memory.triangle[t, side])
    edge = memory.edge[e]
    n = int(edge.work.n_sat)
    held = memory.edge["model"]["held"][memory.triangle[t]][:, edge.work.sat[:n]].min(axis=0)
    i = int(np.flatnonzero(held.sum(axis=1) >= 2)[number])
    sat = int(edge.work.sat[i])
    bands = np.flatnonzero(held[i])
    before = edge.integer[sat, bands].copy()
    edge.model.held[sat, bands] = 0
    edge.integer[sat, bands] = 0
    for each in range(len(memory.ends)):
        memory.edge[each].is_free[:] = 0
    edge.is_free[i, bands] = 1
    return e, sat, bands, before


@pytest.mark.parametrize("side", range(3))
def test_what_two_sides_imply_is_taken_over(stepped, memory, side):
    e, sat, bands, before = let_go(memory, 0, side, 3)
    n = transfer.transfer_integers(int(stepped.time_ns[-1]), memory)
    assert n == len(bands) == memory.tally[COUNT_TRANSFERRED]
    assert memory.edge["model"]["held"][e, sat, bands].all()
    assert np.array_equal(memory.edge["integer"][e, sat, bands], before)


@pytest.mark.parametrize("wrong_cycle", [1, -2])
def test_what_does_not_fit_is_refused(stepped, memory, wrong_cycle):
    """Another side's integer is wrong on one band; the filter of the third knows better."""
    used = memory.triangle[0]
    e, sat, bands, _ = let_go(memory, 0, 0, 3)
    for t in range(len(memory.triangle)):
        if t != 0 and e in memory.triangle[t]:
            memory.closed[t] = 0
    memory.edge["integer"][used[1], sat, bands[0]] += wrong_cycle
    assert transfer.transfer_integers(int(stepped.time_ns[-1]), memory) == 0
    assert not memory.edge["model"]["held"][e, sat, bands].any()


def test_triangles_that_do_not_close_tell_nothing(stepped, memory):
    memory.closed[:] = 0
    let_go(memory, 0, 0, 3)
    assert transfer.transfer_integers(int(stepped.time_ns[-1]), memory) == 0


def test_transferred_integers_are_true():
    """With slips, half cycles and gaps, where more than 300 are transferred."""
    made = scene("rough")
    engine = made.engine(passes=1)
    watch = Watch(made, engine)
    wrong, n = watch.run()
    k = COUNT_TRANSFERRED
    assert engine.memory.tally[k] + engine.memory.edge["tally"][:, k].sum() > 300
    assert wrong == 0
    assert n > 50_000
