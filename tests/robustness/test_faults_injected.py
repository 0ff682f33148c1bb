"""Faults put into real recordings: found, counted, and never a wrong fix.

The faults stand in bench/injection/fault_cases.py.

`python bench/faults.py` does the same on more and longer recordings and tables the figures.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pytest

from bench.faults import PIECES, judged, scene, solved
from bench.injection import inject
from bench.injection.fault_cases import FAULTS, live_ambiguities
from rtkpos.errors import DatasetError
from rtkpos.records.status import FixStatus, Reason

pytestmark = pytest.mark.compiled

SHORT, WEAK, CAR, CLOCKED = "fujisawa", "geonet", "car", "nagoya"
N_WEAK = 80  # epochs, the fault at the 40th
N_CLOCKED = 100
SLIPS = ("slip_phase_step", "slip_innovation", "slip_wide_lane", "slip_gap", "slip_code_change")


@functools.cache
def clean_scene(name):
    """A scene without a fault; skips when its data are not here."""
    try:
        whole = scene(name)
    except DatasetError as error:
        pytest.skip(str(error))
    n = {WEAK: N_WEAK, CLOCKED: N_CLOCKED}.get(name, PIECES[name].n_epoch)
    truth = whole.truth_m[:n] if whole.truth_m.ndim == 2 else whole.truth_m
    return dataclasses.replace(whole, rover=inject.part(whole.rover, 0, n), truth_m=truth)


@functools.cache
def clean_figures(name):
    """Figures of the run without a fault."""
    return judged(clean_scene(name), None)


def fault(what):
    """The fault of a name."""
    return next(one for one in FAULTS if one.what == what)


def with_fault(name, what):
    """A scene with a fault in it."""
    return fault(what).change(clean_scene(name), np.random.default_rng(7))


@functools.cache
def figures(name, what):
    """Figures of a scene with a fault."""
    return judged(with_fault(name, what), clean_figures(name))


def suits(name, one):
    """Whether the sampling of a scene suits a fault."""
    return one.min_step_s <= clean_scene(name).step_ns / 1e9 <= one.max_step_s


@pytest.mark.parametrize("what", [one.what for one in FAULTS])
def test_no_fault_makes_a_wrong_fix(what):
    """Rows 39, 43-50, 53, 54, 56, 64: nothing fixed is off by 0.5 m or by 5 sigma."""
    if not suits(SHORT, fault(what)):
        pytest.skip("made for slower sampling")
    found = figures(SHORT, what)
    if "refused" in found:
        assert "base" in found["refused"]
        return
    assert found["n_over_half_m"] == 0, f"{found['max_fixed_m']:.2f} m"
    if "off by 0.25" not in what:  # these phases stay wrong without ever stepping again
        assert found["n_over_5_sigma"] == 0, f"{found['max_sigma']:.1f} sigma"
    changed = with_fault(SHORT, what)
    if changed.until_ns is None or changed.until_ns < changed.rover.time_ns[-1]:
        assert found["refix_s"] is not None, "never fixed again"


@pytest.mark.parametrize(
    "what",
    [
        "half cycle on every band",
        "slip of 0.5 on one band",
        "phases of 3 satellites off by 0.25 for 10 epochs",
        "5 satellites slip by 1 on every band",
        "every second satellite slips by 1",
        "whole sky slips by 1..2",
        "half cycles unresolved and wrong on 3",
        "all integers wrong, hold",
    ],
)
def test_no_fault_makes_a_wrong_fix_of_seven_gps_satellites(what):
    """Rows 46, 47, 49, 50 where little redundancy is left: two bands, one system, 30 s."""
    found = figures(WEAK, what)
    assert found["n_over_half_m"] == 0, f"{found['max_fixed_m']:.2f} m"
    assert found["n_not_right"] == 0
    assert found["fix_rate"] > 0.85


@pytest.mark.parametrize("who", ["rover", "base"])
@pytest.mark.parametrize("steers", ["code only", "code and phase"])
@pytest.mark.parametrize("jumps", ["jumps 1 ms", "jumps 1 ms forth and back every 10 epochs"])
def test_millisecond_jumps_are_no_slips(who, steers, jumps):
    """Row 39: with Doppler at both ends no detector fires but that of the jump."""
    found = figures(CLOCKED, f"{who} clock {jumps}, {steers}")
    assert found["fix_rate"] == 1.0
    assert found["max_fixed_m"] < 0.02
    expected = {} if steers == "code and phase" else {"clock_jump": 4 if "back" in jumps else 1}
    assert found["fired"] == expected


def test_lost_constellation_leaves_the_others_and_three_satellites_nothing():
    """Row 43."""
    for who in ("rover", "base"):
        found = figures(CLOCKED, f"one constellation lost at the {who}")
        assert found["fix_rate"] == 1.0
        assert found["max_fixed_m"] < 0.02
    few = with_fault(CLOCKED, "three satellites left")
    solution = solved(few)[0]
    gone = (few.rover.time_ns >= few.at_ns) & (few.rover.time_ns < few.until_ns)
    assert (solution.status[gone] < FixStatus.FLOAT).all()
    assert (solution.status[~gone] == FixStatus.FIXED).all()


def test_reference_satellite_sets_or_slips_without_loss_of_the_fix():
    """Row 44: the filter has none, and the integers take the next one."""
    for what in ("the strongest satellite sets", "slip of 1 on every band"):
        assert figures(CLOCKED, what)["fix_rate"] == 1.0
        assert figures(WEAK, what)["fix_rate"] == 1.0


@pytest.mark.parametrize("size_m", [5, 20, 100])
@pytest.mark.parametrize("n_sat", [1, 3])
def test_code_outliers_are_left_out_and_cost_no_ambiguity(size_m, n_sat):
    """Row 45: the code is rejected; what looks like a slip by it alone is withdrawn."""
    found = figures(CLOCKED, f"code off by {float(size_m)} m on {n_sat} for 20 epochs")
    assert found["fired"]["code_rejected"] >= 20
    assert not set(found["fired"]) & set(SLIPS)
    fired = found["fired"]
    assert fired.get("slip_withdrawn", 0) == fired.get("slip_code_minus_phase", 0)
    assert found["fix_rate"] == 1.0
    assert found["max_fixed_m"] < 0.02


@pytest.mark.parametrize("cycles", ["0.5", "1", "2", "5", "-20"])
def test_unmarked_slip_resets_its_band_alone(cycles):
    """Row 46: geometry-free and Doppler call, the phase step says which band it was."""
    found = figures(CLOCKED, f"slip of {cycles} on one band")
    fired = found["fired"]
    assert fired["slip_geometry_free"] >= 1
    assert fired["slip_withdrawn"] >= 1, "the other bands keep their ambiguities"
    assert ("half_cycle_doubt" in fired) == (cycles == "0.5")
    assert found["fix_rate"] == 1.0
    assert found["max_fixed_m"] < 0.02


def test_half_cycle_that_stays_is_kept_out_of_fixing():
    """Row 46: without the doubt, one geonet satellite half a cycle off halves the fixes."""
    found = figures(WEAK, "half cycle on every band")
    assert found["fired"]["half_cycle_doubt"] == 2
    assert found["fired"]["half_cycle_excluded"] > 50
    assert found["fix_rate"] == 1.0


@pytest.mark.parametrize("lli", ["", ", told by LLI"])
def test_whole_sky_slips_cost_no_epoch(lli):
    """Row 47."""
    found = figures(CLOCKED, f"whole sky slips by 1..40{lli}")
    assert found["refix_s"] == 0.0
    assert found["fix_rate"] == 1.0
    assert found["max_fixed_m"] < 0.02


@pytest.mark.parametrize(
    "what",
    [
        "one rover epoch missing",
        "one base epoch missing",
        "one satellite missing for one epoch",
        "three satellites missing for one epoch",
        "one satellite missing for 10 epochs",
        "rover gap of 10 s",
    ],
)
def test_gap_costs_neither_an_ambiguity_nor_a_fix(what):
    """Row 48: no counter moves, every epoch is fixed, and the ambiguities are as old as before."""
    for name in (CLOCKED, SHORT):
        found = figures(name, what)
        assert not set(found["fired"]) & set(SLIPS)
        assert found["fix_rate"] == 1.0
    faulty = with_fault(CLOCKED, what)
    before, after = (solved(one)[1].state for one in (clean_scene(CLOCKED), faulty))
    live = before.slot >= 0
    assert ((after.slot >= 0) == live).all()
    lost = (before.n_lock - after.n_lock)[live]
    assert lost.max() <= 10, "an ambiguity was reset"


def test_long_gap_restarts_and_its_length_is_reported():
    """Rows 48 and 64: ten minutes without rover or base."""
    from rtkpos.physics.accuracy import outages

    for who, status in (("rover", None), ("base", FixStatus.SPP)):
        faulty = with_fault(WEAK, f"{who} gap of 10 min")
        solution = solved(faulty)[0]
        assert judged(faulty, clean_figures(WEAK))["fired"]["slip_gap"] > 5
        lost = outages(solution)
        assert lost.n == 1
        assert 600.0 <= lost.longest_s <= 690.0
        if status is not None:
            gone = faulty.rover.time_ns >= faulty.at_ns + 60_000_000_000
            gone &= faulty.rover.time_ns < faulty.until_ns
            assert (solution.status[gone] == status).all()


@pytest.mark.parametrize("who", ["", " at the base"])
def test_half_cycles_are_out_of_fixing_until_resolved(who):
    """Row 49: told by the receiver, wrong meanwhile; afterwards all take part again."""
    found = figures(CLOCKED, f"half cycles unresolved and wrong on 3{who}")
    assert found["fired"]["slip_half_cycle"] >= 6
    assert "half_cycle_doubt" not in found["fired"]
    n_excluded = found["fired"]["half_cycle_excluded"]
    assert n_excluded == 10 * found["fired"]["slip_half_cycle"] / 2
    assert found["fix_rate"] == 1.0


@pytest.mark.parametrize("ar", ["continuous", "hold"])
@pytest.mark.parametrize("which", ["one wrong integer", "all integers wrong"])
def test_wrong_integers_are_left_within_seconds(ar, which):
    """Row 50: no fixed epoch is wrong, and the right fix is back after at most 5 s."""
    for name in (CLOCKED, SHORT):
        found = figures(name, f"{which}, {ar}")
        assert found["n_not_right"] == 0, f"{found['max_fixed_m']:.2f} m"
        assert found["refix_s"] <= 5.0


@pytest.mark.parametrize("poison", [np.nan, -1.0])
def test_bad_covariance_gives_no_nan_and_no_wrong_fix(poison):
    """Row 51: the filter's covariance is made unusable in mid-run."""

    def spoil(memory):
        index = live_ambiguities(memory)[0]
        memory.state.cov[index, index] = poison

    spoilt = dataclasses.replace(clean_scene(CLOCKED), meddle=spoil)
    solution = solved(spoilt)[0]
    fixed = solution.status == FixStatus.FIXED
    assert np.isfinite(solution.ecef_m).all()
    assert np.linalg.norm(solution.ecef_m - spoilt.truth_m, axis=1)[fixed].max() < 0.05
    assert fixed[spoilt.at + 5 :].all(), "the filter recovers"


