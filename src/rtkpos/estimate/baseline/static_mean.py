"""The coordinate of a static antenna: the running mean of its fixed epochs."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos._numba.decorator import kernel
from rtkpos.core.linear.normal_equations import invert_spd3
from rtkpos.estimate.robust import HUBER_K
from rtkpos.records.status import RunMode

PRIOR_FLOOR_M = 0.02  # no prior is tighter: slow multipath shifts single epochs by this much
APART_FLOOR_M = 0.15  # a fix nearer than this never contradicts the mean: multipath does that
APART_SIGMA = 5.0
LASTING_S = 3600.0  # errors that stay as long do not average out before: multipath of a place
MAX_CONTRADICTED = 10  # contradictions in a row before the mean is given up


class StaticMean(NamedTuple):
    """Weighted mean of fixed positions.

    position_m : (3,) ECEF [m]      information : (3, 3) [1/m^2]      cov_m2 : (3, 3) [m^2]
    prior_cov_m2, own_information, inverse, pull : (3, 3), (3,) work of `without_prior`
    n_epoch : in the mean      n_contradicted : fixes in a row that
        contradict it      first_ns, last_ns : first and last epoch used
    """

    position_m: FloatArray
    information: FloatArray
    cov_m2: FloatArray
    weight: FloatArray
    prior_cov_m2: FloatArray
    own_information: FloatArray
    inverse: FloatArray
    pull: FloatArray
    n_epoch: int
    n_contradicted: int
    first_ns: int
    last_ns: int


def static_mean() -> StaticMean:
    """A mean of nothing."""
    return StaticMean(
        position_m=np.zeros(3),
        information=np.zeros((3, 3)),
        cov_m2=np.zeros((3, 3)),
        weight=np.zeros((3, 3)),
        prior_cov_m2=np.zeros((3, 3)),
        own_information=np.zeros((3, 3)),
        inverse=np.zeros((3, 3)),
        pull=np.zeros(3),
        n_epoch=0,
        n_contradicted=0,
        first_ns=0,
        last_ns=0,
    )


@kernel
def at_rest(time_ns, settings, state):
    """Whether the antenna is known to stand still: static mode, or within the static start.

    time_ns : rover epoch [ns]      state : FilterState
    """
    if settings.mode == RunMode.STATIC.value:
        return True
    is_kinematic = settings.mode == RunMode.KINEMATIC.value
    return is_kinematic and time_ns - state.first_ns < settings.static_start_ns


@kernel
def contradicts(mean, position_m, cov_m2):
    """True when a fixed position is too far from the mean to be the same point.

    position_m : (3,) ECEF [m]      cov_m2 : (3, 3) of the position
    """
    if mean.n_epoch == 0:
        return False
    apart, spread = 0.0, 0.0
    for a in range(3):
        apart += (position_m[a] - mean.position_m[a]) ** 2
        spread += cov_m2[a, a] + mean.cov_m2[a, a]
    return apart > max(APART_FLOOR_M**2, APART_SIGMA**2 * spread)


@kernel
def huber_share(mean, position_m):
    """Weight factor of an epoch by its distance from the mean: 1 when usual, then as 1/distance.

    `mean.weight` holds the epoch's weight matrix: the distance is in its standard deviations.
    Source: Huber (1981), Robust Statistics, sec. 4.5, for a vector: k^2 of three components.
    """
    square = 0.0
    for a in range(3):
        for b in range(3):
            apart_a = position_m[a] - mean.position_m[a]
            square += apart_a * mean.weight[a, b] * (position_m[b] - mean.position_m[b])
    limit = 3.0 * HUBER_K**2
    return math.sqrt(limit / square) if square > limit else 1.0


@kernel
def add_to_mean(mean, position_m, cov_m2, time_ns, correlation_s):
    """Take one fixed epoch into the mean; epochs close in time count less (slow multipath).

    A sample of a first-order Gauss-Markov noise is worth (1 - rho) / (1 + rho) of an independent
    one (Priestley 1981, sec. 5.3.2). position_m : (3,) ECEF [m]      cov_m2 : (3, 3)
    Returns : int 0; 1 when the covariance is not usable
    """
    if invert_spd3(cov_m2, mean.weight) != 0:
        return 1
    share = 1.0
    if mean.n_epoch > 0:
        rho = math.exp(-abs(time_ns - mean.last_ns) * 1e-9 / correlation_s)
        share = (1.0 - rho) / (1.0 + rho)
        share *= huber_share(mean, position_m)
    for a in range(3):
        for b in range(3):
            mean.weight[a, b] *= share
            mean.information[a, b] += mean.weight[a, b]
    if invert_spd3(mean.information, mean.cov_m2) != 0:
        return 1
    for a in range(3):
        mean.position_m[a] = position_m[a] if mean.n_epoch == 0 else mean.position_m[a]
    pull0, pull1, pull2 = 0.0, 0.0, 0.0
    for b in range(3):
        apart = position_m[b] - mean.position_m[b]
        pull0 += mean.weight[0, b] * apart
        pull1 += mean.weight[1, b] * apart
        pull2 += mean.weight[2, b] * apart
    for a in range(3):
        cov = mean.cov_m2[a]
        mean.position_m[a] += cov[0] * pull0 + cov[1] * pull1 + cov[2] * pull2
    if mean.n_epoch == 0:
        mean.first_ns = time_ns
    mean.n_epoch += 1
    mean.n_contradicted = 0
    mean.last_ns = time_ns
    return 0


@kernel
def forget_mean(mean):
    """Restart the mean."""
    for a in range(3):
        for b in range(3):
            mean.information[a, b] = 0.0
    mean.n_epoch = 0
    mean.n_contradicted = 0
    return 0


@kernel
def use_as_prior(mean, model):
    """Make the mean the prior of this epoch's position, not tighter than PRIOR_FLOOR_M.

    model : BaselineModel
    """
    for a in range(3):
        model.prior_m[a] = mean.position_m[a]
        for b in range(3):
            model.prior_cov_m2[a, b] = mean.cov_m2[a, b]
        model.prior_cov_m2[a, a] += PRIOR_FLOOR_M**2
    model.has_prior = 1
    return 0


@kernel
def without_prior(mean, position_m, cov_m2):
    """Take the prior of `use_as_prior` out of a position that was estimated with it, in place.

    Information is what adds: the epoch's own is the difference of the two inverses.
    position_m : (3,) ECEF [m]      cov_m2 : (3, 3)      Returns : int 0; 1 when nothing is left
    """
    for a in range(3):
        for b in range(3):
            mean.prior_cov_m2[a, b] = mean.cov_m2[a, b]
        mean.prior_cov_m2[a, a] += PRIOR_FLOOR_M**2
    if invert_spd3(mean.prior_cov_m2, mean.inverse) != 0:
        return 1
    if invert_spd3(cov_m2, mean.own_information) != 0:
        return 1
    pull = mean.pull
    for a in range(3):
        pull[a] = 0.0
        for b in range(3):
            pull[a] += mean.own_information[a, b] * (position_m[b] - mean.position_m[b])
            mean.own_information[a, b] -= mean.inverse[a, b]
    if invert_spd3(mean.own_information, mean.inverse) != 0:
        return 1
    for a in range(3):
        position_m[a] = mean.position_m[a]
        for b in range(3):
            cov_m2[a, b] = mean.inverse[a, b]
            position_m[a] += cov_m2[a, b] * pull[b]
    return 0


@kernel
def mean_covariance(mean, epoch_cov_m2, out_cov_m2):
    """Covariance of the mean with the errors that last; the white part shrinks with every epoch.

    mean : StaticMean      epoch_cov_m2 : (3, 3) of a single fixed epoch, scaled      out_cov_m2 :
    (3, 3)      The mean of a Gauss-Markov noise over a span T much longer than its time tau has
    2 tau / T of its variance; tau / (tau + T / 2) joins that with a single epoch.
    Returns : float, the share of the lasting part
    """
    span_s = abs(mean.last_ns - mean.first_ns) * 1e-9
    share = LASTING_S / (LASTING_S + 0.5 * span_s)
    for a in range(3):
        for b in range(3):
            out_cov_m2[a, b] = mean.cov_m2[a, b] + share * epoch_cov_m2[a, b]
    return share
