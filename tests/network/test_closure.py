"""Closure: crafted integers of baselines, each branch, and a naive twin on random ones."""

from __future__ import annotations

import numpy as np
import pytest

from rtkpos.network.ambiguity import closure
from rtkpos.network.network_memory import (
    COUNT_AGREES,
    COUNT_DATUM,
    COUNT_DIFFERS,
    COUNT_RELEASED,
    NEVER_NS,
    WITHOUT_DATUM,
    corrections_memory,
    edge_memory,
)
from tests.network.scenes import scene

SYSTEM, BAND = 2, 1
FIRST = SYSTEM * 64
SATS = FIRST + np.arange(8)


@pytest.fixture(scope="module")
def engine():
    return scene("calm").engine()


@pytest.fixture
def memory(engine):
    """The triangles of the network (five around the middle), its baselines without any integer."""
    old = engine.memory
    made = old._replace(
        edge=edge_memory(len(old.ends)),
        corrections=corrections_memory(len(old.station)),
        closed=np.zeros_like(old.closed),
        chosen=np.zeros_like(old.chosen),
        tally=np.zeros_like(old.tally),
    )
    made.edge["state"]["slot"][:] = -1
    return made


def hold(memory, station_integer, edges=None, sats=SATS, band=BAND):
    """Hold the differences of stations' integers (K, S) on baselines (all), rover less base."""
    edges = range(len(memory.ends)) if edges is None else edges
    for e in edges:
        rover, base = memory.ends[e]
        memory.edge["model"]["held"][e, sats, band] = 1
        memory.edge["integer"][e, sats, band] = station_integer[rover] - station_integer[base]
        memory.edge["datum_ns"][e, sats[0] >> 6, band] = 5


@pytest.fixture
def integers():
    return np.random.default_rng(3).integers(-1000, 1000, (6, len(SATS)))


def tallied(memory):
    which = (COUNT_AGREES, COUNT_DIFFERS, COUNT_RELEASED, COUNT_DATUM)
    return [int(memory.tally[k]) for k in which]


def test_integers_that_close_are_verified(memory, integers):
    hold(memory, integers)
    assert closure.close_triangles(memory) == 0
    n_side = 5 * len(SATS)
    assert tallied(memory) == [n_side, 0, 0, 0]
    assert memory.edge["verified"].sum() == len(memory.ends) * len(SATS)
    assert memory.edge["confirmed"].sum() == len(memory.ends) * len(SATS)
    assert (memory.closed[:, SYSTEM, BAND] == len(SATS)).all()


def test_datums_of_owners_are_shifted_so_that_most_close(memory, integers):
    """Every baseline counts from another datum: one shift per triangle, nothing is released."""
    hold(memory, integers)
    datum = np.random.default_rng(1).integers(-50, 50, len(memory.ends))
    memory.edge["integer"][:, SATS, BAND] += datum[:, None]
    owners = memory.owner.copy()
    assert (owners >= 0).all()
    before = memory.edge["integer"].copy()
    assert closure.close_triangles(memory) == 0
    assert tallied(memory)[1:3] == [0, 0]
    changed = (memory.edge["integer"] != before).any(axis=(1, 2))
    assert set(np.flatnonzero(changed)) <= set(owners.tolist())
    assert tallied(memory)[3] == changed.sum()
    moved = memory.edge["integer"][:, SATS[0], BAND] - before[:, SATS[0], BAND]
    assert np.array_equal(memory.edge["shift"][:, SYSTEM, BAND], moved)
    sides = memory.edge["integer"][:, SATS, BAND][memory.triangle]
    assert not (sides * memory.sign[:, :, None]).sum(axis=1).any()


