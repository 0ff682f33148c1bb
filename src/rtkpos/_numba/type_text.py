"""numba's types as JSON and back, so that what is kept of a part is data and no pickle."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numba.core import types
from numba.np.numpy_support import as_dtype, from_dtype

_TYPES: Any = types  # numba's type hints for them are wrong
_SIMPLE = {
    str(kind): kind
    for kind in (
        _TYPES.none,
        _TYPES.boolean,
        *(_TYPES.int8, _TYPES.int16, _TYPES.int32, _TYPES.int64),
        *(_TYPES.uint8, _TYPES.uint16, _TYPES.uint32, _TYPES.uint64),
        *(_TYPES.float32, _TYPES.float64),
    )
}


def to_json(kind: Any) -> Any:
    """A type as lists and texts; ValueError for one that kernels do not pass."""
    found = _to_json(kind)
    if from_json(found) != kind:
        raise ValueError(f"type {kind} is not kept")
    return found


def _to_json(kind: Any) -> Any:
    """As `to_json`, unchecked."""
    if str(kind) in _SIMPLE:
        return str(kind)
    if isinstance(kind, _TYPES.IntegerLiteral | _TYPES.BooleanLiteral):
        return ["literal", kind.literal_value]  # of a kernel that always returns the same
    if isinstance(kind, _TYPES.NestedArray):
        return ["nested", _to_json(kind.dtype), list(kind.shape)]
    if isinstance(kind, _TYPES.Array):
        return ["array", _to_json(kind.dtype), kind.ndim, kind.layout, kind.mutable, kind.aligned]
    if isinstance(kind, _TYPES.Record):
        return ["record", _dtype_to_json(as_dtype(kind))]
    if isinstance(kind, _TYPES.BaseNamedTuple):
        name = [kind.instance_class.__module__, kind.instance_class.__qualname__]
        return ["named", name, [_to_json(inner) for inner in kind]]
    if isinstance(kind, _TYPES.BaseTuple):
        return ["tuple", [_to_json(inner) for inner in kind]]
    raise ValueError(f"type {kind} is not kept")


def from_json(found: Any) -> Any:
    """The type; ValueError, TypeError or KeyError when it is none."""
    if isinstance(found, str):
        return _SIMPLE[found]
    what, *rest = found
    if what == "array":
        inner, n_dim, layout, is_mutable, is_aligned = rest
        return _TYPES.Array(from_json(inner), n_dim, layout, not is_mutable, aligned=is_aligned)
    if what == "literal":
        return _TYPES.literal(rest[0])
    if what == "nested":
        return _TYPES.NestedArray(from_json(rest[0]), tuple(rest[1]))
    if what == "record":
        return from_dtype(_dtype_from_json(rest[0]))
    if what == "named":
        inner = tuple(map(from_json, rest[1]))
        return _TYPES.BaseTuple.from_types(inner, _class_of(*rest[0]))
    if what == "tuple":
        return _TYPES.BaseTuple.from_types(tuple(map(from_json, rest[0])))
    raise ValueError(f"{what!r} is no type")


def _class_of(module: str, name: str) -> Any:
    """A class of named tuples among those that are imported already: nothing is imported for it."""
    found = getattr(sys.modules.get(module), name, None)
    if not (isinstance(found, type) and issubclass(found, tuple)):
        raise ValueError(f"{module}.{name} is no tuple here")
    return found


def _dtype_to_json(dtype: np.dtype[Any]) -> Any:
    """How a dtype lies in memory."""
    if dtype.subdtype is not None:
        return ["sub", _dtype_to_json(dtype.subdtype[0]), list(dtype.subdtype[1])]
    if dtype.fields is None:
        return dtype.str
    names = list(dtype.names or ())
    inner = [_dtype_to_json(dtype.fields[name][0]) for name in names]
    offsets = [dtype.fields[name][1] for name in names]
    return ["fields", names, inner, offsets, dtype.itemsize, dtype.isalignedstruct]


def _dtype_from_json(found: Any) -> Any:
    """The dtype that `_dtype_to_json` described."""
    if isinstance(found, str):
        return np.dtype(found)
    what, *rest = found
    if what == "sub":
        return np.dtype((_dtype_from_json(rest[0]), tuple(rest[1])))
    names, inner, offsets, size, is_aligned = rest
    formats = list(map(_dtype_from_json, inner))
    described: Any = {"names": names, "formats": formats, "offsets": offsets, "itemsize": size}
    return np.dtype(described, align=is_aligned)
