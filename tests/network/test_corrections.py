"""Corrections of a network: levelling against least squares, invariance, outliers, true delays."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from rtkpos.gnss.systems import BEIDOU, N_SAT
from rtkpos.network.corrections import filter as c
from rtkpos.network.network_memory import COUNT_RELEASED_STEP, corrections_memory
from tests.network.scenes import Watch, double_differences, scene, solved

SECOND = 1_000_000_000


def stepped(kind, n):
    """A network of one pass after n epochs."""
    engine = scene(kind).engine(passes=1)
    steps = engine.steps(1)
    for _ in range(n):
        t = next(steps)
    return engine, int(engine.time_ns[t])


@pytest.fixture(scope="module")
def half_way():
    return stepped("calm", 60)


def fresh(memory):
    """The same epoch of a network without any correction yet."""
    made = corrections_memory(len(memory.station))
    made.known[:] = memory.corrections.known
    made.integer[:] = memory.corrections.integer
    edge, station = copy.deepcopy(memory.edge), copy.deepcopy(memory.station)
    return memory._replace(
        corrections=made, tally=np.zeros_like(memory.tally), edge=edge, station=station
    )


def naive_level(observed, g, d, factor, variance):
    """Residuals of the weighted two-way least squares a(k) + b(s), by numpy; (K, S) with NaN."""
    rest = observed - g + factor * d
    rows = np.argwhere(np.isfinite(rest))
    n_station, n_sat = rest.shape
    design = np.zeros((len(rows), n_station + n_sat))
    design[np.arange(len(rows)), rows[:, 0]] = 1.0
    design[np.arange(len(rows)), n_station + rows[:, 1]] = 1.0
    weight = 1.0 / np.sqrt(variance[tuple(rows.T)] + 1e-5)
    value = rest[tuple(rows.T)]
    fitted, *_ = np.linalg.lstsq(design * weight[:, None], value * weight, rcond=None)
    out = np.full_like(rest, np.nan)
    out[tuple(rows.T)] = value - design @ fitted
    return out


@pytest.mark.parametrize("seed", range(5))
def test_level_is_the_weighted_two_way_mean(half_way, seed):
    """Clocks of 100 m, gaps in a fifth; what remains is that of least squares within 0.2 mm."""
    rng = np.random.default_rng(seed)
    engine, _ = half_way
    memory = fresh(engine.memory)
    made, band, sats = memory.corrections, 1, BEIDOU * 64 + np.arange(18)
    shape = (len(memory.station), len(sats))
    observed = rng.normal(0.0, 100.0, (shape[0], 1)) + rng.normal(0.0, 100.0, shape[1])
    observed = observed + rng.normal(0.0, 0.02, shape)
    observed[rng.random(shape) < 0.2] = np.nan
    var_g, var_d = rng.uniform(1e-6, 1e-4, (2, *shape))
    g, d = rng.normal(0.0, 0.05, (2, *shape))
    for name, value in (
        ("var_g", var_g),
        ("var_d", var_d),
        ("cov_gd", 0.3 * np.sqrt(var_g * var_d)),
    ):
        getattr(made, name)[:, sats] = value
    made.nondispersive_m[:, sats], made.dispersive_m[:, sats] = g, d
    made.observed_m[:, sats, band] = observed
    factor = 1.7
    made.factor[sats, band] = factor
    assert c.level(BEIDOU, band, memory)
    cov = 0.3 * np.sqrt(var_g * var_d)
    variance = var_g - 2.0 * factor * cov + factor**2 * var_d
    wanted = naive_level(observed, g, d, factor, variance)
    left = observed - g + factor * d - made.station_m[:, None] - made.satellite_m[sats]
    off_m = np.nanmax(np.abs(left - wanted))
    assert off_m < 2e-4, f"{off_m * 1e3:.3f} mm"


def test_update_is_that_of_a_kalman_filter_of_two_states(half_way):
    """Against matrices: state (G, D), design (1, -mu)."""
    memory = fresh(half_way[0].memory)
    made, k, sat, factor = memory.corrections, 2, 70, 1.6
    state, cov = np.array([0.03, -0.02]), np.array([[4e-4, 1e-4], [1e-4, 9e-4]])
    made.nondispersive_m[k, sat], made.dispersive_m[k, sat] = state
    made.var_g[k, sat], made.var_d[k, sat], made.cov_gd[k, sat] = cov[0, 0], cov[1, 1], cov[0, 1]
    design, innovation, noise = np.array([1.0, -factor]), 0.011, 3e-6
    gain = cov @ design / (design @ cov @ design + noise)
    assert c.update_pair(k, sat, factor, innovation, noise, memory) == 1
    state = state + gain * innovation
    cov = cov - np.outer(gain, design @ cov)
    got = [made.nondispersive_m[k, sat], made.dispersive_m[k, sat]]
    assert np.allclose(got, state, rtol=0, atol=1e-15)
    got = [made.var_g[k, sat], made.cov_gd[k, sat], made.var_d[k, sat]]
    assert np.allclose(got, [cov[0, 0], cov[0, 1], cov[1, 1]], rtol=1e-12)


def settings_of(engine):
    return engine._settings


def explained(memory, band):
    """What the corrections say of a band, and what the phases do: double differences (K-1, S)."""
    made = memory.corrections
    said = made.nondispersive_m - made.factor[:, band] * made.dispersive_m
    both = np.isfinite(made.observed_m[:, :, band]).all(axis=0)
    both &= (np.arange(N_SAT) >> 6) == BEIDOU
    return double_differences(said[:, both]), double_differences(made.observed_m[:, both, band])


def test_first_epoch_explains_the_phases(half_way):
    """A vague start takes over what the phases show on two bands, to 0.1 mm."""
    engine, time_ns = half_way
    memory = fresh(engine.memory)
    memory.corrections.known[:, :, 2:] = 0
    c.update_corrections(time_ns, settings_of(engine), memory)
    for band in range(2):
        said, seen = explained(memory, band)
        assert said.shape[1] > 10
        off_m = np.abs(said - seen).max()
        assert off_m < 1e-4, f"{off_m * 1e3:.3f} mm"


def test_clocks_and_satellite_constants_change_no_double_difference(half_way):
    """100 m at each station and 50 m at each satellite, a few mm of it different by band."""
    rng = np.random.default_rng(8)
    engine, time_ns = half_way
    plain, moved = fresh(engine.memory), fresh(engine.memory)
    clock_m, constant_m = rng.normal(0.0, 100.0, (6, 4)), rng.normal(0.0, 50.0, (N_SAT, 4))
    for k in range(6):
        station = moved.station[k]
        n = int(station.work.n_sat)
        n_band = station.phase_m.shape[1]
        station.phase_m[:n] += clock_m[k, :n_band] + constant_m[station.work.sat[:n], :n_band]
    for step in range(3):
        for memory in (plain, moved):
            c.update_corrections(time_ns + step * SECOND, settings_of(engine), memory)
    for name in ("nondispersive_m", "dispersive_m"):
        first, second = (getattr(m.corrections, name) for m in (plain, moved))
        assert np.array_equal(np.isnan(first), np.isnan(second))
        mine = np.isfinite(first).all(axis=0) & ((np.arange(N_SAT) >> 6) == BEIDOU)
        off_m = np.abs(double_differences(first[:, mine]) - double_differences(second[:, mine]))
        assert mine.sum() > 10
        assert off_m.max() < 2e-4, f"{off_m.max() * 1e3:.3f} mm"


def test_a_lasting_step_ends_the_arcs_of_a_station_after_three_epochs(half_way):
    """Half a metre on all bands of one satellite at one station; the others go on undisturbed."""
    engine, time_ns = half_way
    memory = fresh(engine.memory)
    for step in range(20):
        c.update_corrections(time_ns + step * SECOND, settings_of(engine), memory)
    k, i = 0, 4
    sat = int(memory.station[k].work.sat[i])
    mine = (memory.ends == k).any(axis=1)
    assert (memory.edge["model"]["held"][mine][:, sat].sum(axis=1) > 0).all()
    others = memory.edge["model"]["held"][~mine].copy()
    for step, ended in ((21, 0), (22, 0), (23, 1)):
        memory.station[k].phase_m[i] += 0.5 if step == 21 else 0.0
        c.update_corrections(time_ns + step * SECOND, settings_of(engine), memory)
        assert memory.tally[COUNT_RELEASED_STEP] == ended
    assert not memory.edge["model"]["held"][mine][:, sat].any()
    assert np.array_equal(memory.edge["model"]["held"][~mine], others)
    assert np.isnan(memory.corrections.dispersive_m[k, sat])
    assert np.isfinite(memory.corrections.dispersive_m[1:, sat]).all()


def test_old_corrections_are_forgotten(half_way):
    """A satellite unseen for longer than max_gap_s has none."""
    engine, time_ns = half_way
    memory = fresh(engine.memory)
    c.update_corrections(time_ns, settings_of(engine), memory)
    n = int(np.isfinite(memory.corrections.var_g).sum())
    assert c.forget_old(time_ns + 120 * SECOND, settings_of(engine), memory.corrections) == 0
    assert c.forget_old(time_ns + 121 * SECOND, settings_of(engine), memory.corrections) == n
    assert not np.isfinite(memory.corrections.nondispersive_m).any()


@pytest.mark.parametrize(
    ("kind", "bound_d_m", "bound_g_m"),
    [("calm", 0.008, 0.011), ("waves", 0.008, 0.011), ("gradients", 0.001, 0.001)],
)
def test_corrections_are_the_true_delays(kind, bound_d_m, bound_g_m):
    """Double differences of D and G over the second half of a run against the simulation's.

    G is what the model of the air lacks. Echoes of 1 mm at the zenith at each antenna make some
    3 mm in a double difference, 2.7 times as much in D and 3.5 times in G (B1I and B3I).
    """
    made = scene(kind)
    engine = made.engine(passes=1)
    watch, off_d, off_g = Watch(made, engine), [], []
    for t in engine.steps(1):
        if t >= 75 and t % 15 == 0:
            lacks_d, lacks_g = true_fields(watch, engine.memory)
            got = engine.memory.corrections
            for system in (0, BEIDOU):
                mine = np.isfinite(lacks_d + got.dispersive_m).all(axis=0)
                mine &= (np.arange(N_SAT) >> 6) == system
                mine &= got.elevation_rad.min(axis=0) > np.radians(20.0)
                off_d.append(double_differences((got.dispersive_m - lacks_d)[:, mine]).ravel())
                off_g.append(double_differences((got.nondispersive_m - lacks_g)[:, mine]).ravel())
    rms_d, rms_g = (float(np.sqrt(np.mean(np.concatenate(x) ** 2))) for x in (off_d, off_g))
    assert rms_d < bound_d_m, f"{rms_d * 1e3:.1f} mm"
    assert rms_g < bound_g_m, f"{rms_g * 1e3:.1f} mm"


def true_fields(watch, memory):
    """(ionosphere on L1, air less its model) (K, N_SAT) of the last epoch [m]; NaN unseen."""
    out = np.full((2, len(memory.station), N_SAT), np.nan)
    for k, station in enumerate(memory.station):
        n = int(station.work.n_sat)
        sat, row = station.work.sat[:n], station.work.row[0, :n].max(axis=1)
        out[0, k, sat] = watch.iono_m[row]
        out[1, k, sat] = watch.trop_m[row] - station.work.trop_m[0, :n]
    return out


def test_elevation_is_of_satellites_in_view_alone():
    """In the gap of a station nothing is observed there, and nothing counts as fixed or not."""
    solution = solved("rough")[1]
    gap = solution.elevation_rad[41:124, solution.names.index("SOUE")]
    assert np.isnan(gap).all()
    assert np.isfinite(solution.elevation_rad[60, 0]).any()