def test_a_wrong_spoke_loses_its_integer_and_the_rim_keeps_its_own_blame(memory, integers):
    """A baseline in two triangles, both of which do not close: it goes. Others that close stay."""
    hold(memory, integers)
    n_in = np.bincount(memory.triangle.ravel(), minlength=len(memory.ends))
    wrong = int(np.flatnonzero(n_in == 2)[0])
    memory.edge["integer"][wrong, SATS[2], BAND] += 1
    closure.close_triangles(memory)
    assert memory.edge["model"]["held"][wrong, SATS[2], BAND] == 0
    assert memory.edge["verified"][wrong, SATS[2], BAND] == 0
    assert tallied(memory)[1] == 2
    for t in np.flatnonzero((memory.triangle != wrong).all(axis=1)):
        shared = np.isin(
            memory.triangle[t], memory.triangle[(memory.triangle == wrong).any(axis=1)]
        )
        kept = memory.edge["verified"][memory.triangle[t][~shared], SATS[2], BAND]
        assert kept.all()
    good = np.delete(SATS, 2)
    assert memory.edge["verified"][:, good, BAND].all()


def test_a_wrong_rim_is_cleared_by_nobody_and_both_its_spokes_stay(memory, integers):
    """A baseline in one triangle: its two sides close with their other neighbours, so it goes."""
    hold(memory, integers)
    n_in = np.bincount(memory.triangle.ravel(), minlength=len(memory.ends))
    wrong = int(np.flatnonzero(n_in == 1)[0])
    memory.edge["integer"][wrong, SATS[5], BAND] -= 3
    assert closure.close_triangles(memory) == 1
    held = memory.edge["model"]["held"][:, SATS[5], BAND]
    assert held[wrong] == 0
    assert held.sum() == len(memory.ends) - 1
    # The spokes differ once: not to be used at this epoch, and verified again at the next.
    spokes = [e for e in memory.triangle[(memory.triangle == wrong).any(axis=1)][0] if e != wrong]
    assert not memory.edge["verified"][spokes, SATS[5], BAND].any()
    closure.close_triangles(memory)
    assert memory.edge["verified"][spokes, SATS[5], BAND].all()


def test_one_satellite_alone_says_nothing(memory, integers):
    """Below two satellites a triangle neither closes nor differs, and verifies nothing."""
    hold(memory, integers[:, :1], sats=SATS[:1])
    assert closure.close_triangles(memory) == 0
    assert tallied(memory) == [0, 0, 0, 0]
    assert not memory.edge["verified"].any()


def test_without_a_majority_nothing_is_shifted(memory, integers):
    """Three satellites, three misclosures: no two agree, so no datum is moved or arc released."""
    hold(memory, integers[:, :3], sats=SATS[:3])
    memory.edge["integer"][:, SATS[:3], BAND] += np.arange(1, 4) * 7
    closure.close_triangles(memory)
    assert tallied(memory) == [0, 0, 0, 0]


def test_a_baseline_in_no_triangle_verifies_itself(memory, integers):
    """Nobody can check it; one that must not be used is never verified, whatever closes."""
    alone = memory._replace(in_triangle=np.zeros_like(memory.in_triangle))
    hold(alone, integers, edges=[0])
    closure.close_triangles(alone)
    assert alone.edge["verified"][0, SATS, BAND].all()
    loose = memory._replace(in_triangle=np.full_like(memory.in_triangle, WITHOUT_DATUM))
    hold(loose, integers)
    closure.close_triangles(loose)
    assert loose.edge["agree"][0, SATS, BAND].all()
    assert not loose.edge["verified"].any()


def test_release_ends_the_datum_with_its_last_arc(memory, integers):
    """Three sides of one triangle, one satellite of which nobody clears: all three go."""
    hold(memory, integers[:, :3], edges=memory.triangle[0], sats=SATS[:3])
    memory.edge["integer"][memory.triangle[0, 0], SATS[0], BAND] += 1
    assert closure.close_triangles(memory) == 3
    assert not memory.edge["model"]["held"][memory.triangle[0], SATS[0], BAND].any()
    assert (memory.edge["datum_ns"][memory.triangle[0], SYSTEM, BAND] == 5).all()
    for e in memory.triangle[0]:
        for sat in SATS[1:3]:
            closure.release(sat, BAND, memory.edge[e])
    assert (memory.edge["datum_ns"][memory.triangle[0], SYSTEM, BAND] == NEVER_NS).all()


