"""Kernels called without numba: every kind of argument and result, and what is refused."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest

from rtkpos._arrays import record_of, record_table
from rtkpos._numba.calls import Form, MachineCode, describe, key_text, layouts_are_known
from rtkpos._numba.decorator import kernel

compiled_only = pytest.mark.compiled


class Inner(NamedTuple):
    """Arrays of the shapes and orders that kernels may get."""

    line: np.ndarray
    table: np.ndarray


class Outer(NamedTuple):
    """A tuple in a tuple, and numbers beside it."""

    inner: Inner
    count: int
    scale: float
    is_on: bool


@kernel
def add_up(outer, offset):
    total = offset
    if outer.is_on:
        for i in range(outer.inner.table.shape[0]):
            for j in range(outer.inner.table.shape[1]):
                total += outer.scale * outer.inner.table[i, j] * (i - 2.0 * j)
        for i in range(outer.count):
            total -= outer.inner.line[i]
    return total


@kernel
def change_record(record, rows, k):
    record.line[k] += 1.5
    rows[k].table[0, 1] = record.line[k]


@kernel
def facts_of(values):
    return values.shape[0], values[0] > 0.0, 0.5 * values[0]


@kernel
def is_positive(value):
    return value > 0


@kernel
def unsigned_half(value):
    return value >> 1


def outer_of(table, flat=(0.5, -7.0, 3.0), count=2, is_on=True):
    return Outer(Inner(np.array(flat), table), count, -0.25, is_on)


TABLE = np.arange(12.0).reshape(3, 4) ** 1.5
ORDERS = {
    "C": TABLE,
    "Fortran": np.asfortranarray(TABLE),
    "transposed": TABLE.T,
    "every other column": TABLE[:, ::2],
    "backwards": TABLE[::-1],
    "one row": TABLE[:1],
    "empty": TABLE[:0],
}


@pytest.mark.parametrize("name", ORDERS)
def test_arrays_of_any_order_in_tuples(name):
    outer = outer_of(ORDERS[name])
    assert add_up(outer, 3.0) == add_up.py_func(outer, 3.0)


def test_read_only_arrays_and_numbers_of_numpy():
    table = TABLE.copy()
    table.flags.writeable = False
    plain = outer_of(table)
    numbers = plain._replace(count=np.int16(2), scale=np.float64(-0.25), is_on=np.bool_(True))
    assert add_up(numbers, np.float32(3.0)) == add_up.py_func(plain, 3.0)
    assert add_up(plain._replace(is_on=False), 3.0) == 3.0


def test_records_are_changed_in_place():
    record = record_of(Inner(np.array([1.0, 2.0]), TABLE))
    rows = record_table(Inner(np.array([1.0, 2.0]), TABLE), 3)
    assert change_record(record, rows, 1) is None
    assert record.line.tolist() == [1.0, 3.5]
    assert [row.table[0, 1] for row in rows] == [1.0, 3.5, 1.0]


@compiled_only
def test_results_are_numbers_of_python():
    found = facts_of(np.array([4.0, 1.0]))
    assert found == (2, True, 2.0)
    assert [type(value) for value in found] == [int, bool, float]
    assert is_positive(-3) is False
    assert is_positive(np.float64(0.1)) is True


@compiled_only
def test_large_whole_numbers():
    assert unsigned_half(np.uint64(2**64 - 2)) == 2**63 - 1
    assert unsigned_half(-(2**63)) == -(2**62)


@compiled_only
def test_arguments_by_name():
    assert add_up(offset=1.0, outer=outer_of(TABLE)) == add_up(outer_of(TABLE), 1.0)
    with pytest.raises(TypeError, match="missing"):
        add_up(outer_of(TABLE))


@compiled_only
@pytest.mark.parametrize("value", [None, "text", [1.0], {}, 1j])
def test_other_arguments_are_refused(value):
    with pytest.raises(TypeError, match="a kernel takes arrays, records and numbers"):
        is_positive(value)


@compiled_only
def test_result_that_is_no_number_is_refused():
    @kernel
    def itself(values):
        return values

    with pytest.raises(TypeError, match="returns numbers"):
        itself(np.zeros(2))


def test_layouts_of_this_numpy():
    assert layouts_are_known()


def text_of(*values):
    key: list = []
    describe(values, key, [])
    return key_text(key)


def test_types_that_differ_have_different_names():
    read_only = np.zeros(2)
    read_only.flags.writeable = False
    aligned = np.dtype([("a", np.int8), ("b", np.float64)], align=True)
    packed = np.dtype([("a", np.int8), ("b", np.float64)])
    values = [
        (1,),
        (1.0,),
        (True,),
        (np.uint64(1),),
        ((1,),),
        ((1, 1),),
        (1, 1),
        (np.zeros(2),),
        (np.zeros(2, np.float32),),
        (np.zeros((2, 2)),),
        (np.zeros((2, 3, 4))[:, ::2],),
        (np.zeros((2, 3, 4)),),
        (np.asfortranarray(np.zeros((2, 3, 4))),),
        (read_only,),
        (Inner(np.zeros(2), np.zeros(2)),),
        ((np.zeros(2), np.zeros(2)),),
        (np.zeros(1, aligned)[0],),
        (np.zeros(1, packed)[0],),
        (np.zeros(1, aligned),),
        (np.zeros(1, np.dtype([("a", np.int8), ("c", np.float64)], align=True))[0],),
        (np.zeros(1, np.dtype([("a", np.int8), ("b", np.float64, (2,))]))[0],),
    ]
    texts = [text_of(*value) for value in values]
    assert len(set(texts)) == len(texts)
    assert text_of(np.int8(1), np.float32(1)) == text_of(1, 1.0)


@compiled_only
def test_code_that_needs_an_unknown_symbol_is_not_loaded():
    code = MachineCode("entry", (b"",), "", "", False, ("sin", "no_such_symbol"))
    with pytest.raises(OSError, match="no_such_symbol"):
        Form("test", code)


SOURCE = """
import math
from rtkpos._numba.decorator import kernel

@kernel
def length(a, b):
    return math.hypot(a, math.sin(b))
"""
RUNNER = """
import sys, throwaway
value = throwaway.length(3.0, 0.5)
print(repr(value), throwaway.length.n_loaded, "numba" in sys.modules)
"""


@compiled_only
def test_a_second_process_needs_no_numba(tmp_path):
    (tmp_path / "throwaway.py").write_text(SOURCE)
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}

    def run():
        result = subprocess.run(
            [sys.executable, "-c", RUNNER],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return result.stdout.split()

    first, second = run(), run()
    assert first == [second[0], "0", "True"]
    assert second[1:] == ["1", "False"]


def test_a_form_is_kept_as_plain_values():
    """What is read from disk at every start names no class of the package."""
    code = MachineCode("entry", (b"code",), "Qd", "q", False, ("sin",))
    assert MachineCode(*pickle.loads(pickle.dumps(tuple(code)))) == code
    assert b"rtkpos" not in pickle.dumps(tuple(code))
