"""The result of a run: one row per rover epoch, with the reason where it is not fixed."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from rtkpos._arrays import FlagArray, FloatArray, IndexArray, SmallArray, TimeArray
from rtkpos.core.station.geodesy import ecef_to_geodetic, enu_rotation
from rtkpos.records.report import ReadReport
from rtkpos.records.signal_use import SignalUse

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


class FixStatus(IntEnum):
    """What a position rests on."""

    NONE = 0
    SPP = 1
    DGNSS = 2
    FLOAT = 3
    FIXED = 4


class Reason(IntEnum):
    """Why an epoch is not fixed (OK when it is, or when no fix was asked for)."""

    OK = 0
    FEW_ROVER_SATELLITES = 1
    NO_EPHEMERIS = 2
    CODE_POSITION_FAILED = 3
    NO_BASE_EPOCH = 4
    CORRECTION_TOO_OLD = 5
    FEW_COMMON_SATELLITES = 6
    AR_OFF = 7
    FEW_AMBIGUITIES = 8
    FLOAT_TOO_UNCERTAIN = 9
    SUCCESS_RATE_LOW = 10
    RATIO_LOW = 11
    POSTFIT_LARGE = 12
    POSITION_JUMP = 13
    SEARCH_LIMIT = 14
    BAD_COVARIANCE = 15
    LOW_TRUST = 16
    BASE_POSITION_FAILED = 17
    DIRECTIONS_DISAGREE = 18


REASON_TEXT = {
    Reason.OK: "fixed",
    Reason.FEW_ROVER_SATELLITES: "fewer than 4 usable rover satellites",
    Reason.NO_EPHEMERIS: "no valid ephemeris for enough satellites",
    Reason.CODE_POSITION_FAILED: "the code position did not converge or failed its tests",
    Reason.NO_BASE_EPOCH: "no base epoch near this time",
    Reason.CORRECTION_TOO_OLD: "the newest base epoch is older than the limit",
    Reason.FEW_COMMON_SATELLITES: "too few satellites common to rover and base",
    Reason.AR_OFF: "integer fixing is switched off",
    Reason.FEW_AMBIGUITIES: "too few ambiguities fit for integer fixing",
    Reason.FLOAT_TOO_UNCERTAIN: "the float solution is too uncertain to try",
    Reason.SUCCESS_RATE_LOW: "the predicted success rate is too low",
    Reason.RATIO_LOW: "the best integers are not clearly better than the second best",
    Reason.POSTFIT_LARGE: "phase residuals after fixing are too large",
    Reason.POSITION_JUMP: "the fixed position is not where the antenna can be",
    Reason.SEARCH_LIMIT: "the integer search hit its bound",
    Reason.BAD_COVARIANCE: "the covariance was not positive definite",
    Reason.LOW_TRUST: "the integers are not certain enough",
    Reason.BASE_POSITION_FAILED: "the moving base has no code position",
    Reason.DIRECTIONS_DISAGREE: "the forward and the backward run disagree",
}


@dataclass(frozen=True, kw_only=True)
class Diagnostics:
    """Numbers behind the verdicts, one entry per epoch of the Solution; run totals in `totals`.

    n_slip, n_code_rejected, n_phase_rejected : (n_epoch,) int64
    prefit_code_m : (n_epoch,) RMS of the code differences' residuals [m], outliers excluded, NaN
    postfit_phase_m : (n_epoch,) RMS of the phase residuals with integers known [m], NaN untried
    success_rate : (n_epoch,) bootstrapped probability that the integers are right, NaN untried
    ratio_needed : (n_epoch,) threshold the ratio had to reach, NaN untried
    probability : (n_epoch,) that the integers are right, as calibrated on recordings, NaN untried
    totals : counters by name (slips by detector, resets, rejected satellites by reason)
    """

    n_slip: IndexArray
    n_code_rejected: IndexArray
    n_phase_rejected: IndexArray
    prefit_code_m: FloatArray
    postfit_phase_m: FloatArray
    success_rate: FloatArray
    ratio_needed: FloatArray
    probability: FloatArray
    totals: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class HourlyMeans:
    """Means of the fixed epochs of each clock hour (GPST) of a static session.

    start_ns : (h,) start of the hour [ns]      ecef_m : (h, 3)      n_epoch : (h,) epochs in each
    std_enu_m : (3,) standard deviation of the means east, north, up [m]: the repeatability
    """

    start_ns: TimeArray
    ecef_m: FloatArray
    n_epoch: IndexArray
    std_enu_m: FloatArray


@dataclass(frozen=True, kw_only=True)
class Solution:
    """Positions over time; every rover epoch has a row, also those without a position.

    time_ns : (n,) nominal rover epoch, GPST [ns]
    ecef_m, velocity_mps : (n, 3) ECEF [m], [m/s]; NaN where there is none
    cov_ecef_m2 : (n, 3, 3) position covariance [m^2]      status : (n,) FixStatus
    reason : (n,) Reason      ratio : (n,) NaN untried      age_s : (n,) rover - base time [s]
    n_sat : (n,) satellites used      n_fixed : (n,) integer ambiguities fixed
    rx_clock_m : (n,) rover clock offset [m]      base_ecef_m : (3,) NaN for single positioning
    signals : which codes were paired, and how often
    static_ecef_m, static_cov_m2 : (3,), (3, 3) the final coordinate in static mode, else NaN; its
        covariance knows of errors that last (see `solve.session`), that of the epochs does not
    hourly : how the means of clock hours repeat in static mode, None below two hours
    baseline_ecef_m : (n, 3) from base to rover [m] where the base was used, else NaN. In mode
        moving_base this vector and its covariance are the result: `ecef_m` is the vector added to
        the base's code position, and `base_ecef_m` is the mean of these
    direction : "forward", "backward" or "combined"
    antennas : offset and calibration applied at rover and base, in words
    """

    time_ns: TimeArray
    ecef_m: FloatArray
    velocity_mps: FloatArray
    cov_ecef_m2: FloatArray
    status: SmallArray
    reason: SmallArray
    ratio: FloatArray
    age_s: FloatArray
    n_sat: IndexArray
    n_fixed: IndexArray
    rx_clock_m: FloatArray
    event: FlagArray
    base_ecef_m: FloatArray
    mode: str
    diagnostics: Diagnostics
    static_ecef_m: FloatArray = field(default_factory=lambda: np.full(3, np.nan))
    static_cov_m2: FloatArray = field(default_factory=lambda: np.full((3, 3), np.nan))
    signals: tuple[SignalUse, ...] = ()
    hourly: HourlyMeans | None = None
    baseline_ecef_m: FloatArray = field(default_factory=lambda: np.zeros((0, 3)))
    direction: str = "forward"
    notes: tuple[str, ...] = ()
    antennas: tuple[str, ...] = ()
    report: ReadReport = field(default_factory=ReadReport)

    @property
    def n_epoch(self) -> int:
        """Number of rover epochs, solved or not."""
        return len(self.time_ns)

    @property
    def fix_rate(self) -> float:
        """Share of all rover epochs that are fixed; 0 for an empty solution."""
        return float(np.mean(self.status == FixStatus.FIXED)) if self.n_epoch else 0.0

    def llh(self) -> FloatArray:
        """Latitude, longitude [rad], ellipsoidal height [m]: (n, 3), NaN without position."""
        out = np.full((self.n_epoch, 3), np.nan)
        for k in range(self.n_epoch):
            if np.isfinite(self.ecef_m[k, 0]):
                ecef_to_geodetic(self.ecef_m[k], out[k])
        return out

    def enu_m(self, origin_ecef_m: FloatArray) -> FloatArray:
        """East, north, up [m] of each position from an origin (3,): (n, 3)."""
        origin = np.ascontiguousarray(origin_ecef_m, dtype=np.float64)
        llh, rotation = np.empty(3), np.empty((3, 3))
        ecef_to_geodetic(origin, llh)
        enu_rotation(llh[0], llh[1], rotation)
        return (self.ecef_m - origin) @ rotation.T

    def sigma_enu_m(self) -> FloatArray:
        """Standard deviations east, north, up [m]: (n, 3), NaN without position."""
        llh, rotation = self.llh(), np.empty((3, 3))
        out = np.full((self.n_epoch, 3), np.nan)
        for k in range(self.n_epoch):
            if np.isfinite(llh[k, 0]):
                enu_rotation(llh[k, 0], llh[k, 1], rotation)
                local = rotation @ self.cov_ecef_m2[k] @ rotation.T
                out[k] = np.sqrt(np.maximum(np.diag(local), 0.0))
        return out

    def reason_counts(self) -> dict[str, int]:
        """How many epochs are not fixed, by reason text, most frequent first."""
        values, counts = np.unique(self.reason[self.reason != Reason.OK], return_counts=True)
        order = np.argsort(-counts)
        return {REASON_TEXT[Reason(int(values[i]))]: int(counts[i]) for i in order}

    def columns(self) -> dict[str, Any]:
        """Columns of the table form, by name with unit."""
        llh, sigma = self.llh(), self.sigma_enu_m()
        columns: dict[str, Any] = {
            "status": [FixStatus(int(s)).name for s in self.status],
            "reason": [Reason(int(r)).name for r in self.reason],
            "lat_deg": np.degrees(llh[:, 0]),
            "lon_deg": np.degrees(llh[:, 1]),
            "height_m": llh[:, 2],
        }
        for i, axis in enumerate("xyz"):
            columns[f"{axis}_m"] = self.ecef_m[:, i]
            columns[f"v{axis}_mps"] = self.velocity_mps[:, i]
        for i, axis in enumerate(("east", "north", "up")):
            columns[f"sigma_{axis}_m"] = sigma[:, i]
        columns |= {
            "ratio": self.ratio,
            "age_s": self.age_s,
            "n_sat": self.n_sat,
            "n_fixed": self.n_fixed,
        }
        if self.mode == "moving_base":
            for i, axis in enumerate("xyz"):
                columns[f"baseline_{axis}_m"] = self.baseline_ecef_m[:, i]
        return columns

    def to_dataframe(self) -> pd.DataFrame:
        """pandas DataFrame indexed by GPST (datetime64[ns])."""
        import pandas as pd

        index = pd.DatetimeIndex(self.datetime64(), name="time_gpst")
        return pd.DataFrame(self.columns(), index=index)

    def to_xarray(self) -> xr.Dataset:
        """xarray Dataset over the dimension `time` (GPST, datetime64[ns])."""
        import xarray as xr

        data = {name: ("time", np.asarray(values)) for name, values in self.columns().items()}
        attributes = {"mode": self.mode, "time_system": "GPST"}
        return xr.Dataset(data, coords={"time": self.datetime64()}, attrs=attributes)

    def datetime64(self) -> Any:
        """Epochs as numpy datetime64[ns] in GPST: (n,)."""
        return np.datetime64("1980-01-06T00:00:00", "ns") + self.time_ns.astype("timedelta64[ns]")
