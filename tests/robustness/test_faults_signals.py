"""Faults of clocks, time tags and signals, put into a real pair: the fix stays and stays right."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from rtkpos.constants import SPEED_OF_LIGHT_MPS
from rtkpos.gnss.signals import carrier_hz, sig_band, sig_index
from rtkpos.gnss.systems import GPS
from rtkpos.records.status import FixStatus
from tests.recordings import altered, recording, rows_of, run, window

NAME = "static-nagoya-2024"
N = 40
RIGHT_M = 0.02


def part(which: int = 0):
    """The first epochs of the rover (0) or the base (1)."""
    return window(recording(NAME)[which], 0, N)


def wavelengths_m(table):
    """(n_row,) of GPS, Galileo, BeiDou and QZSS; nobody uses those of GLONASS here."""
    pairs = zip(table.sat, table.sig, strict=True)
    hertz = [carrier_hz(int(sat) >> 6, sig_band(int(sig))) for sat, sig in pairs]
    return SPEED_OF_LIGHT_MPS / np.array(hertz)


def epoch_of_row(table):
    """(n_row,) epoch index of each row."""
    return np.repeat(np.arange(table.n_epoch), np.diff(table.row_start))


def with_clock(table, clock_s, *, on_phase=True):
    """The observations of a receiver whose clock is `clock_s` (n_epoch,) further ahead.

    It samples that much earlier: the ranges are those of the earlier time (Doppler), the code
    shows the offset, and the phase too where the receiver steers both.
    """
    clock = clock_s[epoch_of_row(table)]
    wavelength = wavelengths_m(table)
    earlier_m = table.doppler_hz * wavelength * clock
    step_m = SPEED_OF_LIGHT_MPS * clock
    # 1e-4 m^2 / 2 of range acceleration remains at 50 ms: far below the tolerance.
    phase_m = earlier_m + (step_m if on_phase else 0.0)
    return altered(
        table,
        code_m=lambda c: c + step_m + earlier_m,
        phase_cycle=lambda p: p + phase_m / wavelength,
    )


def clean_totals():
    """Counters of the run without a fault."""
    return run(NAME, rover=part(), selection={"systems": "GECJ"})[0].diagnostics.totals


def assert_fix_kept(solution, error_m):
    """Every epoch fixed and right, with no more slips than the clean run has."""
    assert (solution.status == FixStatus.FIXED).mean() == 1.0
    assert error_m.max() < RIGHT_M
    slips = {k: v for k, v in solution.diagnostics.totals.items() if k.startswith("slip")}
    clean = clean_totals()
    assert all(slips[name] <= clean[name] for name in slips), (slips, clean)


@pytest.mark.parametrize("which", [0, 1])
def test_millisecond_jumps_of_code_and_phase_keep_the_fix(which):
    """Row 39: one jump forward and one back, at the rover and at the base."""
    clock_s = np.where((np.arange(N) >= 15) & (np.arange(N) < 30), 1e-3, 0.0)
    jumped = with_clock(part(which), clock_s)
    tables = {"rover": part(), "base": part(1)} | {("rover", "base")[which]: jumped}
    assert_fix_kept(*run(NAME, **tables, selection={"systems": "GECJ"}))


def test_clock_many_milliseconds_off_and_drifting_keeps_the_fix():
    """Row 40: 40 ms and 1e-6 s/s; the transmission times follow the clock of the code solution."""
    clock_s = 0.04 + 1e-6 * np.arange(N)
    solution, error_m = run(NAME, rover=with_clock(part(), clock_s), selection={"systems": "GECJ"})
    assert_fix_kept(solution, error_m)
    expected_m = SPEED_OF_LIGHT_MPS * clock_s
    clean = run(NAME, rover=part(), selection={"systems": "GECJ"})[0]
    shift_m = solution.rx_clock_m - clean.rx_clock_m
    assert np.allclose(shift_m, expected_m, rtol=0, atol=10.0)


def test_noise_of_the_time_tags_is_no_difference():
    """Row 38: tags of 29.9999999 s and the like; the base epoch of the same time is still found."""
    noise_ns = np.random.default_rng(38).integers(-100, 101, N)
    noisy = dataclasses.replace(part(), time_ns=part().time_ns + noise_ns)
    solution, error_m = run(NAME, rover=noisy)
    assert (solution.status == FixStatus.FIXED).all()
    assert error_m.max() < RIGHT_M
    assert np.abs(solution.age_s).max() < 1e-6


@pytest.mark.parametrize("lli", [0, 1])
def test_phase_that_wraps_at_a_thousand_million_cycles_is_a_slip(lli):
    """Row 20: the value loses 1e9 cycles on one signal, with and without the indicator."""
    table = part()
    later = rows_of(table, 20) & (table.sig == sig_index(GPS, "1C"))
    wrapped = altered(table, phase_cycle=lambda p: np.where(later, p - 1e9, p))
    if lli:
        at = later & (epoch_of_row(table) == 20)
        wrapped = altered(wrapped, lli=lambda bits: np.where(at, 1, bits).astype(np.uint8))
    solution, error_m = run(NAME, rover=wrapped)
    assert (solution.status == FixStatus.FIXED).mean() > 0.95
    assert error_m[solution.status == FixStatus.FIXED].max() < RIGHT_M


def test_unlike_tracking_codes_of_one_band_are_paired_or_left_out():
    """Rows 24 and 26: the rover has C2W only, the base C2L only."""
    drop = {0: sig_index(GPS, "2L"), 1: sig_index(GPS, "2W")}
    tables = []
    for which, sig in drop.items():
        table = part(which)
        gone = table.sig == sig
        hide = {
            name: (lambda v, gone=gone: np.where(gone, np.nan, v))
            for name in ("code_m", "phase_cycle", "doppler_hz")
        }
        tables.append(altered(table, **hide))
    solution, error_m = run(
        NAME, rover=tables[0], base=tables[1], ar="instantaneous", selection={"systems": "G"}
    )
    fixed = solution.status == FixStatus.FIXED
    assert fixed.mean() > 0.5
    assert error_m[fixed].max() < 0.03
