"""The result of a run: one row per rover epoch, with the reason where it is not fixed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from rtkpos._arrays import FlagArray, FloatArray, IndexArray, SmallArray, TimeArray
from rtkpos.core.station.geodesy import ecef_to_geodetic, enu_rotation
from rtkpos.core.station.many_points import frames_of, sigma_of
from rtkpos.records.history import History
from rtkpos.records.report import ReadReport
from rtkpos.records.shown import Facts, Shown, interval_words, names_of, span_words, unit_of
from rtkpos.records.signal_use import SignalUse
from rtkpos.records.status import REASON_TEXT, FixStatus, Reason

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


@dataclass(frozen=True, kw_only=True)
class Diagnostics:
    """Numbers behind the verdicts, one entry per epoch of the Solution; run totals in `totals`.

    Parameters
    ----------
    n_slip : ndarray of int64
        (n_epoch,) cycle slips found.
    n_code_rejected : ndarray of int64
        (n_epoch,) codes rejected.
    n_phase_rejected : ndarray of int64
        (n_epoch,) phases rejected.
    prefit_code_m : ndarray of float64
        (n_epoch,) RMS of the code differences' residuals without outliers [m], NaN where there are
        none.
    postfit_phase_m : ndarray of float64
        (n_epoch,) RMS of the phase residuals with integers known [m], NaN untried.
    success_rate : ndarray of float64
        (n_epoch,) bootstrapped probability that the integers are right, NaN untried.
    ratio_needed : ndarray of float64
        (n_epoch,) threshold the ratio had to reach, NaN untried.
    probability : ndarray of float64
        (n_epoch,) probability that the integers are right, as calibrated on recordings, NaN
        untried.
    totals : dict[str, int], optional
        Counters by name (slips by detector, resets, rejected satellites by reason).
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

    Parameters
    ----------
    start_ns : ndarray of int64
        (h,) start of the hour [ns].
    ecef_m : ndarray of float64
        (h, 3) mean positions [m].
    n_epoch : ndarray of int64
        (h,) epochs in each.
    std_enu_m : ndarray of float64
        (3,) standard deviation of the means east, north, up [m]: the repeatability.
    """

    start_ns: TimeArray
    ecef_m: FloatArray
    n_epoch: IndexArray
    std_enu_m: FloatArray


@dataclass(frozen=True, kw_only=True, repr=False)
class Solution(Shown):
    """Positions over time; every rover epoch has a row, also those without a position.

    Parameters
    ----------
    time_ns : ndarray of int64
        (n,) nominal rover epoch, GPST [ns].
    ecef_m : ndarray of float64
        (n, 3) ECEF position [m], NaN where there is none.
    velocity_mps : ndarray of float64
        (n, 3) ECEF velocity [m/s], NaN where there is none.
    cov_ecef_m2 : ndarray of float64
        (n, 3, 3) position covariance [m^2].
    status : ndarray of int8
        (n,) what the position rests on, a `FixStatus`.
    reason : ndarray of int8
        (n,) why it is not fixed, a `Reason`.
    ratio : ndarray of float64
        (n,) second-best over best integer norm, NaN when no fix was tried.
    age_s : ndarray of float64
        (n,) rover time - base time [s].
    n_sat : ndarray of int64
        (n,) satellites used.
    n_fixed : ndarray of int64
        (n,) integer ambiguities fixed.
    rx_clock_m : ndarray of float64
        (n,) rover clock offset [m].
    event : ndarray of uint8
        (n,) EVENT_* bits of `core.tables`.
    base_ecef_m : ndarray of float64
        (3,) coordinate of the base [m], NaN for single positioning.
    mode : str
        Mode of the run.
    diagnostics : Diagnostics
        Numbers behind status and reason.
    static_ecef_m : ndarray of float64, optional
        (3,) the final coordinate in static mode [m], else NaN.
    static_cov_m2 : ndarray of float64, optional
        (3, 3) its covariance [m^2], which knows of errors that last; that of the epochs does not.
    signals : tuple of SignalUse, optional
        Which codes were paired, and how often.
    hourly : HourlyMeans, optional
        How the means of clock hours repeat in static mode, None below two hours.
    baseline_ecef_m : ndarray of float64, optional
        (n, 3) from base to rover [m] where the base was used, else NaN. In mode moving_base this
        vector and its covariance are the result: `ecef_m` is the vector added to the base's code
        position, and `base_ecef_m` is the mean of these.
    direction : str, optional
        "forward", "backward" or "combined".
    notes : tuple of str, optional
        Sentences for the user.
    antennas : tuple of str, optional
        Offset and calibration applied at rover and base, in words.
    report : ReadReport, optional
        What does not fit together in the inputs.
    history : History, optional
        Program, version, input files with digests, settings.
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
    history: History = field(default_factory=History)

    @property
    def n_epoch(self) -> int:
        """Number of rover epochs, solved or not."""
        return len(self.time_ns)

    @property
    def fix_rate(self) -> float:
        """Share of all rover epochs that are fixed; 0 for an empty solution."""
        return float(np.mean(self.status == FixStatus.FIXED)) if self.n_epoch else 0.0

    def llh(self) -> FloatArray:
        """Latitude, longitude [rad], ellipsoidal height [m]: (n, 3), NaN without position.

        Returns
        -------
        ndarray of float64
            (n, 3) latitude, longitude [rad], height [m]; NaN without a position.
        """
        return frames_of(self.ecef_m)[0]

    def enu_m(self, origin_ecef_m: FloatArray) -> FloatArray:
        """East, north, up [m] of each position from an origin (3,): (n, 3).

        Parameters
        ----------
        origin_ecef_m : ndarray of float64
            (3,) ECEF of the origin [m].

        Returns
        -------
        ndarray of float64
            (n, 3) east, north, up [m]; NaN without a position.
        """
        origin = np.ascontiguousarray(origin_ecef_m, dtype=np.float64)
        llh, rotation = np.empty(3), np.empty((3, 3))
        ecef_to_geodetic(origin, llh)
        enu_rotation(llh[0], llh[1], rotation)
        return (self.ecef_m - origin) @ rotation.T

    def sigma_enu_m(self) -> FloatArray:
        """Standard deviations east, north, up [m]: (n, 3), NaN without position.

        Returns
        -------
        ndarray of float64
            (n, 3) standard deviations [m]; NaN without a position.
        """
        return sigma_of(self.cov_ecef_m2, frames_of(self.ecef_m)[1])

    def reason_counts(self) -> dict[str, int]:
        """How many epochs are not fixed, by reason text, most frequent first.

        Returns
        -------
        dict[str, int]
            Number of epochs by reason text.
        """
        values, counts = np.unique(self.reason[self.reason != Reason.OK], return_counts=True)
        order = np.argsort(-counts)
        return {REASON_TEXT[Reason(int(values[i]))]: int(counts[i]) for i in order}

    def columns(self) -> dict[str, Any]:
        """Columns of the table form, by name with unit.

        Returns
        -------
        dict[str, Any]
            Arrays and lists of n entries by name.
        """
        llh, rotation = frames_of(self.ecef_m)
        sigma = sigma_of(self.cov_ecef_m2, rotation)
        columns: dict[str, Any] = {
            "status": names_of(FixStatus, self.status),
            "reason": names_of(Reason, self.reason),
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
            "probability": self.diagnostics.probability,
        }
        if self.mode == "moving_base":
            for i, axis in enumerate("xyz"):
                columns[f"baseline_{axis}_m"] = self.baseline_ecef_m[:, i]
        return columns

    def _facts(self) -> Facts:
        """Mode, epochs, and how many have which status."""
        counts = ((status, int((self.status == status).sum())) for status in reversed(FixStatus))
        shares = [f"{100.0 * n / self.n_epoch:.1f} % {one.name}" for one, n in counts if n]
        return {
            "mode": self.mode if self.direction == "forward" else f"{self.mode} {self.direction}",
            "epochs": f"{self.n_epoch} epochs",
            "span": span_words(self.time_ns),
            "interval": interval_words(self.time_ns),
            "status": ", ".join(shares),
        }

    def to_dataframe(self) -> pd.DataFrame:
        """pandas DataFrame indexed by GPST (datetime64[ns]).

        Besides `columns()` it has the upper triangle of the covariance, `cov_xx_m2` and so on; its
        `attrs` hold mode, base coordinates and history.

        Returns
        -------
        pandas.DataFrame
            One row for each epoch.
        """
        import pandas as pd

        index = pd.DatetimeIndex(self.datetime64(), name="time_gpst")
        columns = self.columns()
        for row, one in enumerate("xyz"):
            for column in range(row, 3):
                name = f"cov_{one}{'xyz'[column]}_m2"
                columns[name] = self.cov_ecef_m2[:, row, column]
        frame = pd.DataFrame(columns, index=index)
        frame.attrs.update(self._attributes())
        return frame

    def to_xarray(self) -> xr.Dataset:
        """xarray Dataset over the dimension `time` (GPST, datetime64[ns]), with units.

        Besides `columns()` it has `cov_ecef_m2`; attributes hold mode, base and history.

        Returns
        -------
        xarray.Dataset
            Variables over `time`.
        """
        import xarray as xr

        data: dict[str, Any] = {
            name: ("time", np.asarray(values), unit_of(name))
            for name, values in self.columns().items()
        }
        dimensions = ("time", "axis", "other_axis")
        data["cov_ecef_m2"] = (dimensions, self.cov_ecef_m2, unit_of("cov_ecef_m2"))
        coords = {"time": self.datetime64(), "axis": list("xyz"), "other_axis": list("xyz")}
        return xr.Dataset(data, coords=coords, attrs=self._attributes())

    def _attributes(self) -> dict[str, Any]:
        """Attributes of the tables: text and numbers."""
        attributes: dict[str, Any] = {
            "mode": self.mode,
            "direction": self.direction,
            "time_system": "GPST",
        }
        if np.isfinite(self.base_ecef_m).all():
            attributes["base_ecef_m"] = self.base_ecef_m.tolist()
        if self.history.version:
            attributes["history"] = "\n".join(self.history.lines())
        return attributes

    def datetime64(self) -> Any:
        """Epochs as numpy datetime64[ns] in GPST: (n,).

        Returns
        -------
        ndarray of datetime64[ns]
            (n,) datetime64[ns].
        """
        return np.datetime64("1980-01-06T00:00:00", "ns") + self.time_ns.astype("timedelta64[ns]")
