"""From scanned epochs to one table: time scale, order, duplicates, sessions."""

from __future__ import annotations

import time

import numpy as np

from rtkpos._arrays import BoolArray, TimeArray
from rtkpos.constants import BDT_MINUS_GPST_S, NS_PER_DAY, NS_PER_S
from rtkpos.core.tables import EVENT_SESSION
from rtkpos.gnss.time import LEAP_SECONDS, iso_gpst, ns_from_calendar
from rtkpos.io.rinex._observations.epoch_set import EpochSet, select_epochs
from rtkpos.io.rinex._observations.joined_records import join_records
from rtkpos.records.report import ReadReport

SESSION_GAP_NS = 3600 * NS_PER_S  # time going back further starts another session
ROLLOVER_NS = 1024 * 7 * NS_PER_DAY  # a counter of ten bits for the week (IS-GPS-200, 20.3.3.3.1.1)
UNIX_GPS_NS = 315_964_800 * NS_PER_S  # 1980-01-06 in Unix time


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


def without_rollovers(time_ns: TimeArray, name: str, report: ReadReport) -> TimeArray:
    """Times of epochs whose receiver did not know the week yet, in the week of the others.

    time_ns : (n_epoch,) in file order [ns GPST]

    Where the file steps by a multiple of 1024 weeks to within an hour, the counter of ten bits
    was at fault: all are dated like the latest that is not in the future.
    """
    step = np.diff(time_ns)
    turns = np.rint(step / ROLLOVER_NS).astype(np.int64)
    turns[np.abs(step - turns * ROLLOVER_NS) > SESSION_GAP_NS] = 0
    if not turns.any():
        return time_ns
    turn = np.concatenate([[0], np.cumsum(turns)])
    now_ns = int(time.time() * NS_PER_S) - UNIX_GPS_NS
    known = [int(t) for t in np.unique(turn) if time_ns[turn == t].min() < now_ns]
    late = turn - max(known, default=int(turn.min()))
    for n in np.unique(late[late != 0]):
        said = f"{abs(n) * 1024} weeks {'early' if n < 0 else 'late'}"
        at = np.flatnonzero(late == n)
        where = f"{name}: {iso_gpst(int(time_ns[at[0]]))}"
        report.add("week_rollover", where, len(at))
        report.warn(
            f"{name}: {len(at)} epochs are dated {said} (first {where}), as by a receiver that "
            "does not know the week; read with the week of the others."
        )
    return time_ns - late * ROLLOVER_NS


def arrange(epochs: EpochSet, new_session: BoolArray, name: str, report: ReadReport) -> EpochSet:
    """Epochs in strictly increasing time, each once; sessions marked with EVENT_SESSION.

    new_session : (n_epoch,) a session starts here for another reason (another receiver)

    Time going back by more than an hour starts a session; sessions are put in the order of time
    (where they overlap, their epochs interleave and every change is marked). A lone epoch that
    jumps by more than an hour and back has a damaged tag and is dropped. Records of the same time
    are one epoch where they complete each other (`join_records`); else the first in its place in
    the file is kept. Times that are whole rollovers of the week early are set right.
    """
    epochs.time_ns = without_rollovers(epochs.time_ns, name, report)
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
    receiver = np.cumsum(new_session, dtype=np.int64)[kept]
    order = np.lexsort((~in_place, receiver, kept_ns))
    sorted_epochs = select_epochs(epochs, kept[order])
    chosen, first = join_records(sorted_epochs, receiver[order], name, report)
    order = order[first]
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
