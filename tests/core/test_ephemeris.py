"""The choice of the ephemeris: type, age, health, ties; and the orbit jump test."""

from __future__ import annotations

import numpy as np
import pytest

from rtkpos.core import tables as t
from rtkpos.core.orbits.ephemeris import (
    BCNV2,
    CNAV,
    CNV1,
    CNV2,
    CNV3,
    D1,
    D2,
    DEFAULT_MESSAGE_ORDER,
    FDMA,
    FNAV,
    INAV,
    LNAV,
    NO_EPHEMERIS,
    SBAS_MESSAGE,
    TOO_OLD,
    UNHEALTHY,
    select_ephemeris,
)
from rtkpos.core.orbits.ephemeris_consistency import _mark_jumps, find_orbit_jumps
from rtkpos.gnss.systems import N_SAT, sat_from_name
from rtkpos.records.broadcast import Message, sat_starts

S = 1_000_000_000
T0 = 2320 * 604_800 * S  # start of a GPS week: half of what happens lies in the week before
H = 3600 * S


def table(*rows):
    """EphemerisArrays from (name, message, toe - T0 [s], tx - T0 [s], healthy), sorted here."""
    rows = sorted((sat_from_name(r[0]), *r[1:]) for r in rows)
    column = list(zip(*rows, strict=True))
    n = len(rows)
    toe = T0 + np.array(column[2], dtype=np.int64) * S
    return t.EphemerisArrays(
        sat_starts(np.array(column[0], dtype=np.int16)),
        np.array(column[1], dtype=np.int8),
        toe,
        toe.copy(),
        T0 + np.array(column[3], dtype=np.int64) * S,
        np.arange(n, dtype=np.int64),
        np.array(column[4], dtype=np.int8),
        np.zeros(n, dtype=np.int8),
        np.full(n, 2.0),
        np.zeros((n, t.N_PARAM)),
    )


def pick(eph, name, second):
    """Row selected, or the code."""
    return select_ephemeris(eph, sat_from_name(name), T0 + second * S, DEFAULT_MESSAGE_ORDER)


def test_message_numbers_are_those_of_the_record():
    numbers = (LNAV, INAV, FNAV, D1, D2, FDMA, SBAS_MESSAGE, CNAV, CNV2, CNV1, BCNV2, CNV3)
    names = "LNAV INAV FNAV D1 D2 FDMA SBAS CNAV CNV2 CNV1 BCNV2 CNV3".split()
    assert numbers == tuple(int(Message[name]) for name in names)
    assert DEFAULT_MESSAGE_ORDER.dtype == np.int8


def test_nearest_toe_wins_across_a_week_boundary_and_ties_are_settled():
    eph = table(
        ("G05", LNAV, -7200, -9000, 1), ("G05", LNAV, 0, -7200, 1), ("G05", LNAV, 7200, 0, 1)
    )
    assert [pick(eph, "G05", s) for s in (-5000, -3601, -3600, -3599, 10, 3600, 3601)] == [
        0,
        0,
        0,
        1,
        1,
        1,
        2,
    ]
    same_toe = table(("G05", LNAV, 0, -7200, 1), ("G05", LNAV, 0, -3600, 1))
    assert [pick(same_toe, "G05", s) for s in (-100, 0, 100)] == [1, 1, 1]


def test_codes_for_none_and_too_old():
    eph = table(("G05", LNAV, 0, -7200, 1), ("R03", FDMA, 0, -900, 1), ("E07", INAV, 0, 0, 1))
    assert pick(eph, "G06", 0) == NO_EPHEMERIS
    assert (pick(eph, "G05", 7201), pick(eph, "G05", 7202)) == (1 - 1, TOO_OLD)
    assert (pick(eph, "R03", 1801), pick(eph, "R03", -1802)) == (1, TOO_OLD)
    # Galileo serves the time after toe; ahead of it the limit is a quarter.
    assert (pick(eph, "E07", 14_400), pick(eph, "E07", 14_401)) == (2, TOO_OLD)
    assert (pick(eph, "E07", -3600), pick(eph, "E07", -3601)) == (2, TOO_OLD)


def test_one_message_type_serves_a_satellite_for_the_whole_table():
    eph = table(
        ("E07", INAV, 0, 0, 1),
        ("E07", FNAV, 0, 0, 1),
        ("E07", FNAV, 36_000, 36_000, 1),
        ("E08", FNAV, 0, 0, 1),
    )
    assert pick(eph, "E07", 60) == 0
    assert pick(eph, "E07", 36_000) == TOO_OLD
    assert pick(eph, "E08", 60) == 3
    swapped = DEFAULT_MESSAGE_ORDER.copy()
    swapped[2, :2] = FNAV, INAV
    assert select_ephemeris(eph, sat_from_name("E07"), T0 + 60 * S, swapped) == 1


