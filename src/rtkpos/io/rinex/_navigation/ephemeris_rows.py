"""From raw navigation records to typed columns: layouts, units, time, health, plausibility."""

from __future__ import annotations

import numpy as np

from rtkpos._arrays import BoolArray, FloatArray, IndexArray, TimeArray
from rtkpos.constants import BDT_MINUS_GPST_S, NS_PER_S, NS_PER_WEEK
from rtkpos.core import tables as t
from rtkpos.gnss.systems import BEIDOU, GLONASS, GPS, QZSS, SBAS, SYSTEM_LETTERS
from rtkpos.gnss.time import gpst_minus_utc_s
from rtkpos.io.rinex._navigation.health import accuracy_and_health
from rtkpos.io.rinex._navigation.text import RawRecords
from rtkpos.records.broadcast import Message

DAY_S, WEEK_S = 86_400.0, 604_800.0

# Index among the numbers of a record (0-2 clock, then 4 per line) of each parameter all Keplerian
# messages share (RINEX 4.02, tables A6-A32).
KEPLER_FIELD = {
    t.P_AF0: 0,
    t.P_AF1: 1,
    t.P_AF2: 2,
    t.P_CRS: 4,
    t.P_DELTA_N: 5,
    t.P_M0: 6,
    t.P_CUC: 7,
    t.P_ECC: 8,
    t.P_CUS: 9,
    t.P_SQRT_A: 10,
    t.P_CIC: 12,
    t.P_OMEGA0: 13,
    t.P_CIS: 14,
    t.P_I0: 15,
    t.P_CRC: 16,
    t.P_OMEGA: 17,
    t.P_OMEGA_DOT: 18,
    t.P_I_DOT: 19,
}
# Group delay fields (P_TGD1, P_TGD2), issue and transmission time by message; -1: not there.
DELAY_FIELD = {
    "LNAV": (25, -1),
    "INAV": (25, 26),
    "FNAV": (25, 26),
    "D1": (25, 26),
    "D2": (25, 26),
    "CNAV": (25, -1),
    "CNV2": (25, -1),
    "CNV1": (29, 30),
    "BCNV2": (29, 30),
    "CNV3": (-1, 30),
}
ISSUE_FIELD = {"LNAV": 3, "INAV": 3, "FNAV": 3, "D1": 3, "D2": 3, "CNV1": 38, "BCNV2": 38}
TX_FIELD = {"CNAV": 31, "CNV2": 33, "CNV1": 35, "BCNV2": 35, "CNV3": 31}

# Plausible ranges (row 31 of the fault list). Eccentricity: nominal orbits stay below 0.03 (QZSS
# 0.075); E14 and E18 fly at 0.16. Square root of the semi-major axis: E14/E18 5289, MEO 5154 (G),
# 5282 (C), 5441 (E), 24 h orbits 6493 m^0.5.
ECC_MAX = {"G": 0.1, "E": 0.25, "C": 0.1, "J": 0.2, "I": 0.1}
SQRT_A_RANGE = {
    "G": (5000.0, 5300.0),
    "E": (5200.0, 5550.0),
    "C": (5100.0, 6650.0),
    "J": (6350.0, 6650.0),
    "I": (6350.0, 6650.0),
}
ANGLE_MAX = 2.0 * np.pi + 1e-3
ABS_MAX = {
    t.P_AF0: 0.1,
    t.P_AF1: 1e-6,
    t.P_AF2: 1e-12,
    t.P_M0: ANGLE_MAX,
    t.P_OMEGA0: ANGLE_MAX,
    t.P_OMEGA: ANGLE_MAX,
    t.P_I0: np.pi,
    t.P_DELTA_N: 1e-7,
    t.P_OMEGA_DOT: 5e-6,
    t.P_I_DOT: 1e-7,
    t.P_CUC: 1e-3,
    t.P_CUS: 1e-3,
    t.P_CIC: 1e-3,
    t.P_CIS: 1e-3,
    t.P_CRC: 4e4,
    t.P_CRS: 4e4,
    t.P_A_DOT: 100.0,
    t.P_DELTA_N_DOT: 1e-10,
}
RADIUS_RANGE_M = {GLONASS: (24.5e6, 26.5e6), SBAS: (41.0e6, 43.5e6)}
SPEED_RANGE_MPS = {GLONASS: (2000.0, 5000.0), SBAS: (0.0, 600.0)}
# GLONASS: sun and moon only, 6.2e-6 by format; SBAS: 0.032 by format (DO-229D, table A-18).
ACCELERATION_MAX_MPS2 = {GLONASS: 1e-4, SBAS: 0.033}
TGD_MAX_S = 1e-6
TOE_TOC_MAX_S = 7200.0  # sets refer orbit and clock to one time; farther apart they are mixed
INCLINATION_GEO_RAD = 0.35  # 20 deg: BeiDou GEO 2-9 deg in their tilted frame, IGSO 27-57 deg
RADIUS_24H_M = 40.0e6


