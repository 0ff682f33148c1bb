"""The estimate between float and fixed: integer candidates weighed by their probability.

Where no set of integers may be called right, the best position is neither the float, which ignores
that they are integers, nor the best candidate, which may be wrong.
"""

from __future__ import annotations

import math

from rtkpos._numba.decorator import kernel
from rtkpos.estimate.ambiguity.fixing import solve_transposed


@kernel
def equivariant_position(n, probability, state, amb, out_position_m, out_cov_m2):
    """Best integer equivariant position and its covariance.

    n : double differences      probability : that the best candidate is right (`fix_probability`)
    state, amb : after `condition_position`      out_position_m : (3,)      out_cov_m2 : (3, 3)
    The candidates share what a noise model gives them, exp(-norm / 2) each; where that makes the
    best one more certain than `probability`, the difference goes to the float solution.
    Returns : int, candidates used
    Source: Teunissen (2003), J. Geodesy 77:402, eq. 23; finite sums: Odolinski & Teunissen (2020).
    """
    n_candidate = amb.norms.shape[0]
    candidate_weights(n - amb.first_fixed, probability, amb)
    for a in range(3):
        amb.shift_m[a] = 0.0
    for c in range(n_candidate):
        candidate_shift(c, n, amb)
        for a in range(3):
            amb.shift_m[a] += amb.weight[c] * amb.shifts[c, a]
    rest = 1.0
    for c in range(n_candidate):
        rest -= amb.weight[c]
    for a in range(3):
        out_position_m[a] = state.state[a] + amb.shift_m[a]
        for b in range(3):
            spread = rest * amb.shift_m[a] * amb.shift_m[b]
            for c in range(n_candidate):
                apart = (amb.shifts[c, a] - amb.shift_m[a]) * (amb.shifts[c, b] - amb.shift_m[b])
                spread += amb.weight[c] * apart
            out_cov_m2[a, b] = state.cov[a, b] - (1.0 - rest) * amb.gain_m2[a, b] + spread
    return n_candidate


@kernel
def candidate_weights(n, probability, amb):
    """Weights of the candidates into amb.weight, the best one's at most `probability`."""
    factor, total = max(amb.norms[0] / n, 1.0), 0.0
    for c in range(amb.norms.shape[0]):
        amb.weight[c] = math.exp(-0.5 * (amb.norms[c] - amb.norms[0]) / factor)
        total += amb.weight[c]
    share = min(1.0 / total, probability)
    for c in range(amb.norms.shape[0]):
        amb.weight[c] *= share
    return 0


@kernel
def candidate_shift(c, n, amb):
    """Effect of candidate c on the position into amb.shifts[c] [m]; see `condition_position`."""
    ils, first = amb.search, amb.first_fixed
    for k in range(first, n):
        amb.scratch[k] = amb.integers[c, k] - ils.floats_z[k]
    solve_transposed(first, n, amb.scratch, ils, amb.dd_vector)
    for a in range(3):
        amb.shifts[c, a] = 0.0
        for k in range(first, n):
            amb.shifts[c, a] += amb.cross[a, k] * amb.dd_vector[k] / ils.cond_var[k]
    return 0
