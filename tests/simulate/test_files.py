"""Files of a simulation: the same to the byte, readable, solved by us and by an older program."""

from __future__ import annotations

import csv
import shutil
import subprocess
import tracemalloc
from importlib import resources

import numpy as np
import pytest

from rtkpos.gnss.signals import carrier_hz, sig_code, sig_index
from rtkpos.gnss.systems import sat_from_name, sat_name
from rtkpos.io.products.sp3 import read_sp3
from rtkpos.io.rinex._navigation.elements import KEPLER_COLUMNS
from rtkpos.io.rinex.read_navigation import read_nav
from rtkpos.io.rinex.read_observations import read_obs
from rtkpos.io.solutions.reference_track import read_truth
from rtkpos.physics.satellites import satellite_states
from rtkpos.processing.run import solve
from rtkpos.records.config import RtkConfig
from rtkpos.records.status import FixStatus
from rtkpos.simulate.in_memory import simulate_in_memory
from rtkpos.simulate.medium.ellipsoid import local_axes, place_llh
from rtkpos.simulate.scenario.scenario import parse_scenario, scenario_of
from rtkpos.simulate.simulation import simulate
from tests.simulate.scenes import CAR, scene

RNX2RTKP = shutil.which("rnx2rtkp")
OPTIONS = """pos1-posmode =kinematic
pos1-frequency =l1+l2
pos1-elmask =10
pos1-ionoopt =brdc
pos1-tropopt =saas
pos1-navsys ={navsys}
pos2-armode =continuous
pos2-arthres =3
pos2-arelmask =15
out-solformat =xyz
out-timesys =gpst
ant2-postype =rinexhead
"""


def contents(folder):
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


@pytest.fixture(scope="module")
def open_sky(tmp_path_factory):
    """The ready scenario open-sky, cut to five minutes, as files."""
    text = (resources.files("rtkpos.simulate") / "scenarios" / "open-sky.toml").read_text()
    folder = tmp_path_factory.mktemp("open-sky")
    simulate(parse_scenario(text.replace("duration_s = 600", "duration_s = 300")), folder)
    return folder


def test_a_seed_gives_the_same_bytes_whatever_the_number_of_threads(tmp_path):
    first, again, other = (tmp_path / name for name in ("a", "b", "c"))
    simulate(scene("GC", True, 130.0), first, n_worker=1)
    simulate(scene("GC", True, 130.0), again, n_worker=5)
    simulate(scene("GC", True, 130.0, run={"seed": 2}), other)
    one, two, three = contents(first), contents(again), contents(other)
    assert one == two
    assert len(one) == 11
    assert one["CAR.obs"] != three["CAR.obs"]


def test_memory_does_not_grow_with_the_run(tmp_path):
    """Everything goes to the disk span by span; kept in memory it would be 28 kB a minute."""
    held = []
    tracemalloc.start()
    note = lambda done, total: held.append(tracemalloc.get_traced_memory()[0])  # noqa: E731
    simulate(scene("E", True, 239.0), tmp_path, note, n_worker=1)
    tracemalloc.stop()
    assert len(held) == 4
    assert held[3] - held[1] < 25_000


