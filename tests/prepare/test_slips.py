"""Every slip and clock detector fires on a crafted case, and stays quiet without it.

The cases are a real one-metre pair of receivers, altered in one place.
"""

from __future__ import annotations

import numpy as np
import pytest

from rtkpos.constants import SPEED_OF_LIGHT_MPS
from rtkpos.core.tables import EVENT_POWER_FAILURE
from rtkpos.gnss.signals import carrier_hz, sig_band, sig_index
from rtkpos.gnss.systems import GPS, sat_name
from rtkpos.records.status import FixStatus
from tests.recordings import altered, recording, rows_of, run, window

NAME = "static-nagoya-2024"
AT = 20  # epoch of the alteration
L1C, L2W = sig_index(GPS, "1C"), sig_index(GPS, "2W")
MILLISECOND_M = 1e-3 * SPEED_OF_LIGHT_MPS


def rover():
    """The first 40 epochs of the rover."""
    return window(recording(NAME)[0], 0, 40)


def high_gps(table):
    """The GPS satellite with the strongest L1 signal at the epoch of the alteration."""
    rows = slice(table.row_start[AT], table.row_start[AT + 1])
    candidates = np.flatnonzero(table.sig[rows] == L1C)
    best = candidates[np.argmax(table.cn0_dbhz[rows][candidates])]
    return int(table.sat[rows][best])


def pairs(table):
    """(satellite, signal) of every row."""
    return zip(table.sat, table.sig, strict=True)


def totals(table, **options):
    """Counters of a run over an altered rover, and its solution."""
    solution, error = run(NAME, rover=table, **options)
    return solution.diagnostics.totals, solution, error


@pytest.fixture(scope="module")
def clean():
    """Counters of the unaltered run."""
    return totals(rover())[0]


def raised(table, clean, counter, **options):
    """How far a counter exceeds that of the clean run; the run must stay right."""
    counts, solution, error = totals(table, **options)
    fixed = solution.status == FixStatus.FIXED
    assert np.all(error[fixed] < 0.05), "a fix went wrong"
    assert fixed.mean() > 0.9
    return counts[counter] - clean[counter]


def test_loss_of_lock_bit(clean):
    table = rover()
    one = rows_of(table, AT, high_gps(table), L1C) & ~rows_of(table, AT + 1)
    marked = altered(table, lli=lambda lli: np.where(one, lli | 1, lli).astype(np.uint8))
    assert raised(marked, clean, "slip_lli") == 1


def test_half_cycle_bit_starting_and_ending(clean):
    table = rover()
    some = rows_of(table, AT, high_gps(table), L1C) & ~rows_of(table, AT + 5)
    marked = altered(table, lli=lambda lli: np.where(some, lli | 2, lli).astype(np.uint8))
    assert raised(marked, clean, "slip_half_cycle") >= 1
    assert raised(marked, clean, "half_cycle_excluded") >= 5


def test_power_failure_restarts_every_ambiguity(clean):
    table = rover()
    event = table.event.copy()
    event[AT] |= EVENT_POWER_FAILURE
    marked = altered(table, event=lambda _: event)
    assert raised(marked, clean, "slip_power_failure") > 30


@pytest.mark.parametrize("cycles", [1.0, 0.5, 7.0, -3.0])
def test_unmarked_slip_on_one_band(clean, cycles):
    table = rover()
    later = rows_of(table, AT, high_gps(table), L1C)
    slipped = altered(table, phase_cycle=lambda p: np.where(later, p + cycles, p))
    found = raised(slipped, clean, "slip_geometry_free") + raised(slipped, clean, "slip_innovation")
    assert found >= 1


def test_equal_slip_in_metres_escapes_geometry_free_but_not_the_step_test(clean):
    table = rover()
    sat = high_gps(table)
    shift_m = 154.0 * SPEED_OF_LIGHT_MPS / 1575.42e6  # whole cycles on L1 and on L2 (120)
    l1, l2 = rows_of(table, AT, sat, L1C), rows_of(table, AT, sat, L2W)
    l5 = rows_of(table, AT, sat, sig_index(GPS, "5Q"))

    def slip(phase):
        for rows, hz in ((l1, 1575.42e6), (l2, 1227.6e6), (l5, 1176.45e6)):
            phase[rows] += shift_m * hz / SPEED_OF_LIGHT_MPS
        return phase

    assert raised(altered(table, phase_cycle=slip), clean, "slip_doppler") >= 2


def test_doppler_detector_needs_a_large_slip(clean):
    table = rover()
    later = rows_of(table, AT, high_gps(table), L1C)
    slipped = altered(table, phase_cycle=lambda p: np.where(later, p + 30.0, p))
    assert raised(slipped, clean, "slip_doppler") >= 1


