"""The matrix of an integer transformation and its inverse, for checks."""

from __future__ import annotations

import numpy as np

from rtkpos.core.ils.decorrelation import IntegerWorkspace
from rtkpos.core.ils.transformations import from_decorrelated, write_matrix


def as_tuple(work):
    """A workspace that lies in a record as the tuple of arrays that kernels are tested with."""
    if isinstance(work, IntegerWorkspace):
        return work
    return IntegerWorkspace(*(np.array(work[name]) for name in IntegerWorkspace._fields))


def matrix_of(n, work):
    """Z (n, n) with z = Z a."""
    work = as_tuple(work)
    matrix = np.full((n, n), np.nan)
    write_matrix(n, work, matrix)
    return matrix


def inverse_of(n, work):
    """Z^-1 (n, n), from what its steps do to unit vectors."""
    columns = np.zeros((n, n))
    for j in range(n):
        from_decorrelated(n, np.eye(n)[j], work, columns[j])
    return np.ascontiguousarray(columns.T)
