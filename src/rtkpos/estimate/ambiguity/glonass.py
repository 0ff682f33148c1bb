"""GLONASS integers: the bias that differs from channel to channel, assumed or learnt.

Every GLONASS satellite has its own carrier f = f0 + k df, so a receiver's delay differs by channel,
nearly linearly (Wanninger 2012, J. Geodesy 86:139). With the single-difference phase bias b and its
slope s [m per channel], the filter's ambiguity in cycles is

    N + (b + s k) f / c  =  N + b f0 / c + k (b df + s f0) / c + k^2 s df / c,

of which the last term stays below 0.003 cycle. A double difference of ambiguities is thus an
integer plus ifb times the difference of channels. ifb [cycle per channel] is one number per
band and pair of receivers. Its uncertainty goes into the covariance of the double differences; the
position does not depend on it. It is near zero for receivers of one type, else it is learnt from
fixed epochs by the ambiguity function (Counselman & Gourevitch 1981, IEEE Trans. GE-19:244), and
until then GLONASS ambiguities stay real: docs/decisions/glonass.md.

`amb` : AmbiguityWork; its `channel_bias`, `channel_bias_var` and `channel_bias_epochs` (2,) hold
mean, variance and epochs by band G1, G2, a variance of 0 meaning unknown, and `channel_score`
(2, N_IFB) the ambiguity function
"""

from __future__ import annotations

import math

from rtkpos._numba.decorator import kernel
from rtkpos.constants import SPEED_OF_LIGHT_MPS
from rtkpos.estimate.baseline.filter import predicted
from rtkpos.gnss.systems import GLONASS, system_of

N_BAND = 2  # G1, G2
G1_HZ, G1_STEP_HZ = 1602.0e6, 0.5625e6  # ICD GLONASS 5.1, table 3.1
G2_HZ, G2_STEP_HZ = 1246.0e6, 0.4375e6
REACH_HZ = 5.0e6  # of the channels of a band around its centre

GLONASS_OFF, GLONASS_LEARNT, GLONASS_ALIKE = range(3)

ALIKE_VARIANCE = 0.02**2  # of ifb between receivers of one type
LEARNT_VARIANCE = 0.005**2
KAPPA_STEP = 0.01  # cycle per channel
REAL, IMAGINARY = range(2)  # rows of the sums of unit vectors
N_IFB = 61  # -0.3 .. 0.3: six centimetres per channel; the largest known is five
LOBE = 10  # grid points to either side of the peak that belong to it
MEMORY_EPOCHS = 300.0
LEARN_EPOCHS = 10.0
LEARN_SATELLITES = 5
SCORE_MIN = 0.8  # mean length of the sum of unit vectors, 1 = all are integers
SCORE_AHEAD = 0.15  # before the next peak
SCORE_LOST = 0.65  # a learnt bias is forgotten below


@kernel
def glonass_band(sat, wavelength_m):
    """Band of an FDMA signal: 0 for G1, 1 for G2, -1 for CDMA and other systems."""
    if system_of(sat) != GLONASS or not wavelength_m > 0.0:
        return -1
    hertz = SPEED_OF_LIGHT_MPS / wavelength_m
    if abs(hertz - G1_HZ) < REACH_HZ:
        return 0
    return 1 if abs(hertz - G2_HZ) < REACH_HZ else -1


@kernel
def channel_number(band, wavelength_m):
    """FDMA channel of a wavelength; band : 0 G1, 1 G2."""
    hertz = SPEED_OF_LIGHT_MPS / wavelength_m
    if band == 0:
        return math.floor((hertz - G1_HZ) / G1_STEP_HZ + 0.5)
    return math.floor((hertz - G2_HZ) / G2_STEP_HZ + 0.5)


@kernel
def glonass_may_fix(sat, wavelength_m, mode, amb):
    """Whether the channel bias of a GLONASS signal is known well enough; mode : GLONASS_*."""
    band = glonass_band(sat, wavelength_m)
    if mode == GLONASS_OFF or band < 0:
        return False
    return mode == GLONASS_ALIKE or amb.channel_bias_var[band] > 0.0


@kernel
def add_channel_bias(n, work, amb):
    """Take the mean bias off the GLONASS floats and put its variance into their covariance.

    Fills amb.channels (2, N_DD): channel minus the reference's by band, 0 for other differences.
    Returns : int, number of GLONASS differences among the n
    """
    found = 0
    for j in range(n):
        for band in range(N_BAND):
            amb.channels[band, j] = 0.0
        i, slot = amb.satellite[j], amb.band[j]
        band = glonass_band(work.sat[i], work.wavelength_m[i, slot])
        if band >= 0:
            reference = amb.reference[work.datum_group[i, slot]]
            apart = channel_number(band, work.wavelength_m[i, slot])
            apart -= channel_number(band, work.wavelength_m[reference, slot])
            amb.channels[band, j] = apart
            found += 1
    if found == 0:
        return 0
    for band in range(N_BAND):
        variance = amb.channel_bias_var[band]
        if not variance > 0.0:
            variance = ALIKE_VARIANCE
        for j in range(n):
            amb.floats[j] -= amb.channel_bias[band] * amb.channels[band, j]
            for k in range(j + 1):
                amb.cov[j, k] += variance * amb.channels[band, j] * amb.channels[band, k]
    return found


