"""A network over time: integers against the simulation's, through slips, gaps, late starts."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from rtkpos.errors import InputError
from rtkpos.network.graph.closure_order import closure_order
from rtkpos.network.graph.graph import build_graph
from rtkpos.network.graph.loops import fundamental_loops
from rtkpos.network.graph.network_graph import GraphLimits
from rtkpos.network.network_engine import COMMON_NS, NetworkEngine, common_epochs
from rtkpos.network.network_memory import NETWORK_COUNTERS
from tests.network.scenes import STATIONS, Watch, network_config, scene, solved
from tests.recordings import window

HIGH_RAD = np.radians(20.0)


def at_second_pass(engine):
    """The engine when its first pass is done: the steps that follow are those of the second."""
    engine._first_pass(None, 1)
    return engine


def counted(engine, name):
    """A counter of the network, with those of its baselines."""
    k = NETWORK_COUNTERS.index(name)
    return int(engine.memory.tally[k] + engine.memory.edge["tally"][:, k].sum())


@pytest.mark.parametrize(
    "kind", ["calm", *(pytest.param(k, marks=pytest.mark.slow) for k in ("waves", "rough"))]
)
def test_every_verified_integer_is_true(kind):
    """In the first pass and, knowing its integers, in the second: quiet, disturbed, with slips."""
    made = scene(kind)
    wrong, n = Watch(made, made.engine()).run()
    assert wrong == 0, f"{wrong} of {n}"
    engine = at_second_pass(made.engine())
    again_wrong, again_n = Watch(made, engine).run()
    assert again_wrong == 0, f"{again_wrong} of {again_n}"
    assert counted(engine, "from_first_pass") > 500
    assert again_n > n + 5000 > 60_000


def test_beidou_alone_has_its_integers():
    made = scene("calm")
    engine = at_second_pass(made.engine(config=network_config("C")))
    wrong, n = Watch(made, engine).run()
    assert wrong == 0
    assert n > 40_000


def known_share(solution, station):
    """Share of a station's satellites above 20 degrees that have integers, by epoch; NaN absent."""
    k = solution.names.index(station)
    high = solution.elevation_rad[:, k] > HIGH_RAD
    known = (solution.is_fixed[:, k] & high).sum(axis=1)
    return np.where(high.any(axis=1), known / np.maximum(high.sum(axis=1), 1), np.nan)


def test_after_a_gap_integers_are_there_at_once_in_the_second_pass():
    """EAST is silent from 100 to 130 s: its phases begin anew with other integers.

    A third of them begins with half a cycle open for six seconds.
    """
    share = known_share(solved("rough")[1], "EAST")
    assert np.isnan(share[51:65]).all()
    assert share[40:49].min() > 0.9
    assert share[72:90].min() > 0.9


def test_after_a_gap_integers_return_within_a_minute_in_one_pass():
    share = known_share(solved("rough", 1)[1], "EAST")
    assert share[66] < 0.5
    assert share[95:120].min() > 0.85


@pytest.mark.parametrize(("station", "silent"), [("WEST", (0, 30)), ("SOUE", (41, 125))])
def test_a_station_comes_late_or_stops_and_returns(station, silent):
    """Neighbours go on meanwhile, and the station has its integers when it is back."""
    solution = solved("rough")[1]
    share = known_share(solution, station)
    assert np.isnan(share[silent[0] + 1 : silent[1] - 1]).all()
    assert share[silent[1] + 6 : silent[1] + 20].min() > 0.85
    middle = known_share(solution, "MID")
    assert middle[10:].min() > 0.8


def test_integers_close_around_every_fundamental_loop():
    """At the end of a run, for every satellite and band that a loop's baselines hold."""
    engine = solved("waves")[0]
    graph = build_graph(list(STATIONS), np.array([s.ecef_m for s in engine.stations]))
    loops, edges = fundamental_loops(graph), engine.memory.edge
    n = 0
    for number in range(loops.n_loop):
        edge, sign = loops.loop(number)
        held = (edges["verified"][edge] > 0).all(axis=0)
        total = np.tensordot(sign, edges["integer"][edge], axes=1)
        assert not total[held].any()
        n += held.sum()
    assert loops.n_loop == 5
    assert n > 250


def test_the_number_of_threads_changes_nothing():
    one, two = solved("calm", 1)[1], scene("calm").engine(passes=1).solve(n_thread=2)
    for name in ("nondispersive_m", "dispersive_m", "is_fixed"):
        assert np.array_equal(getattr(one, name), getattr(two, name), equal_nan=name[-1] == "m")
    assert one.counts == two.counts


def test_progress_counts_both_passes():
    made, told = scene("calm", duration_s=10.0), []
    made.engine().solve(lambda done, total: told.append((done, total)), n_thread=1)
    assert told == [(k + 1, 12) for k in range(12)]


