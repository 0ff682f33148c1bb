"""The truth explains the observations: phase - range - clocks - delays - integer leaves nothing."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from rtkpos.constants import OMEGA_EARTH_GPS, SPEED_OF_LIGHT_MPS
from rtkpos.gnss.signals import carrier_hz, sig_band, sig_index
from rtkpos.gnss.systems import GLONASS, sat_from_name
from rtkpos.io.rinex._navigation.elements import GLONASS_COLUMNS
from rtkpos.io.rinex.read_navigation import read_nav
from rtkpos.io.rinex.read_observations import read_obs
from rtkpos.physics.satellites import satellite_states
from rtkpos.simulate.medium.ellipsoid import from_local, local_axes, place_llh
from rtkpos.simulate.scenario.sections import Place
from rtkpos.simulate.simulation import simulate
from tests.simulate.scenes import CAR, beidou2_correction_m, scene

PHASE_TOLERANCE_M = 1.0e-3  # files round the phase to 0.2 mm, the clock of the truth to 0.3 mm
CODE_TOLERANCE_M = 2.0e-3
LARGEST_BIAS_M = 0.5 * 0.2548  # half a cycle of the longest wave, L5
L1_HZ = 1575.42e6


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    """A car in a street, with everything that has a truth and nothing that is random from epoch to
    epoch: slips, half cycles, outages, reflected signals, air, a stormy ionosphere, biases."""
    folder = tmp_path_factory.mktemp("street")
    car = CAR | {"canyons": [[20, 60, 25, 20]], "outages_s": [[70, 75]]}
    made = scene(
        moving=True,
        duration_s=90.0,
        vehicle=[car],
        clocks={"kind": "drifting"},
        noise={"on": False},
        multipath={"on": False},
        ionosphere={"gradient_north_mm_per_km": -15.0, "wave_tecu": 1.0, "front_mm_per_km": 40.0},
        tracking={"slips_per_hour": 40.0, "half_cycle_share": 0.3},
    )
    simulate(made, folder)
    return folder


@pytest.fixture(scope="module")
def explained(street):
    """Rows of the car's file with what the truth says of each of them."""
    table, nav = read_obs(street / "CAR.obs"), read_nav(street / "nav.rnx")
    epoch = np.repeat(np.arange(table.n_epoch), np.diff(table.row_start))
    track = list(csv.DictReader((street / "truth" / "CAR.csv").read_text().splitlines()))
    tow_s = np.array([float(row["tow_s"]) for row in track])
    of_track = np.searchsorted(tow_s, (table.time_ns / 1e9) % 604_800.0 - 1e-3)[epoch]
    place = np.array([[float(row[f"antenna_{axis}_m"]) for axis in "xyz"] for row in track])
    clock_s = np.array([float(row["rx_clock_s"]) for row in track])[of_track]
    range_m, sat_clock_s, sat_m = ranges(nav, table, epoch, place[of_track])
    with np.load(street / "truth" / "CAR-delays.npz") as kept:
        delays = {name: kept[name] for name in kept.files}
    at = rows_of(delays, table.time_ns[epoch], table.sat)
    hertz = np.array([hertz_of(nav, s, g) for s, g in zip(table.sat, table.sig, strict=True)])
    here = place[of_track]
    common = range_m + SPEED_OF_LIGHT_MPS * (clock_s - sat_clock_s)
    common += delays["trop_m"][at].astype(float) + delays["excess_m"][at]
    iono = delays["iono_l1_m"][at].astype(float) * (L1_HZ / hertz) ** 2
    integer = integers(street, table, epoch) + 0.5 * ((table.lli & 2) > 0)
    return {
        "table": table,
        "phase_m": (table.phase_cycle - integer) * SPEED_OF_LIGHT_MPS / hertz - common + iono,
        "code_m": table.code_m + beidou2_m(nav, table, sat_m - here) - common - iono,
        "direct": delays["direct"][at] == 1,
        "excess_m": delays["excess_m"][at],
    }


