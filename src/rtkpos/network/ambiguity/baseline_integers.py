"""Integers of a baseline between known stations: found, found again, and held.

The first attempts take all satellites of a system; where the whole set is not certain enough, the
more precise half of it, and half of that. What the ratio test accepts in several epochs in a row is
imposed on the filter as a constraint between two ambiguities, and the arc has its integer until it
ends. Once a baseline holds some of a system, clock and wet delay are known and every newcomer is a
small problem of its own: its bands against the held anchors.

edge : EdgeMemory record      work : EpochWork, rows (M, B)      state : FilterState      amb :
AmbiguityWork      settings : Settings
"""

from __future__ import annotations

import math

from rtkpos._numba.decorator import kernel
from rtkpos.core.ils.search import conditional_floats
from rtkpos.estimate.ambiguity.fixing import AR_FIXED, form_double_differences, search_integers
from rtkpos.estimate.ambiguity.glonass import glonass_may_fix
from rtkpos.estimate.baseline.epoch_work import NEVER_NS
from rtkpos.estimate.baseline.filter import remove_ambiguity, scalar_update
from rtkpos.gnss.systems import GLONASS, PRN_PER_SYSTEM, SBAS, first_sat, system_of
from rtkpos.network.ambiguity.arcs import known_arc
from rtkpos.network.ambiguity.confirmation import note_tentative
from rtkpos.network.network_memory import COUNT_FROM_FIRST, COUNT_HELD
from rtkpos.prepare.pairing import BASE, ROVER

N_ATTEMPT = 3  # the whole set, half of it, a quarter
HELD_SIGMA_CYCLE = 1e-3
FEWEST_FIRST = 4  # pairs of a first set; with an anchor one satellite will do
LEAST_LOCK = 2  # epochs an ambiguity must have lasted


@kernel
def fix_edge(time_ns, plan, edge):
    """Try to find integers of this epoch's free ambiguities; returns how many are new and held."""
    n_free = mark_free(edge.work, edge.state, plan.settings, edge)
    if n_free == 0:
        return 0
    n = 0
    for system in range(edge.datum_ns.shape[0]):
        n_bare = find_anchors(system, edge)
        n += fix_newcomers(system, time_ns, plan, edge)
        if n_bare > 0:
            n += fix_system(system, time_ns, plan, edge)
    return n


@kernel
def take_known(e, time_ns, edge, known):
    """Hold the integers a first pass has confirmed for arcs of this epoch; returns how many.

    e : number of the baseline      known : KnownArcs
    """
    work, n = edge.work, 0
    for i in range(work.n_sat):
        sat = work.sat[i]
        system = system_of(sat)
        for band in range(edge.model.held.shape[1]):
            if edge.state.slot[sat, band] < 0 or edge.model.held[sat, band]:
                continue
            row = known_arc(e, sat, band, time_ns, known)
            if row < 0 or not work.phase_ok[i, band]:
                continue
            other = held_partner(system, band, edge)
            if other < 0:
                edge.datum_ns[system, band] = known.datum_ns[row]
            elif edge.datum_ns[system, band] != known.datum_ns[row]:
                continue
            edge.integer[sat, band] = known.integer[row] + edge.shift[system, band]
            edge.model.held[sat, band] = 1
            n += 1
            if other >= 0:
                apart = edge.integer[sat, band] - edge.integer[other, band]
                own, its = edge.state.slot[sat, band], edge.state.slot[other, band]
                constrain(own, its, apart, edge.state, edge.scratch)
    edge.tally[COUNT_FROM_FIRST] += n
    return n


@kernel
def held_partner(system, band, edge):
    """A satellite of the system whose arc is held on the band and in the filter; -1 = none."""
    for sat in range(first_sat(system), first_sat(system + 1)):
        if edge.model.held[sat, band] and edge.state.slot[sat, band] >= 0:
            return sat
    return -1


@kernel
def find_anchors(system, edge):
    """The highest held satellite of each phase-datum group of a system, as rows, in amb.reference.

    Returns : int, free ambiguities of the system whose group has none
    """
    work, anchor = edge.work, edge.anchor
    for band in range(anchor.shape[0]):
        anchor[band] = -1
    for i in range(work.n_sat):
        sat = work.sat[i]
        if system_of(sat) != system:
            continue
        for band in range(anchor.shape[0]):
            if edge.model.held[sat, band] and work.phase_ok[i, band]:
                best = anchor[band]
                if best < 0 or work.elevation_rad[ROVER, i] > work.elevation_rad[ROVER, best]:
                    anchor[band] = i
    n_bare = 0
    for i in range(work.n_sat):
        for band in range(anchor.shape[0]):
            if system_of(work.sat[i]) == system and edge.is_free[i, band]:
                n_bare += anchor[band] < 0
    return n_bare


