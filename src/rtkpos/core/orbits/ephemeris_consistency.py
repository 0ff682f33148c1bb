"""Do consecutive ephemerides of a satellite tell the same orbit?

The limits come from measured steps between sets, see below; no standard gives any.
"""

from __future__ import annotations

import math

import numpy as np

from rtkpos._arrays import BoolArray, SatArray
from rtkpos._numba.decorator import kernel
from rtkpos.core.orbits.broadcast_orbit import N_ORBIT_STATE, satellite_state
from rtkpos.core.tables import EphemerisArrays
from rtkpos.gnss.systems import system_of

# Source: eight merged and station files of 2018-2026. Halfway between their toe, sets of one
# satellite agree to 5 m (G, C, J), 15 m (R), 33 m (E, two hours ahead), 60 m (I), 352 m (S);
# damaged sets are off by 15 km and more.
JUMP_LIMIT_M = 1000.0
# Farthest toe compared, by system G R E C J I S: what the extrapolation to the middle bears.
JUMP_SPAN_S = np.array([5.0, 1.5, 5.0, 5.0, 5.0, 5.0, 0.5]) * 3600.0


@kernel
def _distance(eph, row, other, system, state, other_state):
    """Distance of two records halfway between their toe [m]; NaN when they are too far apart."""
    gap_ns = eph.toe_ns[other] - eph.toe_ns[row]
    if gap_ns * 1.0e-9 > JUMP_SPAN_S[system]:
        return math.nan
    middle_ns = eph.toe_ns[row] + gap_ns // 2
    if satellite_state(eph, row, system, middle_ns, state) != 0:
        return math.nan
    if satellite_state(eph, other, system, middle_ns, other_state) != 0:
        return math.nan
    dx = state[0] - other_state[0]
    dy = state[1] - other_state[1]
    dz = state[2] - other_state[2]
    return math.sqrt(dx * dx + dy * dy + dz * dz)


def find_orbit_jumps(eph: EphemerisArrays, sat: SatArray, out_jump: BoolArray) -> int:
    """Mark records that contradict the sets before and after them while those two agree.

    eph : EphemerisArrays      sat : (n,) satellite of each row
    out_jump : (n,) bool      Returns : int number of marks

    A manoeuvre is no such case: there the sets agree on either side of one jump. The first or last
    record of a run is marked when it contradicts a pair that agrees, unless one of them is
    unhealthy: operators flag a satellite before they move it.
    """
    apart_m = np.full(sat.shape[0] + 2, math.nan)
    state = np.empty((2, N_ORBIT_STATE))
    return int(_mark_jumps(eph, sat, apart_m, state[0], state[1], out_jump))


@kernel
def _mark_jumps(eph, sat, apart, state, other_state, out_jump):
    """The marks of `find_orbit_jumps`; apart : (n + 2,) [m], [k] between rows k - 1 and k."""
    n = sat.shape[0]
    for k in range(1, n):
        if sat[k] == sat[k - 1] and eph.message[k] == eph.message[k - 1]:
            apart[k] = _distance(eph, k - 1, k, system_of(sat[k]), state, other_state)
    n_jump = 0
    for k in range(n):
        out_jump[k] = False
        before, after = apart[k], apart[k + 1]
        if before > JUMP_LIMIT_M and after > JUMP_LIMIT_M:
            around = _distance(eph, k - 1, k + 1, system_of(sat[k]), state, other_state)
            out_jump[k] = around <= JUMP_LIMIT_M
        elif before > JUMP_LIMIT_M and math.isnan(after):
            both_healthy = eph.healthy[k] == 1 and eph.healthy[k - 1] == 1
            out_jump[k] = both_healthy and apart[k - 1] <= JUMP_LIMIT_M
        elif after > JUMP_LIMIT_M and math.isnan(before):
            both_healthy = eph.healthy[k] == 1 and eph.healthy[k + 1] == 1
            out_jump[k] = both_healthy and apart[k + 2] <= JUMP_LIMIT_M
        n_jump += out_jump[k]
    return n_jump
