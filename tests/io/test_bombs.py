"""Sources that unpack to far more than they should: refused in time and memory that are bounded."""

from __future__ import annotations

import bz2
import gzip
import io
import struct
import time
import tracemalloc
import zipfile

import pytest

from rtkpos.errors import FileError, RinexError
from rtkpos.io.products.antex import read_antex
from rtkpos.io.products.sp3 import read_sp3
from rtkpos.io.rinex.read_navigation import read_nav
from rtkpos.io.rinex.read_observations import read_obs
from rtkpos.io.text.decompress import read_content, read_members
from rtkpos.records.report import ReadReport
from tests.io.obs_text import file_3
from tests.io.test_content import crinex, lzw, trimmed

TEXT = file_3(6).encode()
ZEROS = b"\0" * (8 << 20)
MEGABYTE = 1 << 20


def archive(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive of named members."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as out:
        for name, data in members:
            out.writestr(name, data)
    return stream.getvalue()


def overlapping(name: str, data: bytes, n: int) -> bytes:
    """A zip archive whose directory names one member n times (Fifield 2019, a better zip bomb)."""
    one = archive((name, data))
    start = one.index(b"PK\x01\x02")
    end = one.index(b"PK\x05\x06")
    entry = one[start:end]
    close = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, n, n, n * len(entry), start, 0)
    return one[:start] + n * entry + close


@pytest.fixture
def small_limit(monkeypatch):
    """A budget of 4 MB, whatever the size."""
    monkeypatch.setattr("rtkpos.io.text.decompress.LIMIT_BASE", 4 * MEGABYTE)
    monkeypatch.setattr("rtkpos.io.text.decompress.LIMIT_RATIO", 0)


BOMBS = {
    "gzip": gzip.compress(ZEROS),
    "bzip2": bz2.compress(ZEROS),
    "compress": lzw(ZEROS),
    "zip": archive(("a", ZEROS)),
    "zip, bzip2": archive(("a", ZEROS), method=zipfile.ZIP_BZIP2),
    "zip, LZMA": archive(("a", ZEROS), method=zipfile.ZIP_LZMA),
    "zip, stored": archive(("a", ZEROS), method=zipfile.ZIP_STORED),
    "gzip in gzip": gzip.compress(gzip.compress(ZEROS)),
    "bzip2 in compress in gzip": gzip.compress(lzw(bz2.compress(ZEROS))),
    "zip in zip": archive(("a.zip", archive(("a", ZEROS)))),
    "many gzip in zip": archive(*[(f"{k}.gz", gzip.compress(ZEROS[:MEGABYTE])) for k in range(8)]),
    "many zip in zip": archive(*[(f"{k}", archive(("a", ZEROS[:MEGABYTE]))) for k in range(8)]),
    "one member named often": overlapping("a", ZEROS[:MEGABYTE], 8),
    "one packed member named often": overlapping("a.gz", gzip.compress(ZEROS[:MEGABYTE]), 8),
    "layers together": gzip.compress(gzip.compress(TEXT + ZEROS[: 3 * MEGABYTE], 0), 0),
    "very many empty members": overlapping("a", b"", 5000),
    "very many empty gzip members": gzip.compress(b"") * 5000,
    "very many empty bzip2 members": bz2.compress(b"") * 5000,
}
READERS = {"content": read_content, "obs": read_obs, "nav": read_nav, "antex": read_antex}


@pytest.mark.parametrize("kind", BOMBS)
def test_all_layers_and_members_share_one_budget(kind, small_limit, tmp_path):
    path = tmp_path / "bomb"
    path.write_bytes(BOMBS[kind])
    for read in (read_content, read_antex, read_sp3):
        with pytest.raises(FileError, match=r"bomb is too large: it unpacks to more than 4 MB"):
            read(path)


@pytest.mark.parametrize("name", READERS)
def test_every_reader_refuses_in_one_sentence(name, small_limit):
    with pytest.raises(FileError, match=r"too large: .* name the files you need") as caught:
        READERS[name](BOMBS["many gzip in zip"])
    assert "\n" not in str(caught.value)


def test_expansion_of_crinex_is_part_of_the_budget(monkeypatch):
    packed = crinex(file_3(600).encode())
    limit = len(packed) + 1000
    monkeypatch.setattr("rtkpos.io.text.decompress.LIMIT_BASE", limit)
    monkeypatch.setattr("rtkpos.io.text.decompress.LIMIT_RATIO", 0)
    for source in (packed, gzip.compress(packed, 0), archive(("a.crx", packed))):
        with pytest.raises(FileError, match="too large"):
            read_obs(source)


@pytest.mark.parametrize("kind", ["zip, bzip2", "zip, LZMA", "many gzip in zip", "bzip2"])
def test_memory_stays_near_the_budget(kind, small_limit):
    tracemalloc.start()
    try:
        with pytest.raises(FileError, match="too large"):
            read_content(BOMBS[kind])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20 * MEGABYTE


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_is_not_unpacked_at_once(method, small_limit):
    """A bomb of 100 MB is stopped long before its end."""
    bomb = archive(("a", bytes(100 * MEGABYTE)), method=method)
    tracemalloc.start()
    try:
        with pytest.raises(FileError, match="too large"):
            read_content(bomb)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 25 * MEGABYTE


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress])
def test_very_many_members_take_time_in_proportion(compress):
    """200,000 gzip members without a byte took time by the square of their number."""
    start = time.process_time()
    with pytest.raises(RinexError):
        read_content(compress(b"x") * 200_000)
    assert time.process_time() - start < 15.0


