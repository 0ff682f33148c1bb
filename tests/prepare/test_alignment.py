"""Which codes of a band are compared: by measurement, by header, or not at all."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from rtkpos._arrays import record_of
from rtkpos.estimate.baseline.epoch_work import epoch_work, filter_state
from rtkpos.estimate.baseline.single_difference import group_of
from rtkpos.gnss.signals import sig_code, sig_index
from rtkpos.gnss.systems import BEIDOU, GALILEO, GLONASS, GPS, QZSS, sat_index
from rtkpos.prepare.alignment import VERDICTS, finding_text, measure_alignment
from rtkpos.prepare.common import pair_epoch
from rtkpos.prepare.pairing import make_plan
from rtkpos.records.config import RtkConfig
from rtkpos.records.observations import ObsTable, Station
from tests.recordings import recording

N_EPOCH = 12
BOTH = (("2L", "2W"),) * 4  # four satellites, each with both codes
SPLIT = (("2L",),) * 2 + (("2W",),) * 2  # two satellites of either kind


def made(satellites, offset=None, shifts=None, version=3.04, system=GPS, scatter=False):
    """A receiver with the given codes by satellite.

    offset : code -> fraction of a cycle its phases are off      shifts : code -> header value
    scatter : give every satellite another fraction
    """
    offset = offset or {}
    rows = []
    for k, codes in enumerate(satellites):
        for code in sorted(codes):
            part = offset.get(code, 0.0) * (0.37 * (k + 1) if scatter else 1.0)
            rows.append((sat_index(system, k + 1), sig_index(system, code), 1e6 + 7 * k + part))
    n = len(rows) * N_EPOCH
    column = [np.tile(np.array(c), N_EPOCH) for c in zip(*rows, strict=True)]
    return ObsTable(
        time_ns=np.arange(N_EPOCH, dtype=np.int64) * 1_000_000_000,
        row_start=np.arange(N_EPOCH + 1, dtype=np.int64) * len(rows),
        event=np.zeros(N_EPOCH, np.uint8),
        rx_clock_s=np.full(N_EPOCH, np.nan),
        sat=column[0].astype(np.int16),
        sig=column[1].astype(np.int16),
        code_m=np.full(n, 2.1e7),
        phase_cycle=column[2].astype(float),
        doppler_hz=np.zeros(n),
        cn0_dbhz=np.full(n, 45.0),
        lli=np.zeros(n, np.uint8),
        phase_shift_cycle={sig_index(system, c): v for c, v in (shifts or {}).items()},
        station=Station(receiver="MADE ONE"),
        version=version,
    )


ZERO = {"2L": 0.0, "2W": 0.0}
# name: (table, verdict on the code beside the leading one, shift of it [cycle])
MEASURED = {
    "aligned": (made(BOTH), "aligned", 0.0),
    "aligned, header silent": (made(BOTH, version=2.11), "aligned", 0.0),
    "a quarter off": (made(BOTH, {"2W": 0.25}), "quarter", -0.25),
    "a quarter off whatever the header": (
        made(BOTH, {"2W": -0.25}, {"2L": 0.0, "2W": -0.25}),
        "quarter",
        0.25,
    ),
    "aligned whatever the header": (made(BOTH, None, {"2L": -0.25, "2W": 0.0}), "aligned", 0.0),
    "half a cycle off": (made(BOTH, {"2W": 0.5}), "quarter", 0.5),
    "noisy": (made(BOTH, {"2W": 0.02}), "aligned", 0.0),
    "a tenth off": (made(BOTH, {"2W": 0.1}), "unaligned", 0.0),
    "satellites differ": (made(BOTH, {"2W": 1.0}, scatter=True), "unaligned", 0.0),
    "one satellite tells nothing": (made((("2L", "2W"), ("2L",), ("2W",))), "unknown", 0.0),
    "declared by zeros": (made(SPLIT, None, ZERO), "declared", 0.0),
    "one of the codes not in the header": (made(SPLIT, None, {"2L": 0.0}), "unknown", 0.0),
    "no header record": (made(SPLIT), "unknown", 0.0),
    "a correction that may not be applied": (
        made(SPLIT, None, {"2L": -0.25, "2W": 0.0}),
        "unknown",
        0.0,
    ),
    "RINEX 2 declares nothing": (made(SPLIT, version=2.11), "unknown", 0.0),
    "RINEX 4 demands alignment": (made(SPLIT, version=4.0), "declared", 0.0),
    "GLONASS C/A and P": (made((("1C", "1P"),) * 3, system=GLONASS), "aligned", 0.0),
    "GLONASS P a quarter off": (
        made((("1C", "1P"),) * 3, {"1P": 0.25}, system=GLONASS),
        "quarter",
        -0.25,
    ),
    "Galileo pilot and both": (
        made((("5Q",), ("5X",)), None, {"5Q": 0.0, "5X": 0.0}, system=GALILEO),
        "declared",
        0.0,
    ),
    "BeiDou B2I beside B2b": (
        made((("7I",), ("7D",)), None, {"7I": 0.0, "7D": 0.0}, system=BEIDOU),
        "other signal",
        0.0,
    ),
    "QZSS L1S beside L1C/A": (
        made((("1C",), ("1Z",)), None, {"1C": 0.0, "1Z": 0.0}, system=QZSS),
        "other signal",
        0.0,
    ),
}


@pytest.mark.parametrize("name", MEASURED)
def test_what_is_known_of_two_codes(name):
    table, verdict, shift = MEASURED[name]
    result = measure_alignment(table)
    (finding,) = result.findings
    assert finding.verdict == verdict, finding
    assert abs(result.shift_cycle[finding.sig]) == abs(shift)
    # The leader may be either of the two; the shift of one is minus that of the other.
    moved = {sig_code(finding.sig)[1:]: result.shift_cycle[finding.sig]}
    assert moved.get("W", moved.get("P", shift)) in (shift, -shift)
    assert result.leader[finding.sig] == (finding.leader if VERDICTS[verdict] else finding.sig)
    assert sig_code(finding.sig) in finding_text(finding)


@pytest.mark.parametrize("off", [0.25, -0.25, 0.5])
def test_the_shift_aligns_the_phases(off):
    table = made(BOTH, {"2W": off})
    result = measure_alignment(table)
    aligned = table.phase_cycle + result.shift_cycle[table.sig]
    difference = aligned[table.sig == sig_index(GPS, "2L")]
    difference = difference - aligned[table.sig == sig_index(GPS, "2W")]
    assert np.abs(difference - np.round(difference)).max() < 1e-9


def test_half_cycle_phases_are_not_measured():
    table = made(BOTH, {"2W": 0.25})
    lli = np.where(table.sig == sig_index(GPS, "2W"), 2, 0).astype(np.uint8)
    assert measure_alignment(dataclasses.replace(table, lli=lli)).findings == ()


def test_one_code_a_band_leaves_nothing_to_say():
    assert measure_alignment(made((("1C", "2W", "5Q"),) * 3)).findings == ()


# rover codes, base codes by satellite, header of the base: pairs, and whether they are compared
PAIRED = [
    (SPLIT, BOTH, {}, {("2L", "2L"), ("2W", "2W")}, False),  # the rover declares nothing
    ((("2L", "2W"),) * 2 + SPLIT[2:], BOTH, {}, {("2W", "2W")}, True),
    ((("2X", "2W"),) * 2 + (("2X",),) * 2, BOTH, {}, {("2W", "2W"), ("2X", "2L")}, True),
    ((("2X",),) * 4, SPLIT, {}, {("2X", "2L"), ("2X", "2W")}, False),
    ((("2X",),) * 4, SPLIT, ZERO, {("2X", "2L"), ("2X", "2W")}, True),
    ((("2X",),) * 4, SPLIT, {"2L": 0.25, "2W": 0.0}, {("2X", "2L"), ("2X", "2W")}, False),
]


@pytest.mark.parametrize(("rover", "base", "shifts", "pairs", "compared"), PAIRED)
def test_pairs_and_groups(rover, base, shifts, pairs, compared):
    """Fault rows 24 and 26: unlike codes are paired; compared only where alignment is known."""
    tables = made(rover), made(base, None, shifts)
    plan = make_plan(*tables, RtkConfig())
    work, state = record_of(epoch_work()), record_of(filter_state())
    n = pair_epoch(tables[0].arrays(), 0, tables[1].arrays(), 0, record_of(plan), work)
    assert n == 4
    seen, joint = set(), set()
    for a, b in work.row[:, :n, 0].T.tolist():
        signals = int(tables[0].sig[a]), int(tables[1].sig[b])
        seen.add(tuple(map(sig_code, signals)))
        joint.add(group_of(plan.leader[0, signals[0]], plan.leader[1, signals[1]], state))
    assert seen == pairs
    assert (len(joint) == 1) == compared


def test_same_header_of_two_real_files_means_two_things():
    """One receiver's L2X is said to be corrected by -0.25, and is still a quarter off."""
    _, base, _, _ = recording("kinematic-fujisawa-2021-265")
    assert base.phase_shift_cycle[sig_index(GPS, "2X")] == -0.25
    verdicts = {
        (f.sig, f.leader): (f.verdict, f.offset_cycle) for f in measure_alignment(base).findings
    }
    verdict, offset = verdicts[sig_index(GPS, "2X"), sig_index(GPS, "2W")]
    assert verdict == "quarter"
    assert offset == pytest.approx(-0.25, abs=0.02)
    assert verdicts[sig_index(QZSS, "1Z"), sig_index(QZSS, "1C")][0] == "unaligned"


@pytest.mark.parametrize("which", [0, 1])
def test_real_files_that_are_aligned(which):
    table = recording("static-nagoya-2024")[which]
    (finding,) = measure_alignment(table).findings
    assert finding.verdict == "aligned"
    assert abs(finding.offset_cycle) < 0.02
