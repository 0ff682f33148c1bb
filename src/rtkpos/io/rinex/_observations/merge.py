"""From scanned epochs to one table: time scale, order, duplicates, sessions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtkpos._arrays import BoolArray, FlagArray, FloatArray, IndexArray, TimeArray
from rtkpos.constants import BDT_MINUS_GPST_S, NS_PER_S
from rtkpos.core.tables import EVENT_SESSION
from rtkpos.gnss.time import LEAP_SECONDS, iso_gpst, ns_from_calendar
from rtkpos.io.rinex._observations.lines import ObsRows
from rtkpos.records.report import ReadReport

SESSION_GAP_NS = 3600 * NS_PER_S  # time going back further starts another session


@dataclass
class EpochSet:
    """Epochs in file order with their rows; rows of epoch k are row_start[k]:row_start[k + 1]."""

    time_ns: TimeArray
    event: FlagArray
    rx_clock_s: FloatArray
    row_start: IndexArray
    rows: ObsRows


def to_gpst(time_ns: TimeArray, time_system: str) -> TimeArray:
    """GPST [ns] of epoch tags in a RINEX time system (RINEX 3.05, 8.1); GLO is UTC."""
    if time_system == "BDT":
        return time_ns - BDT_MINUS_GPST_S * NS_PER_S
    if time_system in ("GLO", "UTC"):
        starts = np.array([ns_from_calendar(*day) for day, _ in LEAP_SECONDS])
        leaps = np.array([leap for _, leap in LEAP_SECONDS])
        k = np.searchsorted(starts, time_ns, side="right") - 1
        return time_ns + leaps[np.maximum(k, 0)] * NS_PER_S
    return time_ns


def arrange(epochs: EpochSet, new_session: BoolArray, name: str, report: ReadReport) -> EpochSet:
    """Epochs in strictly increasing time, each once; sessions marked with EVENT_SESSION.

    new_session : (n_epoch,) a session starts here for another reason (another receiver)

    Time going back by more than an hour starts a session; sessions are put in the order of time
    (where they overlap, their epochs interleave and every change is marked). A lone epoch that
    jumps by more than an hour and back has a damaged tag and is dropped. Of epochs with the same
    time the first in its place in the file is kept.
    """
    time_ns = epochs.time_ns
    if len(time_ns) > 1 and np.all(time_ns[1:] > time_ns[:-1]) and not new_session[1:].any():
        bad = _lone_jumps(time_ns)
        if not bad.any():
            return epochs
    bad = _lone_jumps(time_ns)
    if bad.any():
        k = int(np.flatnonzero(bad)[0])
        report.add("epoch_bad_time", f"{name}: {iso_gpst(int(time_ns[k]))}", int(bad.sum()))
    kept = np.flatnonzero(~bad)
    kept_ns = time_ns[kept]
    back = np.diff(kept_ns, prepend=kept_ns[:1]) < -SESSION_GAP_NS
    session = np.cumsum(back | new_session[kept])
    if np.any(np.diff(kept_ns) < 0):
        _warn_order(kept_ns, back, name, report)
    in_place = _in_place(kept_ns)
    order = np.lexsort((~in_place, kept_ns))
    unique = _drop_duplicates(epochs, kept[order], name, report)
    order = order[unique]
    chosen = select_epochs(epochs, kept[order])
    change = np.diff(session[order], prepend=session[order][:1]) != 0
    chosen.event[change] |= EVENT_SESSION
    return chosen


def _warn_order(time_ns: TimeArray, back: BoolArray, name: str, report: ReadReport) -> None:
    """Warn of epochs that go back in time, apart from the starts of sessions."""
    steps = np.diff(time_ns, prepend=time_ns[:1])
    n_back = int(np.sum((steps < 0) & ~back))
    if n_back:
        k = int(np.flatnonzero((steps < 0) & ~back)[0])
        where = f"{name}: {iso_gpst(int(time_ns[k]))}"
        report.add("out_of_order", where, n_back)
        report.warn(f"{name}: {n_back} epochs are out of order (first {where}); sorted by time.")
    if back.any():
        report.add("session", f"{name}: {iso_gpst(int(time_ns[back][0]))}", int(back.sum()))
        report.warn(f"{name}: time goes back by more than an hour; read as separate sessions.")


def _lone_jumps(time_ns: TimeArray) -> BoolArray:
    """Epochs more than an hour away from both neighbours while these are close to each other."""
    bad = np.zeros(len(time_ns), np.bool_)
    if len(time_ns) < 3:
        return bad
    before, after = time_ns[1:-1] - time_ns[:-2], time_ns[2:] - time_ns[1:-1]
    apart = (np.abs(before) > SESSION_GAP_NS) & (np.abs(after) > SESSION_GAP_NS)
    around = time_ns[2:] - time_ns[:-2]
    bad[1:-1] = apart & (np.sign(before) != np.sign(after)) & (np.abs(around) <= SESSION_GAP_NS)
    return bad


def _in_place(time_ns: TimeArray) -> BoolArray:
    """Epochs that lie between their neighbours in the file, so that their tag is credible."""
    rising = np.diff(time_ns) >= 0
    return np.concatenate([[True], rising]) & np.concatenate([rising, [True]])


def _drop_duplicates(
    epochs: EpochSet, order: IndexArray, name: str, report: ReadReport
) -> BoolArray:
    """Which entries of a sorted order stay: the first of each time; the rest is counted."""
    time_ns = epochs.time_ns[order]
    keep = np.ones(len(order), np.bool_)
    keep[1:] = time_ns[1:] != time_ns[:-1]
    first = 0
    for k in np.flatnonzero(~keep):
        first = int(k) - 1 if keep[k - 1] else first
        where = f"{name}: {iso_gpst(int(time_ns[k]))}"
        if _same_rows(epochs, int(order[first]), int(order[k])):
            report.add("epoch_duplicate", where)
        else:
            report.add("epoch_conflict", where)
            report.warn(f"{name}: epochs with the same time differ (first {where}); kept one.")
    return keep


def _same_rows(epochs: EpochSet, a: int, b: int) -> bool:
    """Whether two epochs hold the same observations."""
    rows_a = slice(epochs.row_start[a], epochs.row_start[a + 1])
    rows_b = slice(epochs.row_start[b], epochs.row_start[b + 1])
    return all(
        np.array_equal(column[rows_a], column[rows_b], equal_nan=column.dtype.kind == "f")
        for column in epochs.rows
    )


def select_epochs(epochs: EpochSet, index: IndexArray) -> EpochSet:
    """The epochs at `index`, in that order, with their rows."""
    counts = np.diff(epochs.row_start)[index]
    row_start = np.concatenate([[0], np.cumsum(counts)])
    shift = np.repeat(epochs.row_start[index] - row_start[:-1], counts)
    row = np.arange(row_start[-1]) + shift
    return EpochSet(
        epochs.time_ns[index],
        epochs.event[index],
        epochs.rx_clock_s[index],
        row_start,
        ObsRows(*(column[row] for column in epochs.rows)),
    )


def join_epochs(parts: list[EpochSet]) -> EpochSet:
    """Several epoch sets behind each other; the parts are given up on the way."""
    if len(parts) == 1:
        return parts[0]
    counts = np.concatenate([np.diff(part.row_start) for part in parts])
    row_start = np.concatenate([[0], np.cumsum(counts)])
    columns = [
        np.concatenate([part.rows[k] for part in parts]) for k in range(len(ObsRows._fields))
    ]
    return EpochSet(
        np.concatenate([part.time_ns for part in parts]),
        np.concatenate([part.event for part in parts]),
        np.concatenate([part.rx_clock_s for part in parts]),
        row_start,
        ObsRows(*columns),
    )