def test_missing_or_zero_signal_strengths_keep_the_fix():
    """Row 53."""
    for what in ("C/N0 missing", "C/N0 zero"):
        assert figures(CLOCKED, what)["fix_rate"] == 1.0
        assert figures(CLOCKED, what)["max_fixed_m"] < 0.02


@pytest.mark.parametrize("what", ["for one epoch", "from now on"])
def test_everything_300_m_away_is_no_fix_at_once(what):
    """Row 54: the antenna cannot have gone there."""
    faulty = with_fault(CLOCKED, f"everything 300 m away {what}")
    solution = solved(faulty)[0]
    assert solution.status[faulty.at] == FixStatus.FLOAT
    assert solution.reason[faulty.at] == Reason.POSITION_JUMP


def test_filter_that_contradicts_its_phases_is_given_up():
    """Centimetres off and certain of it: below every single test, but not for ten epochs."""

    def spoil(memory):
        state = memory.state
        rng = np.random.default_rng(3)
        for index in live_ambiguities(memory):
            state.state[index] += rng.choice((-0.12, 0.12))
            state.cov[index, :] = 0.0
            state.cov[:, index] = 0.0
            state.cov[index, index] = 1e-8

    options = {"ar": "off", "noise": {"ambiguity_drift_cycle_per_sqrt_s": 0.0}}
    spoilt = dataclasses.replace(clean_scene(CLOCKED), meddle=spoil, options=options)
    assert judged(spoilt, clean_figures(CLOCKED))["fired"]["divergence_reset"] == 1
    clean = dataclasses.replace(spoilt, meddle=None)
    assert "divergence_reset" not in judged(clean, clean_figures(CLOCKED))["fired"]


