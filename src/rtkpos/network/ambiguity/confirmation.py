"""Ambiguity confirmation over time: an accepted set must be found again before it is held.

edge : EdgeMemory record      work : EpochWork, rows (M, B)      amb : AmbiguityWork
"""

from __future__ import annotations

import math

from rtkpos._numba.decorator import kernel
from rtkpos.gnss.systems import system_of
from rtkpos.prepare.pairing import ROVER


@kernel
def note_tentative(system, band, n, time_ns, edge):
    """Compare the integers of an accepted set with those of the epochs before; returns 0.

    amb.floats (N_DD,) holds the n integer double differences. Each is counted from the held anchor
    of its system and band, or from a satellite that stays the same over the epochs of the
    confirmation.
    """
    work, amb = edge.work, edge.ambiguity
    origin, base = tentative_origin(system, band, n, work, edge, amb)
    if origin < 0:
        return 0
    sat0 = work.sat[origin]
    offset = edge.integer[sat0, band] if edge.model.held[sat0, band] else 0
    if not edge.model.held[sat0, band]:
        note_one(sat0, band, 0, time_ns, edge)
    for i in range(work.n_sat):
        sat = work.sat[i]
        if system_of(sat) != system or not amb.candidate[i, band] or i == origin:
            continue
        if (
            edge.model.held[sat, band]
            or work.datum_group[i, band] != work.datum_group[origin, band]
        ):
            continue
        value = integer_of(i, band, n, amb) - base
        note_one(sat, band, offset + int(math.floor(value + 0.5)), time_ns, edge)
    return 0


@kernel
def tentative_origin(system, band, n, work, edge, amb):
    """(row of the satellite tentative integers count from, -1 = none; its double difference)."""
    held_row, kept_row, first_row = -1, -1, -1
    for i in range(work.n_sat):
        sat = work.sat[i]
        if system_of(sat) != system or not amb.candidate[i, band]:
            continue
        if edge.model.held[sat, band]:
            held_row = i
        elif edge.tentative_origin[system, band] == sat:
            kept_row = i
        elif first_row < 0 or work.elevation_rad[ROVER, i] > work.elevation_rad[ROVER, first_row]:
            first_row = i
    row = held_row if held_row >= 0 else kept_row
    if row < 0 and first_row >= 0:
        row = first_row
        edge.tentative_origin[system, band] = work.sat[row]
        edge.tentative_n[work.sat[row], band] = 0
        for i in range(work.n_sat):
            if system_of(work.sat[i]) == system:
                edge.tentative_n[work.sat[i], band] = 0
    return row, integer_of(row, band, n, amb) if row >= 0 else 0.0


@kernel
def integer_of(i, band, n, amb):
    """Integer double difference of satellite row i; 0 for the reference of its group."""
    for j in range(n):
        if amb.satellite[j] == i and amb.band[j] == band:
            return amb.floats[j]
    return 0.0


@kernel
def note_one(sat, band, value, time_ns, edge):
    """Count an integer that was found again, or begin again; returns the count."""
    if edge.tentative_n[sat, band] == 0 or edge.tentative[sat, band] != value:
        edge.tentative[sat, band] = value
        edge.tentative_n[sat, band] = 0
        edge.tentative_ns[sat, band] = time_ns
    edge.tentative_n[sat, band] += 1
    return edge.tentative_n[sat, band]
