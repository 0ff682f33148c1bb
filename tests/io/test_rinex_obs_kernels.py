"""Kernels of the observation reader against plain Python."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rtkpos._numba.decorator import kernel
from rtkpos.io.rinex.read_observations import read_obs
from rtkpos.io.text.numbers import (
    BAD_INT,
    FIELD_OK,
    days_from_gps_epoch,
    fixed_int,
    fixed_point_ns,
    general_number,
)
from rtkpos.io.text.words64 import eight_bytes, fixed_milli, line_end
from tests.io.obs_text import epoch_2, file_3, header_2


def as_arrays(data: bytes):
    """A text as the kernels take it: bytes and words, both read-only."""
    return np.frombuffer(data, np.uint8), np.frombuffer(data, np.uint64, len(data) // 8)


@kernel
def milli_everywhere(words, out):
    """fixed_milli from every byte on."""
    for start in range(out.shape[0]):
        out[start] = fixed_milli(eight_bytes(words, start), eight_bytes(words, start + 8))
    return 0


def number_text(rng: random.Random) -> str:
    """A field of 14 characters: mostly F14.3, sometimes with damaged characters."""
    size = 10 ** rng.uniform(-1, 10.2)
    text = list(f"{rng.choice([1, 1, -1]) * size:14.3f}"[-14:])
    if rng.random() < 0.3:
        for _ in range(rng.randint(1, 2)):
            text[rng.randrange(14)] = rng.choice(" -.0123459x:/D\n\xff")
    return "".join(text)


def test_fast_numbers_equal_float():
    rng = random.Random(2)
    data = "".join(number_text(rng) + rng.choice(["  ", " 7", "", "\n"]) for _ in range(3000))
    data = data.encode("latin-1") + b" " * 40
    _, words = as_arrays(data)
    out = np.empty(len(data) - 40, np.int64)
    milli_everywhere(words, out)
    assert np.sum(out != BAD_INT) > 1500
    for start in np.flatnonzero(out != BAD_INT):
        field = data[start : start + 14]
        assert out[start] / 1000.0 == float(field), field
        assert field[10:11] == b"."


def test_fast_numbers_take_every_plain_field():
    for value in (0.001, -0.5, 45.25, -4123.875, 99999999.999, -12345678.0, 123456789.001):
        data = f"{value:14.3f}".encode() + b" 7" + b" " * 24
        _, words = as_arrays(data)
        out = np.empty(1, np.int64)
        milli_everywhere(words, out)
        assert out[0] == round(value * 1000), value


def test_general_numbers_equal_float():
    rng = random.Random(3)
    for _ in range(2000):
        text = number_text(rng) if rng.random() < 0.5 else f"{rng.uniform(-1e8, 1e8):.5E}"
        data = text.encode("latin-1").ljust(14)[:14]
        status, value = general_number(as_arrays(data)[0], 0, 14)
        if status == FIELD_OK:
            assert value == float(data.replace(b"D", b"E")), data


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("   12.5", 12.5),
        ("\t-7", -7.0),
        ("+3.", 3.0),
        ("-1.5E+02", -150.0),
        (" .25D-1 ", 0.025),
        ("2e9", 2e9),
        ("12e10", None),
        ("1E", None),
        ("1F2", None),
        ("- 5", None),
        ("1234567890123456", None),
    ],
)
def test_spellings_of_numbers(text, value):
    status, got = general_number(as_arrays(text.encode())[0], 0, len(text))
    assert (status == FIELD_OK) == (value is not None)
    assert value is None or got == value


def test_line_ends_at_every_alignment():
    rng = random.Random(4)
    data = b"".join(b"x" * rng.randrange(40) + b"\n" for _ in range(200)) + b"tail"
    text, words = as_arrays(data)
    start = 0
    while start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        assert line_end(text, words, start) == end
        start = end + 1


def test_days_equal_the_calendar():
    day, k = dt.date(1980, 1, 6), 0
    while day.year < 2101:
        assert days_from_gps_epoch(day.year, day.month, day.day) == k
        day, k = day + dt.timedelta(days=17), k + 17
    for wrong in ((2023, 2, 29), (2100, 2, 29), (2024, 4, 31), (2024, 13, 1), (1979, 12, 31)):
        assert days_from_gps_epoch(*wrong) == BAD_INT
    assert days_from_gps_epoch(2024, 2, 29) == (dt.date(2024, 2, 29) - dt.date(1980, 1, 6)).days


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("  7", 7),
        ("07 ", 7),
        (" 7 7", None),
        ("", None),
        ("-7", None),
        ("1x", None),
        ("9" * 20, None),
    ],
)
def test_fixed_int(text, value):
    got = fixed_int(as_arrays(text.encode() or b" ")[0], 0, len(text))
    assert got == (BAD_INT if value is None else value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("  0.0000000", 0),
        (" 29.9999999", 29_999_999_900),
        ("30", 30 * 10**9),
        ("1.2.3", None),
        (" 1 2.0", None),
        ("   ", None),
        (" 5.123456789012", 5_123_456_789),
    ],
)
def test_fixed_point_ns(text, value):
    got = fixed_point_ns(as_arrays(text.encode())[0], 0, len(text))
    assert got == (BAD_INT if value is None else value)


def digest_of_readings() -> str:
    """A digest of what the reader makes of clean and damaged texts."""
    text = header_2() + "".join(epoch_2(float(k), ["G05", "R12"]) for k in range(3))
    damaged = file_3(5).replace("G12  2001", "G12  2x01", 1).replace("> 2024", "> 20x4", 1)
    digest = hashlib.sha256()
    for data in (file_3(3), text, damaged, file_3(4)[:-60]):
        table = read_obs(data.encode())
        for column in table.arrays():
            digest.update(column.tobytes())
        digest.update(repr(sorted(table.report.counts.items())).encode())
    return digest.hexdigest()


def test_compiled_and_interpreted_readers_agree():
    code = "from tests.io.test_rinex_obs_kernels import digest_of_readings as d; print(d())"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == digest_of_readings()