@kernel
def restore_channel_bias(n, amb):
    """Add the mean bias to conditional floats again: ambiguities as the filter has them."""
    for band in range(N_BAND):
        for j in range(n):
            amb.floats[j] += amb.channel_bias[band] * amb.channels[band, j]
    return n


@kernel
def channel_bias_variance(j, wavelength_m, amb):
    """Variance that the channel bias leaves in the phase of double difference j [m^2]."""
    total = 0.0
    for band in range(N_BAND):
        variance = amb.channel_bias_var[band]
        if not variance > 0.0:
            variance = ALIKE_VARIANCE
        total += variance * amb.channels[band, j] ** 2
    return total * wavelength_m**2


@kernel
def learn_channel_bias(work, state, origin_m, position_m, amb):
    """Learn ifb of both bands from the phases of a fixed epoch; returns bands known.

    state : FilterState; one metre of error of its clock moves ifb by 0.002
    origin_m, position_m : (3,) linearisation point and fixed position [m]
    """
    known = 0
    for band in range(N_BAND):
        n = epoch_score(band, work, state, origin_m, position_m, amb)
        if n >= LEARN_SATELLITES:
            judge_channel_bias(band, amb)
        known += amb.channel_bias_var[band] > 0.0
    return known


@kernel
def epoch_score(band, work, state, origin_m, position_m, amb):
    """Add this epoch's ambiguity function of ifb to the score; returns satellites used.

    Its value is the length of the mean of exp(2 pi i (phase / wavelength - ifb k)): 1 where all
    phases are integers but for a common offset. Satellites of the first phase-datum group seen
    take part.
    origin_m, position_m : (3,) linearisation point and fixed position [m]
    """
    n, group = 0, -1
    for i in range(work.n_sat):
        for slot in range(work.group.shape[1]):
            is_other = glonass_band(work.sat[i], work.wavelength_m[i, slot]) != band
            if is_other or work.group[i, slot] < 0 or not work.phase_ok[i, slot]:
                continue
            if work.half_cycle[i, slot] or (group >= 0 and work.datum_group[i, slot] != group):
                continue
            group = work.datum_group[i, slot]
            value = work.sd_phase_m[i, slot] - predicted(i, slot, -1.0, work, state, origin_m)
            for axis in range(3):
                value += work.los[i, axis] * (position_m[axis] - state.state[axis])
            amb.scratch[n] = value / work.wavelength_m[i, slot]
            amb.dd_vector[n] = channel_number(band, work.wavelength_m[i, slot])
            n += 1
    if n < LEARN_SATELLITES:
        return n
    keep = 1.0 - 1.0 / MEMORY_EPOCHS
    amb.channel_bias_epochs[band] = keep * amb.channel_bias_epochs[band] + 1.0
    for g in range(N_IFB):
        amb.ifb_sum[REAL, g], amb.ifb_sum[IMAGINARY, g] = 0.0, 0.0
    for k in range(n):
        add_unit_vectors(amb.scratch[k], amb.dd_vector[k], amb.ifb_sum)
    for g in range(N_IFB):
        re, im = amb.ifb_sum[REAL, g], amb.ifb_sum[IMAGINARY, g]
        length = math.sqrt(re * re + im * im)
        amb.channel_score[band, g] = keep * amb.channel_score[band, g] + length / n
    return n


@kernel
def add_unit_vectors(phase_cycle, channel, out_sum):
    """Add exp(2 pi i (phase - ifb channel)) for all ifb of the grid, each turned from the last.

    phase_cycle, channel : of one satellite      out_sum : (2, N_IFB) real and imaginary parts
    """
    start = 2.0 * math.pi * (phase_cycle + KAPPA_STEP * (N_IFB // 2) * channel)
    turn = -2.0 * math.pi * KAPPA_STEP * channel
    re, im, turn_re, turn_im = math.cos(start), math.sin(start), math.cos(turn), math.sin(turn)
    for g in range(N_IFB):
        out_sum[REAL, g] += re
        out_sum[IMAGINARY, g] += im
        re, im = re * turn_re - im * turn_im, re * turn_im + im * turn_re
    return 0


@kernel
def peak_of(score, best):
    """Place of the maximum near grid point `best` by a parabola through it and its neighbours."""
    if best == 0 or best == score.shape[0] - 1:
        return float(best)
    left, right = score[best - 1], score[best + 1]
    bend = left - 2.0 * score[best] + right
    return best + 0.5 * (left - right) / bend if bend < 0.0 else float(best)


@kernel
def judge_channel_bias(band, amb):
    """Take the peak of the score as the bias when it is high and alone; returns 1 when it is."""
    score, epochs = amb.channel_score[band], amb.channel_bias_epochs[band]
    best, next_best = 0, 0.0
    for g in range(N_IFB):
        if score[g] > score[best]:
            best = g
    for g in range(N_IFB):
        if abs(g - best) > LOBE:
            next_best = max(next_best, score[g])
    clear = score[best] > (next_best + SCORE_AHEAD * epochs)
    if epochs >= LEARN_EPOCHS and clear and score[best] >= SCORE_MIN * epochs:
        amb.channel_bias[band] = KAPPA_STEP * (peak_of(score, best) - N_IFB // 2)
        amb.channel_bias_var[band] = LEARNT_VARIANCE
        return 1
    if score[best] < SCORE_LOST * epochs:
        amb.channel_bias[band] = 0.0
        amb.channel_bias_var[band] = 0.0
    return 0
