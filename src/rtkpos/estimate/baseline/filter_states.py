"""States of the relative filter entering and leaving it, whatever they stand for."""

from __future__ import annotations

from rtkpos._numba.decorator import kernel

# Owners of states; an ambiguity is owned by sat * B + band >= 0.
OWNER_BIAS = -1
OWNER_WET = -2
OWNER_IONO = -3  # of satellite 0; that of satellite s is OWNER_IONO - s


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
