"""Small scenarios for tests: everything that disturbs switched off, or a few things on."""

from __future__ import annotations

import functools

import numpy as np

from rtkpos.core.orbits.beidou_code_bias import beidou2_code_correction
from rtkpos.core.tables import ORBIT_GEO, ORBIT_IGSO, ORBIT_MEO
from rtkpos.gnss.signals import sig_band
from rtkpos.gnss.systems import BEIDOU
from rtkpos.io.rinex._navigation.elements import KEPLER_COLUMNS
from rtkpos.simulate.in_memory import simulate_in_memory
from rtkpos.simulate.scenario.scenario import scenario_of

QUIET = {
    "troposphere": {"on": False},
    "ionosphere": {"on": False},
    "noise": {"on": False},
    "multipath": {"on": False},
    "biases": {"on": False, "beidou2_code": False},
    "tracking": {"slips_per_hour": 0.0, "half_cycle_share": 0.0},
}
CAR = {
    "name": "CAR",
    "path_enu_m": [[100, 200, 2], [500, 200, 3], [500, 500, 5]],
    "speed_mps": 15.0,
    "wait_s": 5.0,
}
POLE = {"name": "CAR", "enu_m": [1500.0, 900.0, 12.0]}


def scene(systems="GRECJ", moving=False, duration_s=60.0, **sections):
    """A base and a rover, which moves or stands 1.7 km away."""
    run = {"duration_s": duration_s, "systems": systems} | sections.pop("run", {})
    rover = {"vehicle": [CAR]} if moving else {}
    stations = [{"name": "BASE"}] if moving else [{"name": "BASE"}, POLE]
    return scenario_of({"run": run, "station": stations, **rover, **sections})


@functools.cache
def quiet(systems="GRECJ", moving=False, clock="drifting", interval_s=1.0, beidou2_code=False):
    """(nav, base, rover) of a scene in which nothing disturbs the signals.

    beidou2_code : codes of BeiDou-2 change with elevation as those in flight do
    """
    run = {"interval_s": interval_s}
    sections = QUIET | {"biases": {"on": False, "beidou2_code": beidou2_code}}
    made = scene(systems, moving, clocks={"kind": clock}, run=run, **sections)
    nav, out = simulate_in_memory(made)
    return nav, out["BASE"], out["CAR"]


def beidou2_correction_m(nav, sat, sig, elevation_rad):
    """What the solver adds to codes of BeiDou-2: (n_row,) [m]; the simulation has its own table."""
    out = np.zeros(len(sat))
    for k in np.flatnonzero(sat >> 6 == BEIDOU):
        param = nav.param[np.flatnonzero(nav.sat == sat[k])[0]]
        far, level = (
            param[KEPLER_COLUMNS["sqrt_a"]] > 6300.0,
            param[KEPLER_COLUMNS["i0_rad"]] < 0.35,
        )
        orbit = ORBIT_GEO if far and level else ORBIT_IGSO if far else ORBIT_MEO
        band = int(sig_band(int(sig[k])))
        out[k] = beidou2_code_correction(int(sat[k] & 63) + 1, orbit, band, elevation_rad[k])
    return out
