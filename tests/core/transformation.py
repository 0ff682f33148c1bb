"""The matrix of an integer transformation, from what its steps do to unit vectors."""

from __future__ import annotations

import numpy as np

from rtkpos.core.integer_steps import from_decorrelated, to_decorrelated


def matrix_of(n, work):
    """Z (n, n) with z = Z a."""
    columns = np.zeros((n, n))
    for j in range(n):
        to_decorrelated(n, np.eye(n)[j], work, columns[j])
    return np.ascontiguousarray(columns.T)


def inverse_of(n, work):
    """Z^-1 (n, n)."""
    columns = np.zeros((n, n))
    for j in range(n):
        from_decorrelated(n, np.eye(n)[j], work, columns[j])
    return np.ascontiguousarray(columns.T)
