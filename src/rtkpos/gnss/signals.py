"""Signals: RINEX code <-> dense index, band, carrier frequency.

A signal is a system with a band digit and an attribute letter (RINEX 4.02, tables 12-20), as the
int16 `sig = system * 270 + digit * 27 + letter`; the letter is 0..25 for A..Z and 26 for none.
The kind of observable (C, L, D, S) is not part of it: code, phase, Doppler and C/N0 of one signal
stand in one row.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos.gnss.systems import (
    BEIDOU,
    GALILEO,
    GLONASS,
    GPS,
    IRNSS,
    N_SYSTEM,
    QZSS,
    SBAS,
    SYSTEM_LETTERS,
)

N_LETTER = 27
SIG_PER_SYSTEM = 10 * N_LETTER
N_SIG = N_SYSTEM * SIG_PER_SYSTEM
NO_ATTRIBUTE = 26

# Carrier frequency [Hz] by (system, band digit): RINEX 4.02, tables 12-19. GLONASS FDMA bands
# hold the frequency of channel 0; the step per channel stands below.
CARRIER_HZ: dict[int, dict[int, float]] = {
    GPS: {1: 1575.42e6, 2: 1227.60e6, 5: 1176.45e6},
    GLONASS: {1: 1602.0e6, 2: 1246.0e6, 3: 1202.025e6, 4: 1600.995e6, 6: 1248.06e6},
    GALILEO: {1: 1575.42e6, 5: 1176.45e6, 6: 1278.75e6, 7: 1207.14e6, 8: 1191.795e6},
    BEIDOU: {
        1: 1575.42e6,
        2: 1561.098e6,
        5: 1176.45e6,
        6: 1268.52e6,
        7: 1207.14e6,
        8: 1191.795e6,
    },
    QZSS: {1: 1575.42e6, 2: 1227.60e6, 5: 1176.45e6, 6: 1278.75e6},
    IRNSS: {1: 1575.42e6, 5: 1176.45e6, 9: 2492.028e6},
    SBAS: {1: 1575.42e6, 5: 1176.45e6},
}
GLONASS_STEP_HZ = {1: 0.5625e6, 2: 0.4375e6}  # ICD GLONASS 5.1, table 3.1

# Attribute letters each band knows (RINEX 4.02, tables 12-19).
KNOWN_ATTRIBUTES: dict[int, dict[int, str]] = {
    GPS: {1: "CSLXPWYMNR", 2: "CDSLXPWYMNR", 5: "IQX"},
    GLONASS: {1: "CP", 2: "CP", 3: "IQX", 4: "ABX", 6: "ABX"},
    GALILEO: {1: "ABCXZ", 5: "IQX", 6: "ABCXZ", 7: "IQX", 8: "IQX"},
    BEIDOU: {1: "DPXASLZN", 2: "IQX", 5: "DPX", 6: "IQXDPZA", 7: "IQXDPZ", 8: "DPX"},
    QZSS: {1: "CESLXZB", 2: "SLX", 5: "IQXDPZ", 6: "SLXEZ"},
    IRNSS: {1: "DPX", 5: "ABCX", 9: "ABCX"},
    SBAS: {1: "C", 5: "IQX"},
}


def sig_index(system: int, code: str) -> int:
    """Index of a signal from its system and two-letter code ("2I"); -1 when RINEX knows none."""
    if len(code) < 1 or not code[0].isdecimal():
        return -1
    digit, letter = int(code[0]), code[1:2].strip()
    if digit not in CARRIER_HZ[system]:
        return -1
    if letter and letter not in KNOWN_ATTRIBUTES[system][digit]:
        return -1
    attribute = ord(letter) - ord("A") if letter else NO_ATTRIBUTE
    return system * SIG_PER_SYSTEM + digit * N_LETTER + attribute


def sig_code(sig: int) -> str:
    """Two-letter RINEX code of a signal ("2I"); one character when it has no attribute."""
    digit, letter = sig // N_LETTER % 10, sig % N_LETTER
    return str(digit) if letter == NO_ATTRIBUTE else f"{digit}{chr(ord('A') + letter)}"


def sig_name(sig: int) -> str:
    """System letter and code of a signal: "C2I"-like names read as "C:2I"."""
    return f"{SYSTEM_LETTERS[sig // SIG_PER_SYSTEM]}:{sig_code(sig)}"


def sig_band(sig: Any) -> Any:
    """RINEX band digit of a signal index (also of an array of them)."""
    return sig // N_LETTER % 10


def carrier_hz(system: int, digit: int, glonass_channel: int = 0) -> float:
    """Carrier frequency [Hz] of a band; NaN when the band does not exist."""
    base = CARRIER_HZ[system].get(digit, math.nan)
    if system == GLONASS:
        return base + glonass_channel * GLONASS_STEP_HZ.get(digit, 0.0)
    return base


def carrier_table() -> FloatArray:
    """Carrier frequencies as (N_SYSTEM, 10) [Hz], NaN where there is no such band.

    GLONASS rows hold channel 0; kernels add the channel step.
    """
    table = np.full((N_SYSTEM, 10), np.nan)
    for system, bands in CARRIER_HZ.items():
        for digit, frequency in bands.items():
            table[system, digit] = frequency
    return table