def test_one_more_layer_than_allowed():
    data = TEXT
    for _ in range(4):
        data = gzip.compress(data)
    assert read_content(data) == TEXT
    with pytest.raises(FileError, match="more than 4 layers"):
        read_content(gzip.compress(data))
    nested = archive(("a.zip", archive(("a.gz", gzip.compress(TEXT)))))
    assert [text for _, text in read_members(nested)] == [TEXT]
    with pytest.raises(FileError, match="more than 4 layers"):
        read_content(archive(("a", gzip.compress(gzip.compress(nested)))))


def test_members_by_every_method_of_zip():
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        assert read_content(archive(("a.rnx", TEXT), method=method)) == TEXT
        packed = archive(("a.crx", crinex(TEXT)), method=method)
        assert trimmed(read_content(packed)) == trimmed(TEXT)


def test_lzma_member_without_an_end_mark():
    data = bytearray(archive(("a.rnx", TEXT), method=zipfile.ZIP_LZMA))
    at = data.index(b"PK\x01\x02")
    assert data[at + 8] & 2
    data[at + 8] &= ~2
    assert read_content(bytes(data)) == TEXT


def test_lzma_member_that_wants_too_much_memory():
    data = bytearray(archive(("a.rnx", TEXT), method=zipfile.ZIP_LZMA))
    at = 30 + len("a.rnx") + 5
    data[at : at + 4] = b"\xff\xff\xff\xff"  # size of its dictionary
    with pytest.raises(FileError, match="damaged zip data"):
        read_content(bytes(data))


def spoilt(data: bytes, name: str, spoil) -> bytes:
    """An archive with a member's directory entry changed in place."""
    out = bytearray(data)
    at = data.rindex(name.encode()) - 46
    assert out[at : at + 4] == b"PK\x01\x02"
    spoil(out, at)
    return bytes(out)


def encrypt(out, at):
    out[at + 8] |= 1


def unknown_method(out, at):
    out[at + 10] = 98


def wrong_checksum(out, at):
    out[at + 16] ^= 255


def wrong_place(out, at):
    out[at + 42] ^= 255


def wrong_size(out, at):
    out[at + 20] = 3


SPOILS = {
    "encrypted zip member": encrypt,
    "compression method 98": unknown_method,
    "checksum of a member is wrong": wrong_checksum,
    "not where the directory says": wrong_place,
    "truncated zip data": wrong_size,
}


@pytest.mark.parametrize("words", SPOILS)
def test_a_damaged_member_leaves_the_others(words):
    one, other = file_3(3).encode(), file_3(5).encode()
    data = archive(("bad.rnx", one), ("good.rnx", other))
    data = spoilt(data, "bad.rnx", SPOILS[words])
    report = ReadReport()
    names = {name: text for name, text in read_members(data, report=report)}
    assert names["<bytes>:good.rnx"] == other
    assert report.counts["damaged_compression"] == 1
    assert words in report.warnings[0]
    with pytest.raises(FileError, match=words):
        read_members(data, strict=True)


@pytest.mark.parametrize("words", ["encrypted zip member", "compression method 98"])
def test_an_archive_of_nothing_else_says_why(words):
    data = spoilt(archive(("bad.rnx", TEXT)), "bad.rnx", SPOILS[words])
    with pytest.raises(FileError, match=words):
        read_content(data)


def test_a_directory_that_cannot_be_read():
    whole = archive(("a.rnx", TEXT))
    for data in (whole[:-10], whole[:60], whole[:-22], b"PK\x03\x04" + bytes(200)):
        with pytest.raises(FileError, match="damaged zip archive"):
            read_content(data)


def test_few_warnings_about_very_many_members():
    bad = bytearray(archive(*[(f"{k}.gz", gzip.compress(TEXT)[:-9]) for k in range(50)]))
    report = ReadReport()
    assert len(read_members(bytes(bad), report=report)) == 50
    assert report.counts["damaged_compression"] == 50
    assert len(report.warnings) <= 3


def test_sp3_that_announces_far_more_than_it_holds(tmp_path):
    """30 bytes for an epoch became 448 records of 60 bytes each."""
    header = "#dP2024  1  1  0  0  0.00000000  100000 ORBIT IGS20 HLM  IGS\n## 2295 86400.0\n"
    sats = "".join(f"G{k:02d}" for k in range(1, 18))
    header += f"+   17   {sats}\n"
    epochs = "".join(
        f"*  2024 {1 + k // 40320 % 12:2d} {1 + k // 1440 % 28:2d} {k // 60 % 24:2d} {k % 60:2d}"
        "  0.00000000\n"
        for k in range(20_000)
    )
    path = tmp_path / "few.sp3"
    path.write_text(header + epochs + "EOF\n")
    with pytest.raises(FileError, match="20000 epochs of 17 satellites hold only 0 positions"):
        read_sp3(path)
