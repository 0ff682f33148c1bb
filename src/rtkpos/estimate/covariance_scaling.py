"""Covariance scaling: variance factors for what an epoch's own model leaves out.

A covariance from weights alone takes every phase as independent. Multipath and the
atmosphere are common to the bands of a satellite and last for minutes, codes of a blocked receiver
are late together. Two numbers of the epoch itself tell how far: the scatter of its phases after
fixing and the misfit of its codes. Calibrated so that 95 % ellipses of all recordings together hold
93 to 97 % of the truth, fixed and float; see docs/decisions/ellipses.md.
"""

from __future__ import annotations

from rtkpos._numba.decorator import kernel

FIXED_MODEL, FIXED_SCATTER = 1.25, 1.25
FLOAT_MODEL = 0.8


@kernel
def fixed_variance_factor(variance_factor):
    """Factor on the covariance of a fixed position; the model's share and that of the scatter.

    variance_factor : of the phases after fixing, 1 when they scatter as the model says; NaN counts
        as 1
    """
    if not variance_factor >= 0.0:
        variance_factor = 1.0
    return FIXED_MODEL + FIXED_SCATTER * variance_factor


@kernel
def float_variance_factor(code_misfit):
    """Factor on the covariance of a position that rests on codes.

    code_misfit : RMS of their normalised residuals, at least 1. The covariance holds its square
        already, as for independent codes; that they disagree by more than noise says that they err
        together, which counts once more.
    """
    return FLOAT_MODEL * code_misfit * code_misfit


@kernel
def scale_covariance(cov_m2, factor):
    """Multiply a covariance (3, 3) in place."""
    for a in range(3):
        for b in range(3):
            cov_m2[a, b] *= factor
    return 0
