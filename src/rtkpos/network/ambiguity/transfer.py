"""Transfer: two sides of a triangle have integers, so those of the third follow, if they fit.

The sum tells what they must be; the third baseline's own filter says whether they can be. It must
know the ambiguities well enough that the neighbouring integers would not fit as well.

network : NetworkMemory
"""

from __future__ import annotations

from rtkpos._numba.decorator import kernel
from rtkpos.core.ils.decorrelation import ILS_OK, decorrelate
from rtkpos.core.ils.search import load_floats
from rtkpos.core.ils.transformations import to_decorrelated
from rtkpos.estimate.ambiguity.fixing import form_double_differences, solve_transposed
from rtkpos.gnss.systems import system_of
from rtkpos.network.ambiguity.baseline_integers import (
    add_anchors,
    choose_free,
    find_anchors,
    hold_pair,
)
from rtkpos.network.ambiguity.closure import FEWEST
from rtkpos.network.network_memory import COUNT_TRANSFERRED

SIGMA_MAX_CYCLE = 0.3  # of each decorrelated ambiguity: the next integer is more than 3 sigma away
MISFIT_MAX = 3.0  # mean squared normalised residual


@kernel
def transfer_integers(time_ns, network):
    """Hold what follows from two held sides of a triangle and fits the third; returns how many."""
    n = 0
    for t in range(network.triangle.shape[0]):
        for k in range(3):
            edge = network.edge[network.triangle[t, k]]
            for system in range(edge.datum_ns.shape[0]):
                n += transfer_system(t, k, system, time_ns, network)
    network.tally[COUNT_TRANSFERRED] += n
    return n


@kernel
def transfer_system(t, k, system, time_ns, network):
    """The satellites of a system that lack integers on side k of triangle t; how many are held."""
    edge = network.edge[network.triangle[t, k]]
    work = edge.work
    n_held = 0
    is_ready = False
    for i in range(work.n_sat):
        if system_of(work.sat[i]) != system or not can_transfer(t, k, i, network):
            continue
        if not is_ready:
            find_anchors(system, edge)
            is_ready = True
        if choose_free(system, i, edge) == 0:
            continue
        add_anchors(edge)
        if fits(t, k, network):
            n_held += take_over(t, k, i, time_ns, network)
    return n_held


@kernel
def can_transfer(t, k, i, network):
    """Whether row i of side k has free ambiguities and both other sides hold those of its bands."""
    edge = network.edge[network.triangle[t, k]]
    n = 0
    for band in range(edge.model.held.shape[1]):
        if edge.is_free[i, band]:
            if network.closed[t, system_of(edge.work.sat[i]), band] < FEWEST:
                return False
            there, _ = implied(t, k, edge.work.sat[i], band, network)
            if not there:
                return False
            n += 1
    return n > 0


@kernel
def implied(t, k, sat, band, network):
    """(1 when the two other sides hold the arc, integer of side k that closes the triangle)."""
    total = 0
    for j in range(3):
        if j == k:
            continue
        other = network.edge[network.triangle[t, j]]
        if not other.model.held[sat, band]:
            return 0, 0
        total += network.sign[t, j] * other.integer[sat, band]
    return 1, -network.sign[t, k] * total


@kernel
def fits(t, k, network):
    """Whether the implied integers of the candidates agree with the float solution of side k.

    The squared norm (z - z_float)' Q^-1 (z - z_float) by the decorrelated factors, as in
    `estimate.ambiguity.fixing.condition_position`.
    """
    edge = network.edge[network.triangle[t, k]]
    amb, state, work = edge.ambiguity, edge.state, edge.work
    n = form_double_differences(work, state, amb)
    ils = amb.search
    if n == 0 or decorrelate(amb.cov, n, ils) != ILS_OK:
        return False
    if load_floats(amb.floats, n, ils) != ILS_OK:
        return False
    for j in range(n):
        # Against the float's own nearest integer, so that no digits are lost.
        amb.dd_vector[j] = double_difference(t, k, j, network) - ils.shift[j]
    to_decorrelated(n, amb.dd_vector, ils, amb.scratch)
    for j in range(n):
        amb.scratch[j] -= ils.floats_z[j]
        if ils.cond_var[j] > SIGMA_MAX_CYCLE**2:
            return False
    solve_transposed(0, n, amb.scratch, ils, amb.pull)
    norm = 0.0
    for j in range(n):
        norm += amb.pull[j] ** 2 / ils.cond_var[j]
    return norm < MISFIT_MAX * n


@kernel
def double_difference(t, k, j, network):
    """Implied integer of double difference j of side k, whose ends are new or held."""
    edge = network.edge[network.triangle[t, k]]
    amb, work = edge.ambiguity, edge.work
    i, band = amb.satellite[j], amb.band[j]
    reference = amb.reference[work.datum_group[i, band]]
    upper = integer_or_implied(t, k, work.sat[i], band, network)
    return float(upper - integer_or_implied(t, k, work.sat[reference], band, network))


@kernel
def integer_or_implied(t, k, sat, band, network):
    """The held integer of side k, or the one the other sides imply."""
    edge = network.edge[network.triangle[t, k]]
    if edge.model.held[sat, band]:
        return edge.integer[sat, band]
    _, value = implied(t, k, sat, band, network)
    return value


@kernel
def take_over(t, k, i, time_ns, network):
    """Hold the implied integers of row i on side k; returns how many."""
    edge = network.edge[network.triangle[t, k]]
    sat, n = edge.work.sat[i], 0
    for band in range(edge.model.held.shape[1]):
        if not edge.is_free[i, band] or edge.anchor[band] < 0:
            continue
        _, value = implied(t, k, sat, band, network)
        edge.tentative[sat, band] = value
        edge.is_free[i, band] = 0
        n += hold_pair(edge.work.sat[edge.anchor[band]], sat, band, time_ns, edge.state, edge)
    return n
