"""Satellite systems and the dense satellite index.

A satellite is the int16 `sat = system * 64 + (prn - 1)`: dense enough for lookup tables of
`N_SAT` entries; the number is `(sat & 63) + 1`, the system `system_of(sat)` in kernels and
`systems_of(sats)` elsewhere.
"""

from __future__ import annotations

from typing import Any

from rtkpos._numba.decorator import kernel

GPS, GLONASS, GALILEO, BEIDOU, QZSS, IRNSS, SBAS = range(7)
SYSTEM_LETTERS = "GRECJIS"  # RINEX letters, in index order
N_SYSTEM = 7
PRN_PER_SYSTEM = 64
N_SAT = N_SYSTEM * PRN_PER_SYSTEM
SYSTEM_NAMES = ("GPS", "GLONASS", "Galileo", "BeiDou", "QZSS", "NavIC", "SBAS")
# Largest number RINEX 4.02 (section 3.5 and table A1) gives a satellite of each system.
MAX_PRN = (63, 32, 36, 63, 10, 14, 58)


@kernel
def system_of(sat):
    """System of a satellite index, in kernels."""
    return sat >> 6


@kernel
def first_sat(system):
    """Index of the first satellite of a system, in kernels; the next system's ends the range."""
    return system * PRN_PER_SYSTEM


def systems_of(sats: Any) -> Any:
    """System of a satellite index, or (n,) of an array of them; kernels take `system_of`."""
    return sats >> 6


def sat_index(system: int, prn: int) -> int:
    """Dense index of a satellite, or -1 when the number does not exist in that system."""
    if not 0 <= system < N_SYSTEM or not 1 <= prn <= MAX_PRN[system]:
        return -1
    return system * PRN_PER_SYSTEM + prn - 1


def sat_from_name(name: str) -> int:
    """Index of a satellite by its RINEX name ("C07", "C 7", "c7"); -1 when there is none."""
    text = name.strip().upper()
    system = SYSTEM_LETTERS.find(text[:1]) if text else -1
    number = text[1:].strip()
    return sat_index(system, int(number)) if number.isdecimal() else -1


def sat_name(sat: int) -> str:
    """RINEX name of a satellite index: 198 -> "C07"."""
    return f"{SYSTEM_LETTERS[systems_of(sat)]}{(sat & 63) + 1:02d}"


def systems_from_letters(letters: str) -> tuple[int, ...]:
    """System indices of a string of RINEX letters, in index order; ValueError for unknown ones."""
    unknown = sorted(set(letters.upper()) - set(SYSTEM_LETTERS))
    if unknown:
        raise ValueError(f"unknown system letter {unknown[0]!r}; known are {SYSTEM_LETTERS}")
    return tuple(i for i, letter in enumerate(SYSTEM_LETTERS) if letter in letters.upper())