def ranges(nav, table, epoch, place):
    """Range with earth rotation and gravity, satellite clock, by the solver's satellites."""
    flight_s, clock_s = table.code_m / SPEED_OF_LIGHT_MPS, np.zeros(table.n_row)
    for _ in range(2):
        # The code also holds group delays and biases: 20 m are 0.1 mm of a satellite's way.
        sent_ns = table.time_ns[epoch] - np.rint((flight_s + clock_s) * 1e9).astype(np.int64)
        states = satellite_states(nav, table.sat, sent_ns)
        clock_s = states.clock_s
    # Nanoseconds are too coarse for satellites that move 0.8 mm along the ray in a microsecond.
    rest_s = table.time_ns[epoch] - (flight_s + clock_s) * 1e9 - sent_ns
    sat_m = states.ecef_m + states.velocity_mps * (rest_s * 1e-9)[:, None]
    angle = OMEGA_EARTH_GPS * np.linalg.norm(sat_m - place, axis=1) / SPEED_OF_LIGHT_MPS
    x, y, z = sat_m.T
    turned = np.stack(
        [np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x, z], axis=1
    )
    distance = np.linalg.norm(turned - place, axis=1)
    ends = np.linalg.norm(sat_m, axis=1) + np.linalg.norm(place, axis=1)
    bent = 2.0 * 3.986004418e14 / SPEED_OF_LIGHT_MPS**2
    return distance + bent * np.log((ends + distance) / (ends - distance)), states.clock_s, turned


def beidou2_m(nav, table, away):
    """What the solver adds to the codes of BeiDou-2; away : (n_row, 3) antenna to satellite."""
    up = local_axes(place_llh(from_local(np.zeros(3), Place().llh)))[2]
    elevation_rad = np.arcsin(away @ up / np.linalg.norm(away, axis=1))
    return beidou2_correction_m(nav, table.sat, table.sig, elevation_rad)


def rows_of(delays, time_ns, sat):
    """Where each observation's satellite and epoch stand among the delays; each must be there."""
    key = delays["time_ns"] // 1_000_000 * 1000 + delays["sat"]
    order = np.argsort(key)
    wanted = time_ns // 1_000_000 * 1000 + sat
    at = order[np.searchsorted(key[order], wanted)]
    assert (key[at] == wanted).all()
    return at


def integers(folder, table, epoch):
    """The integer of every row: that of the latest event of its satellite and signal."""
    rows = csv.DictReader((folder / "truth" / "CAR-arcs.csv").read_text().splitlines())
    events = {}
    for row in rows:
        sat = sat_from_name(row["satellite"])
        key = (sat, sig_index(sat >> 6, row["signal"]))
        events.setdefault(key, []).append((float(row["tow_s"]), int(row["integer"])))
    tow_s = (table.time_ns / 1e9) % 604_800.0
    out = np.empty(table.n_row)
    for k in range(table.n_row):
        mine = events[int(table.sat[k]), int(table.sig[k])]
        out[k] = [n for when, n in mine if when <= tow_s[epoch[k]] + 1e-3][-1]
    return out


def hertz_of(nav, sat, sig):
    system, channel = int(sat) >> 6, 0
    if system == GLONASS:
        row = np.flatnonzero(nav.sat == sat)[0]
        channel = int(nav.param[row, GLONASS_COLUMNS["channel"]])
    return carrier_hz(system, int(sig_band(int(sig))), channel)


def test_phases_are_explained_but_for_one_bias_per_signal(explained):
    table, rest_m = explained["table"], explained["phase_m"]
    for sig in np.unique(table.sig):
        mine = rest_m[table.sig == sig]
        miss = np.abs(mine - np.median(mine)).max()
        assert miss < PHASE_TOLERANCE_M, f"signal {sig}: {miss * 1e3:.2f} mm"
        assert abs(np.median(mine)) < LARGEST_BIAS_M


def test_codes_are_explained_but_for_biases_of_signal_and_satellite(explained):
    table, rest_m = explained["table"], explained["code_m"]
    for sat in np.unique(table.sat):
        for sig in np.unique(table.sig[table.sat == sat]):
            mine = rest_m[(table.sig == sig) & (table.sat == sat)]
            assert np.ptp(mine) < 2.0 * CODE_TOLERANCE_M, f"{sat} {sig}"


def test_reflected_signals_are_those_that_came_a_longer_way(explained):
    direct, excess_m = explained["direct"], explained["excess_m"]
    assert (excess_m[direct] == 0.0).all()
    assert (excess_m[~direct] > 1.0).all()
    assert 20 < np.sum(~direct) < 0.3 * len(direct)


def test_every_flag_of_lost_lock_has_its_event(street, explained):
    """A flag without event is the end of a half cycle; an event without flag a silent slip."""
    table = explained["table"]
    rows = csv.DictReader((street / "truth" / "CAR-arcs.csv").read_text().splitlines())
    causes = [row["cause"] for row in rows]
    n_flag = int(np.sum(table.lli & 1))
    noticed = causes.count("start") + causes.count("flagged_slip")
    half = (table.lli & 2) > 0
    assert n_flag >= noticed
    assert n_flag - noticed <= len(np.unique(table.sat[half] * 10_000 + table.sig[half])) * 3
    assert causes.count("slip") > 5
    assert causes.count("flagged_slip") > 5
