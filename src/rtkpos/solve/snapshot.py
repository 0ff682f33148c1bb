"""A snapshot of a live engine as bytes: stamped, checksummed, free of executable content."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np

from rtkpos.errors import DataError
from rtkpos.records.broadcast import Ionosphere

MAGIC = b"rtkpos engine snapshot 2\n"
_DIGEST_SIZE, _LENGTH_SIZE = 32, 8


def pack(facts: dict[str, Any], arrays: dict[str, Any]) -> bytes:
    """Facts (JSON values) and numpy arrays as bytes; the same content gives the same bytes.

    Length of the text (8 bytes), the text (facts; name, type and shape of each array), then the
    arrays' memory. numpy's own container would leave garbage in cycles behind at each reading.
    """
    ready = {name: np.ascontiguousarray(values) for name, values in arrays.items()}
    shapes = [[name, values.dtype.str, list(values.shape)] for name, values in ready.items()]
    text = json.dumps({"facts": facts, "arrays": shapes}, sort_keys=True).encode()
    parts = [len(text).to_bytes(_LENGTH_SIZE, "little"), text]
    payload = b"".join(parts + [values.tobytes() for values in ready.values()])
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
    first = len(MAGIC) + _DIGEST_SIZE
    digest, payload = data[len(MAGIC) : first], memoryview(data)[first:]
    if hashlib.sha256(payload).digest() != digest:
        raise DataError("the snapshot is damaged or cut; start with a fresh engine.")
    at = _LENGTH_SIZE + int.from_bytes(payload[:_LENGTH_SIZE], "little")
    told = json.loads(bytes(payload[_LENGTH_SIZE:at]))
    arrays: dict[str, Any] = {}
    for name, kind, shape in told["arrays"]:
        arrays[name] = np.ndarray(shape, np.dtype(kind), payload, at).copy()
        at += arrays[name].nbytes
    return told["facts"], arrays


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
