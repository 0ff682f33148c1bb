"""A snapshot of a live engine as bytes: stamped, checksummed, free of executable content."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

import numpy as np

from rtkpos.errors import DataError
from rtkpos.records.broadcast import Ionosphere

MAGIC = b"rtkpos engine snapshot 4\n"
_DIGEST_SIZE = 32
_LENGTH_SIZE = 8


def pack(facts: dict[str, Any], arrays: dict[str, Any]) -> bytes:
    """Facts (JSON values) and numpy arrays as bytes; the same content gives the same bytes.

    Behind the stamp and the digest: length of a text, the text (JSON: the facts, and name, type
    and shape of each array), the arrays. numpy's own format is not used: its reader leaves 11
    objects for the collector with every array, see docs/decisions/numba.md.
    """
    listed = [[name, values.dtype.str, values.shape] for name, values in arrays.items()]
    text = json.dumps({"facts": facts, "arrays": listed}, sort_keys=True).encode()
    length = len(text).to_bytes(_LENGTH_SIZE, "little")
    payload = b"".join([length, text, *(values.tobytes() for values in arrays.values())])
    return MAGIC + hashlib.sha256(payload).digest() + payload


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Facts and arrays of `pack`; DataError for bytes that are no snapshot or are damaged."""
    if not isinstance(data, bytes | bytearray | memoryview):
        raise DataError(f"a snapshot is bytes; got {type(data).__name__}.")
    data = bytes(data)
    if not data.startswith(MAGIC):
        raise DataError(
            "these bytes are no snapshot of this version of rtkpos; start with a fresh engine."
        )
    digest, payload = np.split(np.frombuffer(data, np.uint8)[len(MAGIC) :], [_DIGEST_SIZE])
    if hashlib.sha256(payload.data).digest() != digest.tobytes():
        raise DataError("the snapshot is damaged or cut; start with a fresh engine.")
    try:
        end = _LENGTH_SIZE + int.from_bytes(payload[:_LENGTH_SIZE].tobytes(), "little")
        told = json.loads(payload[_LENGTH_SIZE:end].tobytes())
        return told["facts"], _arrays_of(told["arrays"], payload[end:])
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(f"the snapshot cannot be read: {error}.") from error


def _arrays_of(listed: list[Any], stored: Any) -> dict[str, Any]:
    """Arrays by name from their bytes (n,) uint8; ValueError or TypeError where they do not fit.

    listed : name, type and shape of each, in the order of the bytes
    """
    arrays, start = {}, 0
    for name, kind, shape in listed:
        end = start + math.prod(shape) * np.dtype(kind).itemsize
        arrays[name] = stored[start:end].copy().view(kind).reshape(shape)
        start = end
    if start != len(stored):
        raise ValueError("its arrays do not fill it")
    return arrays


def record_bytes(record: Any) -> Any:
    """The memory of a numpy record as (n,) uint8."""
    return np.frombuffer(record.tobytes(), np.uint8)


def record_from(stored: Any, like: Any) -> Any:
    """A record of the type of another one from its bytes; DataError when they do not fit."""
    table = np.zeros(1, like.dtype)
    if stored.dtype != np.uint8 or stored.shape != (like.dtype.itemsize,):
        raise DataError("the snapshot was made by another version of rtkpos; start afresh.")
    table.view(np.uint8)[:] = stored
    return table.view(np.recarray)[0]


def layout_of(*records: Any) -> str:
    """Digest of the fields of records, so that a snapshot of other fields is recognised."""
    text = "|".join(str(record.dtype.descr) for record in records)
    return hashlib.sha256(text.encode()).hexdigest()


def message_facts(message: Ionosphere) -> list[Any]:
    """An ionosphere message as JSON values."""
    numbers = [float(value) for value in message.coefficients]
    return [message.kind, message.source, numbers, int(message.time_ns), int(message.sat)]


def message_of(values: list[Any]) -> Ionosphere:
    """The message of `message_facts`."""
    kind, source, numbers, time_ns, sat = values
    return Ionosphere(
        kind=kind,
        source=source,
        coefficients=np.array(numbers, np.float64),
        time_ns=time_ns,
        sat=sat,
    )
