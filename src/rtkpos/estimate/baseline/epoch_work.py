"""Memory of the compiled step: the epoch's work arrays, the filter's state, the settings.

Allocated once by Python, owned by `solve`, handed to the kernels as named tuples of arrays.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rtkpos._arrays import (
    FlagArray,
    FloatArray,
    IndexArray,
    SatArray,
    SmallArray,
    TimeArray,
    row_width,
)
from rtkpos.core.linear.normal_equations import N_GROUP_MAX
from rtkpos.gnss.systems import N_SAT
from rtkpos.prepare.pairing import N_SLOT

M_SAT = 80  # common satellites of an epoch; five systems in the open sky show about 60
N_GROUP = N_GROUP_MAX  # (rover code, base code) pairs
N_FIXED_STATE = 4  # position (3), clock difference
N_STATE = 352  # position, clock, code biases, live ambiguities, atmosphere
N_PENDING = 8  # updates subtracted from the covariance together
N_PAIR = N_SLOT * (N_SLOT - 1) // 2  # band pairs of a satellite
N_ROW = M_SAT * N_SLOT  # (satellite, band) rows of an epoch
N_TRACK = 2048  # observation rows of one receiver's epoch that are watched for slips
N_CODE_PAIR = 64  # code pairs counted for the report
N_DD = 128  # double differences in one integer search


class EpochWork(NamedTuple):
    """One epoch of rover and base, satellite by satellite; index 0 = rover, 1 = base.

    count : (4,) [0] common satellites [1] groups touched     sat : (M,)
    row : (2, M, B) observation rows, -1 = none      group : (M, B) pair group, -1 = none
    joint : (M, B) the group whose phases this one's can be compared with
    sat_state : (2, M, 8) `core.orbits` state at transmission      eph_row : (M,)
    range_m, trop_m, elevation_rad : (2, M)      los : (M, 3) from the rover
    antenna_m : (2, M, B) phase-centre corrections [m]
    wavelength_m : (M, B)      sd_code_m, sd_phase_m : (M, B) observed minus modelled, NaN = missing
    var_code_m2, var_phase_m2 : (M, B)      slip, half_cycle : (M, B)
    half_of : (2, M, B) half-cycle bit by receiver      code_weight : (M, B) 1/variance, 0 = unused
    code_part : (M, B) share of that weight which is news to the filter
    phase_ok : (M, B) phase takes part      residual_m : (M, B) phase residual after fixing
    iono_factor : (M, B) ionosphere on the band over that on GPS L1      wet_factor : (M,) mapping
    of a zenith wet delay      baseline_m : (1,) length of the line      code_misfit : (1,) RMS of
    the codes' normalised residuals, at least 1
    iono_sigma_m, wet_sigma_m : (M,), (1,) of a virtual base's corrections, slant on L1 and zenith
    base_kind : (1,) BASE_* of `estimate.virtual`
    nis : (2,) sum of squared normalised phase innovations of the epoch, and their number
    shared_state : (N_SAT, 8) states at transmission from the code position of this epoch
    shared_row : (N_SAT,) the ephemeris of each, -1 = none      shared_ns : (1,) its epoch
    shared_s : (N_SAT,) time of transmission after that [s]
    pending, pending_var, n_pending : (N_PENDING, N), (N_PENDING,), (1,) updates the covariance
        still lacks, see `estimate.pending`; none between calls
    """

    count: IndexArray  # type: ignore[assignment]  # hides tuple.count, which nobody calls
    sat: SatArray
    row: IndexArray
    group: IndexArray
    joint: IndexArray
    sat_state: FloatArray
    eph_row: IndexArray
    range_m: FloatArray
    trop_m: FloatArray
    elevation_rad: FloatArray
    los: FloatArray
    antenna_m: FloatArray
    wavelength_m: FloatArray
    sd_code_m: FloatArray
    sd_phase_m: FloatArray
    var_code_m2: FloatArray
    var_phase_m2: FloatArray
    code_weight: FloatArray
    code_part: FloatArray
    phase_ok: SmallArray
    slip: SmallArray
    half_cycle: SmallArray
    half_of: FlagArray
    residual_m: FloatArray
    iono_factor: FloatArray
    wet_factor: FloatArray
    baseline_m: FloatArray
    code_misfit: FloatArray
    iono_sigma_m: FloatArray
    wet_sigma_m: FloatArray
    base_kind: IndexArray
    nis: FloatArray
    shared_state: FloatArray
    shared_row: IndexArray
    shared_ns: TimeArray
    shared_s: FloatArray
    pending: FloatArray
    pending_var: FloatArray
    n_pending: IndexArray


def epoch_work() -> EpochWork:
    """Fresh work arrays of one epoch."""
    pair = (M_SAT, N_SLOT)
    return EpochWork(
        count=np.zeros(4, np.int64),
        sat=np.zeros(M_SAT, np.int16),
        row=np.full((2, *pair), -1, np.int64),
        group=np.full(pair, -1, np.int64),
        joint=np.full(pair, -1, np.int64),
        sat_state=np.zeros((2, M_SAT, 8)),
        eph_row=np.full(M_SAT, -1, np.int64),
        range_m=np.zeros((2, M_SAT)),
        trop_m=np.zeros((2, M_SAT)),
        elevation_rad=np.zeros((2, M_SAT)),
        los=np.zeros((M_SAT, 3)),
        antenna_m=np.zeros((2, *pair)),
        wavelength_m=np.zeros(pair),
        sd_code_m=np.full(pair, np.nan),
        sd_phase_m=np.full(pair, np.nan),
        var_code_m2=np.zeros(pair),
        var_phase_m2=np.zeros(pair),
        code_weight=np.zeros(pair),
        code_part=np.ones(pair),
        phase_ok=np.zeros(pair, np.int8),
        slip=np.zeros(pair, np.int8),
        half_cycle=np.zeros(pair, np.int8),
        half_of=np.zeros((2, *pair), np.uint8),
        residual_m=np.zeros(pair),
        iono_factor=np.ones(pair),
        wet_factor=np.zeros(M_SAT),
        baseline_m=np.zeros(1),
        code_misfit=np.ones(1),
        iono_sigma_m=np.full(M_SAT, np.nan),
        wet_sigma_m=np.full(1, np.nan),
        base_kind=np.zeros(1, np.int64),
        nis=np.zeros(2),
        shared_state=np.zeros((N_SAT, 8)),
        shared_row=np.full(N_SAT, -1, np.int64),
        shared_ns=np.full(1, NEVER_NS, np.int64),
        shared_s=np.zeros(N_SAT),
        pending=np.zeros((N_PENDING, N_STATE)),
        pending_var=np.ones(N_PENDING),
        n_pending=np.zeros(1, np.int64),
    )


class FilterState(NamedTuple):
    """The relative filter between epochs: the one mutable object of a run.

    state, cov : (N,), (N, N) position, clock difference, code biases [m], ambiguities [cycle]
    count : (4,) [0] states in use [1] groups known [2] base epochs already
        looked at for slips [3] fixes in a row
    group_key : (G,) rover sig * 4096 + base sig
    bias_slot : (G,) state index, -1 = tied to the clock
    slot : (N_SAT, B) state index of the ambiguity, -1 = not estimated
    code_due : (N_SAT, B) share of a code sample not yet used
    owner : (N,) sat * B + band of an ambiguity state, else OWNER_* of `filter_states`
    group_of : (N,) joint group of each state for the time update, -1 = no ambiguity
    iono_slot : (N_SAT,) state index of the slant ionosphere, -1 = not estimated
    wet_slot : (1,) state index of the relative zenith wet delay, -1 = the line is short
    last_ns : (N_SAT, B) epoch of the last accepted phase      pair : (N_SAT, B) group of that phase
    joint : (N_SAT, B) its joint group
    pair_use : (N_CODE_PAIR, 3) code pair (a group_key, -1 = none) and its satellite-epochs with and
        without phase over the whole run
    last_phase_m, last_code_m, last_doppler_hz : (2, N_SAT, B) previous epoch by receiver
    track_ns : (2, N_SAT, B) epoch of those values
    slip_bits : (2, N_SAT, B) slip seen since the ambiguity was last used
    last_sd_m : (N_SAT, B) single-difference phase at the previous epoch of the filter: observed, or
        carried on by the antenna's movement where it was missing; NaN unknown (slip tests)
    last_los : (N_SAT, 3) line of sight when last seen      step_ns : (2,) that epoch, its interval
    step_origin_m : (3,) place it was linearised at
    moved_m : (3,) movement of the antenna since then by phases alone [m], NaN unknown
    gf_var_m2 : (N_SAT, P) running variance of changes of the geometry-free pair, 0 = none yet
    mw_mean_cycle, mw_var_cycle2 : (N_SAT, P) Melbourne-Wuebbena      mw_tally : (N_SAT, P) samples
    mw_off_cycle : (N_SAT, P) departure that waits for its confirmation, NaN none
    half_doubt : (N_SAT, B) a slip of half a cycle is not made good yet: 1 and more, see phase_steps
    path_trust : (1,) greatest probability of a fix on the path of `reckon`
    reckon : (2,) epochs the place is reckoned from the last fix, 0 = not; fixes apart from it
    n_misfit : (1,) epochs in a row at which the filter contradicted the observations
    n_lock : (N_SAT, B) epochs since the ambiguity began      n_reject : (N_SAT, B) in a row
    half : (2, N_SAT, B) last half-cycle bit      jump_m : (2,) accumulated code-only clock jumps
    eph_row : (N_SAT,) ephemeris used last, -1 = none
    epoch_ns : (5,) previous rover, previous base epoch, previous fix, start of the run of fixes,
        first epoch of the recording, NEVER_NS until the first step
    """

    state: FloatArray
    cov: FloatArray
    count: IndexArray  # type: ignore[assignment]  # hides tuple.count, which nobody calls
    group_key: IndexArray
    bias_slot: IndexArray
    slot: IndexArray
    code_due: FloatArray
    owner: IndexArray
    group_of: IndexArray
    iono_slot: IndexArray
    wet_slot: IndexArray
    last_ns: TimeArray
    pair: IndexArray
    joint: IndexArray
    pair_use: IndexArray
    last_phase_m: FloatArray
    last_code_m: FloatArray
    last_doppler_hz: FloatArray
    last_sd_m: FloatArray
    track_ns: TimeArray
    slip_bits: FlagArray
    last_los: FloatArray
    step_ns: TimeArray
    step_origin_m: FloatArray
    moved_m: FloatArray
    gf_var_m2: FloatArray
    mw_mean_cycle: FloatArray
    mw_var_cycle2: FloatArray
    mw_tally: IndexArray
    mw_off_cycle: FloatArray
    half_doubt: FlagArray
    reckon: IndexArray
    path_trust: FloatArray
    n_misfit: IndexArray
    n_lock: IndexArray
    n_reject: IndexArray
    half: FlagArray
    jump_m: FloatArray
    eph_row: IndexArray
    epoch_ns: TimeArray


def filter_state() -> FilterState:
    """A filter that has seen nothing."""
    pair = (N_SAT, N_SLOT)
    return FilterState(
        state=np.zeros(N_STATE),
        cov=np.zeros((N_STATE, row_width(N_STATE))),
        count=np.zeros(4, np.int64),
        group_key=np.full(N_GROUP, -1, np.int64),
        bias_slot=np.full(N_GROUP, -1, np.int64),
        slot=np.full(pair, -1, np.int64),
        code_due=np.zeros(pair),
        owner=np.full(N_STATE, -1, np.int64),
        group_of=np.full(N_STATE, -1, np.int64),
        iono_slot=np.full(N_SAT, -1, np.int64),
        wet_slot=np.full(1, -1, np.int64),
        last_ns=np.full(pair, NEVER_NS, np.int64),
        pair=np.full(pair, -1, np.int64),
        joint=np.full(pair, -1, np.int64),
        pair_use=np.full((N_CODE_PAIR, 3), -1, np.int64),
        last_phase_m=np.full((2, *pair), np.nan),
        last_code_m=np.full((2, *pair), np.nan),
        last_doppler_hz=np.full((2, *pair), np.nan),
        last_sd_m=np.full(pair, np.nan),
        track_ns=np.full((2, *pair), NEVER_NS, np.int64),
        slip_bits=np.zeros((2, *pair), np.uint8),
        last_los=np.zeros((N_SAT, 3)),
        step_ns=np.full(2, NEVER_NS, np.int64),
        step_origin_m=np.zeros(3),
        moved_m=np.full(3, np.nan),
        gf_var_m2=np.zeros((N_SAT, N_PAIR)),
        mw_mean_cycle=np.zeros((N_SAT, N_PAIR)),
        mw_var_cycle2=np.zeros((N_SAT, N_PAIR)),
        mw_tally=np.zeros((N_SAT, N_PAIR), np.int64),
        mw_off_cycle=np.full((N_SAT, N_PAIR), np.nan),
        half_doubt=np.zeros(pair, np.uint8),
        reckon=np.zeros(2, np.int64),
        path_trust=np.zeros(1),
        n_misfit=np.zeros(1, np.int64),
        n_lock=np.zeros(pair, np.int64),
        n_reject=np.zeros(pair, np.int64),
        half=np.zeros((2, *pair), np.uint8),
        jump_m=np.zeros(2),
        eph_row=np.full(N_SAT, -1, np.int64),
        epoch_ns=np.full(5, NEVER_NS, np.int64),
    )


NEVER_NS = -(1 << 62)


class Settings(NamedTuple):
    """The numbers of an `RtkConfig` as the kernels take them; see `records.config` for meanings."""

    mode: int  # 0 single, 1 dgnss, 2 kinematic, 3 static, 4 moving base
    ar: int  # 0 off, 1 instantaneous, 2 continuous, 3 hold
    mask_rad: float
    cn0_min_dbhz: float
    phase_a_m: float
    phase_b_m: float
    code_phase_ratio: float
    code_correlation_s: float
    phase_correlation_s: float
    cn0_reference_dbhz: float
    baseline_m_per_m: float
    age_mps: float
    geo_factor: float
    position_reset_m: float
    ambiguity_drift: float
    slip_gf_m: float
    slip_doppler_cycle: float
    slip_code_m: float
    slip_wide_lane_sigma: float
    max_gap_ns: int
    divergence_epochs: int
    ar_mask_rad: float
    min_pairs: int
    success_min: float
    failure_rate: float
    probability_min: float
    ratio_min: float
    ratio_max: float
    position_sigma_max_m: float
    postfit_max_m: float
    jump_m: float
    hold_after_ns: int
    hold_sigma_cycle: float
    n_search_max: int
    glonass: int  # 0 off, 1 once its channel bias is learnt, 2 from the start
    n_drop_max: int
    drop_penalty: float
    misfit_max: float
    admit_after: int
    max_age_ns: int
    troposphere: int
    long_from_m: float
    iono_m_per_m: float
    iono_tau_s: float
    wet_m_per_m: float
    wet_tau_s: float
    long_noise_share: float
    solid_tide: int
    static_start_ns: int
