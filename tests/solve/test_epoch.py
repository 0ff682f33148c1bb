"""Epochs: cut from tables, put together, checked."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from rtkpos.live.buffer import EpochBuffer
from rtkpos.processing.epoch import ROW_COLUMNS, checked_epoch, epochs, table_of_epoch, take_epochs
from tests.solve.runs import NAGOYA, short

pytestmark = pytest.mark.compiled


def test_epochs_of_a_table_hold_all_its_rows():
    rover = short(NAGOYA, 20)[0]
    found = list(epochs(rover))
    assert [epoch.time_ns for epoch in found] == rover.time_ns.tolist()
    for name in ROW_COLUMNS:
        joined = np.concatenate([getattr(epoch, name) for epoch in found])
        assert np.array_equal(joined, getattr(rover, name), equal_nan=joined.dtype.kind == "f")


def test_taking_epochs_keeps_whole_epochs_in_the_order_asked_for():
    rover = short(NAGOYA, 20)[0]
    taken = take_epochs(rover, np.array([7, 3]))
    for k, source in enumerate((7, 3)):
        one, wanted = list(epochs(taken))[k], list(epochs(rover))[source]
        assert one.time_ns == wanted.time_ns
        assert np.array_equal(one.code_m, wanted.code_m, equal_nan=True)
    assert taken.n_row == taken.row_start[-1] == len(taken.lli)


def test_checking_changes_nothing_in_a_sound_epoch():
    for epoch in list(epochs(short(NAGOYA, 20)[0]))[:3]:
        notes = Counter()
        checked = checked_epoch(epoch, "rover", notes)
        assert not any(notes.values())
        assert table_of_epoch(checked).n_row == epoch.n_row
        for name in ROW_COLUMNS:
            values = getattr(epoch, name)
            same = np.array_equal(
                getattr(checked, name), values, equal_nan=values.dtype.kind == "f"
            )
            assert same, name


def test_zero_and_infinite_observations_are_missing():
    epoch = next(epochs(take_epochs(short(NAGOYA, 20)[0], np.array([0]))))
    epoch.code_m[0], epoch.phase_cycle[1], epoch.code_m[2] = 0.0, 0.0, np.inf
    checked = checked_epoch(epoch, "rover", Counter())
    assert np.isnan([checked.code_m[0], checked.phase_cycle[1], checked.code_m[2]]).all()


def test_buffer_is_a_queue_with_bounded_room():
    sizes = [20, 5, 9, 1, 14, 20, 3]
    first, *_ = epochs(short(NAGOYA, 20)[0])
    buffer, kept = EpochBuffer(3, 30), []
    for k, size in enumerate(sizes):
        cut = {name: getattr(first, name)[:size] + (k if name == "code_m" else 0)
               for name in ROW_COLUMNS}  # fmt: skip
        epoch = type(first)(time_ns=k, **cut)
        n_gone = buffer.append(epoch)
        kept = [*kept[n_gone:], epoch]
        assert buffer.size == len(kept) <= 3
        assert int(buffer.obs.row_start[buffer.size]) == sum(e.n_row for e in kept) <= 30
        for place, one in enumerate(kept):
            rows = slice(int(buffer.obs.row_start[place]), int(buffer.obs.row_start[place + 1]))
            assert buffer.obs.time_ns[place] == one.time_ns
            assert np.array_equal(buffer.obs.code_m[rows], one.code_m, equal_nan=True)
            assert np.array_equal(buffer.obs.sat[rows], one.sat)
    buffer.drop(99)
    assert buffer.size == 0
