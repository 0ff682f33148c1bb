"""Probability of a correct fix.

The ratio test asks whether a model's best integers are clearly better than its second best; it
does not know how far the model itself holds. What every fix carries tells more together: how many
integers agree, how much better the best set is, how strong the model was, how badly the floats fit
the integers, how noisy the codes are, how old the base's epoch is, and what the satellites say that
took no part. The weights were fitted on recordings with truth.
"""

from __future__ import annotations

import math

from rtkpos._numba.decorator import kernel
from rtkpos.gnss.systems import GLONASS, system_of

# Logistic regression on every other half minute of 80 runs over nine recordings, as they are and
# made worse (old base epochs, noisier codes, fewer satellites and bands), checked on the rest; by
# tools/fit_trust.py, reliability in docs/decisions/trust.md.
INTERCEPT = -13.5
PER_LOG_RATIO = 2.5
PER_LOG_INTEGERS = 6.4
PER_LOG_CODE_MISFIT = -1.5
PER_LOG_INTEGER_MISFIT = -3.1
PER_LOG10_FAILURE = -0.82
PER_HELD_OUT = 0.6
PER_LOG_AGE = -1.2
RATIO_CAP = 50.0
INTEGER_MISFIT_FLOOR = 0.3  # less than the noise model says is no further comfort
FAILURE_FLOOR = 1e-6
HELD_OUT_CAP = 6.0

HELD_OUT_SIGMA_CYCLE = 0.06  # of a phase predicted from the fix: multipath and noise
HELD_OUT_SHARE = 0.8  # of the satellites left out that are sound: the rest slipped or are blocked


@kernel
def fix_probability(n, code_misfit, age_s, amb):
    """Probability that a set of integers is right: float 0 .. 1, 0 where a number is NaN.

    n : integers fixed      code_misfit : RMS of the codes' normalised residuals, at least 1
    age_s : of the base's epoch      amb : after the search and the post-fit residuals
    """
    ratio, failure, norm, held_out = (
        amb.ratio,
        amb.failure_rate,
        amb.best_norm,
        amb.held_out_evidence,
    )
    if not (ratio >= 1.0 and n > 0 and code_misfit > 0.0 and age_s >= 0.0 and norm >= 0.0):
        return 0.0
    if math.isnan(failure) or math.isnan(held_out):
        return 0.0
    odds = INTERCEPT + PER_LOG_RATIO * math.log(min(ratio, RATIO_CAP))
    odds += PER_LOG_INTEGERS * math.log(n)
    odds += PER_LOG_CODE_MISFIT * math.log(max(code_misfit, 1.0))
    odds += PER_LOG_INTEGER_MISFIT * math.log(max(norm / n, INTEGER_MISFIT_FLOOR))
    odds += PER_LOG10_FAILURE * math.log10(min(max(failure, FAILURE_FLOOR), 1.0))
    odds += PER_HELD_OUT * min(max(held_out, -HELD_OUT_CAP), HELD_OUT_CAP)
    odds += PER_LOG_AGE * math.log1p(age_s)
    return 1.0 / (1.0 + math.exp(-min(max(odds, -50.0), 50.0)))


@kernel
def held_out_evidence(work, amb, rows):
    """Log-likelihood ratio right : wrong of the satellites not used in the fix.

    From the fixed position and the phase clock of its group the phase of a satellite that took no
    part is known but for whole cycles. A right fix leaves a fraction near zero, a wrong one any.
    Needs the fit of `postfit_phase_rms`. Returns : float, 0 without such a satellite
    """
    fit, total = rows.fit.fit, 0.0
    for i in range(work.n_sat):
        for band in range(work.group.shape[1]):
            group = work.datum_group[i, band]
            if work.group[i, band] < 0 or amb.candidate[i, band] or work.half_cycle[i, band]:
                continue
            if system_of(work.sat[i]) == GLONASS:
                continue  # its clock holds the reference's ambiguity, its bias the channel
            if amb.reference[group] < 0 or math.isnan(work.sd_phase_m[i, band]):
                continue
            residual = work.sd_phase_m[i, band] - fit.clock[group]
            for axis in range(3):
                residual += work.los[i, axis] * fit.x[axis]
            cycles = residual / work.wavelength_m[i, band]
            total += fraction_evidence(cycles - math.floor(cycles + 0.5))
    return total


@kernel
def fraction_evidence(fraction_cycle):
    """Log likelihood ratio of one fraction: normal around zero (mostly) against uniform."""
    normal = math.exp(-0.5 * (fraction_cycle / HELD_OUT_SIGMA_CYCLE) ** 2)
    normal /= HELD_OUT_SIGMA_CYCLE * math.sqrt(2.0 * math.pi)
    return math.log(HELD_OUT_SHARE * normal + (1.0 - HELD_OUT_SHARE))