def test_code_minus_phase_detector(clean):
    table = rover()
    later = rows_of(table, AT, high_gps(table), L1C)
    slipped = altered(table, phase_cycle=lambda p: np.where(later, p + 500.0, p))
    assert raised(slipped, clean, "slip_code_minus_phase") >= 1


def test_changed_tracking_code_restarts_the_ambiguity(clean):
    """From one epoch on the rover's L2 P(Y) observations of satellites without L2C call themselves
    L2C: the pair of codes is another one, so its ambiguities start anew.
    """
    table = rover()
    with_l2c = np.unique(table.sat[table.sig == sig_index(GPS, "2L")])
    later = rows_of(table, AT, None, L2W) & ~np.isin(table.sat, with_l2c)
    assert later.any()
    relabelled = altered(
        table, sig=lambda sig: np.where(later, sig_index(GPS, "2L"), sig).astype(np.int16)
    )
    assert totals(relabelled)[0]["slip_code_change"] > clean["slip_code_change"]


def test_gap_of_one_sample_costs_nothing_and_a_long_one_restarts(clean):
    table = rover()
    solution, error = run(NAME, rover=window(table, 0, 40, 2))
    assert np.all(solution.status == FixStatus.FIXED)
    assert error.max() < 0.02
    limit = {"slips": {"max_gap_s": 1.0}}
    counts = run(NAME, rover=window(table, 0, 40, 5), **limit)[0].diagnostics.totals
    assert counts["slip_gap"] > 0


def test_millisecond_jump_of_the_code_alone_is_repaired(clean):
    """A receiver that steps its clock by 1 ms samples 1 ms earlier from then on: the range is that
    of the earlier time, the code carries the step as well, the phase does not.
    """
    table = rover()
    later = rows_of(table, AT) & np.isfinite(table.doppler_hz)
    hertz = np.array([carrier_hz(int(sat) >> 6, sig_band(int(sig))) for sat, sig in pairs(table)])
    earlier_m = table.doppler_hz * SPEED_OF_LIGHT_MPS / hertz * 1e-3
    jumped = altered(
        table,
        code_m=lambda c: np.where(later, c + MILLISECOND_M + earlier_m, c),
        phase_cycle=lambda p: np.where(later, p + table.doppler_hz * 1e-3, p),
    )
    options = {"selection": {"systems": "GECJ"}}
    counts, solution, error = totals(jumped, **options)
    assert counts["clock_jump"] == 1
    assert counts["slip_code_minus_phase"] == clean["slip_code_minus_phase"]
    assert np.all(solution.status == FixStatus.FIXED)
    assert error.max() < 0.02


def test_slips_on_the_whole_sky_cost_no_wrong_epoch(clean):
    table = rover()
    later = rows_of(table, AT)
    cycles = np.random.default_rng(5).integers(-40, 40, table.n_row).astype(float)
    by_signal = {key: cycles[i] for i, key in enumerate(zip(table.sat, table.sig, strict=True))}
    shift = np.array([by_signal[key] for key in zip(table.sat, table.sig, strict=True)])
    slipped = altered(table, phase_cycle=lambda p: np.where(later, p + shift, p))
    _, solution, error = totals(slipped)
    fixed = solution.status == FixStatus.FIXED
    assert np.all(error[fixed] < 0.05)
    assert fixed[AT + 1 :].mean() > 0.9


def test_code_outliers_are_rejected(clean):
    table = rover()
    some = rows_of(table, AT, high_gps(table), L1C) & ~rows_of(table, AT + 10)
    wild = altered(table, code_m=lambda c: np.where(some, c + 80.0, c))
    assert raised(wild, clean, "code_rejected") >= 10


def test_excluded_satellite_takes_no_part():
    name = sat_name(high_gps(rover()))
    with_it = run(NAME, last=3)[0].n_sat
    without = run(NAME, last=3, selection={"exclude": (name,)})[0].n_sat
    assert np.all(without == with_it - 1)


def test_slip_between_two_base_epochs_in_use_is_seen():
    """The rover measures every fifth second: the base tells of its slip in between."""
    table, base = window(recording(NAME)[0], 0, 60, 5), window(recording(NAME)[1], 0, 65)
    before = run(NAME, rover=table, base=base)[0].diagnostics.totals
    later = rows_of(base, 22, high_gps(rover()), L1C)
    first = later & ~rows_of(base, 23)
    slipped = altered(
        base,
        phase_cycle=lambda p: np.where(later, p + 1.0, p),
        lli=lambda lli: np.where(first, lli | 1, lli).astype(np.uint8),
    )
    solution, error = run(NAME, rover=table, base=slipped)
    assert solution.diagnostics.totals["slip_lli"] == before["slip_lli"] + 1
    assert np.all(solution.status == FixStatus.FIXED)
    assert error.max() < 0.02