@kernel
def fix_newcomers(system, time_ns, plan, edge):
    """Each satellite by itself against the held anchors of its bands; returns how many are held."""
    work, amb = edge.work, edge.ambiguity
    n_held = 0
    for i in range(work.n_sat):
        if system_of(work.sat[i]) != system or choose_free(system, i, edge) == 0:
            continue
        add_anchors(edge)
        n = form_double_differences(work, edge.state, amb)
        if n == 0:
            continue
        verdict = search_integers(n, plan.settings, 1.0, amb)
        if verdict == AR_FIXED and amb.first_fixed == 0:
            n_held += take_set(system, n, time_ns, plan, edge)
    return n_held


@kernel
def add_anchors(edge):
    """Make the anchors of the bands that have candidates candidates, too; returns how many."""
    amb, anchor, n = edge.ambiguity, edge.anchor, 0
    for band in range(anchor.shape[0]):
        if anchor[band] < 0:
            continue
        wanted = False
        for i in range(edge.work.n_sat):
            wanted = wanted or amb.candidate[i, band] != 0
        if wanted:
            amb.candidate[anchor[band], band] = 1
            n += 1
    return n


@kernel
def fix_system(system, time_ns, plan, edge):
    """All satellites of a system, or the more precise half, or a quarter; returns how many held."""
    work, state, amb = edge.work, edge.state, edge.ambiguity
    if choose_free(system, -1, edge) == 0:
        return 0
    n_anchor = add_anchors(edge)
    for attempt in range(N_ATTEMPT):
        n = form_double_differences(work, state, amb)
        if n < (1 if n_anchor else FEWEST_FIRST):
            return 0
        verdict = search_integers(n, plan.settings, 1.0, amb)
        if verdict == AR_FIXED and amb.first_fixed == 0:
            return take_set(system, n, time_ns, plan, edge)
        if attempt + 1 < N_ATTEMPT and keep_precise_half(work, state, edge, amb) == 0:
            break
    return 0


@kernel
def take_set(system, n, time_ns, plan, edge):
    """Note an accepted set of n double differences and hold what is confirmed; returns how many."""
    amb = edge.ambiguity
    conditional_floats(0, n, amb.integers[0], amb.search, amb.floats)
    n_held = 0
    for band in range(amb.candidate.shape[1]):
        note_tentative(system, band, n, time_ns, edge)
        n_held += hold_confirmed(system, band, time_ns, plan, edge)
    edge.tally[COUNT_HELD] += n_held
    return n_held


@kernel
def choose_free(system, row, edge):
    """Make the free ambiguities of a system candidates; returns how many.

    row : only this satellite, and only where its band has an anchor; -1 = all
    """
    work, amb = edge.work, edge.ambiguity
    n = 0
    for i in range(work.n_sat):
        for band in range(amb.candidate.shape[1]):
            amb.candidate[i, band] = 0
            if system_of(work.sat[i]) != system or not edge.is_free[i, band]:
                continue
            if row < 0 or (i == row and edge.anchor[band] >= 0):
                amb.candidate[i, band] = 1
                n += 1
    return n


@kernel
def mark_free(work, state, settings, edge):
    """Mark ambiguities without integer, high enough, whole cycles, in is_free; returns how many."""
    n, amb = 0, edge.ambiguity
    for i in range(work.n_sat):
        sat = work.sat[i]
        system = system_of(sat)
        lowest = min(work.elevation_rad[ROVER, i], work.elevation_rad[BASE, i])
        for band in range(amb.candidate.shape[1]):
            edge.is_free[i, band] = 0
            if (
                not work.phase_ok[i, band]
                or state.slot[sat, band] < 0
                or edge.model.held[sat, band]
            ):
                continue
            if system == SBAS or lowest < settings.ar_mask_rad or work.half_cycle[i, band]:
                continue
            if state.n_lock[sat, band] < LEAST_LOCK:
                continue
            wavelength = work.wavelength_m[i, band]
            if system == GLONASS and not glonass_may_fix(sat, wavelength, settings.glonass, amb):
                continue
            edge.is_free[i, band] = 1
            n += 1
    return n