def test_an_unhealthy_set_on_the_air_overrides_a_nearer_healthy_one():
    eph = table(("G05", LNAV, 0, -7200, 1), ("G05", LNAV, 7200, 600, 0))
    assert pick(eph, "G05", 500) == 0
    assert pick(eph, "G05", 600) == UNHEALTHY
    assert pick(eph, "G05", 6000) == UNHEALTHY
    recovered = table(("G05", LNAV, 0, -7200, 0), ("G05", LNAV, 7200, 600, 1))
    assert pick(recovered, "G05", 0) == UNHEALTHY
    assert pick(recovered, "G05", 5000) == 1
    # An unhealthy record never yields to an older healthy one.
    old_good = table(("G05", LNAV, -3600, -9000, 1), ("G05", LNAV, 0, -100, 0))
    assert pick(old_good, "G05", -50) == UNHEALTHY


@pytest.mark.parametrize("seed", range(3))
def test_selection_equals_a_naive_search(seed):
    rng = np.random.default_rng(seed)
    toes = np.unique(rng.integers(-20, 20, 15)) * 900
    eph = table(*(("C21", D1, int(toe), int(toe) - 600, 1) for toe in toes))
    for second in rng.integers(-25_000, 25_000, 200):
        age = second - toes
        cost = np.where(age >= 0, age, -3.0 * age)
        wanted = int(np.argmin(cost)) if cost.min() <= 14_400 else TOO_OLD
        assert pick(eph, "C21", int(second)) == wanted


def test_every_satellite_of_an_empty_table_has_none():
    eph = table(("G05", LNAV, 0, 0, 1))
    empty = t.EphemerisArrays(np.zeros(N_SAT + 1, dtype=np.int64), *(a[:0] for a in list(eph)[1:]))
    assert {pick(empty, name, 0) for name in ("G01", "R24", "E36", "C63", "J10", "S58")} == {-1}


def hourly(node_rad, unhealthy=()):
    """Hourly records of one satellite whose node is moved by `node_rad`, and its number by row."""
    eph = table(*(("G05", LNAV, 3600 * k, 3600 * k, 1) for k in range(len(node_rad))))
    param = eph.param
    param[:, t.P_SQRT_A], param[:, t.P_I0], param[:, t.P_ECC] = 5153.6, 0.96, 0.01
    motion = np.sqrt(3.986005e14) / 5153.6**3
    hours = np.arange(len(node_rad))
    param[:, t.P_M0] = motion * 3600.0 * hours
    param[:, t.P_TOE_SOW] = 3600.0 * hours
    param[:, t.P_OMEGA0] = np.array(node_rad)
    eph.healthy[list(unhealthy)] = 0
    return eph, np.full(len(node_rad), sat_from_name("G05"), dtype=np.int16)


def jumps(node_rad, unhealthy=()):
    """Rows that `find_orbit_jumps` marks among such records."""
    eph, sat = hourly(node_rad, unhealthy)
    out = np.zeros(len(sat), dtype=np.bool_)
    find_orbit_jumps(eph, sat, out)
    return list(np.flatnonzero(out))


def test_marks_come_with_the_distances_between_neighbours():
    eph, sat = hourly([0.0, 0.0, 1e-3, 0.0])
    apart, marks = np.full(6, np.nan), np.zeros(4, dtype=np.bool_)
    assert _mark_jumps(eph, sat, apart, np.empty(8), np.empty(8), marks) == 1
    assert marks.tolist() == [False, False, True, False]
    # A node turned by an angle moves the satellite by that angle times its distance from the axis.
    radius_m = 5153.6**2
    assert np.isnan(apart[[0, 4, 5]]).all()
    assert apart[1] < 100.0  # the made mean motion is that of a circle without perturbations
    assert np.all((apart[2:4] > 1e-3 * radius_m * 0.5) & (apart[2:4] < 1e-3 * radius_m * 1.02))


@pytest.mark.parametrize(
    ("node_rad", "marked"),
    [
        ([1e-3, 0.0, 0.0, 0.0], [0]),
        ([0.0, 0.0, 0.0, 1e-3], [3]),
        ([1e-3, 0.0, 1e-3, 0.0], [1, 2]),
        ([1e-3, 0.0], []),
        ([0.0, 0.0, 1e-3, 1e-3], []),
    ],
)
def test_a_mark_at_an_end_needs_a_pair_that_agrees(node_rad, marked):
    eph, sat = hourly(node_rad)
    apart, marks = np.full(len(sat) + 2, np.nan), np.zeros(len(sat), dtype=np.bool_)
    assert _mark_jumps(eph, sat, apart, np.empty(8), np.empty(8), marks) == len(marked)
    assert np.flatnonzero(marks).tolist() == marked


def test_orbit_jump_marks_the_odd_record_and_no_manoeuvre():
    bad = 1e-3  # 26 km
    assert jumps([0, 0, 0, 0, 0]) == []
    assert jumps([0, 0, bad, 0, 0]) == [2]
    assert jumps([bad, 0, 0, 0]) == [0]
    assert jumps([0, 0, 0, bad]) == [3]
    assert jumps([0, 0, bad, bad]) == []
    # The last set after a manoeuvre (G27 on 2016-01-07): the set before it was flagged.
    assert jumps([0, 0, 0, bad], unhealthy=[2]) == []
    assert jumps([bad, 0, 0, 0], unhealthy=[0]) == []
    # The set of another satellite among unhealthy ones (G10 on 2015-10-07).
    assert jumps([0, 0, bad, 0, 0], unhealthy=[0, 1, 3, 4]) == [2]
