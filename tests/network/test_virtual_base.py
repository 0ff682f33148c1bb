"""Virtual stations against receivers that the simulation puts at the same place."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess

import numpy as np
import pytest

from rtkpos.constants import SPEED_OF_LIGHT_MPS
from rtkpos.errors import InputError
from rtkpos.gnss.signals import carrier_hz, sig_band
from rtkpos.io.rinex.write_observations import write_obs
from rtkpos.network.virtual.virtual_base import virtual_base
from rtkpos.network.virtual.virtual_observations import FEWEST_CORRECTED
from tests.network.scenes import scene, solved

LLI_SLIP = 1
INTERVAL_S = 2.0
RNX2RTKP = shutil.which("rnx2rtkp")
OPTIONS = """pos1-posmode =kinematic
pos1-frequency =l1+l2
pos1-elmask =10
pos1-ionoopt =brdc
pos1-tropopt =saas
pos1-navsys =33
pos2-armode =continuous
pos2-arthres =3
pos2-arelmask =15
out-solformat =xyz
out-timesys =gpst
ant2-postype =rinexhead
"""


def rows_by_key(table, value):
    """Values of a table's rows by time, satellite and signal."""
    epoch = np.repeat(table.time_ns, np.diff(table.row_start))
    return dict(
        zip(
            zip(epoch.tolist(), table.sat.tolist(), table.sig.tolist(), strict=True),
            value.tolist(),
            strict=True,
        )
    )


def wavelengths(table):
    hertz = {
        (int(a), int(g)): carrier_hz(int(a), sig_band(int(g)))
        for a, g in {(int(s) >> 6, int(g)) for s, g in zip(table.sat, table.sig, strict=True)}
    }
    return SPEED_OF_LIGHT_MPS / np.array(
        [hertz[int(s) >> 6, int(g)] for s, g in zip(table.sat, table.sig, strict=True)]
    )


def between(virtual, real, name):
    """Virtual less real, as double differences by epoch to the first satellite of a signal.

    Phases without their whole cycles. Returns : (n,) [m]
    """
    factor = {"phase_cycle": wavelengths(virtual), "code_m": 1.0}[name]
    wave = rows_by_key(virtual, wavelengths(virtual))
    one = rows_by_key(virtual, getattr(virtual, name) * factor)
    factor = {"phase_cycle": wavelengths(real), "code_m": 1.0}[name]
    two = rows_by_key(real, getattr(real, name) * factor)
    first, out = {}, []
    for key in one.keys() & two.keys():
        first.setdefault((key[0], key[2]), []).append((key[1], one[key] - two[key], wave[key]))
    for group in first.values():
        group.sort()
        for _, value, length in group[1:]:
            off = value - group[0][1]
            out.append(off - length * round(off / length) if name == "phase_cycle" else off)
    return np.array(out)


@pytest.mark.parametrize(("kind", "bound_m"), [("bare", 0.002), ("gradients", 0.005)])
def test_virtual_observations_are_those_of_a_real_receiver(kind, bound_m):
    """Nothing but geometry and clocks; then the air and an ionosphere with gradients."""
    engine, solution = solved(kind)
    pole = scene(kind).made["POLE"]
    base = virtual_base(engine, solution, pole.marker_ecef[0])
    assert base.master == "MID"
    assert base.n_uncorrected == 0
    for name in ("phase_cycle", "code_m"):
        off_m = np.abs(between(base.table, pole.table, name))
        assert len(off_m) > 5000
        assert np.percentile(off_m, 99) < bound_m, f"{np.percentile(off_m, 99) * 1e3:.2f} mm"


def test_at_its_masters_place_a_virtual_station_is_its_master():
    engine, solution = solved("bare")
    middle = scene("bare").made["MID"]
    base = virtual_base(engine, solution, middle.marker_ecef[0])
    off_m = np.abs(between(base.table, middle.table, "phase_cycle"))
    assert len(off_m) > 5000
    assert off_m.max() < 5e-4, f"{off_m.max() * 1e3:.3f} mm"


def steps(table):
    """Of rows that follow one of their signal: (phase rate + Doppler [Hz], LLI, epoch, key).

    Keys tell satellite and signal.
    """
    epoch = np.repeat(np.arange(table.n_epoch), np.diff(table.row_start))
    order = np.lexsort((epoch, table.sig, table.sat))
    key = table.sat[order].astype(int) * 1000 + table.sig[order]
    same = (np.diff(key) == 0) & (np.diff(epoch[order]) == 1)
    rate = np.diff(table.phase_cycle[order])[same] / INTERVAL_S
    doppler = table.doppler_hz[order]
    off = rate + 0.5 * (doppler[1:] + doppler[:-1])[same]
    return off, table.lli[order][1:][same], epoch[order][1:][same], key[1:][same]


def test_doppler_is_the_rate_of_the_phase():
    """As well as at the master, to 1 mHz: it moves along with the satellites' lines of sight.

    The clocks of the receivers are steered, so that phase and Doppler do not agree exactly.
    """
    engine, solution = solved("bare")
    made = scene("bare").made
    table = virtual_base(engine, solution, made["POLE"].marker_ecef[0]).table
    off, lli, *where = steps(table)
    master_off, _, *master_where = steps(made["MID"].table)
    wanted = dict(zip(zip(*map(list, master_where), strict=True), master_off, strict=True))
    pairs = zip(off, lli, zip(*map(list, where), strict=True), strict=True)
    more_hz = [abs(value - wanted[key]) for value, flag, key in pairs if flag == 0]
    assert len(more_hz) > 5000
    assert max(more_hz) < 0.005


