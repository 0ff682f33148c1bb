"""RINEX observation files (2.00-2.12, 3.00-3.05, 4.00-4.02) as an `ObsTable`."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from rtkpos._arrays import BoolArray, SmallArray
from rtkpos.errors import ConfigError, RinexError
from rtkpos.gnss.systems import GLONASS, PRN_PER_SYSTEM, sat_name, systems_from_letters
from rtkpos.io.rinex._observations.columns import phase_shifts
from rtkpos.io.rinex._observations.epoch_set import EpochSet, join_epochs
from rtkpos.io.rinex._observations.merge import arrange
from rtkpos.io.rinex._observations.scan_file import FileScan, scan_file, split_recordings
from rtkpos.io.text.decompress import Source, read_members
from rtkpos.records.observations import UNKNOWN_CHANNEL, ObsTable
from rtkpos.records.report import ReadReport

_STRICT = (
    "epoch_bad_header",
    "epoch_count_wrong",
    "epoch_truncated",
    "epoch_bad_time",
    "epoch_conflict",
    "satellite_count_wrong",
    "misplaced_field",
    "date_beyond_month",
    "week_rollover",
    "bad_field",
    "bad_prn",
    "unknown_system",
    "conflicting_satellite",
    "system_dropped",
    "event_cut",
    "event_bad_header",
    "recording_dropped",
)


def read_obs(
    paths: Source | Sequence[Source], *, systems: str = "GRECJIS", strict: bool = False
) -> ObsTable:
    """Observations of one receiver from one or several RINEX files, in the order of time.

    Every epoch of the file is either in the table or counted under a name that starts with
    "epoch_" (`epoch_kept` + skips = `epoch_in_file`).

    Parameters
    ----------
    paths : path or bytes or sequence of path or bytes
        A path or the bytes of a file, or a sequence of them (consecutive files of one receiver);
        gzip, .Z, bzip2, zip and CRINEX are recognised by content.
    systems : str, optional
        RINEX letters of the systems to read.
    strict : bool, optional
        The first damaged epoch, field or archive raises RinexError; otherwise damage is skipped,
        counted in `report.counts` and, where it matters, told in `report.warnings`.

    Returns
    -------
    ObsTable
        The table; values of 0.0 and blanks are missing (NaN), rows without any observation are not
        kept.

    Raises
    ------
    FileError
        A file is missing or cannot be unpacked.
    RinexError
        A file is no observation file, or it is damaged and `strict` is set.
    ConfigError
        No file is named, or a system that does not exist.
    """
    sources = [paths] if isinstance(paths, bytes | str | os.PathLike) else list(paths)
    if not sources:
        raise ConfigError("no observation file was named.")
    try:
        wanted = systems_from_letters(systems)
    except ValueError as error:
        raise ConfigError(f"systems: {error}.") from None
    report = ReadReport()
    scans: list[tuple[FileScan, EpochSet]] = []
    for source in sources:
        for name, text in read_members(source, strict=strict, report=report):
            scans += _scan_recordings(text, name, wanted, report)
    order = np.argsort([int(epochs.time_ns[0]) for _, epochs in scans], kind="stable")
    scans = [scans[k] for k in order]
    for scan, _ in scans:
        report.merge(scan.report)
    epochs = _merge(scans, report)
    _close_report(report, len(epochs.time_ns))
    if strict:
        _refuse_damage(report)
    return _table(epochs, [scan for scan, _ in scans], report)


def _scan_recordings(
    text: bytes, name: str, systems: tuple[int, ...], report: ReadReport
) -> list[tuple[FileScan, EpochSet]]:
    """The recordings of one text; of several behind each other, later ones may be unusable."""
    first, *others = split_recordings(text)
    scans = [scan_file(first, name, systems)]
    if others:
        report.warn(f"{name}: {len(others) + 1} files behind each other; read as such.")
    for other in others:
        try:
            scans.append(scan_file(other, name, systems))
        except RinexError as error:
            report.add("recording_dropped", name)
            report.warn(f"{error} This part of the file is left out.")
    return scans


def _merge(scans: list[tuple[FileScan, EpochSet]], report: ReadReport) -> EpochSet:
    """The epochs of all files, arranged; a change of the marker starts a session."""
    markers = [scan.header.station.get("marker", "") for scan, _ in scans]
    starts = np.cumsum([0] + [len(part.time_ns) for _, part in scans])
    new_session: BoolArray = np.zeros(starts[-1], np.bool_)
    for k in range(1, len(scans)):
        if markers[k] != markers[k - 1]:
            new_session[starts[k]] = True
            report.warn(
                f"{scans[k][0].header.name}: the marker is {markers[k]!r}, before it was "
                f"{markers[k - 1]!r}; files of one receiver were expected."
            )
    names = ", ".join(scan.header.name for scan, _ in scans)
    return arrange(join_epochs([part for _, part in scans]), new_session, names, report)


def _close_report(report: ReadReport, n_epoch: int) -> None:
    """Book the epochs: in the file = kept + skips by name."""
    in_order = ("epoch_duplicate", "epoch_joined", "epoch_conflict", "epoch_bad_time")
    unread = ("epoch_bad_header", "epoch_count_wrong", "epoch_truncated")
    report.counts["epoch_kept"] = n_epoch
    skips = sum(report.counts[name] for name in (*in_order, *unread))
    report.counts["epoch_in_file"] = n_epoch + skips


def _refuse_damage(report: ReadReport) -> None:
    """Raise RinexError for the first damage a strict reading does not accept."""
    for name in _STRICT:
        if report.counts[name]:
            where = report.first.get(name, "the file")
            raise RinexError(f"{where}: {name.replace('_', ' ')} ({report.counts[name]} times).")


def _channels(scans: list[FileScan], report: ReadReport) -> SmallArray:
    """GLONASS channels of all headers; a satellite with two different ones has none."""
    channel = scans[0].header.channel.copy()
    for scan in scans[1:]:
        other = scan.header.channel
        both = (channel != UNKNOWN_CHANNEL) & (other != UNKNOWN_CHANNEL)
        channel = np.where(channel == UNKNOWN_CHANNEL, other, channel).astype(np.int8)
        for slot in np.flatnonzero(both & (channel != other)):
            name = sat_name(GLONASS * PRN_PER_SYSTEM + int(slot))
            report.warn(f"{scan.header.name}: the files give {name} different GLONASS channels.")
            channel[slot] = UNKNOWN_CHANNEL
    return channel


def _table(epochs: EpochSet, scans: list[FileScan], report: ReadReport) -> ObsTable:
    """The record of arranged epochs and the headers they came with."""
    header = scans[0].header
    shifts: dict[int, float] = {}
    signals: dict[int, tuple[str, ...]] = {}
    for scan in scans:
        shifts = phase_shifts(scan.header) | shifts
        for system, codes in scan.signals.items():
            known = signals.get(system, ())
            signals[system] = known + tuple(code for code in codes if code not in known)
    rows = epochs.rows
    return ObsTable(
        time_ns=epochs.time_ns,
        row_start=epochs.row_start,
        event=epochs.event,
        rx_clock_s=epochs.rx_clock_s,
        sat=rows.sat,
        sig=rows.sig,
        code_m=rows.code_m,
        phase_cycle=rows.phase_cycle,
        doppler_hz=rows.doppler_hz,
        cn0_dbhz=rows.cn0_dbhz,
        lli=rows.lli,
        glonass_channel=_channels(scans, report),
        phase_shift_cycle=shifts,
        signals=signals,
        station=scans[0].station,
        events=tuple(event for scan in scans for event in scan.events),
        version=header.version,
        time_system=header.default_time_system(),
        interval_s=header.interval_s,
        source=tuple(scan.header.name for scan in scans),
        report=report,
    )