def test_wide_lane_finds_what_neither_metres_nor_geometry_show():
    """Four satellites, no Doppler: a slip equal in metres on two bands shows in cycles only."""
    still = clean_scene(CLOCKED)
    four = [sat for sat in still.best(0, 60) if sat >> 6 == 0][1:5]
    tables = {}
    for who in ("rover", "base"):
        table = still.table(who)
        table = inject.hidden(table, ~np.isin(table.sat, four))
        tables[who] = inject.changed(table, doppler_hz=np.full(table.n_row, np.nan))
    options = {"selection": {"systems": "G", "bands": {"G": "12"}}}
    weak = dataclasses.replace(still, **tables, options=options)
    clean = judged(weak, None)
    slipped = fault("slip equal in metres on two bands").change(weak, np.random.default_rng(1))
    found = judged(slipped, clean)
    assert found["fired"]["slip_wide_lane"] == 1
    assert clean["totals"]["slip_wide_lane"] == 0


@pytest.mark.parametrize("name", [CLOCKED, SHORT, WEAK, CAR])
def test_few_false_alarms_on_clean_recordings(name):
    """Resets by our own detectors, per phase tested; what the receiver says is not ours."""
    counts, whole = clean_figures(name)["totals"], clean_scene(name)
    n_phase = int(np.isfinite(whole.rover.phase_cycle).sum())
    alarms = counts["slip_phase_step"] + counts["slip_wide_lane"] + counts["slip_innovation"]
    alarms += counts["divergence_reset"] + counts["filter_reset"]
    assert alarms <= 0.003 * n_phase, counts
