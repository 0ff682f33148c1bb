"""Pairing: which bands a run uses, and which rover and base signals form a difference.

Signals of one band are paired by tracking mode: the same code at both ends first, then codes of
one family (C2L with C2X), then across families (C2W with C2X). RINEX 3 aligns all phases of a band
to one reference (RINEX 3.05, section 9.1), but not all files obey: `prepare.alignment` measures it.
Each pair of codes is a group with its own code bias. Groups whose codes are aligned at both ends
form double differences together, others never leave their group.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rtkpos._arrays import FloatArray, IndexArray, SmallArray
from rtkpos.core.tables import G_CHANNEL
from rtkpos.errors import InputError
from rtkpos.gnss.signals import (
    GLONASS_STEP_HZ,
    KNOWN_ATTRIBUTES,
    N_SIG,
    SIG_PER_SYSTEM,
    carrier_hz,
    sig_band,
    sig_index,
)
from rtkpos.gnss.systems import (
    BEIDOU,
    GALILEO,
    GLONASS,
    GPS,
    IRNSS,
    N_SAT,
    N_SYSTEM,
    PRN_PER_SYSTEM,
    QZSS,
    SBAS,
    SYSTEM_LETTERS,
    sat_from_name,
    systems_from_letters,
    systems_of,
)
from rtkpos.prepare.alignment import measure_alignment
from rtkpos.records.broadcast import BroadcastTable, Message
from rtkpos.records.config import RtkConfig, Selection
from rtkpos.records.observations import UNKNOWN_CHANNEL, ObsTable

N_SLOT = 3
ROVER, BASE = range(2)  # the receivers of a pair, first axis of what is held for both

# Order in which bands are taken when the configuration names none.
BAND_ORDER = {
    GPS: "125",
    GLONASS: "12",
    GALILEO: "1576",
    BEIDOU: "26715",
    QZSS: "125",
    IRNSS: "59",
    SBAS: "15",
}
# A band is worth a slot when it covers at least this share of its system's common satellite-epochs.
MIN_BAND_COVERAGE = 0.2
MAX_CHANNEL = 7  # of GLONASS FDMA, in use -7..6 (ICD GLONASS 5.1, table 3.1)

# Order of preference inside a band, then families whose members are tracked alike.
CODE_ORDER = {
    GPS: {1: "CWPLSXYMN", 2: "WCLXSPYMDN", 5: "QXI"},
    GLONASS: {1: "CP", 2: "CP"},
    GALILEO: {1: "CXBAZ", 5: "QXI", 6: "CXBAZ", 7: "QXI", 8: "QXI"},
    BEIDOU: {1: "PXDASLZN", 2: "IXQ", 5: "PXD", 6: "IXQPDZA", 7: "IDPXQZ", 8: "PXD"},
    QZSS: {1: "CLXSEZB", 2: "LXS", 5: "QXIPDZ"},
    IRNSS: {1: "PXD", 5: "AXBC", 9: "AXBC"},
    SBAS: {1: "C", 5: "QXI"},
}
FAMILIES = ("WPYMN", "C", "SLX", "IQX", "DPX", "ABC", "Z")


class PairingPlan(NamedTuple):
    """Lookup tables of a run, by signal and satellite.

    slot     : (N_SIG,) band slot of a signal, -1 = not used
    rank     : (N_SIG,) order inside the band
    family   : (N_SIG,) bits of the code's tracking families
    carrier_hz : (N_SAT, N_SLOT) carrier by satellite and slot, NaN = no such band or channel
    digit    : (N_SYSTEM, N_SLOT) RINEX band digit of a slot, 0 = none
    leader   : (2, N_SIG) rover, base: the code whose phases those of a signal compare with
    shift_cycle : (2, N_SIG) rover, base: to be added to a phase before that
    alike    : 1 when both receivers are of one type by their headers
    wanted   : (N_SAT,) 1 when the satellite takes part
    """

    slot: SmallArray
    rank: SmallArray
    family: SmallArray
    carrier_hz: FloatArray
    digit: SmallArray
    leader: IndexArray
    shift_cycle: FloatArray
    alike: int
    wanted: SmallArray


def make_plan(
    rover: ObsTable,
    base: ObsTable | None,
    config: RtkConfig,
    nav: BroadcastTable | None = None,
) -> PairingPlan:
    """Decide bands and signal order of a run from what both receivers observe.

    nav : names GLONASS channels where no header does
    Raises InputError when rover and base share no band in any wanted system.
    """
    selection = config.selection
    bands = choose_bands(rover, base, selection)
    if not any(bands.values()):
        raise InputError(
            "rover and base share no carrier-phase band in the systems "
            f"{selection.systems}: the rover has {_described(rover)}, the base "
            f"{_described(base) if base else 'nothing'}; choose other --systems or --bands."
        )
    headers = [table.glonass_channel for table in (rover, base) if table is not None]
    plan = plan_of_bands(bands, known_channels(headers, nav), selection)
    return plan if base is None else _with_receivers(plan, rover, base)


def _with_receivers(plan: PairingPlan, rover: ObsTable, base: ObsTable) -> PairingPlan:
    """The plan with what the files tell of the receivers: alignment of the codes, and the make."""
    found = [measure_alignment(table) for table in (rover, base)]
    return plan._replace(
        leader=np.array([one.leader for one in found]),
        shift_cycle=np.array([one.shift_cycle for one in found]),
        alike=int(receiver_type(rover) == receiver_type(base) != ""),
    )


def receiver_type(table: ObsTable) -> str:
    """The type of a receiver as the header gives it; "" when not known."""
    name = " ".join(table.station.receiver.upper().split())
    return "" if name == "UNKNOWN" else name


def plan_of_bands(
    bands: dict[int, tuple[int, ...]], channel: SmallArray, selection: Selection
) -> PairingPlan:
    """The plan for given band digits by system.

    channel : (64,) GLONASS channel by slot - 1, UNKNOWN_CHANNEL where it is not known
    """
    slot = np.full(N_SIG, -1, np.int8)
    rank = np.zeros(N_SIG, np.int8)
    family = np.zeros(N_SIG, np.int8)
    digit = np.zeros((N_SYSTEM, N_SLOT), np.int8)
    for system, digits in bands.items():
        for s, band in enumerate(digits):
            digit[system, s] = band
            _enter_band(system, band, s, slot, rank, family)
    carriers = _carrier_by_satellite(digit, channel)
    return PairingPlan(
        slot=slot,
        rank=rank,
        family=family,
        carrier_hz=carriers,
        digit=digit,
        leader=np.tile(np.arange(N_SIG), (2, 1)),
        shift_cycle=np.zeros((2, N_SIG)),
        alike=0,
        wanted=_wanted(selection, bands),
    )


def choose_bands(
    rover: ObsTable, base: ObsTable | None, selection: Selection
) -> dict[int, tuple[int, ...]]:
    """Band digits by system: as configured, else the best common ones by order and coverage."""
    coverage = band_coverage(rover)
    if base is not None:
        coverage = np.minimum(coverage, band_coverage(base))
    chosen: dict[int, tuple[int, ...]] = {}
    for system in systems_from_letters(selection.systems):
        named = selection.bands.get(SYSTEM_LETTERS[system])
        order = [int(d) for d in (named or BAND_ORDER[system])]
        share = coverage[system] / max(coverage[system].max(), 1.0)
        least = 0.0 if named else MIN_BAND_COVERAGE
        usable = [d for d in order if share[d] > least or (share[d] > 0 and named)]
        if usable:
            chosen[system] = tuple(usable[: min(selection.n_band_max, N_SLOT)])
    return chosen


def band_coverage(table: ObsTable) -> FloatArray:
    """Satellite-epochs with a code or phase observation by (system, band digit): (N_SYSTEM, 10)."""
    seen = np.isfinite(table.code_m) | np.isfinite(table.phase_cycle)
    by_signal = np.bincount(table.sig[seen], minlength=N_SIG)
    counts, sig = np.zeros((N_SYSTEM, 10)), np.arange(N_SIG)
    np.add.at(counts, (sig // SIG_PER_SYSTEM, sig_band(sig)), by_signal)
    return counts


def _enter_band(
    system: int, band: int, s: int, slot: SmallArray, rank: SmallArray, family: SmallArray
) -> None:
    """Fill the tables for every known code of one band."""
    order = CODE_ORDER[system].get(band, KNOWN_ATTRIBUTES[system][band])
    for letter in KNOWN_ATTRIBUTES[system][band]:
        sig = sig_index(system, f"{band}{letter}")
        slot[sig] = s
        rank[sig] = order.index(letter) if letter in order else len(order)
        members = [i for i, letters in enumerate(FAMILIES) if letter in letters]
        family[sig] = sum(1 << i for i in members)


def known_channels(headers: list[SmallArray], nav: BroadcastTable | None) -> SmallArray:
    """GLONASS channels by slot on which all sources agree: (64,), else UNKNOWN_CHANNEL.

    headers : channels (64,) of observation files      nav : channels sent by the satellites
    """
    said: list[set[int]] = [set() for _ in range(PRN_PER_SYSTEM)]
    for header in headers:
        for k in np.flatnonzero(header != UNKNOWN_CHANNEL):
            said[int(k)].add(int(header[k]))
    if nav is not None:
        for row in np.flatnonzero(nav.message == Message.FDMA):
            number = nav.param[row, G_CHANNEL]
            if abs(number) <= MAX_CHANNEL:
                said[int(nav.sat[row]) & 63].add(int(number))
    agreed = [min(found) if len(found) == 1 else UNKNOWN_CHANNEL for found in said]
    return np.array(agreed, np.int8)


def _carrier_by_satellite(digit: SmallArray, channel: SmallArray) -> FloatArray:
    """Carrier frequencies (N_SAT, N_SLOT) [Hz]; NaN where unknown."""
    out = np.full((N_SAT, N_SLOT), np.nan)
    for sat in range(N_SAT):
        system = systems_of(sat)
        is_unknown = system == GLONASS and channel[sat & 63] == UNKNOWN_CHANNEL
        for s in range(N_SLOT):
            band = int(digit[system, s])
            if band and not (is_unknown and band in GLONASS_STEP_HZ):
                out[sat, s] = carrier_hz(system, band, int(channel[sat & 63]))
    return out


def _wanted(selection: Selection, bands: dict[int, tuple[int, ...]]) -> SmallArray:
    """Satellites that take part: of a system with bands and not excluded by name."""
    wanted = np.zeros(N_SAT, np.int8)
    for system in bands:
        wanted[system * 64 : system * 64 + 64] = 1
    for name in selection.exclude:
        sat = sat_from_name(name)
        if sat >= 0:
            wanted[sat] = 0
    return wanted


def _described(table: ObsTable) -> str:
    """The bands of a file in words: "G125 C267"."""
    counts = band_coverage(table)
    parts = [
        SYSTEM_LETTERS[s] + "".join(str(d) for d in range(10) if counts[s, d] > 0)
        for s in range(N_SYSTEM)
        if counts[s].any()
    ]
    return " ".join(parts) or "nothing"