def test_lock_is_lost_when_corrections_stop_and_when_they_return():
    """Ten epochs without: the master serves, moved, and phases break at either end of it."""
    engine, solution = solved("calm")
    gone = solution.dispersive_m.copy()
    gone[60:70] = np.nan
    broken = dataclasses.replace(solution, dispersive_m=gone)
    place = scene("calm").made["POLE"].marker_ecef[0]
    base = virtual_base(engine, broken, place)
    table = base.table
    assert base.n_uncorrected == 10
    _, lli, epoch, _ = steps(table)
    for t in (60, 70):
        assert (lli[epoch == t] & LLI_SLIP).all()
    assert (lli[(epoch > 1) & (epoch != 60) & (epoch != 70)] & LLI_SLIP).mean() < 0.001
    sigma = table.correction.iono_m
    assert np.nanmedian(sigma[62:68]) > 2.0 * np.nanmedian(sigma[40:58])


def test_every_satellite_with_rows_has_a_sigma():
    """Between half a millimetre and a decimetre, larger away from the stations."""
    engine, solution = solved("waves")
    place = scene("waves").made["POLE"].marker_ecef[0]
    table = virtual_base(engine, solution, place).table
    epoch = np.repeat(np.arange(table.n_epoch), np.diff(table.row_start))
    sigma = table.correction.iono_m[epoch, table.sat]
    assert np.isfinite(table.correction.wet_m).all()
    assert np.isfinite(sigma).all()
    assert 5e-4 < sigma.min() < sigma.max() < 0.1
    at_master = virtual_base(engine, solution, solution.ecef_m[0]).table.correction
    assert np.nanmedian(at_master.iono_m) < np.nanmedian(table.correction.iono_m)


def test_a_path_takes_the_atmosphere_along_and_leaves_the_place():
    """Standing at the point is the same as being there; other points give other corrections."""
    engine, solution = solved("waves")
    pole = scene("waves").made["POLE"].marker_ecef[0]
    still = virtual_base(engine, solution, pole, np.tile(pole, (151, 1)))
    plain = virtual_base(engine, solution, pole)
    assert np.array_equal(still.table.phase_cycle, plain.table.phase_cycle)
    away = virtual_base(engine, solution, pole, np.tile(solution.ecef_m[2], (151, 1)))
    assert np.array_equal(away.ecef_m, plain.ecef_m)
    off_m = np.abs(between(away.table, plain.table, "phase_cycle"))
    assert 0.003 < np.median(off_m) < 0.05


def test_stations_left_out_are_not_used():
    engine, solution = solved("calm")
    place = scene("calm").made["POLE"].marker_ecef[0]
    base = virtual_base(engine, solution, place, without=("MID", "EAST"))
    assert base.master == "NORT"
    assert set(base.stations) == {"NORT", "WEST", "SOUW", "SOUE"}
    with pytest.raises(InputError, match="no station of the network has corrections"):
        virtual_base(engine, solution, place, without=solution.names)


def test_the_fewest_satellites_are_told_apart():
    """With corrections of four satellites an epoch is the master's; with five it is corrected."""
    engine, solution = solved("calm")
    place = scene("calm").made["POLE"].marker_ecef[0]
    order = np.argsort(-np.nan_to_num(solution.elevation_rad[60, 0]))
    for n_sat, uncorrected in ((FEWEST_CORRECTED - 1, 151), (FEWEST_CORRECTED, 0)):
        few = np.full_like(solution.dispersive_m, np.nan)
        few[:, :, order[:n_sat]] = solution.dispersive_m[:, :, order[:n_sat]]
        base = virtual_base(engine, dataclasses.replace(solution, dispersive_m=few), place)
        assert abs(base.n_uncorrected - uncorrected) <= 5


@pytest.mark.skipif(RNX2RTKP is None, reason="rnx2rtkp is not installed (Debian package rtklib)")
def test_rnx2rtkp_fixes_with_a_virtual_station(tmp_path):
    """RTKLIB 2.4.3 reads our file as base and fixes the car, whose antenna it gives."""
    engine, solution = solved("calm")
    made = scene("calm")
    base = virtual_base(engine, solution, made.made["POLE"].marker_ecef[0])
    write_obs(tmp_path / "vrs.obs", base.table)
    write_obs(tmp_path / "car.obs", made.made["CAR"].table)
    (tmp_path / "nav.rnx").write_text(made.nav_text)
    (tmp_path / "options.conf").write_text(OPTIONS)
    command = [RNX2RTKP, "-k", "options.conf", "-o", "out.pos", "car.obs", "vrs.obs", "nav.rnx"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120, check=True)
    lines = (tmp_path / "out.pos").read_text().splitlines()
    rows = [line.split() for line in lines if not line.startswith("%")]
    fixed = np.array([row[5] == "1" for row in rows])
    place = np.array([[float(word) for word in row[2:5]] for row in rows])
    assert len(rows) >= 150
    assert fixed.mean() >= 0.95
    off_m = np.linalg.norm(place - made.made["CAR"].antenna_ecef[-len(place) :], axis=1)[fixed]
    assert np.percentile(off_m, 95) < 0.05
