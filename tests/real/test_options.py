"""Every option changes something: a run with another value differs from the default run."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from rtkpos.records.config import RtkConfig
from tests.io.antex_text import antex_text, block, frequency
from tests.recordings import altered, moved_epoch, recording, run, window

NAGOYA, VIRTUAL, CAR, LONG = (
    "static-nagoya-2024",
    "vrs-static-shanghai-2023",
    "kinematic-fujisawa-2021-265",
    "network-netherlands-2021-001",
)

# replaced by the path of a made-up file of calibrations
TEST_ANTEX = "test.atx"

# option -> (another value, recording, other options needed for it to matter, epochs)
CASES = {
    "mode": ("dgnss", NAGOYA, {}, 5),
    "profile": ("safe", CAR, {"selection": {"systems": "G"}, "ar": "instantaneous"}, 60),
    "ar": ("off", NAGOYA, {}, 5),
    "direction": ("backward", NAGOYA, {}, 10),
    "static_start_s": (5.0, NAGOYA, {}, 10),
    "selection.systems": ("G", NAGOYA, {}, 5),
    "selection.bands": ({"G": "1"}, NAGOYA, {}, 5),
    "selection.n_band_max": (1, NAGOYA, {}, 5),
    "selection.exclude": (("G12", "E10", "C23", "C27"), NAGOYA, {}, 5),
    "selection.elevation_mask_deg": (30.0, NAGOYA, {}, 5),
    "selection.cn0_min_dbhz": (42.0, NAGOYA, {}, 5),
    "noise.phase_a_m": (0.01, NAGOYA, {}, 5),
    "noise.phase_b_m": (0.02, NAGOYA, {}, 5),
    "noise.code_phase_ratio": (300.0, NAGOYA, {}, 5),
    "noise.code_correlation_s": (0.1, NAGOYA, {}, 5),
    "noise.phase_correlation_s": (0.1, NAGOYA, {"mode": "static"}, 5),
    "noise.cn0_reference_dbhz": (50.0, NAGOYA, {}, 5),
    "noise.phase_baseline_mm_per_km": (10.0, CAR, {}, 5),
    "noise.beidou_geo_factor": (10.0, NAGOYA, {"selection": {"systems": "C"}}, 5),
    "noise.position_reset_m": (1.0, NAGOYA, {"ar": "off"}, 5),
    "noise.ambiguity_drift_cycle_per_sqrt_s": (0.0, NAGOYA, {}, 10),
    "slips.geometry_free_m": (0.005, CAR, {}, 60),
    "slips.doppler_cycle_per_s": (0.05, VIRTUAL, {}, 60),
    "slips.code_minus_phase_m": (1.0, VIRTUAL, {}, 60),
    "slips.wide_lane_sigma": (1.0, VIRTUAL, {}, 60),
    "slips.divergence_epochs": (100_000, NAGOYA, {"ar": "off"}, 30),
    "slips.max_gap_s": (0.0, NAGOYA, {}, 10),
    "ambiguity.elevation_mask_deg": (40.0, NAGOYA, {}, 5),
    "ambiguity.min_pairs": (20, NAGOYA, {"selection": {"systems": "G"}}, 5),
    "ambiguity.success_rate_min": (1.0, NAGOYA, {"selection": {"systems": "G"}}, 5),
    "ambiguity.failure_rate": (0.001, CAR, {"selection": {"systems": "G"}}, 40),
    "ambiguity.ratio_min": (10.0, CAR, {"ambiguity": {"ratio_max": 10.0}}, 60),
    "ambiguity.ratio_max": (1.0, CAR, {"ambiguity": {"ratio_min": 2.0}}, 60),
    "ambiguity.probability_min": (1.0, CAR, {"selection": {"systems": "G"}}, 20),
    "ambiguity.position_sigma_max_m": (0.005, CAR, {"selection": {"systems": "G"}}, 20),
    "ambiguity.postfit_phase_max_m": (0.005, CAR, {}, 20),
    "ambiguity.jump_m": (1000.0, NAGOYA, {"selection": {"systems": "GEC"}}, 12),
    "ambiguity.hold_after_s": (1.0, NAGOYA, {"ar": "hold"}, 8),
    "ambiguity.hold_sigma_cycle": (
        1.0,
        NAGOYA,
        {"ar": "hold", "ambiguity": {"hold_after_s": 0.0}},
        8,
    ),
    "ambiguity.n_search_max": (100, VIRTUAL, {"selection": {"systems": "C"}}, 100),
    "ambiguity.n_drop_max": (0, CAR, {}, 60),
    "ambiguity.drop_penalty": (3.0, CAR, {}, 60),
    "ambiguity.glonass": ("off", NAGOYA, {"selection": {"systems": "R"}}, 30),
    "ambiguity.admit_after_epochs": (0, CAR, {}, 60),
    "ambiguity.misfit_max": (1.0, VIRTUAL, {}, 60),
    "base.max_age_s": (0.0, NAGOYA, {}, 12),
    "base.time_tolerance_s": (0.5, NAGOYA, {}, 12),
    "base.age_noise_m_per_s": (0.1, NAGOYA, {}, 12),
    "base.force": (True, NAGOYA, {}, 3),
    "atmosphere.troposphere": ("off", CAR, {}, 5),
    "atmosphere.ionosphere": ("off", NAGOYA, {"mode": "single"}, 5),
    "atmosphere.long_from_km": (1.0, CAR, {}, 5),
    "atmosphere.long_noise_share": (1.0, LONG, {}, 5),
    "atmosphere.ionosphere_mm_per_km": (10.0, LONG, {}, 5),
    "atmosphere.ionosphere_correlation_s": (60.0, LONG, {}, 5),
    "atmosphere.wet_delay_mm_per_km": (5.0, LONG, {}, 5),
    "atmosphere.wet_delay_correlation_s": (60.0, LONG, {}, 5),
    "antenna.antex": (TEST_ANTEX, NAGOYA, {"antenna": {"rover": "TEST NONE"}}, 3),
    "antenna.rover": ("TEST NONE", NAGOYA, {"antenna": {"antex": TEST_ANTEX}}, 3),
    "antenna.base": ("TEST NONE", NAGOYA, {"antenna": {"antex": TEST_ANTEX}}, 3),
    "antenna.coordinates": ("antenna", NAGOYA, {}, 3),
    "antenna.rover_offset_enu_m": ((0.0, 0.0, 1.0), NAGOYA, {}, 3),
    "antenna.base_offset_enu_m": ((0.0, 0.0, 1.0), NAGOYA, {}, 3),
    "tide.solid_earth": (False, CAR, {}, 5),
}


def all_options(kind=RtkConfig, path=""):
    """Dotted names of every option."""
    for item in dataclasses.fields(kind):
        default = item.default_factory
        if dataclasses.is_dataclass(default):
            yield from all_options(default, f"{path}{item.name}.")
        else:
            yield f"{path}{item.name}"


def with_option(options, name, value):
    """A copy of nested options with one more."""
    section, _, key = name.rpartition(".")
    if not section:
        return {**options, key: value}
    return {**options, section: {**options.get(section, {}), key: value}}


def inputs_for(name, recording_name, epochs):
    """Rover and base windows; base options see a base of fewer or shifted epochs."""
    rover, base, nav, truth = recording(recording_name)
    rover, base = window(rover, 0, epochs), window(base, 0, epochs)
    if name == "ambiguity.jump_m":
        place = np.array(truth["rover_xyz"])
        rover = moved_epoch(rover, nav, epochs // 2, np.array([6.0, -7.0, 4.0]), place)
    if name == "antenna.coordinates":
        raised = dataclasses.replace(rover.station, antenna_enu_m=np.array([0.0, 0.0, 1.5]))
        rover = dataclasses.replace(rover, station=raised)
    if name == "slips.divergence_epochs":  # noise below every single test: the sum contradicts
        noise = np.random.default_rng(1).choice((-0.12, 0.12), rover.n_row)
        rover = altered(rover, phase_cycle=lambda p: p + noise)
    if name in ("base.max_age_s", "base.age_noise_m_per_s"):
        base = window(base, 0, epochs, 5)
    if name == "base.time_tolerance_s":
        base = dataclasses.replace(base, time_ns=base.time_ns + 200_000_000)
    return rover, base


def outcome(solution):
    """What a user sees of a run, as one array."""
    needed = solution.diagnostics.ratio_needed
    columns = (solution.status, solution.reason, solution.ratio, needed, solution.age_s)
    counts = np.array(list(solution.diagnostics.totals.values()), float)
    parts = [np.asarray(c, float) for c in columns]
    arrays = [solution.ecef_m.ravel(), solution.cov_ecef_m2.ravel(), counts]
    return np.nan_to_num(np.concatenate(parts + arrays), nan=-1.0)


def test_every_option_has_a_case():
    assert set(all_options()) == set(CASES)


@pytest.mark.parametrize("name", [n for n in CASES if n != "base.force"])
def test_option_changes_the_outcome(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = antex_text(block("TEST            NONE", frequency("G01", (0.0, 0.0, 90.0))))
    (tmp_path / TEST_ANTEX).write_bytes(text)
    value, recording_name, options, epochs = CASES[name]
    rover, base = inputs_for(name, recording_name, epochs)
    default = RtkConfig.from_dict(options)
    other = RtkConfig.from_dict(with_option(options, name, value))
    before, _ = run(recording_name, rover=rover, base=base, config=default)
    after, _ = run(recording_name, rover=rover, base=base, config=other)
    assert not np.array_equal(outcome(before), outcome(after))