class NavColumns:
    """NavColumns of a `BroadcastTable` for the records of one system and message."""

    def __init__(self, system: int, raw: RawRecords) -> None:
        n = len(raw.line)
        self.system = system
        self.line = np.array(raw.line, dtype=np.int64)
        self.sat = np.array(raw.sat, dtype=np.int16)
        self.message = np.zeros(n, dtype=np.int8)
        self.toe_ns = np.zeros(n, dtype=np.int64)
        self.toc_ns = np.zeros(n, dtype=np.int64)
        self.tx_ns = np.zeros(n, dtype=np.int64)
        self.issue = np.full(n, -1, dtype=np.int64)
        self.health = np.full(n, -1, dtype=np.int64)
        self.healthy = np.ones(n, dtype=np.int8)
        self.orbit = np.zeros(n, dtype=np.int8)
        self.accuracy_m = np.full(n, np.nan)
        self.param = np.zeros((n, t.N_PARAM))
        self.reject: dict[str, BoolArray] = {}

    def select(self, keep: BoolArray | IndexArray) -> None:
        """Keep or reorder rows."""
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray):
                setattr(self, name, value[keep])


def columns_of(letter: str, message: str, raw: RawRecords) -> NavColumns:
    """Typed columns of raw records; rows to drop are named in `reject`.

    letter : system; message : RINEX name ("CNV2" means B2a for BeiDou)
    """
    system = SYSTEM_LETTERS.index(letter)
    out = NavColumns(system, raw)
    values = raw.matrix()
    epoch_ns = np.array(raw.epoch_ns, dtype=np.int64)
    with np.errstate(over="ignore", invalid="ignore"):  # absurd numbers fall to the range table
        if system in (GLONASS, SBAS):
            _fill_cartesian(out, values, epoch_ns)
        else:
            name = "BCNV2" if (letter, message) == ("C", "CNV2") else message
            _fill_kepler(out, values, epoch_ns, name)
    return out


def _integers(values: FloatArray) -> IndexArray:
    """Rounded integers; -1 where missing or absurd."""
    bad = ~(np.abs(values) < 1e9)
    return np.where(bad, -1, np.round(np.where(bad, 0.0, values))).astype(np.int64)


def _ns(seconds: FloatArray) -> IndexArray:
    return np.round(seconds * 1e9).astype(np.int64)


def _nearest_in_period(
    value_s: FloatArray, reference_ns: TimeArray, period_s: float
) -> tuple[TimeArray, BoolArray]:
    """Full time nearest to a reference whose remainder in a period is given; where it was given.

    Rollovers of any week counter drop out: only the reference's calendar counts.
    """
    given = np.abs(value_s) < 2.0 * WEEK_S
    period_ns = round(period_s * NS_PER_S)
    delta = _ns(np.where(given, value_s, 0.0)) - reference_ns
    half = period_ns // 2
    delta = (delta + half) % period_ns - half
    return np.where(given, reference_ns + delta, reference_ns), given


