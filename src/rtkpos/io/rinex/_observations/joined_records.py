"""Records of equal time: those of one receiver with other satellites are one epoch."""

from __future__ import annotations

import numpy as np

from rtkpos._arrays import BoolArray, IndexArray
from rtkpos.gnss.systems import N_SAT
from rtkpos.gnss.time import iso_gpst
from rtkpos.io.rinex._observations.epoch_set import EpochSet, join_epochs, select_epochs
from rtkpos.io.rinex._observations.lines import ObsRows
from rtkpos.records.report import ReadReport

_VALUES = ("code_m", "phase_cycle", "doppler_hz", "cn0_dbhz")


def join_records(
    epochs: EpochSet, receiver: IndexArray, name: str, report: ReadReport
) -> tuple[EpochSet, IndexArray]:
    """Epochs in strictly increasing time from epochs sorted by time, and the first index of each.

    epochs   : sorted by time; of equal times the most credible first
    receiver : (n_epoch,) number of the receiver an epoch comes from

    A later record of equal time adds its satellites and signals to the first. Equal values are
    counted as duplicates; a satellite whose values differ is left out and counted. A record with
    more values that differ than new ones, or of another receiver, is another epoch under the same
    tag: it is dropped and counted as a conflict.
    """
    time_ns = epochs.time_ns
    is_first = np.concatenate([[True], time_ns[1:] != time_ns[:-1]])
    first = np.flatnonzero(is_first)
    if is_first.all():
        return epochs, first
    rank = np.arange(len(time_ns)) - np.repeat(first, np.diff(first, append=len(time_ns)))
    group = np.cumsum(is_first) - 1
    n_record = np.bincount(group)
    several = np.flatnonzero(n_record > 1)
    joined = select_epochs(epochs, first[several])
    wheres: dict[str, list[int]] = {}
    barred: IndexArray = np.zeros(0, np.int64)
    for level in range(1, int(n_record.max())):
        added = np.flatnonzero(rank == level)
        place = np.searchsorted(several, group[added])
        base, rest = select_epochs(joined, place), np.delete(np.arange(len(several)), place)
        is_same_receiver = receiver[added] == receiver[first[group[added]]]
        merged, differ = _join_pairs(base, select_epochs(epochs, added), is_same_receiver, wheres)
        barred = np.union1d(barred, place[differ // N_SAT] * N_SAT + differ % N_SAT)
        both = join_epochs([merged, select_epochs(joined, rest)])
        joined = select_epochs(both, np.argsort(np.concatenate([place, rest]), kind="stable"))
    wheres["conflicting_satellite"] = joined.time_ns[barred // N_SAT].tolist()
    _tell(wheres, name, report)
    joined = _without(joined, barred)
    single = select_epochs(epochs, first[n_record == 1])
    both = join_epochs([single, joined])
    order = np.argsort(both.time_ns, kind="stable")
    return select_epochs(both, order), first


def _join_pairs(
    base: EpochSet, added: EpochSet, is_same_receiver: BoolArray, wheres: dict[str, list[int]]
) -> tuple[EpochSet, IndexArray]:
    """The k-th epochs of both as one, for all k; `wheres` gets the times of what was found.

    The second result are satellites whose values differ, as k * N_SAT + satellite: they are to be
    left out when no more records follow.
    """
    n = len(base.time_ns)
    rows = join_epochs([base, added]).rows
    n_row = [np.diff(part.row_start) for part in (base, added)]
    epoch = np.repeat(np.tile(np.arange(n), 2), np.concatenate(n_row))
    is_added = np.arange(len(epoch)) >= len(base.rows.sat)
    order = np.lexsort((is_added, rows.sig, rows.sat, epoch))
    rows = ObsRows._make([column[order] for column in rows])
    epoch, is_added = epoch[order], is_added[order]
    again = np.ones(len(epoch), np.bool_)
    again[:1] = False
    for key in (epoch, rows.sat, rows.sig):
        again[1:] &= key[1:] == key[:-1]
    differs, adds = _compare(rows, np.flatnonzero(again))
    n_new = np.bincount(epoch[is_added & ~again], minlength=n) + np.bincount(
        epoch[again], adds, minlength=n
    )
    n_differ = np.bincount(epoch[again], differs, minlength=n)
    is_joined = is_same_receiver & (n_differ <= n_new)
    _fill(rows, np.flatnonzero(again), is_joined[epoch[again]])
    differ = np.unique((epoch[again] * N_SAT + rows.sat[again])[differs])
    keep = ~again & (is_joined[epoch] | ~is_added)
    is_equal = is_joined & (n_new == 0) & (n_differ == 0)
    found = {
        "epoch_duplicate": np.flatnonzero(is_equal),
        "epoch_joined": np.flatnonzero(is_joined & ~is_equal),
        "epoch_conflict": np.flatnonzero(~is_joined),
    }
    for what, where in found.items():
        wheres.setdefault(what, []).extend(base.time_ns[where].tolist())
    joined = EpochSet(
        base.time_ns,
        np.where(is_joined, base.event | added.event, base.event),
        np.where(is_joined & np.isnan(base.rx_clock_s), added.rx_clock_s, base.rx_clock_s),
        np.concatenate([[0], np.cumsum(np.bincount(epoch[keep], minlength=n))]),
        ObsRows._make([column[keep] for column in rows]),
    )
    return joined, differ[is_joined[differ // N_SAT]]


def _without(epochs: EpochSet, barred: IndexArray) -> EpochSet:
    """The epochs without some satellites, each given as epoch * N_SAT + satellite."""
    n = len(epochs.time_ns)
    epoch = np.repeat(np.arange(n), np.diff(epochs.row_start))
    keep = ~np.isin(epoch * N_SAT + epochs.rows.sat, barred)
    return EpochSet(
        epochs.time_ns,
        epochs.event,
        epochs.rx_clock_s,
        np.concatenate([[0], np.cumsum(np.bincount(epoch[keep], minlength=n))]),
        ObsRows._make([column[keep] for column in epochs.rows]),
    )


def _compare(rows: ObsRows, again: IndexArray) -> tuple[BoolArray, BoolArray]:
    """Whether repeated rows differ from the row before each, and whether they add a value."""
    differs, adds = (np.zeros(len(again), np.bool_) for _ in range(2))
    for name in _VALUES:
        values = getattr(rows, name)
        before, after = values[again - 1], values[again]
        differs |= ~np.isnan(before) & ~np.isnan(after) & (before != after)
        adds |= np.isnan(before) & ~np.isnan(after)
    return differs, adds & ~differs


def _fill(rows: ObsRows, again: IndexArray, is_joined: BoolArray) -> None:
    """Missing values of the row before each repeated row, and its loss-of-lock bits."""
    again = again[is_joined]
    for name in _VALUES:
        values = getattr(rows, name)
        values[again - 1] = np.where(np.isnan(values[again - 1]), values[again], values[again - 1])
    rows.lli[again - 1] |= rows.lli[again]


def _tell(wheres: dict[str, list[int]], name: str, report: ReadReport) -> None:
    """Counts with the first place, and one sentence per kind that matters."""
    for what, times in wheres.items():
        if times:
            report.add(what, f"{name}: {iso_gpst(min(times))}", len(times))
    for what, words in (
        ("epoch_joined", "records have the time of another with other satellites; read as one"),
        ("epoch_conflict", "records have the time of another but other values; one of each kept"),
        ("conflicting_satellite", "satellites stand twice in an epoch with other values; left out"),
    ):
        times = wheres.get(what, [])
        if times:
            report.warn(f"{name}: {len(times)} {words} (first {iso_gpst(min(times))}).")
