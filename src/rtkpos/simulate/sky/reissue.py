"""Broadcast records over the span of a run, all describing one and the same orbit.

Real records differ by decimetres from one to the next, and a true orbit may not jump. So each
satellite flies one set of elements, which is issued again for later times.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rtkpos._arrays import FloatArray, TimeArray
from rtkpos.constants import BDT_MINUS_GPST_S, NS_PER_DAY, NS_PER_S, NS_PER_WEEK
from rtkpos.gnss.systems import BEIDOU, GALILEO, GLONASS, GPS, QZSS, systems_of
from rtkpos.gnss.time import gpst_minus_utc_s
from rtkpos.io.rinex._navigation.elements import (
    GLONASS_COLUMNS,
    KEPLER_COLUMNS,
    Elements,
    is_in_tilted_frame,
    named_elements,
    parameter_rows,
)
from rtkpos.io.rinex.read_navigation import read_nav
from rtkpos.io.rinex.write_navigation import RINEX_VERSION, format_nav
from rtkpos.records.broadcast import BroadcastTable, Ionosphere, Message, sat_starts
from rtkpos.simulate.sky.constellation import Almanac, tilted_elements
from rtkpos.simulate.sky.element_orbits import (
    TILT_RAD,
    earth_rate,
    glonass_motion,
    gravity_constant,
)

STEP_S = {GPS: 7200, QZSS: 3600, GALILEO: 3600, BEIDOU: 3600, GLONASS: 1800}
_MESSAGE = {
    GPS: Message.LNAV,
    QZSS: Message.LNAV,
    GALILEO: Message.INAV,
    BEIDOU: Message.D1,
    GLONASS: Message.FDMA,
}
_DROPPED_FOR_GEO = ("i_dot", "omega_dot", "cuc", "cus", "crc_m", "crs_m", "cic", "cis")
SIMULATED = tuple(_MESSAGE)


def own_second_of_week(system: int, time_ns: TimeArray) -> FloatArray:
    """Seconds of week in the time a system's elements use."""
    shift_ns = BDT_MINUS_GPST_S * NS_PER_S if system == BEIDOU else 0
    return (time_ns + shift_ns) % NS_PER_WEEK / NS_PER_S


def almanac_of(table: BroadcastTable, system: int, time_ns: int) -> Almanac | None:
    """The healthy record nearest to a time of every satellite of a system, at most a day away.

    None without any.
    """
    usable = (systems_of(table.sat) == system) & (table.healthy == 1)
    usable &= table.message <= Message.FDMA
    usable &= np.abs(table.toe_ns - time_ns) <= NS_PER_DAY
    columns = GLONASS_COLUMNS if system == GLONASS else KEPLER_COLUMNS
    if system == GLONASS:
        usable &= np.isfinite(table.param[:, GLONASS_COLUMNS["channel"]])
    rows = []
    for sat in np.unique(table.sat[usable]):
        mine = np.flatnonzero(usable & (table.sat == sat))
        rows.append(int(mine[np.argmin(np.abs(table.toe_ns[mine] - time_ns))]))
    if not rows:
        return None
    elements = named_elements(table.param[rows], columns)
    if system != GLONASS:
        _move_clock(elements, (table.toe_ns[rows] - table.toc_ns[rows]) / NS_PER_S)
        for name in _DROPPED_FOR_GEO if system == BEIDOU else ():
            elements[name][is_in_tilted_frame(elements)] = 0.0
    return Almanac(system, table.sat[rows], elements, table.toe_ns[rows])


def broadcast(
    almanacs: list[Almanac],
    start_ns: int,
    end_ns: int,
    ionosphere: tuple[Ionosphere, ...] = (),
    version: float = RINEX_VERSION,
) -> tuple[BroadcastTable, str]:
    """Records of all satellites from before the start to after the end, and the RINEX file.

    ionosphere : sent as well      version : of RINEX
    The table is read back from the file's text, so that truth has the digits users get.
    """
    parts = [_issued(one, start_ns, end_ns) for one in almanacs]
    columns: dict[str, Any] = {
        name: np.concatenate([part[name] for part in parts]) for name in parts[0]
    }
    order = np.lexsort((columns["toe_ns"], columns["message"], columns["sat"]))
    columns = {name: values[order] for name, values in columns.items()}
    table = BroadcastTable(
        **columns,
        sat_start=sat_starts(columns["sat"]),
        leap_seconds=gpst_minus_utc_s(start_ns),
        ionosphere=ionosphere,
    )
    text = format_nav(table, "rtkpos simulate", version)
    return read_nav(text.encode(), strict=True), text


