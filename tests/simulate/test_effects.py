"""Each effect has the size and the statistics asked for."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rtkpos.core.atmosphere.ionosphere import klobuchar
from rtkpos.core.orbits.beidou_code_bias import beidou2_code_correction
from rtkpos.core.tables import ORBIT_IGSO, ORBIT_MEO
from rtkpos.gnss.systems import BEIDOU, sat_index
from rtkpos.simulate.medium.delays import METRES_PER_TECU, Shell, chao_mapping
from rtkpos.simulate.medium.random_fields import matern_field
from rtkpos.simulate.receiver.clocks import clock_of
from rtkpos.simulate.receiver.measurement_noise import GaussMarkov
from rtkpos.simulate.receiver.phase_tracking import LLI_HALF, LLI_LOST, Tracker
from rtkpos.simulate.receiver.trajectory import plan_drive
from rtkpos.simulate.scenario.sections import Clocks, IonosphereSection, Place, Tracking, Vehicle
from rtkpos.simulate.sky.beidou2 import at_elevation, code_nodes


def matern_variogram(distance, sigma, scale, nu=5.0 / 6.0):
    """Half the mean squared difference. Source: Matern (1960)."""
    from scipy.special import gamma, kv

    r = distance / scale
    return sigma**2 * (1.0 - 2.0 ** (1.0 - nu) / gamma(nu) * r**nu * kv(nu, r))


@pytest.mark.parametrize("distance_km", [2.0, 10.0, 50.0, 200.0])
def test_turbulence_has_the_wanted_variogram(distance_km):
    sigma, scale = 0.015, 150e3
    rng = np.random.default_rng(4)
    still = np.zeros(2)
    half = []
    for _ in range(60):
        field = matern_field(sigma, scale, still, rng)
        place = rng.uniform(-3e5, 3e5, (40, 2))
        angle = rng.uniform(0.0, 2.0 * math.pi, 40)
        ahead = place + distance_km * 1e3 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        times = np.zeros(40)
        half.append(0.5 * np.mean((field.at(place, times) - field.at(ahead, times)) ** 2))
    wanted = matern_variogram(distance_km * 1e3, sigma, scale)
    assert np.mean(half) == pytest.approx(wanted, rel=0.2)


def test_turbulence_travels_with_the_wind():
    field = matern_field(0.02, 1e5, np.array([8.0, -3.0]), np.random.default_rng(1))
    place = np.array([[1e4, 2e4]])
    later = field.at(place + 600.0 * field.wind_mps, np.array([600.0]))
    assert later == pytest.approx(field.at(place, np.array([0.0])), abs=1e-12)


def test_a_storm_gradient_is_what_was_asked():
    given = IonosphereSection(gradient_north_mm_per_km=-15.0, wave_tecu=0.0)
    shell = Shell(given, Place())
    place = np.array([[0.0, 0.0], [0.0, 1e4]])
    here, north = shell.vertical_l1_m(place, np.zeros(2))
    assert (north - here) / 10.0 * 1e3 == pytest.approx(-15.0, abs=1e-6)


def test_a_front_passes_with_its_speed():
    given = IonosphereSection(wave_tecu=0.0, front_mm_per_km=100.0, front_width_km=50.0)
    shell = Shell(given, Place())
    flat = Shell(IonosphereSection(wave_tecu=0.0), Place())
    times = np.array([-1e4, 1e4])
    place = np.zeros((2, 2))
    rise = shell.vertical_l1_m(place, times) - flat.vertical_l1_m(place, times)
    assert rise == pytest.approx([0.0, 5.0], abs=1e-9)


@pytest.mark.parametrize("hours", [0.0, 4.0, 8.0, 12.0])
def test_the_broadcast_ionosphere_begins_with_the_true_delay(hours):
    """Klobuchar's model as receivers compute it, at the zenith of the origin."""
    place = Place()
    shell = Shell(IonosphereSection(local_hour=(hours + place.lon_deg / 15.0) % 24.0), place)
    sent = shell.broadcast(hours * 3600.0)
    lat, lon, _ = place.llh
    got = klobuchar(sent, lat, lon, math.pi / 2.0, 0.0, hours * 3600.0)
    true = float(shell.vertical_l1_m(np.zeros((1, 2)), np.zeros(1))[0])
    night_m = 5e-9 * 299_792_458.0
    assert got == pytest.approx(max(true, night_m), abs=0.1)


def test_one_tecu_is_16_cm_on_l1():
    assert pytest.approx(0.1624, abs=1e-4) == METRES_PER_TECU


