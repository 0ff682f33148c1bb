"""Members of a zip archive as bytes, within the budget of their source.

`zipfile` reads the directory. It decompresses bzip2 and LZMA without a bound, so the members are
decompressed here, as the directory describes them.
Source: PKWARE (2022), APPNOTE.TXT 6.3.10, sections 4.3, 4.4, 5.8.
"""

from __future__ import annotations

import bz2
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator

from rtkpos.errors import FileError
from rtkpos.io.text.inflate import MEMBER_BYTES, Budget, one_stream

_DIRECTORY_ENTRY, _LOCAL_HEADER = b"PK\x01\x02", b"PK\x03\x04"
_HEADER_SIZE, _LENGTHS_AT = 30, 26
_ENCRYPTED, _HAS_END_MARK = 1, 2  # bits of the general purpose flag
_LZMA_HEADER, _LZMA_MEMORY = 9, 256 << 20  # version, size, properties; most memory [byte]


def is_zip(data: bytes) -> bool:
    """Whether bytes start as a zip archive does, also an empty one."""
    return data[:4] in (_LOCAL_HEADER, b"PK\x05\x06")


def zip_members(data: bytes, budget: Budget) -> Iterator[tuple[str, bytes, str]]:
    """Name, bytes and complaint ("" for none) of each file of an archive; folders are skipped.

    FileError when the directory cannot be read, BudgetError when the files are too large together.
    """
    budget.spend(MEMBER_BYTES * data.count(_DIRECTORY_ENTRY))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        OSError,
        ValueError,
        OverflowError,
        struct.error,
    ) as error:
        raise FileError(
            f"{budget.name}: damaged zip archive ({error}); download it again.", budget.name
        ) from None
    for member in members:
        if not member.is_dir():
            yield member.filename, *_member(memoryview(data), member, budget)


def _member(data: memoryview, member: zipfile.ZipInfo, budget: Budget) -> tuple[bytes, str]:
    """The bytes of a member and what is wrong with it."""
    if member.flag_bits & _ENCRYPTED:
        return b"", "encrypted zip member; unpack the archive with its password"
    head = bytes(data[member.header_offset : member.header_offset + _HEADER_SIZE])
    if member.header_offset < 0 or head[:4] != _LOCAL_HEADER or len(head) < _HEADER_SIZE:
        return b"", "damaged zip archive (a member is not where the directory says)"
    start = member.header_offset + _HEADER_SIZE + sum(struct.unpack_from("<HH", head, _LENGTHS_AT))
    text, problem = _unpacked(data[start : start + member.compress_size], member, budget)
    if not problem and (len(text) != member.file_size or zlib.crc32(text) != member.CRC):
        problem = "damaged zip archive (size or checksum of a member is wrong)"
    return text, problem


def _unpacked(packed: memoryview, member: zipfile.ZipInfo, budget: Budget) -> tuple[bytes, str]:
    """The bytes of a member by its method of compression, and a complaint."""
    method = member.compress_type
    if method == zipfile.ZIP_STORED:
        budget.spend(len(packed))
        return bytes(packed), ""
    if method == zipfile.ZIP_DEFLATED:
        return one_stream(packed, budget, zlib.decompressobj(-zlib.MAX_WBITS), "zip")
    if method == zipfile.ZIP_BZIP2:
        return one_stream(packed, budget, bz2.BZ2Decompressor(), "zip")
    if method == zipfile.ZIP_LZMA:
        return _unpacked_lzma(packed, member, budget)
    return b"", f"zip member with compression method {method}, which is not known; unpack it"


def _unpacked_lzma(
    packed: memoryview, member: zipfile.ZipInfo, budget: Budget
) -> tuple[bytes, str]:
    """LZMA: its properties make the header of a .lzma file, whose decoder has a memory limit."""
    has_mark = member.flag_bits & _HAS_END_MARK
    size = b"\xff" * 8 if has_mark else member.file_size.to_bytes(8, "little")
    machine = lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=_LZMA_MEMORY)
    try:
        machine.decompress(bytes(packed[4:_LZMA_HEADER]) + size)
    except lzma.LZMAError as error:
        return b"", f"damaged zip data ({error})"
    return one_stream(packed[_LZMA_HEADER:], budget, machine, "zip")
