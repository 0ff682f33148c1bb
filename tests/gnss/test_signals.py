"""Signals: every RINEX code, and carriers against published wavelengths."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rtkpos.constants import SPEED_OF_LIGHT_MPS
from rtkpos.gnss.signals import (
    CARRIER_HZ,
    KNOWN_ATTRIBUTES,
    N_SIG,
    SIG_PER_SYSTEM,
    carrier_hz,
    carrier_table,
    sig_band,
    sig_code,
    sig_index,
    sig_name,
)
from rtkpos.gnss.systems import BEIDOU, GALILEO, GLONASS, GPS, IRNSS, N_SYSTEM, QZSS, SBAS

EVERY = [
    (system, f"{digit}{letter}")
    for system, bands in KNOWN_ATTRIBUTES.items()
    for digit, letters in bands.items()
    for letter in letters
]

# Observation codes of RINEX 4.02, tables 12-19 (band and attribute), transcribed system by system.
RINEX_402 = {
    GPS: "1C 1S 1L 1X 1P 1W 1Y 1M 1N 1R 2C 2D 2S 2L 2X 2P 2W 2Y 2M 2N 2R 5I 5Q 5X",
    GLONASS: "1C 1P 4A 4B 4X 2C 2P 6A 6B 6X 3I 3Q 3X",
    GALILEO: "1A 1B 1C 1X 1Z 5I 5Q 5X 7I 7Q 7X 8I 8Q 8X 6A 6B 6C 6X 6Z",
    BEIDOU: "2I 2Q 2X 1D 1P 1X 1S 1L 1Z 5D 5P 5X 7I 7Q 7X 7D 7P 7Z 8D 8P 8X 6I 6Q 6X 6D 6P 6Z",
    QZSS: "1C 1E 1S 1L 1X 1Z 1B 2S 2L 2X 5I 5Q 5X 5D 5P 5Z 6S 6L 6X 6E 6Z",
    IRNSS: "1D 1P 1X 5A 5B 5C 5X 9A 9B 9C 9X",
    SBAS: "1C 5I 5Q 5X",
}


@pytest.mark.parametrize("system", range(N_SYSTEM))
def test_every_code_of_rinex_402_is_known(system):
    unknown = [code for code in RINEX_402[system].split() if sig_index(system, code) < 0]
    assert unknown == []


def test_every_signal_has_its_own_index_and_comes_back():
    indices = [sig_index(system, code) for system, code in EVERY]
    assert len(set(indices)) == len(EVERY)
    assert 0 <= min(indices) <= max(indices) < N_SIG <= np.iinfo(np.int16).max
    for (system, code), sig in zip(EVERY, indices, strict=True):
        assert sig_code(sig) == code
        assert sig // SIG_PER_SYSTEM == system
        assert sig_band(sig) == int(code[0])


def test_band_of_an_array():
    sigs = np.array([sig_index(GPS, "1C"), sig_index(BEIDOU, "6I")], np.int16)
    assert sig_band(sigs).tolist() == [1, 6]


def test_code_without_attribute():
    sig = sig_index(GPS, "1")
    assert sig >= 0
    assert sig_code(sig) == "1"
    assert sig_index(GPS, "1 ") == sig


@pytest.mark.parametrize(
    ("system", "code"),
    [
        (GPS, ""),
        (GPS, "C1"),
        (GPS, "3C"),
        (GPS, "1I"),
        (BEIDOU, "2W"),
        (GALILEO, "2C"),
        (GPS, "0C"),
    ],
)
def test_unknown_codes(system, code):
    assert sig_index(system, code) == -1


def test_name_shows_system_and_code():
    assert sig_name(sig_index(BEIDOU, "2I")) == "C:2I"


# Wavelengths [m] to four decimals, worked out by hand from the interface documents.
@pytest.mark.parametrize(
    ("system", "digit", "wavelength_m"),
    [
        (GPS, 1, 0.1903),
        (GPS, 2, 0.2442),
        (GPS, 5, 0.2548),
        (GALILEO, 1, 0.1903),
        (GALILEO, 5, 0.2548),
        (GALILEO, 6, 0.2344),
        (GALILEO, 7, 0.2483),
        (GALILEO, 8, 0.2515),
        (BEIDOU, 1, 0.1903),
        (BEIDOU, 2, 0.1920),
        (BEIDOU, 5, 0.2548),
        (BEIDOU, 6, 0.2363),
        (BEIDOU, 7, 0.2483),
        (QZSS, 6, 0.2344),
        (IRNSS, 9, 0.1203),
        (SBAS, 5, 0.2548),
    ],
)
def test_wavelengths(system, digit, wavelength_m):
    assert SPEED_OF_LIGHT_MPS / carrier_hz(system, digit) == pytest.approx(wavelength_m, abs=5e-5)


def test_carriers_are_multiples_of_the_clock():
    # Every CDMA carrier is an integer multiple of the code rate 1.023 MHz (B1I: 1526, L1: 1540).
    for system in (GPS, GALILEO, BEIDOU, QZSS, IRNSS, SBAS):
        for frequency in CARRIER_HZ[system].values():
            assert frequency / 1.023e6 == pytest.approx(round(frequency / 1.023e6), abs=1e-9)


# ICD GLONASS 5.1 (2008), table 3.1: carriers of the outermost channels.
@pytest.mark.parametrize(
    ("digit", "channel", "frequency_hz"),
    [
        (1, -7, 1598.0625e6),
        (1, 0, 1602.0e6),
        (1, 6, 1605.375e6),
        (2, -7, 1242.9375e6),
        (2, 0, 1246.0e6),
        (2, 6, 1248.625e6),
        (3, 5, 1202.025e6),
    ],
)
def test_glonass_channels(digit, channel, frequency_hz):
    assert carrier_hz(GLONASS, digit, channel) == frequency_hz


def test_table_holds_the_same_carriers():
    table = carrier_table()
    assert table.shape == (N_SYSTEM, 10)
    for system in range(N_SYSTEM):
        for digit in range(10):
            np.testing.assert_equal(table[system, digit], carrier_hz(system, digit))
    assert math.isnan(carrier_hz(GPS, 7))


def test_every_band_has_attributes_and_a_carrier():
    for system in range(N_SYSTEM):
        assert CARRIER_HZ[system].keys() == KNOWN_ATTRIBUTES[system].keys()
