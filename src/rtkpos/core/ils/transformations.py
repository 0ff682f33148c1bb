"""An integer transformation as the list of its steps, applied to vectors one after the other.

A decorrelation of n ambiguities is a permutation followed by some hundred steps: z_k and z_(k+1)
change places, or z_k loses a multiple of z_i. Its matrix Z is hardly ever wanted, only what it does
to a few vectors; keeping Z and its inverse up to date took most of the time of a reduction.
Source of the steps: de Jonge & Tiberius (1996), LGR-Series 12, ch. 3.

work : IntegerWorkspace, with order (n_max,), steps (n_step_max, 2), multiple (n_step_max,), 0 for
exchanges, n_step and growth (n_max,); vectors are (>= n,) and may not be one array
"""

from __future__ import annotations

from rtkpos._numba.decorator import kernel


@kernel
def begin_steps(n, work):
    """No step yet; work.order is the identity."""
    for k in range(n):
        work.order[k] = k
        work.growth[k] = 1.0
    work.n_step = 0
    return 0


@kernel
def add_exchange(k, work):
    """Note that z_k and z_(k+1) change places."""
    step = work.n_step
    work.steps[step, 0], work.steps[step, 1] = k, k + 1
    work.multiple[step] = 0.0
    held = work.growth[k]
    work.growth[k] = work.growth[k + 1]
    work.growth[k + 1] = held
    work.n_step = step + 1
    return step + 1


@kernel
def add_subtraction(k, i, mu, work):
    """Note that z_k loses mu z_i, mu an integer other than 0.

    work.growth bounds how much larger than those of z the integers of a can be, row by row.
    """
    step = work.n_step
    work.steps[step, 0], work.steps[step, 1] = k, i
    work.multiple[step] = mu
    work.growth[i] += abs(mu) * work.growth[k]
    work.n_step = step + 1
    return step + 1


@kernel
def to_decorrelated(n, vector, work, out):
    """Z times a vector: out_z = Z a."""
    for k in range(n):
        out[k] = vector[work.order[k]]
    for step in range(work.n_step):
        k, i, mu = work.steps[step, 0], work.steps[step, 1], work.multiple[step]
        if mu == 0.0:
            held = out[k]
            out[k] = out[i]
            out[i] = held
        else:
            out[k] -= mu * out[i]
    return 0


@kernel
def from_decorrelated(n, vector, work, out):
    """The inverse: out_a = Z^-1 z, exact for integers. The vector is used up."""
    for step in range(work.n_step - 1, -1, -1):
        k, i, mu = work.steps[step, 0], work.steps[step, 1], work.multiple[step]
        if mu == 0.0:
            held = vector[k]
            vector[k] = vector[i]
            vector[i] = held
        else:
            vector[k] += mu * vector[i]
    for k in range(n):
        out[work.order[k]] = vector[k]
    return 0


@kernel
def transposed_times(n, vector, work, out):
    """Z' times a vector. The vector is used up."""
    for step in range(work.n_step - 1, -1, -1):
        k, i, mu = work.steps[step, 0], work.steps[step, 1], work.multiple[step]
        if mu == 0.0:
            held = vector[k]
            vector[k] = vector[i]
            vector[i] = held
        else:
            vector[i] -= mu * vector[k]
    for k in range(n):
        out[work.order[k]] = vector[k]
    return 0


@kernel
def write_matrix(n, work, out_matrix):
    """Write Z itself, for those who want many of its columns.

    out_matrix : (>= n, >= n)
    """
    for k in range(n):
        row = out_matrix[k]
        for j in range(n):
            row[j] = 0.0
        row[work.order[k]] = 1.0
    for step in range(work.n_step):
        mu = work.multiple[step]
        to, source = out_matrix[work.steps[step, 0]], out_matrix[work.steps[step, 1]]
        if mu == 0.0:
            for j in range(n):
                held = to[j]
                to[j] = source[j]
                source[j] = held
        else:
            for j in range(n):
                to[j] -= mu * source[j]
    return 0
