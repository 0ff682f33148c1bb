"""Alignment: which codes of a band have phases that differ by whole cycles, and by what else.

The phases of a band's codes are a quarter or half cycle apart as sent. RINEX 3 demands that a file
aligns them, and SYS / PHASE SHIFT tells the correction applied (RINEX 3.05, section 9.1, table
A23); RINEX 4 ignores the record (4.00, table A2). Files do not agree on that: of ten with a
correction other than zero, three hold phases that are still a quarter of a cycle apart, seven do
not. So the file is measured where a satellite is tracked in both codes: there the difference of the
two phases is a whole number plus what is left to align (docs/decisions/signals.md). Headers count
only where nothing can be measured and all they say is "no correction".
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rtkpos._arrays import FloatArray, IndexArray, SigArray
from rtkpos.gnss.signals import N_LETTER, N_SIG, sig_band, sig_code
from rtkpos.gnss.systems import BEIDOU, GALILEO, GLONASS, GPS, IRNSS, QZSS, SYSTEM_LETTERS
from rtkpos.records.observations import ObsTable

HALF_CYCLE_BIT = 2  # of the loss-of-lock indicator (RINEX 4.02, table A3)
MEASURED_EPOCHS = 400  # looked at, spread over the file
LEAST_SATELLITES = 2
LEAST_EPOCHS = 10  # satellite-epochs
COHERENCE_MIN = 0.9  # length of the mean unit vector; noise and multipath leave 0.98 and more
TOLERANCE_CYCLE = 0.05  # from the nearest quarter
APART_MAX = 3  # codes of one band a satellite may have between the two compared

# Codes whose alignment the standard defines, by system and band (RINEX 4.02, table A23). QZSS L1Z
# and BeiDou B2b beside B2I are other signals, sent with their own phase.
ALIGNED_BY_STANDARD: dict[int, dict[int, tuple[str, ...]]] = {
    GPS: {1: ("CSLXPW",), 2: ("CDSLXPW",), 5: ("IQX",)},
    GLONASS: {1: ("CP",), 2: ("CP",), 3: ("IQX",)},
    GALILEO: {1: ("BCX",), 5: ("IQX",), 6: ("BCX",), 7: ("IQX",), 8: ("IQX",)},
    BEIDOU: {
        1: ("DPX",),
        2: ("IQX",),
        5: ("DPX",),
        6: ("IQX",),
        7: ("IQX", "DPZ"),
        8: ("DPX",),
    },
    QZSS: {1: ("CSLX",), 2: ("SLX",), 5: ("IQX", "DPZ"), 6: ("SLX",)},
    IRNSS: {1: ("DPX",), 5: ("ABCX",), 9: ("ABCX",)},
}


class Finding(NamedTuple):
    """What is known of one code of a receiver beside the leading code of its band.

    sig, leader : signals      verdict : one of VERDICTS      offset_cycle : measured phase minus
    the leader's, NaN = not measured      n_sat : satellites it was measured on
    """

    sig: int
    leader: int
    verdict: str
    offset_cycle: float
    n_sat: int


class Alignment(NamedTuple):
    """Alignment of one receiver's codes.

    leader : (N_SIG,) the code whose phases those of a signal can be compared with, itself if none
    shift_cycle : (N_SIG,) to be added to a phase      findings : codes beside a leader
    """

    leader: IndexArray
    shift_cycle: FloatArray
    findings: tuple[Finding, ...]


# Verdicts and whether the code may be compared with the leader.
VERDICTS = {
    "aligned": True,
    "quarter": True,
    "declared": True,
    "unaligned": False,
    "unknown": False,
    "other signal": False,
}


def no_alignment() -> Alignment:
    """Nothing is known: each code by itself."""
    return Alignment(np.arange(N_SIG), np.zeros(N_SIG), ())


def measure_alignment(table: ObsTable) -> Alignment:
    """Compare the codes of each band of a file with the one it has most of."""
    result = no_alignment()
    sat, sig, phase, epoch = _sampled_phases(table)
    counts = np.bincount(sig, minlength=N_SIG)
    offsets = _offsets(sat, sig, phase, epoch)
    findings = []
    for codes in _codes_by_band(counts):
        leader = max(codes, key=lambda s: counts[s])
        for other in codes:
            if other == leader:
                continue
            finding = _judge(other, leader, offsets.get((other, leader)), table)
            findings.append(finding)
            if VERDICTS[finding.verdict]:
                result.leader[other] = leader
            if finding.verdict == "quarter":
                result.shift_cycle[other] = -_nearest_quarter(finding.offset_cycle)
    return result._replace(findings=tuple(findings))


def _codes_by_band(counts: IndexArray) -> list[list[int]]:
    """The signals present, in lists of those that share system and band, longer than one."""
    bands: dict[int, list[int]] = {}
    for sig in np.flatnonzero(counts).tolist():
        bands.setdefault(sig // N_LETTER, []).append(sig)
    return [codes for codes in bands.values() if len(codes) > 1]


def _judge(
    sig: int, leader: int, measured: tuple[complex, int, int] | None, table: ObsTable
) -> Finding:
    """The verdict on one code; `measured` is mean unit vector, epochs and satellites."""
    if measured is not None and measured[1] >= LEAST_EPOCHS and measured[2] >= LEAST_SATELLITES:
        offset = float(np.angle(measured[0])) / (2.0 * np.pi)
        rest = abs(offset - _nearest_quarter(offset))
        verdict = "aligned" if _nearest_quarter(offset) == 0.0 else "quarter"
        if abs(measured[0]) < COHERENCE_MIN or rest > TOLERANCE_CYCLE:
            verdict = "unaligned"
        return Finding(sig, leader, verdict, offset, measured[2])
    verdict = "unknown"
    if not _share_a_standard(sig, leader):
        verdict = "other signal"
    elif table.version >= 4.0 or all(table.phase_shift_cycle.get(s) == 0.0 for s in (sig, leader)):
        verdict = "declared"
    return Finding(sig, leader, verdict, float("nan"), 0)


def _share_a_standard(a: int, b: int) -> bool:
    """Whether RINEX defines the alignment of two signals of a band with each other."""
    system, band = a // (10 * N_LETTER), int(sig_band(a))
    sets = ALIGNED_BY_STANDARD.get(system, {}).get(band, ())
    return any(sig_code(a)[1:] in letters and sig_code(b)[1:] in letters for letters in sets)


def _nearest_quarter(cycle: float) -> float:
    """The multiple of a quarter nearest to a fraction in -0.5 .. 0.5."""
    return round(4.0 * cycle) / 4.0


def _sampled_phases(
    table: ObsTable,
) -> tuple[IndexArray, IndexArray, FloatArray, IndexArray]:
    """(sat, sig, phase, epoch) of whole-cycle phases in up to MEASURED_EPOCHS epochs."""
    step = max(table.n_epoch // MEASURED_EPOCHS, 1)
    epoch = np.repeat(np.arange(table.n_epoch), np.diff(table.row_start))
    is_whole = (table.lli & HALF_CYCLE_BIT) == 0
    rows = np.flatnonzero((epoch % step == 0) & np.isfinite(table.phase_cycle) & is_whole)
    sat, sig = table.sat[rows].astype(np.int64), table.sig[rows].astype(np.int64)
    return sat, sig, table.phase_cycle[rows], epoch[rows]


def _offsets(
    sat: IndexArray, sig: SigArray | IndexArray, phase: FloatArray, epoch: IndexArray
) -> dict[tuple[int, int], tuple[complex, int, int]]:
    """Mean unit vector of phase - phase, epochs and satellites by (signal, signal), both orders.

    Rows are sorted by epoch, satellite and signal, so that codes of a band stand side by side.
    """
    found: dict[tuple[int, int], tuple[complex, int, int]] = {}
    for apart in range(1, APART_MAX + 1):
        is_same = (epoch[apart:] == epoch[:-apart]) & (sat[apart:] == sat[:-apart])
        is_same &= sig[apart:] // N_LETTER == sig[:-apart] // N_LETTER
        rows = np.flatnonzero(is_same)
        pairs = sig[rows] * N_SIG + sig[rows + apart]
        vector = np.exp(2j * np.pi * ((phase[rows] - phase[rows + apart]) % 1.0))
        for pair in np.unique(pairs).tolist():
            mine = pairs == pair
            mean, n = complex(vector[mine].mean()), int(mine.sum())
            n_sat = len(np.unique(sat[rows[mine]]))
            a, b = pair // N_SIG, pair % N_SIG
            if n > found.get((a, b), (0j, 0, 0))[1]:
                found[a, b] = (mean, n, n_sat)
                found[b, a] = (mean.conjugate(), n, n_sat)
    return found


def finding_text(finding: Finding) -> str:
    """A finding in words: "G L2X is -0.25 cycle from L2W on 6 satellites: shifted"."""
    system = SYSTEM_LETTERS[finding.sig // (10 * N_LETTER)]
    names = f"{system} L{sig_code(finding.sig)}", f"L{sig_code(finding.leader)}"
    measured = (
        f"{names[0]} is {finding.offset_cycle:+.2f} cycle from {names[1]} "
        f"on {finding.n_sat} satellites"
    )
    return {
        "aligned": f"{measured}: whole cycles, compared",
        "quarter": f"{measured}: shifted, then compared",
        "declared": f"{names[0]} and {names[1]} are aligned by the header: compared",
        "unaligned": f"{measured}: not compared",
        "unknown": f"{names[0]} and {names[1]} have no known alignment: not compared",
        "other signal": f"{names[0]} and {names[1]} are different signals: not compared",
    }[finding.verdict]
