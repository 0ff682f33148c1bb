"""One epoch of one receiver: what a live program hands over, checked."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from rtkpos._arrays import FlagArray, FloatArray, IndexArray, SatArray, SigArray, SmallArray
from rtkpos.core.tables import CorrectionSigma
from rtkpos.errors import DataError, check_type, got_words
from rtkpos.gnss.signals import N_SIG, SIG_PER_SYSTEM
from rtkpos.gnss.systems import MAX_PRN, N_SAT, PRN_PER_SYSTEM
from rtkpos.io.given_files import Observations, obs_table
from rtkpos.records.observations import UNKNOWN_CHANNEL, ObsTable
from rtkpos.records.report import ReadReport

MAX_EPOCH_ROWS = 1024  # (satellite, signal) rows of an epoch; 60 satellites of 6 signals are 360
LAST_TIME_NS = 1 << 62
ROW_COLUMNS = ("sat", "sig", "code_m", "phase_cycle", "doppler_hz", "cn0_dbhz", "lli")
# Columns of ObsArrays and EphemerisArrays that are not float64.
_COLUMN_TYPES = {
    **dict.fromkeys(("time_ns", "row_start", "sat_start", "toe_ns", "toc_ns"), np.int64),
    **dict.fromkeys(("tx_ns", "issue"), np.int64),
    **dict.fromkeys(("sat", "sig"), np.int16),
    **dict.fromkeys(("message", "healthy", "orbit"), np.int8),
    **dict.fromkeys(("event", "lli"), np.uint8),
}
# Nothing a receiver measures is larger: 1e11 metres are 300 s of clock error, at which a double
# begins to lose tenths of a millimetre; 1e7 Hz is 200 times the Doppler shift of a satellite's.
_LIMITS = {"code_m": 1e11, "phase_cycle": 1e11, "doppler_hz": 1e7, "cn0_dbhz": 1e3}
_INTEGER_COLUMNS = {"sat": np.int16, "sig": np.int16, "lli": np.uint8}


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """Observations of one receiver at one time; columns as in `ObsTable`, all (n_row,).

    Parameters
    ----------
    time_ns : int
        GPST [ns].
    sat : ndarray of int16
        (n_row,) satellite index (`gnss.systems`).
    sig : ndarray of int16
        (n_row,) signal index (`gnss.signals`).
    code_m : ndarray of float64
        (n_row,) pseudorange [m], NaN = missing.
    phase_cycle : ndarray of float64
        (n_row,) carrier phase [cycle], NaN = missing.
    doppler_hz : ndarray of float64
        (n_row,) Doppler [Hz], NaN = missing.
    cn0_dbhz : ndarray of float64
        (n_row,) carrier-to-noise density [dB-Hz], NaN = missing.
    lli : ndarray of uint8
        (n_row,) loss-of-lock bits.
    event : int, optional
        EVENT_* bits of `core.tables`.
    correction : CorrectionSigma, optional
        Of a virtual station, how well its atmosphere is known; arrays of one epoch.
    """

    time_ns: int
    sat: SatArray
    sig: SigArray
    code_m: FloatArray
    phase_cycle: FloatArray
    doppler_hz: FloatArray
    cn0_dbhz: FloatArray
    lli: FlagArray
    event: int = 0
    correction: CorrectionSigma | None = None

    @property
    def n_row(self) -> int:
        """Number of (satellite, signal) rows."""
        return len(self.sat)


def epochs(table: Observations) -> Iterator[Epoch]:
    """The epochs of a table or of files one by one; the columns are views of the table's.

    Parameters
    ----------
    table : ObsTable, path, bytes, or list of them
        Observations.

    Yields
    ------
    Epoch
        One epoch of the receiver.
    """
    table = obs_table(table, "table")
    for k in range(table.n_epoch):
        rows = slice(int(table.row_start[k]), int(table.row_start[k + 1]))
        columns: dict[str, Any] = {name: getattr(table, name)[rows] for name in ROW_COLUMNS}
        if table.correction is not None:
            columns["correction"] = CorrectionSigma._make(a[k : k + 1] for a in table.correction)
        yield Epoch(time_ns=int(table.time_ns[k]), event=int(table.event[k]), **columns)


def table_of_epoch(epoch: Epoch) -> ObsTable:
    """A table of this one epoch."""
    columns: dict[str, Any] = {name: getattr(epoch, name) for name in ROW_COLUMNS}
    return ObsTable(
        time_ns=np.array([epoch.time_ns], np.int64),
        row_start=np.array([0, epoch.n_row], np.int64),
        event=np.array([epoch.event], np.uint8),
        rx_clock_s=np.full(1, np.nan),
        **columns,
    )


def take_epochs(table: ObsTable, index: IndexArray) -> ObsTable:
    """The table of the epochs at `index` (m,), in that order; everything else as it was."""
    counts = np.diff(table.row_start)[index]
    row_start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    row = np.arange(row_start[-1]) + np.repeat(table.row_start[index] - row_start[:-1], counts)
    columns: dict[str, Any] = {name: getattr(table, name)[row] for name in ROW_COLUMNS}
    columns |= {name: getattr(table, name)[index] for name in ("time_ns", "event", "rx_clock_s")}
    if table.correction is not None:
        columns["correction"] = type(table.correction)(*(a[index] for a in table.correction))
    return dataclasses.replace(table, row_start=row_start, **columns)


def within_limits(table: ObsTable, who: str, report: ReadReport) -> ObsTable:
    """The table without values that no receiver can measure (infinite, or like 1e300): NaN there.

    They are counted as "absurd_value" and told once in the report; a sound table is not copied.
    """
    kept: dict[str, Any] = {}
    n_absurd = 0
    for name, limit in _LIMITS.items():
        values = getattr(table, name)
        absurd = np.abs(values) > limit
        n = int(np.count_nonzero(absurd))
        if n:
            kept[name] = np.where(absurd, np.nan, values)
            n_absurd += n
    if not n_absurd:
        return table
    report.add("absurd_value", who, n_absurd)
    report.warn(f"{n_absurd} values of the {who} are beyond what a receiver can measure; left out.")
    return dataclasses.replace(table, **kept)


def kernel_view(arrays: Any) -> Any:
    """The same NamedTuple of arrays in the one form kernels are compiled for.

    Types are those of the records; a copy is made only of what is read-only or not contiguous.
    """
    return type(arrays)(
        *(
            np.require(values, _COLUMN_TYPES.get(name, np.float64), ("C", "A", "W"))
            for name, values in zip(arrays._fields, arrays, strict=True)
        )
    )


def checked_epoch(epoch: Epoch, who: str, notes: Counter[str]) -> Epoch:
    """The epoch as the kernels need it: typed, contiguous, sorted by satellite and signal.

    who   : "rover" or "base", for messages
    notes : counts what was left out: "unknown_satellite", "unknown_signal", "rows_cut"
    Raises DataError for a time that is no integer, a column of another type, shape or length, and
    for two rows of one signal. What no receiver can measure (infinite, 1e300) and a code or
    phase of exactly 0 are missing.
    """
    check_type(epoch, Epoch, who, DataError)
    _check_time(epoch.time_ns, who)
    if who == "base":
        refuse_correction(epoch.correction)
    if isinstance(epoch.event, bool) or not 0 <= _integer(epoch.event, f"{who} event") <= 255:
        raise DataError(f"{who} event must be an integer of 0..255; got {epoch.event!r}.")
    columns = {name: _column(epoch, name, who) for name in ROW_COLUMNS}
    n_row = len(columns["sat"])
    for name, values in columns.items():
        if len(values) != n_row:
            raise DataError(f"{who} {name} has {len(values)} rows but sat has {n_row}.")
    columns = _known_rows(columns, notes)
    order = np.lexsort((columns["sig"], columns["sat"]))
    columns = {name: values[order] for name, values in columns.items()}
    _refuse_duplicates(columns, who)
    if len(order) > MAX_EPOCH_ROWS:
        notes["rows_cut"] += len(order) - MAX_EPOCH_ROWS
        columns = {name: values[:MAX_EPOCH_ROWS] for name, values in columns.items()}
    ready: dict[str, Any] = {name: _ready(name, values) for name, values in columns.items()}
    return Epoch(time_ns=int(epoch.time_ns), event=int(epoch.event), **ready)


def checked_channel(given: Any) -> SmallArray:
    """GLONASS channels (64,) int8 by slot - 1; DataError for anything else."""
    try:
        channel = np.asarray(given)
    except ValueError:  # of lists of several lengths
        channel = np.zeros(0)
    is_integer = channel.dtype.kind in "iu" and channel.shape == (PRN_PER_SYSTEM,)
    if not is_integer or np.abs(channel.astype(np.int64)).max() > -UNKNOWN_CHANNEL:
        raise DataError(
            f"glonass_channel must be {PRN_PER_SYSTEM} integers by slot - 1; got "
            f"{got_words(given)}."
        )
    return channel.astype(np.int8)


def refuse_correction(correction: CorrectionSigma | None) -> None:
    """DataError for a base with correction sigmas: without them fixes would claim too much."""
    if correction is not None:
        raise DataError(
            "the base is a virtual station that carries the uncertainty of its network's "
            "corrections, which the live engine cannot use yet; solve the recording with "
            "rtkpos.solve, or remove `correction` to have it taken for a receiver."
        )


def _integer(value: Any, what: str) -> int:
    """An integer of Python or numpy; DataError otherwise."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise DataError(f"{what} must be an integer; got {value!r}.")
    return int(value)


