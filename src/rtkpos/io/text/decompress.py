"""What a file holds, whatever its name: decompressed RINEX text as bytes."""

from __future__ import annotations

import bz2
import os
import stat
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rtkpos.errors import FileError, RinexError, shortened
from rtkpos.io.rinex.crinex import decode_crinex, is_crinex
from rtkpos.io.text.digest import source_file
from rtkpos.io.text.files import open_file, read_file
from rtkpos.io.text.inflate import Budget, BudgetError, bunzip, gunzip, uncompress
from rtkpos.io.text.zip_members import is_zip, zip_members
from rtkpos.records.report import ReadReport

Source = str | os.PathLike[str] | bytes
# What a source may unpack to, all layers and members together: enough for the best real ratio
# (CRINEX in gzip: 60), small enough that a crafted file cannot fill the memory.
LIMIT_BASE = 64 << 20
LIMIT_RATIO = 200
_PEEK = 1 << 16
_BLANKS, _STEP_BLANK = b"\0 \t\r\n", 1 << 16
_MAX_LAYERS = 4
_MAX_NAME = 200  # characters of a member's name that are repeated
_MAX_WARNINGS = 3  # about members of one source
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
    name, data = _read(source, report)
    if _is_blank(data):
        raise FileError(f"{name}: the file is empty; download or record it again.", name)
    members = _unpacking(name, data, strict, report).unpack(data, name)
    texts = [(member, text) for member, text in members if looks_like_rinex(text)]
    if not texts:
        raise RinexError(_not_rinex(name, members[0][1] if members else b""), name)
    return texts


def read_text(source: Source, *, strict: bool = False, report: ReadReport | None = None) -> bytes:
    """Text of a file of any format: gzip, .Z, bzip2 and zip (its first member) unpacked.

    source, strict, report : as for `read_content`; FileError names the path and what was seen
    """
    name, data = _read(source, report)
    members = _unpacking(name, data, strict, report).unpack(data, name)
    text = members[0][1] if members else b""
    if _is_blank(text):
        raise FileError(f"{name}: the file is empty; download it again.", name)
    return text


def text_head(path: Path) -> bytes:
    """The beginning of the text of a file, whatever the packing: 64 kB, or b"" when it is damaged.

    FileError when the file is missing, unreadable or a folder. Hatanaka's compression leaves the
    header as it is, so this is enough to see what a file is and what its header says.
    """
    try:
        with open_file(path) as stream:
            head = stream.read(_PEEK)
            is_pipe = stat.S_ISFIFO(os.fstat(stream.fileno()).st_mode)
    except OSError as error:
        cause = (error.strerror or str(error)).lower()
        raise FileError(f"{path} cannot be read: {cause}.", str(path)) from None
    if is_pipe:
        raise FileError(
            f"{path} is a pipe, but must be read twice; write it to a file and name that.",
            str(path),
        )
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


def _read(source: Source, report: ReadReport | None) -> tuple[str, bytes]:
    """Name and bytes of a source, noted in the report; FileError in one sentence."""
    if isinstance(source, bytes):
        return source_name(source), source
    if report is not None:
        report.files.append(source_file(source))
    return source_name(source), read_file(source)


def _unpacking(name: str, data: bytes, strict: bool, report: ReadReport | None) -> _Unpacking:
    """What unpacks a source of these bytes."""
    budget = Budget(name, LIMIT_BASE + LIMIT_RATIO * len(data))
    return _Unpacking(budget, strict, ReadReport() if report is None else report)


@dataclass
class _Unpacking:
    """The unpacking of one source.

    budget : what all layers and members may yield together      strict : damage is an error
    report : damage is told here otherwise      n_warned : sentences there so far
    """

    budget: Budget
    strict: bool
    report: ReadReport
    n_warned: int = 0

    def unpack(self, data: bytes, name: str, layer: int = 0) -> list[tuple[str, bytes]]:
        """Peel layers of compression off, at most four; an archive fans out into its members.

        name : of this part of the source      layer : layers peeled off before
        Returns (name, text) of each member.
        """
        while layer < _MAX_LAYERS:
            if is_zip(data):
                return self._members(data, name, layer)
            decode = _decoder(data)
            if decode is None:
                return [(name, data.removeprefix(b"\xef\xbb\xbf"))]
            data, problem = decode(data, self.budget)
            self._note_damage(problem, name, len(data))
            layer += 1
        if is_zip(data) or _decoder(data) is not None:
            raise FileError(
                f"{name}: more than {_MAX_LAYERS} layers of compression; unpack it.", name
            )
        return [(name, data.removeprefix(b"\xef\xbb\xbf"))]

    def _members(self, data: bytes, name: str, layer: int) -> list[tuple[str, bytes]]:
        """Members of an archive, unpacked themselves; one that is damaged leaves the others."""
        found: list[tuple[str, bytes]] = []
        refusal: FileError | None = None
        for member, text, problem in zip_members(data, self.budget):
            place = f"{name}:{shortened(member, _MAX_NAME)}"
            try:
                self._note_damage(problem, place, len(text))
                found += self.unpack(text, place, layer + 1)
            except BudgetError:
                raise
            except FileError as error:
                if self.strict:
                    raise
                refusal = refusal or error
                self._tell(f"{error} This member is left out.", place)
        if refusal is not None and not found:
            raise refusal
        return found

    def _note_damage(self, problem: str, name: str, size: int) -> None:
        """Turn a decoder's complaint into an error (nothing decoded, or strict) or a warning."""
        if not problem:
            return
        if self.strict or size == 0:
            is_damage = problem.startswith(("damaged", "truncated"))
            advice = "; download it again." if is_damage else "."
            raise FileError(f"{name}: {problem}{advice}", name)
        self._tell(f"{name}: {problem}; kept the {size} bytes decoded before the damage.", name)

    def _tell(self, sentence: str, name: str) -> None:
        """Count a damage; the first few are told."""
        self.report.add("damaged_compression", name)
        if self.n_warned < _MAX_WARNINGS:
            self.report.warn(sentence)
        self.n_warned += 1


def _decoder(data: bytes) -> Callable[[bytes, Budget], tuple[bytes, str]] | None:
    """The function that takes off the outermost layer, None for plain text."""
    if data[:2] == b"\x1f\x8b":
        return gunzip
    if data[:2] == b"\x1f\x9d":
        return uncompress
    if data[:3] == b"BZh":
        return bunzip
    return _expand_crinex if is_crinex(data) else None


def _expand_crinex(data: bytes, budget: Budget) -> tuple[bytes, str]:
    """CRINEX to RINEX, within the budget."""
    text, problem = decode_crinex(data, budget.left)
    budget.spend(budget.left + 1 if problem.startswith("too large") else len(text))
    return text, problem


def looks_like_rinex(text: bytes) -> bool:
    """Whether one of the first lines carries the label RINEX VERSION / TYPE."""
    return any(
        line[_LABEL_AT].strip().upper() == b"RINEX VERSION / TYPE"
        for line in text[:8192].replace(b"\r", b"\n").split(b"\n")[:40]
    )


def _not_rinex(name: str, data: bytes) -> str:
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
