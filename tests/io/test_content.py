"""Files recognised by content, whatever their name; damage and strangers in one sentence."""

from __future__ import annotations

import bz2
import gzip
import io
import zipfile
from pathlib import Path

import pytest

from rtkpos.errors import FileError, RinexError
from rtkpos.io.rinex.read_observations import read_obs
from rtkpos.io.text.decompress import read_content, read_members
from rtkpos.records.report import ReadReport
from tests.data import dataset_path
from tests.io.obs_text import file_3

TEXT = file_3(6).encode()


def zipped(*members: tuple[str, bytes]) -> bytes:
    """A zip archive of named members."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return stream.getvalue()


def trimmed(text: bytes) -> list[bytes]:
    """Lines without trailing blanks, which CRINEX drops."""
    return [line.rstrip() for line in text.split(b"\n")]


def lzw(data: bytes) -> bytes:
    """Unix compress."""
    import ncompress

    return ncompress.compress(data)


def crinex(data: bytes) -> bytes:
    """Compact RINEX by RNXCMP."""
    import hatanaka

    return hatanaka.rnx2crx(data)


@pytest.mark.parametrize(
    "pack",
    [
        bytes,
        gzip.compress,
        bz2.compress,
        lzw,
        lambda text: zipped(("a.rnx", text)),
        lambda text: gzip.compress(gzip.compress(text)),
        lambda text: zipped(("readme.txt", b"hello"), ("a.crx.gz", gzip.compress(crinex(text)))),
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: gzip.compress(text[:700]) + gzip.compress(text[700:]),
    ],
)
def test_every_packing_gives_the_text(pack, tmp_path: Path):
    path = tmp_path / "name-without-meaning.txt"
    path.write_bytes(pack(TEXT))
    assert trimmed(read_content(path)) == trimmed(TEXT)


@pytest.mark.parametrize("pack", [crinex, lambda text: lzw(crinex(text))])
def test_crinex_gives_the_same_observations(pack):
    plain, packed = read_obs(TEXT), read_obs(pack(TEXT))
    assert packed.code_m.tolist() == plain.code_m.tolist()
    assert packed.time_ns.tolist() == plain.time_ns.tolist()


@pytest.mark.parametrize("suffix", ["crx", "rnx"])
@pytest.mark.parametrize("packing", ["", ".Z", ".bz2", ".gz", ".zip"])
def test_samples_of_the_hatanaka_package(suffix, packing):
    plain = read_obs(dataset_path("rinex-corpus", "hatanaka-tests/sample.rnx"))
    packed = read_obs(dataset_path("rinex-corpus", f"hatanaka-tests/sample.{suffix}{packing}"))
    assert packed.n_row == plain.n_row == 18
    assert packed.code_m.tobytes() == plain.code_m.tobytes()


def test_all_rinex_members_of_a_zip():
    archive = zipped(("a.rnx", TEXT), ("b.txt", b"no"), ("c.rnx", gzip.compress(TEXT)))
    names = [name for name, _ in read_members(archive)]
    assert [name.rpartition(":")[2] for name in names] == ["a.rnx", "c.rnx"]


def test_missing_file_directory_and_empty_file(tmp_path: Path):
    with pytest.raises(FileError, match=r"there is no such file"):
        read_content(tmp_path / "none.obs")
    with pytest.raises(FileError, match=r"is a directory"):
        read_content(tmp_path)
    (tmp_path / "empty.obs").write_bytes(b"\n\0 ")
    with pytest.raises(FileError, match=r"empty\.obs: the file is empty"):
        read_content(tmp_path / "empty.obs")
    with pytest.raises(FileError, match=r"is a device"):
        read_content("/dev/zero")


@pytest.mark.parametrize(
    ("data", "seen"),
    [
        (b"<!DOCTYPE html><html><body>404</body></html>", "HTML page"),
        (b"#dP2020  1  1  0  0  0.00000000", "SP3"),
        (b"\xd3\x00\x13\x3e\xd0", "RTCM"),
        (b"\xb5b\x01\x07", "UBX"),
        (bytes(range(1, 200)), "data that start with"),
        (gzip.compress(b"nothing of the kind"), "data that start with"),
        (zipped(), "archive without"),
    ],
)
def test_strangers_are_named(data, seen):
    with pytest.raises(RinexError, match=seen):
        read_content(data)


def test_cut_gzip_keeps_what_decoded():
    text = file_3(400).encode()
    packed = gzip.compress(text)
    cut = packed[: len(packed) * 3 // 4]
    report = ReadReport()
    kept = read_content(cut, report=report)
    assert 0 < len(kept) < len(text)
    assert text.startswith(kept)
    assert report.counts["damaged_compression"] == 1
    with pytest.raises(FileError, match="truncated gzip data; download it again"):
        read_content(cut, strict=True)


def test_what_is_not_damaged_is_not_to_be_downloaded_again():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.obs", file_3(1))
    locked = bytearray(stream.getvalue())
    locked[locked.index(b"PK\x01\x02") + 8] |= 1  # the directory says that it is encrypted
    with pytest.raises(FileError, match="unpack the archive with its password") as refused:
        read_content(bytes(locked))
    assert "download" not in str(refused.value)


def test_cut_bzip2_of_one_block_gives_nothing():
    packed = bz2.compress(file_3(400).encode())
    with pytest.raises(FileError, match="truncated bzip2"):
        read_content(packed[: len(packed) * 3 // 4])


def test_cut_compress_shows_as_a_cut_epoch():
    """The .Z format has no end mark and no check sum."""
    packed = lzw(file_3(400).encode())
    table = read_obs(packed[: len(packed) * 3 // 4])
    assert 200 < table.n_epoch < 400
    assert table.report.counts["epoch_truncated"] == 1


def test_cut_crinex_keeps_the_epochs_before_the_cut():
    text = file_3(50).encode()
    packed = crinex(text)
    table = read_obs(packed[: len(packed) * 2 // 3])
    whole = read_obs(text)
    assert 10 < table.n_epoch < 50
    assert table.code_m.tobytes() == whole.code_m[: table.n_row].tobytes()
    assert any("damaged CRINEX" in warning for warning in table.report.warnings)
    with pytest.raises(FileError):
        read_obs(packed[: len(packed) * 2 // 3], strict=True)


def test_bombs_stay_bounded(monkeypatch):
    monkeypatch.setattr("rtkpos.io.text.decompress.LIMIT_BASE", 1 << 16)
    monkeypatch.setattr("rtkpos.io.text.decompress.LIMIT_RATIO", 2)
    zeros = b"\0" * (8 << 20)
    for bomb in (gzip.compress(zeros), bz2.compress(zeros), lzw(zeros), zipped(("a", zeros))):
        with pytest.raises(FileError, match=r"too large|far too much"):
            read_content(bomb)


def test_layers_end():
    data = TEXT
    for _ in range(6):
        data = gzip.compress(data)
    with pytest.raises(FileError, match="layers"):
        read_content(data)
