"""Observations as an xarray Dataset in georinex' layout, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rtkpos._arrays import BoolArray, FloatArray, IndexArray
from rtkpos.errors import DataError
from rtkpos.gnss.signals import sig_code, sig_index
from rtkpos.gnss.systems import (
    PRN_PER_SYSTEM,
    SYSTEM_LETTERS,
    sat_from_name,
    sat_name,
)
from rtkpos.io.rinex._observations.columns import codes_from_rinex2, of_converter
from rtkpos.io.rinex._observations.epoch_set import EpochSet, select_epochs
from rtkpos.io.rinex._observations.lines import ObsRows
from rtkpos.io.rinex._observations.merge import to_gpst
from rtkpos.io.rinex.header import TIME_SYSTEMS
from rtkpos.records.observations import ObsTable, Station
from rtkpos.records.report import ReadReport

if TYPE_CHECKING:
    import xarray as xr

_EPOCH_0 = np.datetime64("1980-01-06T00:00:00", "ns")
_COLUMN = {"C": "code_m", "L": "phase_cycle", "D": "doppler_hz", "S": "cn0_dbhz"}


def to_xarray(table: ObsTable, system: str | None = None) -> xr.Dataset:
    """The table as `georinex.load` returns it: dimensions time, sv; variables by RINEX code.

    Variables "C1C" [m], "L1C" [cycle], "D1C" [Hz], "S1C" [dB-Hz] are (time, sv), NaN = missing;
    "L1Clli" holds the loss-of-lock bits where the phase was observed. Times are GPST; RINEX 2
    files have RINEX 3 codes, too. DataError for a letter that is no system.

    Parameters
    ----------
    table : ObsTable
        Observations.
    system : str, optional
        One RINEX letter ("G"), None = all systems.

    Returns
    -------
    xarray.Dataset
        The dataset.
    """
    import xarray as xr

    if system is not None and (len(system) != 1 or system not in SYSTEM_LETTERS):
        raise DataError(f"system must be one letter of {SYSTEM_LETTERS}; got {system!r}.")
    wanted = np.ones(table.n_row, np.bool_)
    if system is not None:
        wanted = table.sat // PRN_PER_SYSTEM == SYSTEM_LETTERS.index(system)
    epoch = np.repeat(np.arange(table.n_epoch), np.diff(table.row_start))[wanted]
    sats, column = np.unique(table.sat[wanted], return_inverse=True)
    shape = (table.n_epoch, len(sats))
    data: dict[str, Any] = {}
    signals = table.sig[wanted]
    for sig in np.unique(signals):
        rows = signals == sig
        where = epoch[rows], column[rows]
        for kind, name in _COLUMN.items():
            values = getattr(table, name)[wanted][rows]
            if np.all(np.isnan(values)):
                continue
            _put(data, f"{kind}{sig_code(int(sig))}", shape, where, values)
            if kind == "L":
                lli = table.lli[wanted][rows].astype(np.float64)
                lli[np.isnan(values)] = np.nan
                _put(data, f"L{sig_code(int(sig))}lli", shape, where, lli)
    coords = {
        "time": _EPOCH_0 + table.time_ns.astype("timedelta64[ns]"),
        "sv": [sat_name(int(sat)) for sat in sats],
    }
    variables = {name: (("time", "sv"), values) for name, values in sorted(data.items())}
    return xr.Dataset(variables, coords=coords, attrs=_attributes(table))


def _put(
    data: dict[str, Any],
    name: str,
    shape: tuple[int, int],
    where: tuple[IndexArray, IndexArray],
    values: FloatArray,
) -> None:
    """Fill values into the variable `name`, which several systems may share."""
    data.setdefault(name, np.full(shape, np.nan))[where] = values


def _attributes(table: ObsTable) -> dict[str, Any]:
    """Dataset attributes under georinex' names."""
    attributes: dict[str, Any] = {
        "version": table.version,
        "rinextype": "obs",
        "time_system": "GPS",
        "interval": table.interval_s,
        "rxmodel": table.station.receiver,
        "filename": ", ".join(table.source),
    }
    if np.all(np.isfinite(table.station.approx_ecef_m)):
        attributes["position"] = table.station.approx_ecef_m.tolist()
    return attributes


