"""What a file holds, whatever its name: decompressed RINEX text as bytes."""

from __future__ import annotations

import bz2
import io
import os
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rtkpos.errors import FileError, RinexError
from rtkpos.io.rinex.crinex import decode_crinex, is_crinex
from rtkpos.records.report import ReadReport

Source = str | os.PathLike[str] | bytes
# A decompressed file may take this much: enough for the best real ratio (CRINEX in gzip: 60),
# small enough that a crafted file cannot fill the memory.
LIMIT_BASE = 64 << 20
LIMIT_RATIO = 200
_STEP = 16 << 20
_PEEK = 1 << 16
_BLANKS, _STEP_BLANK = b"\0 \t\r\n", 1 << 16


_MAX_LAYERS = 4
_LABEL_AT = slice(60, 80)


def source_name(source: Source) -> str:
    """Name of a source for messages: its path, or "<bytes>"."""
    return "<bytes>" if isinstance(source, bytes) else os.fspath(source)


def read_content(
    source: Source, *, strict: bool = False, report: ReadReport | None = None
) -> bytes:
    """RINEX text of a file: gzip, .Z, bzip2, zip and CRINEX unpacked, recognised by content.

    source : path, or the bytes of such a file        strict : damaged compression is an error
    report : warnings about damaged compression go here
    Returns the text without byte order mark. A zip archive gives the first RINEX member; see
    `read_members` for all. FileError or RinexError name the path and what was seen.
    """
    return read_members(source, strict=strict, report=report)[0][1]


def read_members(
    source: Source, *, strict: bool = False, report: ReadReport | None = None
) -> list[tuple[str, bytes]]:
    """All RINEX texts of a source as (name, text): one, or one per RINEX member of a zip."""
    name = source_name(source)
    report = ReadReport() if report is None else report
    data = source if isinstance(source, bytes) else _read_file(name)
    if _is_blank(data):
        raise FileError(f"{name}: the file is empty; download or record it again.", name)
    limit = LIMIT_BASE + LIMIT_RATIO * len(data)
    members = _unpack(data, name, limit, strict, report)
    texts = [(member, text) for member, text in members if looks_like_rinex(text)]
    if not texts:
        raise RinexError(_stranger(name, members[0][1] if members else b""), name)
    return texts


def read_text(source: Source, *, strict: bool = False, report: ReadReport | None = None) -> bytes:
    """Text of a file of any format: gzip, .Z, bzip2 and zip (its first member) unpacked.

    source, strict, report : as for `read_content`; FileError names the path and what was seen
    """
    name = source_name(source)
    data = source if isinstance(source, bytes) else _read_file(name)
    limit = LIMIT_BASE + LIMIT_RATIO * len(data)
    members = _unpack(data, name, limit, strict, ReadReport() if report is None else report)
    text = members[0][1] if members else b""
    if _is_blank(text):
        raise FileError(f"{name}: the file is empty; download it again.", name)
    return text


def text_head(path: Path) -> bytes:
    """The beginning of the text of a file, whatever the packing: 64 kB, or b"" when it is damaged.

    FileError when the file is missing, unreadable or a folder. Hatanaka's compression leaves the
    header as it is, so this is enough to see what a file is and what its header says.
    """
    if path.is_dir():
        raise FileError(f"{path} is a directory; name the files in it.", str(path))
    try:
        with path.open("rb") as stream:
            head = stream.read(_PEEK)
    except OSError as error:
        cause = (error.strerror or str(error)).lower()
        raise FileError(f"{path} cannot be read: {cause}.", str(path)) from None
    return _unpacked_head(path, head)


def _unpacked_head(path: Path, head: bytes) -> bytes:
    """The beginning of the text of a file; the whole is read where the packing allows no less."""
    try:
        if head[:2] == b"\x1f\x8b":
            return zlib.decompressobj(31).decompress(head, _PEEK)
        if head[:3] == b"BZh":
            return bz2.BZ2Decompressor().decompress(head, _PEEK)
    except (OSError, zlib.error):
        return b""
    if head[:2] not in (b"\x1f\x9d", b"PK"):
        return head
    try:
        return read_content(path)[:_PEEK]
    except FileError:
        return b""


def _is_blank(data: bytes) -> bool:
    """Whether there is nothing but blanks, line ends and zeros; the start of a file tells it."""
    return not data[:_STEP_BLANK].strip(_BLANKS) and not data.strip(_BLANKS)


def _read_file(name: str) -> bytes:
    """The bytes of a file, or FileError in one sentence."""
    path = Path(name)
    try:
        if path.is_dir():
            raise FileError(f"{name} is a directory; name the files in it.", name)
        if path.is_char_device():
            raise FileError(f"{name} is a device; name a file.", name)
        return path.read_bytes()
    except FileNotFoundError:
        raise FileError(f"{name}: there is no such file.", name) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FileError(f"{name} cannot be read: {reason}.", name) from None


