"""numba's types as JSON: what is kept of a part comes back as it was."""

from __future__ import annotations

import json
from typing import NamedTuple

import numpy as np
import pytest
from numba.core import types
from numba.np.numpy_support import from_dtype

from rtkpos._numba.type_text import from_json, to_json


class Pair(NamedTuple):
    left: float
    right: float


INNER = np.dtype([("a", "f8"), ("n", "i4")], align=True)
RECORD = from_dtype(INNER)
NESTED = from_dtype(np.dtype([("rows", "f8", (3, 2)), ("inner", INNER)], align=True))


@pytest.mark.parametrize(
    "kind",
    [
        types.none,
        types.boolean,
        types.uint64,
        types.literal(0),
        types.literal(True),
        types.float64,
        types.Array(types.float64, 2, "C"),
        types.Array(types.uint8, 1, "A", readonly=True),
        types.Array(NESTED, 1, "C", aligned=False),
        types.NestedArray(types.int16, (128,)),
        RECORD,
        NESTED,
        types.Tuple((types.int64, RECORD)),
        types.UniTuple(types.float64, 3),
        types.NamedUniTuple(types.float64, 2, Pair),
        types.NamedTuple((types.float64, types.int64), Pair),
    ],
    ids=str,
)
def test_types_come_back(kind):
    found = from_json(json.loads(json.dumps(to_json(kind))))
    assert found == kind
    assert type(found) is type(kind)


def test_records_of_numpy_come_back():
    from numba import typeof

    dtype = np.dtype([("x", "f8", (3,)), ("n", "i4"), ("in", [("y", "u1", (2, 2))])], align=True)
    kind = typeof(np.zeros(1, dtype)[0])
    assert from_json(json.loads(json.dumps(to_json(kind)))) == kind


@pytest.mark.parametrize("kind", [types.unicode_type, types.ListType(types.int64)])
def test_other_types_are_not_kept(kind):
    with pytest.raises(ValueError, match="not kept"):
        to_json(kind)


@pytest.mark.parametrize(
    "found",
    [
        ["array"],
        ["unknown", 1],
        ["named", ["os", "system"], []],
        ["named", ["none", "N"], []],
        "no",
    ],
)
def test_what_is_no_type_is_refused(found):
    with pytest.raises((ValueError, KeyError, TypeError)):
        from_json(found)
