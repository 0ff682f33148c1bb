"""Order statistics without sorting everything."""

from __future__ import annotations

import math

from rtkpos._numba.decorator import kernel


@kernel
def select_smallest(values, n, k):
    """Put the k-th smallest (from 0) of values[:n] in its place, smaller ones before it.

    values : (>= n,) finite, rearranged      Returns : float, values[k]
    Source: Hoare (1961), Algorithm 65: FIND, Communications of the ACM 4:321.
    """
    low, high = 0, n - 1
    while low < high:
        pivot = values[k]
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                held = values[i]
                values[i] = values[j]
                values[j] = held
                i += 1
                j -= 1
        if j < k:
            low = i
        if k < i:
            high = j
    return values[k]


@kernel
def median_of(values, n):
    """Median of values[:n]; NaN for n = 0. values : (>= n,) finite, any unit, rearranged."""
    if n == 0:
        return math.nan
    upper = select_smallest(values, n, n // 2)
    if n % 2:
        return upper
    lower = values[0]
    for i in range(1, n // 2):
        lower = max(lower, values[i])
    return 0.5 * (lower + upper)
