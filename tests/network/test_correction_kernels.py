"""Corrections of stations step by step on made epochs, as plain Python."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from rtkpos.constants import SPEED_OF_LIGHT_MPS
from rtkpos.estimate.baseline.observation_noise import phase_variance
from rtkpos.network import network_epoch
from rtkpos.network.corrections.field import field_memory, interpolate_field, level_station
from rtkpos.network.corrections.filter import (
    CorrectionSettings,
    absorb,
    drop_worst,
    observe,
    predict,
)
from rtkpos.network.corrections.station_epoch import (
    NOT_ASKED,
    keep_with_ephemeris,
    observed_minus_modelled,
    station_rows,
)
from rtkpos.network.interpolation.field_covariance import Covariance
from rtkpos.network.interpolation.interpolate import METHODS, interpolate_epoch
from rtkpos.network.interpolation.station_geometry import around_work
from rtkpos.network.network_memory import corrections_memory, station_memory
from rtkpos.network.virtual import virtual_observations
from rtkpos.network.virtual.virtual_observations import (
    CORRECTED,
    IONO_M_PER_M,
    NO_EPOCH,
    UNCORRECTED,
    WET_M_PER_M,
    virtual_epoch,
    write_satellite,
)
from rtkpos.physics.satellites import message_order
from rtkpos.processing.settings import kernel_settings
from rtkpos.records.config import RtkConfig
from tests.core.test_orbits import NS, TOE_NS, ephemeris, kepler_param

pytestmark = pytest.mark.plain
SETTINGS = kernel_settings(RtkConfig())
N_STATION, SATS, BAND = 4, np.array([3, 5, 9, 12, 20]), 1
FACTOR = 1.7


def network(seed=1):
    """Stations with phases on two bands, integers known, and corrections with a state."""
    random = np.random.default_rng(seed)
    station, made = station_memory(N_STATION), corrections_memory(N_STATION)
    for k in range(N_STATION):
        one = station[k]
        one.is_there, one.work.n_sat = 1, len(SATS)
        one.work.sat[: len(SATS)] = SATS
        one.work.elevation_rad[0, : len(SATS)] = random.uniform(0.4, 1.4, len(SATS))
        one.work.iono_factor[: len(SATS), :2] = 1.0, FACTOR
        one.work.wavelength_m[: len(SATS), :2] = 0.19, 0.24
        one.work.row[0, : len(SATS), BAND] = k * len(SATS) + np.arange(len(SATS))
        one.phase_m[: len(SATS), :2] = random.normal(0.0, 30.0, (len(SATS), 2))
    for name, size in (("nondispersive_m", 0.05), ("dispersive_m", 0.05)):
        getattr(made, name)[:, SATS] = random.normal(0.0, size, (N_STATION, len(SATS)))
    made.var_g[:, SATS], made.var_d[:, SATS], made.cov_gd[:, SATS] = 1e-4, 4e-4, 5e-5
    made.factor[:, :2] = 1.0, FACTOR
    made.station_m[:], made.satellite_m[SATS] = random.normal(size=N_STATION), 0.3
    cn0 = random.uniform(38.0, 50.0, N_STATION * len(SATS))
    plan = [SimpleNamespace(settings=SETTINGS) for _ in range(N_STATION)]
    obs = SimpleNamespace(cn0_dbhz=cn0)
    return SimpleNamespace(
        station=station, station_plan=plan, corrections=made, obs=obs, tally=np.zeros(9, np.int64)
    )


def with_innovations(memory, innovation):
    """Observations on BAND that differ from what is predicted by (N_STATION, n_sat) [m]."""
    made = memory.corrections
    said = made.nondispersive_m[:, SATS] - FACTOR * made.dispersive_m[:, SATS]
    said = said + made.station_m[:, None] + made.satellite_m[SATS]
    made.observed_m[:, SATS, BAND] = said + innovation


def test_observations_are_phases_less_their_integers():
    memory = network(2)
    made = memory.corrections
    made.known[:, SATS, :2] = 1
    made.known[1, SATS[2], 0] = 0
    made.integer[:, SATS, :2] = np.arange(10).reshape(5, 2) - 4
    memory.station[3].is_there = 0
    memory.station[0].phase_m[1, 0] = math.nan
    made.is_off[:] = 1
    assert observe(memory) == 3 * 10 - 2
    for k in range(3):
        for i, sat in enumerate(SATS):
            for band, wavelength in enumerate((0.19, 0.24)):
                wanted = memory.station[k].phase_m[i, band] - wavelength * (2 * i + band - 4)
                if (k, i, band) == (1, 2, 0):
                    wanted = math.nan
                got = made.observed_m[k, sat, band]
                assert got == pytest.approx(wanted, rel=1e-12, nan_ok=True)
            assert made.elevation_rad[k, sat] == memory.station[k].work.elevation_rad[0, i]
    assert np.isnan(made.observed_m[3]).all()
    assert not made.is_off.any()


def test_states_walk_with_time_where_they_are_observed():
    made, settings = network(3).corrections, CorrectionSettings(2e-8, 5e-8, 10**12)
    k, sat = 1, int(SATS[0])
    made.last_ns[k, sat] = 10 * NS
    assert predict(k, sat, 40 * NS, settings, made) == 1
    assert (made.var_g[k, sat], made.last_ns[k, sat]) == (1e-4, 10 * NS), "unseen"
    made.observed_m[k, sat, 2] = 1.0
    assert predict(k, sat, 40 * NS, settings, made) == 1
    assert made.var_g[k, sat] == pytest.approx(1e-4 + 30.0 * 2e-8, rel=1e-12)
    assert made.var_d[k, sat] == pytest.approx(4e-4 + 30.0 * 5e-8, rel=1e-12)
    assert made.last_ns[k, sat] == 40 * NS
    assert predict(k, 200, 40 * NS, settings, made) == 0
    made.observed_m[k, 200, 0] = 1.0
    assert predict(k, 200, 40 * NS, settings, made) == 1
    assert made.nondispersive_m[k, 200] == made.dispersive_m[k, 200] == made.cov_gd[k, 200] == 0.0
    assert made.var_g[k, 200] == made.var_d[k, 200] == 1.0


def limit_m(memory, k, i):
    """Six standard deviations of an innovation, 3 cm at least."""
    variance = 1e-4 - 2.0 * FACTOR * 5e-5 + FACTOR**2 * 4e-4
    one = memory.station[k].work
    cn0 = memory.obs.cn0_dbhz[one.row[0, i, BAND]]
    return max(
        6.0 * math.sqrt(variance + phase_variance(one.elevation_rad[0, i], cn0, SETTINGS)), 0.03
    )


def test_the_worst_outlier_is_taken_out():
    memory = network(4)
    innovation = np.zeros((N_STATION, len(SATS)))
    innovation[1, 2], innovation[2, 3] = 1.1 * limit_m(memory, 1, 2), -1.4 * limit_m(memory, 2, 3)
    innovation[3, 0] = 0.9 * limit_m(memory, 3, 0)
    with_innovations(memory, innovation)
    made = memory.corrections
    for k, i in ((2, 3), (1, 2)):
        assert drop_worst(0, BAND, memory) == 1
        assert math.isnan(made.observed_m[k, SATS[i], BAND])
        assert made.is_off[k, SATS[i]] == 1
    assert drop_worst(0, BAND, memory) == 0
    assert np.isnan(made.observed_m[:, SATS, BAND]).sum() == 2


def test_all_states_take_in_their_innovations():
    memory = network(5)
    innovation = np.random.default_rng(6).normal(0.0, 0.01, (N_STATION, len(SATS)))
    innovation[2, 1] = math.nan
    with_innovations(memory, innovation)
    memory.station[3].is_there = 0
    made = memory.corrections
    before = np.stack([made.nondispersive_m[:, SATS], made.dispersive_m[:, SATS]], axis=-1)
    assert absorb(0, BAND, memory) == 3 * len(SATS) - 1
    assert absorb(1, BAND, memory) == 0
    cov, row = np.array([[1e-4, 5e-5], [5e-5, 4e-4]]), np.array([1.0, -FACTOR])
    after = np.stack([made.nondispersive_m[:, SATS], made.dispersive_m[:, SATS]], axis=-1)
    for k in range(N_STATION):
        one = memory.station[k].work
        for i in range(len(SATS)):
            moved = np.zeros(2)
            if k < 3 and (k, i) != (2, 1):
                cn0 = memory.obs.cn0_dbhz[one.row[0, i, BAND]]
                noise = phase_variance(one.elevation_rad[0, i], cn0, SETTINGS)
                moved = cov @ row / (row @ cov @ row + noise) * innovation[k, i]
            np.testing.assert_allclose(after[k, i], before[k, i] + moved, atol=1e-12)


def observations():
    """One epoch of satellites 3 (three signals, two of one band), 5 (unwanted), 9 (code alone)."""
    return SimpleNamespace(
        sat=np.array([3, 3, 3, 5, 9], np.int16),
        sig=np.array([1, 2, 4, 1, 1], np.int16),
        code_m=np.array([2.1e7, 2.1e7 + 1.0, 2.1e7 + 2.0, 2.2e7, 2.3e7]),
        phase_cycle=np.array([1.1e8, 1.1e8 + 5.0, 0.9e8, 1.2e8, math.nan]),
        doppler_hz=np.array([100.0, 101.0, 80.0, 0.0, 0.0]),
        cn0_dbhz=np.array([45.0, 46.0, 40.0, 40.0, 40.0]),
        lli=np.array([0, 1, 2, 0, 0], np.uint8),
        row_start=np.array([0, 5]),
        time_ns=np.array([TOE_NS]),
    )


def pairing():
    slot, rank = np.full(8, -1, np.int8), np.zeros(8, np.int8)
    slot[[1, 2, 4]], rank[[1, 2]] = (0, 0, 1), (5, 3)
    wanted = np.ones(448, np.int8)
    wanted[5] = 0
    hertz = np.full((448, 3), math.nan)
    hertz[:, 0], hertz[:, 1] = 1575.42e6, 1227.60e6
    shift = np.zeros((2, 8))
    shift[0, 2] = 0.25
    return SimpleNamespace(slot=slot, rank=rank, wanted=wanted, carrier_hz=hertz, shift_cycle=shift)


def test_rows_of_a_station_are_its_best_ranked_phases():
    work = station_memory(1)[0].work
    assert station_rows(observations(), 0, pairing(), work) == work.n_sat == 1
    assert work.sat[0] == 3
    assert work.row[0, 0].tolist() == [1, 2, -1]


def test_satellites_without_ephemeris_leave_and_are_asked_once():
    work, chosen = station_memory(1)[0].work, np.full(448, NOT_ASKED)
    work.n_sat, work.sat[:3] = 3, (0, 7, 9)
    work.row[0, :3] = np.arange(9).reshape(3, 3)
    chosen[9] = 4
    eph = ephemeris(kepler_param())
    assert keep_with_ephemeris(eph, message_order(), TOE_NS, work, chosen) == work.n_sat == 2
    assert work.sat[:2].tolist() == [0, 9]
    assert work.eph_row[:2].tolist() == [0, 4]
    assert work.row[0, 1].tolist() == [6, 7, 8]
    assert chosen[0] == 0
    assert NOT_ASKED < chosen[7] < 0


def test_what_is_left_of_code_and_phase():
    obs, one = observations(), station_memory(1)[0]
    work = one.work
    station_rows(obs, 0, pairing(), work)
    work.range_m[0, 0], work.trop_m[0, 0], work.sat_state[0, 0, 6] = 2.0e7, 3.5, 1e-4
    work.antenna_m[0, 0, :2] = 0.1, -0.2
    work.elevation_rad[0, 0] = 1.0
    plan = SimpleNamespace(pairing=pairing(), settings=SETTINGS)
    assert observed_minus_modelled(obs, plan, work, one.code_m, one.phase_m) == 2
    model = 2.0e7 - SPEED_OF_LIGHT_MPS * 1e-4 + 3.5
    for slot, (row, hertz, shift) in enumerate(((1, 1575.42e6, 0.25), (2, 1227.60e6, 0.0))):
        centre = model + (0.1, -0.2)[slot]
        wavelength = SPEED_OF_LIGHT_MPS / hertz
        assert one.code_m[0, slot] == pytest.approx(obs.code_m[row] - centre, abs=1e-6)
        phase = wavelength * (obs.phase_cycle[row] + shift) - centre
        assert one.phase_m[0, slot] == pytest.approx(phase, abs=1e-6)
        assert work.iono_factor[0, slot] == pytest.approx((1575.42e6 / hertz) ** 2)
    work.elevation_rad[0, 0] = 0.5 * SETTINGS.mask_rad
    assert observed_minus_modelled(obs, plan, work, one.code_m, one.phase_m) == 0
    assert np.isnan(one.phase_m[0]).all()


def test_level_of_a_station_is_followed_slowly_system_by_system():
    sats = np.array([1, 2, 3, 130, 131])
    field = field_memory(2, sats)
    field.value_m[1] = [1.0, 2.0, math.nan, -4.0, -6.0]
    assert level_station(1, 0.25, field) == 4
    np.testing.assert_allclose(field.level_m[1, [0, 2]], [1.5, -5.0])
    np.testing.assert_allclose(field.value_m[1], [-0.5, 0.5, math.nan, 1.0, -1.0])
    field.value_m[1] = [3.0, 4.0, math.nan, math.nan, math.nan]
    level_station(1, 0.25, field)
    assert field.level_m[1, 0] == pytest.approx(1.5 + 0.25 * (3.5 - 1.5))
    assert math.isnan(field.level_m[1, 2])
    assert field.value_m[1, 0] == pytest.approx(3.0 - 2.0)


def test_a_field_at_the_point_has_the_sigma_that_stations_confirm():
    random = np.random.default_rng(7)
    places = random.uniform(-5e4, 5e4, (4, 2))
    field, covariance = field_memory(4, np.arange(3)), Covariance(0.04, 1.2e5, 1e-4, 1.5)
    field.value_m[:] = random.normal(size=(4, 3))
    field.slant_factor[:], field.factor[:] = (1.0, 2.0, 1.5), (1.0, 3.0, 0.5)
    code = METHODS["kriging"]
    assert interpolate_field(code, places, covariance, field) == 3
    value, sigma, slot = np.zeros(3), np.zeros(3), np.zeros(3, np.int64)
    interpolate_epoch(
        code, places, field.value_m, field.slant_factor, covariance, around_work(), value, sigma,
        slot,
    )  # fmt: skip
    np.testing.assert_allclose(field.out_m, value, rtol=1e-12)
    np.testing.assert_allclose(field.sigma_m, sigma * field.factor, rtol=1e-12)


def virtual_rows(n_epoch=1, n=20):
    return SimpleNamespace(
        row_start=np.zeros(n_epoch + 1, np.int64),
        kind=np.zeros(n_epoch, np.uint8),
        sat=np.zeros(n, np.int16),
        sig=np.zeros(n, np.int16),
        lli=np.zeros(n, np.uint8),
        sigma_iono_m=np.full((n_epoch, 448), math.nan),
        sigma_wet_m=np.zeros(n_epoch),
        **{name: np.zeros(n) for name in ("code_m", "phase_cycle", "doppler_hz", "cn0_dbhz")},
    )


@pytest.mark.parametrize("goes_on", [True, False])
def test_virtual_observations_are_the_masters_moved_to_the_place(goes_on):
    obs, stations = observations(), station_memory(2)
    master, place = stations[0], stations[1]
    for one, shift in ((master, 0.0), (place, 1.0)):
        one.work.n_sat, one.work.sat[0] = 1, 3
        one.work.range_m[0, 0], one.work.trop_m[0, 0] = 2.0e7 + 700.0 * shift, 3.0 + shift
        one.work.sat_state[0, 0, :8] = 1e7, 2e7, 1e7, 900.0, -400.0, 2000.0, 1e-4, 0.0
        one.work.los[0] = (0.6, 0.8 * math.cos(shift), 0.8 * math.sin(shift))
    master.work.row[0, 0] = 1, 2, -1
    master.work.wavelength_m[0, :2] = 0.19, 0.24
    master.work.iono_factor[0, :2] = 1.0, 1.65
    master.code_m[0, :2], master.phase_m[0, :2] = (11.0, 12.0), (21.0, 22.0)
    given = np.zeros(448, np.uint8)
    given[3] = CORRECTED if goes_on else UNCORRECTED
    work = SimpleNamespace(
        obs=obs, master=master, place=place, given=given,
        nondispersive=SimpleNamespace(out_m=np.array([0.0, 0.04])),
        dispersive=SimpleNamespace(out_m=np.array([0.0, 0.07])),
    )  # fmt: skip
    out = virtual_rows()
    assert write_satellite(0, 1, 4, CORRECTED, work, out) == 6
    model = 2.0e7 + 700.0 - SPEED_OF_LIGHT_MPS * 1e-4 + 4.0 + 0.04
    speed = (place.work.los[0] - master.work.los[0]) @ np.array([900.0, -400.0, 2000.0])
    for slot, row in enumerate((1, 2)):
        iono, wavelength = (1.0, 1.65)[slot] * 0.07, (0.19, 0.24)[slot]
        k = 4 + slot
        assert out.code_m[k] == pytest.approx(11.0 + slot + model + iono, abs=1e-7)
        cycles = (21.0 + slot + model - iono) / wavelength
        assert out.phase_cycle[k] == pytest.approx(cycles, abs=1e-6)
        assert out.doppler_hz[k] == pytest.approx(obs.doppler_hz[row] - speed / wavelength)
        assert (out.sat[k], out.sig[k]) == (3, obs.sig[row])
        assert out.cn0_dbhz[k] == obs.cn0_dbhz[row]
        assert out.lli[k] == (obs.lli[row] if goes_on else obs.lli[row] | 1)


@pytest.mark.parametrize("n_corrected", [4, 5])
def test_a_virtual_epoch_is_corrected_where_enough_satellites_are(monkeypatch, n_corrected):
    """Six satellites of the master, the first without a column in the fields."""

    def interpolated(t, series, work):
        for values in (work.nondispersive, work.dispersive):
            values.out_m[:] = known
            values.sigma_m[:] = field["sigma_m"] * (3.0 if values is work.dispersive else 1.0)

    calls, stations = [], station_memory(2)
    monkeypatch.setattr(virtual_observations, "station_epoch", lambda *a: calls.append(a[0]))
    monkeypatch.setattr(virtual_observations, "model_place", lambda *_: 0)
    monkeypatch.setattr(virtual_observations, "interpolate_both", interpolated)
    monkeypatch.setattr(
        virtual_observations, "write_satellite", lambda i, s, n_row, kind, work, out: n_row + 2
    )
    master, place = stations[0], stations[1]
    master.work.n_sat, master.work.sat[:6] = 6, np.arange(6)
    master.modelled_epoch = 8
    column = np.full(448, -1)
    column[1:6] = np.arange(5)
    field = {"sigma_m": np.arange(1.0, 6.0) * 0.01}
    known = np.where(np.arange(5) < n_corrected, 0.02, math.nan)
    fields = [
        SimpleNamespace(out_m=np.zeros(5), sigma_m=np.zeros(5), slant_factor=np.full(5, 2.0))
        for _ in range(2)
    ]
    work = SimpleNamespace(
        obs=SimpleNamespace(time_ns=np.arange(20)), eph=None, master_plan=None,
        chosen=np.zeros(448, np.int64), master=master, place=place, column=column,
        given=np.full(448, 9, np.uint8), relative_m=np.array([[3000.0, 4000.0]]),
        nondispersive=fields[0], dispersive=fields[1],
    )  # fmt: skip
    series, out = SimpleNamespace(epoch=np.array([7, 7, -1])), virtual_rows(3)
    kind = CORRECTED if n_corrected == 5 else UNCORRECTED
    wet_m = np.mean(field["sigma_m"]) / 2.0
    for t in range(2):
        assert virtual_epoch(t, 4, series, work, out) == 14
    assert calls == [7], "the models of an epoch serve again"
    assert out.kind[0] == kind
    assert work.given[:7].tolist() == [NO_EPOCH, *[kind] * 5, 9]
    if n_corrected < 5:
        wet_m = WET_M_PER_M * 5000.0
        assert out.sigma_iono_m[0, 1] == pytest.approx(IONO_M_PER_M * 5000.0 * 2.0)
    else:
        assert out.sigma_iono_m[0, 1:6] == pytest.approx(0.03 * np.arange(1, 6))
    assert out.sigma_wet_m[0] == pytest.approx(wet_m)
    assert math.isnan(out.sigma_iono_m[0, 0])
    assert virtual_epoch(2, 4, series, work, out) == 4
    assert math.isnan(out.sigma_wet_m[2])


def test_baselines_with_data_at_both_ends_are_stepped(monkeypatch):
    calls = []
    for name in ("edge_step", "take_known", "fix_edge"):
        monkeypatch.setattr(network_epoch, name, lambda *a, name=name: calls.append((name, a)))
    memory = SimpleNamespace(
        ends=np.array([[0, 1], [1, 2], [3, 0], [2, 0]]), obs=SimpleNamespace(time_ns=[10, 20, 30]),
        eph="eph", station="abcd", edge_plan="PQRS", edge="pqrs", known="known",
    )  # fmt: skip
    epochs = np.array([2, 0, -1, 1])
    assert network_epoch.step_edges(epochs, 0, 4, memory) == 2
    assert [name for name, _ in calls] == ["edge_step", "take_known", "fix_edge"] * 2
    assert calls[0][1] == ((2, 0), memory.obs, "eph", "a", "b", "P", "p")
    assert calls[1][1] == (0, 30, "p", "known")
    assert calls[2][1] == (30, "P", "p")
    assert calls[3][1][0] == (1, 2)
    assert network_epoch.step_edges(epochs, 1, 2, memory) == 0