def test_progress_is_told_to_the_end(tmp_path):
    told = []
    simulate(scene("G", True, 130.0), tmp_path, lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_what_is_stopped_leaves_nothing(tmp_path):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(scene("G", True, 130.0), tmp_path / "out", stop)
    assert not list(tmp_path.iterdir())


def test_switching_an_effect_leaves_the_other_draws(tmp_path):
    """Without the air the ambiguities, clocks and noise are those with it."""
    with_air = simulate_in_memory(scene("G"))[1]["BASE"].table
    without = simulate_in_memory(scene("G", troposphere={"on": False}))[1]["BASE"].table
    delay_m = with_air.code_m - without.code_m
    assert delay_m.min() > 2.2
    assert delay_m.max() < 30.0


def test_files_say_what_was_simulated(open_sky):
    rover, base = read_obs(open_sky / "CAR.obs"), read_obs(open_sky / "BASE.obs")
    assert rover.n_epoch == base.n_epoch == 301
    assert {int(s) >> 6 for s in rover.sat} == {0, 1, 2, 3}
    assert base.station.receiver == "RTKPOS SIMULATED"
    assert np.allclose(base.station.antenna_enu_m, [0.0, 0.0, 1.5])
    for table in (rover, base):
        assert set(table.report.counts) <= {"epoch_kept", "epoch_in_file"}
        assert not table.report.warnings


def test_integers_in_the_truth_are_those_of_the_phases(open_sky):
    """Code minus phase leaves the written integer, but for noise, biases and delays."""
    table = read_obs(open_sky / "BASE.obs")
    rows = list(csv.DictReader((open_sky / "truth" / "BASE-arcs.csv").read_text().splitlines()))
    starts = [row for row in rows if row["cause"] == "start" and row["satellite"].startswith("G")]
    assert len(starts) > 20
    first = starts[0]
    sig = sig_index(0, first["signal"])
    row = np.flatnonzero((table.sat == sat_from_name(first["satellite"])) & (table.sig == sig))[0]
    wave_m = 299_792_458.0 / carrier_hz(0, int(first["signal"][0]))
    float_cycle = table.phase_cycle[row] - table.code_m[row] / wave_m
    assert abs(float_cycle - int(first["integer"])) < 40.0 / wave_m


def test_our_solver_fixes_the_open_sky(open_sky):
    nav = read_nav(open_sky / "nav.rnx", strict=True)
    rover, base = read_obs(open_sky / "CAR.obs"), read_obs(open_sky / "BASE.obs")
    solution = solve(rover, nav, base, base.station.approx_ecef_m, RtkConfig())
    fixed = solution.status == FixStatus.FIXED
    truth = read_truth(open_sky / "truth" / "CAR.csv").ecef_m
    error_m = np.linalg.norm(solution.ecef_m - truth, axis=1)
    assert fixed.mean() > 0.99, solution.reason_counts()
    assert np.sqrt(np.mean(error_m[fixed] ** 2)) < 0.015


def antenna_truth(path):
    rows = list(csv.DictReader(path.read_text().splitlines()))
    return np.array([[float(row[f"antenna_{axis}_m"]) for axis in "xyz"] for row in rows])


@pytest.mark.skipif(RNX2RTKP is None, reason="rnx2rtkp is not installed (Debian package rtklib)")
@pytest.mark.parametrize(
    ("navsys", "minutes"),
    [
        pytest.param(32, 2, id="BeiDou, two minutes"),
        pytest.param(32, 5, id="BeiDou", marks=pytest.mark.slow),
        pytest.param(1, 5, id="GPS", marks=pytest.mark.slow),
        pytest.param(9, 5, id="GPS and Galileo", marks=pytest.mark.slow),
    ],
)
def test_rnx2rtkp_fixes_the_open_sky(open_sky, tmp_path, navsys, minutes):
    """RTKLIB 2.4.3, kinematic; its positions are those of the antennas."""
    (tmp_path / "options.conf").write_text(OPTIONS.format(navsys=navsys))
    files = [str(open_sky / name) for name in ("CAR.obs", "BASE.obs", "nav.rnx")]
    until = ["-te", "2024/06/24", f"08:{minutes:02d}:00"]
    command = [RNX2RTKP, "-k", "options.conf", "-o", "out.pos", *until, *files]
    subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120, check=True)
    lines = (tmp_path / "out.pos").read_text().splitlines()
    rows = [line.split() for line in lines if not line.startswith("%")]
    place = np.array([[float(word) for word in row[2:5]] for row in rows])
    fixed = np.array([row[5] == "1" for row in rows])
    truth = antenna_truth(open_sky / "truth" / "CAR.csv")[: 60 * minutes + 1]
    assert len(place) == len(truth)
    assert fixed.mean() >= 0.99
    axes = local_axes(place_llh(truth[0]))
    enu_m = (place - truth)[fixed] @ axes.T
    horizontal_m = np.sqrt(np.mean(np.sum(enu_m[:, :2] ** 2, axis=1)))
    assert horizontal_m <= 0.010, f"{horizontal_m * 1e3:.1f} mm"


def test_precise_orbits_are_the_broadcast_ones(open_sky):
    """To the 0.5 mm SP3 rounds to."""
    nav, table = read_nav(open_sky / "nav.rnx"), read_sp3(open_sky / "orbits.sp3")
    k = len(table.time_ns) // 2
    states = satellite_states(nav, table.sat, np.full(len(table.sat), table.time_ns[k]))
    assert np.nanmax(np.abs(states.ecef_m - table.position_m[k])) < 2e-3
    speed, place = states.velocity_mps, states.ecef_m
    periodic_s = -2.0 * np.sum(place * speed, axis=1) / 299_792_458.0**2
    is_kepler = (table.sat >> 6) != 1
    miss_s = np.abs(states.clock_s - periodic_s - table.clock_s[k])[is_kepler]
    assert miss_s.max() < 2e-11  # harmonic terms are in r.v, not in e sin E


