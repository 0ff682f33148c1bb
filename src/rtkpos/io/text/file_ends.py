"""End marks of old systems in text files."""

from __future__ import annotations

import re

_MARK = b"\x1a"
_AT_LINE_EDGE = re.compile(rb"(?:(?<=\n)|\A)\x1a+|\x1a+(?=\r?\n|\Z)")


def without_file_ends(content: bytes) -> bytes:
    """The text without end-of-file marks (0x1A) at the starts and ends of its lines.

    They stay behind where files of DOS are put together. One inside a line is damage and stays.
    """
    return _AT_LINE_EDGE.sub(b"", content) if _MARK in content else content