def naive(ends, triangles, signs, owners, held, integer):
    """Closure of one system and band by plain numpy: (held, integer, verified, released).

    held, integer : (E, S)
    """
    held, integer = held.copy(), integer.copy()
    agree, differ = np.zeros(held.shape, int), np.zeros(held.shape, int)
    for triangle, sign, owner in zip(triangles, signs, owners, strict=True):
        there = held[triangle].all(axis=0)
        total = sign @ integer[triangle]
        if there.sum() < 2:
            continue
        if 2 * np.sum(there & (total == 0)) <= there.sum():
            votes = [
                np.sum(there & (total == v)) if ok else 0
                for v, ok in zip(total, there, strict=True)
            ]
            best = int(np.argmax(votes))
            if votes[best] < 2 or (total[best] != 0 and owner < 0):
                continue
            place = int(np.flatnonzero(triangle == owner)[0]) if owner >= 0 else 0
            integer[owner] -= sign[place] * total[best] if owner >= 0 else 0
            total = sign @ integer[triangle]
        agree[triangle] += there & (total == 0)
        differ[triangle] += there & (total != 0)
    n = 0
    for triangle, sign in zip(triangles, signs, strict=True):
        for s in range(held.shape[1]):
            if not held[triangle, s].all() or sign @ integer[triangle, s] == 0:
                continue
            if differ[triangle[0], s] == 0:
                continue
            clear = agree[triangle, s] > 0
            gone = triangle if clear.all() else triangle[~clear]
            held[gone, s] = False
            n += len(gone)
    return held, integer, held & (differ == 0) & (agree > 0), n


@pytest.mark.parametrize("seed", range(12))
def test_close_triangles_is_its_naive_twin(memory, seed):
    """Random datums, a quarter of the arcs missing, some integers wrong by a few cycles."""
    rng = np.random.default_rng(seed)
    hold(memory, rng.integers(-1000, 1000, (6, len(SATS))))
    shape = (len(memory.ends), len(SATS))
    memory.edge["integer"][:, SATS, BAND] += rng.integers(-5, 5, (shape[0], 1))
    wrong = rng.random(shape) < 0.08
    memory.edge["integer"][:, SATS, BAND] += wrong * rng.integers(1, 3, shape)
    memory.edge["model"]["held"][:, SATS, BAND] = rng.random(shape) < 0.8
    held = memory.edge["model"]["held"][:, SATS, BAND] > 0
    integer = memory.edge["integer"][:, SATS, BAND].copy()
    wanted = naive(memory.ends, memory.triangle, memory.sign, memory.owner, held, integer)
    n = closure.close_triangles(memory)
    assert np.array_equal(memory.edge["model"]["held"][:, SATS, BAND] > 0, wanted[0])
    assert np.array_equal(memory.edge["integer"][:, SATS, BAND], wanted[1])
    assert np.array_equal(memory.edge["verified"][:, SATS, BAND] > 0, wanted[2])
    assert n == wanted[3] == tallied(memory)[2]


def test_stations_integers_follow_verified_baselines(memory, integers):
    """Differences are those of the stations; a station whose baselines are not verified is out."""
    hold(memory, integers)
    closure.close_triangles(memory)
    out = np.flatnonzero((memory.ends == 4).any(axis=1))
    memory.edge["verified"][out, SATS[1]] = 0
    n = closure.station_integers(memory)
    known = memory.corrections.known[:, SATS, BAND] > 0
    assert n == known.sum() == 6 * len(SATS) - 1
    assert not known[4, 1]
    got = memory.corrections.integer[:, SATS, BAND]
    off = np.where(known, got - integers, np.nan)
    assert np.nanmax(np.abs(off - off[:1])) == 0