def test_injected_wrong_integer_is_found_within_two_epochs():
    """One cycle in integer and filter: nothing uses it, and it is right again later."""
    made = scene("calm")
    engine = made.engine(passes=1)
    watch, edge_number, hurt, n_tried = Watch(made, engine), 3, None, 0
    for t in engine.steps(1):
        edge = engine.memory.edge[edge_number]
        found = watch.apart(t, edge_number)
        assert not found[found[:, 3] > 0, 2].any()
        if hurt is not None and t - hurt[0] >= 2:
            mine = found[(found[:, 0] == hurt[1]) & (found[:, 1] == hurt[2])]
            assert not mine[:, 2].any()
        if hurt is not None and t == hurt[0] + 20:
            assert mine[0, 3] == 1
            n_tried += 1
        if t >= 50 and t % 25 == 0 and t < 130:
            hurt = (t, *found[(7 * n_tried) % len(found), :2])
            edge.integer[hurt[1], hurt[2]] += 1
            slot = edge.state.slot[hurt[1], hurt[2]]
            edge.state.state[slot] += 1.0
    assert n_tried == 4


@pytest.mark.parametrize("n_station", [5, 20, 60])
def test_closure_order_reaches_every_baseline_once(n_station):
    """Tree edges are free; every other is set by one triangle whose other sides are set by then."""
    rng = np.random.default_rng(n_station)
    lat, lon = np.radians(34.0) + rng.uniform(0, 0.06, n_station), rng.uniform(0, 0.06, n_station)
    flat = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
    graph = build_graph([f"S{k}" for k in range(n_station)], 6_371_000.0 * flat)
    order, owner, is_loose = closure_order(graph)
    assert sorted(order.tolist()) == list(range(len(graph.triangles)))
    is_set = graph.in_tree.copy()
    for triangle, mine in zip(graph.triangle_edges[order], owner, strict=True):
        free = [e for e in triangle if not is_set[e]]
        assert free == ([] if mine < 0 else [mine])
        is_set[triangle] = True
    assert is_set[np.unique(graph.triangle_edges)].all()
    assert not is_loose.any()


def test_around_a_hole_datums_are_not_trusted():
    """Two rings of twelve: the tree reaches all, and the rest of a cut through them is loose.

    Without the loose baselines no way leads around the hole, so that none can fail to close.
    """
    turn = np.radians(np.arange(0, 360, 30))
    rings = [(100e3, turn), (140e3, turn + np.radians(15))]
    flat = np.concatenate([np.stack([r * np.cos(a), r * np.sin(a)], axis=1) for r, a in rings])
    lat = np.radians(34.0) + flat[:, 1] / 6_371_000.0
    lon = flat[:, 0] / 6_371_000.0 / np.cos(np.radians(34.0))
    unit = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
    limits = GraphLimits(edge_max_m=80e3)
    graph = build_graph([f"S{k}" for k in range(24)], 6_371_000.0 * unit, limits)
    _, _, is_loose = closure_order(graph)
    assert not (is_loose & graph.in_tree).any()
    angle = np.arctan2(flat[:, 1], flat[:, 0])
    a, b = graph.edges[~is_loose].T
    step = (angle[b] - angle[a] + np.pi) % (2 * np.pi) - np.pi
    potential = angle.copy()
    # Angles can be continued over the kept baselines without a jump of a full turn anywhere.
    kept = dict.fromkeys(zip(a.tolist(), b.tolist(), strict=True))
    reached, queue = {0}, [0]
    for station in queue:
        for (low, high), turned in zip(kept, step, strict=True):
            for one, other, sign in ((low, high, 1.0), (high, low, -1.0)):
                if one == station and other not in reached:
                    potential[other] = potential[one] + sign * turned
                    reached.add(other)
                    queue.append(other)
    assert len(reached) == 24
    assert np.allclose(potential[b] - potential[a], step)
    assert 0 < is_loose.sum() < 10


def test_epochs_are_those_that_two_stations_share():
    """Tags within 20 ms are one epoch; what one station alone has is left out."""
    second = 1_000_000_000
    first = np.arange(5) * second
    late = np.arange(2, 8, 2) * second + 3_000_000
    alone = np.array([70, 80]) * second
    times, index = common_epochs([first, late, alone], np.array([0, 5, 8]))
    assert times.tolist() == [2 * second, 4 * second]
    assert index.tolist() == [[2, 5, -1], [4, 6, -1]]
    assert COMMON_NS == 20_000_000


def test_stations_of_different_rates_meet_at_common_epochs():
    """30 s apart at one station: it is there at a fifteenth of the epochs, the others at all."""
    made = scene("calm")
    stations = made.stations()
    slow = window(stations[1].table, 0, 151, 15)
    stations[1] = dataclasses.replace(stations[1], table=slow)
    graph = build_graph([s.name for s in stations], np.array([s.ecef_m for s in stations]))
    engine = NetworkEngine(stations, graph, made.nav, network_config())
    solution = engine.solve(n_thread=1)
    assert len(solution.time_ns) == 151
    assert (engine.index[:, 1] >= 0).sum() == 11
    there = np.isfinite(solution.elevation_rad[:, 1]).any(axis=1)
    assert there.sum() == 11
    high = solution.elevation_rad[:, 1] > HIGH_RAD
    assert solution.is_fixed[:, 1][high].mean() > 0.9


def test_one_station_is_no_network():
    made = scene("calm")
    with pytest.raises(InputError, match="at least two stations in reach of each other; got 1"):
        made.engine(("MID",))
