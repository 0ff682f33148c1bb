"""Observations of one receiver: ragged arrays sorted by epoch, satellite, signal."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from rtkpos._arrays import (
    FlagArray,
    FloatArray,
    IndexArray,
    SatArray,
    SigArray,
    SmallArray,
    TimeArray,
)
from rtkpos.constants import NS_PER_S
from rtkpos.core.tables import CorrectionSigma, ObsArrays, no_correction
from rtkpos.gnss.systems import PRN_PER_SYSTEM
from rtkpos.records.report import ReadReport
from rtkpos.records.shown import (
    Facts,
    Shown,
    file_words,
    interval_words,
    satellite_words,
    span_words,
)

UNKNOWN_CHANNEL = -128


@dataclass(frozen=True, kw_only=True)
class Station:
    """What a header says of the receiver's place and equipment; "" and NaN where it is silent.

    Parameters
    ----------
    marker : str, optional
        Name of the marker.
    marker_type : str, optional
        Its type ("GEODETIC").
    receiver : str, optional
        Type of the receiver.
    receiver_serial : str, optional
        Its serial number.
    antenna : str, optional
        Type and radome of the antenna.
    antenna_serial : str, optional
        Its serial number.
    approx_ecef_m : ndarray of float64, optional
        (3,) APPROX POSITION XYZ [m], NaN when absent or 0 0 0.
    antenna_enu_m : ndarray of float64, optional
        (3,) antenna reference point minus marker: east, north, up [m].
    """

    marker: str = ""
    marker_type: str = ""
    receiver: str = ""
    receiver_serial: str = ""
    antenna: str = ""
    antenna_serial: str = ""
    approx_ecef_m: FloatArray = field(default_factory=lambda: np.full(3, np.nan))
    antenna_enu_m: FloatArray = field(default_factory=lambda: np.zeros(3))


@dataclass(frozen=True, kw_only=True)
class EventRecord:
    """One epoch-flag event between observations (RINEX flags 2-6).

    Parameters
    ----------
    time_ns : int
        GPST [ns], -1 when the record carries no time.
    flag : int
        Epoch flag, 2 to 6.
    lines : tuple of str, optional
        The special records as written.
    """

    time_ns: int
    flag: int
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, repr=False)
class ObsTable(Shown):
    """Observations of one receiver over time.

    Parameters
    ----------
    time_ns : ndarray of int64
        (n_epoch,) GPST [ns], strictly increasing within a session.
    row_start : ndarray of int64
        (n_epoch + 1,) rows of an epoch: from its entry to the next.
    event : ndarray of uint8
        (n_epoch,) EVENT_* bits of `core.tables`.
    rx_clock_s : ndarray of float64
        (n_epoch,) receiver clock offset of the epoch line [s], NaN = not given.
    sat : ndarray of int16
        (n_row,) satellite index; rows are sorted by (sat, sig) within an epoch.
    sig : ndarray of int16
        (n_row,) signal index.
    code_m : ndarray of float64
        (n_row,) pseudorange [m], NaN = missing.
    phase_cycle : ndarray of float64
        (n_row,) carrier phase [cycle], NaN = missing.
    doppler_hz : ndarray of float64
        (n_row,) Doppler, positive when the range shrinks [Hz], NaN = missing.
    cn0_dbhz : ndarray of float64
        (n_row,) carrier-to-noise density [dB-Hz], NaN = missing.
    lli : ndarray of uint8
        (n_row,) bits 0..2 of the phase's loss-of-lock indicator.
    glonass_channel : ndarray of int8, optional
        (64,) frequency channel by slot - 1, UNKNOWN_CHANNEL where the header gives none.
    phase_shift_cycle : dict[int, float], optional
        Sig -> correction [cycle] that SYS / PHASE SHIFT says was applied; 0 for a code named
        without one, absent for a code not named.
    signals : dict[int, tuple of str], optional
        System -> its observation codes in file order ("C1C", "L1C", ...).
    correction : CorrectionSigma, optional
        Of a virtual station, how well its atmosphere is known by epoch; None = a receiver.
    station : Station, optional
        What the header says of the receiver.
    events : tuple of EventRecord, optional
        Records between the observations.
    version : float, optional
        RINEX version of the first file.
    time_system : str, optional
        Time system of the file ("GPS"); `time_ns` is GPST whatever it says.
    interval_s : float, optional
        Interval as the header states it [s], NaN where it is silent.
    source : tuple of str, optional
        Names of the files.
    report : ReadReport, optional
        What was met on the way.
    """

    time_ns: TimeArray
    row_start: IndexArray
    event: FlagArray
    rx_clock_s: FloatArray
    sat: SatArray
    sig: SigArray
    code_m: FloatArray
    phase_cycle: FloatArray
    doppler_hz: FloatArray
    cn0_dbhz: FloatArray
    lli: FlagArray
    glonass_channel: SmallArray = field(
        default_factory=lambda: np.full(PRN_PER_SYSTEM, UNKNOWN_CHANNEL, np.int8)
    )
    phase_shift_cycle: dict[int, float] = field(default_factory=dict)
    signals: dict[int, tuple[str, ...]] = field(default_factory=dict)
    correction: CorrectionSigma | None = None
    station: Station = field(default_factory=Station)
    events: tuple[EventRecord, ...] = ()
    version: float = 0.0
    time_system: str = "GPS"
    interval_s: float = float("nan")
    source: tuple[str, ...] = ()
    report: ReadReport = field(default_factory=ReadReport)

    @property
    def n_epoch(self) -> int:
        """Number of epochs."""
        return len(self.time_ns)

    @property
    def n_row(self) -> int:
        """Number of (satellite, signal) rows over all epochs."""
        return len(self.sat)

    def _facts(self) -> Facts:
        """The receiver, its epochs, what it observed, and where that stands."""
        return {
            "marker": self.station.marker,
            "epochs": f"{self.n_epoch} epochs",
            "span": span_words(self.time_ns),
            "interval": interval_words(self.time_ns),
            "satellites": satellite_words(self.sat) + " satellites" if self.n_row else "",
            "rows": f"{self.n_row} rows",
            "files": file_words(self.source),
        }

    def arrays(self) -> ObsArrays:
        """The compiled view: the same arrays, no copies.

        Returns
        -------
        ObsArrays
            Arrays as kernels take them.
        """
        return ObsArrays(
            self.time_ns,
            self.row_start,
            self.event,
            self.sat,
            self.sig,
            self.code_m,
            self.phase_cycle,
            self.doppler_hz,
            self.cn0_dbhz,
            self.lli,
        )

    def correction_arrays(self) -> CorrectionSigma:
        """The compiled view of `correction`: empty arrays for a receiver.

        Returns
        -------
        CorrectionSigma
            Arrays as kernels take them.
        """
        return no_correction() if self.correction is None else self.correction


def interval_s(table: ObsTable) -> float | None:
    """The usual step between epochs [s] (median, to 1 ms); None for fewer than two epochs."""
    if table.n_epoch < 2:
        return None
    return round(float(np.median(np.diff(table.time_ns))) / NS_PER_S, 3)
