"""Noise-free: our solver, which shares no physics with the simulation, must find the truth."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from rtkpos.constants import SPEED_OF_LIGHT_MPS
from rtkpos.core.atmosphere.troposphere import N_TROP, prepare_troposphere, slant_troposphere
from rtkpos.core.orbits.broadcast_orbit import sagnac_range
from rtkpos.gnss.signals import carrier_hz, sig_band
from rtkpos.gnss.systems import GLONASS, sat_name
from rtkpos.io.rinex._navigation.elements import GLONASS_COLUMNS
from rtkpos.physics.satellites import satellite_states
from rtkpos.processing.run import solve
from rtkpos.records.config import RtkConfig
from rtkpos.records.status import FixStatus
from rtkpos.simulate.in_memory import simulate_in_memory
from rtkpos.simulate.medium.ellipsoid import local_axes, place_llh
from rtkpos.simulate.medium.light_time import shapiro_m
from tests.data import dataset_path
from tests.simulate.scenes import QUIET, quiet, scene

POSITION_TOLERANCE_M = 0.5e-3
RESIDUAL_TOLERANCE_M = 0.1e-3
SINGLE_TOLERANCE_M = 0.02  # code positions are iterated until a step is below a centimetre
SYSTEMS = ["G", "R", "E", "C", "GJ", "GRECJ"]  # three QZSS alone are too few for a position
MODES = [
    ("dgnss", "off"),
    ("kinematic", "continuous"),
    ("kinematic", "instantaneous"),
    ("kinematic", "hold"),
    ("static", "continuous"),
    ("static", "instantaneous"),
    ("moving_base", "continuous"),
    ("moving_base", "instantaneous"),
]
NO_AIR = {"atmosphere": {"troposphere": "off", "ionosphere": "off"}}
GEO = {f"C{k:02d}" for k in (*range(1, 6), 59, 60, 61)}
IGSO = {f"C{k:02d}" for k in (*range(6, 11), 13, 16, 38, 39, 40)}
BEIDOU_2 = {f"C{k:02d}" for k in range(1, 17)}


def distance_from_truth(solution, base, rover):
    """How far each position, or vector from a moving base, is from the truth (n_epoch,) [m]."""
    if solution.mode == "moving_base":
        vector = rover.antenna_ecef - base.antenna_ecef
        return np.linalg.norm(solution.baseline_ecef_m - vector, axis=1)
    return np.linalg.norm(solution.ecef_m - rover.antenna_ecef, axis=1)


def check_precise(solution, base, rover):
    """All epochs precise, and fixed where integers are asked for."""
    wanted = FixStatus.DGNSS if solution.mode == "dgnss" else FixStatus.FIXED
    assert np.all(solution.status == wanted), solution.reason_counts()
    worst_m = distance_from_truth(solution, base, rover).max()
    assert worst_m < POSITION_TOLERANCE_M, f"{worst_m * 1e3:.3f} mm"


def solved(systems, mode, ar, direction="forward", exclude=()):
    nav, base, rover = quiet(systems, mode != "static")
    config = {"mode": mode, "ar": ar, "direction": direction, **NO_AIR}
    config |= {"selection": {"exclude": sorted(exclude)}}
    place = None if mode == "moving_base" else base.antenna_ecef[0]
    solution = solve(rover.table, nav, base.table, place, RtkConfig.from_dict(config))
    return solution, base, rover


@pytest.mark.parametrize("systems", SYSTEMS)
@pytest.mark.parametrize(("mode", "ar"), MODES, ids=lambda word: word)
@pytest.mark.compiled
def test_our_solver_finds_the_true_position(systems, mode, ar):
    check_precise(*solved(systems, mode, ar))


@pytest.mark.parametrize("direction", ["backward", "combined"])
@pytest.mark.compiled
def test_our_solver_finds_the_true_position_backwards(direction):
    check_precise(*solved("GRECJ", "kinematic", "continuous", direction))


@pytest.mark.parametrize("kind", ["geo and igso", "igso", "meo", "beidou-2", "beidou-3"])
@pytest.mark.parametrize("ar", ["continuous", "instantaneous"])
@pytest.mark.compiled
def test_every_kind_of_beidou_satellite_serves(kind, ar):
    """GEO alone, all over the equator, give no position."""
    everything = {sat_name(int(sat)) for sat in np.unique(quiet("C", True)[2].table.sat)}
    keep = {
        "geo and igso": GEO | IGSO,
        "igso": IGSO,
        "meo": everything - GEO - IGSO,
        "beidou-2": BEIDOU_2,
        "beidou-3": everything - BEIDOU_2,
    }[kind]
    assert len(keep & everything) >= 5
    check_precise(*solved("C", "kinematic", ar, exclude=everything - keep))


@pytest.mark.compiled
def test_satellites_of_a_real_navigation_file_serve():
    """Real elements, GEO in their tilted frame among them."""
    path = dataset_path("static-nagoya-2024", "base.nav.gz")
    run = {"nav": str(path), "start": "2024-06-24T10:00:00"}
    place = {"lat_deg": 35.1, "lon_deg": 136.9}
    nav, made = simulate_in_memory(scene("GREC", True, run=run, origin=place, **QUIET))
    base, rover = made["BASE"], made["CAR"]
    config = RtkConfig.from_dict({"mode": "kinematic", **NO_AIR})
    check_precise(solve(rover.table, nav, base.table, base.antenna_ecef[0], config), base, rover)
    assert {int(sat) >> 6 for sat in rover.table.sat} == {0, 1, 2, 3}


def in_the_solvers_air(nav, one):
    """Codes with the troposphere that mode single takes away, without the bending it leaves."""
    table = one.table
    epoch = np.repeat(np.arange(table.n_epoch), np.diff(table.row_start))
    place = satellite_states(nav, table.sat, table.time_ns[epoch] - 75_000_000).ecef_m
    here = one.antenna_ecef[epoch]
    llh = place_llh(here)
    away = place - here
    range_m = np.linalg.norm(away, axis=1)
    sine = np.einsum("rk,rk->r", away, local_axes(llh)[:, 2]) / range_m
    trop_m, work = np.empty(table.n_row), np.empty(N_TROP)
    for row in range(table.n_row):
        prepare_troposphere(*llh[row], int(table.time_ns[epoch[row]]), work)
        trop_m[row] = slant_troposphere(work, float(np.arcsin(sine[row])))[0]
    code_m = table.code_m + trop_m - shapiro_m(place, here, range_m)
    return dataclasses.replace(table, code_m=code_m)


@pytest.mark.parametrize("systems", SYSTEMS)
@pytest.mark.compiled
def test_code_positions_are_the_true_ones(systems):
    """Mode single knows what differences take away: satellites' clocks, delays, code errors."""
    nav, _, rover = quiet(systems, True, "steered", 10.0, beidou2_code=True)
    config = RtkConfig.from_dict({"mode": "single", "atmosphere": {"ionosphere": "off"}})
    solution = solve(in_the_solvers_air(nav, rover), nav, config=config)
    assert np.all(solution.status == FixStatus.SPP)
    worst_m = np.linalg.norm(solution.ecef_m - rover.antenna_ecef, axis=1).max()
    assert worst_m < SINGLE_TOLERANCE_M, f"{worst_m * 1e3:.1f} mm"


