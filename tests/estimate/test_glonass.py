"""GLONASS integers with a bias that differs from channel to channel."""

from __future__ import annotations

import numpy as np
import pytest

from rtkpos.constants import SPEED_OF_LIGHT_MPS
from rtkpos.estimate.ambiguity.candidates import mark_candidates
from rtkpos.estimate.ambiguity.fixing import AR_FIXED, fix_ambiguities
from rtkpos.estimate.ambiguity.glonass import (
    GLONASS_ALIKE,
    GLONASS_LEARNT,
    GLONASS_OFF,
    LEARN_EPOCHS,
    LEARNT_VARIANCE,
    channel_number,
    glonass_band,
    learn_channel_bias,
)
from rtkpos.estimate.baseline.filter import add_new_phases, update_codes
from rtkpos.gnss.signals import carrier_hz
from rtkpos.gnss.systems import GLONASS, GPS
from rtkpos.processing.settings import kernel_settings
from rtkpos.records.config import RtkConfig
from tests.estimate.test_relative import begin, made_epoch

SETTINGS = kernel_settings(RtkConfig())
TRUE_M = np.array([0.31, -0.22, 0.47])
CHANNELS = np.array([-7, -4, -3, -1, 0, 1, 2, 4, 5, 6])
CLOCK_M = 3.0


def wavelength_m(band, channel):
    """Wavelength of a channel on G1 (0) or G2 (1)."""
    return SPEED_OF_LIGHT_MPS / carrier_hz(GLONASS, band + 1, int(channel))


def kappa(slope_m, band):
    """Bias in cycles per channel of a slope in metres per channel, the phase bias being 0."""
    return slope_m * carrier_hz(GLONASS, band + 1) / SPEED_OF_LIGHT_MPS


def glonass_epoch(seed, slope_m, teacher=None):
    """An epoch of two-band GLONASS around TRUE_M with integers and a slope [m per channel].

    teacher : memory whose knowledge of the bias is taken over
    """
    memory = made_epoch(seed, n_sat=len(CHANNELS))
    if teacher is not None:
        for name in ("channel_bias", "channel_bias_var", "channel_bias_epochs", "channel_score"):
            memory.ambiguity[name][:] = teacher.ambiguity[name]
    rng = np.random.default_rng(seed + 500)
    work, state = memory.work, memory.state
    n = len(CHANNELS)
    work.sat[:n] = GLONASS * 64 + np.arange(n)
    work.elevation_rad[:, :n] = np.linspace(0.4, 1.4, n)
    effect = -work.los[:n] @ TRUE_M + CLOCK_M
    for band in range(2):
        lengths = np.array([wavelength_m(band, k) for k in CHANNELS])
        integers = rng.integers(-20, 20, n)
        work.wavelength_m[:n, band] = lengths
        work.sd_code_m[:n, band] = effect + rng.normal(0, 0.2, n)
        work.code_weight[:n, band] = 1.0 / 0.2**2
        phase = effect + lengths * integers + slope_m * CHANNELS + rng.normal(0, 0.002, n)
        work.sd_phase_m[:n, band] = phase
    begin(memory, np.zeros(3), CLOCK_M, 0.0)
    update_codes(work, state, np.zeros(3))
    add_new_phases(work, state, np.zeros(3), memory.scratch)
    return memory


def tried(memory, mode):
    """Verdict, number of differences and fixed position of one epoch."""
    settings = SETTINGS._replace(glonass=mode)
    amb = memory.ambiguity
    n_candidate = mark_candidates(memory.work, memory.state, settings, amb, memory.counts)
    verdict, n = fix_ambiguities(memory.work, memory.state, settings, amb, memory.counts)
    return n_candidate, verdict, n, memory.state.state[:3] + amb.shift_m


@pytest.mark.parametrize("channel", range(-7, 7))
@pytest.mark.parametrize("band", [0, 1])
def test_channel_comes_back_from_the_wavelength(band, channel):
    length = wavelength_m(band, channel)
    assert glonass_band(GLONASS * 64, length) == band
    assert channel_number(band, length) == channel
    assert glonass_band(GPS * 64, length) == -1


@pytest.mark.parametrize("length", [np.nan, 0.0, SPEED_OF_LIGHT_MPS / 1202.025e6])
def test_code_division_and_unknown_wavelengths_are_no_channel(length):
    assert glonass_band(GLONASS * 64, length) == -1


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("slope_m", [0.0, 0.002])
def test_receivers_of_one_type_fix_at_once(seed, slope_m):
    memory = glonass_epoch(seed, slope_m)
    n_candidate, verdict, n, position = tried(memory, GLONASS_ALIKE)
    assert (n_candidate, verdict, n) == (20, AR_FIXED, 18)
    assert np.linalg.norm(position - TRUE_M) < 0.03


@pytest.mark.parametrize("mode", [GLONASS_OFF, GLONASS_LEARNT])
def test_unknown_bias_leaves_the_ambiguities_real(mode):
    assert tried(glonass_epoch(1, 0.03), mode)[0] == 0


@pytest.mark.parametrize("slope_m", [0.03, -0.025, 0.006, 0.0])
def test_a_learnt_bias_gives_the_integers(slope_m):
    """Three centimetres per channel, learnt from fixed positions, then used without them."""
    memory = glonass_epoch(0, slope_m)
    for seed in range(int(LEARN_EPOCHS) + 2):
        memory = glonass_epoch(seed, slope_m, memory)
        known = learn_channel_bias(memory.work, memory.state, np.zeros(3), TRUE_M, memory.ambiguity)
    assert known == 2
    for band in range(2):
        assert memory.ambiguity.channel_bias[band] == pytest.approx(kappa(slope_m, band), abs=0.006)
        assert memory.ambiguity.channel_bias_var[band] == LEARNT_VARIANCE
    for seed in range(20, 30):
        memory = glonass_epoch(seed, slope_m, memory)
        n_candidate, verdict, _, position = tried(memory, GLONASS_LEARNT)
        assert n_candidate == 20
        assert verdict == AR_FIXED
        assert np.linalg.norm(position - TRUE_M) < 0.03


def test_an_epoch_alone_teaches_nothing():
    memory = glonass_epoch(0, 0.03)
    assert learn_channel_bias(memory.work, memory.state, np.zeros(3), TRUE_M, memory.ambiguity) == 0


def test_phases_that_are_no_integers_teach_nothing_and_a_bias_is_forgotten():
    memory = glonass_epoch(0, 0.0)
    memory.ambiguity.channel_bias_var[:] = LEARNT_VARIANCE
    rng = np.random.default_rng(7)
    for seed in range(30):
        memory = glonass_epoch(seed, 0.0, memory)
        memory.work.sd_phase_m[:10, :2] += rng.uniform(0, 0.2, (10, 2))
        learn_channel_bias(memory.work, memory.state, np.zeros(3), TRUE_M, memory.ambiguity)
    assert not memory.ambiguity.channel_bias_var.any()
