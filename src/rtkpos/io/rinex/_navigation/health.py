"""Health words and accuracy fields of the navigation messages: what they mean for use."""

from __future__ import annotations

import numpy as np

from rtkpos._arrays import BoolArray, FloatArray, IndexArray, SmallArray
from rtkpos.gnss.systems import GALILEO, GLONASS, IRNSS, QZSS, SBAS

# GLONASS F_T index -> accuracy [m], 15: not stated (ICD GLONASS 5.1, table 4.4).
GLONASS_ACCURACY_M = np.array(
    [1.0, 2.0, 2.5, 4.0, 5.0, 7.0, 10.0, 12.0, 14.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, np.nan]
)
URA_MAX_M = 6144.0  # URA index 14; 15 means "no accuracy prediction" (IS-GPS-200N, 20.3.3.3.1.3)
HEALTH_FIELD = {"FDMA": 6, "SBAS": 6, "CNV1": 32, "BCNV2": 32, "CNV3": 28}
MODERN = ("CNAV", "CNV2")


def accuracy_and_health(
    system: int, name: str, values: FloatArray
) -> tuple[IndexArray, SmallArray, FloatArray]:
    """Raw health word (-1 missing), healthy 0/1 and accuracy (1 sigma) [m], NaN unknown.

    values : (n, width) numbers of the records in RINEX order
    A blank health field counts as healthy: only what was broadcast can condemn a satellite.
    """
    word = values[:, HEALTH_FIELD.get(name, 24)]
    given = np.abs(word) < 1e6
    health = np.where(given, np.round(np.where(given, word, 0.0)), -1.0).astype(np.int64)
    sick = given & _is_unhealthy(system, name, np.maximum(health, 0)) | (health < -1)
    accuracy_m, unpredicted = _accuracy(system, name, values)
    healthy = np.where(sick | unpredicted, 0, 1).astype(np.int8)
    return health, healthy, accuracy_m


def _is_unhealthy(system: int, name: str, health: IndexArray) -> BoolArray:
    if name == "CNAV":
        # Bits L1, L2, L5 from the most significant; GPS L5 is kept "unhealthy" as pre-operational.
        return (health & 0b110) != 0
    if system == QZSS and name == "LNAV":
        # IS-QZSS-PNT-005, 4.1.2.3: data, L1C/A, L2C, L5, L1C, L1C/B. A satellite sends L1C/A or
        # L1C/B; the other's bit is always set. L1C is not needed by this message.
        neither_l1 = ((health & 0b010000) != 0) & ((health & 0b000001) != 0)
        return ((health & 0b101100) != 0) | neither_l1
    if system == IRNSS:
        return (health & 0b10) != 0  # L5; bit 0 is S band (IRNSS SIS ICD SPS 1.1, 6.2.1.6)
    # Galileo: data validity and signal status of E1-B, E5a, E5b (OS SIS ICD 2.1, table 84); GPS:
    # six bits; GLONASS B_n; BeiDou SatH1 or HS; SBAS. Anything set means "do not use".
    return health != 0


def _accuracy(system: int, name: str, values: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Accuracy [m] (NaN unknown) and where the broadcast refuses to predict one."""
    n = len(values)
    if system == GLONASS:
        index = values[:, 17]
        given = (index >= 0.0) & (index <= 15.0)
        lookup = np.where(given, index, 15.0).astype(np.int64)
        return GLONASS_ACCURACY_M[lookup], np.zeros(n, dtype=bool)
    if name in ("CNV1", "BCNV2", "CNV3"):
        # The signal-in-space indices have no published metres yet (BDS-SIS-ICD-B1C-1.0, 7.16).
        return np.full(n, np.nan), np.zeros(n, dtype=bool)
    if name in MODERN:
        return _accuracy_cnav(values)
    accuracy_m = values[:, 10 if system == SBAS else 23].copy()
    if system == GALILEO:
        refused = accuracy_m < 0.0  # NAPA: no accuracy prediction available
    else:
        refused = accuracy_m > URA_MAX_M
    accuracy_m[refused | ~(accuracy_m > 0.0)] = np.nan
    return accuracy_m, refused


def _accuracy_cnav(values: FloatArray) -> tuple[FloatArray, BoolArray]:
    """URA of CNAV: elevation-dependent and independent parts (IS-GPS-200N, 30.3.3.1.1.4, .2.4)."""
    squared = np.zeros(len(values))
    refused = np.zeros(len(values), dtype=bool)
    for field in (23, 21):
        index = values[:, field]
        refused |= (index >= 15.0) | (index <= -16.0)
        metres = np.where(index <= 6.0, 2.0 ** (1.0 + 0.5 * index), 2.0 ** (index - 2.0))
        squared += np.where(np.isfinite(index), metres, 0.0) ** 2
    accuracy_m = np.sqrt(squared)
    accuracy_m[refused | (accuracy_m == 0.0)] = np.nan
    return accuracy_m, refused
