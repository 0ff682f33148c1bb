"""Common satellites of a rover and a base epoch, and their signal pairs, compiled."""

from __future__ import annotations

import math

from rtkpos._numba.decorator import kernel


@kernel
def next_satellite(obs, row, end):
    """First row after `row` that belongs to another satellite (rows are sorted by satellite).

    obs : ObsArrays      row, end : (int) row range of an epoch      Returns : int, at most `end`
    """
    sat = obs.sat[row]
    while row < end and obs.sat[row] == sat:
        row += 1
    return row


@kernel
def pair_cost(sig_rover, sig_base, rank, family):
    """How badly two codes of one band fit: same code, same family, across families; then by rank.

    rank, family : (N_SIG,) tables of the `PairingPlan`      Returns : int, lower is better
    """
    if sig_rover == sig_base:
        mismatch = 0
    elif family[sig_rover] & family[sig_base]:
        mismatch = 1
    else:
        mismatch = 2
    return mismatch * 1000 + 10 * int(rank[sig_rover]) + int(rank[sig_base])


@kernel
def pair_signals(obs_rover, rows_rover, obs_base, rows_base, plan, out_rows):
    """Choose the best signal pair of each band slot of one satellite; phase pairs come first.

    rows_rover, rows_base : (first, end) rows of the satellite      plan : PairingPlan
    out_rows : (2, B) observation rows, -1 = no pair      Returns : int, number of slots paired
    """
    n_slot = out_rows.shape[1]
    out_rows[:] = -1
    n_paired = 0
    for slot in range(n_slot):
        best = 1 << 30
        for i in range(rows_rover[0], rows_rover[1]):
            if plan.slot[obs_rover.sig[i]] != slot:
                continue
            for j in range(rows_base[0], rows_base[1]):
                if plan.slot[obs_base.sig[j]] != slot:
                    continue
                cost = pair_cost(obs_rover.sig[i], obs_base.sig[j], plan.rank, plan.family)
                if math.isnan(obs_rover.phase_cycle[i] + obs_base.phase_cycle[j]):
                    cost += 100_000
                if math.isnan(obs_rover.code_m[i] + obs_base.code_m[j]):
                    cost += 10_000
                if cost < best:
                    best = cost
                    out_rows[0, slot] = i
                    out_rows[1, slot] = j
        if best < 1 << 30:
            n_paired += 1
    return n_paired


@kernel
def pair_epoch(obs_rover, k_rover, obs_base, k_base, plan, work):
    """Find common satellites of two epochs and their signal pairs.

    obs_rover, obs_base : ObsArrays      k_rover, k_base : epoch indices      plan : PairingPlan
    work : EpochWork; fills n_sat, sat, row      Returns : int, number of common satellites

    Both row ranges are sorted by satellite, so one walk over both finds all pairs.
    """
    i, i_end = obs_rover.row_start[k_rover], obs_rover.row_start[k_rover + 1]
    j, j_end = obs_base.row_start[k_base], obs_base.row_start[k_base + 1]
    n = 0
    while i < i_end and j < j_end and n < work.sat.shape[0]:
        sat = obs_rover.sat[i]
        if sat < obs_base.sat[j]:
            i = next_satellite(obs_rover, i, i_end)
        elif sat > obs_base.sat[j]:
            j = next_satellite(obs_base, j, j_end)
        else:
            i_next = next_satellite(obs_rover, i, i_end)
            j_next = next_satellite(obs_base, j, j_end)
            if plan.wanted[sat] and pair_signals(
                obs_rover, (i, i_next), obs_base, (j, j_next), plan, work.row[:, n, :]
            ):
                work.sat[n] = sat
                n += 1
            i, j = i_next, j_next
    work.n_sat = n
    return n