def modelled_m(nav, one):
    """Range minus satellite clock of every row by the solver's physics: (n_row,) [m]."""
    table = one.table
    epoch = np.repeat(np.arange(table.n_epoch), np.diff(table.row_start))
    flight_s = np.full(table.n_row, 0.075)
    out, los = np.empty(table.n_row), np.empty(3)
    for _ in range(4):
        sent_s = -one.clock_s[epoch] - flight_s
        whole = np.rint(sent_s * 1e9).astype(np.int64)
        states = satellite_states(nav, table.sat, table.time_ns[epoch] + whole)
        place = states.ecef_m + states.velocity_mps * (sent_s - whole * 1e-9)[:, None]
        for k in range(table.n_row):
            out[k] = sagnac_range(place[k], one.antenna_ecef[epoch[k]], los)
        flight_s = out / SPEED_OF_LIGHT_MPS
    return out - SPEED_OF_LIGHT_MPS * states.clock_s


@pytest.mark.parametrize("moving", [False, True], ids=["static", "kinematic"])
@pytest.mark.parametrize("clock", ["perfect", "drifting"])
@pytest.mark.compiled
def test_double_differences_agree_with_the_solvers_physics(moving, clock):
    nav, base, rover = quiet("GRECJ", moving, clock, 10.0)
    rest = []
    for one in (rover, base):
        table = one.table
        hertz = np.array([_hertz(nav, s, g) for s, g in zip(table.sat, table.sig, strict=True)])
        model = modelled_m(nav, one)
        phase = table.phase_cycle * SPEED_OF_LIGHT_MPS / hertz - model
        rest.append((table, phase, table.code_m - model, SPEED_OF_LIGHT_MPS / hertz))
    worst: dict[tuple[str, str], float] = {}
    for k in range(rover.table.n_epoch):
        rows = [_rows(one, k) for one in rest]
        common = sorted(set(rows[0]) & set(rows[1]))
        for system in {sat >> 6 for sat, _ in common}:
            pairs = [key for key in common if key[0] >> 6 == system]
            code = [rest[0][2][rows[0][key]] - rest[1][2][rows[1][key]] for key in pairs]
            for key, code_m in zip(pairs, code, strict=True):
                a, b = rows[0][key], rows[1][key]
                phase_m = rest[0][1][a] - rest[1][1][b] - code[0]
                kind = kind_of(key[0])
                for what, miss in (
                    ("code", code_m - code[0]),
                    ("phase", _to_cycle(phase_m, rest[0][3][a])),
                ):
                    worst[kind, what] = max(worst.get((kind, what), 0.0), abs(miss))
    assert {kind for kind, _ in worst} == {"G", "R", "E", "J", "C GEO", "C IGSO", "C MEO"}
    too_large = {k: f"{v * 1e3:.4f} mm" for k, v in worst.items() if v >= RESIDUAL_TOLERANCE_M}
    assert not too_large


