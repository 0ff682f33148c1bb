"""Scalar products of rows in four sums, which a processor can carry on side by side.

One sum waits for each addition to end before the next begins; the rows of integer fixing are 30
to 120 long, so that this waiting was a tenth of an epoch. Source: Higham (2002), Accuracy and
Stability of Numerical Algorithms, sec. 3.1: sums of parts err no more than one sum.
"""

from __future__ import annotations

from rtkpos._numba.decorator import fused_kernel


@fused_kernel
def dot(first, second, n):
    """Sum of first[i] * second[i] over i < n.

    first, second : (>= n,)      Returns : float, 0 for n = 0
    """
    s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0
    for quarter in range(n // 4):
        i = 4 * quarter
        s0 += first[i] * second[i]
        s1 += first[i + 1] * second[i + 1]
        s2 += first[i + 2] * second[i + 2]
        s3 += first[i + 3] * second[i + 3]
    for i in range(n // 4 * 4, n):
        s0 += first[i] * second[i]
    return (s0 + s1) + (s2 + s3)