def test_rinex_4_says_the_same_as_rinex_3(tmp_path):
    """The version changes the form of the files, not a number in them."""
    old, new = tmp_path / "3", tmp_path / "4"
    simulate(scene("GRECJ", duration_s=20.0), old)
    simulate(scene("GRECJ", duration_s=20.0, run={"rinex_version": "4.00"}), new)
    first, second = read_obs(old / "CAR.obs"), read_obs(new / "CAR.obs")
    assert (first.version, second.version) == (3.04, 4.0)
    for column in ("time_ns", "sat", "sig", "code_m", "phase_cycle", "doppler_hz", "lli"):
        assert np.array_equal(getattr(first, column), getattr(second, column), equal_nan=True)
    nav, again = (read_nav(folder / "nav.rnx", strict=True) for folder in (old, new))
    assert (new / "nav.rnx").read_text().startswith("     4.00           N")
    for column in ("sat", "message", "toe_ns", "toc_ns", "param", "orbit"):
        assert np.array_equal(getattr(nav, column), getattr(again, column), equal_nan=True)
    sent = {one.source: one.coefficients for one in again.ionosphere}
    assert set(sent) == set("GCJ")
    for one in nav.ionosphere:
        assert sent[one.source] == pytest.approx(one.coefficients, rel=1e-4)


@pytest.mark.slow
def test_georinex_reads_the_same_numbers(tmp_path):
    """Another program's reader, on observations and ephemerides of RINEX 3.04."""
    import georinex

    simulate(scene("GC", duration_s=3.0), tmp_path)
    table = read_obs(tmp_path / "CAR.obs")
    theirs = georinex.load(tmp_path / "CAR.obs")
    for column, kind in (("code_m", "C"), ("phase_cycle", "L"), ("doppler_hz", "D")):
        values = getattr(table, column)
        for k in range(0, table.n_row, 7):
            epoch = int(np.searchsorted(table.row_start, k, "right")) - 1
            name = kind + sig_code(int(table.sig[k]))
            other = theirs[name].sel(sv=sat_name(int(table.sat[k]))).values[epoch]
            assert other == values[k], (name, k)
    nav, other = read_nav(tmp_path / "nav.rnx"), georinex.load(tmp_path / "nav.rnx")
    for sat in np.unique(nav.sat):
        mine = nav.param[nav.sat == sat][:, KEPLER_COLUMNS["sqrt_a"]]
        found = other["sqrtA"].sel(sv=sat_name(int(sat))).values
        assert np.nanmax(found) == pytest.approx(mine[0], rel=1e-12)


def test_the_ionosphere_is_broadcast_where_there_is_one(open_sky):
    assert {one.source for one in read_nav(open_sky / "nav.rnx").ionosphere} == {"G", "C"}
    quiet_nav, _ = simulate_in_memory(scene("GC", duration_s=5.0, ionosphere={"on": False}))
    assert not quiet_nav.ionosphere


@pytest.mark.parametrize("rate_hz", [1, 5, 20])
def test_vehicles_are_recorded_at_their_own_rate(tmp_path, rate_hz):
    """Epochs in file and truth; the true velocity is the change of the true antenna."""
    car = CAR | {"interval_s": 1.0 / rate_hz, "wait_s": 1.0}
    text = {"run": {"duration_s": 9.0, "systems": "G"}, "station": [{"name": "BASE"}]}
    simulate(scenario_of(text | {"vehicle": [car]}), tmp_path)
    assert read_obs(tmp_path / "BASE.obs").n_epoch == 10
    table = read_obs(tmp_path / "CAR.obs")
    assert np.array_equal(np.diff(table.time_ns), np.full(9 * rate_hz, 10**9 // rate_hz))
    rows = list(csv.DictReader((tmp_path / "truth" / "CAR.csv").read_text().splitlines()))
    place, speed = (
        np.array([[float(row[f"{name}_{axis}_{unit}"]) for axis in "xyz"] for row in rows])
        for name, unit in (("antenna", "m"), ("velocity", "mps"))
    )
    assert len(place) == table.n_epoch
    mean = np.diff(place, axis=0) * rate_hz
    assert np.abs(mean - 0.5 * (speed[1:] + speed[:-1])).max() < 0.4 / rate_hz
    assert np.linalg.norm(speed, axis=1)[-1] == pytest.approx(1.5 * 8.0, abs=0.1)


def test_slant_delays_are_kept(open_sky):
    with np.load(open_sky / "truth" / "CAR-delays.npz") as truth:
        assert len(np.unique(truth["time_ns"])) == 301
        assert 2.2 < truth["trop_m"].min() < truth["trop_m"].max() < 30.0
        assert 0.5 < truth["iono_l1_m"].min() < truth["iono_l1_m"].max() < 20.0
        assert truth["direct"].all()