def _fill_kepler(out: NavColumns, values: FloatArray, epoch_ns: TimeArray, name: str) -> None:
    shift_ns = -BDT_MINUS_GPST_S * NS_PER_S if out.system == BEIDOU else 0
    for column, source in KEPLER_FIELD.items():
        out.param[:, column] = values[:, source]
    if name in ("CNAV", "CNV2", "CNV1", "BCNV2", "CNV3"):
        out.param[:, t.P_A_DOT] = values[:, 3]
        out.param[:, t.P_DELTA_N_DOT] = values[:, 20]
    toe_ns, has_toe = _nearest_in_period(values[:, 11], epoch_ns, WEEK_S)
    if name in ("CNAV", "CNV2"):
        # Field 11 is t_op there; toe equals toc (IS-GPS-200N, 30.3.3.1.1 and 30.3.3.2).
        toe_ns, has_toe = epoch_ns.copy(), np.ones(len(epoch_ns), dtype=bool)
    out.param[:, t.P_TOE_SOW] = toe_ns % NS_PER_WEEK / NS_PER_S
    tx_ns, has_tx = _nearest_in_period(values[:, TX_FIELD.get(name, 27)], toe_ns, WEEK_S)
    out.toc_ns = epoch_ns + shift_ns
    out.toe_ns = toe_ns + shift_ns
    out.tx_ns = np.where(has_tx, tx_ns, toe_ns) + shift_ns
    for column, source in zip((t.P_TGD1, t.P_TGD2), DELAY_FIELD[name], strict=True):
        if source >= 0:
            delay = values[:, source]
            out.param[:, column] = np.where(np.abs(delay) < TGD_MAX_S, delay, 0.0)
    out.message[:] = Message[name]
    if name in ("INAV", "FNAV"):
        _galileo_message(out, values, name)
    _orbit_class(out, name)
    out.issue = _integers(values[:, ISSUE_FIELD[name]]) if name in ISSUE_FIELD else out.issue
    by_time = out.issue < 0
    out.issue[by_time] = (toe_ns % NS_PER_WEEK // (300 * NS_PER_S))[by_time]
    out.health, out.healthy, out.accuracy_m = accuracy_and_health(out.system, name, values)
    _reject_kepler(out, values, has_toe, name)


def _galileo_message(out: NavColumns, values: FloatArray, name: str) -> None:
    """Data sources (RINEX 3.04, table A8): bit 1 F/NAV E5a, bits 0 and 2 I/NAV, 8 clock E5a/E1."""
    if name == "FNAV":
        return
    source = np.maximum(_integers(values[:, 20]), 0)
    from_fnav = ((source & 0b10) != 0) & ((source & 0b101) == 0)
    from_fnav |= ((source & 0x100) != 0) & ((source & 0x200) == 0)
    out.message[from_fnav] = Message.FNAV


def _orbit_class(out: NavColumns, name: str) -> None:
    """Orbit class from the elements: PRN lists go stale, BDS-2 slots are reused."""
    day_long = out.param[:, t.P_SQRT_A] ** 2 > RADIUS_24H_M
    flat = np.abs(out.param[:, t.P_I0]) < INCLINATION_GEO_RAD
    out.orbit[day_long] = t.ORBIT_IGSO
    out.orbit[day_long & flat] = t.ORBIT_GEO
    if name in ("D1", "D2"):
        is_geo = out.orbit == t.ORBIT_GEO
        out.message[:] = np.where(is_geo, Message.D2, Message.D1)


def _reject_kepler(out: NavColumns, values: FloatArray, has_toe: BoolArray, name: str) -> None:
    letter = SYSTEM_LETTERS[out.system]
    param = out.param
    low, high = SQRT_A_RANGE[letter]
    fine = (param[:, t.P_SQRT_A] > low) & (param[:, t.P_SQRT_A] < high) & has_toe
    fine &= (param[:, t.P_ECC] >= 0.0) & (param[:, t.P_ECC] < ECC_MAX[letter])
    for column, limit in ABS_MAX.items():
        fine &= np.abs(param[:, column]) <= limit
    # No MEO of any system flies near the equator; zeros there come from half-filled records.
    fine &= (out.orbit != t.ORBIT_MEO) | (np.abs(param[:, t.P_I0]) > INCLINATION_GEO_RAD)
    out.reject["out_of_range"] = ~fine
    apart_ns = np.abs(out.toe_ns - out.toc_ns)
    out.reject["toe_toc_mismatch"] = fine & (apart_ns > TOE_TOC_MAX_S * NS_PER_S)
    if name == "LNAV" and out.system in (GPS, QZSS):
        # The low byte of IODC repeats IODE (IS-GPS-200N, 20.3.4.4); else two issues were mixed.
        iodc, iode = _integers(values[:, 26]), _integers(values[:, 3])
        differ = (iodc >= 0) & (iode >= 0) & ((iodc & 0xFF) != (iode & 0xFF))
        out.reject["issue_mismatch"] = fine & differ


def _leap_ns(epoch_ns: TimeArray) -> TimeArray:
    days, inverse = np.unique(epoch_ns // (86_400 * NS_PER_S), return_inverse=True)
    leap = [gpst_minus_utc_s(int(day) * 86_400 * NS_PER_S, time_is_utc=True) for day in days]
    return np.array(leap, dtype=np.int64)[inverse] * NS_PER_S


def _fill_cartesian(out: NavColumns, values: FloatArray, epoch_ns: TimeArray) -> None:
    """GLONASS and SBAS: km to m, clock signs, UTC to GPST for GLONASS."""
    is_glonass = out.system == GLONASS
    param = out.param
    param[:, t.G_TAU_N] = -values[:, 0]  # RINEX holds -tau_n and +gamma_n
    param[:, t.G_GAMMA_N] = values[:, 1]
    for axis in range(3):
        for order, column in enumerate((t.G_X, t.G_VX, t.G_AX)):
            param[:, column + axis] = values[:, 3 + 4 * axis + order] * 1e3
    out.message[:] = Message.FDMA if is_glonass else Message.SBAS
    out.orbit[:] = t.ORBIT_MEO if is_glonass else t.ORBIT_GEO
    # GLONASS: the message frame time is in the UTC week (RINEX 3) or day (RINEX 2).
    period_s = DAY_S if is_glonass else WEEK_S
    tx_ns, _ = _nearest_in_period(values[:, 2], epoch_ns, period_s)
    shift_ns = _leap_ns(epoch_ns) if is_glonass else np.zeros_like(epoch_ns)
    out.toe_ns = out.toc_ns = epoch_ns + shift_ns
    out.tx_ns = tx_ns + shift_ns
    if is_glonass:
        delay = values[:, 16]
        param[:, t.G_DTAU] = np.where(np.abs(delay) < TGD_MAX_S, delay, 0.0)
        channel = values[:, 10]
        # Some writers give the channel modulo 256 or as 1..24 almanac number; only -7..13 is real.
        channel = np.where(channel > 128.0, channel - 256.0, channel)
        param[:, t.G_CHANNEL] = np.where(np.abs(channel) <= 13.0, channel, np.nan)
        moscow_ns = epoch_ns + 3 * 3600 * NS_PER_S
        out.issue = moscow_ns % (86_400 * NS_PER_S) // (900 * NS_PER_S)
    else:
        out.issue = _integers(values[:, 14])
    name = "FDMA" if is_glonass else "SBAS"
    out.health, out.healthy, out.accuracy_m = accuracy_and_health(out.system, name, values)
    _reject_cartesian(out)


def _reject_cartesian(out: NavColumns) -> None:
    param = out.param
    radius = np.linalg.norm(param[:, t.G_X : t.G_X + 3], axis=1)
    speed = np.linalg.norm(param[:, t.G_VX : t.G_VX + 3], axis=1)
    low, high = RADIUS_RANGE_M[out.system]
    slow, fast = SPEED_RANGE_MPS[out.system]
    fine = (radius > low) & (radius < high) & (speed >= slow) & (speed < fast)
    limit = ACCELERATION_MAX_MPS2[out.system]
    fine &= np.all(np.abs(param[:, t.G_AX : t.G_AX + 3]) < limit, axis=1)
    fine &= (np.abs(param[:, t.G_TAU_N]) < ABS_MAX[t.P_AF0]) & (
        np.abs(param[:, t.G_GAMMA_N]) < ABS_MAX[t.P_AF1]
    )
    out.reject["out_of_range"] = ~fine
