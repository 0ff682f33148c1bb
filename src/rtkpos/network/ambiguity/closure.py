"""Triangle misclosure test: integers around every triangle of baselines must sum to zero.

Each baseline counts the integers of a system and band from a datum of its own. The datum of a
triangle's owner is shifted so that most of its satellites close; a satellite that then does not is
contradicted. Where a baseline closes with its other neighbour, the fault is isolated to the others;
those lose the integer and begin again.

network : NetworkMemory
"""

from __future__ import annotations

from rtkpos._numba.decorator import kernel
from rtkpos.gnss.systems import first_sat
from rtkpos.network.ambiguity.baseline_integers import release
from rtkpos.network.network_memory import (
    COUNT_AGREES,
    COUNT_DATUM,
    COUNT_DIFFERS,
    COUNT_RELEASED,
    WITHOUT_DATUM,
)
from rtkpos.prepare.pairing import BASE, ROVER

FEWEST = 2  # satellites that must close alike before a triangle says anything


@kernel
def close_triangles(network):
    """Test every triangle of the epoch and release what is wrong; returns arcs released."""
    for e in range(network.ends.shape[0]):
        clear_counts(network.edge[e])
    n_system, n_band = network.edge[0].datum_ns.shape
    for t in range(network.triangle.shape[0]):
        for system in range(n_system):
            for band in range(n_band):
                close_one(t, system, band, network)
    n = 0
    for t in range(network.triangle.shape[0]):
        n += release_faulty(t, network)
    for e in range(network.ends.shape[0]):
        verify(network.in_triangle[e], network.edge[e])
    network.tally[COUNT_RELEASED] += n
    return n


@kernel
def clear_counts(edge):
    """Clear the counts of the last epoch. edge : EdgeMemory record; returns 0."""
    for sat in range(edge.agree.shape[0]):
        for band in range(edge.agree.shape[1]):
            edge.agree[sat, band] = 0
            edge.differ[sat, band] = 0
    return 0


@kernel
def misclosure(t, sat, band, network):
    """(1 when all three baselines hold the arc with signals that compare, sum of the integers)."""
    total = 0
    for k in range(3):
        edge = network.edge[network.triangle[t, k]]
        if not edge.model.held[sat, band]:
            return 0, 0
        total += network.sign[t, k] * edge.integer[sat, band]
    return 1, total


@kernel
def commonest(t, system, band, network):
    """(satellites that share the commonest misclosure, that misclosure)."""
    best, value = 0, 0
    for a in range(first_sat(system), first_sat(system + 1)):
        there, sum_a = misclosure(t, a, band, network)
        if not there:
            continue
        n = 0
        for b in range(first_sat(system), first_sat(system + 1)):
            there, sum_b = misclosure(t, b, band, network)
            n += there and sum_a == sum_b
        if n > best:
            best, value = n, sum_a
    return best, value


@kernel
def close_one(t, system, band, network):
    """Shift the owner's datum; count the satellites of a triangle, system and band; returns them.

    The common case, that all close already, takes one pass.
    """
    n_closed, n_all = 0, 0
    network.closed[t, system, band] = 0
    for sat in range(first_sat(system), first_sat(system + 1)):
        there, total = misclosure(t, sat, band, network)
        n_all += there
        n_closed += there and total == 0
    if n_all < FEWEST:
        return 0
    if 2 * n_closed <= n_all:
        n_best, value = commonest(t, system, band, network)
        if n_best < FEWEST:
            return 0
        if value != 0 and network.owner[t] < 0:
            return 0
        if value != 0:
            shift_datum(t, system, band, value, network)
    for sat in range(first_sat(system), first_sat(system + 1)):
        there, total = misclosure(t, sat, band, network)
        if not there:
            continue
        network.tally[COUNT_AGREES if total == 0 else COUNT_DIFFERS] += 1
        network.closed[t, system, band] += total == 0
        for k in range(3):
            edge = network.edge[network.triangle[t, k]]
            if total == 0:
                edge.agree[sat, band] += 1
            else:
                edge.differ[sat, band] += 1
    return n_all


