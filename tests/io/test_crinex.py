"""Our decoder of CRINEX against RNXCMP's on real files, and what it says of damage."""

from __future__ import annotations

import subprocess

import pytest

from rtkpos.io.rinex.crinex import decode_crinex, is_crinex
from rtkpos.io.text.decompress import read_content
from tests.data import dataset_path

CORPUS = "rinex-corpus"
FILES = (
    "nav-solutions/CRNX/V1/npaz3550.21d",
    "nav-solutions/CRNX/V1/AJAC3550.21D",
    "nav-solutions/CRNX/V1/KOSG0010.95D",
    "nav-solutions/CRNX/V1/eijs0010.21d",
    "nav-solutions/CRNX/V1/aopr0010.17d",
    "nav-solutions/CRNX/V1/barq071q.19d",
    "nav-solutions/CRNX/V3/VLNS0010.22D",
    "hatanaka-tests/sample.crx",
)
LIMIT = 10**9


def rnxcmp(data: bytes) -> bytes:
    """The text of the program of the author of the format."""
    from hatanaka.hatanaka import executables

    command = [str(executables.joinpath("crx2rnx")), "-"]
    return subprocess.run(command, input=data, capture_output=True, check=False).stdout


def first_epochs(name: str) -> bytes:
    """Some first epochs of a file of the corpus, or those of the file made here for ""."""
    if not name:
        return (HEAD + FIRST + SECOND + EVENT).encode()
    lines = dataset_path(CORPUS, name).read_bytes().splitlines(keepends=True)
    head = next(k for k, line in enumerate(lines) if b"END OF HEADER" in line) + 1
    pieces = (b"".join(lines[:n]) for n in range(head + 60, head, -1))
    return next(piece for piece in pieces if not decode_crinex(piece, LIMIT)[1])


def label(content: str, name: str) -> str:
    return f"{content:<60}{name}\n"


HEAD = (
    label("3.0                 COMPACT RINEX FORMAT", "CRINEX VERS   / TYPE")
    + label("made by hand", "CRINEX PROG / DATE")
    + label("     3.04           OBSERVATION DATA    M", "RINEX VERSION / TYPE")
    + label("G    3 C1C L1C S1C", "SYS / # / OBS TYPES")
    + label("", "END OF HEADER")
)
FIRST = "> 2024 01 01 00 00  0.0000000  0  1      G01\n\n3&100123 3&-500 3&45000 12&3&&\n"
SECOND = "                   3\n3&-250000000\n1000   &1\n"
OUT_FIRST = (
    "> 2024 01 01 00 00  0.0000000  0  1\nG01       100.12312         -.500 3        45.000\n"
)
OUT_SECOND = (
    "> 2024 01 01 00 00 30.0000000  0  1       -.000250000000\nG01       101.123 2"
    "               3\n"
)


def body(text: bytes) -> str:
    return text[text.index(b"END OF HEADER\n") + 14 :].decode()


@pytest.mark.parametrize("name", FILES)
def test_text_is_that_of_rnxcmp_in_every_byte(name):
    data = dataset_path(CORPUS, name).read_bytes()
    assert is_crinex(data)
    text, complaint = decode_crinex(data, LIMIT)
    assert complaint == ""
    assert text == rnxcmp(data)


def test_differences_flags_and_clock_of_a_small_file():
    text, complaint = decode_crinex((HEAD + FIRST + SECOND).encode(), LIMIT)
    assert complaint == ""
    assert text == rnxcmp((HEAD + FIRST + SECOND).encode())
    assert body(text).startswith(OUT_FIRST)


def test_events_are_copied_and_change_the_number_of_values():
    event = (
        "> 2024 01 01 00 01  0.0000000  4  2\n"
        + label("moved", "COMMENT")
        + label("G    1 C1C", "SYS / # / OBS TYPES")
    )
    after = "> 2024 01 01 00 01 30.0000000  0  1      G01\n\n3&7 4&\n"
    data = (HEAD + FIRST + event + after).encode()
    text, complaint = decode_crinex(data, LIMIT)
    assert (text, complaint) == (rnxcmp(data), "")
    assert body(text).endswith("G01          .0074\n")


