"""States of the relative filter entering and leaving it, whatever they stand for."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rtkpos._arrays import FloatArray, SmallArray
from rtkpos._numba.decorator import kernel
from rtkpos.gnss.systems import N_SAT
from rtkpos.prepare.pairing import N_SLOT

# Owners of states; an ambiguity is owned by sat * B + band >= 0.
OWNER_BIAS = -1
OWNER_WET = -2
OWNER_IONO = -3  # of satellite 0; that of satellite s is OWNER_IONO - s


class BaselineModel(NamedTuple):
    """What the filter is told of a baseline beside the observations.

    origin_m : (3,) place the differences are linearised at, a priori position [m]; 0 where they are
        taken at the known coordinates of both ends
    position_var_m2 : variance of each coordinate there: large where the position is estimated, next
        to nothing where it is pinned      clock_m, clock_var_m2 : a priori clock difference
    has_prior, prior_m, prior_cov_m2 : 1 where a position (3,) with covariance (3, 3) is known from
        earlier epochs
    held : (N_SAT, B) 1 = the ambiguity is a known integer and does not drift
    """

    origin_m: FloatArray
    position_var_m2: float
    clock_m: float
    clock_var_m2: float
    has_prior: int
    prior_m: FloatArray
    prior_cov_m2: FloatArray
    held: SmallArray


def baseline_model(position_var_m2: float, clock_var_m2: float) -> BaselineModel:
    """A baseline without prior and held ambiguities."""
    return BaselineModel(
        origin_m=np.zeros(3),
        position_var_m2=position_var_m2,
        clock_m=0.0,
        clock_var_m2=clock_var_m2,
        has_prior=0,
        prior_m=np.zeros(3),
        prior_cov_m2=np.zeros((3, 3)),
        held=np.zeros((N_SAT, N_SLOT), np.int8),
    )


@kernel
def add_state(state, value, variance, owner):
    """Append a state without correlations; returns its index, -1 when the filter is full.

    owner : sat * B + band of an ambiguity, else one of the OWNER_* numbers
    """
    n = append_state(state, value, owner)
    if n < 0:
        return -1
    for j in range(n):
        state.cov[n, j] = 0.0
        state.cov[j, n] = 0.0
    state.cov[n, n] = variance
    return n


@kernel
def append_state(state, value, owner):
    """Append a state whose covariances the caller enters; returns its index, -1 when full."""
    n = state.n_state
    if n >= state.state.shape[0]:
        return -1
    state.state[n] = value
    state.owner[n] = owner
    state.n_state = n + 1
    return n


@kernel
def remove_state(state, index):
    """Take a state out of the filter; the last one moves into its place and its owner is told."""
    last = state.n_state - 1
    if index != last:
        state.state[index] = state.state[last]
        for j in range(last + 1):  # the last row is valid also between half updates
            state.cov[index, j] = state.cov[last, j]
            state.cov[j, index] = state.cov[last, j]
        state.cov[index, index] = state.cov[last, last]
        state.owner[index] = state.owner[last]
        tell_owner(state, last, index)
    state.n_state = last
    return 0


@kernel
def tell_owner(state, old, new):
    """Enter the new index of a state in the table of its kind."""
    owner, n_band = state.owner[old], state.slot.shape[1]
    if owner >= 0:
        state.slot[owner // n_band, owner % n_band] = new
    elif owner == OWNER_WET:
        state.wet_slot = new
    elif owner <= OWNER_IONO:
        state.iono_slot[OWNER_IONO - owner] = new
    else:
        for g in range(state.n_group):
            if state.bias_slot[g] == old:
                state.bias_slot[g] = new
    return 0
