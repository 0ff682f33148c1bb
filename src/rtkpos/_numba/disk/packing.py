"""Facts and blocks of bytes as one block: JSON and bytes, nothing that is executed to be read."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

_LENGTH = struct.Struct("<I")


def packed(facts: Any, blocks: Sequence[bytes]) -> bytes:
    """Facts (what JSON can hold) and blocks of bytes, to be kept in a file."""
    text = json.dumps([facts, [len(block) for block in blocks]]).encode()
    return b"".join((_LENGTH.pack(len(text)), text, *blocks))


def unpacked(content: bytes) -> tuple[Any, list[bytes]]:
    """The facts and the blocks; ValueError where the content is something else."""
    try:
        (n_text,) = _LENGTH.unpack_from(content)
        facts, sizes = json.loads(content[_LENGTH.size : _LENGTH.size + n_text])
        ends = [_LENGTH.size + n_text]
        for size in sizes:
            ends.append(ends[-1] + size)
    except (struct.error, TypeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not packed: {error}") from None
    if ends[-1] != len(content) or any(a > b for a, b in pairwise(ends)):
        raise ValueError("not packed: wrong lengths")
    return facts, [content[a:b] for a, b in pairwise(ends)]
