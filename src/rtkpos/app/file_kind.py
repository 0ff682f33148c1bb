"""What kind of file a name stands for, from its first bytes."""

from __future__ import annotations

import bz2
import zlib
from pathlib import Path

from rtkpos.errors import FileError

OBSERVATIONS, NAVIGATION, OTHER = "observations", "navigation", "other"
_PEEK = 1 << 16


def file_kind(path: Path) -> str:
    """OBSERVATIONS, NAVIGATION or OTHER by the first header line, whatever the packing.

    FileError when the file is missing, unreadable or a folder; what cannot be unpacked is OTHER.
    """
    if path.is_dir():
        raise FileError(f"{path} is a directory; name the files in it.", str(path))
    try:
        with path.open("rb") as stream:
            head = stream.read(_PEEK)
    except OSError as error:
        cause = (error.strerror or str(error)).lower()
        raise FileError(f"{path} cannot be read: {cause}.", str(path)) from None
    return kind_of_text(_unpacked_head(path, head))


def kind_of_text(text: bytes) -> str:
    """Kind of an unpacked file by the line RINEX VERSION / TYPE or CRINEX VERS / TYPE."""
    for raw in text[:8192].replace(b"\r", b"\n").split(b"\n")[:40]:
        line = raw.lstrip(b"\xef\xbb\xbf").decode("latin-1")
        label = line[60:80].strip().upper()
        if label.startswith("CRINEX VERS"):
            return OBSERVATIONS
        if label == "RINEX VERSION / TYPE":
            letter = line[20:21].upper()
            if letter == "O":
                return OBSERVATIONS
            return NAVIGATION if letter and letter in "NGHLESJ" else OTHER
    return OTHER


def _unpacked_head(path: Path, head: bytes) -> bytes:
    """The beginning of the text of a file; the whole of it where the packing allows no less."""
    try:
        if head[:2] == b"\x1f\x8b":
            return zlib.decompressobj(31).decompress(head, _PEEK)
        if head[:3] == b"BZh":
            return bz2.BZ2Decompressor().decompress(head, _PEEK)
    except (OSError, zlib.error):
        return b""
    if head[:2] not in (b"\x1f\x9d", b"PK"):
        return head
    from rtkpos.io.content import read_content

    try:
        return read_content(path)[:_PEEK]
    except FileError:
        return b""
