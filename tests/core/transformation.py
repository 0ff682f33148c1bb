"""The matrix of an integer transformation and its inverse, for checks."""

from __future__ import annotations

import numpy as np

from rtkpos._arrays import record_of
from rtkpos.core.ils.decorrelation import integer_workspace
from rtkpos.core.ils.transformations import from_decorrelated, write_matrix
from rtkpos.estimate.baseline.epoch_work import N_DD


def workspace():
    """A workspace of the size of the filter's, so that its kernels need no other form."""
    return record_of(integer_workspace(N_DD))


def matrix_of(n, work):
    """Z (n, n) with z = Z a."""
    matrix = np.full((n, n), np.nan)
    write_matrix(n, work, matrix)
    return matrix


def inverse_of(n, work):
    """Z^-1 (n, n), from what its steps do to unit vectors."""
    columns = np.zeros((n, n))
    for j in range(n):
        from_decorrelated(n, np.eye(n)[j], work, columns[j])
    return np.ascontiguousarray(columns.T)
