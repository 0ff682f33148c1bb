"""Noise-free: our solver, which shares no physics with the simulation, must find the truth."""

from __future__ import annotations

import numpy as np
import pytest

from rtkpos.constants import SPEED_OF_LIGHT_MPS
from rtkpos.core.orbits import sagnac_range
from rtkpos.gnss.signals import carrier_hz, sig_band
from rtkpos.gnss.systems import GLONASS, sat_name
from rtkpos.io.nav_elements import GLONASS_COLUMNS
from rtkpos.physics.satellites import satellite_states
from rtkpos.records.config import RtkConfig
from rtkpos.records.solution import FixStatus
from rtkpos.solve.run import solve
from tests.simulate.scenes import quiet

POSITION_TOLERANCE_M = 0.5e-3
RESIDUAL_TOLERANCE_M = 0.1e-3
SYSTEMS = ["G", "R", "E", "C", "GRECJ"]


@pytest.mark.parametrize("systems", SYSTEMS)
@pytest.mark.parametrize("moving", [False, True], ids=["static", "kinematic"])
@pytest.mark.compiled
def test_our_solver_finds_the_true_position(systems, moving):
    nav, base, rover = quiet(systems, moving)
    config = RtkConfig.from_dict(
        {"mode": "kinematic" if moving else "static", "atmosphere": {"troposphere": "off"}}
    )
    solution = solve(rover.table, nav, base.table, base.antenna_ecef[0], config)
    fixed = solution.status == FixStatus.FIXED
    error_m = np.linalg.norm(solution.ecef_m - rover.antenna_ecef, axis=1)
    assert fixed.mean() > 0.98, solution.reason_counts()
    assert error_m[fixed].max() < POSITION_TOLERANCE_M, f"{error_m[fixed].max() * 1e3:.3f} mm"


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
    worst = {"code": 0.0, "phase": 0.0}
    for k in range(rover.table.n_epoch):
        rows = [_rows(one, k) for one in rest]
        common = sorted(set(rows[0]) & set(rows[1]))
        for system in {sat >> 6 for sat, _ in common}:
            pairs = [key for key in common if key[0] >> 6 == system]
            code, phase = [], []
            for key in pairs:
                a, b = rows[0][key], rows[1][key]
                code.append(rest[0][2][a] - rest[1][2][b])
                wave = rest[0][3][a]
                phase.append((rest[0][1][a] - rest[1][1][b], wave))
            clock_m = code[0]
            worst["code"] = max(worst["code"], *(abs(c - clock_m) for c in code))
            miss = [_to_cycle(p - clock_m, wave) for p, wave in phase]
            worst["phase"] = max(worst["phase"], *map(abs, miss))
    assert worst["code"] < RESIDUAL_TOLERANCE_M, f"{worst['code'] * 1e3:.4f} mm"
    assert worst["phase"] < RESIDUAL_TOLERANCE_M, f"{worst['phase'] * 1e3:.4f} mm"


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
