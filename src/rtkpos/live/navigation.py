"""Navigation data that grow while a vehicle drives."""

from __future__ import annotations

from typing import Any

import numpy as np

from rtkpos._arrays import IndexArray
from rtkpos.core.tables import N_PARAM
from rtkpos.records.broadcast import BroadcastTable, Ionosphere, sat_starts

NAV_COLUMNS = {
    "sat": np.int16,
    "message": np.int8,
    "toe_ns": np.int64,
    "toc_ns": np.int64,
    "tx_ns": np.int64,
    "issue": np.int64,
    "health": np.int64,
    "healthy": np.int8,
    "orbit": np.int8,
    "accuracy_m": np.float64,
    "param": np.float64,
}


def nav_of_columns(
    columns: dict[str, Any], ionosphere: tuple[Ionosphere, ...] = ()
) -> BroadcastTable:
    """A table of sorted columns."""
    ready: dict[str, Any] = {
        name: np.require(columns[name], kind, ("C", "A", "W")) for name, kind in NAV_COLUMNS.items()
    }
    return BroadcastTable(**ready, sat_start=sat_starts(ready["sat"]), ionosphere=ionosphere)


def empty_nav() -> BroadcastTable:
    """A table without ephemerides."""
    columns: dict[str, Any] = {name: np.zeros(0, kind) for name, kind in NAV_COLUMNS.items()}
    return nav_of_columns(columns | {"param": np.zeros((0, N_PARAM))})


def joined_nav(
    old: BroadcastTable, new: BroadcastTable, oldest_ns: int = 0
) -> tuple[BroadcastTable, IndexArray]:
    """Both tables as one, and where the rows of the old one went.

    oldest_ns : sets with a toe before this time are left out
    Of the same set (satellite, message, toe, issue) in both, the new one stays: it may carry
    another health. Returns the table and (n_old,) row in it of each old row, -1 where it is gone.
    """
    joined: dict[str, Any] = {
        name: np.concatenate([getattr(old, name), getattr(new, name)]) for name in NAV_COLUMNS
    }
    n_old, n = old.n_ephemeris, old.n_ephemeris + new.n_ephemeris
    keys = np.stack([joined[k].astype(np.int64) for k in ("sat", "message", "toe_ns", "issue")], 1)
    _, group = np.unique(keys, axis=0, return_inverse=True)
    group = group.reshape(-1)
    last = np.zeros(int(group.max()) + 1 if n else 0, np.int64)
    last[group] = np.arange(n)
    order = np.lexsort(tuple(joined[k][last] for k in ("tx_ns", "toe_ns", "message", "sat")))
    order = order[joined["toe_ns"][last][order] >= oldest_ns]
    place = np.full(len(last), -1, np.int64)
    place[order] = np.arange(len(order))
    columns = {name: values[last[order]] for name, values in joined.items()}
    return nav_of_columns(columns, _joined_ionosphere(old, new)), place[group[:n_old]]


def _joined_ionosphere(old: BroadcastTable, new: BroadcastTable) -> tuple[Ionosphere, ...]:
    """The messages of both; of one source, kind, satellite and time the new one."""
    found = {(m.source, m.kind, m.time_ns, m.sat): m for m in (*old.ionosphere, *new.ionosphere)}
    return tuple(sorted(found.values(), key=lambda m: (m.time_ns, m.source, m.sat)))
