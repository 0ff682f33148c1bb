"""Named tuples of arrays that kernels take: the compiled view of the records."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rtkpos._arrays import (
    FlagArray,
    FloatArray,
    IndexArray,
    SatArray,
    SigArray,
    SmallArray,
    TimeArray,
)


class ObsArrays(NamedTuple):
    """The arrays of an `ObsTable`; rows `row_start[k]:row_start[k+1]` belong to epoch k.

    time_ns : (n_epoch,) GPST [ns]       row_start : (n_epoch + 1,)
    event   : (n_epoch,) EVENT_* bits    sat, sig  : (n_row,), sorted by sat, then sig in an epoch
    code_m [m], phase_cycle [cycle], doppler_hz [Hz], cn0_dbhz [dB-Hz] : (n_row,), NaN = missing
    lli     : (n_row,) RINEX loss-of-lock bits of the phase, 0..7
    """

    time_ns: TimeArray
    row_start: IndexArray
    event: FlagArray
    sat: SatArray
    sig: SigArray
    code_m: FloatArray
    phase_cycle: FloatArray
    doppler_hz: FloatArray
    cn0_dbhz: FloatArray
    lli: FlagArray


class CorrectionSigma(NamedTuple):
    """What is left of the atmosphere between a virtual base and a rover; empty for a real base.

    iono_m : (n_epoch, N_SAT) slant on L1 [m], NaN = by the distance
    wet_m  : (n_epoch,) zenith [m]
    """

    iono_m: FloatArray
    wet_m: FloatArray


def no_correction() -> CorrectionSigma:
    """What a receiver as base has: its atmosphere differs by what the distance makes likely."""
    return CorrectionSigma(np.zeros((0, 0)), np.zeros(0))


class EphemerisArrays(NamedTuple):
    """The arrays of a `BroadcastTable`, sorted by (sat, message, toe_ns, tx_ns).

    sat_start : (N_SAT + 1,) rows of satellite s are sat_start[s]:sat_start[s + 1]
    message   : (n,) Message number     toe_ns, toc_ns, tx_ns : (n,) GPST [ns]
    issue     : (n,) IODE / AODE / IODnav (GLONASS: tb)    healthy : (n,) 0 or 1
    orbit     : (n,) ORBIT_* class      accuracy_m : (n,) URA / SISA as 1 sigma [m], NaN unknown
    param     : (n, N_PARAM) columns P_* of `core.tables`
    """

    sat_start: IndexArray
    message: SmallArray
    toe_ns: TimeArray
    toc_ns: TimeArray
    tx_ns: TimeArray
    issue: IndexArray
    healthy: SmallArray
    orbit: SmallArray
    accuracy_m: FloatArray
    param: FloatArray


# What stands beside an epoch (bits of ObsArrays.event).
EVENT_POWER_FAILURE = 1  # epoch flag 1 before this epoch: all phases of the receiver are new
EVENT_ANTENNA_MOVED = 2  # flag 2 or 3: position and ambiguities are reset
EVENT_MARK = 4  # flag 5: an external event was recorded since the previous epoch
EVENT_SESSION = 8  # time went back here: another session starts
PLACE_EVENTS = EVENT_ANTENNA_MOVED | EVENT_SESSION  # the antenna may stand elsewhere
RESET_EVENTS = EVENT_POWER_FAILURE | PLACE_EVENTS

ORBIT_MEO, ORBIT_IGSO, ORBIT_GEO = range(3)

# Columns of EphemerisArrays.param, Keplerian messages (IS-GPS-200N table 20-III; BDS and Galileo
# use the same quantities). SI units and radians; times relative to toe_ns / toc_ns.
(
    P_AF0,
    P_AF1,
    P_AF2,
    P_SQRT_A,
    P_ECC,
    P_I0,
    P_OMEGA0,
    P_OMEGA,
    P_M0,
    P_DELTA_N,
    P_I_DOT,
    P_OMEGA_DOT,
    P_CUC,
    P_CUS,
    P_CRC,
    P_CRS,
    P_CIC,
    P_CIS,
    P_A_DOT,  # CNAV only, else 0
    P_DELTA_N_DOT,  # CNAV only, else 0
    P_TGD1,  # GPS/QZSS TGD, GAL BGD E5a/E1, BDS TGD1 (B1I) or TGD_B1Cp [s]
    P_TGD2,  # GAL BGD E5b/E1, BDS TGD2 (B2I) or TGD_B2ap [s]
    P_TOE_SOW,  # seconds of week of toe in the system's own time (node argument)
) = range(23)
N_PARAM = 23
# GLONASS FDMA uses the same rows: position, velocity, acceleration in PZ-90 and the clock.
G_TAU_N, G_GAMMA_N, G_DTAU, G_X, G_Y, G_Z, G_VX, G_VY, G_VZ, G_AX, G_AY, G_AZ, G_CHANNEL = range(13)