def test_mapping_is_one_over_sine_high_up_and_less_low_down():
    dry, wet = chao_mapping(np.radians([90.0, 30.0, 10.0]))
    assert dry == pytest.approx([1.0, 1.995, 5.56], rel=3e-3)
    assert wet == pytest.approx([1.0, 1.998, 5.68], rel=5e-3)


def test_gauss_markov_sequences_have_unit_variance_and_their_correlation():
    source = GaussMarkov((20, 4), 0.9, np.random.default_rng(2))
    values = np.concatenate([source.block(100) for _ in range(20)])
    assert values.std() == pytest.approx(1.0, abs=0.03)
    assert np.mean(values[1:] * values[:-1]) == pytest.approx(0.9, abs=0.03)


def test_clocks_are_of_the_kind_asked_for():
    times = np.arange(0.0, 7200.0)
    rng = np.random.default_rng(3)
    assert not clock_of(Clocks(kind="perfect"), (), times, rng).offset_s.any()
    assert np.abs(clock_of(Clocks(), (), times, rng).offset_s).max() < 1e-7
    drifting = clock_of(Clocks(kind="drifting"), (), times, rng).offset_s
    jumps = np.diff(drifting)[np.abs(np.diff(drifting)) > 1e-4]
    assert len(jumps) >= 2
    assert np.abs(jumps) == pytest.approx(1e-3, abs=2e-6)
    assert np.abs(drifting).max() <= 0.5e-3
    reset = clock_of(Clocks(kind="perfect"), ((10.0, 2e-4),), times, rng).offset_s
    assert reset[9] == 0.0
    assert reset[10] == 2e-4


def tracker(**given):
    return Tracker(Tracking(**given), (3, 2), 1.0, np.random.default_rng(5))


@pytest.mark.parametrize(("orbit", "prn"), [(ORBIT_IGSO, 8), (ORBIT_MEO, 12), (ORBIT_IGSO, 38)])
def test_codes_of_beidou_2_are_wrong_by_what_the_solver_corrects(orbit, prn):
    codes = ("2I", "7I", "6I", "1P")
    sat = np.array([sat_index(BEIDOU, prn)], dtype=np.int16)
    nodes = code_nodes(sat, np.array([orbit == ORBIT_IGSO]), codes)
    elevation = np.radians(np.linspace(-5.0, 90.0, 40))
    got = at_elevation(nodes, elevation[:, None])[:, 0]
    for k, code in enumerate(codes):
        kernel = [beidou2_code_correction(prn, orbit, int(code[0]), e) for e in elevation]
        assert got[:, k] == pytest.approx(-np.array(kernel), abs=1e-12)
    assert got.any() == (prn < 17)


def test_an_arc_keeps_its_integer_over_blocks():
    one = tracker(slips_per_hour=0.0, half_cycle_share=0.0)
    seen, cn0 = np.ones((50, 3, 2), dtype=bool), np.full((50, 3, 2), 45.0)
    first, second = one.block(seen, cn0), one.block(seen, cn0)
    assert (first.cycle == first.cycle[0]).all()
    assert (second.cycle == first.cycle[0]).all()
    assert (first.lli[0] == LLI_LOST).all()
    assert not first.lli[1:].any()
    assert len(first.events) == 6
    assert len(second.events) == 0


def test_a_gap_starts_a_new_arc():
    one = tracker(slips_per_hour=0.0, half_cycle_share=0.0)
    seen, cn0 = np.ones((50, 3, 2), dtype=bool), np.full((50, 3, 2), 45.0)
    seen[20:25, 1] = False
    made = one.block(seen, cn0)
    assert (made.lli[25, 1] == LLI_LOST).all()
    assert (made.cycle[25:, 1] != made.cycle[19, 1]).all()
    assert (made.cycle[:, 0] == made.cycle[0, 0]).all()


def test_slips_come_at_the_rate_asked_for_and_are_written_down():
    one = tracker(slips_per_hour=100.0, half_cycle_share=0.0, flagged_share=0.5)
    seen, cn0 = np.ones((7200, 3, 2), dtype=bool), np.full((7200, 3, 2), 45.0)
    made = one.block(seen, cn0)
    changed = np.argwhere(np.diff(made.cycle, axis=0) != 0.0)
    slips = made.events[made.events[:, 4] > 0]
    assert len(changed) == len(slips)
    assert len(slips) == pytest.approx(1200, rel=0.1)
    assert np.mean(slips[:, 4] == 2) == pytest.approx(0.5, abs=0.06)
    for epoch, sat, sig, integer, _ in slips:
        assert made.cycle[epoch, sat, sig] == integer