def _issued(almanac: Almanac, start_ns: int, end_ns: int) -> dict[str, Any]:
    """Columns of a BroadcastTable for one system."""
    system, n = almanac.system, len(almanac.sat)
    step_ns = STEP_S[system] * NS_PER_S
    shift_ns = _time_shift_ns(system, start_ns)
    first = (start_ns - shift_ns) // step_ns - 1
    last = -((shift_ns - end_ns) // step_ns) + 1
    names = GLONASS_COLUMNS if system == GLONASS else KEPLER_COLUMNS
    times = [k * step_ns + shift_ns for k in range(first, last + 1)]
    param = [parameter_rows(moved_elements(almanac, one), names) for one in times]
    toe_ns = np.repeat(np.array(times, dtype=np.int64), n)
    m = len(toe_ns)
    message = np.full(len(almanac.sat), int(_MESSAGE[system]), dtype=np.int8)
    if system == BEIDOU:
        message[is_in_tilted_frame(almanac.elements)] = int(Message.D2)
    issue = (toe_ns - shift_ns) // step_ns % (24 if system == BEIDOU else 96) + 1
    return {
        "sat": np.tile(almanac.sat, last - first + 1),
        "message": np.tile(message, last - first + 1),
        "toe_ns": toe_ns,
        "toc_ns": toe_ns.copy(),
        "tx_ns": toe_ns - step_ns,
        "issue": issue,
        "health": np.zeros(m, dtype=np.int64),
        "healthy": np.ones(m, dtype=np.int8),
        "orbit": np.zeros(m, dtype=np.int8),
        "accuracy_m": np.full(m, 2.0),
        "param": np.concatenate(param),
    }


def _time_shift_ns(system: int, time_ns: int) -> int:
    """GPST at which the system's own day begins, modulo a day: GLONASS in UTC, BeiDou in BDT."""
    if system == GLONASS:
        return gpst_minus_utc_s(time_ns) * NS_PER_S
    return -BDT_MINUS_GPST_S * NS_PER_S if system == BEIDOU else 0


def moved_elements(almanac: Almanac, toe_ns: int) -> Elements:
    """The same orbits and clocks referred to another time [ns]."""
    dt_s = (toe_ns - almanac.toe_ns) / NS_PER_S
    e = {name: values.copy() for name, values in almanac.elements.items()}
    if almanac.system == GLONASS:
        place, speed, _ = glonass_motion(e, dt_s)
        for k, axis in enumerate("xyz"):
            e[f"{axis}_m"], e[f"v{axis}_mps"] = place[:, k], speed[:, k]
        e["tau_n_s"] = e["tau_n_s"] - e["gamma_n"] * dt_s
        return e
    _move_clock(e, dt_s)
    system = almanac.system
    motion = np.sqrt(gravity_constant(system)) / e["sqrt_a"] ** 3 + e["delta_n"]
    e["m0_rad"] = _wrapped(e["m0_rad"] + motion * dt_s)
    e["i0_rad"] = e["i0_rad"] + e["i_dot"] * dt_s
    tilted = is_in_tilted_frame(e) & (system == BEIDOU)
    turning = e["omega_dot"] - np.where(tilted, 0.0, earth_rate(system))
    node = e["omega0_rad"] - earth_rate(system) * e["toe_sow"] + turning * dt_s
    for k in np.flatnonzero(tilted).tolist():
        one = {name: float(values[k]) for name, values in e.items()}
        moved = _turned_geo(one, float(node[k]), earth_rate(system) * float(dt_s[k]))
        node[k] = moved.pop("node_rad")
        for name in ("i0_rad", "omega_rad"):
            e[name][k] = moved[name]
    e["toe_sow"] = own_second_of_week(system, np.full(len(node), toe_ns))
    e["omega0_rad"] = _wrapped(node + earth_rate(system) * e["toe_sow"])
    e["omega_rad"] = _wrapped(e["omega_rad"])
    return e


def _wrapped(angle: FloatArray) -> FloatArray:
    return np.arctan2(np.sin(angle), np.cos(angle))


def _move_clock(e: Elements, dt_s: FloatArray) -> None:
    """Refer a clock polynomial to dt_s later."""
    e["af0_s"] = e["af0_s"] + (e["af1"] + e["af2_per_s"] * dt_s) * dt_s
    e["af1"] = e["af1"] + 2.0 * e["af2_per_s"] * dt_s


def _turned_geo(one: dict[str, float], node: float, turn: float) -> dict[str, float]:
    """Plane and perigee of a GEO in the level frame of a later toe, which the earth has turned."""
    cos_w, sin_w = math.cos(one["omega_rad"]), math.sin(one["omega_rad"])
    cos_i, sin_i = math.cos(one["i0_rad"]), math.sin(one["i0_rad"])
    cos_n, sin_n = math.cos(node), math.sin(node)
    perigee = np.array(
        [
            cos_w * cos_n - sin_w * cos_i * sin_n,
            cos_w * sin_n + sin_w * cos_i * cos_n,
            sin_w * sin_i,
        ]
    )
    pole = np.array([sin_i * sin_n, -sin_i * cos_n, cos_i])
    sin_t, cos_t = math.sin(TILT_RAD), math.cos(TILT_RAD)
    level = np.array([[1.0, 0.0, 0.0], [0.0, cos_t, -sin_t], [0.0, sin_t, cos_t]])
    cos_z, sin_z = math.cos(turn), math.sin(turn)
    spin = np.array([[cos_z, sin_z, 0.0], [-sin_z, cos_z, 0.0], [0.0, 0.0, 1.0]])
    return tilted_elements(
        spin @ level @ perigee, spin @ level @ pole, one["sqrt_a"] ** 2, one["ecc"]
    )
