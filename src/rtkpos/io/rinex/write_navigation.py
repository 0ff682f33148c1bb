"""RINEX navigation files from broadcast tables.

Sources: RINEX 3.04, tables A5 to A14; RINEX 4.00, tables A7 to A36 (a line before each message).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rtkpos.constants import BDT_MINUS_GPST_S, NS_PER_S, NS_PER_WEEK
from rtkpos.errors import DataError
from rtkpos.gnss.systems import BEIDOU, GALILEO, SYSTEM_LETTERS, sat_name, systems_of
from rtkpos.gnss.time import calendar_from_ns, gpst_minus_utc_s
from rtkpos.io.rinex._navigation.elements import GLONASS_COLUMNS, KEPLER_COLUMNS, named_elements
from rtkpos.records.broadcast import BroadcastTable, Message

_KEPLER = (Message.LNAV, Message.INAV, Message.FNAV, Message.D1, Message.D2)
_ION_NAME = {"G": "GPS", "C": "BDS", "J": "QZS", "I": "IRN"}
# Bits of the Galileo data source: I/NAV E1-B and E5b-I with clock E5b/E1; F/NAV with E5a/E1.
_GALILEO_SOURCE = {Message.INAV: 517.0, Message.FNAV: 258.0}
_BDT_WEEK_ZERO = 1356  # GPS week in which BDT begins
_DEFAULT_ACCURACY_M = 2.0
_ION_MESSAGE = {"G": "LNAV", "C": "D1D2", "J": "LNAV"}
RINEX_VERSION = 3.04
_WITH_NAMES = 4.0  # first version with a line before each message that names it
_NAME_WIDTH = 3


def format_nav(
    table: BroadcastTable, program: str = "rtkpos", version: float = RINEX_VERSION
) -> str:
    """Text of a mixed RINEX navigation file, records in order of time, then satellite.

    version : 3.04 or 4.00      Raises DataError for a message RINEX 3 has no record for (CNAV and
    its like). The GLONASS delay between L1 and L2 has no field before RINEX 3.05 and is left out.
    """
    named = version >= _WITH_NAMES
    lines = _header(table, program, version)
    if named:
        lines += _ionosphere_messages(table)
    kepler = named_elements(table.param, KEPLER_COLUMNS)
    cartesian = named_elements(table.param, GLONASS_COLUMNS)
    for row in np.lexsort((table.sat, table.toc_ns)).tolist():
        message = Message(int(table.message[row]))
        name = sat_name(int(table.sat[row]))
        if message is Message.FDMA:
            e = {k: float(v[row]) for k, v in cartesian.items()}
            record = _glonass_record(table, row, e, with_delay=named)
        elif message in _KEPLER:
            record = _kepler_record(table, row, {k: float(v[row]) for k, v in kepler.items()})
        else:
            raise DataError(
                f"{name}: {message.name} messages are not written (RINEX 3 has no record for "
                "them); leave it out of the table."
            )
        lines += [f"> EPH {name} {message.name}", *record] if named else record
    return "\n".join(lines) + "\n"


def _header(table: BroadcastTable, program: str, version: float) -> list[str]:
    lines = [
        f"{version:9.2f}           {'N: GNSS NAV DATA':<20}{'M: MIXED':<20}RINEX VERSION / TYPE",
        f"{program[:20]:<60}PGM / RUN BY / DATE",
    ]
    for one in table.ionosphere if version < _WITH_NAMES else ():
        if one.kind == "klobuchar" and one.source in _ION_NAME and one.time_ns < 0:
            for part, letter in ((one.coefficients[:4], "A"), (one.coefficients[4:], "B")):
                values = "".join(f"{value:12.4E}" for value in part)
                key = _ION_NAME[one.source] + letter
                lines.append(f"{f'{key:<5}{values}':<60}IONOSPHERIC CORR")
    if table.leap_seconds is not None:
        lines.append(f"{table.leap_seconds:6d}{'':54}LEAP SECONDS")
    return [*lines, f"{'':60}END OF HEADER"]


def _ionosphere_messages(table: BroadcastTable) -> list[str]:
    """Klobuchar's coefficients as messages; those of no time are of the first record's.

    The last number is the region they hold in, 0: wide area.
    """
    lines = []
    for one in table.ionosphere:
        mine = np.flatnonzero(systems_of(table.sat) == SYSTEM_LETTERS.find(one.source))
        if one.kind != "klobuchar" or one.source not in _ION_MESSAGE or not len(mine):
            continue
        sat = one.sat if one.sat >= 0 else int(table.sat[mine[0]])
        time_ns = one.time_ns if one.time_ns >= 0 else int(table.toc_ns[mine].min())
        shift_ns = BDT_MINUS_GPST_S * NS_PER_S if systems_of(sat) == BEIDOU else 0
        k = one.coefficients.tolist()
        rows = (k[:3], k[3:7], [k[7], 0.0])
        lines.append(f"> ION {sat_name(sat)} {_ION_MESSAGE[one.source]}")
        lines += _record(" " * _NAME_WIDTH, time_ns + shift_ns, rows)
    return lines


def _record(name: str, epoch_ns: int, values: Sequence[Sequence[float]]) -> list[str]:
    """Lines of a record: three clock numbers, then rows of up to four."""
    year, month, day, hour, minute, ns = calendar_from_ns(epoch_ns)
    date = f"{year:4d} {month:02d} {day:02d} {hour:02d} {minute:02d} {ns // NS_PER_S:02d}"
    lines = [f"{name} {date}" + "".join(f"{value:19.12E}" for value in values[0])]
    lines += ["    " + "".join(f"{value:19.12E}" for value in row) for row in values[1:]]
    return lines


def _kepler_record(table: BroadcastTable, row: int, e: dict[str, float]) -> list[str]:
    sat = int(table.sat[row])
    system = systems_of(sat)
    is_beidou = system == BEIDOU
    shift_ns = BDT_MINUS_GPST_S * NS_PER_S if is_beidou else 0
    issue = float(table.issue[row])
    week = int(table.toe_ns[row] + shift_ns) // NS_PER_WEEK - (_BDT_WEEK_ZERO if is_beidou else 0)
    week_start_ns = (int(table.toe_ns[row]) + shift_ns) // NS_PER_WEEK * NS_PER_WEEK
    tx_s = (int(table.tx_ns[row]) + shift_ns - week_start_ns) / NS_PER_S
    source = _GALILEO_SOURCE.get(Message(int(table.message[row])), 0.0)
    accuracy_m = float(table.accuracy_m[row])
    accuracy_m = accuracy_m if np.isfinite(accuracy_m) else _DEFAULT_ACCURACY_M
    health = max(float(table.health[row]), 0.0)
    tail = [accuracy_m, health, e["tgd1_s"], issue]
    last = [tx_s, 4.0]
    if system in (GALILEO, BEIDOU):
        tail[3] = e["tgd2_s"]
        last = [tx_s, issue] if is_beidou else [tx_s]
    toc_ns = int(table.toc_ns[row]) + shift_ns
    return _record(
        sat_name(sat),
        toc_ns,
        (
            (e["af0_s"], e["af1"], e["af2_per_s"]),
            (issue, e["crs_m"], e["delta_n"], e["m0_rad"]),
            (e["cuc"], e["ecc"], e["cus"], e["sqrt_a"]),
            (e["toe_sow"], e["cic"], e["omega0_rad"], e["cis"]),
            (e["i0_rad"], e["crc_m"], e["omega_rad"], e["omega_dot"]),
            (e["i_dot"], source, float(week), 0.0),
            tail,
            last,
        ),
    )


def _glonass_record(
    table: BroadcastTable, row: int, e: dict[str, float], *, with_delay: bool
) -> list[str]:
    """Epoch in UTC; kilometres; the message frame time is seconds of the UTC week.

    with_delay : a fourth line with the delay between L1 and L2; status, accuracy, health as 0
    """
    toe_ns = int(table.toe_ns[row])
    leap_ns = gpst_minus_utc_s(toe_ns) * NS_PER_S
    frame_s = (int(table.tx_ns[row]) - leap_ns) % NS_PER_WEEK / NS_PER_S
    health = max(float(table.health[row]), 0.0)
    last = (health, e["channel"], 0.0)
    axes = [
        (e[f"{a}_m"] * 1e-3, e[f"v{a}_mps"] * 1e-3, e[f"a{a}_mps2"] * 1e-3, last[k])
        for k, a in enumerate("xyz")
    ]
    clock = (-e["tau_n_s"], e["gamma_n"], frame_s)
    tail = [(0.0, e["dtau_s"], 0.0, 0.0)] if with_delay else []
    return _record(sat_name(int(table.sat[row])), toe_ns - leap_ns, (clock, *axes, *tail))
