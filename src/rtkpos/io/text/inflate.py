"""Compressed bytes to bytes, bounded in time and memory: gzip, bzip2, .Z and chains of them."""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from collections.abc import Callable
from typing import Any

from rtkpos.errors import FileError

MEMBER_BYTES = (
    1024  # what a member of a chain or an archive costs of the budget, though it is empty
)
_FIRST, _MOST = 1 << 10, 1 << 20  # compressed bytes handed on at once: few at first
_PART = 4 << 20  # longest piece of text made at once

Packed = bytes | memoryview


class BudgetError(FileError):
    """A source unpacks to more than any recording would."""


class Budget:
    """What unpacking one source may yield [byte], all its layers and members together.

    name : of the source      limit : longest text [byte]      left : what is not used up
    """

    def __init__(self, name: str, limit: int) -> None:
        self.name, self.limit, self.left = name, limit, limit

    def spend(self, n: int) -> None:
        """Use up so many bytes; BudgetError when there are not as many."""
        self.left -= n
        if self.left < 0:
            raise BudgetError(
                f"{self.name} is too large: it unpacks to more than {self.limit / 1e6:.0f} MB, far "
                "more than a recording of its size; unpack it by other means and name the files "
                "you need.",
                self.name,
            )


def gunzip(data: Packed, budget: Budget) -> tuple[bytes, str]:
    """gzip, also several members in a row: (text, complaint); keeps what came before a damage."""
    return _chain(memoryview(data), budget, lambda: zlib.decompressobj(31), "gzip")


def bunzip(data: Packed, budget: Budget) -> tuple[bytes, str]:
    """bzip2, as `gunzip`."""
    return _chain(memoryview(data), budget, bz2.BZ2Decompressor, "bzip2")


def one_stream(data: Packed, budget: Budget, machine: Any, kind: str) -> tuple[bytes, str]:
    """A single stream of a decompressor of zlib, bz2 or lzma, as `gunzip`."""
    parts: list[bytes] = []
    _, complaint = _stream(memoryview(data), 0, budget, (machine, kind), parts)
    return b"".join(parts), complaint


def uncompress(data: Packed, budget: Budget) -> tuple[bytes, str]:
    """Unix compress (.Z), as `gunzip`."""
    import ncompress

    stream = _Bounded(budget.left)
    try:
        ncompress.decompress(io.BytesIO(data), stream)
    except OverflowError:
        budget.spend(budget.left + 1)
    except (ValueError, RuntimeError, OSError) as error:
        budget.spend(stream.tell())
        return stream.getvalue(), f"damaged .Z data ({error})"
    budget.spend(stream.tell())
    return stream.getvalue(), ""


def _chain(
    data: memoryview, budget: Budget, make: Callable[[], Any], kind: str
) -> tuple[bytes, str]:
    """A chain of streams, one behind the other; zeros behind the last are padding."""
    parts: list[bytes] = []
    at, complaint = 0, ""
    while not complaint and (at == 0 or not _is_padding(data, at)):
        budget.spend(MEMBER_BYTES)
        at, complaint = _stream(data, at, budget, (make(), kind), parts)
    return b"".join(parts), complaint


def _is_padding(data: memoryview, at: int) -> bool:
    """Whether nothing but zeros follows; most members do not begin with one."""
    return at >= len(data) or (data[at] == 0 and not bytes(data[at:]).strip(b"\0"))


def _stream(
    data: memoryview, at: int, budget: Budget, decoder: tuple[Any, str], parts: list[bytes]
) -> tuple[int, str]:
    """Append the text of one stream that starts at `at`; returns where it ends, and a complaint.

    The decompressor gets little at first and then more: what it gives back when a short stream
    ends is short as well, so that very many of them take time in proportion.
    """
    machine, kind = decoder
    step, rest = _FIRST, b""
    try:
        while not machine.eof:
            if not rest and getattr(machine, "needs_input", True):
                rest = bytes(data[at : at + step])
                at, step = at + len(rest), min(2 * step, _MOST)
            part = machine.decompress(rest, _PART)
            rest = getattr(machine, "unconsumed_tail", b"")
            budget.spend(len(part))
            parts.append(part)
            if not part and not rest and at >= len(data) and not machine.eof:
                return at, f"truncated {kind} data"
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError) as error:
        return at, f"damaged {kind} data ({error})"
    return at - len(machine.unused_data), ""


class _Bounded(io.BytesIO):
    """A byte stream that refuses to grow beyond a limit."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit

    def write(self, data: Any) -> int:
        """Append, or raise OverflowError."""
        if self.tell() + len(memoryview(data)) > self.limit:
            raise OverflowError
        return super().write(data)