def kind_of(sat):
    """System of a satellite, and of BeiDou the kind of its orbit."""
    name = sat_name(int(sat))
    if name[0] != "C":
        return name[0]
    return "C GEO" if name in GEO else "C IGSO" if name in IGSO else "C MEO"


def _to_cycle(value_m, wave_m):
    """What is left of a length after whole cycles [m]."""
    return value_m - np.rint(value_m / wave_m) * wave_m


def _hertz(nav, sat, sig):
    channel = 0
    if int(sat) >> 6 == GLONASS:
        row = np.flatnonzero(nav.sat == sat)[0]
        channel = int(nav.param[row, GLONASS_COLUMNS["channel"]])
    return carrier_hz(int(sat) >> 6, int(sig_band(int(sig))), channel)


def _rows(one, epoch):
    """Rows of an epoch by satellite and signal."""
    table = one[0]
    rows = range(int(table.row_start[epoch]), int(table.row_start[epoch + 1]))
    return {(int(table.sat[r]), int(table.sig[r])): r for r in rows}


def test_all_kinds_of_orbits_are_in_the_sky():
    nav, _, rover = quiet()
    names = {sat_name(int(sat)) for sat in rover.table.sat}
    assert {name[0] for name in names} == set("GRECJ")
    assert {"C01", "C39"} & names  # GEO and IGSO
    assert {int(o) for o in nav.orbit} == {0, 1, 2}


def test_doppler_is_the_change_of_phase():
    _, _, rover = quiet("GRECJ", True, "perfect", 0.1)
    table = rover.table
    seen = 0
    for sat in np.unique(table.sat):
        mine = table.sat == sat
        sig = table.sig[mine][0]
        rows = np.flatnonzero(mine & (table.sig == sig))
        if len(rows) < 500:
            continue
        phase, doppler = table.phase_cycle[rows], table.doppler_hz[rows]
        miss = (phase[2:] - phase[:-2]) / 0.2 + doppler[1:-1]
        assert np.median(np.abs(miss)) < 1e-4, sat_name(int(sat))  # 0.02 mm/s
        seen += 1
    assert seen > 25
