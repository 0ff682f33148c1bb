"""Array type aliases: what the records hold and the kernels take (C-contiguous)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
TimeArray = NDArray[np.int64]  # GPST nanoseconds
IndexArray = NDArray[np.int64]
SatArray = NDArray[np.int16]
SigArray = NDArray[np.int16]
BoolArray = NDArray[np.bool_]
FlagArray = NDArray[np.uint8]
SmallArray = NDArray[np.int8]
ShortArray = NDArray[np.int16]

_LINE = 8  # float64 in a line of the cache


def row_width(n: int) -> int:
    """Columns to allocate for matrices of n columns of float64: an odd number of cache lines.

    With an even number, or a power of two as 128, the elements of a column fall into a few sets
    of the cache and drive each other out: the integer reduction was 3 times slower.
    """
    lines = -(-n // _LINE)
    return _LINE * (lines + 1 - lines % 2)


def record_of(values: Any) -> Any:
    """A NamedTuple of arrays, scalars and NamedTuples as one numpy record of the same fields.

    A kernel takes a record as one pointer, whatever it holds, where a tuple of arrays costs
    several machine words and a share of compilation for each; see docs/decisions/numba.md.
    The values are copied; fields keep their shapes, so a record is made once per run.
    """
    record = np.zeros(1, _record_dtype(values)).view(np.recarray)[0]
    _fill_record(record, values)
    return record


def record_table(values: Any, n: int) -> Any:
    """n rows of records of the fields of a NamedTuple, each starting with its values."""
    table = np.zeros(n, _record_dtype(values)).view(np.recarray)
    if n:
        _fill_record(table[0], values)
        table[1:] = table[0]
    return table


def _record_dtype(values: Any) -> np.dtype[Any]:
    """Structured dtype of a NamedTuple: arrays nest with their shape, tuples as sub-records.

    Truth values become uint8: numba has no nested arrays of booleans.
    """
    fields: list[Any] = []
    for name, value in zip(values._fields, values, strict=True):
        if hasattr(value, "_fields"):
            fields.append((name, _record_dtype(value)))
        elif isinstance(value, np.ndarray):
            kind = np.dtype(np.uint8) if value.dtype == np.bool_ else value.dtype
            fields.append((name, kind, value.shape))
        elif isinstance(value, np.void):
            fields.append((name, value.dtype))
        else:
            fields.append((name, np.asarray(value).dtype))
    return np.dtype((np.record, np.dtype(fields, align=True)))


def _fill_record(record: Any, values: Any) -> None:
    """Copy the values into the record, field by field."""
    for name, value in zip(values._fields, values, strict=True):
        if hasattr(value, "_fields"):
            _fill_record(record[name], value)
        else:
            record[name] = value
