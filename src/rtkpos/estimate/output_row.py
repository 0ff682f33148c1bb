"""Writing a row of the output: positions, and the figures behind their verdict.

Legend: memory StepMemory      out (n_epoch,) StepOutput records, row k_out
"""

from __future__ import annotations

from rtkpos._numba.decorator import kernel

PLACE_LIMIT_M = 1e9  # from the centre of the earth; no receiver is further away


@kernel
def is_possible(position_m, cov_m2):
    """Whether a position (3,) [m] and its covariance cov_m2 (3, 3) [m^2] are numbers of a place.

    False for NaN, infinity, what is further away than any antenna, and negative variances.
    """
    possible = True
    for a in range(3):
        possible = possible and abs(position_m[a]) < PLACE_LIMIT_M
        possible = possible and cov_m2[a, a] >= 0.0
        for b in range(3):
            possible = possible and abs(cov_m2[a, b]) < PLACE_LIMIT_M**2
    return possible


@kernel
def write_position(out, k, position_m, cov_m2, status, reason):
    """Enter a position (3,) [m] with its covariance (3, 3) [m^2], status and reason in row k."""
    for a in range(3):
        out[k].ecef_m[a] = position_m[a]
        for b in range(3):
            out[k].cov_ecef_m2[a, b] = cov_m2[a, b]
    out[k].status = status
    out[k].reason = reason
    return 0


@kernel
def keep_figures(out, k_out):
    """The figures behind the verdict of a first attempt, for `restore_figures`."""
    row = out[k_out]
    return row.ratio, row.ratio_needed, row.success_rate, row.probability, row.postfit_phase_m


@kernel
def restore_figures(figures, out, k_out):
    """Write the figures of the attempt whose reason stands: a second one has overwritten them."""
    out[k_out].ratio, out[k_out].ratio_needed = figures[0], figures[1]
    out[k_out].success_rate, out[k_out].probability = figures[2], figures[3]
    out[k_out].postfit_phase_m = figures[4]
    return 0


@kernel
def write_own(memory, out, k_out):
    """Enter the fixed position of this epoch by itself."""
    for a in range(3):
        out[k_out].own_ecef_m[a] = memory.epoch_m[a]
        for b in range(3):
            out[k_out].own_cov_m2[a, b] = memory.epoch_cov_m2[a, b]
    return 0
