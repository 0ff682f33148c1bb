"""Integers of a baseline between known stations on epochs made by hand, as plain Python."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from rtkpos.estimate.ambiguity.fixing import form_double_differences
from rtkpos.estimate.baseline.atmosphere_states import slant_factor
from rtkpos.network.ambiguity.arcs import log_arc
from rtkpos.network.ambiguity.baseline_integers import (
    add_anchors,
    choose_free,
    find_anchors,
    fix_system,
    free_variance,
    hold_confirmed,
    hold_pair,
    keep_precise_half,
    mark_free,
    take_known,
)
from rtkpos.network.ambiguity.baseline_step import learn_ionosphere, weigh_group
from rtkpos.network.ambiguity.closure import close_one, release_faulty, spread_integers
from rtkpos.network.ambiguity.confirmation import note_tentative, tentative_origin
from rtkpos.network.ambiguity.transfer import fits, transfer_system
from rtkpos.network.network_memory import (
    COUNT_AGREES,
    COUNT_DATUM,
    COUNT_DIFFERS,
    COUNT_FROM_FIRST,
    KnownArcs,
    corrections_memory,
    edge_memory,
    no_known_arcs,
)
from rtkpos.prepare.slips import COUNT_CODE_REJECTED
from rtkpos.processing.settings import kernel_settings
from rtkpos.records.config import RtkConfig
from tests.estimate.made_ambiguities import N_BAND, N_SAT, fill

pytestmark = pytest.mark.plain
SETTINGS = kernel_settings(RtkConfig())
GPS, NOW_NS, SECOND = 0, 100 * 10**9, 10**9


def made_edge(seed=1, noise_cycle=0.02, position_m=0.4):
    """(memory of a baseline, integers (sat, band)), all ambiguities free and nothing held."""
    memory = edge_memory(1)[0]
    integers = fill(memory, seed, noise_cycle, position_m)
    memory.is_free[:N_SAT, :N_BAND] = 1
    memory.state.n_lock[memory.work.sat[:N_SAT], :N_BAND] = 9
    return memory, integers.astype(int)


def plan_of(**changed):
    plan = SimpleNamespace(settings=SETTINGS, confirm_epochs=3, confirm_ns=2 * SECOND)
    return SimpleNamespace(**(vars(plan) | changed))


def hold(memory, integers, rows, band=0):
    for i in rows:
        memory.model.held[memory.work.sat[i], band] = 1
        memory.integer[memory.work.sat[i], band] = integers[i, band]


def test_free_ambiguities_are_high_old_whole_and_not_held():
    memory, integers = made_edge()
    work, state = memory.work, memory.state
    work.elevation_rad[:, :N_SAT] = 1.0
    work.elevation_rad[1, 0] = 0.5 * SETTINGS.ar_mask_rad
    work.phase_ok[1, 0] = 0
    state.slot[work.sat[2], 1] = -1
    hold(memory, integers, [3])
    work.half_cycle[4, 1] = 1
    state.n_lock[work.sat[5], 0] = 1
    assert mark_free(work, state, SETTINGS, memory) == 7
    wanted = [[0, 0], [0, 1], [1, 0], [0, 1], [1, 0], [0, 1], [1, 1]]
    assert memory.is_free[:N_SAT, :N_BAND].tolist() == wanted


def test_anchor_is_the_highest_held_satellite_of_each_band():
    memory, integers = made_edge(2)
    work = memory.work
    hold(memory, integers, [1, 2, 5])
    work.elevation_rad[0, :N_SAT] = [1.5, 0.5, 0.9, 1.5, 1.5, 0.7, 1.5]
    assert find_anchors(GPS, memory) == N_SAT, "the free ones of the other band"
    assert memory.anchor[:N_BAND].tolist() == [2, -1]
    work.phase_ok[2, 0] = 0
    find_anchors(GPS, memory)
    assert memory.anchor[0] == 5
    assert find_anchors(1, memory) == 0
    assert memory.anchor[0] == -1


def differences(memory):
    """Make all free ambiguities candidates: their double differences' number."""
    choose_free(GPS, -1, memory)
    return form_double_differences(memory.work, memory.state, memory.ambiguity)