@kernel
def keep_precise_half(work, state, edge, amb):
    """Leave the less precise half of the free satellites out; returns 1, or 0 when none is left.

    Precision is that of the double difference to the reference of its group, worst band.
    """
    n, limit = 0, 0.0
    for i in range(work.n_sat):
        spread = free_variance(i, work, state, edge, amb)
        if spread > 0.0:
            amb.dd_vector[n] = spread
            n += 1
    if n < 2:
        return 0
    for k in range(1, n):  # insertion sort: n is a few dozen
        value, j = amb.dd_vector[k], k - 1
        while j >= 0 and amb.dd_vector[j] > value:
            amb.dd_vector[j + 1] = amb.dd_vector[j]
            j -= 1
        amb.dd_vector[j + 1] = value
    limit = amb.dd_vector[(n - 1) // 2]
    for i in range(work.n_sat):
        if free_variance(i, work, state, edge, amb) > limit:
            for band in range(amb.candidate.shape[1]):
                if not edge.model.held[work.sat[i], band]:
                    amb.candidate[i, band] = 0
    return 1


@kernel
def free_variance(i, work, state, edge, amb):
    """Largest variance of satellite i's free double differences [cycle^2]; 0 when it has none."""
    worst = 0.0
    for band in range(amb.candidate.shape[1]):
        sat = work.sat[i]
        if not amb.candidate[i, band] or edge.model.held[sat, band]:
            continue
        reference = amb.reference[work.datum_group[i, band]]
        if reference < 0 or reference == i:
            continue
        own, other = state.slot[sat, band], state.slot[work.sat[reference], band]
        if other < 0:
            continue
        spread = state.cov[own, own] + state.cov[other, other] - 2.0 * state.cov[own, other]
        worst = max(worst, spread)
    return worst


@kernel
def hold_confirmed(system, band, time_ns, plan, edge):
    """Hold the integers of this epoch's set that were found often and long enough; how many."""
    work, state, amb = edge.work, edge.state, edge.ambiguity
    origin, n = -1, 0
    for i in range(work.n_sat):
        sat = work.sat[i]
        if system_of(sat) == system and amb.candidate[i, band]:
            is_origin = edge.tentative_origin[system, band] == sat
            if edge.model.held[sat, band] or (is_origin and origin < 0):
                origin = i
    if origin < 0:
        return 0
    for i in range(work.n_sat):
        sat = work.sat[i]
        if system_of(sat) != system or not amb.candidate[i, band] or i == origin:
            continue
        if edge.model.held[sat, band] or not is_confirmed(sat, band, time_ns, plan, edge):
            continue
        n += hold_pair(work.sat[origin], sat, band, time_ns, state, edge)
    return n


@kernel
def is_confirmed(sat, band, time_ns, plan, edge):
    """Whether the confirmation of an arc has lasted as long as the plan asks."""
    return (
        edge.tentative_n[sat, band] >= plan.confirm_epochs
        and time_ns - edge.tentative_ns[sat, band] >= plan.confirm_ns
    )


@kernel
def hold_pair(origin, sat, band, time_ns, state, edge):
    """Hold the integer between two satellites; the first of a system and band sets its datum.

    Returns : int, ambiguities newly held
    """
    n = 1
    if not edge.model.held[origin, band]:
        index = state.slot[origin, band]
        edge.integer[origin, band] = int(math.floor(state.state[index] + 0.5))
        edge.tentative[sat, band] += edge.integer[origin, band]
        edge.model.held[origin, band] = 1
        edge.datum_ns[system_of(origin), band] = time_ns
        shift_tentative(origin, sat, band, edge)
        n = 2
    edge.integer[sat, band] = edge.tentative[sat, band]
    edge.model.held[sat, band] = 1
    apart = edge.integer[sat, band] - edge.integer[origin, band]
    constrain(state.slot[sat, band], state.slot[origin, band], apart, state, edge.scratch)
    return n


@kernel
def shift_tentative(origin, done, band, edge):
    """Count the other tentative integers of a system from the datum just set; returns 0."""
    first = first_sat(system_of(origin))
    for sat in range(first, first + PRN_PER_SYSTEM):
        if sat != origin and sat != done and edge.tentative_n[sat, band] > 0:
            edge.tentative[sat, band] += edge.integer[origin, band]
    edge.tentative_origin[system_of(origin), band] = -1
    return 0


@kernel
def constrain(upper, lower, apart, state, scratch):
    """Impose that two ambiguities differ by an integer; scratch : (N,). Returns 0."""
    for k in range(state.n_state):
        scratch[k] = state.cov[upper, k] - state.cov[lower, k]
    variance = scratch[upper] - scratch[lower] + HELD_SIGMA_CYCLE**2
    innovation = apart - (state.state[upper] - state.state[lower])
    scalar_update(state, scratch, innovation, variance)
    return 0


@kernel
def release(sat, band, edge):
    """Take an arc's integer away and its ambiguity out of the filter; it begins again."""
    edge.model.held[sat, band] = 0
    edge.verified[sat, band] = 0
    edge.tentative_n[sat, band] = 0
    if edge.state.slot[sat, band] >= 0:
        remove_ambiguity(edge.state, sat, band)
    if (
        edge.datum_ns[system_of(sat), band] != NEVER_NS
        and count_held(system_of(sat), band, edge) == 0
    ):
        edge.datum_ns[system_of(sat), band] = NEVER_NS
    return 0


@kernel
def count_held(system, band, edge):
    """Held arcs of a system and band."""
    n = 0
    for sat in range(first_sat(system), first_sat(system + 1)):
        n += edge.model.held[sat, band]
    return n