def from_xarray(dataset: xr.Dataset) -> ObsTable:
    """An `ObsTable` of a Dataset as `georinex.load` returns it (RINEX 2 or 3 variable names).

    Epochs are sorted by time and unique; zeros are missing. DataError names what does not fit.

    Parameters
    ----------
    dataset : xarray.Dataset
        Dimensions time and sv in either order; variables "C1C", "L1C", "L1Clli", ... (RINEX 2:
        "C1", "P2", ...); times in the scale of its attribute time_system.

    Returns
    -------
    ObsTable
        The table.
    """
    for needed in ("time", "sv"):
        if needed not in dataset.coords:
            raise DataError(f"the dataset has no coordinate {needed!r}; wanted georinex' layout.")
    time_system = str(dataset.attrs.get("time_system", "GPS")).strip() or "GPS"
    if time_system == "GP":  # georinex cuts a misplaced "GPS" at the fixed column
        time_system = "GPS"
    if time_system not in TIME_SYSTEMS:
        raise DataError(f"the dataset's time_system is {time_system!r}; known: {TIME_SYSTEMS}.")
    times = np.asarray(dataset["time"].values).astype("datetime64[ns]")
    time_ns = to_gpst((times - _EPOCH_0).astype(np.int64), time_system)
    report = ReadReport()
    version = float(dataset.attrs.get("version", 3.0))
    blocks = _blocks(dataset, version, report)
    epochs = _rows_of_blocks(time_ns, blocks)
    _, order = np.unique(time_ns, return_index=True)
    report.add("epoch_duplicate", "dataset", len(time_ns) - len(order))
    epochs = select_epochs(epochs, order)
    signals: dict[int, tuple[str, ...]] = {}
    for sat, code, _, _ in blocks:
        known = signals.get(sat // PRN_PER_SYSTEM, ())
        if code not in known:
            signals[sat // PRN_PER_SYSTEM] = (*known, code)
    return ObsTable(
        time_ns=epochs.time_ns,
        row_start=epochs.row_start,
        event=epochs.event,
        rx_clock_s=epochs.rx_clock_s,
        **epochs.rows._asdict(),
        signals=signals,
        station=_station(dataset),
        version=version,
        time_system=time_system,
        interval_s=float(dataset.attrs.get("interval", np.nan)),
        source=(str(dataset.attrs.get("filename", "dataset")),),
        report=report,
    )


_Block = tuple[int, str, FloatArray, FloatArray | None]


def _blocks(dataset: xr.Dataset, version: float, report: ReadReport) -> list[_Block]:
    """(sat, code, values over time, LLI over time or None) of every variable and satellite."""
    names = [str(n) for n in dataset.data_vars if str(n)[:1] in "CPLDS" and len(str(n)) <= 3]
    blocks: list[_Block] = []
    for k, sv in enumerate(dataset["sv"].values):
        sat = sat_from_name(str(sv))
        if sat < 0:
            report.add("bad_prn", str(sv))
            continue
        for name, code in _codes(names, sat // PRN_PER_SYSTEM, version):
            if not code:
                continue
            values = _column(dataset, name, k)
            lli = _column(dataset, f"{name}lli", k) if f"{name}lli" in dataset else None
            if np.any(np.isfinite(values)):
                blocks.append((sat, code, values, lli))
    return blocks


def _codes(names: list[str], system: int, version: float) -> list[tuple[str, str]]:
    """Variable names with the observation code of the system, "" where it has none."""
    if all(len(name) == 2 for name in names):
        return list(zip(names, codes_from_rinex2(system, names), strict=True))
    named = []
    for name in names:
        code = of_converter(system, name, names, version)
        is_known = len(code) == 3 and sig_index(system, code[1:]) >= 0
        named.append((name, code if is_known else ""))
    return named


def _column(dataset: xr.Dataset, name: str, k: int) -> FloatArray:
    """One satellite's values of a variable over time: (n_time,)."""
    return np.asarray(dataset[name].isel(sv=k).values, dtype=np.float64)


def _rows_of_blocks(time_ns: IndexArray, blocks: list[_Block]) -> EpochSet:
    """Rows sorted by epoch, satellite, signal."""
    n_time = len(time_ns)
    keys = sorted({(sat, sig_index(sat // PRN_PER_SYSTEM, code[1:])) for sat, code, _, _ in blocks})
    place = {key: k for k, key in enumerate(keys)}
    values = np.full((len(_COLUMN), n_time, len(keys)), np.nan)
    lli = np.zeros((n_time, len(keys)), np.uint8)
    for sat, code, column, indicator in blocks:
        k = place[sat, sig_index(sat // PRN_PER_SYSTEM, code[1:])]
        values["CLDS".index(code[0]), :, k] = np.where(column == 0.0, np.nan, column)
        if indicator is not None and code[0] == "L":
            lli[:, k] = np.nan_to_num(indicator).astype(np.uint8) & 7
    seen: BoolArray = np.isfinite(values).any(axis=0)
    epoch, pair = np.nonzero(seen)
    sat_sig = np.array(keys, np.int16).reshape(-1, 2)
    rows = ObsRows(
        sat_sig[pair, 0].copy(),
        sat_sig[pair, 1].copy(),
        values[0][epoch, pair],
        values[1][epoch, pair],
        values[2][epoch, pair],
        values[3][epoch, pair],
        lli[epoch, pair],
    )
    row_start = np.concatenate([[0], np.cumsum(seen.sum(axis=1))]).astype(np.int64)
    return EpochSet(time_ns, np.zeros(n_time, np.uint8), np.full(n_time, np.nan), row_start, rows)


def _station(dataset: xr.Dataset) -> Station:
    """Station facts of the dataset's attributes."""
    position = np.asarray(dataset.attrs.get("position", [np.nan] * 3), dtype=np.float64)
    if position.shape != (3,) or not position.any():
        position = np.full(3, np.nan)
    return Station(approx_ecef_m=position, receiver=str(dataset.attrs.get("rxmodel", "")))