def _unpack(
    data: bytes, name: str, limit: int, strict: bool, report: ReadReport
) -> list[tuple[str, bytes]]:
    """Peel compression layers off, at most four; a zip fans out into its members."""
    for _ in range(_MAX_LAYERS):
        if data[:4] == b"PK\x03\x04" or data[:4] == b"PK\x05\x06":
            return _unzip(data, name, limit, strict, report)
        unpack = _unpacker(data)
        if unpack is None:
            return [(name, data.removeprefix(b"\xef\xbb\xbf"))]
        data, problem = unpack(data, limit)
        _note_damage(problem, name, len(data), strict, report)
    raise FileError(f"{name}: more than {_MAX_LAYERS} layers of compression; unpack it.", name)


def _unpacker(data: bytes) -> Callable[[bytes, int], tuple[bytes, str]] | None:
    """The function that takes off the outermost layer, None for plain text."""
    if data[:2] == b"\x1f\x8b":
        return _gunzip
    if data[:2] == b"\x1f\x9d":
        return _uncompress
    if data[:3] == b"BZh":
        return _bunzip
    return decode_crinex if is_crinex(data) else None


def _note_damage(problem: str, name: str, size: int, strict: bool, report: ReadReport) -> None:
    """Turn a decoder's complaint into an error (nothing decoded, or strict) or a warning."""
    if not problem:
        return
    if strict or size == 0 or problem.startswith("too large"):
        raise FileError(f"{name}: {problem}; download it again.", name)
    report.add("damaged_compression", name)
    report.warn(f"{name}: {problem}; kept the {size} bytes decoded before the damage.")


def _inflate(
    data: bytes, limit: int, make: Callable[[], object], kind: str, ended: str
) -> tuple[bytes, str]:
    """Decompress a chain of members step by step: (text, complaint)."""
    parts: list[bytes] = []
    size, view = 0, data
    while view and (not parts or view.strip(b"\0")):
        machine = make()
        try:
            while not machine.eof:  # type: ignore[attr-defined]
                part = machine.decompress(view, _STEP)  # type: ignore[attr-defined]
                view = getattr(machine, "unconsumed_tail", b"")
                parts.append(part)
                size += len(part)
                if size > limit:
                    return b"", f"too large: {kind} data unpack to more than {limit} bytes"
                if not part and not view and not machine.eof:  # type: ignore[attr-defined]
                    return b"".join(parts), ended
        except (zlib.error, OSError, EOFError, ValueError) as error:
            return b"".join(parts), f"damaged {kind} data ({error})"
        view = machine.unused_data  # type: ignore[attr-defined]
    return b"".join(parts), ""


def _gunzip(data: bytes, limit: int) -> tuple[bytes, str]:
    """gzip, also several members in a row; keeps what decoded before a damage."""
    return _inflate(data, limit, lambda: zlib.decompressobj(31), "gzip", "truncated gzip data")


def _bunzip(data: bytes, limit: int) -> tuple[bytes, str]:
    """bzip2, as `_gunzip`."""
    return _inflate(data, limit, bz2.BZ2Decompressor, "bzip2", "truncated bzip2 data")


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


def _uncompress(data: bytes, limit: int) -> tuple[bytes, str]:
    """Unix compress (.Z); keeps what decoded before a damage."""
    import ncompress

    stream = _Bounded(limit)
    try:
        ncompress.decompress(io.BytesIO(data), stream)
    except OverflowError:
        return b"", f"too large: .Z data unpack to more than {limit} bytes"
    except (ValueError, RuntimeError, OSError) as error:
        return stream.getvalue(), f"damaged .Z data ({error})"
    return stream.getvalue(), ""


def _unzip(
    data: bytes, name: str, limit: int, strict: bool, report: ReadReport
) -> list[tuple[str, bytes]]:
    """Members of a zip archive, unpacked themselves; directories are skipped."""
    found: list[tuple[str, bytes]] = []
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.infolist():
                if member.is_dir() or member.flag_bits & 1:
                    continue
                with archive.open(member) as stream:
                    text = stream.read(limit + 1)
                limit -= len(text)
                if limit < 0:
                    raise FileError(f"{name}: the zip archive unpacks to far too much.", name)
                if text[:4] != b"PK\x03\x04":
                    found += _unpack(text, f"{name}:{member.filename}", limit, strict, report)
    except (
        zipfile.BadZipFile,
        zlib.error,
        OSError,
        EOFError,
        NotImplementedError,
        ValueError,
        RuntimeError,
    ) as error:
        _note_damage(f"damaged zip archive ({error})", name, len(found), strict, report)
    return found


def looks_like_rinex(text: bytes) -> bool:
    """Whether one of the first lines carries the label RINEX VERSION / TYPE."""
    return any(
        line[_LABEL_AT].strip().upper() == b"RINEX VERSION / TYPE"
        for line in text[:8192].replace(b"\r", b"\n").split(b"\n")[:40]
    )


def _stranger(name: str, data: bytes) -> str:
    """One sentence on what a file seems to be that is not RINEX."""
    start = data[:512].lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        seen = "an HTML page, probably a server's error or login page"
    elif start.startswith(b"#") and start[1:2] in b"abcd":
        seen = "an SP3 orbit file"
    elif data[:1] == b"\xd3":
        seen = "an RTCM 3 stream"
    elif data[:2] == b"\xb5b":
        seen = "a u-blox UBX stream"
    elif not data:
        seen = "an archive without a RINEX file"
    else:
        seen = f"data that start with {data[:24]!r}"
    return f"{name} is not a RINEX file: it holds {seen}; name a RINEX file."
