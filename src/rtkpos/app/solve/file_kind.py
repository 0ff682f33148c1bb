"""What kind of file a name stands for, from its first bytes."""

from __future__ import annotations

from pathlib import Path

from rtkpos.io.text.decompress import text_head

OBSERVATIONS, NAVIGATION, OTHER = "observations", "navigation", "other"


def file_kind(path: Path) -> str:
    """OBSERVATIONS, NAVIGATION or OTHER by the first header line, whatever the packing.

    FileError when the file is missing, unreadable or a folder; what cannot be unpacked is OTHER.
    """
    return kind_of_text(text_head(path))


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
