"""Unlike codes and GLONASS integers on real recordings."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

from rtkpos.constants import SPEED_OF_LIGHT_MPS
from rtkpos.gnss.signals import carrier_hz, sig_band, sig_index
from rtkpos.gnss.systems import GLONASS, GPS, SYSTEM_LETTERS
from rtkpos.prepare.pairing import known_channels
from rtkpos.records.observations import UNKNOWN_CHANNEL
from rtkpos.records.signal_use import use_lines
from rtkpos.records.status import FixStatus
from tests.recordings import altered, recording, run, window

NAGOYA, CAR, CLAS = (
    "static-nagoya-2024",
    "kinematic-fujisawa-2021-265",
    "static-clas-fujisawa-2021-078",
)
TWO_BANDS = {"systems": "G", "bands": {"G": "12"}}
CIVIL, ENCRYPTED = sig_index(GPS, "2L"), sig_index(GPS, "2W")


def newest_first(table, n_civil=3):
    """The table of a receiver that tracks L2C on its first satellites and P(Y) on the others."""
    has_civil = np.unique(table.sat[(table.sig == CIVIL) & np.isfinite(table.phase_cycle)])
    civil = np.isin(table.sat, has_civil[:n_civil])
    gone = (civil & (table.sig == ENCRYPTED)) | (~civil & (table.sig == CIVIL))
    hide = {
        name: (lambda v: np.where(gone, np.nan, v))
        for name in ("code_m", "phase_cycle", "doppler_hz")
    }
    return altered(table, **hide)


def fix_rate(solution):
    """Share of epochs fixed."""
    return float((solution.status == FixStatus.FIXED).mean())


def shifted(table, sig, cycle):
    """The table with the phases of one signal moved."""
    return altered(table, phase_cycle=lambda p: np.where(table.sig == sig, p + cycle, p))


def mixed_run(name, last, **changes):
    """The run with a rover of mixed L2 codes, instantaneous, GPS L1 and L2."""
    rover = newest_first(window(recording(name)[0], 0, last))
    return run(name, last, rover=rover, ar="instantaneous", selection=TWO_BANDS, **changes)


def test_codes_that_the_header_aligns_are_fixed_together():
    """Fault row 26: L2C on some satellites and P(Y) on others; apart they lose a difference."""
    together, error_m = mixed_run(NAGOYA, 40)
    silent = recording(NAGOYA)[0]
    silent = newest_first(window(dataclasses.replace(silent, phase_shift_cycle={}), 0, 40))
    apart, _ = run(NAGOYA, 40, rover=silent, ar="instantaneous", selection=TWO_BANDS)
    assert len({u.compared_with for u in together.signals if u.band == 2}) == 1
    assert len({u.compared_with for u in apart.signals if u.band == 2}) == 2
    assert fix_rate(together) >= fix_rate(apart)
    assert np.nanmax(error_m[together.status == FixStatus.FIXED]) < 0.03


def test_a_quarter_cycle_left_in_the_base_is_taken_out():
    """Fault row 24: the base says L2X was corrected by -0.25, and measurement says it was not."""
    solution, _ = mixed_run(CAR, 120)
    rover, base, _, _ = recording(CAR)
    civil = sig_index(GPS, "2X")
    aligned = window(shifted(base, civil, 0.25), 0, 125)
    rover = newest_first(window(rover, 0, 120))
    right, _ = run(CAR, 120, rover=rover, base=aligned, ar="instantaneous", selection=TWO_BANDS)
    assert np.array_equal(solution.status, right.status)
    both = solution.status == FixStatus.FIXED
    assert both.mean() > 0.3
    assert np.abs(solution.ecef_m[both] - right.ecef_m[both]).max() < 0.01
    assert any("L2X is -0.25 cycle from L2W" in note for note in solution.notes)


def with_slope(table, channel, slope_m):
    """The table of a receiver whose GLONASS phases are off by metres per channel."""
    is_glonass = (table.sat >> 6) == GLONASS
    k = channel[table.sat & 63].astype(float)
    hertz = np.array(
        [
            carrier_hz(GLONASS, sig_band(int(g)), int(c)) if r else 0.0
            for r, g, c in zip(is_glonass, table.sig, k, strict=True)
        ]
    )
    move = np.where(is_glonass, slope_m * k * hertz / SPEED_OF_LIGHT_MPS, 0.0)
    return altered(table, phase_cycle=lambda p: p + move)


def glonass_pair(slope_m=0.0, receiver="", last=40):
    """Rover of the first epochs with a bias and another name of its receiver."""
    rover, base, nav, _ = recording(NAGOYA)
    channel = known_channels([rover.glonass_channel, base.glonass_channel], nav)
    rover = with_slope(window(rover, 0, last), channel, slope_m)
    if receiver:
        station = dataclasses.replace(rover.station, receiver=receiver)
        rover = dataclasses.replace(rover, station=station)
    return rover


def test_glonass_alone_fixes_between_like_receivers():
    solution, error_m = run(NAGOYA, selection={"systems": "R"})
    fixed = solution.status == FixStatus.FIXED
    assert fixed.mean() > 0.9
    assert error_m[fixed].max() < 0.03
    off, _ = run(NAGOYA, selection={"systems": "R"}, ambiguity={"glonass": "off"})
    assert fix_rate(off) == 0.0


def test_glonass_lets_one_band_fix_at_once():
    options = {"ar": "instantaneous", "selection": {"systems": "GR", "n_band_max": 1}}
    solution, error_m = run(NAGOYA, **options)
    assert fix_rate(solution) == 1.0
    assert error_m.max() < 0.02
    assert fix_rate(run(NAGOYA, ambiguity={"glonass": "off"}, **options)[0]) == 0.0


@pytest.mark.parametrize("slope_m", [0.0, 0.03, -0.05])
def test_unlike_receivers_are_learnt_and_stay_right(slope_m):
    rover = glonass_pair(slope_m, receiver="OTHER MAKE")
    solution, error_m = run(NAGOYA, rover=rover, selection={"systems": "GR"})
    assert fix_rate(solution) == 1.0
    assert error_m.max() < 0.02
    assert solution.n_fixed[-1] > solution.n_fixed[0] + 6, "GLONASS joins once it is known"
    (note,) = (n for n in solution.notes if n.startswith("GLONASS integers"))
    learnt = [float(word) for word in re.findall(r"[+-]\d\.\d+", note)]
    expected = [slope_m * hertz / SPEED_OF_LIGHT_MPS for hertz in (1602e6, 1246e6)]
    assert learnt == pytest.approx(expected, abs=0.01)


def test_satellites_without_a_channel_are_left_out_and_named():
    """Fault row 25: contradicting channels; no GLONASS satellite without its frequency is used."""
    rover, _, nav, _ = recording(NAGOYA)
    channel = known_channels([rover.glonass_channel], nav)
    wrong = np.where(channel == UNKNOWN_CHANNEL, channel, channel - np.sign(channel - 0.5))
    rover = dataclasses.replace(window(rover, 0, 20), glonass_channel=wrong.astype(np.int8))
    solution, error_m = run(NAGOYA, 20, rover=rover, selection={"systems": "GR"})
    assert fix_rate(solution) == 1.0
    assert error_m.max() < 0.02
    assert not any(use.system == "R" and use.n_phase for use in solution.signals)
    assert any("phases left out" in note and "R01" in note for note in solution.notes)


def test_signals_are_told():
    solution, _ = run(NAGOYA, 10)
    lines = use_lines(solution.signals)
    assert lines[0].startswith("G  L1 1C 90;")
    assert any(line.startswith("R  L1 1C") for line in lines)
    for use in solution.signals:
        table = recording(NAGOYA)[0]
        sig = sig_index(SYSTEM_LETTERS.index(use.system), f"{use.band}{use.rover[1:]}")
        rows = slice(0, int(table.row_start[10]))
        seen = (table.sig[rows] == sig) & np.isfinite(table.phase_cycle[rows])
        assert 0.5 * seen.sum() <= use.n_phase <= seen.sum()
    assert run(CAR, 10)[0].signals[-1].pair == "5Q-5X"


def test_single_positions_tell_no_signals():
    assert run(NAGOYA, 3, mode="single")[0].signals == ()
