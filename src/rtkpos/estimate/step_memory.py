"""Memory of the compiled step: what it reads, what it keeps, what it writes.

Everything of fixed size is one numpy record, so that a kernel takes it as one pointer.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from rtkpos._arrays import FloatArray, IndexArray, record_of, record_table
from rtkpos.core.atmosphere.ionosphere import IonosphereModel
from rtkpos.core.atmosphere.troposphere import N_TROP
from rtkpos.core.tables import CorrectionSigma, EphemerisArrays, ObsArrays
from rtkpos.estimate.ambiguity.fixing import AmbiguityWork, ambiguity_work
from rtkpos.estimate.baseline.code_differential import FitRows, fit_rows
from rtkpos.estimate.baseline.epoch_work import (
    N_ROW,
    N_STATE,
    N_TRACK,
    EpochWork,
    FilterState,
    Settings,
    epoch_work,
    filter_state,
)
from rtkpos.estimate.baseline.filter_states import BaselineModel, baseline_model
from rtkpos.estimate.baseline.static_mean import StaticMean, static_mean
from rtkpos.estimate.point.models import PointPlan
from rtkpos.estimate.point.single_point import (
    PointFix,
    SinglePointSettings,
    SinglePointWork,
    point_fix,
    single_point_work,
)
from rtkpos.estimate.robust import RobustSettings
from rtkpos.prepare.antennas import SiteModel
from rtkpos.prepare.pairing import PairingPlan
from rtkpos.prepare.slips import COUNTER_NAMES


class RunPlan(NamedTuple):
    """What a run has decided beforehand; kernels take it as one record."""

    pairing: PairingPlan
    point: PointPlan
    base_ecef_m: FloatArray
    settings: Settings
    point_settings: SinglePointSettings
    robust: RobustSettings
    site: SiteModel


class RunInputs(NamedTuple):
    """What a run reads: observations, ephemerides, ionosphere, and its plan (a RunPlan record)."""

    rover: ObsArrays
    base: ObsArrays
    eph: EphemerisArrays
    ionosphere: IonosphereModel
    plan: Any
    sigma: CorrectionSigma


class PlaceWork(NamedTuple):
    """Where a receiver stands: llh, rotation to east-north-up, troposphere, a line of sight.

    antenna_m : (3,) reference point of the antenna, lifted by the tide, ECEF [m]
    to_enu : (3,) direction of a satellite, east, north, up
    tide_m, tide_slot : (2, 3) tide of rover and base [m] and (2,) the minute it was computed for
    """

    llh: FloatArray
    rotation: FloatArray
    troposphere: FloatArray
    los: FloatArray
    antenna_m: FloatArray
    to_enu: FloatArray
    tide_m: FloatArray
    tide_slot: IndexArray


class StepMemory(NamedTuple):
    """Everything the step writes besides its outputs, allocated once per run.

    base_fix : where the base stands and how it moves
    last_fix_m : (3,) vector from it to the last fix
    epoch_cov_m2 : (3, 3) of the position in epoch_m
    written_cov_m2 : (3, 3) of a position made for the output: by codes, or the static mean
    """

    state: FilterState
    instant: FilterState
    static_mean: StaticMean
    work: EpochWork
    point: SinglePointWork
    fix: PointFix
    base_fix: PointFix
    rows: FitRows
    ambiguity: AmbiguityWork
    place: PlaceWork
    model: BaselineModel
    epoch_m: FloatArray
    last_fix_m: FloatArray
    last_velocity_mps: FloatArray
    propagated_m: FloatArray
    epoch_cov_m2: FloatArray
    written_cov_m2: FloatArray
    scratch: FloatArray
    track: FloatArray
    counts: IndexArray


class StepOutput(NamedTuple):
    """One output row; a run fills a record table of them. See `records.solution` for meanings.

    own_ecef_m, own_cov_m2 : a fixed epoch's position by itself, in static mode too
    """

    ecef_m: FloatArray
    velocity_mps: FloatArray
    cov_ecef_m2: FloatArray
    own_ecef_m: FloatArray
    own_cov_m2: FloatArray
    base_ecef_m: FloatArray
    ratio: float
    ratio_needed: float
    success_rate: float
    age_s: float
    rx_clock_m: float
    postfit_phase_m: float
    prefit_code_m: float
    probability: float
    variance_factor: float
    n_sat: int
    n_fixed: int
    n_slip: int
    n_code_rejected: int
    n_phase_rejected: int
    status: int
    reason: int
    event: int


def step_memory() -> Any:
    """Memory of a run: a record of `StepMemory`; `.copy()` of its bytes is a snapshot."""
    vectors = [np.zeros(3) for _ in range(3)]
    first = [np.zeros(3), np.zeros((3, 3)), np.zeros(N_TROP)]
    place = PlaceWork._make([*first, *vectors, np.zeros((2, 3)), np.full(2, -1, np.int64)])
    return record_of(
        StepMemory(
            state=filter_state(),
            instant=filter_state(),
            static_mean=static_mean(),
            work=epoch_work(),
            point=single_point_work(N_ROW),
            fix=point_fix(),
            base_fix=point_fix(),
            rows=fit_rows(),
            ambiguity=ambiguity_work(),
            place=place,
            model=baseline_model(0.0, 0.0),
            epoch_m=np.zeros(3),
            last_fix_m=np.zeros(3),
            last_velocity_mps=np.full(3, np.nan),
            propagated_m=np.zeros(3),
            epoch_cov_m2=np.zeros((3, 3)),
            written_cov_m2=np.zeros((3, 3)),
            scratch=np.zeros(N_STATE),
            track=np.zeros((3, N_TRACK)),
            counts=np.zeros(len(COUNTER_NAMES), np.int64),
        )
    )


def step_outputs(n: int) -> Any:
    """Output rows of n epochs (a record table of `StepOutput`), all "no position"."""
    nan = math.nan
    position = [np.full(3, nan), np.full((3, 3), nan)]
    vectors = [np.full(3, nan), np.full(3, nan), position[1], *position, np.full(3, nan)]
    empty = StepOutput._make([*vectors, *[nan] * 9, *[0] * 8])
    return record_table(empty, n)