@kernel
def shift_datum(t, system, band, value, network):
    """Move the datum of the triangle's owner so that a misclosure of `value` cycles becomes 0."""
    edge = network.edge[network.owner[t]]
    for k in range(3):
        if network.triangle[t, k] == network.owner[t]:
            value *= network.sign[t, k]
    for sat in range(first_sat(system), first_sat(system + 1)):
        edge.integer[sat, band] -= value
        if edge.tentative_n[sat, band] > 0 and edge.tentative_origin[system, band] < 0:
            edge.tentative[sat, band] -= value
    edge.shift[system, band] -= value
    network.tally[COUNT_DATUM] += 1
    return 0


@kernel
def release_faulty(t, network):
    """Release the arcs of a triangle that do not close, but those that close elsewhere; how many.

    When all three close elsewhere, or none does, nobody can be cleared and all three go.
    """
    n = 0
    for sat in range(network.chosen.shape[0]):
        for band in range(network.edge[0].model.held.shape[1]):
            there, total = misclosure(t, sat, band, network)
            if not there or total == 0:
                continue
            if network.edge[network.triangle[t, 0]].differ[sat, band] == 0:
                continue
            n_clear = 0
            for k in range(3):
                n_clear += network.edge[network.triangle[t, k]].agree[sat, band] > 0
            for k in range(3):
                edge = network.edge[network.triangle[t, k]]
                if n_clear == 3 or edge.agree[sat, band] == 0:
                    release(sat, band, edge)
                    n += 1
    return n


@kernel
def verify(needs_triangle, edge):
    """Mark held arcs that close in some triangle and differ in none; returns how many.

    needs_triangle : 0 for a baseline in no triangle, whose integers nobody can check; WITHOUT_DATUM
    for one that must not be used, as other ways to its stations lead to other integers
    """
    n = 0
    for sat in range(edge.model.held.shape[0]):
        for band in range(edge.model.held.shape[1]):
            good = edge.model.held[sat, band] and edge.differ[sat, band] == 0
            good = good and (edge.agree[sat, band] > 0 or not needs_triangle)
            good = good and needs_triangle != WITHOUT_DATUM
            edge.verified[sat, band] = 1 if good else 0
            n += edge.verified[sat, band]
            if good:
                edge.confirmed[sat, band] = 1
    return n


@kernel
def station_integers(network):
    """Integers of the stations along verified baselines; returns satellite-bands known.

    Per satellite and band one station begins with zero; which one does not matter, as only
    differences between stations have a meaning. Stations out of reach stay unknown.
    """
    corrections, n = network.corrections, 0
    for k in range(corrections.known.shape[0]):
        for sat in range(corrections.known.shape[1]):
            for band in range(corrections.known.shape[2]):
                corrections.known[k, sat, band] = 0
    for sat in range(network.chosen.shape[0]):
        if network.chosen[sat] < 0:
            continue
        for band in range(corrections.known.shape[2]):
            n += spread_integers(sat, band, network)
    return n


@kernel
def spread_integers(sat, band, network):
    """Walk from the first verified baseline to all stations it reaches; returns how many."""
    corrections, n = network.corrections, 0
    changed = True
    while changed:
        changed = False
        for e in range(network.ends.shape[0]):
            edge = network.edge[e]
            if not edge.verified[sat, band]:
                continue
            rover, base = network.ends[e, ROVER], network.ends[e, BASE]
            if n == 0:
                corrections.known[base, sat, band] = 1
                corrections.integer[base, sat, band] = 0
                n = 1
            has_rover = corrections.known[rover, sat, band]
            has_base = corrections.known[base, sat, band]
            if has_rover == has_base:
                continue
            if has_base:
                value = corrections.integer[base, sat, band] + edge.integer[sat, band]
                corrections.integer[rover, sat, band] = value
                corrections.known[rover, sat, band] = 1
            else:
                value = corrections.integer[rover, sat, band] - edge.integer[sat, band]
                corrections.integer[base, sat, band] = value
                corrections.known[base, sat, band] = 1
            n += 1
            changed = True
    return n
