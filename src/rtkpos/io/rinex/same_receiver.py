"""Whether two observation files come from one receiver, by headers, times and values."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos.constants import NS_PER_S
from rtkpos.errors import FileError, RinexError
from rtkpos.io.rinex.read_observations import read_obs
from rtkpos.io.text.decompress import read_members, text_head
from rtkpos.records.observations import ObsTable, Station

_PIECE = 300_000  # bytes of the end of a file that are read
_SAME_START_NS = 60 * NS_PER_S
_SAME_PLACE_M = 0.5
_END_OF_HEADER = b"END OF HEADER"
_EPOCH = re.compile(rb"^(?:> |[ \d]{3} [ \d]\d [ \d]\d [ \d]\d [ \d]\d[ \d]{3}\.\d)", re.MULTILINE)


def are_two_receivers(first: Path, second: Path) -> bool:
    """Whether two observation files are recordings of two receivers at the same time.

    Files of one receiver follow each other in time, or hold different satellites. False where a
    file cannot be read, which its reader says better.
    """
    try:
        starts = [read_obs(text_head(path)) for path in (first, second)]
        if starts[0].time_ns[0] > starts[1].time_ns[0]:
            starts, first = starts[::-1], second
        one, other = starts
        start_ns = int(other.time_ns[0])
        is_later = start_ns - int(one.time_ns[0]) >= _SAME_START_NS
        if is_later and _is_one_station(one.station, other.station):
            return False
        if int(one.time_ns[-1]) <= start_ns and _last_ns(first) <= start_ns:
            return False
    except (FileError, RinexError):
        return False
    return _differ(one, other)


def _last_ns(path: Path) -> int:
    """Time of the last epoch of a file [ns GPST], from its header and its end."""
    text = read_members(path)[0][1]
    start = text.find(b"\n", text.find(_END_OF_HEADER)) + 1
    epoch = _EPOCH.search(text, max(start, len(text) - _PIECE))
    return int(read_obs(text[:start] + text[epoch.start() :] if epoch else text).time_ns[-1])


def _is_one_station(one: Station, other: Station) -> bool:
    """Whether two headers name the same marker, receiver and antenna, and the same place."""
    names = [(s.marker, s.receiver_serial, s.receiver, s.antenna_serial) for s in (one, other)]
    place: FloatArray = one.approx_ecef_m - other.approx_ecef_m
    is_known = bool(names[0][0] or names[0][1])
    return is_known and names[0] == names[1] and bool(np.all(np.abs(place) < _SAME_PLACE_M))


def _differ(one: ObsTable, other: ObsTable) -> bool:
    """Whether both have a satellite, but not the same values of it where they have an epoch."""
    epochs, *places = np.intersect1d(one.time_ns, other.time_ns, return_indices=True)
    if not len(epochs):
        return bool(np.isin(one.sat, other.sat).any())
    codes: list[dict[tuple[int, int], float]] = []
    for table, place in zip((one, other), places, strict=True):
        rows = slice(*table.row_start[place[0] : place[0] + 2].tolist())
        keys = zip(table.sat[rows].tolist(), table.sig[rows].tolist(), strict=True)
        codes.append(dict(zip(keys, table.code_m[rows].tolist(), strict=True)))
    both = codes[0].keys() & codes[1].keys()
    return any(codes[0][key] != codes[1][key] for key in both if np.isfinite(codes[0][key]))