def _check_time(time_ns: Any, who: str) -> None:
    """DataError unless the time is an integer after the GPS epoch."""
    if not 0 <= _integer(time_ns, f"{who} time_ns (GPST nanoseconds since 1980)") < LAST_TIME_NS:
        raise DataError(f"{who} time_ns must be GPST nanoseconds since 1980-01-06; got {time_ns}.")


def _column(epoch: Epoch, name: str, who: str) -> Any:
    """One column after the check of its type and shape."""
    values = np.asarray(getattr(epoch, name))
    if values.ndim != 1:
        raise DataError(f"{who} {name} must have one dimension; got shape {values.shape}.")
    if name in _INTEGER_COLUMNS:
        if values.dtype.kind not in "iu":
            raise DataError(f"{who} {name} must hold integers; got {values.dtype}.")
    elif values.dtype != np.float64:
        raise DataError(f"{who} {name} must be float64; got {values.dtype}.")
    return values


def _known_rows(columns: dict[str, Any], notes: Counter[str]) -> dict[str, Any]:
    """The rows of satellites and signals that exist and belong to each other."""
    sat, sig = columns["sat"].astype(np.int64), columns["sig"].astype(np.int64)
    in_table = (sat >= 0) & (sat < N_SAT)
    system = np.where(in_table, sat // PRN_PER_SYSTEM, 0)
    known_sat = in_table & (sat % PRN_PER_SYSTEM < np.array(MAX_PRN)[system])
    known_sig = (sig >= 0) & (sig < N_SIG) & (sig // SIG_PER_SYSTEM == system)
    notes["unknown_satellite"] += int(np.sum(~known_sat))
    notes["unknown_signal"] += int(np.sum(known_sat & ~known_sig))
    kept = known_sat & known_sig
    return {name: values[kept] for name, values in columns.items()}


def _refuse_duplicates(columns: dict[str, Any], who: str) -> None:
    """DataError when a signal of a satellite has two rows (the rows are sorted)."""
    sat, sig = columns["sat"], columns["sig"]
    if np.any((sat[1:] == sat[:-1]) & (sig[1:] == sig[:-1])):
        raise DataError(f"{who} epoch has two rows of the same satellite and signal; give one.")


def _ready(name: str, values: Any) -> Any:
    """A column in the type of the kernels; what cannot be an observation becomes NaN."""
    if name == "lli":
        return np.ascontiguousarray(values & 7, np.uint8)
    if name in _INTEGER_COLUMNS:
        return np.ascontiguousarray(values, np.int16)
    missing = ~(np.abs(values) <= _LIMITS[name])
    if name in ("code_m", "phase_cycle"):
        missing |= values == 0.0
    return np.where(missing, np.nan, values)