def variances(memory):
    """Largest variance of each satellite's double differences, by hand."""
    work, state, amb = memory.work, memory.state, memory.ambiguity
    out = np.zeros(N_SAT)
    for i in range(N_SAT):
        for band in range(N_BAND):
            reference = int(amb.reference[band])
            if i == reference or memory.model.held[work.sat[i], band]:
                continue
            a, b = state.slot[work.sat[i], band], state.slot[work.sat[reference], band]
            step = np.zeros(int(state.n_state))
            step[a], step[b] = 1.0, -1.0
            n = len(step)
            out[i] = max(out[i], step @ state.cov[:n, :n] @ step)
    return out


def test_less_precise_half_is_left_out():
    memory, _ = made_edge(3)
    differences(memory)
    work, state, amb = memory.work, memory.state, memory.ambiguity
    wanted = variances(memory)
    got = [free_variance(i, work, state, memory, amb) for i in range(N_SAT)]
    np.testing.assert_allclose(got, wanted, rtol=1e-9)
    assert keep_precise_half(work, state, memory, amb) == 1
    reference = int(amb.reference[0])
    order = [i for i in np.argsort(wanted) if i != reference]
    kept = {reference, *order[: (len(order) + 1) // 2]}
    assert set(np.flatnonzero(amb.candidate[:N_SAT].any(axis=1)).tolist()) == kept
    amb.candidate[:N_SAT] = 0
    assert keep_precise_half(work, state, memory, amb) == 0


def test_first_of_a_pair_sets_the_datum_and_both_are_constrained():
    memory, _ = made_edge(4)
    state, sats = memory.state, memory.work.sat
    origin, sat, other = int(sats[0]), int(sats[1]), int(sats[2])
    memory.tentative[sat, 0], memory.tentative_n[sat, 0] = 7, 3
    memory.tentative[other, 0], memory.tentative_n[other, 0] = -2, 1
    n = int(state.n_state)
    a, b = int(state.slot[sat, 0]), int(state.slot[origin, 0])
    step = np.zeros(n)
    step[a], step[b] = 1.0, -1.0
    first = math.floor(state.state[b] + 0.5)
    cov, x = np.array(state.cov[:n, :n]), np.array(state.state[:n])
    assert hold_pair(origin, sat, 0, NOW_NS, state, memory) == 2
    assert memory.integer[[origin, sat], 0].tolist() == [first, first + 7]
    assert memory.model.held[[origin, sat], 0].tolist() == [1, 1]
    assert memory.tentative[other, 0] == first - 2
    assert memory.datum_ns[GPS, 0] == NOW_NS
    assert memory.tentative_origin[GPS, 0] == -1
    gain = cov @ step / (step @ cov @ step + 1e-6)
    np.testing.assert_allclose(state.state[:n], x + gain * (7.0 - step @ x), atol=1e-9)
    np.testing.assert_allclose(state.cov[:n, :n], cov - np.outer(gain, cov @ step), atol=1e-10)
    assert hold_pair(origin, other, 0, NOW_NS + 1, state, memory) == 1
    assert memory.datum_ns[GPS, 0] == NOW_NS


def test_trials_are_held_when_found_often_and_long_enough():
    memory, _ = made_edge(5)
    sats, plan = memory.work.sat, plan_of()
    differences(memory)
    memory.tentative_origin[GPS, 0] = sats[2]
    for i in range(N_SAT):
        memory.tentative_n[sats[i], 0] = 3
        memory.tentative_ns[sats[i], 0] = NOW_NS - 2 * SECOND
    memory.tentative_n[sats[4], 0] = 2
    memory.tentative_ns[sats[5], 0] = NOW_NS - 1 * SECOND
    memory.ambiguity.candidate[6, 0] = 0
    assert hold_confirmed(GPS, 0, NOW_NS, plan, memory) == 4
    assert memory.model.held[sats[:N_SAT], 0].tolist() == [1, 1, 1, 1, 0, 0, 0]
    assert hold_confirmed(GPS, 1, NOW_NS, plan, memory) == 0, "no origin on the other band"


def test_trials_count_integers_from_a_satellite_that_stays():
    memory, integers = made_edge(6)
    work, amb = memory.work, memory.ambiguity
    n = differences(memory)
    reference = int(amb.reference[0])
    for j in range(n):
        i, band = amb.satellite[j], amb.band[j]
        amb.floats[j] = integers[i, band] - integers[reference, band]
    highest = int(np.argmax(work.elevation_rad[0, :N_SAT]))
    assert tentative_origin(GPS, 0, n, work, memory, amb) == (highest, 0.0)
    assert memory.tentative_origin[GPS, 0] == work.sat[highest]
    memory.tentative_origin[GPS, 0] = work.sat[3]
    row, base = tentative_origin(GPS, 0, n, work, memory, amb)
    assert (row, base) == (3, integers[3, 0] - integers[reference, 0])
    for k in range(3):
        note_tentative(GPS, 0, n, NOW_NS + k * SECOND, memory)
    for i in range(N_SAT):
        sat = work.sat[i]
        assert memory.tentative[sat, 0] == integers[i, 0] - integers[3, 0]
        assert (memory.tentative_n[sat, 0], memory.tentative_ns[sat, 0]) == (3, NOW_NS)
    amb.floats[0] += 1.0
    note_tentative(GPS, 0, n, NOW_NS + 9 * SECOND, memory)
    changed = work.sat[amb.satellite[0]]
    assert (memory.tentative_n[changed, 0], memory.tentative_ns[changed, 0]) == (
        1,
        NOW_NS + 9 * SECOND,
    )
    hold(memory, integers + 50, [1])
    note_tentative(GPS, 0, n, NOW_NS + 10 * SECOND, memory)
    for i in (0, 2, 3):
        extra = 1 if work.sat[i] == changed else 0
        assert memory.tentative[work.sat[i], 0] == integers[i, 0] + 50 + extra


def test_a_system_is_fixed_and_held_after_its_confirmation():
    memory, integers = made_edge(7)
    plan = plan_of(confirm_epochs=2, confirm_ns=SECOND)
    find_anchors(GPS, memory)
    assert fix_system(GPS, NOW_NS, plan, memory) == 0, "found once"
    assert fix_system(GPS, NOW_NS + SECOND, plan, memory) == N_SAT * N_BAND
    for band in range(N_BAND):
        got = memory.integer[memory.work.sat[:N_SAT], band]
        np.testing.assert_array_equal(got - got[0], integers[:, band] - integers[0, band])
    memory.is_free[:] = 0
    assert fix_system(GPS, NOW_NS, plan, memory) == 0


def test_a_set_that_is_not_certain_is_halved():
    memory, integers = made_edge(8, position_m=0.02)
    work, state = memory.work, memory.state
    far = [int(state.slot[work.sat[i], band]) for i in (0, 1) for band in range(N_BAND)]
    for index in far:
        state.cov[index, index] += 1.0
        state.state[index] += 0.4
    plan = plan_of(confirm_epochs=1, confirm_ns=0)
    find_anchors(GPS, memory)
    n = fix_system(GPS, NOW_NS, plan, memory)
    assert 0 < n < (N_SAT - 1) * N_BAND
    held = np.flatnonzero(memory.model.held[work.sat[:N_SAT], 0])
    assert not {0, 1} & set(held.tolist())
    got = memory.integer[work.sat[held], 0]
    np.testing.assert_array_equal(got - got[0], integers[held, 0] - integers[held[0], 0])


def known_arcs(memory, rows):
    """KnownArcs of baseline 0: (row, integer, begin, end, datum) of band 0."""
    sats = memory.work.sat
    rows = sorted(rows, key=lambda row: int(sats[row[0]]))
    known = no_known_arcs(1)
    first = known.first.copy()
    for row in rows:
        first[0, int(sats[row[0]]) * known.n_band + 1 :] += 1
    columns = [np.array([row[k] for row in rows], np.int64) for k in (2, 3, 1, 4)]
    return KnownArcs(first, *columns, known.n_band)


def test_arcs_of_a_first_pass_are_held_from_one_datum():
    memory, integers = made_edge(9)
    sats = memory.work.sat
    memory.shift[GPS, 0] = 10
    begin, end = NOW_NS - 5, NOW_NS + 5
    rows = [(i, integers[i, 0], begin, end, 77) for i in (0, 1, 2)]
    rows += [(3, 5, begin, end, 78), (4, 5, NOW_NS + 1, end, 77)]
    n = take_known(0, NOW_NS, memory, known_arcs(memory, rows))
    assert n == memory.tally[COUNT_FROM_FIRST] == 3
    assert memory.model.held[sats[:N_SAT], 0].tolist() == [1, 1, 1, 0, 0, 0, 0]
    assert memory.integer[sats[:3], 0].tolist() == (integers[:3, 0] + 10).tolist()
    assert memory.datum_ns[GPS, 0] == 77
    state = memory.state
    for i in (1, 2):
        apart = state.state[state.slot[sats[i], 0]] - state.state[state.slot[sats[0], 0]]
        assert apart == pytest.approx(integers[i, 0] - integers[0, 0], abs=0.01)


@pytest.mark.parametrize("n_held", [4, 5])
def test_spread_of_the_ionosphere_follows_satellites_with_integers(n_held):
    memory, integers = made_edge(10)
    work, state = memory.work, memory.state
    for band in range(N_BAND):
        hold(memory, integers, range(n_held), band)
    total = 0.0
    for i in range(N_SAT):
        index = int(state.n_state) + i
        state.iono_slot[work.sat[i]] = index
        state.state[index] = 0.02 * (i + 1)
        if i < n_held:
            total += (0.02 * (i + 1) / slant_factor(work.elevation_rad[0, i])) ** 2 / n_held
    work.baseline_m, default = 40_000.0, 1e-6
    settings = SimpleNamespace(iono_m_per_m=0.0)
    plan = SimpleNamespace(settings=settings, iono_m_per_m=default)
    got = learn_ionosphere(300.0, plan, memory)
    share = 1.0 - math.exp(-300.0 / 1800.0) if n_held == 5 else 0.0
    weight = share / (share + 0.1)
    square = (1.0 - weight) * default**2
    if share:
        square += weight * 2.0 * total / work.baseline_m**2
    assert got == settings.iono_m_per_m == pytest.approx(math.sqrt(square), rel=1e-9)


def test_codes_of_a_group_are_weighed_by_their_distance_from_the_median():
    memory, _ = made_edge(11)
    work, scratch = memory.work, np.zeros((3, 40))
    value = np.array([5.0, 5.5, 4.4, 5.2, 4.8, 20.0, 5.1])
    work.sd_code_m[:N_SAT, 0], work.var_code_m2[:N_SAT, 0] = value, 0.04
    work.group[6, 0] = 1
    work.code_weight[:] = 0.0
    counts = np.zeros(40, np.int64)
    assert weigh_group(0, work, scratch, counts) == 5
    middle = np.median(value[:6])
    scale = max(1.4826 * np.median(np.abs(value[:6] - middle)) / 0.2, 1.0)
    wanted = np.full(N_SAT, 1.0 / (0.04 * scale**2))
    wanted[5:] = 0.0
    np.testing.assert_allclose(work.code_weight[:N_SAT, 0], wanted, rtol=1e-9)
    assert counts[COUNT_CODE_REJECTED] == 1
    assert weigh_group(5, work, scratch, counts) == 0
    # Codes that agree better than their variances say keep these.
    work.sd_code_m[:N_SAT, 0] = 5.0 + 0.01 * np.arange(N_SAT)
    assert weigh_group(0, work, scratch, counts) == 6
    np.testing.assert_allclose(work.code_weight[:6, 0], 1.0 / 0.04, rtol=1e-12)


# --- a triangle of three baselines, whose integers sum to zero with the signs 1, 1, -1


def triangle():
    """Three baselines 0-1, 1-2, 0-2 (rover first) with band 0 of seven satellites held."""
    edges = edge_memory(3)
    memory = SimpleNamespace(
        edge=edges,
        ends=np.array([[0, 1], [1, 2], [0, 2]]),
        triangle=np.array([[0, 1, 2]]),
        sign=np.array([[1, 1, -1]]),
        owner=np.array([2]),
        closed=np.zeros((1, 7, 3), np.int64),
        chosen=np.zeros(448, np.int64),
        tally=np.zeros(9, np.int64),
        corrections=corrections_memory(3),
    )
    stations = np.random.default_rng(12).integers(-50, 50, (3, N_SAT))
    for e, (rover, base) in enumerate(memory.ends):
        edges[e].model.held[:N_SAT, 0] = 1
        edges[e].integer[:N_SAT, 0] = stations[rover] - stations[base]
    return memory, stations


def test_closure_shifts_the_owners_datum_and_votes():
    memory, _ = triangle()
    edges = memory.edge
    edges[2].integer[:N_SAT, 0] += 13
    edges[2].tentative_n[20, 0], edges[2].tentative[20, 0] = 1, 40
    edges[1].integer[4, 0] += 1
    edges[0].model.held[6, 0] = 0
    assert close_one(0, GPS, 0, memory) == N_SAT - 1
    assert memory.tally[[COUNT_DATUM, COUNT_AGREES, COUNT_DIFFERS]].tolist() == [1, 5, 1]
    assert memory.closed[0, GPS, 0] == 5
    assert edges[2].shift[GPS, 0] == -13
    assert edges[2].tentative[20, 0] == 27
    for edge in edges:
        assert edge.agree[:N_SAT, 0].tolist() == [1, 1, 1, 1, 0, 1, 0]
        assert edge.differ[:N_SAT, 0].tolist() == [0, 0, 0, 0, 1, 0, 0]
    sums = edges[0].integer + edges[1].integer - edges[2].integer
    assert sums[[0, 1, 2, 3, 5], 0].tolist() == [0] * 5
    memory.owner[0] = -1
    edges[2].integer[:N_SAT, 0] += 3
    assert close_one(0, GPS, 0, memory) == 0, "no owner whose datum could be moved"
    edges[0].model.held[1:, 0] = 0
    assert close_one(0, GPS, 0, memory) == 0, "one satellite says nothing"


def test_sides_that_close_elsewhere_keep_their_integer():
    memory, _ = triangle()
    edges = memory.edge
    edges[1].integer[4, 0] += 1
    for edge in edges:
        edge.differ[4, 0] = 1
        edge.state.slot[:] = -1
    edges[0].agree[4, 0] = edges[2].agree[4, 0] = 1
    assert release_faulty(0, memory) == 1
    assert [int(edge.model.held[4, 0]) for edge in edges] == [1, 0, 1]
    assert edges[1].model.held[:N_SAT, 0].sum() == N_SAT - 1
    edges[1].model.held[4, 0] = 1
    for edge in edges:
        edge.agree[4, 0] = 1
    assert release_faulty(0, memory) == 3, "all three cannot be cleared"


def test_integers_spread_along_verified_baselines():
    memory, stations = triangle()
    for edge in memory.edge:
        edge.verified[:N_SAT, 0] = 1
    memory.edge[2].verified[3, 0] = 0
    memory.edge[1].verified[5, 0] = memory.edge[2].verified[5, 0] = 0
    made = memory.corrections
    for sat, n in ((2, 3), (3, 3), (5, 2), (9, 0)):
        assert spread_integers(sat, 0, memory) == n
        assert made.known[:, sat, 0].sum() == n
    for sat in (2, 3):
        got = made.integer[:, sat, 0]
        np.testing.assert_array_equal(got - got[0], stations[:, sat] - stations[0, sat])
    assert made.integer[0, 5, 0] - made.integer[1, 5, 0] == stations[0, 5] - stations[1, 5]


def waiting_side(off=0):
    """A triangle whose side 2 has a filter, holds all satellites but two, and `off` on the sum."""
    memory, _ = triangle()
    edge = memory.edge[2]
    integers = fill(edge, 13, 0.02)
    sats = np.array(edge.work.sat[:N_SAT])
    edge.model.held[:], edge.is_free[:] = 0, 0
    for band in range(N_BAND):
        parts = np.random.default_rng(band).integers(-50, 50, N_SAT)
        whole = integers[:, band].astype(int)
        for side, value in ((0, parts), (1, whole - parts), (2, whole)):
            memory.edge[side].model.held[sats, band] = 1
            memory.edge[side].integer[sats, band] = value
        memory.closed[0, GPS, band] = 5
    for i in (1, 4):
        edge.model.held[sats[i], :N_BAND], edge.integer[sats[i], :N_BAND] = 0, 0
        edge.is_free[i, :N_BAND] = 1
    memory.edge[0].integer[sats[4], 0] += off
    return memory, edge, sats, integers.astype(int)


@pytest.mark.parametrize("off", [0, 1])
def test_what_two_sides_imply_is_held_where_the_filter_agrees(off):
    memory, edge, sats, integers = waiting_side(off)
    n = transfer_system(0, 2, GPS, NOW_NS, memory)
    assert n == (N_BAND if off else 2 * N_BAND)
    assert edge.model.held[sats[1], :N_BAND].tolist() == [1, 1]
    assert edge.integer[sats[1], :N_BAND].tolist() == integers[1].tolist()
    assert edge.model.held[sats[4], :N_BAND].tolist() == ([0, 0] if off else [1, 1])


@pytest.mark.parametrize(("off", "spread", "wanted"), [(0, 0.0, 1), (1, 0.0, 0), (0, 4.0, 0)])
def test_integers_fit_a_filter_that_knows_them_well_enough(off, spread, wanted):
    memory, edge, sats, _ = waiting_side(off)
    for band in range(N_BAND):
        index = int(edge.state.slot[sats[4], band])
        edge.state.cov[index, index] += spread
    find_anchors(GPS, edge)
    assert choose_free(GPS, 4, edge) == N_BAND
    assert add_anchors(edge) == N_BAND
    assert bool(fits(0, 2, memory)) == bool(wanted)


@pytest.mark.parametrize(
    ("held", "confirmed", "room"), [(0, 1, 1), (1, 0, 1), (1, 1, 0), (1, 1, 1)]
)
def test_an_arc_is_noted_once_without_the_shifts_of_its_datum(held, confirmed, room):
    edge = edge_memory(1)[0]
    sat, band = 7, 1
    edge.model.held[sat, band], edge.confirmed[sat, band] = held, confirmed
    edge.n_log = 0 if room else len(edge.log_sat)
    edge.begin_ns[sat, band], edge.seen_ns[sat, band] = 3 * SECOND, 8 * SECOND
    edge.integer[sat, band], edge.shift[GPS, band] = 12, 5
    edge.datum_ns[GPS, band] = SECOND
    assert log_arc(sat, band, edge) == held * confirmed * room
    if held and confirmed and room:
        noted = (edge.log_sat[0], edge.log_band[0], edge.log_begin_ns[0], edge.log_end_ns[0])
        assert noted == (sat, band, 3 * SECOND, 8 * SECOND)
        assert (edge.log_integer[0], edge.log_datum_ns[0]) == (12 - 5, SECOND)
        assert edge.n_log == 1
        assert log_arc(sat, band, edge) == 0  # it is confirmed no more
