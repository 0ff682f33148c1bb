"""The measurement behind bench/realism.py finds what was put into simulated pairs."""

from __future__ import annotations

import numpy as np
import pytest

from bench.pairs.pair_statistics import measure_pair
from bench.pairs.pair_tables import correlation, spread, statistics
from bench.realism import CASES, real_pair, simulated_pair
from rtkpos.simulate.in_memory import simulate_in_memory
from tests.data import dataset_path
from tests.simulate.scenes import QUIET, scene


def pair_of(**sections):
    """A simulated pair 10 m apart, measured."""
    stations = [{"name": "BASE"}, {"name": "ROVER", "enu_m": [8.0, -6.0, 1.0]}]
    made = scene("GC", duration_s=200.0, **{**QUIET, "clocks": {"kind": "drifting"}, **sections})
    made = type(made)(**{**vars(made), "stations": scene_stations(stations)})
    nav, out = simulate_in_memory(made)
    places = np.array([made.marker_ecef(one) for one in reversed(made.stations)])
    return measure_pair(out["ROVER"].table, out["BASE"].table, nav, places)


def scene_stations(stations):
    from rtkpos.simulate.scenario.scenario import scenario_of

    return scenario_of({"station": stations}).stations


@pytest.fixture(scope="module")
def quiet_pair():
    return pair_of()


@pytest.fixture(scope="module")
def noisy_pair():
    noise = {"code_m": 0.2, "code_tau_s": 5.0, "phase_m": 0.002, "cn0_db": 0.0}
    return pair_of(noise=noise)


def test_nothing_is_left_of_a_pair_without_noise(quiet_pair):
    """Clocks of 0.3 ppm, ranges, integers: all of it is removed, to 0.3 mm."""
    assert np.abs(quiet_pair.vector_correction_m).max() < 1e-4
    for one in quiet_pair.signals.values():
        assert np.nanmax(np.abs(one.phase_m)) < 3e-4, one.name
        assert np.nanmax(np.abs(one.code_m)) < 3e-4, one.name
        assert np.isfinite(one.phase_m).sum() > 500


@pytest.mark.parametrize(("what", "sigma_m"), [("code_m", 0.2), ("phase_m", 0.002)])
def test_noise_is_found_as_large_as_it_was_made(noisy_pair, what, sigma_m):
    """B1I above 20 deg, scaled to 45 dB-Hz; the epoch's mean takes 2 to 10 % of it."""
    one = noisy_pair.signals["C:2I"]
    at_45 = 10.0 ** ((45.0 - one.cn0_dbhz) / 20.0)
    both = np.sqrt(np.sum(at_45**2, axis=0))
    scaled = (getattr(one, what) / both)[one.elevation_deg > 20.0]
    assert np.nanstd(scaled) == pytest.approx(0.95 * sigma_m, rel=0.08)


def test_correlation_is_that_of_the_smoothing(noisy_pair):
    assert correlation(noisy_pair, "code_m", 5.0, "narrow") == pytest.approx(np.exp(-1.0), abs=0.1)
    assert correlation(noisy_pair, "phase_m", 5.0, "narrow") == pytest.approx(0.0, abs=0.05)


def test_slips_are_counted():
    pair = pair_of(tracking={"slips_per_hour": 20.0, "half_cycle_share": 0.0, "flagged_share": 0.5})
    found = {row.label: row.value for row in statistics(pair)}
    weak = [
        10.0 ** (np.clip(45.0 - one.cn0_dbhz, 0.0, 30.0) / 10.0)[:, one.elevation_deg >= 25.0]
        for one in pair.signals.values()
    ]
    wanted = 20.0 * np.nanmean(np.concatenate(weak, axis=1).sum(axis=0))
    assert found["changed integers above 25 deg"] == pytest.approx(wanted, rel=0.2)
    assert found["of these not flagged"] == pytest.approx(0.5 * wanted, rel=0.3)


@pytest.fixture(scope="module")
def nagoya():
    """The pair of the recording, and two simulated ones at its place and time."""
    dataset_path(CASES[0].data)
    real, found = real_pair(CASES[0])
    return real, [simulated_pair(CASES[0], found, seed) for seed in (1, 2)]


@pytest.mark.slow
def test_a_real_pair_is_measured_at_its_truth(nagoya):
    """The vector of the truth is trusted to 2 mm; of the phases millimetres are left."""
    real, _ = nagoya
    assert np.abs(real.vector_correction_m).max() < 3e-3
    assert (spread(real, "phase_m", "narrow") < 5e-3).all()
    assert (spread(real, "phase_m", "narrow") > 3e-4).all()


@pytest.mark.slow
@pytest.mark.parametrize(("what", "factor"), [("code_m", 1.6), ("phase_m", 1.8)])
def test_simulated_spreads_are_those_of_a_real_pair(nagoya, what, factor):
    """Narrow-band signals in four bins of elevation, the mean of two seeds of five minutes."""
    real, made = nagoya
    ratio = np.mean([spread(one, what, "narrow") for one in made], axis=0)
    ratio /= spread(real, what, "narrow")
    assert (ratio < factor).all(), ratio
    assert (ratio > 1.0 / factor).all(), ratio


@pytest.mark.slow
def test_simulated_strength_is_that_of_a_real_pair(nagoya):
    """Narrow-band signals, within 3 dB."""
    real, made = nagoya
    apart = np.mean([spread(one, "cn0_dbhz", "narrow") for one in made], axis=0)
    apart -= spread(real, "cn0_dbhz", "narrow")
    assert (np.abs(apart) < 3.0).all(), apart
