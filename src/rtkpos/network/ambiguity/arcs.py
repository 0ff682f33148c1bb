"""Arcs that had their integer in a first pass have it from their beginning in a second one.

A recording can be run through twice. The integer of an arc is the same from its first epoch to its
last, but a first pass knows it only when the filter has converged and the triangles have closed.
What it has confirmed is noted when the arc ends, free of the shifts of its datum; the second pass
holds it as soon as the arc begins.

edge : EdgeMemory record      log : (N_LOG, 6) sat, band, begin, end [ns], integer, datum [ns]
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rtkpos._arrays import IndexArray
from rtkpos._numba.decorator import kernel
from rtkpos.gnss.systems import N_SAT, system_of
from rtkpos.network.network_memory import LOG_FIELDS, N_LOG, KnownArcs
from rtkpos.prepare.pairing import N_SLOT


@kernel
def begin_arcs(time_ns, edge):
    """Note when the ambiguities of this epoch began; returns how many are new."""
    work, n = edge.work, 0
    for i in range(work.n_sat):
        sat = work.sat[i]
        for band in range(edge.model.held.shape[1]):
            if edge.state.slot[sat, band] >= 0 and edge.state.n_lock[sat, band] == 1:
                edge.begin_ns[sat, band] = time_ns
                edge.confirmed[sat, band] = 0
                n += 1
            if edge.state.slot[sat, band] >= 0:
                edge.seen_ns[sat, band] = time_ns
    return n


@kernel
def log_arc(sat, band, edge):
    """Note an arc that ends with a confirmed integer; returns 1, 0 without one or without room."""
    n = edge.n_log
    if (
        not edge.model.held[sat, band]
        or not edge.confirmed[sat, band]
        or n >= edge.log_sat.shape[0]
    ):
        return 0
    system = system_of(sat)
    edge.log_sat[n], edge.log_band[n] = sat, band
    edge.log_begin_ns[n], edge.log_end_ns[n] = edge.begin_ns[sat, band], edge.seen_ns[sat, band]
    edge.log_integer[n] = edge.integer[sat, band] - edge.shift[system, band]
    edge.log_datum_ns[n] = edge.datum_ns[system, band]
    edge.n_log = n + 1
    edge.confirmed[sat, band] = 0
    return 1


@kernel
def log_open_arcs(network):
    """Note the arcs that are still open at the end of a pass; returns how many.

    network : NetworkMemory
    """
    n = 0
    for e in range(network.ends.shape[0]):
        for sat in range(network.chosen.shape[0]):
            for band in range(network.edge[e].model.held.shape[1]):
                n += log_arc(sat, band, network.edge[e])
    return n


@kernel
def known_arc(e, sat, band, time_ns, known):
    """Row of the arc of a first pass that covers a time; -1 when there is none.

    e : baseline      known : KnownArcs
    """
    key = sat * known.n_band + band
    for row in range(known.first[e, key], known.first[e, key + 1]):
        if known.begin_ns[row] <= time_ns <= known.end_ns[row]:
            return row
    return -1


def known_arcs(edges: Any) -> KnownArcs:
    """The arcs that the baselines of a first pass have noted, in order of satellite and band.

    edges : EdgeMemory records
    """
    tables = [_sorted_log(edge) for edge in edges]
    counts = np.zeros((len(edges), N_SAT * N_SLOT + 1), np.int64)
    offset = 0
    for e, table in enumerate(tables):
        keys = table[:, 0] * N_SLOT + table[:, 1]
        counts[e] = offset + np.searchsorted(keys, np.arange(N_SAT * N_SLOT + 1))
        offset += len(table)
    rows = np.concatenate(tables) if tables else np.zeros((0, 6), np.int64)
    begin, end, integer, datum = (np.ascontiguousarray(rows[:, c]) for c in range(2, 6))
    return KnownArcs(counts, begin, end, integer, datum, N_SLOT)


def _sorted_log(edge: Any) -> IndexArray:
    """One baseline's log by satellite, band and time."""
    n = int(edge["n_log"])
    log: IndexArray = np.column_stack([edge[name][:n] for name in LOG_FIELDS])
    return log[np.lexsort((log[:, 2], log[:, 1], log[:, 0]))]


def is_log_full(edges: Any) -> bool:
    """Whether a baseline had more arcs than its log has room for."""
    return bool(np.any(edges["n_log"] >= N_LOG))
