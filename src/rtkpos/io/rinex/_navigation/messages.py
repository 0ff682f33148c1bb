"""RINEX 4 messages beside the ephemerides: ionosphere (ION) and time offsets (STO)."""

from __future__ import annotations

import math

import numpy as np

from rtkpos.constants import BDT_MINUS_GPST_S, NS_PER_S, NS_PER_WEEK
from rtkpos.gnss.systems import BEIDOU, SYSTEM_LETTERS, sat_from_name
from rtkpos.gnss.time import ns_from_calendar
from rtkpos.io.rinex._navigation.text import FIRST_YEAR, LAST_YEAR, numbers
from rtkpos.records.broadcast import Ionosphere


def epoch_of(line: str) -> int | None:
    """Calendar epoch of the first line of a message as if GPST [ns]; None when it is no time."""
    try:
        parts = [int(part) for part in line[4:23].split()]
        if not FIRST_YEAR <= parts[0] <= LAST_YEAR:
            return None
        year, month, day, hour, minute = parts[:5]
        return ns_from_calendar(year, month, day, hour, minute, parts[5] * NS_PER_S)
    except (ValueError, IndexError, TypeError):
        return None


def ionosphere_message(parts: list[str], lines: list[str]) -> Ionosphere | None:
    """Ionosphere of one ION message (RINEX 4.02, tables A35-A37); None when it is incomplete.

    parts : words of the line "> ION G12 LNAV"      lines : the lines after it
    """
    letter = parts[1][:1] if len(parts) > 1 else ""
    epoch_ns = epoch_of(lines[0]) if lines else None
    if letter not in SYSTEM_LETTERS or not letter or epoch_ns is None:
        return None
    if SYSTEM_LETTERS.index(letter) == BEIDOU:
        epoch_ns -= BDT_MINUS_GPST_S * NS_PER_S
    values = numbers(lines[0], 23, 3)
    for line in lines[1:]:
        values += numbers(line, 4, 4)
    message = parts[2] if len(parts) > 2 else ""
    kind, count = "klobuchar", 8
    if letter == "E":
        kind, count = "nequick", 3
    elif letter == "C" and message == "CNVX":
        kind, count = "bdgim", 9
    # NavIC's L1 message sends NeQuick-N, another model than Galileo's.
    if letter == "I" and message == "L1NV":
        return None
    used = values[:count]
    if len(used) < count or not all(map(math.isfinite, used)) or not any(used):
        return None
    return Ionosphere(
        kind=kind,
        source=letter,
        coefficients=np.array(used),
        time_ns=epoch_ns,
        sat=sat_from_name(parts[1]),
    )


def time_offset_message(lines: list[str]) -> tuple[str, tuple[float, ...]] | None:
    """Key and (a0, a1, reference time of week, week) of one STO message (RINEX 4.02, table A33)."""
    epoch_ns = epoch_of(lines[0]) if lines else None
    key = lines[0][24:28].strip() if lines else ""
    if epoch_ns is None or not key or len(lines) < 2:
        return None
    a0, a1 = numbers(lines[1], 23, 2)
    if not (math.isfinite(a0) and math.isfinite(a1)):
        return None
    week, rest = divmod(epoch_ns, NS_PER_WEEK)
    return key, (a0, a1, rest / NS_PER_S, float(week))
