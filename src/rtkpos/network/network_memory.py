"""Memory of a network's compiled epoch: stations, baselines, corrections; allocated once."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rtkpos._arrays import FlagArray, FloatArray, IndexArray, SmallArray, TimeArray, record_table
from rtkpos.core.atmosphere.troposphere import N_TROP
from rtkpos.core.tables import EphemerisArrays, ObsArrays
from rtkpos.estimate.ambiguity.fixing import AmbiguityWork, ambiguity_work
from rtkpos.estimate.baseline.code_differential import FitRows, fit_rows
from rtkpos.estimate.baseline.epoch_work import (
    M_SAT,
    N_STATE,
    N_TRACK,
    NEVER_NS,
    EpochWork,
    FilterState,
    Settings,
    epoch_work,
    filter_state,
)
from rtkpos.estimate.baseline.filter_states import BaselineModel, baseline_model
from rtkpos.estimate.robust import RobustSettings
from rtkpos.estimate.step_memory import PlaceWork
from rtkpos.gnss.systems import N_SAT, N_SYSTEM
from rtkpos.prepare.pairing import N_SLOT, PairingPlan
from rtkpos.prepare.slips import COUNTER_NAMES

# What the network counts besides the slips of its baselines, in the order of NETWORK_COUNTERS.
NETWORK_COUNTERS = (
    "held",
    "closure_agrees",
    "closure_differs",
    "released_by_closure",
    "released_by_step",
    "datum_shift",
    "baseline_reset",
    "transferred",
    "from_first_pass",
)
(
    COUNT_HELD,
    COUNT_AGREES,
    COUNT_DIFFERS,
    COUNT_RELEASED,
    COUNT_RELEASED_STEP,
    COUNT_DATUM,
    COUNT_EDGE_RESET,
    COUNT_TRANSFERRED,
    COUNT_FROM_FIRST,
) = range(9)

WITHOUT_DATUM = 2
PINNED_M2 = 1e-8  # variance of a known coordinate
CLOCK_SIGMA_M = 30.0  # of the clock difference by codes
# Columns of the log of ended arcs, in the order of `KnownArcs` from the third on.
LOG_FIELDS = ("log_sat", "log_band", "log_begin_ns", "log_end_ns", "log_integer", "log_datum_ns")
N_LOG = 4096  # arcs of a baseline that are noted for a second pass


class KnownArcs(NamedTuple):
    """Integers of arcs from a first pass; none of them in the first pass itself.

    first : (E, N_SAT * B + 1) rows of baseline e and satellite-band k are first[e, k]:first[e, k+1]
    begin_ns, end_ns, integer, datum_ns : (n,)      n_band : B
    """

    first: IndexArray
    begin_ns: TimeArray
    end_ns: TimeArray
    integer: IndexArray
    datum_ns: TimeArray
    n_band: int


def no_known_arcs(n: int) -> KnownArcs:
    """Nothing known of n baselines."""
    first = np.zeros((n, N_SAT * N_SLOT + 1), np.int64)
    empty = [np.zeros(0, np.int64) for _ in range(4)]
    return KnownArcs._make([first, *empty, N_SLOT])


class StationMemory(NamedTuple):
    """One station at one epoch. Satellites stand in rows as in `work` (receiver 0 of it).

    code_m, phase_m : (M, B) observed minus modelled [m], NaN = missing: what is left is receiver
        clock, ionosphere, ambiguity and what the models do not know
    is_there : 1 when the station has data at the epoch
    modelled_epoch : epoch of the observations the models stand for, where a station is modelled
        at will (`network.virtual`), -1 = none
    """

    work: EpochWork
    place: PlaceWork
    code_m: FloatArray
    phase_m: FloatArray
    is_there: int
    modelled_epoch: int


class EdgePlan(NamedTuple):
    """What was decided beforehand for a baseline: signals (receiver 0 rover, 1 base), numbers."""

    pairing: PairingPlan
    settings: Settings
    robust: RobustSettings
    confirm_epochs: int
    confirm_ns: int
    length_m: float
    iono_m_per_m: float


class EdgeMemory(NamedTuple):
    """One baseline between two stations of known coordinates.

    model.held : (N_SAT, B) 1 = the integer is known and imposed on the filter
    integer : (N_SAT, B) single-difference integer [cycle] of a held arc; all of one system and
        band share an arbitrary datum      datum_ns : (N_SYSTEM, B) when it began
    tentative, tentative_n, tentative_ns : (N_SAT, B) such an integer, its epochs, the first
    is_free : (M, B) ambiguity of this epoch without integer that may get one
    anchor : (B,) row of the satellite others are counted from, by band of one system, -1 = none
    tentative_origin : (N_SYSTEM, B) satellite the tentative integers are counted from, -1 = none
    shift : (N_SYSTEM, B) shifts of the datum so far [cycle]
    begin_ns, seen_ns : (N_SAT, B) first and last epoch of an arc
    confirmed : (N_SAT, B) 1 = the integer was verified      log_*, n_log : see `arcs`
    spread_m2, spread_weight : running mean square of the held slant ionospheres in the zenith
    agree, differ : (N_SAT, B) triangles of this epoch in which the integer closes, does not
    verified : (N_SAT, B) held and contradicted by no triangle
    """

    state: FilterState
    work: EpochWork
    rows: FitRows
    ambiguity: AmbiguityWork
    model: BaselineModel
    scratch: FloatArray
    track: FloatArray
    counts: IndexArray
    tally: IndexArray
    integer: IndexArray
    datum_ns: TimeArray
    is_free: SmallArray
    anchor: IndexArray
    tentative: IndexArray
    tentative_n: IndexArray
    tentative_ns: TimeArray
    tentative_origin: IndexArray
    shift: IndexArray
    begin_ns: TimeArray
    seen_ns: TimeArray
    confirmed: SmallArray
    log_sat: IndexArray
    log_band: IndexArray
    log_begin_ns: TimeArray
    log_end_ns: TimeArray
    log_integer: IndexArray
    log_datum_ns: TimeArray
    n_log: int
    spread_m2: float
    spread_weight: float
    agree: SmallArray
    differ: SmallArray
    verified: SmallArray


class Corrections(NamedTuple):
    """What the stations' phases show besides the models, double differences alone having meaning.

    nondispersive_m, dispersive_m : (K, N_SAT) [m], the dispersive part on L1; NaN = unknown
    var_g, var_d, cov_gd : (K, N_SAT) their covariance [m^2]
    last_ns : (K, N_SAT) last update      n_off : (K, N_SAT) epochs with outliers in a row, is_off
        (K, N_SAT) whether this epoch has one
    integer, known : (K, N_SAT, B) integers of the stations and whether they are known
    observed_m : (K, N_SAT, B) phase minus model minus integers [m], NaN = missing
    factor : (N_SAT, B) ionosphere on the band over that on L1
    elevation_rad : (K, N_SAT) NaN = not observed at the epoch
    station_m, satellite_m : (K,), (N_SAT,) work
    """

    nondispersive_m: FloatArray
    dispersive_m: FloatArray
    var_g: FloatArray
    var_d: FloatArray
    cov_gd: FloatArray
    last_ns: TimeArray
    n_off: IndexArray
    is_off: FlagArray
    integer: IndexArray
    known: FlagArray
    observed_m: FloatArray
    factor: FloatArray
    elevation_rad: FloatArray
    station_m: FloatArray
    satellite_m: FloatArray


class NetworkMemory(NamedTuple):
    """A network as its kernels take it.

    obs : all stations' observations, one after the other      eph : ephemerides
    chosen : (N_SAT,) ephemeris row of the epoch by satellite
    station_plan : (K,) RunPlan records      station : (K,) StationMemory records
    edge_plan : (E,) EdgePlan records      edge : (E,) EdgeMemory records
    ends : (E, 2) stations of a baseline, rover and base
    triangle : (T, 3) its baselines      sign : (T, 3) +1 or -1, so that integers sum to zero
    owner : (T,) the baseline whose datum follows from the triangle, -1 = none
    closed : (T, N_SYSTEM, B) satellites that close at the epoch
    in_triangle : (E,) 1 for a baseline that is in some triangle, WITHOUT_DATUM for one whose datum
        hangs on a way around a hole, see `closure_order`
    known : integers from a first pass
    corrections : of all stations      tally : (n,) NETWORK_COUNTERS
    """

    obs: ObsArrays
    eph: EphemerisArrays
    chosen: IndexArray
    station_plan: Any
    station: Any
    edge_plan: Any
    edge: Any
    ends: IndexArray
    triangle: IndexArray
    sign: IndexArray
    owner: IndexArray
    closed: IndexArray
    in_triangle: IndexArray
    known: KnownArcs
    corrections: Corrections
    tally: IndexArray


def station_memory(n: int) -> Any:
    """Records of `StationMemory` for n stations."""
    vectors = [np.zeros(3) for _ in range(3)]
    first = [np.zeros(3), np.zeros((3, 3)), np.zeros(N_TROP)]
    place = PlaceWork._make([*first, *vectors, np.zeros((2, 3)), np.full(2, -1, np.int64)])
    pair = (M_SAT, N_SLOT)
    empty = StationMemory(
        work=epoch_work(),
        place=place,
        code_m=np.full(pair, np.nan),
        phase_m=np.full(pair, np.nan),
        is_there=0,
        modelled_epoch=-1,
    )
    return record_table(empty, n)


def edge_memory(n: int) -> Any:
    """Records of `EdgeMemory` for n baselines."""
    pair, groups = (N_SAT, N_SLOT), (N_SYSTEM, N_SLOT)
    flags = ("agree", "differ", "verified", "confirmed")
    small: dict[str, Any] = {name: np.zeros(pair, np.int8) for name in flags}
    log: dict[str, Any] = {name: np.zeros(N_LOG, np.int64) for name in LOG_FIELDS}
    empty = EdgeMemory(
        state=filter_state(),
        work=epoch_work(),
        rows=fit_rows(),
        ambiguity=ambiguity_work(),
        model=baseline_model(PINNED_M2, CLOCK_SIGMA_M**2),
        scratch=np.zeros(N_STATE),
        track=np.zeros((3, N_TRACK)),
        counts=np.zeros(len(COUNTER_NAMES), np.int64),
        tally=np.zeros(len(NETWORK_COUNTERS), np.int64),
        integer=np.zeros(pair, np.int64),
        datum_ns=np.full(groups, NEVER_NS, np.int64),
        is_free=np.zeros((M_SAT, N_SLOT), np.int8),
        anchor=np.full(N_SLOT, -1, np.int64),
        tentative=np.zeros(pair, np.int64),
        tentative_n=np.zeros(pair, np.int64),
        tentative_ns=np.full(pair, NEVER_NS, np.int64),
        tentative_origin=np.full(groups, -1, np.int64),
        shift=np.zeros(groups, np.int64),
        begin_ns=np.full(pair, NEVER_NS, np.int64),
        seen_ns=np.full(pair, NEVER_NS, np.int64),
        **log,
        n_log=0,
        spread_m2=0.0,
        spread_weight=0.0,
        **small,
    )
    return record_table(empty, n)


def corrections_memory(n: int) -> Corrections:
    """Corrections of n stations, nothing known."""
    pair, bands = (n, N_SAT), (n, N_SAT, N_SLOT)
    return Corrections(
        nondispersive_m=np.full(pair, np.nan),
        dispersive_m=np.full(pair, np.nan),
        var_g=np.full(pair, np.nan),
        var_d=np.full(pair, np.nan),
        cov_gd=np.full(pair, np.nan),
        last_ns=np.full(pair, NEVER_NS, np.int64),
        n_off=np.zeros(pair, np.int64),
        is_off=np.zeros(pair, np.uint8),
        integer=np.zeros(bands, np.int64),
        known=np.zeros(bands, np.uint8),
        observed_m=np.full(bands, np.nan),
        factor=np.ones((N_SAT, N_SLOT)),
        elevation_rad=np.full(pair, np.nan),
        station_m=np.zeros(n),
        satellite_m=np.zeros(N_SAT),
    )
