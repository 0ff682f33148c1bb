"""Systems and satellites: names, indices, limits."""

from __future__ import annotations

import numpy as np
import pytest

from rtkpos.gnss import systems
from rtkpos.gnss.systems import (
    MAX_PRN,
    N_SAT,
    N_SYSTEM,
    SYSTEM_LETTERS,
    sat_from_name,
    sat_index,
    sat_name,
    systems_from_letters,
)

EVERY = [(system, prn) for system in range(N_SYSTEM) for prn in range(1, MAX_PRN[system] + 1)]


def test_every_satellite_has_its_own_index_and_name():
    indices = [sat_index(system, prn) for system, prn in EVERY]
    assert len(set(indices)) == len(EVERY)
    assert 0 <= min(indices) <= max(indices) < N_SAT <= np.iinfo(np.int16).max
    for (system, prn), sat in zip(EVERY, indices, strict=True):
        assert sat_name(sat) == f"{SYSTEM_LETTERS[system]}{prn:02d}"
        assert sat_from_name(sat_name(sat)) == sat
        assert (sat >> 6, (sat & 63) + 1) == (system, prn)  # as kernels take it apart


@pytest.mark.parametrize("name", ["C07", "C 7", "c7", " C07 ", "C7"])
def test_spellings_of_a_name(name):
    assert sat_from_name(name) == sat_index(systems.BEIDOU, 7) == 198


@pytest.mark.parametrize(
    "name",
    ["", "C", "C00", "C64", "G64", "R33", "E37", "J11", "I15", "S59", "X01", "C-1", "C1.", "07"],
)
def test_names_of_no_satellite(name):
    assert sat_from_name(name) == -1


@pytest.mark.parametrize(("system", "prn"), [(-1, 1), (7, 1), (0, 0), (0, 64), (1, 33), (3, -1)])
def test_numbers_of_no_satellite(system, prn):
    assert sat_index(system, prn) == -1


def test_letters_follow_rinex():
    # RINEX 4.02, section 3.5: system identifiers.
    letters = {"GPS": "G", "GLONASS": "R", "Galileo": "E", "BeiDou": "C", "QZSS": "J"}
    letters |= {"NavIC": "I", "SBAS": "S"}
    assert dict(zip(systems.SYSTEM_NAMES, SYSTEM_LETTERS, strict=True)) == letters


def test_systems_from_letters_are_sorted_and_unique():
    assert systems_from_letters("cgCG") == (systems.GPS, systems.BEIDOU)
    assert systems_from_letters("") == ()
    with pytest.raises(ValueError, match="'X'"):
        systems_from_letters("GX")