@pytest.mark.parametrize(
    ("damaged", "words"),
    [
        (FIRST.replace("3&100123", "x&100123"), "line 8: a value"),
        (FIRST.replace("3&100123", "100123"), "line 8: a value"),
        (FIRST.replace("3&100123", "3&99999999999999999999"), "line 8: a value"),
        (FIRST.replace("3&100123", "3&123456789012345"), "line 8: a value"),
        (FIRST.replace("G01", "\xe901"), "line 8: a satellite name"),
        (FIRST.replace("G01", "E01"), "line 8: a satellite name"),
        (FIRST.replace("0  1  ", "0  2  "), "line 6: an epoch line"),
        (FIRST.replace("0  1  ", "0  x  "), "line 6: an epoch line"),
        (SECOND, "line 6: an epoch that changes"),
        (FIRST[:46], "the end of the data"),
    ],
)
def test_damage_is_told_and_what_was_before_is_kept(damaged, words):
    text, complaint = decode_crinex((HEAD + damaged).encode("latin-1"), LIMIT)
    assert words in complaint
    assert body(text) == ""
    after = FIRST + (damaged if damaged != SECOND else "> 2024\n")
    text, complaint = decode_crinex((HEAD + after).encode("latin-1"), LIMIT)
    assert complaint.startswith("damaged CRINEX data (line ")
    assert body(text) == OUT_FIRST


EVENT = "> 2024 01 01 00 01  0.0000000  4  1\n" + label("moved", "COMMENT")


@pytest.mark.parametrize("name", ["", FILES[4], FILES[6]])
def test_a_file_cut_anywhere_gives_the_beginning_of_its_text_and_says_so(name):
    """A line without its end may hold the beginning of a number: "3&2" of "3&21999999989"."""
    data = first_epochs(name)
    whole, complaint = decode_crinex(data, LIMIT)
    assert complaint == ""
    assert body(whole)
    for stop in range(data.index(b"END OF HEADER") + 20, len(data)):
        text, complaint = decode_crinex(data[:stop], LIMIT)
        assert whole.startswith(text), stop
        is_between = text == whole or data[:stop].endswith(b"\n")
        assert complaint.startswith("damaged CRINEX data (line ") or is_between, stop


@pytest.mark.parametrize("clock", ["-100000000", "-500000000000", "-1", "100000000"])
def test_clocks_keep_their_sign_and_their_last_digit(clock):
    """RNXCMP 4.1.0 writes whole negative tenths of a millisecond 0.1 ms off."""
    data = (HEAD + FIRST.replace("\n\n", f"\n3&{clock}\n")).encode()
    text, complaint = decode_crinex(data, LIMIT)
    line = body(text).split("\n")[0]
    assert complaint == ""
    assert round(float(line[41:56]) * 1e12) == int(clock)


def test_a_header_without_end_or_with_absurd_numbers_is_damage():
    head = HEAD.replace("END OF HEADER", "COMMENT")
    assert "the header does not end" in decode_crinex(head.encode(), LIMIT)[1]
    many = HEAD.replace("G    3", "G  999")
    assert "'999' observation types" in decode_crinex(many.encode(), LIMIT)[1]


def test_blank_lines_are_looked_at_once():
    """Epochs without satellites of blank lines only: a look ahead from each would take hours."""
    empty = FIRST.split("G01", maxsplit=1)[0].replace("0  1  ", "0  0  ") + "\n\n"
    data = (HEAD + empty + "\n" * 4_000_000 + "x\n").encode()
    assert decode_crinex(data, LIMIT)[1].startswith("damaged CRINEX data (line ")


def test_a_blank_end_of_the_file_is_no_damage():
    data = (HEAD + FIRST + SECOND).encode()
    for end in (b"\n\n", b"\r\n  \r\n"):
        assert decode_crinex(data + end, LIMIT) == decode_crinex(data, LIMIT)
    text, complaint = decode_crinex(data + b"   ", LIMIT)  # may be the beginning of an epoch
    assert (text, complaint != "") == (decode_crinex(data, LIMIT)[0], True)


def test_an_epoch_without_satellites_is_kept():
    empty = FIRST.split("G01", maxsplit=1)[0].replace("0  1  ", "0  0  ").rstrip() + "\n\n"
    data = (HEAD + empty + FIRST).encode()
    text, complaint = decode_crinex(data, LIMIT)
    assert (text, complaint) == (rnxcmp(data), "")


def test_a_longer_text_than_allowed_is_refused():
    data = (HEAD + FIRST + SECOND).encode()
    n = len(decode_crinex(data, LIMIT)[0])
    assert decode_crinex(data, n)[1] == ""
    for limit in (0, 100, n - 1):
        text, complaint = decode_crinex(data, limit)
        assert text == b""
        assert complaint.startswith("too large")


def test_packed_files_of_the_demo_are_read():
    text = read_content("data/demo/BASE1.crx.gz")
    assert text.count(b"\n> ") > 100
