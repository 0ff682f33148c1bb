"""Satellite positions, velocities and clocks from broadcast data, for arrays of times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rtkpos._arrays import BoolArray, FloatArray, IndexArray, SmallArray, TimeArray
from rtkpos._numba.decorator import kernel
from rtkpos.core.orbits.broadcast_orbit import (
    N_ORBIT_STATE,
    STATE_CLOCK,
    STATE_DRIFT,
    satellite_state,
)
from rtkpos.core.orbits.ephemeris import DEFAULT_MESSAGE_ORDER, FNAV, INAV, select_ephemeris
from rtkpos.core.tables import EphemerisArrays
from rtkpos.errors import ConfigError, DataError
from rtkpos.gnss.systems import GALILEO, N_SAT, system_of
from rtkpos.records.broadcast import BroadcastTable


@dataclass(frozen=True, kw_only=True)
class SatelliteStates:
    """States of satellites at times, one per element; NaN where `row` is negative.

    Parameters
    ----------
    ecef_m : ndarray of float64
        (n, 3) position [m], earth-fixed at the time itself.
    velocity_mps : ndarray of float64
        (n, 3) velocity [m/s].
    clock_s : ndarray of float64
        (n,) satellite clock with relativity, without group delay [s].
    drift_sps : ndarray of float64
        (n,) its rate [s/s].
    row : ndarray of int64
        (n,) ephemeris used; NO_EPHEMERIS, TOO_OLD or UNHEALTHY of `core.orbits.ephemeris`.
    """

    ecef_m: FloatArray
    velocity_mps: FloatArray
    clock_s: FloatArray
    drift_sps: FloatArray
    row: IndexArray

    @property
    def valid(self) -> BoolArray:
        """(n,) bool: a state was found."""
        return np.isfinite(self.ecef_m[:, 0])


def message_order(galileo: str = "INAV") -> SmallArray:
    """Order of navigation messages with the Galileo message put first ("INAV" or "FNAV").

    Returns (N_SYSTEM, k) int8, -1 padded. Take one order for a whole run and for both receivers.
    """
    order = DEFAULT_MESSAGE_ORDER.copy()
    if galileo not in ("INAV", "FNAV"):
        raise ConfigError(f"galileo message must be INAV or FNAV; got {galileo!r}.")
    order[GALILEO, :2] = (INAV, FNAV) if galileo == "INAV" else (FNAV, INAV)
    return order


@kernel
def _fill_states(
    eph: EphemerisArrays,
    sat: IndexArray,
    time_ns: TimeArray,
    order: SmallArray,
    out_state: FloatArray,
    out_row: IndexArray,
) -> int:
    """States of all elements: out_state (n, 8), out_row (n,)."""
    for k in range(sat.shape[0]):
        row = select_ephemeris(eph, sat[k], time_ns[k], order)
        out_row[k] = row
        if row < 0:
            out_state[k, :] = np.nan
        else:
            satellite_state(eph, row, system_of(sat[k]), time_ns[k], out_state[k])
    return 0


def satellite_states(
    nav: BroadcastTable,
    sat: ArrayLike,
    time_ns: ArrayLike,
    *,
    order: SmallArray | None = None,
) -> SatelliteStates:
    """States of satellites at GPST times; `sat` and `time_ns` are broadcast against each other.

    Parameters
    ----------
    nav : BroadcastTable
        Ephemerides.
    sat : array_like
        Satellite indices.
    time_ns : array_like
        GPST [ns], integers.
    order : ndarray of int8, optional
        Which message serves, default `message_order()`.

    Returns
    -------
    SatelliteStates
        Flat result in the order of the broadcast arrays.
    """
    times = np.asarray(time_ns)
    if times.dtype.kind not in "iu":
        raise DataError(f"time_ns must be integer nanoseconds; got {times.dtype}.")
    sats, times = np.broadcast_arrays(np.asarray(sat, dtype=np.int64), times)
    sats = np.ascontiguousarray(sats.ravel())
    times = np.ascontiguousarray(times.ravel(), dtype=np.int64)
    if sats.size and not (sats.min() >= 0 and sats.max() < N_SAT):
        raise DataError(f"sat must lie in 0..{N_SAT - 1}; got {sats.min()}..{sats.max()}.")
    state = np.empty((sats.size, N_ORBIT_STATE))
    row = np.empty(sats.size, dtype=np.int64)
    chosen = message_order() if order is None else np.ascontiguousarray(order, dtype=np.int8)
    _fill_states(nav.arrays(), sats, times, chosen, state, row)
    return SatelliteStates(
        ecef_m=state[:, :3],
        velocity_mps=state[:, 3:6],
        clock_s=state[:, STATE_CLOCK],
        drift_sps=state[:, STATE_DRIFT],
        row=row,
    )
