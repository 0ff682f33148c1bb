"""Success rate of integer bootstrapping."""

from __future__ import annotations

import math

from rtkpos._numba.decorator import kernel


@kernel
def bootstrapped_failure_rate(cond_var, first, n):
    """Probability that sequential rounding of the ambiguities first .. n - 1 is wrong.

    cond_var : (>= n,) conditional variances of the decorrelated ambiguities [cycle^2]
    Returns  : float   1 - prod(2 Phi(1 / (2 sigma_i)) - 1), exact also far below 1e-16;
                       0 for an empty range, 1 if a variance is NaN, negative or infinite

    Source: Teunissen (1998), Success probability of integer GPS ambiguity rounding and
    bootstrapping, J. Geodesy 72:606, eq. 20. It bounds integer least squares from above.
    """
    log_success = 0.0
    for i in range(first, n):
        variance = cond_var[i]
        if not 0.0 <= variance < math.inf:
            return 1.0
        if variance > 0.0:
            # 1 - (2 Phi(x) - 1) = erfc(x / sqrt 2) with x = 1 / (2 sigma)
            wrong = math.erfc(1.0 / math.sqrt(8.0 * variance))
            if wrong >= 1.0:
                return 1.0
            log_success += math.log1p(-wrong)
    return -math.expm1(log_success)


@kernel
def bootstrapped_success_rate(cond_var, first, n):
    """Probability that sequential rounding of the ambiguities first .. n - 1 is right.

    cond_var : (>= n,) conditional variances of the decorrelated ambiguities [cycle^2]
    Returns  : float   in [0, 1]; falls with every ambiguity added and every variance grown;
                       1 for an empty range, 0 if a variance is NaN, negative or infinite

    Source: Teunissen (1998), J. Geodesy 72:606, eq. 20; a lower bound for integer least squares.
    """
    return 1.0 - bootstrapped_failure_rate(cond_var, first, n)
