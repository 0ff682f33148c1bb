"""Digests of the files a result was computed from."""

from __future__ import annotations

import functools
import hashlib
import os
import stat
from pathlib import Path

from rtkpos.records.history import InputFile
from rtkpos.records.report import ReadReport, SourceFile


def source_file(path: str | os.PathLike[str]) -> SourceFile:
    """A file as it is now, to know it again; size -1 for what is no regular file."""
    name = os.fspath(path)
    try:
        state = os.stat(name)
    except (OSError, ValueError):
        return SourceFile(name, -1, -1)
    if not stat.S_ISREG(state.st_mode):
        return SourceFile(name, -1, -1)
    return SourceFile(name, state.st_size, state.st_mtime_ns)


def digested_files(role: str, report: ReadReport) -> tuple[InputFile, ...]:
    """The files a reader met, by name, with their digests; no digest for one changed since."""
    return tuple(
        InputFile(role=role, name=Path(one.path).name, n_byte=one.n_byte, sha256=_digest(one) or "")
        for one in report.files
    )


@functools.lru_cache(maxsize=1024)
def _digest(file: SourceFile) -> str | None:
    """SHA-256 of a file; None when it is not, or no longer, what was read.

    Kept by name, size and time of change: in a batch many runs have the same base and ephemerides.
    """
    if file.n_byte < 0 or source_file(file.path) != file:
        return None
    try:
        with Path(file.path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None
