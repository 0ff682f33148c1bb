"""Where satellites stand over a place, and what their geometry does to a position."""

from __future__ import annotations

import math

import numpy as np

from rtkpos._arrays import FloatArray, IndexArray
from rtkpos.core.station.geodesy import ecef_to_geodetic, enu_rotation
from rtkpos.physics.satellites import satellite_states
from rtkpos.records.broadcast import BroadcastTable


def lines_of_sight(
    nav: BroadcastTable, sats: IndexArray, time_ns: int, place_m: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Unit vectors (n, 3) to satellites and their elevations (n,) [rad] from a place (3,) [m].

    NaN for a satellite without ephemeris, and all NaN for a place that is not on the earth. The
    satellites stand where they are at the time itself: right to a hundredth of a degree.
    """
    states = satellite_states(nav, sats, np.full(len(sats), time_ns))
    line = states.ecef_m - place_m
    line /= np.linalg.norm(line, axis=1)[:, None]
    llh, rotation = np.full(3, np.nan), np.full((3, 3), np.nan)
    if ecef_to_geodetic(np.ascontiguousarray(place_m, np.float64), llh) == 0:
        enu_rotation(llh[0], llh[1], rotation)
    return line, np.arcsin(np.clip(line @ rotation[2], -1.0, 1.0))


def pdop(line: FloatArray, system: IndexArray) -> float:
    """Dilution of the position by the geometry, one clock per system; NaN when it is singular.

    line : (n, 3) unit vectors to the satellites      system : (n,) their systems
    Source: Kaplan & Hegarty (2017), section 11.2.1.
    """
    clocks = (system[:, None] == np.unique(system)[None, :]).astype(np.float64)
    design = np.hstack([-line, clocks])
    normal = design.T @ design
    if len(line) < design.shape[1] or np.linalg.cond(normal) > 1e10:
        return math.nan
    return math.sqrt(float(np.trace(np.linalg.inv(normal)[:3, :3])))
