"""Codes of BeiDou-2 that change with the elevation they are seen at, by echoes in the satellite."""

from __future__ import annotations

import numpy as np

from rtkpos._arrays import BoolArray, FloatArray, SatArray
from rtkpos.constants import DEG

# What has to be added to a code [m] at 0, 10 ... 90 deg. Source: Wanninger and Beer (2015), GPS
# Solutions 19:639-648. GEO are not in it: their elevations do not change.
# The first of each key: IGSO, else MEO.
_CORRECTION_M = {
    (True, "2I"): (-0.55, -0.40, -0.34, -0.23, -0.15, -0.04, 0.09, 0.19, 0.27, 0.35),
    (True, "7I"): (-0.71, -0.36, -0.33, -0.19, -0.14, -0.03, 0.08, 0.17, 0.24, 0.33),
    (True, "6I"): (-0.27, -0.23, -0.21, -0.15, -0.11, -0.04, 0.05, 0.14, 0.19, 0.32),
    (False, "2I"): (-0.47, -0.38, -0.32, -0.23, -0.11, 0.06, 0.34, 0.69, 0.97, 1.05),
    (False, "7I"): (-0.40, -0.31, -0.26, -0.18, -0.06, 0.09, 0.28, 0.48, 0.64, 0.69),
    (False, "6I"): (-0.22, -0.15, -0.13, -0.10, -0.04, 0.05, 0.14, 0.27, 0.36, 0.47),
}
_N_NODE = 10
_FIRST_PRN, _LAST_PRN = 6, 16


def code_nodes(sat: SatArray, is_igso: BoolArray, codes: tuple[str, ...]) -> FloatArray:
    """What codes are wrong by [m] at 0, 10 ... 90 deg: (n_sat, n_sig, 10), 0 where not known.

    sat : (n_sat,) of BeiDou      is_igso : (n_sat,) else MEO      codes : of the signals
    """
    out = np.zeros((len(sat), len(codes), _N_NODE))
    prn = (sat & 63) + 1
    for row in np.flatnonzero((prn >= _FIRST_PRN) & (prn <= _LAST_PRN)).tolist():
        for k, code in enumerate(codes):
            out[row, k] -= _CORRECTION_M.get((bool(is_igso[row]), code), 0.0)
    return out


def at_elevation(nodes: FloatArray, elevation_rad: FloatArray) -> FloatArray:
    """Linear between the nodes (n_sat, n_sig, 10) at (n_epoch, n_sat): (n_epoch, n_sat, n_sig)."""
    place = np.clip(elevation_rad / (10.0 * DEG), 0.0, _N_NODE - 1.0)
    low = np.minimum(place.astype(np.int64), _N_NODE - 2)
    part, sat = (place - low)[..., None], np.arange(len(nodes))
    out: FloatArray = (1.0 - part) * nodes[sat, :, low] + part * nodes[sat, :, low + 1]
    return out
