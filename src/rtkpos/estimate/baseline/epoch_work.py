"""Memory of the compiled step: the epoch's work arrays, the filter's state, the settings.

Allocated once by Python, owned by the run, handed to the kernels as named tuples of arrays.
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
CLOCK_STATE = 3
N_STATE = 352  # position, clock, code biases, live ambiguities, atmosphere
N_PENDING = 8  # updates subtracted from the covariance together
N_PAIR = N_SLOT * (N_SLOT - 1) // 2  # band pairs of a satellite
N_ROW = M_SAT * N_SLOT  # (satellite, band) rows of an epoch
N_TRACK = 2048  # observation rows of one receiver's epoch that are watched for slips
N_CODE_PAIR = 64  # code pairs counted for the report
MIN_PHASES = 4  # of an epoch that the filter takes
MIN_COMMON = 4  # satellites of rover and base
N_DD = 128  # double differences in one integer search


class EpochWork(NamedTuple):
    """One epoch of rover and base, satellite by satellite; index 0 = rover, 1 = base.

    n_sat : common satellites      sat : (M,)
    row : (2, M, B) observation rows, -1 = none      group : (M, B) pair group, -1 = none
    datum_group : (M, B) phase-datum group: signals that share a receiver phase bias
    sat_state : (2, M, 8) `core.orbits` state at transmission      eph_row : (M,)
    range_m, trop_m, elevation_rad : (2, M)      los : (M, 3) from the rover
    antenna_m : (2, M, B) phase-centre corrections [m]
    wavelength_m : (M, B)      sd_code_m, sd_phase_m : (M, B) observed minus modelled, NaN = missing
    var_code_m2, var_phase_m2 : (M, B)      slip, half_cycle : (M, B)
    half_of : (2, M, B) half-cycle bit by receiver      code_weight : (M, B) 1/variance, 0 = unused
    code_part : (M, B) share of that weight which is news to the filter
    phase_ok : (M, B) phase takes part      residual_m : (M, B) phase residual after fixing
    iono_factor : (M, B) ionosphere on the band over that on GPS L1      wet_factor : (M,) mapping
    of a zenith wet delay      baseline_m : length of the line [m]      code_misfit : RMS of
    the codes' normalised residuals, at least 1
    iono_sigma_m, wet_sigma_m : (M,) slant on L1, zenith [m], of a virtual base's corrections
    base_kind : BASE_* of `estimate.baseline.correction_noise`
    n_slip, n_rejected : slips found, phases that the filter did not take
    nis, n_nis : sum of squared normalised phase innovations of the epoch, and their number
    shared_state : (N_SAT, 8) states at transmission from the code position of this epoch
    shared_row : (N_SAT,) the ephemeris of each, -1 = none      shared_ns : its epoch
    shared_s : (N_SAT,) time of transmission after that [s]
    pending, pending_var : (N_PENDING, N), (N_PENDING,) updates the covariance still lacks,
        n_pending of them, see `estimate.baseline.deferred_update`; none between calls
    """

    n_sat: int
    sat: SatArray
    row: IndexArray
    group: IndexArray
    datum_group: IndexArray
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
    baseline_m: float
    code_misfit: float
    iono_sigma_m: FloatArray
    wet_sigma_m: float
    base_kind: int
    n_slip: int
    n_rejected: int
    nis: float
    n_nis: int
    shared_state: FloatArray
    shared_row: IndexArray
    shared_ns: int
    shared_s: FloatArray
    pending: FloatArray
    pending_var: FloatArray
    n_pending: int


def epoch_work() -> EpochWork:
    """Fresh work arrays of one epoch."""
    pair = (M_SAT, N_SLOT)
    return EpochWork(
        n_sat=0,
        sat=np.zeros(M_SAT, np.int16),
        row=np.full((2, *pair), -1, np.int64),
        group=np.full(pair, -1, np.int64),
        datum_group=np.full(pair, -1, np.int64),
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
        baseline_m=0.0,
        code_misfit=1.0,
        iono_sigma_m=np.full(M_SAT, np.nan),
        wet_sigma_m=np.nan,
        base_kind=0,
        n_slip=0,
        n_rejected=0,
        nis=0.0,
        n_nis=0,
        shared_state=np.zeros((N_SAT, 8)),
        shared_row=np.full(N_SAT, -1, np.int64),
        shared_ns=NEVER_NS,
        shared_s=np.zeros(N_SAT),
        pending=np.zeros((N_PENDING, N_STATE)),
        pending_var=np.ones(N_PENDING),
        n_pending=0,
    )


class FilterState(NamedTuple):
    """The relative filter between epochs: the one mutable object of a run.

    state, cov : (N,), (N, N) position, clock difference, code biases [m], ambiguities [cycle]
    n_state : states in use      n_group : pair groups known
    n_base_seen : base epochs already looked at for slips      n_fixed_run : fixes in a row
    group_key : (G,) rover sig * 4096 + base sig
    bias_slot : (G,) state index, -1 = tied to the clock
    slot : (N_SAT, B) state index of the ambiguity, -1 = not estimated
    code_due : (N_SAT, B) share of a code sample not yet used
    owner : (N,) sat * B + band of an ambiguity state, else OWNER_* of `filter_states`
    group_of : (N,) phase-datum group of each state for the time update, -1 = no ambiguity
    iono_slot : (N_SAT,) state index of the slant ionosphere, -1 = not estimated
    wet_slot : state index of the relative zenith wet delay, -1 = the line is short
    last_ns : (N_SAT, B) epoch of the last accepted phase      pair : (N_SAT, B) group of that phase
    datum_group : (N_SAT, B) its phase-datum group
    use_key : (N_CODE_PAIR,) code pairs of the run as in group_key, -1 = none
    use_with_phase, use_without_phase : (N_CODE_PAIR,) their satellite-epochs over the whole run
    last_phase_m, last_code_m, last_doppler_hz : (2, N_SAT, B) previous epoch by receiver
    track_ns : (2, N_SAT, B) epoch of those values
    slip_bits : (2, N_SAT, B) slip seen since the ambiguity was last used
    last_sd_m : (N_SAT, B) single-difference phase at the previous epoch of the filter: observed, or
        carried on by the antenna's movement where it was missing; NaN unknown (slip tests)
    last_los : (N_SAT, 3) line of sight when last seen
    step_ns, step_interval_ns : that epoch, and since the one before
    step_origin_m : (3,) place it was linearised at
    moved_m : (3,) movement of the antenna since then by phases alone [m], NaN unknown
    gf_var_m2 : (N_SAT, P) running variance of changes of the geometry-free pair, 0 = none yet
    mw_mean_cycle, mw_var_cycle2 : (N_SAT, P) Melbourne-Wuebbena      mw_tally : (N_SAT, P) samples
    mw_off_cycle : (N_SAT, P) departure that waits for its confirmation, NaN none
    half_doubt : (N_SAT, B) a slip of half a cycle is not made good yet: 1 and more, see phase_steps
    n_propagated : epochs the position is carried on from the last fix by phases, plus one; 0 = not
    n_off_path : fixes in a row that contradict it      path_probability : greatest of its fixes
    n_misfit : epochs in a row at which the filter contradicted the observations
    n_lock : (N_SAT, B) epochs since the ambiguity began      n_reject : (N_SAT, B) in a row
    half : (2, N_SAT, B) last half-cycle bit      jump_m : (2,) accumulated code-only clock jumps
        of ROVER and BASE
    eph_row : (N_SAT,) ephemeris used last, -1 = none
    rover_ns, fix_ns : previous rover epoch, previous fix      fix_run_ns : first fix of the run
    first_ns : first epoch of the recording, NEVER_NS until the first step
    """

    state: FloatArray
    cov: FloatArray
    n_state: int
    n_group: int
    n_base_seen: int
    n_fixed_run: int
    group_key: IndexArray
    bias_slot: IndexArray
    slot: IndexArray
    code_due: FloatArray
    owner: IndexArray
    group_of: IndexArray
    iono_slot: IndexArray
    wet_slot: int
    last_ns: TimeArray
    pair: IndexArray
    datum_group: IndexArray
    use_key: IndexArray
    use_with_phase: IndexArray
    use_without_phase: IndexArray
    last_phase_m: FloatArray
    last_code_m: FloatArray
    last_doppler_hz: FloatArray
    last_sd_m: FloatArray
    track_ns: TimeArray
    slip_bits: FlagArray
    last_los: FloatArray
    step_ns: int
    step_interval_ns: int
    step_origin_m: FloatArray
    moved_m: FloatArray
    gf_var_m2: FloatArray
    mw_mean_cycle: FloatArray
    mw_var_cycle2: FloatArray
    mw_tally: IndexArray
    mw_off_cycle: FloatArray
    half_doubt: FlagArray
    n_propagated: int
    n_off_path: int
    path_probability: float
    n_misfit: int
    n_lock: IndexArray
    n_reject: IndexArray
    half: FlagArray
    jump_m: FloatArray
    eph_row: IndexArray
    rover_ns: int
    fix_ns: int
    fix_run_ns: int
    first_ns: int


def filter_state() -> FilterState:
    """A filter that has seen nothing."""
    pair = (N_SAT, N_SLOT)
    return FilterState(
        state=np.zeros(N_STATE),
        cov=np.zeros((N_STATE, row_width(N_STATE))),
        n_state=0,
        n_group=0,
        n_base_seen=0,
        n_fixed_run=0,
        group_key=np.full(N_GROUP, -1, np.int64),
        bias_slot=np.full(N_GROUP, -1, np.int64),
        slot=np.full(pair, -1, np.int64),
        code_due=np.zeros(pair),
        owner=np.full(N_STATE, -1, np.int64),
        group_of=np.full(N_STATE, -1, np.int64),
        iono_slot=np.full(N_SAT, -1, np.int64),
        wet_slot=-1,
        last_ns=np.full(pair, NEVER_NS, np.int64),
        pair=np.full(pair, -1, np.int64),
        datum_group=np.full(pair, -1, np.int64),
        use_key=np.full(N_CODE_PAIR, -1, np.int64),
        use_with_phase=np.zeros(N_CODE_PAIR, np.int64),
        use_without_phase=np.zeros(N_CODE_PAIR, np.int64),
        last_phase_m=np.full((2, *pair), np.nan),
        last_code_m=np.full((2, *pair), np.nan),
        last_doppler_hz=np.full((2, *pair), np.nan),
        last_sd_m=np.full(pair, np.nan),
        track_ns=np.full((2, *pair), NEVER_NS, np.int64),
        slip_bits=np.zeros((2, *pair), np.uint8),
        last_los=np.zeros((N_SAT, 3)),
        step_ns=NEVER_NS,
        step_interval_ns=NEVER_NS,
        step_origin_m=np.zeros(3),
        moved_m=np.full(3, np.nan),
        gf_var_m2=np.zeros((N_SAT, N_PAIR)),
        mw_mean_cycle=np.zeros((N_SAT, N_PAIR)),
        mw_var_cycle2=np.zeros((N_SAT, N_PAIR)),
        mw_tally=np.zeros((N_SAT, N_PAIR), np.int64),
        mw_off_cycle=np.full((N_SAT, N_PAIR), np.nan),
        half_doubt=np.zeros(pair, np.uint8),
        n_propagated=0,
        n_off_path=0,
        path_probability=0.0,
        n_misfit=0,
        n_lock=np.zeros(pair, np.int64),
        n_reject=np.zeros(pair, np.int64),
        half=np.zeros((2, *pair), np.uint8),
        jump_m=np.zeros(2),
        eph_row=np.full(N_SAT, -1, np.int64),
        rover_ns=NEVER_NS,
        fix_ns=NEVER_NS,
        fix_run_ns=NEVER_NS,
        first_ns=NEVER_NS,
    )


NEVER_NS = -(1 << 62)


class Settings(NamedTuple):
    """The numbers of an `RtkConfig` as the kernels take them; see `records.config` for meanings."""

    mode: int  # `records.status.RunMode`
    ar: int  # `records.status.ArMode`
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
