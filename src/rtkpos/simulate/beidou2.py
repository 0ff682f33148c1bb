"""Codes of BeiDou-2 satellites, which leave them earlier or later with the angle of the ray."""

from __future__ import annotations

import numpy as np

from rtkpos._arrays import FloatArray, IndexArray
from rtkpos.gnss.signals import sig_code
from rtkpos.gnss.systems import PRN_PER_SYSTEM
from rtkpos.simulate.signals import LAST_BEIDOU2, SignalSet

# By how much codes are long [m] at elevations of 0, 10 ... 90 deg; by signal of IGSO, then of MEO.
# Source: Wanninger and Beer (2015), GPS Solutions 19:639, tables of corrections, with their sign
# turned. Satellites at rest cannot be calibrated; those of BeiDou-3 are free of it.
_STEP_DEG = 10.0
_IGSO_M = {
    "2I": (0.55, 0.40, 0.34, 0.23, 0.15, 0.04, -0.09, -0.19, -0.27, -0.35),
    "7I": (0.71, 0.36, 0.33, 0.19, 0.14, 0.03, -0.08, -0.17, -0.24, -0.33),
    "6I": (0.27, 0.23, 0.21, 0.15, 0.11, 0.04, -0.05, -0.14, -0.19, -0.32),
}
_MEO_M = {
    "2I": (0.47, 0.38, 0.32, 0.23, 0.11, -0.06, -0.34, -0.69, -0.97, -1.05),
    "7I": (0.40, 0.31, 0.26, 0.18, 0.06, -0.09, -0.28, -0.48, -0.64, -0.69),
    "6I": (0.22, 0.15, 0.13, 0.10, 0.04, -0.05, -0.14, -0.27, -0.36, -0.47),
}


def beidou2_code_m(
    signals: SignalSet, columns: IndexArray, elevation_rad: FloatArray
) -> FloatArray:
    """What the codes of some BeiDou satellites are long by: (n_epoch, n_sat, n_sig) [m].

    columns : (n_sat,) of all satellites      elevation_rad : (n_epoch, n_sat)
    """
    out = np.zeros((*elevation_rad.shape, len(signals.sig)))
    place = np.degrees(elevation_rad) / _STEP_DEG
    for row, column in enumerate(columns.tolist()):
        number = (int(signals.sat[column]) & (PRN_PER_SYSTEM - 1)) + 1
        if number > LAST_BEIDOU2 or signals.stands[column]:
            continue
        table = _IGSO_M if signals.far[column] else _MEO_M
        for k, sig in enumerate(signals.sig.tolist()):
            values = table.get(sig_code(sig))
            if values is not None:
                out[:, row, k] = np.interp(place[:, row], np.arange(len(values)), values)
    return out