def test_half_cycles_are_flagged_until_resolved():
    one = tracker(slips_per_hour=0.0, half_cycle_share=1.0, half_cycle_s=6.0)
    seen, cn0 = np.ones((20, 3, 2), dtype=bool), np.full((20, 3, 2), 45.0)
    # What is tracked from the first epoch on has been tracked before.
    first = one.block(seen, cn0)
    assert not (first.lli & LLI_HALF).any()
    one.block(~seen, cn0)
    made = one.block(seen, cn0)
    assert (made.lli[:6] & LLI_HALF == LLI_HALF).all()
    assert (made.cycle[:6] % 1.0 == 0.5).all()
    assert (made.cycle[6:] % 1.0 == 0.0).all()
    assert (made.lli[6] == LLI_LOST).all()
    assert not made.lli[7:].any()


def test_a_vehicle_keeps_to_its_speed_and_acceleration():
    path = ((0.0, 0.0, 0.0), (400.0, 0.0, 4.0), (400.0, 300.0, 6.0))
    vehicle = Vehicle(name="A", path_enu_m=path, speed_mps=14.0, wait_s=3.0, stops=((1.0, 8.0),))
    drive = plan_drive(vehicle)
    times = np.arange(0.0, 120.0, 0.05)
    place = drive.local_at(times)
    speed = np.linalg.norm(np.diff(place, axis=0), axis=1) / 0.05
    assert not speed[: int(2.9 / 0.05)].any()
    assert speed.max() == pytest.approx(14.0, abs=0.05)
    acceleration = np.linalg.norm(np.diff(place, 2, axis=0), axis=1) / 0.05**2
    assert np.percentile(acceleration, 99) < 1.6 * vehicle.acceleration_mps2
    standing = np.sum(speed < 1e-6) * 0.05
    assert standing > 3.0 + 8.0
    assert np.allclose(place[-1], path[-1], atol=0.1)


def test_a_vehicle_changes_speed_where_it_is_told_to():
    path = ((0.0, 0.0, 0.0), (300.0, 0.0, 0.0), (600.0, 0.0, 0.0), (900.0, 0.0, 0.0))
    given = Vehicle(name="A", path_enu_m=path, speed_mps=20.0, speeds=((1.0, 8.0), (2.0, 15.0)))
    drive = plan_drive(given)
    times = np.arange(0.0, 90.0, 0.05)
    distance = drive.distance_at(times)
    speed = np.gradient(distance, times)
    for low, high, wanted in ((140.0, 180.0, 20.0), (305.0, 590.0, 8.0), (700.0, 780.0, 15.0)):
        inside = (distance > low) & (distance < high)
        assert speed[inside] == pytest.approx(wanted, abs=0.01)
    assert np.abs(np.diff(speed) / 0.05).max() < 1.01 * given.acceleration_mps2
    assert distance[-1] == pytest.approx(900.0, abs=1e-6)


SQUARE = ((0.0, 0.0, 0.0), (200.0, 0.0, 0.0), (200.0, 200.0, 0.0), (0.0, 200.0, 0.0))


@pytest.mark.parametrize("stops", [(), ((0.0, 5.0),), ((2.0, 11.0), (1.0, 3.0))], ids=len)
@pytest.mark.parametrize(("speed", "acceleration"), [(12.0, 1.5), (60.0, 0.1)])
def test_a_loop_closes_and_repeats_for_days(stops, speed, acceleration):
    """Also where a vehicle needs many laps until it is at its speed."""
    given = Vehicle(
        name="A",
        path_enu_m=SQUARE,
        loop=True,
        speed_mps=speed,
        acceleration_mps2=acceleration,
        stops=stops,
        corner_m=60.0,
    )
    drive = plan_drive(given)
    times = np.arange(0.0, 1.5 * drive.time_s[-1], 0.1)
    step = np.linalg.norm(np.diff(drive.local_at(times), axis=0), axis=1)
    assert step.max() < 1.05 * 0.1 * speed
    distance = drive.distance_at(times)
    pace = np.diff(distance, 2) / 0.01
    assert np.abs(pace).max() < 1.02 * acceleration
    assert np.diff(distance).min() >= 0.0
    late = drive.time_s[-1] - drive.lap_s + np.array([0.1, 3.3, 604_000.0])
    ahead = drive.distance_at(late + drive.lap_s) - drive.distance_at(late)
    assert ahead == pytest.approx(drive.lap_m, abs=1e-6)
    assert len(drive.time_s) < 2e5
    standing = np.sum(np.diff(distance) < 1e-9) * 0.1
    wait_s, laps = sum(wait for _, wait in stops), distance[-1] / drive.lap_m
    seen_s = wait_s - 0.2 * len(stops)  # a pause is seen a sample late at either end
    assert seen_s * math.floor(laps) <= standing <= wait_s * (math.floor(laps) + 1)
